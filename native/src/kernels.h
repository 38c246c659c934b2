/*
 * What a tier offers: one table of kernels for each element type. Arguments have passed the checks of gumbel4j.c; there is at least one
 * row, and at least one column in a part. Kernels return what the functions of gumbel4j.h return.
 */
#ifndef GUMBEL4J_KERNELS_H
#define GUMBEL4J_KERNELS_H

#include <stdbool.h>
#include <stdint.h>

struct extent {
    int64_t outer, inner, classes;
};

/* Class c of row o * inner + i is element o * outer_stride + i * inner_stride + c * class_stride. An input is only read. */
struct view {
    void *data;
    int64_t outer_stride, inner_stride, class_stride;
};

/* Columns of one row: column c is element c * stride. An input is only read. */
struct columns {
    void *data;
    int64_t stride;
};

/* Where the noise of a call comes from: its first element, row after row without gaps. */
struct noise {
    uint64_t seed, stream, first_element;
};

/* One temperature for all rows, or where `rows.data` is not null, one for each (its class stride counts for nothing). */
struct temperatures {
    double all;
    struct view rows;
};

struct kernels {
    int64_t (*words)(struct extent, struct noise, struct view out);   /* null for half types */
    int64_t (*uniform)(struct extent, struct noise, struct view out); /* null for half types */
    int64_t (*gumbel)(struct extent, struct noise, struct view out);
    int64_t (*soft)(struct extent, struct view logits, struct temperatures, struct noise, struct view out);
    int64_t (*hard)(struct extent, struct view logits, struct noise, struct view out);
    int64_t (*categorical)(struct extent, struct view logits, struct noise, struct view out);
    int64_t (*vjp)(struct extent, struct view sample, struct view upstream, struct temperatures, struct view dlogits,
                   struct view dtau); /* dtau.data may be null */

    /* A single packed row of at most `lone_classes` classes, with one temperature. */
    int64_t lone_classes;
    int64_t (*gumbel_lone)(int64_t classes, uint64_t seed, uint64_t stream, uint64_t first_element, void *out);
    int64_t (*soft_lone)(int64_t classes, const void *logits, double tau, uint64_t seed, uint64_t stream, uint64_t first_element, void *out);
    int64_t (*hard_lone)(int64_t classes, const void *logits, uint64_t seed, uint64_t stream, uint64_t first_element, void *out);
    int64_t (*categorical_lone)(int64_t classes, const void *logits, uint64_t seed, uint64_t stream, uint64_t first_element, int32_t *out);
    int64_t (*vjp_lone)(int64_t classes, const void *sample, const void *upstream, double tau, void *dlogits, void *dtau);

    bool (*part_perturb)(int64_t count, struct columns logits, struct noise, struct columns out, double *top);
    void (*part_exp)(int64_t count, struct columns logits, double tau, double top, struct noise, struct columns out, void *sums);
    void (*part_scale)(int64_t count, struct columns logits, double tau, double top, double factor, struct noise, struct columns out);
    bool (*part_argmax)(int64_t count, struct columns logits, struct noise, double *s, int64_t *column);
    void (*part_one_hot)(int64_t count, int64_t column, struct columns out);
    void (*part_dot)(int64_t count, struct columns sample, struct columns upstream, void *sums);
    void (*part_gradient)(int64_t count, struct columns sample, struct columns upstream, double tau, double dot, struct columns dlogits,
                          void *sums); /* may be null */
};

struct tier {
    const char *name;
    struct kernels float32, float64, float16, bfloat16;
};

extern const struct tier gumbel4j_base_tier;
#ifdef __x86_64__
extern const struct tier gumbel4j_avx2_tier;
extern const struct tier gumbel4j_avx512_tier;
#endif
#ifdef __aarch64__
extern const struct tier gumbel4j_neon_tier;
#endif

#endif
