/* Strides change no bit: every operator, from and to every layout, writes the bits of packed arrays, and nothing between them. */
#include "check.h"
#include "layouts.h"

#include <inttypes.h>

static const struct draw draw = {11, 4, 1000003};

/* An array of one layout in memory of its own; what is not its element is NaN, of any type, in inputs and watched in outputs. */
struct array {
    struct shape shape;
    struct operand operand;
    int64_t bytes;
};

static struct array new_array(struct shape shape, enum layout layout)
{
    struct array array = {shape, strides_of(layout, shape), 0};
    array.bytes = span_of(shape, array.operand) * bytes_of(shape.type);
    array.operand.data = malloc((size_t)array.bytes);
    memset(array.operand.data, 0xff, (size_t)array.bytes);
    return array;
}

static struct array input(struct shape shape, enum layout layout, const void *values)
{
    struct array array = new_array(shape, layout);
    lay_out(shape, values, array.operand);
    return array;
}

static struct array output(struct shape shape, enum layout layout)
{
    struct array array = new_array(shape, layout);
    watch(array.operand.data, array.bytes);
    return array;
}

/* Frees an output, and tells whether it holds the values and nothing else. */
static bool is(struct array array, const void *values)
{
    bool equal = holds(array.shape, array.operand, values);
    bool alone = untouched_but(array.shape, array.operand, array.operand.data, array.bytes);
    free(array.operand.data);
    return equal && alone;
}

/* The inputs of one shape in one layout, and the results from packed copies of them. */
struct expected {
    struct shape shape, rows, indices; /* of elements, of temperatures, of categorical */
    struct array logits, sample, upstream, tau;
    void *soft, *soft_by_row, *hard, *columns, *dlogits, *dtau;
};

/* Any values but masks in all columns. */
static struct array random_input(struct shape shape, enum layout layout, double low, double high, bool masks, uint64_t *random)
{
    double *values = make(GUMBEL4J_FLOAT64, elements_of(shape));
    for (int64_t n = 0; n < elements_of(shape); n++) {
        int64_t c = n % shape.classes;
        double u = next_random(random);
        values[n] = masks && u < 0.1 && c > 0 && c < shape.classes - 1 ? (low < 0 ? -INFINITY : 0) : low + u * (high - low);
    }
    void *typed = converted(GUMBEL4J_FLOAT64, values, shape.type, elements_of(shape));
    struct array array = input(shape, layout, typed);
    free(values);
    free(typed);
    return array;
}

static struct expected expect(struct shape shape, enum layout layout)
{
    uint64_t random = (uint64_t)layout + 1;
    struct expected e = {.shape = shape, .rows = one_a_row(compute_type(shape.type), shape), .indices = one_a_row(GUMBEL4J_INT32, shape)};
    e.logits = random_input(shape, layout, -4, 4, true, &random);
    e.sample = random_input(shape, layout, 0, 1, true, &random);
    e.upstream = random_input(shape, layout, -2, 2, false, &random);
    e.tau = random_input(e.rows, layout, 0.25, 2, false, &random);
    void *logits = gathered(shape, e.logits.operand), *sample = gathered(shape, e.sample.operand);
    void *upstream = gathered(shape, e.upstream.operand), *tau = gathered(e.rows, e.tau.operand);
    void **results[] = {&e.soft, &e.soft_by_row, &e.hard, &e.dlogits};
    for (int k = 0; k < 4; k++)
        *results[k] = make(shape.type, elements_of(shape));
    e.columns = make(GUMBEL4J_INT32, elements_of(e.rows));
    e.dtau = make(e.rows.type, elements_of(e.rows));
    struct operand x = packed(shape, logits);
    struct temperature by_row = each_row(packed_rows(shape, tau));
    int64_t rows = elements_of(e.rows);
    CHECK(call_soft(shape, x, all_rows(0.5), draw, packed(shape, e.soft)) == rows
              && call_soft(shape, x, by_row, draw, packed(shape, e.soft_by_row)) == rows
              && call_hard(shape, x, draw, packed(shape, e.hard)) == rows
              && call_categorical(shape, x, draw, packed_rows(shape, e.columns)) == rows
              && call_vjp(shape, packed(shape, sample), packed(shape, upstream), by_row, packed(shape, e.dlogits),
                          packed_rows(shape, e.dtau))
                     == rows,
          "packed %s", name_of(shape.type));
    free(logits);
    free(sample);
    free(upstream);
    free(tau);
    return e;
}

static void forget(struct expected e)
{
    void *memory[] = {e.logits.operand.data, e.sample.operand.data, e.upstream.operand.data, e.tau.operand.data, e.soft, e.soft_by_row,
                      e.hard, e.columns, e.dlogits, e.dtau};
    for (size_t k = 0; k < sizeof memory / sizeof *memory; k++)
        free(memory[k]);
}

