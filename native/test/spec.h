/*
 * NOISE.md written down a second time, one scalar at a time and as plainly as possible: what the library's bits are compared with.
 * Shares no code with src/.
 */
#ifndef GUMBEL4J_TEST_SPEC_H
#define GUMBEL4J_TEST_SPEC_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* ---- 1: words ---- */

static inline void spec_philox(uint32_t c[4], uint32_t k0, uint32_t k1)
{
    for (int round = 0; round < 10; round++) {
        uint64_t p = UINT64_C(0xD2511F53) * c[0], q = UINT64_C(0xCD9E8D57) * c[2];
        uint32_t next[4] = {(uint32_t)(q >> 32) ^ c[1] ^ k0, (uint32_t)q, (uint32_t)(p >> 32) ^ c[3] ^ k1, (uint32_t)p};
        memcpy(c, next, sizeof next);
        k0 += 0x9E3779B9;
        k1 += 0xBB67AE85;
    }
}

static inline uint32_t spec_word(uint64_t seed, uint64_t stream, uint64_t block, int number)
{
    uint32_t c[4] = {(uint32_t)block, (uint32_t)(block >> 32), (uint32_t)stream, (uint32_t)(stream >> 32)};
    spec_philox(c, (uint32_t)seed, (uint32_t)(seed >> 32));
    return c[number];
}

static inline uint32_t spec_word_float32(uint64_t seed, uint64_t stream, uint64_t i)
{
    return spec_word(seed, stream, 16 * (i >> 6) + (i & 15), (int)(i & 63) >> 4);
}

static inline uint64_t spec_word_float64(uint64_t seed, uint64_t stream, uint64_t i)
{
    uint64_t block = 16 * (i >> 5) + (i & 15);
    int number = 2 * ((int)(i & 31) >> 4);
    return spec_word(seed, stream, block, number) | (uint64_t)spec_word(seed, stream, block, number + 1) << 32;
}

/* ---- 2: uniforms ---- */

static inline double spec_m64(uint64_t t) { return (double)(t >> 32) * 0x1p-32 + ((double)(t & 0xffffffff) + 0.5) * 0x1p-64; }

static inline double spec_uniform_float32(uint64_t seed, uint64_t stream, uint64_t i)
{
    uint32_t v = spec_word_float32(seed, stream, i);
    if (v >= 256)
        return ldexp(v + 0.5, -32);
    uint32_t w = spec_word_float32(seed, stream ^ UINT64_C(1) << 63, i);
    return ldexp(ldexp(v, 32) + w + 0.5, -64);
}

static inline double spec_uniform_float64(uint64_t seed, uint64_t stream, uint64_t i)
{
    return spec_m64(spec_word_float64(seed, stream, i));
}

/* ---- 3: float32 ---- */

static inline uint32_t spec_bits_float32(float x)
{
    uint32_t n;
    memcpy(&n, &x, sizeof n);
    return n;
}

static inline float spec_value_float32(uint32_t n)
{
    float x;
    memcpy(&x, &n, sizeof x);
    return x;
}

static inline float spec_P_float32(float f)
{
    float f2 = f * f;
    float a = -0x1.39235ep-4f, b = 0x1.08a428p-3f;
    a = fmaf(a, f2, -0x1.0f35fep-3f);
    a = fmaf(a, f2, -0x1.5425ecp-3f);
    a = fmaf(a, f2, -0x1.000430p-2f);
    a = fmaf(a, f2, -0x1.fffff8p-2f);
    b = fmaf(b, f2, 0x1.226424p-3f);
    b = fmaf(b, f2, 0x1.99a48cp-3f);
    b = fmaf(b, f2, 0x1.555550p-2f);
    return fmaf(f2, fmaf(b, f, a), f);
}

static inline float spec_log_float32(float x)
{
    int32_t n = (int32_t)(spec_bits_float32(x) - 0x3f3504f3), e = n >> 23;
    float f = spec_value_float32((uint32_t)(n & 0x7fffff) + 0x3f3504f3) - 1;
    return fmaf((float)e, 0x1.62e43p-1f, spec_P_float32(f));
}

static inline float spec_m_float32(uint32_t t) { return fmaf((float)t, 0x1p-32f, 0x1p-33f); }

static inline float spec_noise_float32(uint64_t seed, uint64_t stream, uint64_t i)
{
    uint32_t v = spec_word_float32(seed, stream, i);
    float L;
    if (v >= 0x80000000)
        L = spec_log_float32(spec_m_float32(0xffffffff - v));
    else if (v > 0x4afb0ccc)
        L = fmaf(-1, 0x1.62e43p-1f, spec_P_float32(2 * spec_m_float32(0x7fffffff - v)));
    else if (v >= 256)
        L = spec_P_float32(-spec_m_float32(v));
    else
        L = -(float)spec_uniform_float32(seed, stream, i);
    return -spec_log_float32(-L);
}

