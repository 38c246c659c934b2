/* Every argument that breaks a rule of gumbel4j.h is refused, nothing being written; those at the edge of a rule are not. */
#include "check.h"
#include "typed.h"

enum { ROWS = 3, CLASSES = 5, STRIDE = 6, BAD = GUMBEL4J_BAD_ARGUMENT };

static float logits[32], out[32], upstream[32], dtau[32];
static double wide[32];
static int32_t columns[32];

/* One call of each operator; what varies is in these. */
struct call {
    int32_t type;
    int64_t rows, classes, in_stride, out_stride;
    const void *in;
    void *to;
    double tau;
    uint64_t stream, first_row;
};

static const struct call good = {GUMBEL4J_FLOAT32, ROWS, CLASSES, STRIDE, STRIDE, logits, out, 0.5, 0, 0};

static int64_t soft(struct call c)
{
    return gumbel4j_soft(c.type, c.rows, c.classes, c.in, c.in_stride, c.tau, NULL, 0, 1, c.stream, c.first_row, c.to, c.out_stride);
}

static int64_t hard(struct call c)
{
    return gumbel4j_hard(c.type, c.rows, c.classes, c.in, c.in_stride, 1, c.stream, c.first_row, c.to, c.out_stride);
}

static int64_t categorical(struct call c)
{
    return gumbel4j_categorical(c.type, c.rows, c.classes, c.in, c.in_stride, 1, c.stream, c.first_row, c.to == out ? columns : c.to,
                                c.out_stride);
}

static int64_t gumbel(struct call c)
{
    return gumbel4j_gumbel(c.type, c.rows, c.classes, 1, c.stream, c.first_row, c.to, c.out_stride);
}

static int64_t words(struct call c)
{
    return gumbel4j_words(c.type == GUMBEL4J_FLOAT32 ? GUMBEL4J_INT32 : c.type, c.rows, c.classes, 1, c.stream, c.first_row, c.to,
                          c.out_stride);
}

static int64_t uniform(struct call c)
{
    return gumbel4j_uniform(c.type, c.rows, c.classes, 1, c.stream, c.first_row, c.to == out ? wide : c.to, c.out_stride);
}

