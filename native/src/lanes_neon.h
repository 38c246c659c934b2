/* Lanes of the NEON tier: 16-byte vectors, with fma. */
#ifndef GUMBEL4J_LANES_NEON_H
#define GUMBEL4J_LANES_NEON_H

#define VECTOR_BYTES 16
#include "lanes.h"

#include <arm_neon.h>

INLINE float32_lanes fma_float32(float32_lanes a, float32_lanes b, float32_lanes c)
{
    return (float32_lanes)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
}

INLINE float64_lanes fma_float64(float64_lanes a, float64_lanes b, float64_lanes c)
{
    return (float64_lanes)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b);
}

INLINE float32_lanes select_float32(int32_lanes mask, float32_lanes a, float32_lanes b)
{
    return (float32_lanes)vbslq_f32((uint32x4_t)mask, (float32x4_t)a, (float32x4_t)b);
}

INLINE float64_lanes select_float64(int64_lanes mask, float64_lanes a, float64_lanes b)
{
    return (float64_lanes)vbslq_f64((uint64x2_t)mask, (float64x2_t)a, (float64x2_t)b);
}

/* Not vmaxq, which gives NaN where either is NaN. */
INLINE float32_lanes max_float32(float32_lanes a, float32_lanes b) { return select_float32((int32_lanes)(a > b), a, b); }
INLINE float64_lanes max_float64(float64_lanes a, float64_lanes b) { return select_float64((int64_lanes)(a > b), a, b); }

INLINE uint32_lanes min_words_float32(uint32_lanes a, uint32_lanes b) { return (uint32_lanes)vminq_u32((uint32x4_t)a, (uint32x4_t)b); }

INLINE uint32_t bits_float32(int32_lanes mask)
{
    const uint32x4_t bit_of_lane = {1, 2, 4, 8};
    return vaddvq_u32(vandq_u32((uint32x4_t)mask, bit_of_lane));
}

INLINE uint32_t bits_float64(int64_lanes mask)
{
    const uint64x2_t bit_of_lane = {1, 2};
    return (uint32_t)vaddvq_u64(vandq_u64((uint64x2_t)mask, bit_of_lane));
}

#include "masks.h"

INLINE uint32_lanes place_float32(int lane) { return broadcast_uint32(0x03020100u + 0x04040404u * (uint32_t)lane); }

INLINE uint64_lanes place_float64(int lane)
{
    return broadcast_uint64(UINT64_C(0x0706050403020100) + UINT64_C(0x0808080808080808) * (uint64_t)lane);
}

INLINE float32_lanes permute_float32(float32_lanes a, uint32_lanes places)
{
    return (float32_lanes)vqtbl1q_u8((uint8x16_t)a, (uint8x16_t)places);
}

INLINE float64_lanes permute_float64(float64_lanes a, uint64_lanes places)
{
    return (float64_lanes)vqtbl1q_u8((uint8x16_t)a, (uint8x16_t)places);
}

INLINE float sum_float32(float32_lanes a)
{
    float32x2_t two = vadd_f32(vget_low_f32((float32x4_t)a), vget_high_f32((float32x4_t)a));
    return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
}

INLINE double sum_float64(float64_lanes a) { return a[0] + a[1]; }
INLINE float largest_float32(float32_lanes a) { return vmaxvq_f32((float32x4_t)a); }
INLINE double largest_float64(float64_lanes a) { return vmaxvq_f64((float64x2_t)a); }

INLINE uint64_lanes multiply_low(uint64_lanes a, uint64_lanes b)
{
    return (uint64_lanes)vmull_u32(vmovn_u64((uint64x2_t)a), vmovn_u64((uint64x2_t)b));
}

INLINE struct products products(uint32_lanes a, uint32_lanes b)
{
    return (struct products){(uint64_lanes)vmull_u32(vget_low_u32((uint32x4_t)a), vget_low_u32((uint32x4_t)b)),
                             (uint64_lanes)vmull_high_u32((uint32x4_t)a, (uint32x4_t)b)};
}

#include "partial_vectors.h"

#define KEEP_ORDER(a, b) ((void)0)

#endif
