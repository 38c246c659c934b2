/*
 * float32: logarithm, exponential and Gumbel noise in lanes (NOISE.md, sections 2, 3 and 5).
 * Coefficients: native/tools/polynomials.py. Include after philox.h.
 */
#ifndef GUMBEL4J_FLOAT32_H
#define GUMBEL4J_FLOAT32_H

#define SMALLEST_NORMAL_float32 0x1p-126f

/* log(1 + f) for sqrt(1/2) - 1 <= f <= sqrt(2) - 1. */
INLINE float32_lanes log1p_float32(float32_lanes f)
{
    float32_lanes f2 = f * f;
    float32_lanes even = fma_float32(broadcast_float32(-0x1.39235ep-4f), f2, broadcast_float32(-0x1.0f35fep-3f));
    float32_lanes odd = fma_float32(broadcast_float32(0x1.08a428p-3f), f2, broadcast_float32(0x1.226424p-3f));
    even = fma_float32(even, f2, broadcast_float32(-0x1.5425ecp-3f));
    odd = fma_float32(odd, f2, broadcast_float32(0x1.99a48cp-3f));
    even = fma_float32(even, f2, broadcast_float32(-0x1.000430p-2f));
    odd = fma_float32(odd, f2, broadcast_float32(0x1.555550p-2f));
    even = fma_float32(even, f2, broadcast_float32(-0x1.fffff8p-2f));
    return fma_float32(f2, fma_float32(odd, f, even), f);
}

/* A positive number, 2^exponent (1 + fraction) with 1 + fraction between sqrt(1/2) and sqrt(2). */
struct parts_float32 {
    int32_lanes exponent; /* times 2^23: in the place where a float has its own */
    float32_lanes fraction;
};

INLINE struct parts_float32 split_float32(float32_lanes x)
{
    const uint32_t root_half = 0x3f3504f3; /* bits of sqrt(1/2) */
    uint32_lanes exponent = ((uint32_lanes)x - root_half) & 0xff800000;
    return (struct parts_float32){(int32_lanes)exponent, (float32_lanes)((uint32_lanes)x - exponent) - 1.0f};
}

/* The parts of -x. */
INLINE struct parts_float32 split_negative_float32(float32_lanes x)
{
    const uint32_t minus_root_half = 0xbf3504f3;
    uint32_lanes exponent = ((uint32_lanes)x - minus_root_half) & 0xff800000;
    return (struct parts_float32){(int32_lanes)exponent, -1.0f - (float32_lanes)((uint32_lanes)x - exponent)};
}

INLINE float32_lanes log_of_parts_float32(struct parts_float32 x)
{
    float32_lanes exponent = __builtin_convertvector(x.exponent, float32_lanes);
    return fma_float32(exponent, broadcast_float32(0x1.62e43p-1f * 0x1p-23f), log1p_float32(x.fraction)); /* ln2 */
}

/* Finite for every bit pattern; the logarithm where x is positive and normal. */
INLINE float32_lanes log_float32(float32_lanes x) { return log_of_parts_float32(split_float32(x)); }

/* exp(x) = scale * exp(rest), with |rest| <= ln2 / 2; the scale is 0 where the exponential lies below the smallest normal number. */
struct exp_parts_float32 {
    float32_lanes rest, scale;
};

/* The parts for x <= 0. */
INLINE struct exp_parts_float32 exp_parts_float32(float32_lanes x)
{
    const float32_lanes shift = broadcast_float32(0x1.8p23f), gone = broadcast_float32(-88.0f); /* n = -127: the scale's bits are all 0 */
    const uint32_t one = 0x3f800000;                                                             /* bits of 1 */
    x = select_float32((int32_lanes)(x < -0x1.5d5894p+6f), gone, x);
    float32_lanes t = fma_float32(x, broadcast_float32(0x1.715476p0f), shift), n = t - shift;
    float32_lanes r = fma_float32(n, broadcast_float32(-0x1.62e4p-1f), x);
    r = fma_float32(n, broadcast_float32(-0x1.7f7d1cp-20f), r);
    return (struct exp_parts_float32){r, (float32_lanes)(((uint32_lanes)t << 23) + one)};
}

INLINE float32_lanes exp_of_parts_float32(struct exp_parts_float32 x)
{
    float32_lanes r = x.rest, q = r * r;
    float32_lanes even = fma_float32(broadcast_float32(0x1.6a2436p-10f), q, broadcast_float32(0x1.5558f2p-5f));
    float32_lanes odd = fma_float32(broadcast_float32(0x1.1239e2p-7f), q, broadcast_float32(0x1.555492p-3f));
    even = fma_float32(even, q, broadcast_float32(0x1.fffffcp-2f));
    return (fma_float32(q, fma_float32(odd, r, even), r) + 1.0f) * x.scale; /* a power of two: exact */
}

