/*
 * In the place of the compiler's <immintrin.h>: AVX-512 intrinsics in portable C, by SIMDe (Debian: libsimde-dev), so that the AVX-512
 * tier runs on a machine without AVX-512. Below is what the tier uses and SIMDe 0.7 lacks, or rounds otherwise.
 */
#ifndef GUMBEL4J_TEST_EMULATED_IMMINTRIN_H
#define GUMBEL4J_TEST_EMULATED_IMMINTRIN_H

#define SIMDE_ENABLE_NATIVE_ALIASES
#include <math.h>
#include <simde/x86/avx512.h>
#include <simde/x86/fma.h>

/* SIMDe rounds twice where the machine has no fma. */
#undef _mm512_fmadd_ps
static inline __m512 _mm512_fmadd_ps(__m512 a, __m512 b, __m512 c)
{
    for (int l = 0; l < 16; l++)
        c[l] = __builtin_fmaf(a[l], b[l], c[l]);
    return c;
}

#undef _mm512_fmadd_pd
static inline __m512d _mm512_fmadd_pd(__m512d a, __m512d b, __m512d c)
{
    for (int l = 0; l < 8; l++)
        c[l] = __builtin_fma(a[l], b[l], c[l]);
    return c;
}

#ifndef _mm512_mask_loadu_ps
static inline __m512 _mm512_mask_loadu_ps(__m512 fill, simde__mmask16 mask, const void *p)
{
    for (int l = 0; l < 16; l++)
        if (mask >> l & 1)
            fill[l] = ((const float *)p)[l];
    return fill;
}
#endif

#ifndef _mm512_mask_loadu_pd
static inline __m512d _mm512_mask_loadu_pd(__m512d fill, simde__mmask8 mask, const void *p)
{
    for (int l = 0; l < 8; l++)
        if (mask >> l & 1)
            fill[l] = ((const double *)p)[l];
    return fill;
}
#endif

#ifndef _mm512_mask_storeu_ps
static inline void _mm512_mask_storeu_ps(void *p, simde__mmask16 mask, __m512 v)
{
    for (int l = 0; l < 16; l++)
        if (mask >> l & 1)
            ((float *)p)[l] = v[l];
}
#endif

#ifndef _mm512_mask_storeu_pd
static inline void _mm512_mask_storeu_pd(void *p, simde__mmask8 mask, __m512d v)
{
    for (int l = 0; l < 8; l++)
        if (mask >> l & 1)
            ((double *)p)[l] = v[l];
}
#endif

/* Values of halves: 11 bits, the lowest worth 2^-24 where the exponent is least. */
#undef _mm512_cvtph_ps
static inline __m512 _mm512_cvtph_ps(__m256i halves)
{
    __m512 values;
    uint16_t each[16];
    memcpy(each, &halves, sizeof each);
    for (int l = 0; l < 16; l++) {
        uint16_t half = each[l];
        int exponent = half >> 10 & 31, fraction = half & 1023;
        float value = exponent == 0 ? ldexpf((float)fraction, -24) : ldexpf((float)(fraction + 1024), exponent - 25);
        if (exponent == 31)
            value = fraction == 0 ? INFINITY : NAN;
        values[l] = half >> 15 ? -value : value;
    }
    return values;
}

/* Whole numbers of the last place, to nearest, ties to even: a carry into the next exponent is right as it is. */
#undef _mm512_cvtps_ph
static inline __m256i _mm512_cvtps_ph(__m512 values, int rounding)
{
    __m256i halves;
    uint16_t each[16];
    (void)rounding;
    for (int l = 0; l < 16; l++) {
        float value = fabsf(values[l]);
        uint16_t half = 0x7e00;
        if (value >= 65520.0f) {
            half = 0x7c00;
        } else if (value == value) {
            int exponent = value < 0x1p-14f ? -14 : ilogbf(value);
            half = (uint16_t)(((exponent + 14) << 10) + (int)rintf(ldexpf(value, 10 - exponent)));
        }
        each[l] = (uint16_t)(half | (signbit(values[l]) ? 0x8000 : 0));
    }
    memcpy(&halves, each, sizeof halves);
    return halves;
}

#endif
