/*
 * A long row worked out in parts, as gumbel4j.h says: soft, hard and backward in stages, each a call for every part and then what one
 * thread makes of their results.
 */
#ifndef GUMBEL4J_TEST_PARTS_H
#define GUMBEL4J_TEST_PARTS_H

#include "calls.h"
#include "typed.h"

enum { BLOCK = 1024, MOST_PARTS = 8 };

/* One row: its operands are addresses and class strides. */
struct long_row {
    int32_t type;
    int64_t classes;
    double tau;
    struct draw draw;
    struct operand logits, sample, upstream; /* given */
    struct operand soft, hard, dlogits;      /* results */
    int64_t column;                          /* likewise, of hard */
    double dtau;                             /* likewise, of the compute type */
    int parts;
    int64_t first[MOST_PARTS + 1]; /* column of each part, and `classes` */
    /* between the stages */
    void *sums; /* one a block, of the compute type */
    double top[MOST_PARTS], s[MOST_PARTS], dot, factor;
    int64_t column_of_part[MOST_PARTS];
};

enum stage { PERTURB, EXP, SCALE, ARGMAX, ONE_HOT, DOT, GRADIENT, STAGES };

/* Cuts a row into parts as even as whole blocks allow; `uneven` gives the first part but one block. */
static inline void cut(struct long_row *row, int parts, bool uneven)
{
    int64_t blocks = (row->classes + BLOCK - 1) / BLOCK;
    row->parts = 0;
    for (int p = 0; p < parts; p++) {
        int64_t first = uneven && p > 0 ? 1 + (blocks - 1) * (p - 1) * (p - 1) / ((parts - 1) * (parts - 1)) : blocks * p / parts;
        if (first * BLOCK < row->classes && (p == 0 || first * BLOCK > row->first[row->parts - 1]))
            row->first[row->parts++] = first * BLOCK;
    }
    row->first[row->parts] = row->classes;
}

static inline const void *at(const struct long_row *row, struct operand operand, int part)
{
    return element(row->type, operand.data, row->first[part] * operand.class_stride);
}

/* The call of one stage for one part, and what it returns. */
static inline int64_t run_part(struct long_row *row, enum stage stage, int part)
{
    int64_t columns = row->first[part + 1] - row->first[part];
    struct draw draw = {row->draw.seed, row->draw.stream, row->draw.first_element + (uint64_t)row->first[part]};
    void *sums = row->sums == NULL ? NULL : element(compute_type(row->type), row->sums, row->first[part] / BLOCK);
    const void *logits = at(row, row->logits, part), *sample = at(row, row->sample, part), *upstream = at(row, row->upstream, part);
    void *soft = (void *)at(row, row->soft, part), *hard = (void *)at(row, row->hard, part), *dlogits = (void *)at(row, row->dlogits, part);
    int64_t x_stride = row->logits.class_stride, y_stride = row->sample.class_stride, v_stride = row->upstream.class_stride;
    switch (stage) {
    case PERTURB:
        return gumbel4j_part_perturb(row->type, columns, logits, x_stride, DRAW(draw), soft, row->soft.class_stride, &row->top[part]);
    case EXP:
        return gumbel4j_part_exp(row->type, columns, logits, x_stride, row->tau, row->top[0], DRAW(draw), soft, row->soft.class_stride, sums);
    case SCALE:
        return gumbel4j_part_scale(row->type, columns, logits, x_stride, row->tau, row->top[0], row->factor, DRAW(draw), soft,
                                   row->soft.class_stride);
    case ARGMAX:
        return gumbel4j_part_argmax(row->type, columns, logits, x_stride, DRAW(draw), &row->s[part], &row->column_of_part[part]);
    case ONE_HOT: {
        bool here = row->column >= row->first[part] && row->column < row->first[part + 1];
        return gumbel4j_part_one_hot(row->type, columns, here ? row->column - row->first[part] : -1, hard, row->hard.class_stride);
    }
    case DOT: return gumbel4j_part_dot(row->type, columns, sample, y_stride, upstream, v_stride, sums);
    default:
        return gumbel4j_part_gradient(row->type, columns, sample, y_stride, upstream, v_stride, row->tau, row->dot, dlogits,
                                      row->dlogits.class_stride, sums);
    }
}

/* The sums of all blocks in order, in the compute type. */
static inline double total_of(const struct long_row *row)
{
    float narrow = 0;
    double wide = 0;
    int32_t type = compute_type(row->type);
    for (int64_t b = 0; b * BLOCK < row->classes; b++) {
        narrow = narrow + (float)get(type, row->sums, b);
        wide = wide + get(type, row->sums, b);
    }
    return type == GUMBEL4J_FLOAT32 ? (double)narrow : wide;
}

/* What comes between a stage and the next one. */
static inline void join(struct long_row *row, enum stage stage)
{
    bool narrow = compute_type(row->type) == GUMBEL4J_FLOAT32;
    switch (stage) {
    case PERTURB:
        for (int p = 1; p < row->parts; p++)
            row->top[0] = row->top[p] > row->top[0] ? row->top[p] : row->top[0];
        break;
    case EXP: row->factor = narrow ? (double)(1 / (float)total_of(row)) : 1 / total_of(row); break;
    case ARGMAX: {
        double s = -INFINITY;
        row->column = -1;
        for (int p = 0; p < row->parts; p++)
            if (row->s[p] > s) {
                s = row->s[p];
                row->column = row->first[p] + row->column_of_part[p];
            }
        break;
    }
    case DOT: row->dot = total_of(row); break;
    case GRADIENT:
        row->dtau = narrow ? (double)spec_clean_float32(-(float)total_of(row)) : spec_clean_float64(-total_of(row));
        break;
    default: break;
    }
}

#endif
