/* NOISE.md, section 8, as plainly as possible: float16 and bfloat16, held as their 16 bits, to and from float32. Shares no code with src/. */
#ifndef GUMBEL4J_TEST_SPEC_HALF_H
#define GUMBEL4J_TEST_SPEC_HALF_H

#include "spec.h"

static inline float spec_of_float16(uint16_t n)
{
    int exponent = n >> 10 & 31, fraction = n & 1023;
    double magnitude = exponent == 31 ? (fraction != 0 ? NAN : INFINITY)
                       : exponent > 0 ? ldexp(1024 + fraction, exponent - 25)
                                      : ldexp(fraction, -24);
    return (float)(n >> 15 ? -magnitude : magnitude);
}

static inline float spec_of_bfloat16(uint16_t n) { return spec_value_float32((uint32_t)n << 16); }

/* x rounded to `precision` bits, or fewer below 2^smallest; from 2^above on infinite. */
static inline double spec_rounded(float x, int precision, int smallest, int above)
{
    int exponent;
    frexp(x, &exponent); /* |x| is in [2^(exponent - 1), 2^exponent) */
    int unit = (exponent > smallest ? exponent : smallest + 1) - precision;
    double rounded = isfinite(x) ? ldexp(rint(ldexp(x, -unit)), unit) : x;
    return fabs(rounded) >= ldexp(1, above) ? copysign(INFINITY, x) : copysign(rounded, x);
}

static inline uint16_t spec_to_float16(float x)
{
    if (x != x)
        return 0x7e00;
    double rounded = spec_rounded(x, 11, -14, 16), magnitude = fabs(rounded);
    uint16_t sign = signbit(rounded) ? 0x8000 : 0;
    if (magnitude < 0x1p-14)
        return (uint16_t)(sign | (int)ldexp(magnitude, 24));
    if (isinf(rounded))
        return sign | 0x7c00;
    int exponent;
    double fraction = frexp(magnitude, &exponent); /* in [1/2, 1) */
    return (uint16_t)(sign | (exponent + 14) << 10 | ((int)ldexp(fraction, 11) - 1024));
}

static inline uint16_t spec_to_bfloat16(float x)
{
    return x != x ? 0x7fc0 : (uint16_t)(spec_bits_float32((float)spec_rounded(x, 8, -126, 128)) >> 16);
}

#endif