INLINE float32_lanes exp_float32(float32_lanes x) { return exp_of_parts_float32(exp_parts_float32(x)); }

/*
 * The parts of 1 - U for words v >= 256, whose logarithm is L: each of the three cases starts from an exact integer and rounds once. For
 * U < 1 - sqrt(1/2) the fraction is -U, and for U < 1/2 it is 1 - 2 U.
 */
INLINE struct parts_float32 survival_float32(uint32_lanes v)
{
    int32_lanes upper = (int32_lanes)v >> 31;                        /* U >= 1/2 */
    int32_lanes middle = (int32_lanes)((int32_lanes)v > 0x4afb0ccc); /* 1 - sqrt(1/2) < U < 1/2 */
    uint32_lanes t = v ^ (uint32_lanes)(upper | (middle & 0x7fffffff));
    float32_lanes m = fma_float32(__builtin_convertvector((int32_lanes)t, float32_lanes), broadcast_float32(0x1p-32f),
                                  broadcast_float32(0x1p-33f));
    struct parts_float32 of_m = split_float32(m);
    float32_lanes near = m * select_float32(middle, broadcast_float32(2.0f), broadcast_float32(-1.0f));
    int32_lanes of_near = middle & -0x00800000;
    return (struct parts_float32){(int32_lanes)select_float32(upper, (float32_lanes)of_m.exponent, (float32_lanes)of_near),
                                  select_float32(upper, of_m.fraction, near)};
}

INLINE float32_lanes log_survival_float32(uint32_lanes v) { return log_of_parts_float32(survival_float32(v)); }

/* g of words v >= 256. */
INLINE float32_lanes noise_of_large_words_float32(uint32_lanes v)
{
    return -log_of_parts_float32(split_negative_float32(log_survival_float32(v)));
}

/*
 * An upper bound of x + g from the word alone, without a logarithm, up to the slack of ceiling_slack_float32. E = -log(1 - U) >= U, so
 * g <= -log U; U >= (v >> 1) / 2^31; and the bits of a float u, as an integer, are 2^23 times a chord of log2(u) + 127 from below. With
 * u = v >> 1:  x + g <= x + (31 + 127) ln2 - bits(u) ln2 / 2^23.
 */
INLINE float32_lanes ceiling_float32(float32_lanes x, uint32_lanes v)
{
    float32_lanes u = __builtin_convertvector((int32_lanes)(v >> 1), float32_lanes);
    float32_lanes bits = __builtin_convertvector((int32_lanes)u, float32_lanes);
    return fma_float32(bits, broadcast_float32(-0x1.62e43p-24f), x + 0x1.b611acp6f);
}

/*
 * How far a computed s = x + g may lie above its ceiling, given s. Errors in units of 2^-24: s itself 1/2 |s|; the computed g 2.3 ulp, at most
 * 2.3 * 64; conversion of v >> 1: 1.5; of its bits: 1/2 * 110; ln2 / 2^23: 1/2 * 110; x + 109.5: 1/2 (|x| + 110); the fma: 1/2 |ceiling|.
 * With |x| and |ceiling| at most |s| + 110 that is below 1.5 |s| + 430 < 4 (|s| + 128); 2^-20 is 16 of these units.
 */
INLINE float ceiling_slack_float32(float s) { return 0x1p-20f * ((s < 0 ? -s : s) + 128.0f); }

/* U of the element at `index`, whose word is v. */
static double uniform_float32(const struct philox *generator, uint64_t index, uint32_t v)
{
    if (v >= 256)
        return ((double)v + 0.5) * 0x1p-32;
    struct philox tail = *generator;
    tail.stream ^= UINT64_C(1) << 63;
    uint32_t words[64];
    words_float32(&tail, index / 64, 1, (struct ahead){0, 0}, words);
    return ((double)v * 0x1p32 + (double)words[index % 64] + 0.5) * 0x1p-64;
}

/* Writes again the noise of every element from `base` on whose word is below 256: one in 2^24. `base` starts a group. */
static __attribute__((noinline, cold)) void noise_of_tail_float32(const struct philox *generator, uint64_t base, int64_t end, float *noise)
{
    for (int64_t i = 0; i < end; i += 64) {
        uint32_t words[64];
        words_float32(generator, (base + (uint64_t)i) / 64, 1, (struct ahead){0, 0}, words);
        for (int j = 0; j < 64; j++)
            if (words[j] < 256) {
                float u = (float)uniform_float32(generator, base + (uint64_t)(i + j), words[j]);
                noise[i + j] = -log_float32(broadcast_float32(u))[0];
            }
    }
}