static int64_t vjp(struct call c)
{
    return gumbel4j_vjp(c.type, c.rows, c.classes, c.in, c.in_stride, upstream, STRIDE, c.tau, NULL, 0, c.to, c.out_stride, dtau, 1);
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

int main(void)
{
    struct call c;
    expect(ROWS, 0, good, "good arguments");
    memset(out, 0x5A, sizeof out);
    float before[32];
    memcpy(before, out, sizeof out);

    static const int32_t unknown[] = {-1, 4, INT32_MAX};
    for (int k = 0; k < 3; k++)
        expect(BAD, 0, WITH(type = unknown[k]), "an unknown type");
    CHECK(soft(WITH(type = GUMBEL4J_INT32)) == BAD && vjp(WITH(type = GUMBEL4J_INT64)) == BAD, "an integer type for floats");
    CHECK(gumbel4j_words(GUMBEL4J_FLOAT32, 1, 1, 0, 0, 0, out, 1) == BAD, "a float type for words");

    expect(BAD, 0, WITH(rows = -1), "rows -1");
    expect(BAD, 0, WITH(classes = 0), "classes 0");
    expect(BAD, 0, WITH(classes = -1), "classes -1");
    expect(BAD, 0, WITH(to = NULL), "a null output");
    expect(BAD, HAS_LOGITS, WITH(in = NULL), "a null input");
    expect(BAD, 0, WITH(to = (char *)out + 2), "an unaligned output");
    expect(BAD, HAS_LOGITS, WITH(in = (char *)logits + 1), "an unaligned input");
    expect(BAD, 0, WITH(out_stride = 0), "output stride 0");
    expect(BAD, 0, WITH(out_stride = -STRIDE), "a negative output stride");
    expect(BAD, HAS_LOGITS, WITH(in_stride = CLASSES - 1), "an input stride below classes");
    expect(BAD, 0, WITH(out_stride = INT64_MAX - 1), "elements beyond 64 bits");
    expect(BAD, 0, WITH(out_stride = INT64_MAX / 3), "bytes beyond 64 bits");
    expect(BAD, HAS_NOISE, WITH(stream = UINT64_C(1) << 63), "stream 2^63");
    expect(BAD, HAS_NOISE, WITH(first_row = UINT64_MAX), "first_row + rows beyond 64 bits");
    expect(BAD, HAS_NOISE, WITH(first_row = UINT64_C(1) << 62), "(first_row + rows) * classes beyond 64 bits");
    expect(BAD, HAS_NOISE, WITH(first_row = UINT64_C(0x7fffffffffffffff) / CLASSES - ROWS + 1), "an index of 2^63");
    static const double bad_tau[] = {-1, -1e-300, NAN, INFINITY, -INFINITY, 1e39};
    for (int k = 0; k < 6; k++)
        expect(BAD, HAS_TAU, WITH(tau = bad_tau[k]), "a bad tau");
    CHECK(vjp(WITH(tau = 0)) == BAD && vjp(WITH(tau = 1e-46)) == BAD, "tau 0 for vjp");
    CHECK(soft(WITH(tau = 0)) == ROWS && soft(WITH(tau = -0.0)) == ROWS && soft(WITH(tau = 1e-46)) == ROWS, "tau 0 for soft");
    memcpy(out, before, sizeof out);

    /* overlaps: same memory, one element shared, another row's; but not the gaps between rows */
    CHECK(categorical(WITH(in = columns)) == BAD, "its output as input");
    CHECK(soft(WITH(in = out)) == BAD && hard(WITH(in = out)) == BAD && vjp(WITH(in = out)) == BAD, "its output as input");
    CHECK(soft(WITH(in = out + 4)) == BAD && soft(WITH(in = out + 2 * STRIDE + 4)) == BAD, "one element in common");
    CHECK(memcmp(out, before, sizeof out) == 0, "something was written");
    c = WITH(classes = 2);
    c.in = out + 2;
    CHECK(soft(c) == ROWS, "two halves of the same rows");
    c.in = out + 1;
    CHECK(soft(c) == BAD, "halves with a common column");
    c.in = out + 2;
    c.in_stride = STRIDE + 1;
    CHECK(soft(c) == ROWS, "other strides, nothing in common");
    c.in_stride = STRIDE + 2;
    CHECK(soft(c) == ROWS, "other strides, nothing in common: 2, 10, 18");
    c.in_stride = STRIDE - 1;
    CHECK(soft(c) == BAD, "other strides, a common element: 7");
    CHECK(gumbel4j_vjp(0, 1, 4, logits, 4, upstream, 4, 1, NULL, 0, out, 4, out + 3, 1) == BAD, "dtau within dlogits");
    CHECK(gumbel4j_vjp(0, 1, 4, logits, 4, upstream, 4, 1, NULL, 0, out, 4, upstream, 1) == BAD, "dtau within upstream");
    CHECK(gumbel4j_vjp(0, 1, 4, logits, 4, out, 4, 1, NULL, 0, out, 4, dtau, 1) == BAD, "dlogits over upstream");
    CHECK(gumbel4j_vjp(0, 2, 4, logits, 4, upstream, 4, 1, NULL, 0, out, 4, dtau, 0) == BAD, "dtau stride 0");
    CHECK(gumbel4j_vjp(0, 2, 4, logits, 4, upstream, 3, 1, NULL, 0, out, 4, dtau, 1) == BAD, "an upstream stride below classes");

    /* at the edge of the rules */
    c = WITH(rows = 0);
    c.in = NULL;
    c.to = NULL;
    expect(0, 0, c, "no rows and no memory");
    expect(BAD, HAS_TAU, (c.tau = -1, c), "no rows and a bad tau");
    c = WITH(rows = 1);
    c.out_stride = c.in_stride = 0;
    expect(1, 0, c, "one row with stride 0");
    expect(ROWS, HAS_NOISE, WITH(stream = INT64_MAX), "the last stream");
    expect(ROWS, HAS_NOISE, WITH(first_row = UINT64_C(0x7fffffffffffffff) / CLASSES - ROWS), "the last rows");
    c = WITH(rows = 1);
    c.classes = INT64_C(1) << 31;
    CHECK(categorical(c) == BAD, "more classes than an int32 counts");

    CHECK(gumbel4j_abi_version() == GUMBEL4J_ABI_VERSION, "the ABI version");
    CHECK(strlen(gumbel4j_version()) > 0, "the version");
    const char *cap = getenv("GUMBEL4J_MAX_ISA");
    CHECK(cap == NULL || strcmp(gumbel4j_isa(), cap) == 0, "isa %s under the cap %s", gumbel4j_isa(), cap);
    return finish("arguments");
}
