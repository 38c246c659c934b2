/*
 * Philox4x32-10 in lanes: the words of NOISE.md, section 1. Include after a lanes_<tier>.h.
 *
 * A lane holds a word of one block. A round multiplies two words by constants: the high halves of a product go into one word of the next
 * round, the low halves are another. high_halves brings the lanes into another order (see products.h), and in the next round back. Low
 * halves meet the high ones of the round after, whose order is again that of what was multiplied: so they come from a multiplication that
 * keeps the order, but in the last round, which needs all words in one.
 */
#ifndef GUMBEL4J_PHILOX_H
#define GUMBEL4J_PHILOX_H

enum {
    ROUNDS = 10,
    GROUP_BLOCKS = 16, /* blocks that one group of elements is made of */
    GROUP_BYTES = 256, /* 64 words of 32 bits, or 32 of 64 */
    GROUP_VECTORS = GROUP_BLOCKS / LANES_float32,
    /* Vectors that do not depend on each other hide the latency of the multiplication. */
    GROUPS_AT_ONCE = VECTOR_BYTES > 16 ? 2 : 1,
    VECTORS_AT_ONCE = GROUPS_AT_ONCE * GROUP_VECTORS
};

#define MULTIPLIER0 0xD2511F53u
#define MULTIPLIER1 0xCD9E8D57u
#define KEY_STEP0 0x9E3779B9u
#define KEY_STEP1 0xBB67AE85u

/* The key of every round in every lane, ready to be an operand from memory, and the stream. */
struct philox {
    uint32_lanes key[ROUNDS][2];
    uint64_t stream;
};

INLINE void philox_start(struct philox *generator, uint64_t seed, uint64_t stream)
{
    uint32_lanes low = broadcast_uint32((uint32_t)seed), high = broadcast_uint32((uint32_t)(seed >> 32));
    UNROLL
    for (int round = 0; round < ROUNDS; round++) {
        generator->key[round][0] = low;
        generator->key[round][1] = high;
        low += KEY_STEP0;
        high += KEY_STEP1;
    }
    generator->stream = stream;
}

/*
 * What the first rounds have in common of blocks that agree in word 1 of the counter, as those of a group do. Their numbers differ in
 * word 0 alone, and a round multiplies two of the four words: by the third round only, every word depends on the block.
 */
struct philox_group {
    uint32_lanes c2_of_1; /* what word 2 is combined with in round 1 (the first) */
    uint32_lanes c0_of_2, c2_of_2;
    uint32_lanes c2_of_3;
};

INLINE struct philox_group philox_group(const struct philox *generator, uint64_t block)
{
    uint32_t c2 = (uint32_t)generator->stream, c3 = (uint32_t)(generator->stream >> 32);
    uint64_t q = (uint64_t)MULTIPLIER1 * c2;
    uint32_t c0 = (uint32_t)(q >> 32) ^ (uint32_t)(block >> 32) ^ generator->key[0][0][0];
    uint64_t p = (uint64_t)MULTIPLIER0 * c0;
    return (struct philox_group){generator->key[0][1] ^ c3, generator->key[1][0] ^ (uint32_t)q, generator->key[1][1] ^ (uint32_t)(p >> 32),
                                 generator->key[2][1] ^ (uint32_t)p};
}

/* One round of as many blocks as there are lanes, in place. */
INLINE void philox_round(uint32_lanes *c0, uint32_lanes *c1, uint32_lanes *c2, uint32_lanes *c3, uint32_lanes key0, uint32_lanes key1,
                         bool is_last)
{
    const uint32_lanes multiplier0 = broadcast_uint32(MULTIPLIER0), multiplier1 = broadcast_uint32(MULTIPLIER1);
    struct products p = products(*c0, multiplier0), q = products(*c2, multiplier1);
    uint32_lanes p_low = is_last ? low_halves(p) : *c0 * multiplier0, q_low = is_last ? low_halves(q) : *c2 * multiplier1;
    uint32_lanes of_c0 = *c1 ^ key0, of_c2 = *c3 ^ key1;
    KEEP_ORDER(of_c0, of_c2); /* or a compiler combines the product with the key first, which makes a round longer */
    *c0 = high_halves(q) ^ of_c0;
    *c1 = q_low;
    *c2 = high_halves(p) ^ of_c2;
    *c3 = p_low;
}

