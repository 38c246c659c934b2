/*
 * What a soft sample of one small row goes through, each stage by itself: CHAIN_STEPS times, each on what the one before made, as nothing of a
 * row can begin before the stage before it ends. Included by limits.c, for float32.
 */

enum { CHAIN_STEPS = 1000 };

/* Keeps a value from being worked out beforehand, or not at all. */
#define USED(vector) __asm__ volatile("" : "+x"(vector))

void philox_chain(void)
{
    uint64_lanes block = {0}, words[4];
    for (int i = 0; i < CHAIN_STEPS; i++) {
        lone_blocks(7, 0, block, words);
        block = words[0];
        USED(block);
    }
}

void noise_chain(void)
{
    uint32_lanes v = {0};
    for (int i = 0; i < CHAIN_STEPS; i++) {
        v = (uint32_lanes)noise_of_large_words_float32(v);
        USED(v);
    }
}

void largest_chain(void)
{
    float32_lanes s = {0};
    for (int i = 0; i < CHAIN_STEPS; i++) {
        s = s - largest_float32(s);
        USED(s);
    }
}

void exp_chain(void)
{
    float32_lanes s = {0};
    float tau = 0.5f;
    __asm__ volatile("" : "+x"(tau));
    for (int i = 0; i < CHAIN_STEPS; i++) {
        s = exp_float32(s / tau);
        USED(s);
    }
}

void scale_chain(void)
{
    float32_lanes e = broadcast_float32(1);
    for (int i = 0; i < CHAIN_STEPS; i++) {
        e = flush_float32(e * (1 / lone_sum_float32(e)));
        USED(e);
    }
}

/* Of whole samples: each one's seed is in part of the sample before. */
void sample_chain(void)
{
    float x[4] = {0}, y[4];
    uint64_t seed = 7;
    for (int i = 0; i < CHAIN_STEPS; i++) {
        soft_lone_float32(4, x, 0.5, seed, 0, 0, y);
        memcpy(&seed, y, sizeof seed);
        __asm__ volatile("" : "+r"(seed));
    }
}
