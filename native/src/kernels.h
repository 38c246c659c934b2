/*
 * What a tier offers: one table of kernels for each element type. Arguments have passed the checks of gumbel4j.c; rows > 0. Kernels
 * return what the operators of gumbel4j.h return.
 */
#ifndef GUMBEL4J_KERNELS_H
#define GUMBEL4J_KERNELS_H

#include <stdint.h>

struct shape {
    int64_t rows, classes;
};

struct noise {
    uint64_t seed, stream, first_row;
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

struct kernels {
    int64_t (*words)(struct shape, struct noise, struct output out);
    int64_t (*uniform)(struct shape, struct noise, struct output out);
    int64_t (*gumbel)(struct shape, struct noise, struct output out);
    int64_t (*soft)(struct shape, struct input logits, struct temperature, struct noise, struct output out);
    int64_t (*hard)(struct shape, struct input logits, struct noise, struct output out);
    int64_t (*categorical)(struct shape, struct input logits, struct noise, struct output out);
    int64_t (*vjp)(struct shape, struct input sample, struct input upstream, struct temperature, struct output dlogits,
                   struct output dtau); /* dtau.data may be null */
};

struct tier {
    const char *name;
    struct kernels float32, float64;
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