INLINE uint32_lanes are_tail_words_float32(uint32_lanes v) { return (uint32_lanes)(v >> 8 == 0); }

/* The noise of one vector of elements from `index` on, tail words included. */
static __attribute__((noinline)) float32_lanes noise_of_few_float32(const struct philox *generator, uint64_t index, uint32_lanes v)
{
    float32_lanes g = noise_of_large_words_float32(v);
    if (__builtin_expect(any_float32((int32_lanes)are_tail_words_float32(v)), 0))
        for (int l = 0; l < LANES_float32; l++)
            if (v[l] < 256)
                g[l] = -log_float32(broadcast_float32((float)uniform_float32(generator, index + (uint64_t)l, v[l])))[0];
    return g;
}

/*
 * The noise of many words, in three loops of short bodies: a vector's noise is a chain of dependent instructions much longer than what a
 * processor looks ahead, so the fewer there are in a body, the more vectors it works on at a time. Each loop is a function of its own,
 * so that its constants and its minimum have the registers for themselves.
 */

/* Words become fractions, in place, and exponents. Returns whether a word is below 256. */
static __attribute__((noinline)) bool survivals_float32(float *at, int64_t count, int32_t *exponents)
{
    uint32_lanes least = ~(uint32_lanes){0};
    IN_PAIRS
    for (int64_t i = 0; i < count; i += LANES_float32) {
        uint32_lanes v = load_words_float32(at + i);
        least = min_words_float32(v, least);
        struct parts_float32 survival = survival_float32(v);
        STORE_VECTOR(exponents + i, survival.exponent);
        STORE_VECTOR(at + i, survival.fraction);
    }
    return any_float32((int32_lanes)are_tail_words_float32(least));
}

/* Fractions become their L, in place. */
static __attribute__((noinline)) void logs_of_survivals_float32(float *at, int64_t count, const int32_t *exponents)
{
    for (int64_t i = 0; i < count; i += LANES_float32) {
        struct parts_float32 survival = {(int32_lanes)load_words_float32(exponents + i), (float32_lanes)load_words_float32(at + i)};
        float32_lanes log_survival = log_of_parts_float32(survival);
        STORE_VECTOR(at + i, log_survival);
    }
}

/* L becomes g, in place. */
static __attribute__((noinline)) void noise_of_logs_float32(float *at, int64_t count)
{
    IN_PAIRS
    for (int64_t i = 0; i < count; i += LANES_float32) {
        float32_lanes g = -log_of_parts_float32(split_negative_float32((float32_lanes)load_words_float32(at + i)));
        STORE_VECTOR(at + i, g);
    }
}

/*
 * Turns the words at places first to end - 1 of a buffer into their noise, in place; place 0 is that of the element `base`, which starts a
 * group. Places that share a vector or a group with them are overwritten too.
 */
static void noise_of_words_float32(const struct philox *generator, uint64_t base, int64_t first, int64_t end, void *buffer)
{
    enum { BLOCK = 512 };
    int32_t exponents[BLOCK] __attribute__((aligned(64)));
    bool tail = false;
    for (int64_t block = first & -(int64_t)LANES_float32; block < end; block += BLOCK) {
        float *at = (float *)buffer + block;
        int64_t count = end - block < BLOCK ? end - block : BLOCK;
        tail |= survivals_float32(at, count, exponents);
        logs_of_survivals_float32(at, count, exponents);
        noise_of_logs_float32(at, count);
    }
    if (__builtin_expect(tail, 0))
        noise_of_tail_float32(generator, base, end, buffer);
}

/* +0 for what is positive and below the smallest normal number. */
INLINE float32_lanes flush_float32(float32_lanes a)
{
    return (float32_lanes)((int32_lanes)a & ~(int32_lanes)(a < SMALLEST_NORMAL_float32));
}

/* Canonical NaN for NaN, +0 for what is below the smallest normal number. */
INLINE float32_lanes clean_float32(float32_lanes a)
{
    float32_lanes magnitude = (float32_lanes)((uint32_lanes)a & 0x7fffffff);
    float32_lanes flushed = (float32_lanes)((int32_lanes)a & ~(int32_lanes)(magnitude < SMALLEST_NORMAL_float32));
    return select_float32((int32_lanes)(a != a), (float32_lanes)(0x7fc00000 + (uint32_lanes){0}), flushed);
}

#endif
