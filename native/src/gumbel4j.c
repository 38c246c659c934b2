/*
 * The functions of gumbel4j.h: every argument is checked here, once, before a kernel of the chosen tier runs.
 */
#include "gumbel4j.h"

#include "choose_tier.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

_Static_assert(sizeof(void *) == 8 && sizeof(float) == 4 && sizeof(double) == 8, "written for 64-bit machines with IEEE formats");

#ifndef GUMBEL4J_VERSION
#error "GUMBEL4J_VERSION must be defined as a string by the build (native/build.sh)"
#endif

/* A matrix as an argument gives it; `data` is only read through the kernels. */
struct matrix {
    const void *data;
    int64_t rows, columns, stride, element_bytes;
};

static bool is_float(int32_t type) { return type == GUMBEL4J_FLOAT32 || type == GUMBEL4J_FLOAT64; }

static int64_t bytes_of(int32_t type) { return type == GUMBEL4J_FLOAT32 || type == GUMBEL4J_INT32 ? 4 : 8; }

static const struct kernels *kernels_of(int32_t type)
{
    const struct tier *tier = gumbel4j_choose_tier();
    return type == GUMBEL4J_FLOAT32 || type == GUMBEL4J_INT32 ? &tier->float32 : &tier->float64;
}

static bool is_shape(struct shape shape) { return shape.rows >= 0 && shape.classes >= 1; }

/* stream, and every index of the noise, below 2^63. */
static bool is_noise(struct noise noise, struct shape shape)
{
    uint64_t rows, indices;
    return noise.stream >> 63 == 0 && !__builtin_add_overflow(noise.first_row, (uint64_t)shape.rows, &rows)
           && !__builtin_mul_overflow(rows, (uint64_t)shape.classes, &indices) && indices >> 63 == 0;
}


/* No address is looked at when there are no rows. */
static bool is_matrix(struct matrix m)
{
    int64_t elements, bytes;
    if (m.rows > 1 && m.stride < m.columns)
        return false;
    if (m.rows == 0)
        return true;
    if (__builtin_mul_overflow(m.rows - 1, m.rows > 1 ? m.stride : 0, &elements) || __builtin_add_overflow(elements, m.columns, &elements)
        || __builtin_mul_overflow(elements, m.element_bytes, &bytes))
        return false;
    uintptr_t address = (uintptr_t)m.data;
    return m.data != NULL && address % (uintptr_t)m.element_bytes == 0 && address <= UINTPTR_MAX - (uint64_t)bytes;
}

/* Not negative, or positive, and finite once rounded to the type. */
static bool is_tau(int32_t type, double tau, bool positive)
{
    double rounded = type == GUMBEL4J_FLOAT32 ? (double)(float)tau : tau;
    return (positive ? rounded > 0 : tau >= 0) && isfinite(rounded);
}

/* The temperatures of the rows as a matrix, one of no rows where there is one for all. */
static struct matrix temperature_matrix(int32_t type, struct temperature tau, int64_t rows)
{
    return (struct matrix){tau.rows.data, tau.rows.data == NULL ? 0 : rows, 1, tau.rows.stride, bytes_of(type)};
}

static bool is_temperature(int32_t type, struct temperature tau, int64_t rows, bool positive)
{
    if (tau.rows.data == NULL)
        return is_tau(type, tau.all, positive);
    if (!is_matrix(temperature_matrix(type, tau, rows)))
        return false;
    for (int64_t r = 0; r < rows; r++) {
        int64_t at = r * tau.rows.stride;
        if (!is_tau(type, type == GUMBEL4J_FLOAT32 ? (double)((const float *)tau.rows.data)[at] : ((const double *)tau.rows.data)[at], positive))
            return false;
    }
    return true;
}

/* Whether two matrices (both is_matrix) have a byte in common. Matrices that take turns within the same rows, as the left and right
 * halves of a wider one, do not. */
