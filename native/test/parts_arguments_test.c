/* Every argument of a function on parts of a row that breaks a rule of gumbel4j.h is refused, nothing being written. */
#include "calls.h"
#include "check.h"
#include "typed.h"

enum { BAD = GUMBEL4J_BAD_ARGUMENT, COLUMNS = 5, ROOM = 64 };

static double x_memory[ROOM], v_memory[ROOM], out_memory[ROOM], sums_memory[ROOM]; /* room for any type */
static double top;
static int64_t column;

/* The arguments of every function; what varies is in these. */
struct part {
    int32_t type;
    int64_t columns;
    const void *x, *v;
    int64_t x_stride, v_stride;
    double tau;
    struct draw draw;
    void *out;
    int64_t out_stride;
    void *sums;
    int64_t chosen;
};

static int64_t perturb(struct part p)
{
    return gumbel4j_part_perturb(p.type, p.columns, p.x, p.x_stride, DRAW(p.draw), p.out, p.out_stride, &top);
}

static int64_t exponential(struct part p)
{
    return gumbel4j_part_exp(p.type, p.columns, p.x, p.x_stride, p.tau, 1, DRAW(p.draw), p.out, p.out_stride, p.sums);
}

static int64_t scale(struct part p)
{
    return gumbel4j_part_scale(p.type, p.columns, p.x, p.x_stride, p.tau, 1, 0.5, DRAW(p.draw), p.out, p.out_stride);
}

static int64_t argmax(struct part p) { return gumbel4j_part_argmax(p.type, p.columns, p.x, p.x_stride, DRAW(p.draw), &top, &column); }

static int64_t one_hot(struct part p) { return gumbel4j_part_one_hot(p.type, p.columns, p.chosen, p.out, p.out_stride); }

static int64_t dot(struct part p) { return gumbel4j_part_dot(p.type, p.columns, p.x, p.x_stride, p.v, p.v_stride, p.sums); }

static int64_t gradient(struct part p)
{
    return gumbel4j_part_gradient(p.type, p.columns, p.x, p.x_stride, p.v, p.v_stride, p.tau, 0.5, p.out, p.out_stride, p.sums);
}

/* What a function takes, so that a case is tried on those that it concerns. */
enum { X = 1, V = 2, NOISE = 4, TAU = 8, OUT = 16, SUMS = 32, NEEDS_SUMS = 64 };

static const struct {
    const char *name;
    int64_t (*run)(struct part);
    int has;
} functions[] = {
    {"perturb", perturb, X | NOISE | OUT},
    {"exp", exponential, X | NOISE | TAU | OUT | SUMS | NEEDS_SUMS},
    {"scale", scale, X | NOISE | TAU | OUT},
    {"argmax", argmax, X | NOISE},
    {"one_hot", one_hot, OUT},
    {"dot", dot, X | V | SUMS | NEEDS_SUMS},
    {"gradient", gradient, X | V | TAU | OUT | SUMS},
};

static void expect(int64_t result, int concerned, struct part p, const char *what)
{
    for (size_t k = 0; k < sizeof functions / sizeof *functions; k++)
        if ((functions[k].has & concerned) == concerned) {
            int64_t got = functions[k].run(p);
            CHECK(got == result, "%s of type %d with %s gave %d", functions[k].name, (int)p.type, what, (int)got);
        }
}

#define WITH(change) (p = good, p.change, p)

