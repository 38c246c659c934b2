/* The operators of gumbel4j.h with their arguments in groups: a shape, operands that are an address and three strides, what is drawn. */
#ifndef GUMBEL4J_TEST_CALLS_H
#define GUMBEL4J_TEST_CALLS_H

#include "gumbel4j.h"

#include <stddef.h>

struct shape {
    int32_t type;
    int64_t outer, inner, classes;
};

struct operand {
    void *data;
    int64_t outer_stride, inner_stride, class_stride;
};

struct draw {
    uint64_t seed, stream, first_element;
};

/* `all` counts where `rows` has no address. */
struct temperature {
    double all;
    struct operand rows;
};

static inline struct shape matrix(int32_t type, int64_t rows, int64_t classes) { return (struct shape){type, 1, rows, classes}; }

/* The rows of a matrix, `stride` elements apart. */
static inline struct operand rows_of(const void *data, int64_t stride) { return (struct operand){(void *)data, 0, stride, 1}; }

/* Elements of any shape, one after the other. */
static inline struct operand packed(struct shape shape, const void *data)
{
    return (struct operand){(void *)data, shape.inner * shape.classes, shape.classes, 1};
}

/* One element a row, one after the other: temperatures, their gradients, indices. */
static inline struct operand packed_rows(struct shape shape, const void *data) { return (struct operand){(void *)data, shape.inner, 1, 0}; }

static inline struct temperature all_rows(double tau) { return (struct temperature){tau, {NULL, 0, 0, 0}}; }

static inline struct temperature each_row(struct operand rows) { return (struct temperature){0, rows}; }

/* What row `first_row` of an array with these classes draws, and the rows after it. */
static inline struct draw draw_of(uint64_t seed, uint64_t stream, uint64_t first_row, int64_t classes)
{
    return (struct draw){seed, stream, first_row * (uint64_t)classes};
}

#define SHAPE(s) (s).type, (s).outer, (s).inner, (s).classes
#define OPERAND(o) (o).data, (o).outer_stride, (o).inner_stride, (o).class_stride
#define ROWS_OPERAND(o) (o).data, (o).outer_stride, (o).inner_stride
#define DRAW(d) (d).seed, (d).stream, (d).first_element

static inline int64_t call_words(struct shape shape, struct draw draw, struct operand out)
{
    return gumbel4j_words(SHAPE(shape), DRAW(draw), OPERAND(out));
}

static inline int64_t call_uniform(struct shape shape, struct draw draw, struct operand out)
{
    return gumbel4j_uniform(SHAPE(shape), DRAW(draw), OPERAND(out));
}

static inline int64_t call_gumbel(struct shape shape, struct draw draw, struct operand out)
{
    return gumbel4j_gumbel(SHAPE(shape), DRAW(draw), OPERAND(out));
}

static inline int64_t call_soft(struct shape shape, struct operand logits, struct temperature tau, struct draw draw, struct operand out)
{
    return gumbel4j_soft(SHAPE(shape), OPERAND(logits), tau.all, ROWS_OPERAND(tau.rows), DRAW(draw), OPERAND(out));
}

static inline int64_t call_hard(struct shape shape, struct operand logits, struct draw draw, struct operand out)
{
    return gumbel4j_hard(SHAPE(shape), OPERAND(logits), DRAW(draw), OPERAND(out));
}

static inline int64_t call_categorical(struct shape shape, struct operand logits, struct draw draw, struct operand out)
{
    return gumbel4j_categorical(SHAPE(shape), OPERAND(logits), DRAW(draw), ROWS_OPERAND(out));
}

static inline int64_t call_vjp(struct shape shape, struct operand sample, struct operand upstream, struct temperature tau,
                               struct operand dlogits, struct operand dtau)
{
    return gumbel4j_vjp(SHAPE(shape), OPERAND(sample), OPERAND(upstream), tau.all, ROWS_OPERAND(tau.rows), OPERAND(dlogits),
                        ROWS_OPERAND(dtau));
}

#endif
