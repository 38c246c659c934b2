/*
 * float64: logarithm, exponential and Gumbel noise in lanes (NOISE.md, sections 2, 4 and 5).
 * Coefficients: native/tools/polynomials.py. Include after philox.h.
 */
#ifndef GUMBEL4J_FLOAT64_H
#define GUMBEL4J_FLOAT64_H

#define SMALLEST_NORMAL_float64 0x1p-1022

/* log(1 + f) for sqrt(1/2) - 1 <= f <= sqrt(2) - 1. */
INLINE float64_lanes log1p_float64(float64_lanes f)
{
    float64_lanes s = f / (2.0 + f), t = s * s, u = t * t;
    float64_lanes even = fma_float64(broadcast_float64(0x1.2b5a8aca255fdp-3), u, broadcast_float64(0x1.7462b61242bb4p-3));
    float64_lanes odd = fma_float64(broadcast_float64(0x1.39fe31c77715cp-3), u, broadcast_float64(0x1.c71c62e0922bcp-3));
    even = fma_float64(even, u, broadcast_float64(0x1.2492492df5266p-2));
    odd = fma_float64(odd, u, broadcast_float64(0x1.99999999952bfp-2));
    even = fma_float64(even, u, broadcast_float64(0x1.5555555555558p-1));
    return fma_float64(-s, fma_float64(-t, fma_float64(odd, t, even), f), f);
}

/* Integers below 2^52, exactly: as the low bits of 2^52 + n. (No instruction converts 64-bit integers before AVX-512.) */
#define MAGIC_float64 UINT64_C(0x4330000000000000)

/* A positive number, 2^exponent (1 + fraction) with 1 + fraction between sqrt(1/2) and sqrt(2). */
struct parts_float64 {
    float64_lanes exponent, fraction;
};

/* A bias of 2048 in the exponent makes it positive, which spares the arithmetic shift that AVX2 lacks; it turns the mantissa's sign. */
#define BIAS_float64 (UINT64_C(2048) << 52)

/* From 2^52 (exponent + 2048). */
INLINE float64_lanes exponent_float64(uint64_lanes n) { return (float64_lanes)((n >> 52) | MAGIC_float64) - (0x1p52 + 2048); }

INLINE struct parts_float64 split_float64(float64_lanes x)
{
    const uint64_t root_half = UINT64_C(0x3fe6a09e667f3bcd); /* bits of sqrt(1/2) */
    uint64_lanes n = (uint64_lanes)x - (root_half - BIAS_float64);
    float64_lanes minus_mantissa = (float64_lanes)((uint64_lanes)x - (n & UINT64_C(0xfff0000000000000)));
    return (struct parts_float64){exponent_float64(n), -1.0 - minus_mantissa};
}

/* The parts of -x. */
INLINE struct parts_float64 split_negative_float64(float64_lanes x)
{
    const uint64_t minus_root_half = UINT64_C(0xbfe6a09e667f3bcd);
    uint64_lanes n = (uint64_lanes)x - (minus_root_half - BIAS_float64);
    float64_lanes mantissa = (float64_lanes)((uint64_lanes)x - (n & UINT64_C(0xfff0000000000000)));
    return (struct parts_float64){exponent_float64(n), mantissa - 1.0};
}

INLINE float64_lanes log_of_parts_float64(struct parts_float64 x)
{
    return fma_float64(x.exponent, broadcast_float64(0x1.62e42fefa39efp-1), log1p_float64(x.fraction)); /* ln2 */
}

/* Finite for every bit pattern; the logarithm where x is positive and normal. */
INLINE float64_lanes log_float64(float64_lanes x) { return log_of_parts_float64(split_float64(x)); }

/* exp(x) = scale * exp(rest), with |rest| <= ln2 / 2; the scale is 0 where the exponential lies below the smallest normal number. */
struct exp_parts_float64 {
    float64_lanes rest, scale;
};

