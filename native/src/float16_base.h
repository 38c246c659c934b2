/* float16 to and from float32 by integer arithmetic. */
#ifndef GUMBEL4J_FLOAT16_BASE_H
#define GUMBEL4J_FLOAT16_BASE_H

#include "halves.h"

INLINE float32_lanes widen_float16(uint16_halves x)
{
    uint32_lanes bits = __builtin_convertvector(x, uint32_lanes), magnitude = (bits & 0x7fff) << 13;
    /* a subnormal half is a whole number of 2^-24: as the fraction of a float from 2^-14 on, it counts the same units */
    uint32_lanes subnormal = (uint32_lanes)((float32_lanes)(magnitude + 0x38800000) - 0x1p-14f);
    uint32_lanes normal = magnitude + 0x38000000; /* exponent bias 15 to 127 */
    uint32_lanes is_subnormal = (uint32_lanes)(magnitude < 0x00800000), is_nan = (uint32_lanes)(magnitude > 0x0f800000);
    uint32_lanes is_special = (uint32_lanes)(magnitude >= 0x0f800000);
    uint32_lanes result = (subnormal & is_subnormal) | (normal & ~is_subnormal);
    return (float32_lanes)(result | (is_special & 0x7f800000) | (is_nan & 0x00400000) | (bits & 0x8000) << 16);
}

INLINE uint16_halves narrow_float16(float32_lanes x)
{
    uint32_lanes bits = (uint32_lanes)x, magnitude = bits & 0x7fffffff;
    uint32_lanes normal = (magnitude - 0x38000000 + 0x0fff + (magnitude >> 13 & 1)) >> 13;
    /* the last place of a float from 1/2 on is 2^-24, the unit of subnormal halves: the addition rounds to it */
    uint32_lanes subnormal = (uint32_lanes)((float32_lanes)magnitude + 0.5f) - 0x3f000000;
    uint32_lanes is_subnormal = (uint32_lanes)(magnitude < 0x38800000), is_large = (uint32_lanes)(magnitude >= 0x477ff000);
    uint32_lanes is_nan = (uint32_lanes)(magnitude > 0x7f800000);
    uint32_lanes result = (subnormal & is_subnormal) | (normal & ~is_subnormal);
    result = (result & ~is_large) | (is_large & 0x7c00);
    result |= (bits >> 16 & 0x8000) | (is_nan & 0x7e00);
    return __builtin_convertvector(result, uint16_halves);
}

#endif