/* ---- 4: float64 ---- */

static inline uint64_t spec_bits_float64(double x)
{
    uint64_t n;
    memcpy(&n, &x, sizeof n);
    return n;
}

static inline double spec_value_float64(uint64_t n)
{
    double x;
    memcpy(&x, &n, sizeof x);
    return x;
}

static inline double spec_P_float64(double f)
{
    double s = f / (2 + f), t = s * s, u = t * t;
    double a = 0x1.2b5a8aca255fdp-3, b = 0x1.39fe31c77715cp-3;
    a = fma(a, u, 0x1.7462b61242bb4p-3);
    a = fma(a, u, 0x1.2492492df5266p-2);
    a = fma(a, u, 0x1.5555555555558p-1);
    b = fma(b, u, 0x1.c71c62e0922bcp-3);
    b = fma(b, u, 0x1.99999999952bfp-2);
    return fma(-s, fma(-t, fma(b, t, a), f), f);
}

static inline double spec_log_float64(double x)
{
    int64_t n = (int64_t)(spec_bits_float64(x) - 0x3fe6a09e667f3bcd), e = n >> 52;
    double f = spec_value_float64((uint64_t)(n & 0xfffffffffffff) + 0x3fe6a09e667f3bcd) - 1;
    return fma((double)e, 0x1.62e42fefa39efp-1, spec_P_float64(f));
}

static inline double spec_noise_float64(uint64_t seed, uint64_t stream, uint64_t i)
{
    uint64_t v = spec_word_float64(seed, stream, i), h = v >> 32;
    double L;
    if (h >= 0x80000000)
        L = spec_log_float64(spec_m64(UINT64_MAX - v));
    else if (h > 0x4afb0ccc)
        L = fma(-1, 0x1.62e42fefa39efp-1, spec_P_float64(2 * spec_m64(INT64_MAX - v)));
    else
        L = spec_P_float64(-spec_m64(v));
    return -spec_log_float64(-L);
}

/* ---- 5: exponential ---- */

static inline float spec_exp_float32(float x)
{
    float t = fmaf(x, 0x1.715476p0f, 0x1.8p23f), n = t - 0x1.8p23f;
    float r = fmaf(n, -0x1.62e4p-1f, x);
    r = fmaf(n, -0x1.7f7d1cp-20f, r);
    float q = r * r;
    float a = fmaf(fmaf(0x1.6a2436p-10f, q, 0x1.5558f2p-5f), q, 0x1.fffffcp-2f), b = fmaf(0x1.1239e2p-7f, q, 0x1.555492p-3f);
    float y = fmaf(q, fmaf(b, r, a), r) + 1;
    return x < -0x1.5d5894p+6f ? 0 : spec_value_float32(spec_bits_float32(y) + (spec_bits_float32(t) << 23));
}

static inline double spec_exp_float64(double x)
{
    double t = fma(x, 0x1.71547652b82fep0, 0x1.8p52), n = t - 0x1.8p52;
    double r = fma(n, -0x1.62e42fee00000p-1, x);
    r = fma(n, -0x1.a39ef35793c76p-33, r);
    double q = r * r;
    double b = 0x1.af38a9b0ec855p-26, a = 0x1.289185613a3d6p-22;
    b = fma(b, q, 0x1.71de0dae63bb3p-19);
    b = fma(b, q, 0x1.a01a01a7c41d5p-13);
    b = fma(b, q, 0x1.11111111109b3p-7);
    b = fma(b, q, 0x1.5555555555556p-3);
    a = fma(a, q, 0x1.a019b90d2ae7ap-16);
    a = fma(a, q, 0x1.6c16c1788bd90p-10);
    a = fma(a, q, 0x1.5555555553d63p-5);
    a = fma(a, q, 0x1.0000000000001p-1);
    double y = fma(q, fma(b, r, a), r) + 1;
    return x < -0x1.6231eb851eb85p+9 ? 0 : spec_value_float64(spec_bits_float64(y) + (spec_bits_float64(t) << 52));
}

/* ---- 6 and 7: sums and operators, for each type ---- */

#define S(name) name##_float32
#define real float
#define FMA fmaf
#define MIN 0x1p-126f
#define CANONICAL_NAN spec_value_float32(0x7fc00000)
#include "spec_operators.h"

#define S(name) name##_float64
#define real double
#define FMA fma
#define MIN 0x1p-1022
#define CANONICAL_NAN spec_value_float64(0x7ff8000000000000)
#include "spec_operators.h"

#endif
