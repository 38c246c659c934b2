/*
 * Lanes of the base tier: 16-byte vectors. On x86-64 this is SSE2, which has no fma; elsewhere the compiler's own vectors, where
 * __builtin_fma is an instruction (AArch64) or a call.
 */
#ifndef GUMBEL4J_LANES_BASE_H
#define GUMBEL4J_LANES_BASE_H

#define VECTOR_BYTES 16
#include "lanes.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

INLINE float32_lanes select_float32(int32_lanes mask, float32_lanes a, float32_lanes b)
{
    return (float32_lanes)(((int32_lanes)a & mask) | ((int32_lanes)b & ~mask));
}

INLINE float64_lanes select_float64(int64_lanes mask, float64_lanes a, float64_lanes b)
{
    return (float64_lanes)(((int64_lanes)a & mask) | ((int64_lanes)b & ~mask));
}

INLINE uint32_lanes min_words_float32(uint32_lanes a, uint32_lanes b)
{
    return (uint32_lanes)select_float32((int32_lanes)(a < b), (float32_lanes)a, (float32_lanes)b);
}

#ifdef __SSE2__

INLINE float32_lanes max_float32(float32_lanes a, float32_lanes b) { return (float32_lanes)_mm_max_ps((__m128)a, (__m128)b); }
INLINE float64_lanes max_float64(float64_lanes a, float64_lanes b) { return (float64_lanes)_mm_max_pd((__m128d)a, (__m128d)b); }
INLINE uint32_t bits_float32(int32_lanes mask) { return (uint32_t)_mm_movemask_ps((__m128)mask); }
INLINE uint32_t bits_float64(int64_lanes mask) { return (uint32_t)_mm_movemask_pd((__m128d)mask); }

#include "masks.h"

INLINE uint64_lanes multiply_low(uint64_lanes a, uint64_lanes b) { return (uint64_lanes)_mm_mul_epu32((__m128i)a, (__m128i)b); }

/* Out of line, or it would be repeated at every fma. */
static __attribute__((noinline, cold)) float32_lanes fma_by_library(float32_lanes a, float32_lanes b, float32_lanes c)
{
    for (int l = 0; l < LANES_float32; l++)
        c[l] = __builtin_fmaf(a[l], b[l], c[l]);
    return c;
}

/*
 * The product of two floats is exact in double (48 bits, exponents -298 to 255), so s is a b + c rounded to 53 bits. Every number
 * halfway between two neighbouring floats, subnormals and the edge of overflow included, is a double, and rounding is monotonic: unless s
 * is itself such a midpoint, a b + c lies on the same side of every midpoint as s does, and narrowing s rounds a b + c correctly.
 * A midpoint of normal floats ends in a one and 28 zeros. Below 2^-126 midpoints look different, so all of that range goes the slow
 * way, except s = 0: a b + c is a multiple of 2^-298, so s is 0 only if the sum is, and double addition gives that zero its sign.
 */
INLINE float32_lanes fma_float32(float32_lanes a, float32_lanes b, float32_lanes c)
{
    __m128 al = (__m128)a, bl = (__m128)b, cl = (__m128)c;
    __m128 ah = _mm_movehl_ps(al, al), bh = _mm_movehl_ps(bl, bl), ch = _mm_movehl_ps(cl, cl);
    __m128d low = _mm_add_pd(_mm_mul_pd(_mm_cvtps_pd(al), _mm_cvtps_pd(bl)), _mm_cvtps_pd(cl));
    __m128d high = _mm_add_pd(_mm_mul_pd(_mm_cvtps_pd(ah), _mm_cvtps_pd(bh)), _mm_cvtps_pd(ch));
    uint32_lanes lower = (uint32_lanes)_mm_shuffle_ps(_mm_castpd_ps(low), _mm_castpd_ps(high), 0x88);
    uint32_lanes upper = (uint32_lanes)_mm_shuffle_ps(_mm_castpd_ps(low), _mm_castpd_ps(high), 0xdd);
    int32_lanes midpoint = (int32_lanes)(lower << 3 == 0x80000000u);
    /* 0 < upper without its sign < the upper word of 2^-126, as one signed comparison */
    int32_lanes tiny = (int32_lanes)((upper << 1) + 0x7fffffffu) < (int32_t)(0x70200000u - 1 - 0x80000000u);
    if (__builtin_expect(any_float32(midpoint | tiny), 0))
        return fma_by_library(a, b, c);
    return (float32_lanes)_mm_movelh_ps(_mm_cvtpd_ps(low), _mm_cvtpd_ps(high));
}

#else

INLINE float32_lanes max_float32(float32_lanes a, float32_lanes b) { return select_float32((int32_lanes)(a > b), a, b); }
INLINE float64_lanes max_float64(float64_lanes a, float64_lanes b) { return select_float64((int64_lanes)(a > b), a, b); }
INLINE uint32_t bits_float32(int32_lanes mask)
{
    return (uint32_t)((mask[0] & 1) | (mask[1] & 2) | (mask[2] & 4) | (mask[3] & 8));
}

INLINE uint32_t bits_float64(int64_lanes mask) { return (uint32_t)((mask[0] & 1) | (mask[1] & 2)); }

#include "masks.h"

INLINE uint64_lanes multiply_low(uint64_lanes a, uint64_lanes b) { return (a & 0xffffffffu) * (b & 0xffffffffu); }

INLINE float32_lanes fma_float32(float32_lanes a, float32_lanes b, float32_lanes c)
{
    for (int l = 0; l < LANES_float32; l++)
        c[l] = __builtin_fmaf(a[l], b[l], c[l]);
    return c;
}

#endif

#include "products.h"

INLINE uint32_lanes place_float32(int lane) { return broadcast_uint32((uint32_t)lane); }
INLINE uint64_lanes place_float64(int lane) { return broadcast_uint64((uint64_t)lane); }

INLINE float32_lanes permute_float32(float32_lanes a, uint32_lanes places)
{
    return (float32_lanes){a[places[0]], a[places[1]], a[places[2]], a[places[3]]};
}

INLINE float64_lanes permute_float64(float64_lanes a, uint64_lanes places) { return (float64_lanes){a[places[0]], a[places[1]]}; }

INLINE float sum_float32(float32_lanes a) { return (a[0] + a[2]) + (a[1] + a[3]); }
INLINE double sum_float64(float64_lanes a) { return a[0] + a[1]; }

INLINE float largest_float32(float32_lanes a)
{
    float even = a[0] > a[2] ? a[0] : a[2], odd = a[1] > a[3] ? a[1] : a[3];
    return even > odd ? even : odd;
}

INLINE double largest_float64(float64_lanes a) { return a[0] > a[1] ? a[0] : a[1]; }

INLINE float64_lanes fma_float64(float64_lanes a, float64_lanes b, float64_lanes c)
{
    for (int l = 0; l < LANES_float64; l++)
        c[l] = __builtin_fma(a[l], b[l], c[l]);
    return c;
}

#include "partial_vectors.h"

#define KEEP_ORDER(a, b) ((void)0)

#endif