static void every_rule(int32_t type)
{
    const struct part good = {type, COLUMNS, x_memory, v_memory, 1, 2, 0.5, {1, 0, 0}, out_memory, 3, sums_memory, 2};
    const uint64_t end = UINT64_C(1) << 63;
    const int64_t far = INT64_MAX / 2;
    struct part p;
    expect(1, 0, good, "good arguments");
    double out_before[ROOM], sums_before[ROOM];
    memcpy(out_before, out_memory, sizeof out_before);
    memcpy(sums_before, sums_memory, sizeof sums_before);

    expect(BAD, 0, WITH(columns = 0), "no columns");
    expect(BAD, 0, WITH(columns = -1), "columns -1");
    expect(BAD, X, WITH(x = NULL), "a null input");
    expect(BAD, V, WITH(v = NULL), "a null upstream");
    expect(BAD, OUT, WITH(out = NULL), "a null output");
    expect(BAD, NEEDS_SUMS, WITH(sums = NULL), "null sums");
    expect(BAD, X, WITH(x = (char *)x_memory + bytes_of(type) / 2), "an unaligned input");
    expect(BAD, V, WITH(v = (char *)v_memory + bytes_of(type) / 2), "an unaligned upstream");
    expect(BAD, OUT, WITH(out = (char *)out_memory + bytes_of(type) / 2), "an unaligned output");
    expect(BAD, SUMS, WITH(sums = (char *)sums_memory + bytes_of(compute_type(type)) / 2), "unaligned sums");
    expect(BAD, X, WITH(x_stride = -1), "an input stride of -1");
    expect(BAD, V, WITH(v_stride = -1), "an upstream stride of -1");
    expect(BAD, OUT, WITH(out_stride = -1), "an output stride of -1");
    expect(BAD, OUT, WITH(out_stride = 0), "an output stride of 0");
    expect(BAD, X, WITH(x_stride = far), "an input beyond 64 bits");
    expect(BAD, V, WITH(v_stride = far), "an upstream beyond 64 bits");
    expect(BAD, OUT, WITH(out_stride = far), "an output beyond 64 bits");
    expect(BAD, NOISE, WITH(draw.stream = end), "stream 2^63");
    expect(BAD, NOISE, WITH(draw.first_element = end - COLUMNS), "an end of 2^63");
    expect(BAD, NOISE, WITH(draw.first_element = UINT64_MAX), "elements beyond 64 bits");
    static const double bad_tau[] = {0, -0.0, -1, NAN, INFINITY};
    for (int k = 0; k < 5; k++)
        expect(BAD, TAU, WITH(tau = bad_tau[k]), "a bad tau");
    if (type != GUMBEL4J_FLOAT64) {
        expect(BAD, TAU, WITH(tau = 1e39), "a tau that is infinite");
        expect(BAD, TAU, WITH(tau = 1e-46), "a tau that is zero");
    }
    CHECK(one_hot(WITH(chosen = COLUMNS)) == BAD && one_hot(WITH(chosen = -2)) == BAD, "a column outside the part");
    expect(BAD, X | OUT, WITH(out = x_memory), "its input as output");
    expect(BAD, V | OUT, WITH(out = v_memory), "its upstream as output");
    expect(BAD, X | SUMS, WITH(sums = x_memory), "its input as sums");
    expect(BAD, OUT | SUMS, WITH(sums = out_memory), "its output as sums");
    CHECK(gumbel4j_part_perturb(type, COLUMNS, x_memory, 1, 1, 0, 0, out_memory, 1, NULL) == BAD, "no place for the top");
    CHECK(gumbel4j_part_argmax(type, COLUMNS, x_memory, 1, 1, 0, 0, NULL, &column) == BAD
              && gumbel4j_part_argmax(type, COLUMNS, x_memory, 1, 1, 0, 0, &top, NULL) == BAD,
          "no place for the column");
    CHECK(memcmp(out_before, out_memory, sizeof out_before) == 0 && memcmp(sums_before, sums_memory, sizeof sums_before) == 0,
          "something was written");

    expect(1, NOISE, WITH(draw.first_element = end - COLUMNS - 1), "the last elements");
    expect(1, X, WITH(x_stride = 0), "an input that repeats");
    CHECK(gradient(WITH(sums = NULL)) == 1, "no sums for tau");
    CHECK(one_hot(WITH(chosen = -1)) == 1 && one_hot(WITH(chosen = COLUMNS - 1)) == 1, "the columns at the edge");
    p = WITH(columns = 1);
    p.x_stride = p.v_stride = p.out_stride = 0;
    p.chosen = 0;
    expect(1, 0, p, "one column with strides 0");
}

int main(void)
{
    static const int32_t not_floats[] = {-1, GUMBEL4J_INT32, GUMBEL4J_INT64, 6};
    for (int k = 0; k < 4; k++)
        expect(BAD, 0, (struct part){not_floats[k], COLUMNS, x_memory, v_memory, 1, 1, 0.5, {1, 0, 0}, out_memory, 1, sums_memory, 2}, "its type");
    for (int t = 0; t < TYPES; t++)
        every_rule(all_types[t]);
    return finish("parts arguments");
}
