/* Lanes of the AVX2 tier: 32-byte vectors, with FMA. */
#ifndef GUMBEL4J_LANES_AVX2_H
#define GUMBEL4J_LANES_AVX2_H

#define VECTOR_BYTES 32
#include "lanes.h"

#include <immintrin.h>

INLINE float32_lanes fma_float32(float32_lanes a, float32_lanes b, float32_lanes c)
{
    return (float32_lanes)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
}

INLINE float64_lanes fma_float64(float64_lanes a, float64_lanes b, float64_lanes c)
{
    return (float64_lanes)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
}

INLINE float32_lanes max_float32(float32_lanes a, float32_lanes b) { return (float32_lanes)_mm256_max_ps((__m256)a, (__m256)b); }
INLINE float64_lanes max_float64(float64_lanes a, float64_lanes b) { return (float64_lanes)_mm256_max_pd((__m256d)a, (__m256d)b); }

INLINE uint32_lanes min_words_float32(uint32_lanes a, uint32_lanes b) { return (uint32_lanes)_mm256_min_epu32((__m256i)a, (__m256i)b); }

INLINE float32_lanes select_float32(int32_lanes mask, float32_lanes a, float32_lanes b)
{
    return (float32_lanes)_mm256_blendv_ps((__m256)b, (__m256)a, (__m256)mask);
}

INLINE float64_lanes select_float64(int64_lanes mask, float64_lanes a, float64_lanes b)
{
    return (float64_lanes)_mm256_blendv_pd((__m256d)b, (__m256d)a, (__m256d)mask);
}

INLINE uint32_t bits_float32(int32_lanes mask) { return (uint32_t)_mm256_movemask_ps((__m256)mask); }
INLINE uint32_t bits_float64(int64_lanes mask) { return (uint32_t)_mm256_movemask_pd((__m256d)mask); }

#include "masks.h"

INLINE uint32_lanes place_float32(int lane) { return broadcast_uint32((uint32_t)lane); }
INLINE uint64_lanes place_float64(int lane) { return broadcast_uint64((uint64_t)(2 * lane) | (uint64_t)(2 * lane + 1) << 32); }

INLINE float32_lanes permute_float32(float32_lanes a, uint32_lanes places)
{
    return (float32_lanes)_mm256_permutevar8x32_ps((__m256)a, (__m256i)places);
}

INLINE float64_lanes permute_float64(float64_lanes a, uint64_lanes places)
{
    return (float64_lanes)_mm256_permutevar8x32_ps((__m256)a, (__m256i)places);
}

INLINE float sum_float32(float32_lanes a)
{
    __m128 four = _mm_add_ps(_mm256_castps256_ps128((__m256)a), _mm256_extractf128_ps((__m256)a, 1));
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

INLINE double sum_float64(float64_lanes a)
{
    __m128d two = _mm_add_pd(_mm256_castpd256_pd128((__m256d)a), _mm256_extractf128_pd((__m256d)a, 1));
    return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
}

INLINE float largest_float32(float32_lanes a)
{
    __m128 four = _mm_max_ps(_mm256_castps256_ps128((__m256)a), _mm256_extractf128_ps((__m256)a, 1));
    __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

INLINE double largest_float64(float64_lanes a)
{
    __m128d two = _mm_max_pd(_mm256_castpd256_pd128((__m256d)a), _mm256_extractf128_pd((__m256d)a, 1));
    return _mm_cvtsd_f64(_mm_max_sd(two, _mm_unpackhi_pd(two, two)));
}

INLINE uint64_lanes multiply_low(uint64_lanes a, uint64_lanes b)
{
    return (uint64_lanes)_mm256_mul_epu32((__m256i)a, (__m256i)b);
}

#include "products.h"

/* Without it, compilers work on all vectors of blocks at once until the 16 registers overflow. */
#define KEEP_ORDER(a, b) __asm__("" : "+x"(a), "+x"(b))

/* All ones in the first `count` lanes. Masked loads touch no other lane's memory, so they cannot fault there. */
INLINE int32_lanes first_float32(int64_t count)
{
    return (int32_lanes){0, 1, 2, 3, 4, 5, 6, 7} < (int32_t)(count < 0 ? 0 : count);
}

INLINE int64_lanes first_float64(int64_t count) { return (int64_lanes)((int64_lanes){0, 1, 2, 3} < count); }

INLINE float32_lanes load_float32(const float *p, int64_t count, float fill)
{
    if (count >= LANES_float32)
        return (float32_lanes)_mm256_loadu_ps(p);
    int32_lanes first = first_float32(count);
    return select_float32(first, (float32_lanes)_mm256_maskload_ps(p, (__m256i)first), broadcast_float32(fill));
}

INLINE float64_lanes load_float64(const double *p, int64_t count, double fill)
{
    if (count >= LANES_float64)
        return (float64_lanes)_mm256_loadu_pd(p);
    int64_lanes first = first_float64(count);
    return select_float64(first, (float64_lanes)_mm256_maskload_pd(p, (__m256i)first), broadcast_float64(fill));
}

/* By halves, since a masked store takes AMD's processors twenty cycles. */
INLINE void store_float32(float *p, int64_t count, float32_lanes v)
{
    if (count >= LANES_float32) {
        _mm256_storeu_ps(p, (__m256)v);
        return;
    }
    if (count <= 0)
        return;
    __m128 left = _mm256_castps256_ps128((__m256)v);
    if (count & 4) {
        _mm_storeu_ps(p, left);
        left = _mm256_extractf128_ps((__m256)v, 1);
    }
    if (count & 2) {
        _mm_storel_pi((__m64 *)(p + (count & 4)), left);
        left = _mm_movehl_ps(left, left);
    }
    if (count & 1)
        _mm_store_ss(p + (count & 6), left);
}

INLINE void store_float64(double *p, int64_t count, float64_lanes v)
{
    if (count >= LANES_float64) {
        _mm256_storeu_pd(p, (__m256d)v);
        return;
    }
    if (count <= 0)
        return;
    __m128d left = _mm256_castpd256_pd128((__m256d)v);
    if (count & 2) {
        _mm_storeu_pd(p, left);
        left = _mm256_extractf128_pd((__m256d)v, 1);
    }
    if (count & 1)
        _mm_store_sd(p + (count & 2), left);
}

#endif
