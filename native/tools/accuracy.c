/*
 * The functions of src/float32.h and src/float64.h, laid open for accuracy.py, which compiles this file into a library of its own.
 * The float32 ones are measured here, against the C library's double functions, whose error is below 2^-28 of a float32 ulp; the
 * float64 ones are only called, their oracle being mpmath.
 */
#if defined(__AVX2__) && defined(__FMA__)
#include "../src/lanes_avx2.h"
#else
#include "../src/lanes_base.h"
#endif

#include "../src/philox.h"

#include "../src/float32.h"
#include "../src/float64.h"

/* |got - exact| in units of the last place of max(|exact|, least). */
static double ulps(float got, double exact, double least)
{
    int exponent;
    frexp(fmax(fabs(exact), least), &exponent);
    return fabs((double)got - exact) / ldexp(1, exponent - 24);
}

static void keep_largest(double *worst, double error) { *worst = error > *worst ? error : *worst; }

static float32_lanes from_bits(uint32_t first, uint32_t step)
{
    uint32_lanes bits;
    for (int l = 0; l < LANES_float32; l++)
        bits[l] = first + step * (uint32_t)l;
    return (float32_lanes)bits;
}

/* Raises `worst` to the largest error of log over every `step`-th float between two bit patterns. */
static void measure_log_float32(uint32_t low, uint32_t high, uint32_t step, double *worst)
{
    uint64_t stride = (uint64_t)step * LANES_float32;
    for (uint64_t bits = low; bits + stride <= high; bits += stride) {
        float32_lanes x = from_bits((uint32_t)bits, step), y = log_float32(x);
        for (int l = 0; l < LANES_float32; l++)
            if (x[l] != 1)
                keep_largest(worst, ulps(y[l], log((double)x[l]), 0));
    }
}

/* Largest errors of log, exp, E and g, over every `step`-th float and every `step`-th word; of log over every float near 1. */
void measure_float32(uint32_t step, double worst[4])
{
    memset(worst, 0, 4 * sizeof *worst);
    measure_log_float32(0x00800000, 0x7f800000, step, &worst[0]);
    measure_log_float32(0x3f000000, 0x40000000, 1, &worst[0]);
    uint64_t stride = (uint64_t)step * LANES_float32;
    for (uint64_t bits = 0xb2800000; bits + stride <= 0xc2aeac4a; bits += stride) { /* -2^-26 down to the bound of exp */
        float32_lanes x = from_bits((uint32_t)bits, step), y = exp_float32(x);
        for (int l = 0; l < LANES_float32; l++)
            keep_largest(&worst[1], ulps(y[l], exp((double)x[l]), 0));
    }
    for (uint64_t v = 256; v + stride <= UINT64_C(1) << 32; v += stride) {
        uint32_lanes words = (uint32_lanes)from_bits((uint32_t)v, step);
        float32_lanes e = -log_survival_float32(words), g = -log_float32(e);
        for (int l = 0; l < LANES_float32; l++) {
            double exact = words[l] < 0x80000000 ? -log1p(-(words[l] + 0.5) * 0x1p-32) : -log((UINT32_MAX - words[l] + 0.5) * 0x1p-32);
            keep_largest(&worst[2], ulps(e[l], exact, 0));
            keep_largest(&worst[3], ulps(g[l], -log(exact), 0.5));
        }
    }
    for (uint64_t tail = 0; tail < UINT64_C(1) << 40; tail += (UINT64_C(1) << 18) * step + 1) { /* words below 256 */
        double u = ((double)tail + 0.5) * 0x1p-64, exact = -log1p(-u);
        float e = (float)u;
        keep_largest(&worst[2], ulps(e, exact, 0));
        keep_largest(&worst[3], ulps(-log_float32(broadcast_float32(e))[0], -log(exact), 0.5));
    }
}

/* `count` is a multiple of 8. */
void log_all(const double *x, int64_t count, double *out)
{
    for (int64_t i = 0; i < count; i += LANES_float64)
        store_float64(out + i, LANES_float64, log_float64(load_float64(x + i, LANES_float64, 0)));
}

void exp_all(const double *x, int64_t count, double *out)
{
    for (int64_t i = 0; i < count; i += LANES_float64)
        store_float64(out + i, LANES_float64, exp_float64(load_float64(x + i, LANES_float64, 0)));
}

void exponential_all(const uint64_t *words, int64_t count, double *out)
{
    for (int64_t i = 0; i < count; i += LANES_float64)
        store_float64(out + i, LANES_float64, -log_survival_float64(load_uint64(words + i)));
}
