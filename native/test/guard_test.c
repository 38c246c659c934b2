/*
 * No operator reads or writes outside its operands' elements: arrays of every layout end against an unreadable page, then start after
 * one, with every number of classes from 1 to 300; gaps in outputs keep their bytes, and gaps in inputs hold NaN that nobody may notice.
 */
#define _DEFAULT_SOURCE /* mmap's MAP_ANONYMOUS */
#include "guard.h"

enum { LONGEST = 300, FEW = 20, MANY_ROWS = 35 };

static const struct draw draw = {1, 2, 77};

static void operators(struct shape shape, enum layout layout, bool at_end)
{
    struct shape tau_shape = one_a_row(compute_type(shape.type), shape), indices = one_a_row(GUMBEL4J_INT32, shape);
    struct operand strides = strides_of(layout, shape), tau_strides = strides_of(layout, tau_shape);
    struct operand x = guarded_input(0, at_end, shape, strides, -1), out = guarded_output(1, at_end, shape, strides);
    struct temperature tau = each_row(guarded_input(4, at_end, tau_shape, tau_strides, 0.5));
    int64_t rows = shape.outer * shape.inner;

#define ALONE(call)                                                                                                              \
    do {                                                                                                                         \
        bool returned = (call) == rows;                                                                                          \
        CHECK(returned && output_untouched(1, at_end, out_shape, out), "%s, %d classes, %s, at %s", name_of(shape.type),         \
              (int)shape.classes, layout_names[layout], at_end ? "end" : "start");                                               \
    } while (0)

    struct shape out_shape = shape;
    ALONE(call_soft(shape, x, all_rows(0.5), draw, out));
    ALONE(call_soft(shape, x, tau, draw, out));
    ALONE(call_hard(shape, x, draw, out));
    ALONE(call_gumbel(shape, draw, out));
    out = guarded_output(1, at_end, indices, strides_of(layout, indices));
    out_shape = indices;
    ALONE(call_categorical(shape, x, draw, out));

    struct operand y = guarded_input(0, at_end, shape, strides, 0), v = guarded_input(2, at_end, shape, strides, -1);
    struct operand dtau = guarded_output(3, at_end, tau_shape, tau_strides);
    out = guarded_output(1, at_end, shape, strides);
    out_shape = shape;
    ALONE(call_vjp(shape, y, v, tau, out, dtau));
    ALONE(call_vjp(shape, y, v, all_rows(0.5), out, (struct operand){NULL, 0, 0, 0}));
    CHECK(output_untouched(3, at_end, tau_shape, dtau), "dtau %s, %d classes, %s", name_of(shape.type), (int)shape.classes,
          layout_names[layout]);
}

/* The outputs that are not of a floating type, or of another one. */
static void words_and_uniforms(struct shape shape, enum layout layout, bool at_end)
{
    static const int32_t streams[2][2] = {{GUMBEL4J_INT32, GUMBEL4J_FLOAT32}, {GUMBEL4J_INT64, GUMBEL4J_FLOAT64}};
    for (int k = 0; k < 2; k++) {
        struct shape words = shape, uniform = shape, wide = shape;
        words.type = streams[k][0];
        uniform.type = streams[k][1];
        wide.type = GUMBEL4J_FLOAT64;
        struct operand strides = strides_of(layout, shape), out = guarded_output(1, at_end, words, strides);
        int64_t done = call_words(words, draw, out);
        CHECK(done == shape.outer * shape.inner && output_untouched(1, at_end, words, out), "words, %d classes, %s", (int)shape.classes,
              layout_names[layout]);
        out = guarded_output(1, at_end, wide, strides);
        done = call_uniform(uniform, draw, out);
        CHECK(done == shape.outer * shape.inner && output_untouched(1, at_end, wide, out), "uniform, %d classes, %s", (int)shape.classes,
              layout_names[layout]);
    }
}

int main(void)
{
    static const enum layout layouts[] = {PACKED,           PADDED_ROWS,   EVERY_SECOND_CLASS, CLASS_AXIS_IN_THE_MIDDLE,
                                          CLASS_AXIS_FIRST, REVERSED_AXES, GAPS_EVERYWHERE};
    make_regions((size_t)(5 * (3 * LONGEST + 4) * 2 + 4) * 8);
    for (int64_t classes = 1; classes <= LONGEST; classes++)
        for (size_t k = 0; k < sizeof layouts / sizeof *layouts; k++)
            for (int at_end = 0; at_end < 2; at_end++) {
                /* rows in one axis or in two */
                struct shape shape = {0, 1 + classes % 2, 2 - classes % 2, classes};
                for (int t = 0; t < TYPES; t++) {
                    shape.type = all_types[t];
                    operators(shape, layouts[k], at_end);
                    struct shape many = {all_types[t], 1, MANY_ROWS, classes}; /* as are worked on together */
                    if (classes <= FEW)
                        operators(many, layouts[k], at_end);
                }
                words_and_uniforms(shape, layouts[k], at_end);
            }
    return finish("guard");
}
