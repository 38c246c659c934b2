/*
 * float16 and bfloat16 (NOISE.md, section 8): every bit pattern as an input, every kind of rounding, and the worked example. A backward
 * pass leads there: of the sample 1, 1, 1 and the upstream gradient a, b, 0 the last column has the gradient -(a + b) / tau.
 */
#define _POSIX_C_SOURCE 200809L /* strdup */
#include "calls.h"
#include "check.h"
#include "golden.h"
#include "typed.h"

enum { PATTERNS = 1 << 16 };

static const int32_t half_types[] = {GUMBEL4J_FLOAT16, GUMBEL4J_BFLOAT16};

/* The rewriting itself: patterns come back, but for NaN. */
static void patterns_round_trip(void)
{
    for (int n = 0; n < PATTERNS; n++) {
        uint16_t pattern = (uint16_t)n;
        float wide16 = spec_of_float16(pattern), widebf = spec_of_bfloat16(pattern);
        CHECK(spec_to_float16(wide16) == (wide16 != wide16 ? 0x7e00 : pattern), "float16 %04x", n);
        CHECK(spec_to_bfloat16(widebf) == (widebf != widebf ? 0x7fc0 : pattern), "bfloat16 %04x", n);
    }
}

/* A row of three columns for each pattern: as a sample, and as an upstream gradient whose negative is a result. */
static void patterns_as_inputs(int32_t type)
{
    enum { CLASSES = 3 };
    struct shape shape = matrix(type, PATTERNS, CLASSES);
    uint16_t *sample = make(type, PATTERNS * CLASSES), *upstream = make(type, PATTERNS * CLASSES), *dlogits = make(type, PATTERNS * CLASSES);
    float *dtau = make(GUMBEL4J_FLOAT32, PATTERNS), *expected_dtau = make(GUMBEL4J_FLOAT64, 1); /* room for either type */
    void *expected = make(type, CLASSES);
    for (int role = 0; role < 2; role++) {
        for (int64_t n = 0; n < PATTERNS; n++)
            for (int c = 0; c < CLASSES; c++) {
                put(type, sample, n * CLASSES + c, 1);
                put(type, upstream, n * CLASSES + c, role);
                (role ? sample : upstream)[n * CLASSES] = (uint16_t)n;
            }
        int64_t done = call_vjp(shape, packed(shape, sample), packed(shape, upstream), all_rows(0x1p-10), packed(shape, dlogits),
                                packed_rows(shape, dtau));
        CHECK(done == PATTERNS, "vjp");
        for (int64_t n = 0; n < PATTERNS; n++) {
            typed_vjp(type, sample + n * CLASSES, upstream + n * CLASSES, CLASSES, 0x1p-10, expected, expected_dtau);
            CHECK(same(type, dlogits + n * CLASSES, expected, CLASSES) && same(GUMBEL4J_FLOAT32, dtau + n, expected_dtau, 1),
                  "%s %04x as %s", name_of(type), (unsigned)n, role ? "sample" : "upstream");
        }
    }
    free(sample);
    free(upstream);
    free(dlogits);
    free(dtau);
    free(expected);
    free(expected_dtau);
}

/* Every pattern as a logit: a row of it and zeros, where only what is no number or infinite is refused. */
static void patterns_as_logits(int32_t type)
{
    enum { CLASSES = 4 };
    struct shape row = matrix(type, 1, CLASSES);
    uint16_t *x = make(type, CLASSES), *y = make(type, CLASSES), *expected = make(type, CLASSES);
    for (int n = 0; n < PATTERNS; n++) {
        x[1] = (uint16_t)n;
        float value = of_half(type, x[1]);
        int32_t column = -1;
        struct draw draw = {5, 1, (uint64_t)n * CLASSES};
        bool sound = !(value != value || value == INFINITY);
        bool returned = call_categorical(row, packed(row, x), draw, packed_rows(row, &column)) == sound
                        && call_soft(row, packed(row, x), all_rows(2), draw, packed(row, y)) == sound;
        typed_soft(type, x, CLASSES, 2, 5, 1, (uint64_t)n * CLASSES, expected);
        bool equal = !sound
                     || (column == typed_argmax(type, x, CLASSES, 5, 1, (uint64_t)n * CLASSES) && same(type, y, expected, CLASSES));
        CHECK(returned && equal, "%s %04x", name_of(type), n);
    }
    free(x);
    free(y);
    free(expected);
}

