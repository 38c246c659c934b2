/*
 * The rules of gumbel4j.h for arguments, each as a question.
 */
#ifndef GUMBEL4J_ARGUMENTS_H
#define GUMBEL4J_ARGUMENTS_H

#include "gumbel4j.h"

#include "kernels.h"

#include <float.h>
#include <math.h>
#include <stddef.h>

enum { DIMENSIONS = 3 };

/* Inlined always: operands passed through memory would cost a small call more than its work. */
#define QUESTION static inline __attribute__((always_inline))

/* An operand as an argument gives it: counts and strides (in elements) of its dimensions. */
struct operand {
    const void *data;
    int64_t counts[DIMENSIONS], strides[DIMENSIONS], element_bytes;
};

QUESTION struct operand operand(struct extent extent, struct view view, int64_t element_bytes)
{
    return (struct operand){view.data,
                            {extent.outer, extent.inner, extent.classes},
                            {view.outer_stride, view.inner_stride, view.class_stride},
                            element_bytes};
}

/* One element a row. */
QUESTION struct operand operand_of_rows(struct extent extent, struct view view, int64_t element_bytes)
{
    return operand((struct extent){extent.outer, extent.inner, 1}, view, element_bytes);
}

QUESTION struct operand operand_of_columns(int64_t count, struct columns columns, int64_t element_bytes)
{
    return (struct operand){columns.data, {1, 1, count}, {0, 0, columns.stride}, element_bytes};
}

QUESTION bool is_float(int32_t type)
{
    return type == GUMBEL4J_FLOAT32 || type == GUMBEL4J_FLOAT64 || type == GUMBEL4J_FLOAT16 || type == GUMBEL4J_BFLOAT16;
}

QUESTION bool is_half(int32_t type) { return type == GUMBEL4J_FLOAT16 || type == GUMBEL4J_BFLOAT16; }

QUESTION int64_t bytes_of(int32_t type)
{
    return is_half(type) ? 2 : type == GUMBEL4J_FLOAT32 || type == GUMBEL4J_INT32 ? 4 : 8;
}

QUESTION int32_t compute_type(int32_t type) { return is_half(type) ? GUMBEL4J_FLOAT32 : type; }

QUESTION bool is_extent(struct extent extent)
{
    int64_t rows;
    return extent.outer >= 0 && extent.inner >= 0 && extent.classes >= 1 && !__builtin_mul_overflow(extent.outer, extent.inner, &rows);
}

QUESTION int64_t rows_of(struct extent extent) { return extent.outer * extent.inner; }

/* stream, and every element of the noise, below 2^63. */
QUESTION bool is_noise(struct noise noise, struct extent extent)
{
    uint64_t count, end;
    return noise.stream >> 63 == 0 && !__builtin_mul_overflow((uint64_t)rows_of(extent), (uint64_t)extent.classes, &count)
           && !__builtin_add_overflow(noise.first_element, count, &end) && end >> 63 == 0;
}

QUESTION bool is_empty(struct operand x) { return x.counts[0] == 0 || x.counts[1] == 0; }

/* Adds how far a dimension reaches, in elements. Returns whether 63 bits count them. */
QUESTION bool add_reach(int64_t count, int64_t stride, int64_t *elements)
{
    int64_t reach;
    return count <= 1 || (!__builtin_mul_overflow(count - 1, stride, &reach) && !__builtin_add_overflow(*elements, reach, elements));
}

/* Bytes from the first to the last, or -1 where 63 bits do not count them. */
QUESTION int64_t span_of(struct operand x)
{
    int64_t elements = 1, bytes;
    bool counted = add_reach(x.counts[0], x.strides[0], &elements) && add_reach(x.counts[1], x.strides[1], &elements)
                   && add_reach(x.counts[2], x.strides[2], &elements) && !__builtin_mul_overflow(elements, x.element_bytes, &bytes);
    return counted ? bytes : -1;
}

/* No address is looked at when there are no rows. */
QUESTION bool is_input(struct operand x)
{
    if (x.strides[0] < 0 || x.strides[1] < 0 || x.strides[2] < 0)
        return false;
    if (is_empty(x))
        return true;
    int64_t span = span_of(x);
    uintptr_t address = (uintptr_t)x.data;
    return span >= 0 && x.data != NULL && (address & (uintptr_t)(x.element_bytes - 1)) == 0 && address <= UINTPTR_MAX - (uint64_t)span;
}