static bool overlap(struct matrix a, struct matrix b)
{
    if (a.rows == 0 || b.rows == 0)
        return false;
    int64_t a_row = a.columns * a.element_bytes, b_row = b.columns * b.element_bytes;
    int64_t a_step = a.rows > 1 ? a.stride * a.element_bytes : a_row, b_step = b.rows > 1 ? b.stride * b.element_bytes : b_row;
    uintptr_t a_start = (uintptr_t)a.data, b_start = (uintptr_t)b.data;
    uintptr_t a_end = a_start + (uintptr_t)((a.rows - 1) * a_step + a_row), b_end = b_start + (uintptr_t)((b.rows - 1) * b_step + b_row);
    if (a_end <= b_start || b_end <= a_start)
        return false;
    for (int64_t r = 0; r < a.rows; r++) {
        uintptr_t start = a_start + (uintptr_t)(r * a_step), end = start + (uintptr_t)a_row;
        if (end <= b_start || start >= b_end)
            continue;
        /* the last row of b that starts before this row of a ends */
        int64_t last = (int64_t)((end - 1 - b_start) / (uintptr_t)b_step);
        last = last < b.rows ? last : b.rows - 1;
        if (b_start + (uintptr_t)(last * b_step + b_row) > start)
            return true;
    }
    return false;
}

int32_t gumbel4j_abi_version(void) { return GUMBEL4J_ABI_VERSION; }

const char *gumbel4j_version(void) { return GUMBEL4J_VERSION; }

const char *gumbel4j_isa(void) { return gumbel4j_choose_tier()->name; }

int64_t gumbel4j_words(int32_t type, int64_t rows, int64_t classes, uint64_t seed, uint64_t stream, uint64_t first_row, void *out,
                       int64_t out_stride)
{
    struct shape shape = {rows, classes};
    struct noise noise = {seed, stream, first_row};
    if ((type != GUMBEL4J_INT32 && type != GUMBEL4J_INT64) || !is_shape(shape) || !is_noise(noise, shape)
        || !is_matrix((struct matrix){out, rows, classes, out_stride, bytes_of(type)}))
        return GUMBEL4J_BAD_ARGUMENT;
    return rows == 0 ? 0 : kernels_of(type)->words(shape, noise, (struct output){out, out_stride});
}

int64_t gumbel4j_uniform(int32_t type, int64_t rows, int64_t classes, uint64_t seed, uint64_t stream, uint64_t first_row, double *out,
                         int64_t out_stride)
{
    struct shape shape = {rows, classes};
    struct noise noise = {seed, stream, first_row};
    if (!is_float(type) || !is_shape(shape) || !is_noise(noise, shape)
        || !is_matrix((struct matrix){out, rows, classes, out_stride, sizeof *out}))
        return GUMBEL4J_BAD_ARGUMENT;
    return rows == 0 ? 0 : kernels_of(type)->uniform(shape, noise, (struct output){out, out_stride});
}

int64_t gumbel4j_gumbel(int32_t type, int64_t rows, int64_t classes, uint64_t seed, uint64_t stream, uint64_t first_row, void *out,
                        int64_t out_stride)
{
    struct shape shape = {rows, classes};
    struct noise noise = {seed, stream, first_row};
    if (!is_float(type) || !is_shape(shape) || !is_noise(noise, shape)
        || !is_matrix((struct matrix){out, rows, classes, out_stride, bytes_of(type)}))
        return GUMBEL4J_BAD_ARGUMENT;
    return rows == 0 ? 0 : kernels_of(type)->gumbel(shape, noise, (struct output){out, out_stride});
}

/* What soft, hard and categorical have in common. */
static bool is_sampling(int32_t type, struct shape shape, struct noise noise, struct matrix logits, struct matrix out)
{
    return is_float(type) && is_shape(shape) && is_noise(noise, shape) && is_matrix(logits) && is_matrix(out) && !overlap(logits, out);
}

