/* Rows longer than a thread's scratch memory, and arrays of many of its tiles: the bits of contiguous float32 and float64 rows. */
#include "check.h"
#include "layouts.h"

static const struct draw draw = {5, 3, 12345678901};

/* A contiguous array of the compute type with values of the type, and its results, rounded to the type. */
struct results {
    void *soft, *hard, *dlogits, *dtau, *gumbel;
    int32_t *columns;
};

static void *rounded(struct shape wide, void *array, int32_t type)
{
    void *narrow = converted(wide.type, array, type, elements_of(wide));
    free(array);
    return narrow;
}

static struct results contiguous_results(struct shape shape, const void *logits, const void *sample, const void *upstream)
{
    struct shape wide = shape;
    wide.type = compute_type(shape.type);
    int64_t count = elements_of(shape), rows = shape.outer * shape.inner;
    void *x = converted(shape.type, logits, wide.type, count), *y = converted(shape.type, sample, wide.type, count);
    void *v = converted(shape.type, upstream, wide.type, count), *out[4], *dtau = make(wide.type, rows);
    int32_t *columns = make(GUMBEL4J_INT32, rows);
    for (int k = 0; k < 4; k++)
        out[k] = make(wide.type, count);
    CHECK(call_soft(wide, packed(wide, x), all_rows(0.5), draw, packed(wide, out[0])) == rows
              && call_hard(wide, packed(wide, x), draw, packed(wide, out[1])) == rows
              && call_vjp(wide, packed(wide, y), packed(wide, v), all_rows(0.5), packed(wide, out[2]), packed_rows(wide, dtau)) == rows
              && call_gumbel(wide, draw, packed(wide, out[3])) == rows
              && call_categorical(wide, packed(wide, x), draw, packed_rows(wide, columns)) == rows,
          "contiguous %s", name_of(wide.type));
    free(x);
    free(y);
    free(v);
    for (int k = 0; k < 4; k++)
        out[k] = rounded(wide, out[k], shape.type);
    return (struct results){out[0], out[1], out[2], dtau, out[3], columns};
}

static void compare(struct shape shape, enum layout layout)
{
    int64_t count = elements_of(shape), rows = shape.outer * shape.inner;
    struct shape tau_shape = one_a_row(compute_type(shape.type), shape), indices = one_a_row(GUMBEL4J_INT32, shape);
    void *values[3];
    uint64_t random = 2;
    for (int k = 0; k < 3; k++) {
        values[k] = make(shape.type, count);
        for (int64_t n = 0; n < count; n++) {
            double u = next_random(&random);
            put(shape.type, values[k], n, k == 1 ? (u < 0.1 ? 0 : u * 0x1p-6) : 8 * u - 4);
        }
    }
    struct results expected = contiguous_results(shape, values[0], values[1], values[2]);
    struct operand x = strides_of(layout, shape), y = x, v = x, out = x;
    int64_t bytes = span_of(shape, x) * bytes_of(shape.type);
    struct operand *operands[] = {&x, &y, &v, &out};
    for (int k = 0; k < 4; k++) {
        operands[k]->data = malloc((size_t)bytes);
        if (k < 3)
            lay_out(shape, values[k], *operands[k]);
        free(k < 3 ? values[k] : NULL);
    }
    struct operand columns = packed_rows(shape, make(GUMBEL4J_INT32, rows)), dtau = packed_rows(shape, make(tau_shape.type, rows));
    watch(out.data, bytes);

#define EXPECT(call, result, what)                                                                                               \
    do {                                                                                                                         \
        bool returned = (call) == rows, equal = holds(shape, out, result);                                                       \
        CHECK(returned && equal && untouched_but(shape, out, out.data, bytes), "%s %s %s, %d classes", what, name_of(shape.type), \
              layout_names[layout], (int)shape.classes);                                                                         \
        free(result);                                                                                                            \
    } while (0)
    EXPECT(call_soft(shape, x, all_rows(0.5), draw, out), expected.soft, "soft");
    EXPECT(call_hard(shape, x, draw, out), expected.hard, "hard");
    EXPECT(call_gumbel(shape, draw, out), expected.gumbel, "gumbel");
    EXPECT(call_vjp(shape, y, v, all_rows(0.5), out, dtau), expected.dlogits, "vjp");
    CHECK(holds(tau_shape, dtau, expected.dtau), "dtau %s %s", name_of(shape.type), layout_names[layout]);
    CHECK(call_categorical(shape, x, draw, columns) == rows && holds(indices, columns, expected.columns), "categorical %s %s",
          name_of(shape.type), layout_names[layout]);
    free(expected.dtau);
    free(expected.columns);
    void *memory[] = {x.data, y.data, v.data, out.data, columns.data, dtau.data};
    for (int k = 0; k < 6; k++)
        free(memory[k]);
}

int main(void)
{
    compare((struct shape){GUMBEL4J_FLOAT32, 1, 2, 150001}, CLASS_AXIS_FIRST);
    compare((struct shape){GUMBEL4J_BFLOAT16, 1, 2, 150001}, CLASS_AXIS_FIRST);
    for (int t = 0; t < TYPES; t++) {
        compare((struct shape){all_types[t], 1, 1, 300001}, is_half(all_types[t]) ? PACKED : EVERY_SECOND_CLASS);
        compare((struct shape){all_types[t], 2, 300, 130}, CLASS_AXIS_IN_THE_MIDDLE);
        compare((struct shape){all_types[t], 9000, 3, 3}, GAPS_EVERYWHERE);
    }
    return finish("long rows");
}