/* The dimensions from the smallest stride to the largest; those of one element, which never step, come first. */
QUESTION void order_by_stride(struct operand x, int order[DIMENSIONS])
{
    for (int d = 0; d < DIMENSIONS; d++) {
        int64_t stride = x.counts[d] > 1 ? x.strides[d] : 0;
        int at = d;
        for (; at > 0 && (x.counts[order[at - 1]] > 1 ? x.strides[order[at - 1]] : 0) > stride; at--)
            order[at] = order[at - 1];
        order[at] = d;
    }
}

/* Whether each dimension of more than one element steps over all that the ones before it span, the first over an element; in the unit of the
 * strides. The operand is an input, and not empty. */
static __attribute__((noinline)) bool is_distinct(struct operand x, int64_t element)
{
    int order[DIMENSIONS];
    order_by_stride(x, order);
    int64_t spanned = element;
    for (int k = 0; k < DIMENSIONS; k++) {
        int d = order[k];
        if (x.counts[d] > 1) {
            if (x.strides[d] < spanned)
                return false;
            spanned += (x.counts[d] - 1) * x.strides[d];
        }
    }
    return true;
}

/* Rows of consecutive elements, one after the other: what most operands are, seen without a loop. */
QUESTION bool is_plain(struct operand x)
{
    return x.counts[0] == 1 && x.strides[2] == 1 && (x.counts[1] == 1 || x.strides[1] >= x.counts[2]);
}

QUESTION bool is_output(struct operand x) { return is_input(x) && (is_empty(x) || is_plain(x) || is_distinct(x, 1)); }

/* Whether two operands whose spans meet have no byte in common, as both step alike and take turns. */
static __attribute__((noinline)) bool take_turns(struct operand a, struct operand b)
{
    struct operand both = {NULL, {1, 1, 1}, {0}, 1}; /* in bytes, with the steps of either */
    for (int d = 0; d < DIMENSIONS; d++) {
        int64_t a_step = a.counts[d] > 1 ? a.strides[d] * a.element_bytes : 0, b_step = b.counts[d] > 1 ? b.strides[d] * b.element_bytes : 0;
        if (a.counts[d] > 1 && b.counts[d] > 1 && a_step != b_step)
            return false;
        both.counts[d] = a.counts[d] > b.counts[d] ? a.counts[d] : b.counts[d];
        both.strides[d] = a.counts[d] > 1 ? a_step : b_step;
    }
    if (!is_distinct(both, a.element_bytes > b.element_bytes ? a.element_bytes : b.element_bytes))
        return false;
    /*
     * From an element of b to one of a it is `start` less a sum of steps: more than -count of a's, fewer than count of b's in each dimension.
     * Since a step is longer than all that the shorter ones span, only the two nearest to what is left can lead to elements that meet.
     */
    int order[DIMENSIONS];
    order_by_stride(both, order);
    int64_t start = (int64_t)((uintptr_t)a.data - (uintptr_t)b.data);
    for (int choice = 0; choice < 1 << DIMENSIONS; choice++) {
        int64_t left = start;
        bool possible = true;
        for (int k = DIMENSIONS - 1; k >= 0; k--) {
            int d = order[k];
            if (both.counts[d] == 1)
                continue;
            int64_t step = both.strides[d], steps = left / step - (left % step < 0) + (choice >> k & 1);
            possible &= steps > -a.counts[d] && steps < b.counts[d];
            left -= steps * step;
        }
        if (possible && -a.element_bytes < left && left < b.element_bytes)
            return false;
    }
    return true;
}

/* Whether two operands of one call (an output and any other) have no byte in common: one ends before the other starts, or they take turns. */
QUESTION bool is_apart(struct operand a, struct operand b)
{
    if (a.data == NULL || b.data == NULL || is_empty(a) || is_empty(b))
        return true;
    uintptr_t a_start = (uintptr_t)a.data, b_start = (uintptr_t)b.data;
    return a_start + (uintptr_t)span_of(a) <= b_start || b_start + (uintptr_t)span_of(b) <= a_start || take_turns(a, b);
}

/* Not negative, or positive, and finite once rounded to the type that computes. */
QUESTION bool is_tau(int32_t type, double tau, bool positive)
{
    double rounded = compute_type(type) == GUMBEL4J_FLOAT32 ? (double)(float)tau : tau;
    return (positive ? rounded > 0 : tau >= 0) && isfinite(rounded);
}

