/*
 * Every argument of an operator that breaks a rule of gumbel4j.h is refused, nothing being written; those at the edge of a rule are not.
 * What concerns strides is in strides_test.c, and parts of rows in parts_arguments_test.c.
 */
#include "calls.h"
#include "check.h"
#include "typed.h"

enum { ROWS = 3, CLASSES = 5, STRIDE = 6, BAD = GUMBEL4J_BAD_ARGUMENT };

static double logits[32], out[32], upstream[32], dtau[32], uniforms[32]; /* room for any type */
static int32_t columns[32];

/* One call of each operator; what varies is in these. */
struct call {
    struct shape shape;
    struct operand in, to;
    double tau;
    struct draw draw;
};

static const struct call good = {{GUMBEL4J_FLOAT32, 1, ROWS, CLASSES}, {logits, 0, STRIDE, 1}, {out, 0, STRIDE, 1}, 0.5, {1, 0, 0}};

static int64_t soft(struct call c) { return call_soft(c.shape, c.in, all_rows(c.tau), c.draw, c.to); }

static int64_t hard(struct call c) { return call_hard(c.shape, c.in, c.draw, c.to); }

static int64_t gumbel(struct call c) { return call_gumbel(c.shape, c.draw, c.to); }

static int64_t vjp(struct call c)
{
    return call_vjp(c.shape, c.in, rows_of(upstream, STRIDE), all_rows(c.tau), c.to, rows_of(dtau, 1));
}

/* Those whose output is of another type: at its own place, unless that is what varies. */
static struct operand instead(struct operand to, void *place)
{
    to.data = to.data == out ? place : to.data;
    return to;
}

static int64_t categorical(struct call c) { return call_categorical(c.shape, c.in, c.draw, instead(c.to, columns)); }

static int64_t uniform(struct call c) { return call_uniform(c.shape, c.draw, instead(c.to, uniforms)); }

static int64_t words(struct call c)
{
    c.shape.type = c.shape.type == GUMBEL4J_FLOAT32 ? GUMBEL4J_INT32 : c.shape.type;
    return call_words(c.shape, c.draw, c.to);
}

/* What a call takes, so that a case is tried on the operators that it concerns. */
enum { HAS_LOGITS = 1, HAS_TAU = 2, HAS_NOISE = 4 };

static const struct {
    const char *name;
    int64_t (*run)(struct call);
    int has;
} operators[] = {
    {"soft", soft, HAS_LOGITS | HAS_TAU | HAS_NOISE}, {"hard", hard, HAS_LOGITS | HAS_NOISE},
    {"categorical", categorical, HAS_LOGITS | HAS_NOISE}, {"gumbel", gumbel, HAS_NOISE}, {"words", words, HAS_NOISE},
    {"uniform", uniform, HAS_NOISE}, {"vjp", vjp, HAS_LOGITS | HAS_TAU},
};

static void expect(int64_t result, int concerned, struct call c, const char *what)
{
    for (size_t k = 0; k < sizeof operators / sizeof *operators; k++)
        if ((operators[k].has & concerned) == concerned) {
            int64_t got = operators[k].run(c);
            CHECK(got == result, "%s with %s gave %lld", operators[k].name, what, (long long)got);
        }
}

/* A copy of the good call with one change. */
#define WITH(change) (c = good, c.change, c)

/* Types that an operator does not take. */
static void types(void)
{
    struct call c;
    static const int32_t unknown[] = {-1, 6, INT32_MAX};
    for (int k = 0; k < 3; k++)
        expect(BAD, 0, WITH(shape.type = unknown[k]), "an unknown type");
    CHECK(soft(WITH(shape.type = GUMBEL4J_INT32)) == BAD && vjp(WITH(shape.type = GUMBEL4J_INT64)) == BAD, "an integer type for floats");
    CHECK(call_words(matrix(GUMBEL4J_FLOAT32, 1, 1), good.draw, rows_of(out, 1)) == BAD, "a float type for words");
    CHECK(uniform(WITH(shape.type = GUMBEL4J_INT32)) == BAD, "an integer type for uniforms");
    static const int32_t halves[] = {GUMBEL4J_FLOAT16, GUMBEL4J_BFLOAT16};
    for (int k = 0; k < 2; k++) {
        CHECK(words(WITH(shape.type = halves[k])) == BAD && uniform(WITH(shape.type = halves[k])) == BAD, "words of a half type");
        CHECK(soft(WITH(shape.type = halves[k])) == ROWS && gumbel(WITH(shape.type = halves[k])) == ROWS, "a half type");
    }
}