/* The parts for x <= 0. */
INLINE struct exp_parts_float64 exp_parts_float64(float64_lanes x)
{
    const float64_lanes shift = broadcast_float64(0x1.8p52), gone = broadcast_float64(-709.0); /* n = -1023: the scale's bits are all 0 */
    const uint64_t one = UINT64_C(0x3ff0000000000000);                                          /* bits of 1 */
    x = select_float64((int64_lanes)(x < -0x1.6231eb851eb85p+9), gone, x);
    float64_lanes t = fma_float64(x, broadcast_float64(0x1.71547652b82fep0), shift), n = t - shift;
    float64_lanes r = fma_float64(n, broadcast_float64(-0x1.62e42fee00000p-1), x);
    r = fma_float64(n, broadcast_float64(-0x1.a39ef35793c76p-33), r);
    return (struct exp_parts_float64){r, (float64_lanes)(((uint64_lanes)t << 52) + one)};
}

INLINE float64_lanes exp_of_parts_float64(struct exp_parts_float64 x)
{
    float64_lanes r = x.rest, q = r * r;
    float64_lanes odd = fma_float64(broadcast_float64(0x1.af38a9b0ec855p-26), q, broadcast_float64(0x1.71de0dae63bb3p-19));
    float64_lanes even = fma_float64(broadcast_float64(0x1.289185613a3d6p-22), q, broadcast_float64(0x1.a019b90d2ae7ap-16));
    odd = fma_float64(odd, q, broadcast_float64(0x1.a01a01a7c41d5p-13));
    even = fma_float64(even, q, broadcast_float64(0x1.6c16c1788bd90p-10));
    odd = fma_float64(odd, q, broadcast_float64(0x1.11111111109b3p-7));
    even = fma_float64(even, q, broadcast_float64(0x1.5555555553d63p-5));
    odd = fma_float64(odd, q, broadcast_float64(0x1.5555555555556p-3));
    even = fma_float64(even, q, broadcast_float64(0x1.0000000000001p-1));
    return (fma_float64(q, fma_float64(odd, r, even), r) + 1.0) * x.scale; /* a power of two: exact */
}

INLINE float64_lanes exp_float64(float64_lanes x) { return exp_of_parts_float64(exp_parts_float64(x)); }

/* (t + 1/2) / 2^64, rounded once: both halves are exact, as the last bits of a number whose last place counts what they count. */
INLINE float64_lanes midpoint_float64(uint64_lanes t)
{
    const uint64_t bits_high = UINT64_C(0x4130000000000000), bits_low = UINT64_C(0x3f30000000000000); /* of 2^20 and 2^-12 */
    float64_lanes high = (float64_lanes)((t >> 32) | bits_high) - 0x1p20;
    float64_lanes low = (float64_lanes)((t & 0xffffffffu) | bits_low) - (0x1p-12 - 0x1p-65);
    return high + low;
}

/* The parts of 1 - U, whose logarithm is L, as survival_float32. */
INLINE struct parts_float64 survival_float64(uint64_lanes v)
{
    int64_lanes upper = (int64_lanes)((int64_lanes)v < 0);                            /* U >= 1/2 */
    int64_lanes middle = (int64_lanes)((int64_lanes)v > INT64_C(0x4afb0cccffffffff)); /* 1 - sqrt(1/2) < U < 1/2 */
    uint64_lanes t = v ^ (uint64_lanes)(upper | (middle & INT64_MAX));
    float64_lanes m = midpoint_float64(t);
    struct parts_float64 of_m = split_float64(m);
    float64_lanes near = m * select_float64(middle, broadcast_float64(2.0), broadcast_float64(-1.0));
    float64_lanes of_near = (float64_lanes)((uint64_lanes)broadcast_float64(-1.0) & (uint64_lanes)middle);
    return (struct parts_float64){select_float64(upper, of_m.exponent, of_near), select_float64(upper, of_m.fraction, near)};
}

INLINE float64_lanes log_survival_float64(uint64_lanes v) { return log_of_parts_float64(survival_float64(v)); }

/*
 * As ceiling_float32, from the upper half h of the word: U >= h / 2^32, and the upper half of the bits of a double u is at most 2^20 times a
 * chord of log2(u) + 1023 from below. With u = h:  x + g <= x + (32 + 1023) ln2 - (bits(u) >> 32) ln2 / 2^20.
 */
INLINE float64_lanes ceiling_float64(float64_lanes x, uint64_lanes v)
{
    float64_lanes u = (float64_lanes)((v >> 32) | MAGIC_float64) - 0x1p52;
    float64_lanes bits = (float64_lanes)(((uint64_lanes)u >> 32) | MAGIC_float64) - 0x1p52;
    return fma_float64(bits, broadcast_float64(-0x1.62e42fefa39efp-21), x + 0x1.6da2986324d30p9);
}