QUESTION bool is_temperature(int32_t type, struct temperatures tau, struct extent extent, bool positive)
{
    if (tau.rows.data == NULL)
        return is_tau(type, tau.all, positive);
    int32_t compute = compute_type(type);
    if (!is_input(operand_of_rows(extent, tau.rows, bytes_of(compute))))
        return false;
    /* once where it repeats */
    int64_t outer = tau.rows.outer_stride == 0 && extent.outer > 1 ? 1 : extent.outer;
    int64_t inner = tau.rows.inner_stride == 0 && extent.inner > 1 ? 1 : extent.inner;
    for (int64_t o = 0; o < outer; o++)
        for (int64_t i = 0; i < inner; i++) {
            int64_t at = o * tau.rows.outer_stride + i * tau.rows.inner_stride;
            double one = compute == GUMBEL4J_FLOAT32 ? (double)((const float *)tau.rows.data)[at] : ((const double *)tau.rows.data)[at];
            if (!is_tau(type, one, positive))
                return false;
        }
    return true;
}

/*
 * ---- a single packed row of few elements ----
 *
 * A call for one takes hardly longer than to ask all of the above. These ask for a little more, so that a few operations without a branch
 * answer; what they do not see to keep the rules is asked all of the above.
 */

/* Negative unless strides are positive or zero, and the address neither null nor in the upper half of all, where a span might overflow. */
QUESTION int64_t sign_of(struct view x) { return x.outer_stride | x.inner_stride | (int64_t)((uintptr_t)x.data - 1); }

/* Not zero unless columns are consecutive, and aligned. */
QUESTION int64_t rest_of(struct view x, int64_t element_bytes)
{
    return (x.class_stride ^ 1) | (int64_t)((uintptr_t)x.data & (uintptr_t)(element_bytes - 1));
}

/* Negative unless the stream, and every element of few classes, is below 2^63. */
QUESTION int64_t sign_of_noise(struct noise noise, int64_t classes)
{
    return (int64_t)(noise.stream | noise.first_element | (noise.first_element + (uint64_t)classes));
}

/* Whether the last byte of each comes before the first of the other. */
QUESTION bool are_lone_apart(struct view a, int64_t a_span, struct view b, int64_t b_span)
{
    return (uintptr_t)a.data - (uintptr_t)b.data + (uintptr_t)(a_span - 1) >= (uintptr_t)(a_span + b_span - 1);
}

QUESTION bool is_lone_noise(struct noise noise, struct view g, int64_t classes, int64_t element_bytes)
{
    return (sign_of_noise(noise, classes) | sign_of(g)) >= 0 && rest_of(g, element_bytes) == 0;
}

QUESTION bool is_lone_sampling(struct noise noise, struct view x, int64_t classes, int64_t element_bytes, struct view y, int64_t count,
                               int64_t result_bytes)
{
    return (sign_of_noise(noise, classes) | sign_of(x) | sign_of(y)) >= 0 && (rest_of(x, element_bytes) | rest_of(y, result_bytes)) == 0
           && are_lone_apart(x, classes * element_bytes, y, count * result_bytes);
}

QUESTION bool is_lone_backward(struct view y, struct view v, struct view dx, struct view dt, int64_t classes, int64_t element_bytes)
{
    int64_t span = classes * element_bytes;
    if ((sign_of(y) | sign_of(v) | sign_of(dx)) < 0
        || (rest_of(y, element_bytes) | rest_of(v, element_bytes) | rest_of(dx, element_bytes)) != 0 || !are_lone_apart(dx, span, y, span)
        || !are_lone_apart(dx, span, v, span))
        return false;
    return dt.data == NULL
           || (sign_of(dt) >= 0 && rest_of(dt, element_bytes) == 0 && are_lone_apart(dt, element_bytes, y, span)
               && are_lone_apart(dt, element_bytes, v, span) && are_lone_apart(dt, element_bytes, dx, span));
}

/* Not negative, and finite in every type. */
QUESTION bool is_lone_tau(double tau) { return tau >= 0 && tau <= (double)FLT_MAX; }

/* Positive and finite in every type. */
QUESTION bool is_lone_divisor(double tau) { return tau >= (double)FLT_MIN && tau <= (double)FLT_MAX; }

#endif