int64_t gumbel4j_soft(int32_t type, int64_t rows, int64_t classes, const void *logits, int64_t logits_stride, double tau,
                      const void *row_tau, int64_t row_tau_stride, uint64_t seed, uint64_t stream, uint64_t first_row, void *out,
                      int64_t out_stride)
{
    struct shape shape = {rows, classes};
    struct noise noise = {seed, stream, first_row};
    struct temperature temperature = {tau, {row_tau, row_tau_stride}};
    struct matrix y = {out, rows, classes, out_stride, bytes_of(type)};
    if (!is_sampling(type, shape, noise, (struct matrix){logits, rows, classes, logits_stride, bytes_of(type)}, y)
        || !is_temperature(type, temperature, rows, false) || overlap(temperature_matrix(type, temperature, rows), y))
        return GUMBEL4J_BAD_ARGUMENT;
    return rows == 0 ? 0
                     : kernels_of(type)->soft(shape, (struct input){logits, logits_stride}, temperature, noise,
                                              (struct output){out, out_stride});
}

int64_t gumbel4j_hard(int32_t type, int64_t rows, int64_t classes, const void *logits, int64_t logits_stride, uint64_t seed,
                      uint64_t stream, uint64_t first_row, void *out, int64_t out_stride)
{
    struct shape shape = {rows, classes};
    struct noise noise = {seed, stream, first_row};
    if (!is_sampling(type, shape, noise, (struct matrix){logits, rows, classes, logits_stride, bytes_of(type)},
                     (struct matrix){out, rows, classes, out_stride, bytes_of(type)}))
        return GUMBEL4J_BAD_ARGUMENT;
    return rows == 0 ? 0
                     : kernels_of(type)->hard(shape, (struct input){logits, logits_stride}, noise, (struct output){out, out_stride});
}

int64_t gumbel4j_categorical(int32_t type, int64_t rows, int64_t classes, const void *logits, int64_t logits_stride, uint64_t seed,
                             uint64_t stream, uint64_t first_row, int32_t *out, int64_t out_stride)
{
    struct shape shape = {rows, classes};
    struct noise noise = {seed, stream, first_row};
    if (!is_sampling(type, shape, noise, (struct matrix){logits, rows, classes, logits_stride, bytes_of(type)},
                     (struct matrix){out, rows, 1, out_stride, sizeof *out})
        || classes > INT32_MAX)
        return GUMBEL4J_BAD_ARGUMENT;
    return rows == 0
               ? 0
               : kernels_of(type)->categorical(shape, (struct input){logits, logits_stride}, noise, (struct output){out, out_stride});
}

int64_t gumbel4j_vjp(int32_t type, int64_t rows, int64_t classes, const void *sample, int64_t sample_stride, const void *upstream,
                     int64_t upstream_stride, double tau, const void *row_tau, int64_t row_tau_stride, void *dlogits,
                     int64_t dlogits_stride, void *dtau, int64_t dtau_stride)
{
    struct shape shape = {rows, classes};
    struct matrix y = {sample, rows, classes, sample_stride, bytes_of(type)};
    struct matrix v = {upstream, rows, classes, upstream_stride, bytes_of(type)};
    struct matrix dx = {dlogits, rows, classes, dlogits_stride, bytes_of(type)};
    struct matrix dt = {dtau, dtau == NULL ? 0 : rows, 1, dtau_stride, bytes_of(type)};
    struct temperature temperature = {tau, {row_tau, row_tau_stride}};
    if (!is_float(type) || !is_shape(shape) || !is_temperature(type, temperature, rows, true) || !is_matrix(y) || !is_matrix(v)
        || !is_matrix(dx) || !is_matrix(dt) || overlap(y, dx) || overlap(v, dx) || overlap(y, dt) || overlap(v, dt) || overlap(dx, dt))
        return GUMBEL4J_BAD_ARGUMENT;
    struct matrix t = temperature_matrix(type, temperature, rows);
    if (overlap(t, dx) || overlap(t, dt))
        return GUMBEL4J_BAD_ARGUMENT;
    return rows == 0 ? 0
                     : kernels_of(type)->vjp(shape, (struct input){sample, sample_stride}, (struct input){upstream, upstream_stride},
                                             temperature, (struct output){dlogits, dlogits_stride}, (struct output){dtau, dtau_stride});
}
