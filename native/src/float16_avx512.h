/* float16 to and from float32 by AVX-512F. */
#ifndef GUMBEL4J_FLOAT16_AVX512_H
#define GUMBEL4J_FLOAT16_AVX512_H

#include "halves.h"

INLINE float32_lanes widen_float16(uint16_halves x) { return (float32_lanes)_mm512_cvtph_ps((__m256i)x); }

INLINE uint16_halves narrow_float16(float32_lanes x)
{
    return (uint16_halves)_mm512_cvtps_ph((__m512)x, _MM_FROUND_TO_NEAREST_INT);
}

#endif
