/* float16 to and from float32 by F16C. */
#ifndef GUMBEL4J_FLOAT16_AVX2_H
#define GUMBEL4J_FLOAT16_AVX2_H

#include "halves.h"

INLINE float32_lanes widen_float16(uint16_halves x) { return (float32_lanes)_mm256_cvtph_ps((__m128i)x); }

INLINE uint16_halves narrow_float16(float32_lanes x)
{
    return (uint16_halves)_mm256_cvtps_ph((__m256)x, _MM_FROUND_TO_NEAREST_INT);
}

#endif