/* As much of the lesser of each two words as ceiling_float64 looks at, the upper half. */
INLINE uint64_lanes min_words_float64(uint64_lanes a, uint64_lanes b)
{
    return (uint64_lanes)min_words_float32((uint32_lanes)a, (uint32_lanes)b);
}

/*
 * As ceiling_slack_float32. Errors in units of 2^-53: s 1/2 |s|; g 2.3 * 64; ln2 / 2^20: 1/2 * 732; x + 731: 1/2 (|x| + 732);
 * the fma: 1/2 |ceiling|; the constant 731: 512. Below 1.5 |s| + 1900 < 16 (|s| + 128); 2^-48 is 32 of these units.
 */
INLINE double ceiling_slack_float64(double s) { return 0x1p-48 * ((s < 0 ? -s : s) + 128.0); }

/* U of the element at `index`, whose word is v. */
static double uniform_float64(const struct philox *generator, uint64_t index, uint64_t v)
{
    (void)generator; /* a 64-bit word needs no tail */
    (void)index;
    return midpoint_float64(broadcast_uint64(v))[0];
}

/* None: 64 bits are enough. */
INLINE uint64_lanes are_tail_words_float64(uint64_lanes v)
{
    (void)v;
    return (uint64_lanes){0};
}

/* g of any words. */
INLINE float64_lanes noise_of_large_words_float64(uint64_lanes v)
{
    return -log_of_parts_float64(split_negative_float64(log_survival_float64(v)));
}

/* The noise of one vector of elements; no word needs a tail. */
static __attribute__((noinline)) float64_lanes noise_of_few_float64(const struct philox *generator, uint64_t index, uint64_lanes v)
{
    (void)generator;
    (void)index;
    return noise_of_large_words_float64(v);
}

/* As noise_of_words_float32; no word needs a tail. */
static void noise_of_words_float64(const struct philox *generator, uint64_t base, int64_t first, int64_t end, void *buffer)
{
    (void)generator;
    (void)base;
    enum { BLOCK = 128 };
    double exponents[BLOCK] __attribute__((aligned(64)));
    for (int64_t block = first & -(int64_t)LANES_float64; block < end; block += BLOCK) {
        double *at = (double *)buffer + block;
        int64_t count = end - block < BLOCK ? end - block : BLOCK;
        IN_PAIRS
        for (int64_t i = 0; i < count; i += LANES_float64) {
            struct parts_float64 survival = survival_float64(load_words_float64(at + i));
            STORE_VECTOR(exponents + i, survival.exponent);
            STORE_VECTOR(at + i, survival.fraction);
        }
        for (int64_t i = 0; i < count; i += LANES_float64) {
            struct parts_float64 survival = {(float64_lanes)load_words_float64(exponents + i), (float64_lanes)load_words_float64(at + i)};
            float64_lanes log_survival = log_of_parts_float64(survival);
            STORE_VECTOR(at + i, log_survival);
        }
        IN_PAIRS
        for (int64_t i = 0; i < count; i += LANES_float64) {
            float64_lanes g = -log_of_parts_float64(split_negative_float64((float64_lanes)load_words_float64(at + i)));
            STORE_VECTOR(at + i, g);
        }
    }
}

/* +0 for what is positive and below the smallest normal number. */
INLINE float64_lanes flush_float64(float64_lanes a)
{
    return (float64_lanes)((int64_lanes)a & ~(int64_lanes)(a < SMALLEST_NORMAL_float64));
}

/* Canonical NaN for NaN, +0 for what is below the smallest normal number. */
INLINE float64_lanes clean_float64(float64_lanes a)
{
    float64_lanes magnitude = (float64_lanes)((uint64_lanes)a & INT64_MAX);
    float64_lanes flushed = (float64_lanes)((int64_lanes)a & ~(int64_lanes)(magnitude < SMALLEST_NORMAL_float64));
    return select_float64((int64_lanes)(a != a), (float64_lanes)broadcast_uint64(UINT64_C(0x7ff8000000000000)), flushed);
}

#endif