/* x as the result of a backward pass: its 24 bits in three halves, 8 or fewer bits each, whose sum is divided by a power of two. */
struct rounding {
    uint16_t upstream[4];
    float tau;
};

static struct rounding leading_to(int32_t type, float x)
{
    int exponent;
    int32_t significand = (int32_t)ldexp(frexp(x, &exponent), 24); /* x = significand 2^(exponent - 24) */
    int scale = (exponent - 24) / 2;                                /* so that neither factor leaves float32 */
    if (type == GUMBEL4J_FLOAT16)
        scale = -16;
    struct rounding r = {.tau = (float)ldexp(1, scale - (exponent - 24))};
    int32_t low = significand % 256, middle = significand / 256 % 256, high = significand / 65536;
    r.upstream[0] = to_half(type, (float)ldexp(-high * 65536.0, scale));
    r.upstream[1] = to_half(type, (float)ldexp(-middle * 256.0, scale));
    r.upstream[2] = to_half(type, (float)ldexp(-low, scale));
    return r;
}

/* float32 values rounded by the library, against the rewriting. */
static void round_all(int32_t type, const float *x, int64_t count)
{
    enum { CLASSES = 4 };
    struct shape shape = matrix(type, count, CLASSES);
    uint16_t *sample = make(type, count * CLASSES), *upstream = make(type, count * CLASSES), *dlogits = make(type, count * CLASSES);
    float *tau = make(GUMBEL4J_FLOAT32, count);
    for (int64_t n = 0; n < count; n++) {
        struct rounding r = leading_to(type, x[n]);
        tau[n] = r.tau;
        for (int c = 0; c < CLASSES; c++) {
            sample[n * CLASSES + c] = to_half(type, 1);
            upstream[n * CLASSES + c] = r.upstream[c];
        }
    }
    CHECK(call_vjp(shape, packed(shape, sample), packed(shape, upstream), each_row(packed_rows(shape, tau)), packed(shape, dlogits),
                   (struct operand){NULL, 0, 0, 0})
              == count,
          "vjp");
    for (int64_t n = 0; n < count; n++) {
        float flushed = fabsf(x[n]) < 0x1p-126f ? 0 : x[n];
        uint16_t expected = to_half(type, flushed), found = dlogits[n * CLASSES + 3];
        CHECK(found == expected, "%a to %s: %04x, not %04x", (double)x[n], name_of(type), found, expected);
    }
    free(sample);
    free(upstream);
    free(dlogits);
    free(tau);
}

/* Every value of the type, halfway to the next one, and the float32 neighbours of both: each tie, the last of them on to infinity. */
static void every_tie(int32_t type)
{
    enum { BESIDE = 6 };
    float *x = malloc(PATTERNS * BESIDE * sizeof *x);
    int64_t count = 0;
    int32_t infinity = type == GUMBEL4J_FLOAT16 ? 0x7c00 : 0x7f80;
    double beyond = type == GUMBEL4J_FLOAT16 ? 0x1p16 : 0x1p128; /* the next value, were there one */
    for (int sign = 0; sign < 2; sign++)
        for (int32_t n = 0; n < infinity; n++) {
            uint16_t value = (uint16_t)(n | sign << 15);
            float at = of_half(type, value);
            double next = n + 1 < infinity ? (double)of_half(type, (uint16_t)(value + 1)) : copysign(beyond, at);
            float tie = (float)(at + (next - at) / 2);
            float beside[BESIDE] = {at, nextafterf(at, INFINITY), nextafterf(at, -INFINITY), tie, nextafterf(tie, INFINITY),
                                    nextafterf(tie, -INFINITY)};
            for (int k = 0; k < BESIDE; k++)
                if (beside[k] != 0 && fabsf(beside[k]) >= (type == GUMBEL4J_FLOAT16 ? 0x1p-60f : 0x1p-126f))
                    x[count++] = beside[k];
        }
    round_all(type, x, count);
    CHECK(count > PATTERNS, "%d values", (int)count);
    free(x);
}

