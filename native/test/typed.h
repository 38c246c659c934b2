/* spec.h and spec_half.h under one name for all element types: the type is an argument, as in gumbel4j.h. */
#ifndef GUMBEL4J_TEST_TYPED_H
#define GUMBEL4J_TEST_TYPED_H

#include "gumbel4j.h"
#include "spec.h"
#include "spec_half.h"

enum { TYPES = 4 };
static const int32_t all_types[TYPES] = {GUMBEL4J_FLOAT32, GUMBEL4J_FLOAT64, GUMBEL4J_FLOAT16, GUMBEL4J_BFLOAT16};

static inline bool is_half(int32_t type) { return type == GUMBEL4J_FLOAT16 || type == GUMBEL4J_BFLOAT16; }

/* The type of its temperatures. */
static inline int32_t compute_type(int32_t type) { return is_half(type) ? GUMBEL4J_FLOAT32 : type; }

static inline const char *name_of(int32_t type)
{
    static const char *const names[] = {"float32", "float64", "int32", "int64", "float16", "bfloat16"};
    return names[type];
}

static inline int64_t bytes_of(int32_t type)
{
    static const int64_t bytes[] = {4, 8, 4, 8, 2, 2};
    return bytes[type];
}

static inline double largest_of(int32_t type)
{
    static const double largest[] = {0x1.fffffep127, 0x1.fffffffffffffp1023, 0, 0, 0x1.ffcp15, 0x1.fep127};
    return largest[type];
}

static inline uint16_t to_half(int32_t type, float x) { return type == GUMBEL4J_FLOAT16 ? spec_to_float16(x) : spec_to_bfloat16(x); }

static inline float of_half(int32_t type, uint16_t n) { return type == GUMBEL4J_FLOAT16 ? spec_of_float16(n) : spec_of_bfloat16(n); }

static inline void put(int32_t type, void *array, int64_t i, double x)
{
    switch (type) {
    case GUMBEL4J_FLOAT32: ((float *)array)[i] = (float)x; break;
    case GUMBEL4J_FLOAT64: ((double *)array)[i] = x; break;
    default: ((uint16_t *)array)[i] = to_half(type, (float)x);
    }
}

static inline double get(int32_t type, const void *array, int64_t i)
{
    switch (type) {
    case GUMBEL4J_FLOAT32: return (double)((const float *)array)[i];
    case GUMBEL4J_FLOAT64: return ((const double *)array)[i];
    default: return (double)of_half(type, ((const uint16_t *)array)[i]);
    }
}

/* Address of element i. */
static inline void *element(int32_t type, const void *array, int64_t i) { return (char *)array + i * bytes_of(type); }

static inline void *make(int32_t type, int64_t count) { return calloc((size_t)count, (size_t)bytes_of(type)); }

static inline bool same(int32_t type, const void *a, const void *b, int64_t count)
{
    return memcmp(a, b, (size_t)(count * bytes_of(type))) == 0;
}

/* `count` elements as another type, to be freed: exactly if that is wider, else rounded. */
static inline void *converted(int32_t from, const void *array, int32_t to, int64_t count)
{
    void *copy = make(to, count);
    for (int64_t i = 0; i < count; i++)
        put(to, copy, i, get(from, array, i));
    return copy;
}

static inline double typed_noise(int32_t type, uint64_t seed, uint64_t stream, uint64_t i)
{
    return type == GUMBEL4J_FLOAT64 ? spec_noise_float64(seed, stream, i) : (double)spec_noise_float32(seed, stream, i);
}

/* ---- the operators on one row: halves are widened, and their results rounded ---- */

static inline void typed_soft(int32_t type, const void *x, int64_t classes, double tau, uint64_t seed, uint64_t stream, uint64_t index,
                              void *y)
{
    if (type == GUMBEL4J_FLOAT64) {
        spec_soft_float64(x, classes, tau, seed, stream, index, y);
        return;
    }
    float *wide = converted(type, x, GUMBEL4J_FLOAT32, classes), *result = make(GUMBEL4J_FLOAT32, classes);
    spec_soft_float32(wide, classes, tau, seed, stream, index, result);
    for (int64_t c = 0; c < classes; c++)
        put(type, y, c, (double)result[c]);
    free(wide);
    free(result);
}

static inline int64_t typed_argmax(int32_t type, const void *x, int64_t classes, uint64_t seed, uint64_t stream, uint64_t index)
{
    if (type == GUMBEL4J_FLOAT64)
        return spec_argmax_float64(x, classes, seed, stream, index);
    float *wide = converted(type, x, GUMBEL4J_FLOAT32, classes);
    int64_t at = spec_argmax_float32(wide, classes, seed, stream, index);
    free(wide);
    return at;
}

static inline void typed_hard(int32_t type, const void *x, int64_t classes, uint64_t seed, uint64_t stream, uint64_t index, void *y)
{
    int64_t at = typed_argmax(type, x, classes, seed, stream, index);
    for (int64_t c = 0; c < classes; c++)
        put(type, y, c, c == at);
}

static inline bool typed_refused(int32_t type, const void *x, int64_t classes)
{
    double *wide = converted(type, x, GUMBEL4J_FLOAT64, classes);
    bool refused = spec_refused_float64(wide, classes);
    free(wide);
    return refused;
}

/* dtau is of the compute type. */
static inline void typed_vjp(int32_t type, const void *y, const void *v, int64_t classes, double tau, void *dx, void *dtau)
{
    if (type == GUMBEL4J_FLOAT64) {
        spec_vjp_float64(y, v, classes, tau, dx, dtau);
        return;
    }
    float *wide_y = converted(type, y, GUMBEL4J_FLOAT32, classes), *wide_v = converted(type, v, GUMBEL4J_FLOAT32, classes);
    float *result = make(GUMBEL4J_FLOAT32, classes);
    spec_vjp_float32(wide_y, wide_v, classes, tau, result, dtau);
    for (int64_t c = 0; c < classes; c++)
        put(type, dx, c, (double)result[c]);
    free(wide_y);
    free(wide_v);
    free(result);
}

/* A fixed sequence of test values in [0, 1). */
static inline double next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(*state >> 11) * 0x1p-53;
}

#endif
