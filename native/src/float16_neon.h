/* float16 to and from float32 by the conversions that every AArch64 has. */
#ifndef GUMBEL4J_FLOAT16_NEON_H
#define GUMBEL4J_FLOAT16_NEON_H

#include "halves.h"

INLINE float32_lanes widen_float16(uint16_halves x) { return (float32_lanes)vcvt_f32_f16((float16x4_t)x); }

INLINE uint16_halves narrow_float16(float32_lanes x) { return (uint16_halves)vcvt_f16_f32((float32x4_t)x); }

#endif