static void noise_keys(void)
{
    struct call c;
    const uint64_t end = UINT64_C(1) << 63;
    expect(BAD, HAS_NOISE, WITH(draw.stream = end), "stream 2^63");
    expect(BAD, HAS_NOISE, WITH(draw.first_element = UINT64_MAX), "elements beyond 64 bits");
    expect(BAD, HAS_NOISE, WITH(draw.first_element = end), "first element 2^63");
    expect(BAD, HAS_NOISE, WITH(draw.first_element = end - ROWS * CLASSES), "an end of 2^63");
    expect(ROWS, HAS_NOISE, WITH(draw.first_element = end - ROWS * CLASSES - 1), "the last elements");
    expect(ROWS, HAS_NOISE, WITH(draw.first_element = 7), "a first element within a row");
    expect(ROWS, HAS_NOISE, WITH(draw.stream = INT64_MAX), "the last stream");
}

/* Each type has its own bound: halves are computed in float32. */
static void temperatures(int32_t type)
{
    struct call c = good, bad = good;
    bad.shape.type = c.shape.type = type;
    static const double never[] = {-1, -1e-300, NAN, INFINITY, -INFINITY};
    for (int k = 0; k < 5; k++) {
        bad.tau = never[k];
        CHECK(soft(bad) == BAD && vjp(bad) == BAD, "tau %g of %s", never[k], name_of(type));
    }
    bool wide = type == GUMBEL4J_FLOAT64;
    bad.tau = c.tau = 1e39;
    CHECK(soft(c) == (wide ? ROWS : BAD) && vjp(c) == (wide ? ROWS : BAD), "tau 1e39 of %s", name_of(type));
    c.tau = 1e38; /* beyond every float16 */
    CHECK(soft(c) == ROWS && vjp(c) == ROWS, "tau 1e38 of %s", name_of(type));
    c.tau = 1e-45; /* below every half */
    CHECK(soft(c) == ROWS && vjp(c) == ROWS, "tau 1e-45 of %s", name_of(type));
    c.tau = 1e-46;
    CHECK(soft(c) == ROWS && vjp(c) == (wide ? ROWS : BAD), "tau 1e-46 of %s", name_of(type));
    c.tau = 0;
    CHECK(soft(c) == ROWS && vjp(c) == BAD, "tau 0 of %s", name_of(type));
    c.tau = -0.0;
    CHECK(soft(c) == ROWS && vjp(c) == BAD, "tau -0 of %s", name_of(type));

    /* by row, of the compute type: one bad value anywhere, in whatever order rows are */
    double by_row[8]; /* room for either type */
    struct shape shape = {type, 2, 3, 2};
    struct operand x = packed(shape, logits), to = packed(shape, out), v = packed(shape, upstream), none = {NULL, 0, 0, 0};
    for (int r = -1; r < 6; r++) {
        for (int64_t n = 0; n < 6; n++)
            put(compute_type(type), by_row, n, n == r ? NAN : 1);
        struct temperature in_order = each_row((struct operand){by_row, 3, 1, 0}), reversed = each_row((struct operand){by_row, 1, 2, 0});
        int64_t result = r < 0 ? 6 : BAD;
        CHECK(call_soft(shape, x, in_order, good.draw, to) == result && call_soft(shape, x, reversed, good.draw, to) == result
                  && call_vjp(shape, x, v, in_order, to, none) == result && call_vjp(shape, x, v, reversed, to, none) == result,
              "NaN as temperature %d of %s", r, name_of(type));
        struct temperature repeated = each_row((struct operand){by_row, 1, 0, 0}); /* the first two alone */
        CHECK(call_soft(shape, x, repeated, good.draw, to) == (r == 0 || r == 1 ? BAD : 6), "NaN as a repeated temperature %d", r);
    }
    struct temperature unaligned = each_row((struct operand){(char *)by_row + bytes_of(compute_type(type)) / 2, 3, 1, 0});
    CHECK(call_soft(shape, x, unaligned, good.draw, to) == BAD && call_vjp(shape, x, v, unaligned, to, none) == BAD,
          "unaligned temperatures of %s", name_of(type));
}

