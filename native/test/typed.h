/* spec.h under one name for both element types: the type is an argument, as in gumbel4j.h. */
#ifndef GUMBEL4J_TEST_TYPED_H
#define GUMBEL4J_TEST_TYPED_H

#include "gumbel4j.h"
#include "spec.h"

static inline const char *name_of(int32_t type) { return type == GUMBEL4J_FLOAT32 ? "float32" : "float64"; }

static inline int64_t bytes_of(int32_t type) { return type == GUMBEL4J_FLOAT32 ? 4 : 8; }

static inline double largest_of(int32_t type) { return type == GUMBEL4J_FLOAT32 ? 0x1.fffffep127 : 0x1.fffffffffffffp1023; }

static inline void put(int32_t type, void *array, int64_t i, double x)
{
    if (type == GUMBEL4J_FLOAT32)
        ((float *)array)[i] = (float)x;
    else
        ((double *)array)[i] = x;
}

static inline double get(int32_t type, const void *array, int64_t i)
{
    return type == GUMBEL4J_FLOAT32 ? (double)((const float *)array)[i] : ((const double *)array)[i];
}

/* Address of element i. */
static inline void *element(int32_t type, const void *array, int64_t i) { return (char *)array + i * bytes_of(type); }

#define TYPED(type, float32_call, float64_call) ((type) == GUMBEL4J_FLOAT32 ? (float32_call) : (float64_call))

static inline double typed_noise(int32_t type, uint64_t seed, uint64_t stream, uint64_t i)
{
    return TYPED(type, (double)spec_noise_float32(seed, stream, i), spec_noise_float64(seed, stream, i));
}

static inline int64_t typed_argmax(int32_t type, const void *x, int64_t classes, uint64_t seed, uint64_t stream, uint64_t index)
{
    return TYPED(type, spec_argmax_float32(x, classes, seed, stream, index), spec_argmax_float64(x, classes, seed, stream, index));
}

static inline bool typed_refused(int32_t type, const void *x, int64_t classes)
{
    return TYPED(type, spec_refused_float32(x, classes), spec_refused_float64(x, classes));
}

static inline void typed_hard(int32_t type, const void *x, int64_t classes, uint64_t seed, uint64_t stream, uint64_t index, void *y)
{
    TYPED(type, spec_hard_float32(x, classes, seed, stream, index, y), spec_hard_float64(x, classes, seed, stream, index, y));
}

static inline void typed_soft(int32_t type, const void *x, int64_t classes, double tau, uint64_t seed, uint64_t stream, uint64_t index,
                              void *y)
{
    TYPED(type, spec_soft_float32(x, classes, tau, seed, stream, index, y), spec_soft_float64(x, classes, tau, seed, stream, index, y));
}

static inline void typed_vjp(int32_t type, const void *y, const void *v, int64_t classes, double tau, void *dx, void *dtau)
{
    TYPED(type, spec_vjp_float32(y, v, classes, tau, dx, dtau), spec_vjp_float64(y, v, classes, tau, dx, dtau));
}

/* A fixed sequence of test values in [0, 1). */
static inline double next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(*state >> 11) * 0x1p-53;
}

#endif
