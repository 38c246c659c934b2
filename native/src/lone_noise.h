/*
 * The noise of one vector of elements, or fewer, wherever it starts, from the key to the values without memory in between. Include after
 * float32.h and float64.h.
 */
#ifndef GUMBEL4J_LONE_NOISE_H
#define GUMBEL4J_LONE_NOISE_H

enum { LONE_CHAINS = 2 }; /* a vector of float32 elements needs two of blocks */

/* As philox_blocks, for blocks of any number. */
INLINE void lone_blocks(uint64_t seed, uint64_t stream, int chains, const uint64_lanes *block, uint64_lanes words[4][LONE_CHAINS])
{
    const uint64_lanes multiplier0 = broadcast_uint64(MULTIPLIER0), multiplier1 = broadcast_uint64(MULTIPLIER1);
    uint64_lanes low = broadcast_uint64((uint32_t)seed), high = broadcast_uint64(seed >> 32);
    uint64_lanes low_step = broadcast_uint64(KEY_STEP0), high_step = broadcast_uint64(KEY_STEP1);
    keep_order(&low_step, &high_step); /* or a compiler makes the key of every round in registers of the other kind, and moves it over */
    uint64_lanes *c0 = words[0], *c1 = words[1], *c2 = words[2], *c3 = words[3];
    UNROLL
    for (int k = 0; k < chains; k++) {
        c0[k] = block[k];
        c1[k] = block[k] >> 32;
        c2[k] = broadcast_uint64(stream);
        c3[k] = broadcast_uint64(stream >> 32);
    }
    UNROLL
    for (int round = 0; round < ROUNDS; round++) {
        UNROLL
        for (int k = 0; k < chains; k++) {
            uint64_lanes p = multiply_low(c0[k], multiplier0), q = multiply_low(c2[k], multiplier1);
            c0[k] = (q >> 32) ^ (c1[k] ^ low);
            c1[k] = q;
            c2[k] = (p >> 32) ^ (c3[k] ^ high);
            c3[k] = p;
        }
        low += low_step; /* carries into the upper half, which is rubbish */
        high += high_step;
    }
}

/* The words of consecutive elements of float32: of a vector of them, or with one chain of blocks, of its lower half; the rest is rubbish. */
INLINE uint32_lanes lone_words_float32(uint64_t seed, uint64_t stream, uint64_t index, int chains)
{
    uint64_lanes element[LONE_CHAINS] = {{0}}, block[LONE_CHAINS], words[4][LONE_CHAINS];
    UNROLL
    for (int k = 0; k < chains; k++) {
        UNROLL
        for (int l = 0; l < LANES_float64; l++)
            element[k][l] = (uint64_t)(chains == 1 ? l : l / 2 * 4 + l % 2 + 2 * k); /* pairs, as low_halves joins them */
        element[k] += index;
        block[k] = (element[k] >> 6 << 4) | (element[k] & 15);
    }
    lone_blocks(seed, stream, chains, block, words);

    float32_lanes joined[4];
    UNROLL
    for (int w = 0; w < 4; w++)
        joined[w] = (float32_lanes)low_halves(words[w][0], words[w][chains - 1]);
    uint32_lanes low = low_halves(element[0], element[chains - 1]);
    int32_lanes odd = (int32_lanes)(low << 27) >> 31, upper = (int32_lanes)(low << 26) >> 31; /* bits 4 and 5 name the word */
    float32_lanes first = select_float32(odd, joined[1], joined[0]), second = select_float32(odd, joined[3], joined[2]);
    uint32_lanes v = (uint32_lanes)select_float32(upper, second, first);
    return chains == 1 ? every_other_pair(v) : v;
}

/* In a function of its own, or the others would keep room for it. */
static __attribute__((noinline, cold)) float32_lanes lone_tail_float32(uint64_t seed, uint64_t stream, uint64_t index, uint32_lanes v)
{
    struct philox generator;
    philox_start(&generator, seed, stream);
    return noise_of_few_float32(&generator, index, v);
}

/* The noise of the first `count` of a vector of elements; of no use in other lanes. */
INLINE float32_lanes lone_noise_float32(uint64_t seed, uint64_t stream, uint64_t index, int64_t count)
{
    uint32_lanes v = count <= LANES_float64 ? lone_words_float32(seed, stream, index, 1) : lone_words_float32(seed, stream, index, LONE_CHAINS);
    if (__builtin_expect(any_float32((int32_lanes)are_tail_words_float32(v)), 0))
        return lone_tail_float32(seed, stream, index, v);
    return noise_of_large_words_float32(v);
}

INLINE float64_lanes lone_noise_float64(uint64_t seed, uint64_t stream, uint64_t index, int64_t count)
{
    uint64_lanes element = {0}, block, words[4][LONE_CHAINS];
    UNROLL
    for (int l = 0; l < LANES_float64; l++)
        element[l] = (uint64_t)l;
    element += index;
    block = (element >> 5 << 4) | (element & 15);
    (void)count; /* one chain of blocks has them all */
    lone_blocks(seed, stream, 1, &block, words);
    int64_lanes upper = -(int64_lanes)(element >> 4 & 1);
    uint64_lanes v = (uint64_lanes)select_float64(upper, (float64_lanes)low_half_and_high(words[2][0], words[3][0]),
                                                  (float64_lanes)low_half_and_high(words[0][0], words[1][0]));
    return noise_of_large_words_float64(v);
}

#endif