static void samples_and_gradients(const struct expected *e, enum layout from, enum layout to)
{
    struct shape shape = e->shape;
    int64_t rows = elements_of(e->rows);
    struct temperature by_row = each_row(e->tau.operand);
    struct array out;

#define EXPECT(call, result, what)                                                                                               \
    do {                                                                                                                         \
        bool returned = (call) == rows, equal = is(out, result);                                                                 \
        CHECK(returned && equal, "%s %s %" PRId64 " x %" PRId64 " x %" PRId64 " from %s to %s", what, name_of(shape.type),       \
              shape.outer, shape.inner, shape.classes, layout_names[from], layout_names[to]);                                    \
    } while (0)

    out = output(shape, to);
    EXPECT(call_soft(shape, e->logits.operand, all_rows(0.5), draw, out.operand), e->soft, "soft");
    out = output(shape, to);
    EXPECT(call_soft(shape, e->logits.operand, by_row, draw, out.operand), e->soft_by_row, "soft by row");
    out = output(shape, to);
    EXPECT(call_hard(shape, e->logits.operand, draw, out.operand), e->hard, "hard");
    out = output(e->indices, to);
    EXPECT(call_categorical(shape, e->logits.operand, draw, out.operand), e->columns, "categorical");
    out = output(shape, to);
    EXPECT(call_vjp(shape, e->sample.operand, e->upstream.operand, by_row, out.operand, (struct operand){NULL, 0, 0, 0}), e->dlogits,
           "vjp without dtau");
    struct array dtau = output(e->rows, to);
    out = output(shape, to);
    EXPECT(call_vjp(shape, e->sample.operand, e->upstream.operand, by_row, out.operand, dtau.operand), e->dlogits, "vjp");
    CHECK(is(dtau, e->dtau), "dtau %s from %s to %s", name_of(shape.type), layout_names[from], layout_names[to]);
}

/* What has no input: words, uniforms, noise. */
static void noise(struct shape shape, enum layout to)
{
    static const struct {
        const char *name;
        int64_t (*call)(struct shape, struct draw, struct operand);
        int32_t type, out_type;
    } operators[] = {
        {"words", call_words, GUMBEL4J_INT32, GUMBEL4J_INT32},       {"words", call_words, GUMBEL4J_INT64, GUMBEL4J_INT64},
        {"uniform", call_uniform, GUMBEL4J_FLOAT32, GUMBEL4J_FLOAT64}, {"uniform", call_uniform, GUMBEL4J_FLOAT64, GUMBEL4J_FLOAT64},
        {"gumbel", call_gumbel, GUMBEL4J_FLOAT32, GUMBEL4J_FLOAT32}, {"gumbel", call_gumbel, GUMBEL4J_FLOAT64, GUMBEL4J_FLOAT64},
        {"gumbel", call_gumbel, GUMBEL4J_FLOAT16, GUMBEL4J_FLOAT16}, {"gumbel", call_gumbel, GUMBEL4J_BFLOAT16, GUMBEL4J_BFLOAT16},
    };
    for (size_t k = 0; k < sizeof operators / sizeof *operators; k++) {
        struct shape out_shape = {operators[k].out_type, shape.outer, shape.inner, shape.classes};
        shape.type = operators[k].type;
        void *expected = make(out_shape.type, elements_of(shape));
        struct array out = output(out_shape, to);
        bool returned = operators[k].call(shape, draw, packed(shape, expected)) == shape.outer * shape.inner
                        && operators[k].call(shape, draw, out.operand) == shape.outer * shape.inner;
        bool equal = is(out, expected);
        CHECK(returned && equal, "%s %s %" PRId64 " x %" PRId64 " x %" PRId64 " to %s", operators[k].name, name_of(shape.type), shape.outer,
              shape.inner, shape.classes, layout_names[to]);
        free(expected);
    }
}