static void addresses(void)
{
    struct call c;
    expect(BAD, 0, WITH(to.data = NULL), "a null output");
    expect(BAD, HAS_LOGITS, WITH(in.data = NULL), "a null input");
    expect(BAD, 0, WITH(to.data = (char *)out + 2), "an unaligned output");
    expect(BAD, HAS_LOGITS, WITH(in.data = (char *)logits + 1), "an unaligned input");
    for (int t = 0; t < TYPES; t++) {
        struct call typed = WITH(shape.type = all_types[t]), unaligned = typed;
        struct operand y = typed.in, v = rows_of(upstream, STRIDE), dx = typed.to, none = {NULL, 0, 0, 0};
        int64_t half = bytes_of(all_types[t]) / 2, tau_half = bytes_of(compute_type(all_types[t])) / 2;
        unaligned.in.data = (char *)logits + half;
        CHECK(soft(unaligned) == BAD && hard(unaligned) == BAD && categorical(unaligned) == BAD && vjp(unaligned) == BAD, "input + %d",
              (int)half);
        unaligned = typed;
        unaligned.to.data = (char *)out + half;
        CHECK(soft(unaligned) == BAD && hard(unaligned) == BAD && gumbel(unaligned) == BAD && vjp(unaligned) == BAD, "output + %d", (int)half);
        CHECK(call_vjp(typed.shape, y, rows_of((char *)upstream + half, STRIDE), all_rows(1), dx, none) == BAD, "upstream + %d", (int)half);
        CHECK(call_vjp(typed.shape, y, v, all_rows(1), dx, rows_of((char *)dtau + tau_half, 1)) == BAD, "dtau + %d", (int)tau_half);
        typed.in.data = element(all_types[t], logits, 1);
        typed.to.data = element(all_types[t], out, 1);
        CHECK(soft(typed) == ROWS && vjp(typed) == ROWS, "aligned to an element of %s", name_of(all_types[t]));
    }
}

int main(void)
{
    struct call c;
    expect(ROWS, 0, good, "good arguments");
    types();
    noise_keys();
    addresses();
    for (int t = 0; t < TYPES; t++)
        temperatures(all_types[t]);

    memset(out, 0x5A, sizeof out);
    double before[32];
    memcpy(before, out, sizeof out);
    expect(BAD, 0, WITH(shape.outer = -1), "outer -1");
    expect(BAD, 0, WITH(shape.inner = -1), "inner -1");
    expect(BAD, 0, (c = good, c.shape.outer = c.shape.inner = -1, c), "outer and inner -1");
    expect(BAD, 0, WITH(shape.classes = 0), "classes 0");
    expect(BAD, 0, WITH(shape.classes = -1), "classes -1");
    expect(BAD, 0, (c = good, c.shape.outer = c.shape.inner = INT64_C(1) << 32, c), "rows beyond 64 bits");
    expect(BAD, HAS_TAU, WITH(tau = -1), "tau -1");
    expect(BAD, HAS_NOISE, WITH(draw.stream = UINT64_MAX), "a bad stream");
    CHECK(memcmp(out, before, sizeof out) == 0, "something was written");

    c = good;
    c.shape.outer = 0;
    c.in.data = c.to.data = NULL;
    expect(0, 0, c, "no outer rows and no memory");
    expect(BAD, HAS_TAU, (c.tau = -1, c), "no rows and a bad tau");
    c = good;
    c.shape.inner = 0;
    c.in.data = c.to.data = NULL;
    expect(0, 0, c, "no inner rows and no memory");
    c = WITH(shape.inner = 1);
    c.shape.classes = INT64_C(1) << 31;
    CHECK(categorical(c) == BAD, "more classes than an int32 counts");

    CHECK(gumbel4j_abi_version() == GUMBEL4J_ABI_VERSION && GUMBEL4J_ABI_VERSION == 3, "the ABI version");
    CHECK(strlen(gumbel4j_version()) > 0, "the version");
    const char *cap = getenv("GUMBEL4J_MAX_ISA");
    CHECK(cap == NULL || strcmp(gumbel4j_isa(), cap) == 0, "isa %s under the cap %s", gumbel4j_isa(), cap);
    return finish("arguments");
}
