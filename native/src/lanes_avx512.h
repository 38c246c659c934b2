/* Lanes of the AVX-512 tier: 64-byte vectors. Needs F, DQ, BW and VL. */
#ifndef GUMBEL4J_LANES_AVX512_H
#define GUMBEL4J_LANES_AVX512_H

#define VECTOR_BYTES 64
#include "lanes.h"

#include <immintrin.h>

INLINE float32_lanes fma_float32(float32_lanes a, float32_lanes b, float32_lanes c)
{
    return (float32_lanes)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
}

INLINE float64_lanes fma_float64(float64_lanes a, float64_lanes b, float64_lanes c)
{
    return (float64_lanes)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
}

INLINE float32_lanes max_float32(float32_lanes a, float32_lanes b) { return (float32_lanes)_mm512_max_ps((__m512)a, (__m512)b); }
INLINE float64_lanes max_float64(float64_lanes a, float64_lanes b) { return (float64_lanes)_mm512_max_pd((__m512d)a, (__m512d)b); }

INLINE uint32_lanes min_words_float32(uint32_lanes a, uint32_lanes b) { return (uint32_lanes)_mm512_min_epu32((__m512i)a, (__m512i)b); }

INLINE uint32_t bits_float32(int32_lanes mask) { return _mm512_movepi32_mask((__m512i)mask); }
INLINE uint32_t bits_float64(int64_lanes mask) { return _mm512_movepi64_mask((__m512i)mask); }

#include "masks.h"

INLINE float32_lanes select_float32(int32_lanes mask, float32_lanes a, float32_lanes b)
{
    return (float32_lanes)_mm512_mask_blend_ps((uint16_t)bits_float32(mask), (__m512)b, (__m512)a);
}

INLINE float64_lanes select_float64(int64_lanes mask, float64_lanes a, float64_lanes b)
{
    return (float64_lanes)_mm512_mask_blend_pd((uint8_t)bits_float64(mask), (__m512d)b, (__m512d)a);
}

INLINE uint32_lanes place_float32(int lane) { return broadcast_uint32((uint32_t)lane); }
INLINE uint64_lanes place_float64(int lane) { return broadcast_uint64((uint64_t)lane); }

INLINE float32_lanes permute_float32(float32_lanes a, uint32_lanes places)
{
    return (float32_lanes)_mm512_permutexvar_ps((__m512i)places, (__m512)a);
}

INLINE float64_lanes permute_float64(float64_lanes a, uint64_lanes places)
{
    return (float64_lanes)_mm512_permutexvar_pd((__m512i)places, (__m512d)a);
}

INLINE __m256 upper_half_float32(float32_lanes a) { return _mm256_castpd_ps(_mm512_extractf64x4_pd((__m512d)a, 1)); }
INLINE __m256d upper_half_float64(float64_lanes a) { return _mm512_extractf64x4_pd((__m512d)a, 1); }

INLINE float sum_float32(float32_lanes a)
{
    __m256 eight = _mm256_add_ps(_mm512_castps512_ps256((__m512)a), upper_half_float32(a));
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

INLINE double sum_float64(float64_lanes a)
{
    __m256d four = _mm256_add_pd(_mm512_castpd512_pd256((__m512d)a), upper_half_float64(a));
    __m128d two = _mm_add_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));
    return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
}

INLINE float largest_float32(float32_lanes a)
{
    __m256 eight = _mm256_max_ps(_mm512_castps512_ps256((__m512)a), upper_half_float32(a));
    __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

INLINE double largest_float64(float64_lanes a)
{
    __m256d four = _mm256_max_pd(_mm512_castpd512_pd256((__m512d)a), upper_half_float64(a));
    __m128d two = _mm_max_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));
    return _mm_cvtsd_f64(_mm_max_sd(two, _mm_unpackhi_pd(two, two)));
}

INLINE uint64_lanes multiply_low(uint64_lanes a, uint64_lanes b)
{
    return (uint64_lanes)_mm512_mul_epu32((__m512i)a, (__m512i)b);
}

#include "products.h"

/* One bit for each of the first `count` < 16 lanes. Masked loads and stores touch no other lane's memory, so they cannot fault there. */
INLINE uint16_t first_lanes(int64_t count) { return (uint16_t)(count < 0 ? 0 : (1u << count) - 1); }

INLINE float32_lanes load_float32(const float *p, int64_t count, float fill)
{
    if (count >= LANES_float32)
        return (float32_lanes)_mm512_loadu_ps(p);
    return (float32_lanes)_mm512_mask_loadu_ps((__m512)broadcast_float32(fill), first_lanes(count), p);
}

INLINE float64_lanes load_float64(const double *p, int64_t count, double fill)
{
    if (count >= LANES_float64)
        return (float64_lanes)_mm512_loadu_pd(p);
    return (float64_lanes)_mm512_mask_loadu_pd((__m512d)broadcast_float64(fill), (uint8_t)first_lanes(count), p);
}

INLINE void store_float32(float *p, int64_t count, float32_lanes v)
{
    if (count >= LANES_float32)
        _mm512_storeu_ps(p, (__m512)v);
    else
        _mm512_mask_storeu_ps(p, first_lanes(count), (__m512)v);
}

INLINE void store_float64(double *p, int64_t count, float64_lanes v)
{
    if (count >= LANES_float64)
        _mm512_storeu_pd(p, (__m512d)v);
    else
        _mm512_mask_storeu_pd(p, (uint8_t)first_lanes(count), (__m512d)v);
}

#define KEEP_ORDER(a, b) ((void)0)

#endif
