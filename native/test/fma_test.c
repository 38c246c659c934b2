/*
 * The float32 fma of one tier, which the base tier of x86-64 has to compose, against the C library's: where double rounding would show,
 * and elsewhere. Compiled once per tier, with LANES naming its lanes_<tier>.h.
 */
#include LANES

#include "check.h"
#include "spec.h"

enum { N = LANES_float32 };

static uint64_t state = 1;

static uint32_t random_bits(void)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(state >> 32);
}

/* Same number, or both NaN. */
static void compare(const float a[N], const float b[N], const float c[N])
{
    float r[N];
    float32_lanes all = fma_float32(load_float32(a, N, 0), load_float32(b, N, 0), load_float32(c, N, 0));
    store_float32(r, N, all);
    for (int l = 0; l < N; l++) {
        float expected = fmaf(a[l], b[l], c[l]);
        bool both_nan = r[l] != r[l] && expected != expected;
        CHECK(spec_bits_float32(r[l]) == spec_bits_float32(expected) || both_nan, "%a * %a + %a = %a, not %a", (double)a[l], (double)b[l],
              (double)c[l], (double)r[l], (double)expected);
    }
}

/* Two factors whose product is 2^exponent or its negative, but for a few parts in 2^46 to 2^20. */
static void near_power_of_two(int exponent, float *a, float *b)
{
    float above = 1 + (float)(random_bits() % 8) * 0x1p-23f, below = 1 - (float)(random_bits() % 8) * 0x1p-24f;
    *a = ldexpf(random_bits() % 2 ? above : -above, exponent / 2);
    *b = ldexpf(below, exponent - exponent / 2);
}

int main(void)
{
    float a[N], b[N], c[N];
    for (int n = 0; n < 80000 / N; n++) {
        /* any bits: infinities, NaN and subnormals are among them */
        for (int l = 0; l < N; l++) {
            a[l] = spec_value_float32(random_bits());
            b[l] = spec_value_float32(random_bits());
            c[l] = spec_value_float32(random_bits());
        }
        compare(a, b, c);
        /* results in and around the subnormal range */
        for (int l = 0; l < N; l++) {
            a[l] = ldexpf((float)(random_bits() >> 8), -100);
            b[l] = ldexpf((float)(random_bits() >> 8), -24 - 49 - (int)(random_bits() % 30));
            c[l] = spec_value_float32(random_bits() & 0x80ffffff);
        }
        compare(a, b, c);
        /* a product next to half a unit in the last place of c: the sum as a double is a midpoint, and has lost the side */
        for (int l = 0; l < N; l++) {
            int half_unit = (int)(random_bits() % 230) - 127;
            near_power_of_two(half_unit, &a[l], &b[l]);
            c[l] = ldexpf((float)(random_bits() >> 8 | 1u << 23), half_unit + 1);
        }
        compare(a, b, c);
        /* the same where c is subnormal */
        for (int l = 0; l < N; l++) {
            near_power_of_two(-150, &a[l], &b[l]);
            c[l] = spec_value_float32(random_bits() >> (9 + random_bits() % 16));
        }
        compare(a, b, c);
        /* the edge of overflow */
        for (int l = 0; l < N; l++) {
            a[l] = ldexpf((float)(random_bits() % 8 + 0xfffff8), 80);
            b[l] = ldexpf((float)(random_bits() % 8 + 0xfffff8), -32 - 24 + (int)(random_bits() % 3));
            c[l] = ldexpf((float)(random_bits() % 5) - 2, 100 + (int)(random_bits() % 4));
        }
        compare(a, b, c);
    }
    /* exact zeros keep the sign that IEEE gives them */
    compare((float[N]){0, -0.0f, 1, -1}, (float[N]){1, 1, 1, 1}, (float[N]){-0.0f, -0.0f, -1, 1});
    return finish("fma");
}
