/*
 * Philox4x32-10 in lanes: the words of NOISE.md, section 1. Include after a lanes_<tier>.h.
 *
 * Every counter word sits in the low half of a 64-bit lane with rubbish above it, so a round is two multiplications, two shifts and
 * four exclusive ors, and no shuffle; several independent vectors ("chains") hide the latency of the multiplication.
 */
#ifndef GUMBEL4J_PHILOX_H
#define GUMBEL4J_PHILOX_H

enum {
    ROUNDS = 10,
    GROUP_BLOCKS = 16, /* blocks that one group of elements is made of */
    GROUP_BYTES = 256, /* 64 words of 32 bits, or 32 of 64 */
    CHAINS = VECTOR_BYTES <= 32 ? 4 : 2,
    STEP_BLOCKS = CHAINS * LANES_float64 /* divides GROUP_BLOCKS */
};

#define MULTIPLIER0 0xD2511F53u
#define MULTIPLIER1 0xCD9E8D57u
#define KEY_STEP0 0x9E3779B9u
#define KEY_STEP1 0xBB67AE85u

/* The key of every round in every lane, ready to be an operand from memory, and the stream. */
struct philox {
    uint64_lanes key[ROUNDS][2];
    uint64_t stream;
};

INLINE void philox_start(struct philox *generator, uint64_t seed, uint64_t stream)
{
    uint64_lanes low = broadcast_uint64((uint32_t)seed), high = broadcast_uint64(seed >> 32);
    UNROLL
    for (int round = 0; round < ROUNDS; round++) {
        generator->key[round][0] = low;
        generator->key[round][1] = high;
        low += KEY_STEP0; /* carries into the upper half, which is rubbish */
        high += KEY_STEP1;
    }
    generator->stream = stream;
}

/*
 * What the first rounds have in common of blocks that agree in word 1 of the counter, as those of a group do. Their numbers differ in
 * word 0 alone, and a round multiplies two of the four words: by the third round only, every word depends on the block.
 */
struct philox_group {
    uint64_lanes c2_of_1; /* what word 2 is combined with in round 1 (the first) */
    uint64_lanes c0_of_2, c2_of_2;
    uint64_lanes c2_of_3;
};

INLINE struct philox_group philox_group(const struct philox *generator, uint64_t block)
{
    uint32_t c2 = (uint32_t)generator->stream, c3 = (uint32_t)(generator->stream >> 32);
    uint64_t q = (uint64_t)MULTIPLIER1 * c2;
    uint32_t c0 = (uint32_t)(q >> 32) ^ (uint32_t)(block >> 32) ^ (uint32_t)generator->key[0][0][0];
    uint64_t p = (uint64_t)MULTIPLIER0 * c0;
    return (struct philox_group){generator->key[0][1] ^ c3, generator->key[1][0] ^ q, generator->key[1][1] ^ (p >> 32),
                                 generator->key[2][1] ^ p};
}

/* words[w][k] = word w of the blocks numbered block[k], which are of the group, in the low half of each lane. */
INLINE void philox_blocks(const struct philox *generator, const struct philox_group *group, const uint64_lanes block[CHAINS],
                          uint64_lanes words[4][CHAINS])
{
    const uint64_lanes multiplier0 = broadcast_uint64(MULTIPLIER0), multiplier1 = broadcast_uint64(MULTIPLIER1);
    uint64_lanes *c0 = words[0], *c1 = words[1], *c2 = words[2], *c3 = words[3];
    UNROLL
    for (int k = 0; k < CHAINS; k++) {
        uint64_lanes p = multiply_low(block[k], multiplier0); /* round 1 */
        uint64_lanes q = multiply_low((p >> 32) ^ group->c2_of_1, multiplier1);
        c0[k] = (q >> 32) ^ group->c0_of_2; /* round 2 */
        c1[k] = q;
        c2[k] = p ^ group->c2_of_2;
    }
    UNROLL
    for (int k = 0; k < CHAINS; k++) {
        uint64_lanes p = multiply_low(c0[k], multiplier0), q = multiply_low(c2[k], multiplier1);
        c0[k] = (q >> 32) ^ (c1[k] ^ generator->key[2][0]); /* round 3 */
        c1[k] = q;
        c2[k] = (p >> 32) ^ group->c2_of_3;
        c3[k] = p;
    }
    UNROLL
    for (int round = 3; round < ROUNDS; round++)
        UNROLL
        for (int k = 0; k < CHAINS; k++) {
            uint64_lanes p = multiply_low(c0[k], multiplier0), q = multiply_low(c2[k], multiplier1);
            c0[k] = (q >> 32) ^ (c1[k] ^ generator->key[round][0]);
            c1[k] = q;
            c2[k] = (p >> 32) ^ (c3[k] ^ generator->key[round][1]);
            c3[k] = p;
            keep_order(&c0[k], &c2[k]);
        }
}