/* A row that cannot be sampled stops a call at that row, in the order of rows and not of addresses; the rows before it are written. */
static void refusals(int32_t type, enum layout from)
{
    struct shape shape = {type, 3, 4, 37}, indices = one_a_row(GUMBEL4J_INT32, shape);
    struct expected e = expect(shape, from);
    int64_t rows = shape.outer * shape.inner;
    for (int64_t r = 0; r < rows; r++) {
        int64_t place = place_of(shape, e.logits.operand, r * shape.classes + 7 * r % shape.classes);
        double before = get(type, e.logits.operand.data, place);
        put(type, e.logits.operand.data, place, r % 2 ? INFINITY : NAN);
        struct array out = output(shape, from), columns = output(indices, from);
        int64_t stops[3] = {call_soft(shape, e.logits.operand, all_rows(0.5), draw, out.operand),
                            call_hard(shape, e.logits.operand, draw, out.operand),
                            call_categorical(shape, e.logits.operand, draw, columns.operand)};
        bool equal = true;
        for (int64_t n = 0; n < r * shape.classes; n++)
            equal &= get(type, out.operand.data, place_of(shape, out.operand, n)) == get(type, e.hard, n);
        CHECK(stops[0] == r && stops[1] == r && stops[2] == r && equal, "%s %s row %" PRId64 ": stopped at %" PRId64 ", %" PRId64 ", %" PRId64,
              name_of(type), layout_names[from], r, stops[0], stops[1], stops[2]);
        CHECK(untouched_but(shape, out.operand, out.operand.data, out.bytes), "%s %s row %" PRId64, name_of(type), layout_names[from], r);
        free(out.operand.data);
        free(columns.operand.data);
        put(type, e.logits.operand.data, place, before);
    }
    forget(e);
}

/* Operands that take turns within the same memory: classes in turn, rows in turn, and columns side by side. */
static void turns(int32_t type)
{
    enum { WAYS = 3 };
    struct shape shape = {type, 3, 4, 37};
    struct expected e = expect(shape, PACKED);
    const struct {
        const char *name;
        int64_t step; /* from an operand to the next */
        struct operand strides;
    } turns[] = {
        {"classes in turn", 1, {NULL, WAYS * 4 * 37, WAYS * 37, WAYS}},
        {"rows in turn", 37, {NULL, WAYS * 4 * 37, WAYS * 37, 1}},
        {"inner rows side by side", 4, {NULL, WAYS * 4 * 37, 1, WAYS * 4}},
    };
    for (size_t k = 0; k < sizeof turns / sizeof *turns; k++) {
        struct operand shared[WAYS];
        char *memory = make(type, WAYS * elements_of(shape));
        for (int way = 0; way < WAYS; way++) {
            shared[way] = turns[k].strides;
            shared[way].data = element(type, memory, way * turns[k].step);
        }
        lay_out(shape, e.logits.operand.data, shared[0]);
        lay_out(shape, e.upstream.operand.data, shared[2]);
        int64_t done = call_soft(shape, shared[0], all_rows(0.5), draw, shared[1]);
        CHECK(done == 12 && holds(shape, shared[1], e.soft) && holds(shape, shared[0], e.logits.operand.data)
                  && holds(shape, shared[2], e.upstream.operand.data),
              "soft %s, %s", name_of(type), turns[k].name);
        lay_out(shape, e.sample.operand.data, shared[0]);
        done = call_vjp(shape, shared[0], shared[2], each_row(packed_rows(shape, e.tau.operand.data)), shared[1],
                        (struct operand){NULL, 0, 0, 0});
        CHECK(done == 12 && holds(shape, shared[1], e.dlogits) && holds(shape, shared[0], e.sample.operand.data)
                  && holds(shape, shared[2], e.upstream.operand.data),
              "vjp %s, %s", name_of(type), turns[k].name);
        free(memory);
    }
    forget(e);
}

int main(void)
{
    static const struct {
        int64_t outer, inner, classes;
        bool every_pair;
    } shapes[] = {
        {1, 7, 10, true},   {3, 5, 17, true},    {2, 16, 64, false},  {4, 1, 33, false},   {1, 1, 100, false},
        {1, 33, 1, false},  {2, 3, 1025, false}, {5, 64, 3, false},   {1, 130, 100, false}, {3, 70, 20, false},
        {9, 1, 4, false},   {65, 2, 2, false},   {1, 1, 3000, false},
    };
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (int to = 0; to < OUTPUT_LAYOUTS; to++)
            noise((struct shape){0, shapes[s].outer, shapes[s].inner, shapes[s].classes}, (enum layout)to);
    for (int t = 0; t < TYPES; t++) {
        for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
            for (int from = 0; from < LAYOUTS; from++) {
                struct shape shape = {all_types[t], shapes[s].outer, shapes[s].inner, shapes[s].classes};
                struct expected e = expect(shape, (enum layout)from);
                for (int to = 0; to < OUTPUT_LAYOUTS; to++)
                    if (shapes[s].every_pair || to == from || to == (from + 3) % OUTPUT_LAYOUTS)
                        samples_and_gradients(&e, (enum layout)from, (enum layout)to);
                forget(e);
            }
        for (int from = 0; from < OUTPUT_LAYOUTS; from++)
            refusals(all_types[t], (enum layout)from);
        turns(all_types[t]);
    }
    return finish("layouts");
}