/* words[w][k] = word w of the blocks whose word 0 of the counter is block[k], which agree in the others with the group, for k < vectors. */
INLINE void philox_blocks(const struct philox *generator, const struct philox_group *group, int vectors, const uint32_lanes *block,
                          uint32_lanes words[4][VECTORS_AT_ONCE])
{
    const uint32_lanes multiplier0 = broadcast_uint32(MULTIPLIER0), multiplier1 = broadcast_uint32(MULTIPLIER1);
    uint32_lanes *c0 = words[0], *c1 = words[1], *c2 = words[2], *c3 = words[3];
    UNROLL
    for (int k = 0; k < vectors; k++) {
        c2[k] = high_halves(products(block[k], multiplier0)) ^ group->c2_of_1; /* round 1 */
        c0[k] = high_halves(products(c2[k], multiplier1)) ^ group->c0_of_2;    /* round 2 */
        c1[k] = c2[k] * multiplier1;
        c2[k] = block[k] * multiplier0 ^ group->c2_of_2;
    }
    UNROLL
    for (int k = 0; k < vectors; k++) { /* round 3 */
        uint32_lanes p = high_halves(products(c0[k], multiplier0)), q = high_halves(products(c2[k], multiplier1));
        c3[k] = c0[k] * multiplier0;
        c0[k] = q ^ (c1[k] ^ generator->key[2][0]);
        c1[k] = c2[k] * multiplier1;
        c2[k] = p ^ group->c2_of_3;
    }
    UNROLL
    for (int round = 3; round < ROUNDS; round++)
        UNROLL
        for (int k = 0; k < vectors; k++)
            philox_round(&c0[k], &c1[k], &c2[k], &c3[k], generator->key[round][0], generator->key[round][1], round == ROUNDS - 1);
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

/*
 * The words of a few groups that agree in word 1 of the counter; `first` is the number of their first block. Words of 64 bits are joined of two
 * of a block by interleave_first and interleave_second, for which lanes hold blocks in the order that these put right.
 */
INLINE void words_of_few(const struct philox *generator, const struct philox_group *common, uint64_t first, int groups, bool are_wide,
                         char *out)
{
    uint32_lanes order = {0}, block[VECTORS_AT_ONCE], words[4][VECTORS_AT_ONCE];
    for (int l = 0; l < LANES_float32; l++)
        order[l] = (uint32_t)(are_wide ? l / 4 * 2 + l % 2 + l / 2 % 2 * LANES_float64 : l);
    UNROLL
    for (int k = 0; k < groups * GROUP_VECTORS; k++)
        block[k] = order + ((uint32_t)first + (uint32_t)(k * LANES_float32));
    philox_blocks(generator, common, groups * GROUP_VECTORS, block, words);
    UNROLL
    for (int k = 0; k < groups * GROUP_VECTORS; k++) {
        char *group = out + k / GROUP_VECTORS * GROUP_BYTES;
        int vector = k % GROUP_VECTORS;
        UNROLL
        for (int w = 0; w < 4; w += 2)
            if (are_wide) {
                uint64_lanes v = interleave_first(words[w][k], words[w + 1][k]), next = interleave_second(words[w][k], words[w + 1][k]);
                STORE_VECTOR(group + w * GROUP_BYTES / 4 + 2 * vector * VECTOR_BYTES, v);
                STORE_VECTOR(group + w * GROUP_BYTES / 4 + (2 * vector + 1) * VECTOR_BYTES, next);
            } else {
                STORE_VECTOR(group + w * GROUP_BYTES / 4 + vector * VECTOR_BYTES, words[w][k]);
                STORE_VECTOR(group + (w + 1) * GROUP_BYTES / 4 + vector * VECTOR_BYTES, words[w + 1][k]);
            }
    }
}

INLINE void words_of_groups(const struct philox *generator, uint64_t group, int64_t groups, struct ahead ahead, bool are_wide, char *out)
{
    struct philox_group common = philox_group(generator, GROUP_BLOCKS * group);
    bool pairs = GROUPS_AT_ONCE == 2 && groups >= 4; /* for fewer, more instructions are fetched than time is saved */
    for (int64_t g = 0; g < groups;) {
        uint64_t first = GROUP_BLOCKS * (group + (uint64_t)g);
        if (__builtin_expect((uint32_t)first == 0, 0)) /* a carry has reached word 1 of the counter */
            common = philox_group(generator, first);
        bool carries_next = (uint32_t)first + GROUP_BLOCKS == 0;
        fetch(ahead, g);
        if (pairs && g + 1 < groups && __builtin_expect(!carries_next, 1)) {
            fetch(ahead, g + 1);
            words_of_few(generator, &common, first, GROUPS_AT_ONCE, are_wide, out + g * GROUP_BYTES);
            g += GROUPS_AT_ONCE;
        } else {
            words_of_few(generator, &common, first, 1, are_wide, out + g * GROUP_BYTES);
            g++;
        }
    }
}

/* The words of `groups` groups of 64 elements of the float32 stream. */
static void words_float32(const struct philox *generator, uint64_t group, int64_t groups, struct ahead ahead, uint32_t *out)
{
    words_of_groups(generator, group, groups, ahead, false, (char *)out);
}

/* The words of `groups` groups of 32 elements of the float64 stream. */
static void words_float64(const struct philox *generator, uint64_t group, int64_t groups, struct ahead ahead, uint64_t *out)
{
    words_of_groups(generator, group, groups, ahead, true, (char *)out);
}

#endif