/* Memory that is fetched while words are generated, so that whoever works on their elements need not wait: addresses of the first element
 * as it is read, and as it is written; 0 for none. Beyond the last element a fetch has no effect. */
struct ahead {
    uintptr_t source, target;
};

/* Fetches for the g-th group from there on. */
INLINE void fetch(struct ahead ahead, int64_t g)
{
    UNROLL
    for (int line = 0; line < GROUP_BYTES; line += 64) {
        if (ahead.source != 0)
            __builtin_prefetch((const void *)(ahead.source + (uintptr_t)(g * GROUP_BYTES + line)), 0);
        if (ahead.target != 0)
            __builtin_prefetch((const void *)(ahead.target + (uintptr_t)(g * GROUP_BYTES + line)), 1);
    }
}

/* The words of `groups` groups of 64 elements of the float32 stream. Chains hold pairs of blocks in turn, as low_halves joins them. */
static void words_float32(const struct philox *generator, uint64_t group, int64_t groups, struct ahead ahead, uint32_t *out)
{
    uint64_lanes pairs = {0};
    for (int l = 0; l < LANES_float64; l++)
        pairs[l] = (uint64_t)(l / 2 * 4 + l % 2);
    struct philox_group common = philox_group(generator, GROUP_BLOCKS * group);
    for (int64_t g = 0; g < groups; g++, out += 4 * GROUP_BLOCKS) {
        uint64_t first = GROUP_BLOCKS * (group + (uint64_t)g);
        fetch(ahead, g);
        if (__builtin_expect((uint32_t)first == 0, 0)) /* a carry has reached word 1 of the counter */
            common = philox_group(generator, first);
        for (int b = 0; b < GROUP_BLOCKS; b += STEP_BLOCKS) {
            uint64_lanes block[CHAINS], words[4][CHAINS];
            UNROLL
            for (int k = 0; k < CHAINS; k++)
                block[k] = pairs + (first + (uint64_t)(b + k / 2 * LANES_float32 + k % 2 * 2));
            philox_blocks(generator, &common, block, words);
            UNROLL
            for (int k = 0; k < CHAINS; k += 2)
                UNROLL
                for (int w = 0; w < 4; w++) {
                    uint32_lanes joined = low_halves(words[w][k], words[w][k + 1]);
                    STORE_VECTOR(out + GROUP_BLOCKS * w + b + k / 2 * LANES_float32, joined);
                }
        }
    }
}

/* The words of `groups` groups of 32 elements of the float64 stream. Chains hold blocks in order, and a lane joins two words of a block. */
static void words_float64(const struct philox *generator, uint64_t group, int64_t groups, struct ahead ahead, uint64_t *out)
{
    uint64_lanes consecutive = {0};
    for (int l = 0; l < LANES_float64; l++)
        consecutive[l] = (uint64_t)l;
    struct philox_group common = philox_group(generator, GROUP_BLOCKS * group);
    for (int64_t g = 0; g < groups; g++, out += 2 * GROUP_BLOCKS) {
        uint64_t first = GROUP_BLOCKS * (group + (uint64_t)g);
        fetch(ahead, g);
        if (__builtin_expect((uint32_t)first == 0, 0)) /* a carry has reached word 1 of the counter */
            common = philox_group(generator, first);
        for (int b = 0; b < GROUP_BLOCKS; b += STEP_BLOCKS) {
            uint64_lanes block[CHAINS], words[4][CHAINS];
            UNROLL
            for (int k = 0; k < CHAINS; k++)
                block[k] = consecutive + (first + (uint64_t)(b + k * LANES_float64));
            philox_blocks(generator, &common, block, words);
            UNROLL
            for (int k = 0; k < CHAINS; k++)
                UNROLL
                for (int w = 0; w < 4; w += 2) {
                    uint64_lanes joined = low_half_and_high(words[w][k], words[w + 1][k]);
                    STORE_VECTOR(out + GROUP_BLOCKS / 2 * w + b + k * LANES_float64, joined);
                }
        }
    }
}

#endif
