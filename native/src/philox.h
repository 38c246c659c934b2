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

/* The key of every round, and the stream. */
struct philox {
    uint64_t key[ROUNDS][2];
    uint64_t stream;
};

static inline struct philox philox_start(uint64_t seed, uint64_t stream)
{
    struct philox generator = {.stream = stream};
    uint32_t low = (uint32_t)seed, high = (uint32_t)(seed >> 32);
    for (int round = 0; round < ROUNDS; round++) {
        generator.key[round][0] = low;
        generator.key[round][1] = high;
        low += 0x9E3779B9u;
        high += 0xBB67AE85u;
    }
    return generator;
}

/* words[w][k] = word w of the blocks numbered block[k], in the low half of each lane. */
INLINE void philox_blocks(const struct philox *generator, const uint64_lanes block[CHAINS], uint64_lanes words[4][CHAINS])
{
    const uint64_lanes multiplier0 = broadcast_uint64(0xD2511F53u), multiplier1 = broadcast_uint64(0xCD9E8D57u);
    uint64_lanes c0[CHAINS], c1[CHAINS], c2[CHAINS], c3[CHAINS];
    UNROLL
    for (int k = 0; k < CHAINS; k++) {
        c0[k] = block[k];
        c1[k] = block[k] >> 32;
        c2[k] = broadcast_uint64(generator->stream);
        c3[k] = broadcast_uint64(generator->stream >> 32);
    }
    UNROLL
    for (int round = 0; round < ROUNDS; round++) {
        const uint64_lanes key0 = broadcast_uint64(generator->key[round][0]), key1 = broadcast_uint64(generator->key[round][1]);
        UNROLL
        for (int k = 0; k < CHAINS; k++) {
            uint64_lanes p = multiply_low(c0[k], multiplier0), q = multiply_low(c2[k], multiplier1);
            c0[k] = (q >> 32) ^ c1[k] ^ key0;
            c1[k] = q;
            c2[k] = (p >> 32) ^ c3[k] ^ key1;
            c3[k] = p;
        }
    }
    UNROLL
    for (int k = 0; k < CHAINS; k++) {
        words[0][k] = c0[k];
        words[1][k] = c1[k];
        words[2][k] = c2[k];
        words[3][k] = c3[k];
    }
}

/* One 64-bit lane from the low halves of two. */
INLINE uint64_lanes join_halves(uint64_lanes low, uint64_lanes high) { return (low & 0xffffffffu) | (high << 32); }

/* 0, step, 2 step, ... */
INLINE uint64_lanes ramp(uint64_t step)
{
    uint64_lanes lanes = {0};
    for (int l = 0; l < LANES_float64; l++)
        lanes[l] = step * (uint64_t)l;
    return lanes;
}

/* The words of `groups` groups of 64 elements of the float32 stream. Chains hold even and odd blocks in turn: joined, they are in order. */
static void words_float32(const struct philox *generator, uint64_t group, int64_t groups, uint32_t *out)
{
    const uint64_lanes even = ramp(2);
    for (int64_t g = 0; g < groups; g++, out += 4 * GROUP_BLOCKS)
        for (int b = 0; b < GROUP_BLOCKS; b += STEP_BLOCKS) {
            uint64_lanes block[CHAINS], words[4][CHAINS];
            UNROLL
            for (int k = 0; k < CHAINS; k++)
                block[k] = even + (GROUP_BLOCKS * (group + (uint64_t)g) + (uint64_t)(b + k / 2 * LANES_float32 + k % 2));
            philox_blocks(generator, block, words);
            UNROLL
            for (int k = 0; k < CHAINS; k += 2)
                UNROLL
                for (int w = 0; w < 4; w++) {
                    uint64_lanes joined = join_halves(words[w][k], words[w][k + 1]);
                    STORE_VECTOR(out + GROUP_BLOCKS * w + b + k / 2 * LANES_float32, joined);
                }
        }
}

/* The words of `groups` groups of 32 elements of the float64 stream. Chains hold blocks in order, and a lane joins two words of a block. */
static void words_float64(const struct philox *generator, uint64_t group, int64_t groups, uint64_t *out)
{
    const uint64_lanes consecutive = ramp(1);
    for (int64_t g = 0; g < groups; g++, out += 2 * GROUP_BLOCKS)
        for (int b = 0; b < GROUP_BLOCKS; b += STEP_BLOCKS) {
            uint64_lanes block[CHAINS], words[4][CHAINS];
            UNROLL
            for (int k = 0; k < CHAINS; k++)
                block[k] = consecutive + (GROUP_BLOCKS * (group + (uint64_t)g) + (uint64_t)(b + k * LANES_float64));
            philox_blocks(generator, block, words);
            UNROLL
            for (int k = 0; k < CHAINS; k++)
                UNROLL
                for (int w = 0; w < 4; w += 2) {
                    uint64_lanes joined = join_halves(words[w][k], words[w + 1][k]);
                    STORE_VECTOR(out + GROUP_BLOCKS / 2 * w + b + k * LANES_float64, joined);
                }
        }
}

#endif