/* Values far beyond both ends, and any bits. */
static void any_value(int32_t type)
{
    enum { COUNT = 20000 };
    static float x[COUNT];
    uint64_t random = 3;
    for (int n = 0; n < COUNT; n++) {
        int least = type == GUMBEL4J_FLOAT16 ? -40 : -140, most = type == GUMBEL4J_FLOAT16 ? 20 : 127;
        double exponent = least + next_random(&random) * (most - least);
        x[n] = (float)ldexp(next_random(&random) < 0.5 ? -1 - next_random(&random) : 1 + next_random(&random), (int)exponent);
    }
    round_all(type, x, COUNT);
}

/* The rewriting against the golden roundings. */
static void golden_roundings(const char *directory)
{
    struct golden golden = open_golden(directory, "round");
    int cases = 0;
    for (; golden_next(&golden); cases++) {
        float *x = golden_array(&golden, "x", GUMBEL4J_FLOAT32);
        uint16_t *out = golden_array(&golden, "out", golden.type);
        for (int64_t i = 0; i < golden_length(&golden, "x"); i++) {
            uint16_t rounded = to_half(golden.type, x[i]);
            CHECK(rounded == out[i], "%a to %s: %04x, not %04x", (double)x[i], name_of(golden.type), rounded, out[i]);
        }
        free(x);
        free(out);
    }
    CHECK(cases == 2, "%d cases", cases);
}

/* The worked example of NOISE.md, section 9. */
static void worked_example(void)
{
    struct shape shape = matrix(GUMBEL4J_FLOAT16, 1, 4);
    uint16_t logits[4], upstream[4], y[4], dx[4];
    static const float given[2][4] = {{1, 2, 3, 4}, {1, 0, -1, 2}};
    static const float soft[4] = {0x1p-24, 0x1.34p-16, 0x1.ff8p-1, 0x1.25cp-10};
    static const float gradient[4] = {0x1p-22, 0x1.33p-15, -0x1.a54p-8, 0x1.b84p-8};
    float dtau;
    for (int c = 0; c < 4; c++) {
        logits[c] = spec_to_float16(given[0][c]);
        upstream[c] = spec_to_float16(given[1][c]);
    }
    call_soft(shape, packed(shape, logits), all_rows(0.5), (struct draw){7, 0, 0}, packed(shape, y));
    call_vjp(shape, packed(shape, y), packed(shape, upstream), all_rows(0.5), packed(shape, dx), packed_rows(shape, &dtau));
    for (int c = 0; c < 4; c++)
        CHECK(spec_of_float16(y[c]) == soft[c] && spec_of_float16(dx[c]) == gradient[c], "column %d", c);
    CHECK(dtau == 0x1.790baep-5f, "dtau %a", (double)dtau);
}

int main(int count, char **arguments)
{
    if (count != 2) {
        fprintf(stderr, "half_test: the argument must be the directory of the golden files\n");
        return 2;
    }
    worked_example();
    golden_roundings(arguments[1]);
    patterns_round_trip();
    for (int k = 0; k < 2; k++) {
        patterns_as_inputs(half_types[k]);
        patterns_as_logits(half_types[k]);
        every_tie(half_types[k]);
        any_value(half_types[k]);
    }
    return finish("half");
}
