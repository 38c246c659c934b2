/*
 * What the kernels work on where they need no tile: rows of consecutive elements of the compute type, each one stride after the last.
 */
#ifndef GUMBEL4J_ROWS_H
#define GUMBEL4J_ROWS_H

#include "kernels.h"

/* The noise from a row on. */
static inline struct noise noise_of_row(struct noise noise, struct extent extent, int64_t row)
{
    noise.first_element += (uint64_t)row * (uint64_t)extent.classes;
    return noise;
}

struct shape {
    int64_t rows, classes;
};

/* Row r starts at element r * stride. */
struct input {
    const void *data;
    int64_t stride;
};

struct output {
    void *data;
    int64_t stride;
};

/* One temperature for all rows, or where `rows.data` is not null, element r * rows.stride for row r. */
struct temperature {
    double all;
    struct input rows;
};

#endif
