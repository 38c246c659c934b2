/*
 * The noise of one vector of elements, or fewer, wherever it starts, from the key to the values without memory in between. Include after
 * float32.h and float64.h.
 */
#ifndef GUMBEL4J_LONE_NOISE_H
#define GUMBEL4J_LONE_NOISE_H

/* The key of a round, in every lane, made of the one before. */
struct lone_key {
    uint32_lanes low, high, low_step, high_step;
};

INLINE struct lone_key lone_key(uint64_t seed)
{
    struct lone_key key = {broadcast_uint32((uint32_t)seed), broadcast_uint32((uint32_t)(seed >> 32)), broadcast_uint32(KEY_STEP0),
                           broadcast_uint32(KEY_STEP1)};
    KEEP_ORDER(key.low_step, key.high_step); /* or a compiler makes every key in registers of the other kind, and moves it over */
    return key;
}

INLINE void next_key(struct lone_key *key)
{
    key->low += key->low_step;
    key->high += key->high_step;
}

/*
 * words[w] = word w of the blocks numbered block, in the low half of each lane, with rubbish above it. These are half as many blocks as
 * philox_round takes, but their rounds need no shuffle, and so end sooner.
 */
INLINE void lone_blocks(uint64_t seed, uint64_t stream, uint64_lanes block, uint64_lanes words[4])
{
    const uint64_lanes multiplier0 = broadcast_uint64(MULTIPLIER0), multiplier1 = broadcast_uint64(MULTIPLIER1);
    uint64_lanes c0 = block, c1 = block >> 32, c2 = broadcast_uint64(stream), c3 = broadcast_uint64(stream >> 32);
    struct lone_key key = lone_key(seed);
    UNROLL
    for (int round = 0; round < ROUNDS; round++) {
        uint64_lanes p = multiply_low(c0, multiplier0), q = multiply_low(c2, multiplier1);
        uint64_lanes of_c0 = c1 ^ (uint64_lanes)key.low, of_c2 = c3 ^ (uint64_lanes)key.high;
        KEEP_ORDER(of_c0, of_c2); /* as in philox_round */
        c0 = (q >> 32) ^ of_c0;
        c1 = q;
        c2 = (p >> 32) ^ of_c2;
        c3 = p;
        next_key(&key);
    }
    words[0] = c0;
    words[1] = c1;
    words[2] = c2;
    words[3] = c3;
}

/* The word of each element, of those of its block; bits 4 and 5 of its index name it. */
INLINE uint32_lanes word_named_float32(uint32_lanes index, const uint32_lanes words[4])
{
    int32_lanes odd = (int32_lanes)(index << 27) >> 31, upper = (int32_lanes)(index << 26) >> 31;
    float32_lanes first = select_float32(odd, (float32_lanes)words[1], (float32_lanes)words[0]);
    float32_lanes second = select_float32(odd, (float32_lanes)words[3], (float32_lanes)words[2]);
    return (uint32_lanes)select_float32(upper, second, first);
}

/* The indices of LANES_float64 consecutive elements, or of pairs of them: from 0 on of every four. */
INLINE uint64_lanes lone_indices(uint64_t first, bool pairs)
{
    uint64_lanes index = {0};
    UNROLL
    for (int l = 0; l < LANES_float64; l++)
        index[l] = (uint64_t)(pairs ? l / 2 * 4 + l % 2 : l);
    return index + first;
}

/* The words of half a vector of elements of float32, in the lower half; rubbish in the other. */
INLINE uint32_lanes lone_words_of_half_float32(uint64_t seed, uint64_t stream, uint64_t index)
{
    uint64_lanes element = lone_indices(index, false), blocks[4];
    lone_blocks(seed, stream, (element >> 6 << 4) | (element & 15), blocks);
    uint32_lanes words[4];
    UNROLL
    for (int w = 0; w < 4; w++)
        words[w] = lower_halves(blocks[w], blocks[w]);
    return every_other_pair(word_named_float32(lower_halves(element, element), words));
}

/* The words of a vector of elements of float32. */
INLINE uint32_lanes lone_words_float32(uint64_t seed, uint64_t stream, uint64_t index)
{
    uint64_lanes some = lone_indices(index, true), others = some + 2; /* as halves of both come in order */
    uint32_lanes low = lower_halves(some, others), high = upper_halves(some, others);
    uint32_lanes words[4] = {(low >> 6 << 4) | (low & 15) | high << 30, high >> 2, broadcast_uint32((uint32_t)stream),
                             broadcast_uint32((uint32_t)(stream >> 32))};
    struct lone_key key = lone_key(seed);
    UNROLL
    for (int round = 0; round < ROUNDS; round++) {
        philox_round(&words[0], &words[1], &words[2], &words[3], key.low, key.high, round == ROUNDS - 1);
        next_key(&key);
    }
    return word_named_float32(low, words);
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
    uint32_lanes v = count <= LANES_float64 ? lone_words_of_half_float32(seed, stream, index) : lone_words_float32(seed, stream, index);
    if (__builtin_expect(any_float32((int32_lanes)are_tail_words_float32(v)), 0))
        return lone_tail_float32(seed, stream, index, v);
    return noise_of_large_words_float32(v);
}

INLINE float64_lanes lone_noise_float64(uint64_t seed, uint64_t stream, uint64_t index, int64_t count)
{
    uint64_lanes element = lone_indices(index, false), words[4];
    (void)count; /* half a vector of blocks has them all */
    lone_blocks(seed, stream, (element >> 5 << 4) | (element & 15), words);
    int64_lanes upper = -(int64_lanes)(element >> 4 & 1);
    uint64_lanes v = (uint64_lanes)select_float64(upper, (float64_lanes)low_half_and_high(words[2], words[3]),
                                                  (float64_lanes)low_half_and_high(words[0], words[1]));
    return noise_of_large_words_float64(v);
}

#endif
