/*
 * The functions of gumbel4j.h: every argument is checked here, once, before a kernel of the chosen tier runs.
 */
#include "arguments.h"
#include "choose_tier.h"

_Static_assert(sizeof(void *) == 8 && sizeof(float) == 4 && sizeof(double) == 8, "written for 64-bit machines with IEEE formats");

#ifndef GUMBEL4J_VERSION
#error "GUMBEL4J_VERSION must be defined as a string by the build (native/build.sh)"
#endif

/* Makes one dimension of the rows of a call where every operand steps alike over them: the kernels then have one long run of rows. */
static inline __attribute__((always_inline)) void merge_rows(struct extent *extent, struct view *const views[], int count)
{
    for (int k = 0; k < count; k++)
        if (extent->classes == 1)
            views[k]->class_stride = 1;
    int64_t step;
    for (int k = 0; k < count && extent->outer > 1 && extent->inner > 1; k++)
        if (views[k]->data != NULL
            && (__builtin_mul_overflow(extent->inner, views[k]->inner_stride, &step) || views[k]->outer_stride != step))
            return;
    for (int k = 0; k < count; k++)
        if (extent->inner == 1)
            views[k]->inner_stride = views[k]->outer_stride;
    extent->inner *= extent->outer;
    extent->outer = 1;
}

static const struct kernels *kernels_of(int32_t type)
{
    const struct tier *tier = chosen_tier();
    switch (type) {
    case GUMBEL4J_FLOAT32:
    case GUMBEL4J_INT32: return &tier->float32;
    case GUMBEL4J_FLOAT16: return &tier->float16;
    case GUMBEL4J_BFLOAT16: return &tier->bfloat16;
    default: return &tier->float64;
    }
}

/* An input, which the kernels only read, or an output. */
static struct view view(const void *data, int64_t outer_stride, int64_t inner_stride, int64_t class_stride)
{
    return (struct view){(void *)(uintptr_t)data, outer_stride, inner_stride, class_stride};
}

static struct columns columns(const void *data, int64_t stride) { return (struct columns){(void *)(uintptr_t)data, stride}; }

/* What a lone row does not need is a function of its own: merge_rows has it keep operands in memory, where a lone row would wait for them. */
#define ANY_CALL static __attribute__((noinline))

/*
 * A single packed row of few classes, for which a call itself takes as long as its work: the kernels for it, where the arguments are seen to
 * keep the rules at once, and the bytes of an element. Null for any other call, which then meets all the rules.
 */
QUESTION const struct kernels *lone_kernels(int32_t type, struct extent extent, int64_t *element_bytes)
{
    if ((type != GUMBEL4J_FLOAT32 && type != GUMBEL4J_FLOAT64) || ((extent.outer ^ 1) | (extent.inner ^ 1)) != 0)
        return NULL;
    const struct tier *tier = chosen_tier();
    const struct kernels *kernels = type == GUMBEL4J_FLOAT32 ? &tier->float32 : &tier->float64;
    *element_bytes = type == GUMBEL4J_FLOAT32 ? sizeof(float) : sizeof(double);
    return (uint64_t)extent.classes - 1 < (uint64_t)kernels->lone_classes ? kernels : NULL;
}

int32_t gumbel4j_abi_version(void) { return GUMBEL4J_ABI_VERSION; }

const char *gumbel4j_version(void) { return GUMBEL4J_VERSION; }

const char *gumbel4j_isa(void) { return chosen_tier()->name; }

QUESTION bool is_noise_call(struct extent extent, struct noise noise, struct operand out)
{
    return is_extent(extent) && is_noise(noise, extent) && is_output(out);
}

int64_t gumbel4j_words(int32_t type, int64_t outer, int64_t inner, int64_t classes, uint64_t seed, uint64_t stream, uint64_t first_element,
                       void *out, int64_t out_outer_stride, int64_t out_inner_stride, int64_t out_class_stride)
{
    struct extent extent = {outer, inner, classes};
    struct noise noise = {seed, stream, first_element};
    struct view words = view(out, out_outer_stride, out_inner_stride, out_class_stride);
    if ((type != GUMBEL4J_INT32 && type != GUMBEL4J_INT64) || !is_noise_call(extent, noise, operand(extent, words, bytes_of(type))))
        return GUMBEL4J_BAD_ARGUMENT;
    if (rows_of(extent) == 0)
        return 0;
    merge_rows(&extent, (struct view *[]){&words}, 1);
    return kernels_of(type)->words(extent, noise, words);
}

int64_t gumbel4j_uniform(int32_t type, int64_t outer, int64_t inner, int64_t classes, uint64_t seed, uint64_t stream,
                         uint64_t first_element, double *out, int64_t out_outer_stride, int64_t out_inner_stride, int64_t out_class_stride)
{
    struct extent extent = {outer, inner, classes};
    struct noise noise = {seed, stream, first_element};
    struct view uniforms = view(out, out_outer_stride, out_inner_stride, out_class_stride);
    if ((type != GUMBEL4J_FLOAT32 && type != GUMBEL4J_FLOAT64) || !is_noise_call(extent, noise, operand(extent, uniforms, sizeof *out)))
        return GUMBEL4J_BAD_ARGUMENT;
    if (rows_of(extent) == 0)
        return 0;
    merge_rows(&extent, (struct view *[]){&uniforms}, 1);
    return kernels_of(type)->uniform(extent, noise, uniforms);
}

ANY_CALL int64_t gumbel(int32_t type, struct extent extent, struct noise noise, struct view out)
{
    if (!is_float(type) || !is_noise_call(extent, noise, operand(extent, out, bytes_of(type))))
        return GUMBEL4J_BAD_ARGUMENT;
    if (rows_of(extent) == 0)
        return 0;
    merge_rows(&extent, (struct view *[]){&out}, 1);
    return kernels_of(type)->gumbel(extent, noise, out);
}

int64_t gumbel4j_gumbel(int32_t type, int64_t outer, int64_t inner, int64_t classes, uint64_t seed, uint64_t stream,
                        uint64_t first_element, void *out, int64_t out_outer_stride, int64_t out_inner_stride, int64_t out_class_stride)
{
    struct extent extent = {outer, inner, classes};
    struct noise noise = {seed, stream, first_element};
    struct view g = view(out, out_outer_stride, out_inner_stride, out_class_stride);
    int64_t bytes;
    const struct kernels *lone = lone_kernels(type, extent, &bytes);
    if (lone != NULL && is_lone_noise(noise, g, classes, bytes))
        return lone->gumbel_lone(classes, seed, stream, first_element, out);
    return gumbel(type, extent, noise, g);
}

/* What soft, hard and categorical have in common. */
QUESTION bool is_sampling(int32_t type, struct extent extent, struct noise noise, struct operand logits, struct operand out)
{
    return is_float(type) && is_extent(extent) && is_noise(noise, extent) && is_input(logits) && is_output(out) && is_apart(out, logits);
}

ANY_CALL int64_t soft(int32_t type, struct extent extent, struct view logits, struct temperatures tau, struct noise noise, struct view out)
{
    struct operand sample = operand(extent, out, bytes_of(type));
    if (!is_sampling(type, extent, noise, operand(extent, logits, bytes_of(type)), sample) || !is_temperature(type, tau, extent, false)
        || !is_apart(sample, operand_of_rows(extent, tau.rows, bytes_of(compute_type(type)))))
        return GUMBEL4J_BAD_ARGUMENT;
    if (rows_of(extent) == 0)
        return 0;
    merge_rows(&extent, (struct view *[]){&logits, &tau.rows, &out}, 3);
    return kernels_of(type)->soft(extent, logits, tau, noise, out);
}

int64_t gumbel4j_soft(int32_t type, int64_t outer, int64_t inner, int64_t classes, const void *logits, int64_t logits_outer_stride,
                      int64_t logits_inner_stride, int64_t logits_class_stride, double tau, const void *row_tau,
                      int64_t row_tau_outer_stride, int64_t row_tau_inner_stride, uint64_t seed, uint64_t stream, uint64_t first_element,
                      void *out, int64_t out_outer_stride, int64_t out_inner_stride, int64_t out_class_stride)
{
    struct extent extent = {outer, inner, classes};
    struct noise noise = {seed, stream, first_element};
    struct view x = view(logits, logits_outer_stride, logits_inner_stride, logits_class_stride);
    struct view y = view(out, out_outer_stride, out_inner_stride, out_class_stride);
    struct temperatures temperatures = {tau, view(row_tau, row_tau_outer_stride, row_tau_inner_stride, 1)};
    int64_t bytes;
    const struct kernels *lone = row_tau == NULL ? lone_kernels(type, extent, &bytes) : NULL;
    if (lone != NULL && is_lone_sampling(noise, x, classes, bytes, y, classes, bytes) && is_lone_tau(tau))
        return lone->soft_lone(classes, logits, tau, seed, stream, first_element, out);
    return soft(type, extent, x, temperatures, noise, y);
}

ANY_CALL int64_t hard(int32_t type, struct extent extent, struct view logits, struct noise noise, struct view out)
{
    if (!is_sampling(type, extent, noise, operand(extent, logits, bytes_of(type)), operand(extent, out, bytes_of(type))))
        return GUMBEL4J_BAD_ARGUMENT;
    if (rows_of(extent) == 0)
        return 0;
    merge_rows(&extent, (struct view *[]){&logits, &out}, 2);
    return kernels_of(type)->hard(extent, logits, noise, out);
}

int64_t gumbel4j_hard(int32_t type, int64_t outer, int64_t inner, int64_t classes, const void *logits, int64_t logits_outer_stride,
                      int64_t logits_inner_stride, int64_t logits_class_stride, uint64_t seed, uint64_t stream, uint64_t first_element,
                      void *out, int64_t out_outer_stride, int64_t out_inner_stride, int64_t out_class_stride)
{
    struct extent extent = {outer, inner, classes};
    struct noise noise = {seed, stream, first_element};
    struct view x = view(logits, logits_outer_stride, logits_inner_stride, logits_class_stride);
    struct view y = view(out, out_outer_stride, out_inner_stride, out_class_stride);
    int64_t bytes;
    const struct kernels *lone = lone_kernels(type, extent, &bytes);
    if (lone != NULL && is_lone_sampling(noise, x, classes, bytes, y, classes, bytes))
        return lone->hard_lone(classes, logits, seed, stream, first_element, out);
    return hard(type, extent, x, noise, y);
}

ANY_CALL int64_t categorical(int32_t type, struct extent extent, struct view logits, struct noise noise, struct view out)
{
    if (!is_sampling(type, extent, noise, operand(extent, logits, bytes_of(type)), operand_of_rows(extent, out, sizeof(int32_t)))
        || extent.classes > INT32_MAX)
        return GUMBEL4J_BAD_ARGUMENT;
    if (rows_of(extent) == 0)
        return 0;
    merge_rows(&extent, (struct view *[]){&logits, &out}, 2);
    return kernels_of(type)->categorical(extent, logits, noise, out);
}

int64_t gumbel4j_categorical(int32_t type, int64_t outer, int64_t inner, int64_t classes, const void *logits, int64_t logits_outer_stride,
                             int64_t logits_inner_stride, int64_t logits_class_stride, uint64_t seed, uint64_t stream,
                             uint64_t first_element, int32_t *out, int64_t out_outer_stride, int64_t out_inner_stride)
{
    struct extent extent = {outer, inner, classes};
    struct noise noise = {seed, stream, first_element};
    struct view x = view(logits, logits_outer_stride, logits_inner_stride, logits_class_stride);
    struct view indices = view(out, out_outer_stride, out_inner_stride, 1);
    int64_t bytes;
    const struct kernels *lone = lone_kernels(type, extent, &bytes);
    if (lone != NULL && is_lone_sampling(noise, x, classes, bytes, indices, 1, sizeof *out))
        return lone->categorical_lone(classes, logits, seed, stream, first_element, out);
    return categorical(type, extent, x, noise, indices);
}

/* An output of the backward, which shares nothing with its inputs. */
QUESTION bool is_output_apart(struct operand x, struct operand a, struct operand b, struct operand c)
{
    return is_output(x) && is_apart(x, a) && is_apart(x, b) && is_apart(x, c);
}

ANY_CALL int64_t vjp(int32_t type, struct extent extent, struct view sample, struct view upstream, struct temperatures tau,
                     struct view dlogits, struct view dtau)
{
    if (!is_float(type) || !is_extent(extent) || !is_temperature(type, tau, extent, true))
        return GUMBEL4J_BAD_ARGUMENT;
    int64_t bytes = bytes_of(type), compute_bytes = bytes_of(compute_type(type));
    struct operand samples = operand(extent, sample, bytes), upstreams = operand(extent, upstream, bytes);
    struct operand taus = operand_of_rows(extent, tau.rows, compute_bytes);
    struct operand gradient = operand(extent, dlogits, bytes), slopes = operand_of_rows(extent, dtau, compute_bytes);
    if (!is_input(samples) || !is_input(upstreams) || !is_output_apart(gradient, samples, upstreams, taus)
        || (dtau.data != NULL && (!is_output_apart(slopes, samples, upstreams, taus) || !is_apart(gradient, slopes))))
        return GUMBEL4J_BAD_ARGUMENT;
    if (rows_of(extent) == 0)
        return 0;
    merge_rows(&extent, (struct view *[]){&sample, &upstream, &tau.rows, &dlogits, &dtau}, 5);
    return kernels_of(type)->vjp(extent, sample, upstream, tau, dlogits, dtau);
}

int64_t gumbel4j_vjp(int32_t type, int64_t outer, int64_t inner, int64_t classes, const void *sample, int64_t sample_outer_stride,
                     int64_t sample_inner_stride, int64_t sample_class_stride, const void *upstream, int64_t upstream_outer_stride,
                     int64_t upstream_inner_stride, int64_t upstream_class_stride, double tau, const void *row_tau,
                     int64_t row_tau_outer_stride, int64_t row_tau_inner_stride, void *dlogits, int64_t dlogits_outer_stride,
                     int64_t dlogits_inner_stride, int64_t dlogits_class_stride, void *dtau, int64_t dtau_outer_stride,
                     int64_t dtau_inner_stride)
{
    struct extent extent = {outer, inner, classes};
    struct view y = view(sample, sample_outer_stride, sample_inner_stride, sample_class_stride);
    struct view v = view(upstream, upstream_outer_stride, upstream_inner_stride, upstream_class_stride);
    struct view dx = view(dlogits, dlogits_outer_stride, dlogits_inner_stride, dlogits_class_stride);
    struct view dt = view(dtau, dtau_outer_stride, dtau_inner_stride, 1);
    struct temperatures temperatures = {tau, view(row_tau, row_tau_outer_stride, row_tau_inner_stride, 1)};
    int64_t bytes;
    const struct kernels *lone = row_tau == NULL ? lone_kernels(type, extent, &bytes) : NULL;
    if (lone != NULL && is_lone_backward(y, v, dx, dt, classes, bytes) && is_lone_divisor(tau))
        return lone->vjp_lone(classes, sample, upstream, tau, dlogits, dtau);
    return vjp(type, extent, y, v, temperatures, dx, dt);
}

/* ---- parts of a row ---- */

static bool is_part(int32_t type, int64_t count) { return is_float(type) && count >= 1; }

static bool is_part_of_noise(int32_t type, int64_t count, struct noise noise)
{
    return is_part(type, count) && is_noise(noise, (struct extent){1, 1, count});
}

static int64_t blocks_of(int64_t count) { return (count - 1) / 1024 + 1; }

static bool is_sampling_part(int32_t type, int64_t count, struct columns logits, struct noise noise, struct columns out)
{
    if (!is_part_of_noise(type, count, noise))
        return false;
    struct operand x = operand_of_columns(count, logits, bytes_of(type)), y = operand_of_columns(count, out, bytes_of(type));
    return is_input(x) && is_output(y) && is_apart(y, x);
}

/* An output that shares nothing with two other operands of a part. */
static bool is_result_apart(struct operand result, int32_t type, int64_t count, struct columns a, struct columns b)
{
    return is_output(result) && is_apart(result, operand_of_columns(count, a, bytes_of(type)))
           && is_apart(result, operand_of_columns(count, b, bytes_of(type)));
}

/* One sum a block (NOISE.md, section 6). */
static struct operand sums_of(int32_t type, int64_t count, void *sums)
{
    return operand_of_columns(blocks_of(count), columns(sums, 1), bytes_of(compute_type(type)));
}

int64_t gumbel4j_part_perturb(int32_t type, int64_t count, const void *logits, int64_t logits_stride, uint64_t seed, uint64_t stream,
                              uint64_t first_element, void *out, int64_t out_stride, double *top)
{
    struct noise noise = {seed, stream, first_element};
    struct columns x = columns(logits, logits_stride), s = columns(out, out_stride);
    if (!is_sampling_part(type, count, x, noise, s)
        || !is_result_apart(operand_of_columns(1, columns(top, 1), sizeof *top), type, count, x, s))
        return GUMBEL4J_BAD_ARGUMENT;
    return kernels_of(type)->part_perturb(count, x, noise, s, top);
}

int64_t gumbel4j_part_exp(int32_t type, int64_t count, const void *logits, int64_t logits_stride, double tau, double top, uint64_t seed,
                          uint64_t stream, uint64_t first_element, void *out, int64_t out_stride, void *sums)
{
    struct noise noise = {seed, stream, first_element};
    struct columns x = columns(logits, logits_stride), e = columns(out, out_stride);
    if (!is_sampling_part(type, count, x, noise, e) || !is_tau(type, tau, true)
        || !is_result_apart(sums_of(type, count, sums), type, count, x, e))
        return GUMBEL4J_BAD_ARGUMENT;
    kernels_of(type)->part_exp(count, x, tau, top, noise, e, sums);
    return 1;
}

int64_t gumbel4j_part_scale(int32_t type, int64_t count, const void *logits, int64_t logits_stride, double tau, double top, double factor,
                            uint64_t seed, uint64_t stream, uint64_t first_element, void *out, int64_t out_stride)
{
    struct noise noise = {seed, stream, first_element};
    struct columns x = columns(logits, logits_stride), y = columns(out, out_stride);
    if (!is_sampling_part(type, count, x, noise, y) || !is_tau(type, tau, true))
        return GUMBEL4J_BAD_ARGUMENT;
    kernels_of(type)->part_scale(count, x, tau, top, factor, noise, y);
    return 1;
}

int64_t gumbel4j_part_argmax(int32_t type, int64_t count, const void *logits, int64_t logits_stride, uint64_t seed, uint64_t stream,
                             uint64_t first_element, double *s, int64_t *column)
{
    struct noise noise = {seed, stream, first_element};
    struct columns x = columns(logits, logits_stride);
    if (!is_part_of_noise(type, count, noise) || !is_input(operand_of_columns(count, x, bytes_of(type))))
        return GUMBEL4J_BAD_ARGUMENT;
    struct operand best = operand_of_columns(1, columns(s, 1), sizeof *s), at = operand_of_columns(1, columns(column, 1), sizeof *column);
    if (!is_result_apart(best, type, count, x, x) || !is_result_apart(at, type, count, x, x) || !is_apart(best, at))
        return GUMBEL4J_BAD_ARGUMENT;
    return kernels_of(type)->part_argmax(count, x, noise, s, column);
}

int64_t gumbel4j_part_one_hot(int32_t type, int64_t count, int64_t column, void *out, int64_t out_stride)
{
    struct columns y = columns(out, out_stride);
    if (!is_part(type, count) || column < -1 || column >= count || !is_output(operand_of_columns(count, y, bytes_of(type))))
        return GUMBEL4J_BAD_ARGUMENT;
    kernels_of(type)->part_one_hot(count, column, y);
    return 1;
}

int64_t gumbel4j_part_dot(int32_t type, int64_t count, const void *sample, int64_t sample_stride, const void *upstream,
                          int64_t upstream_stride, void *sums)
{
    struct columns y = columns(sample, sample_stride), v = columns(upstream, upstream_stride);
    if (!is_part(type, count) || !is_input(operand_of_columns(count, y, bytes_of(type)))
        || !is_input(operand_of_columns(count, v, bytes_of(type))) || !is_result_apart(sums_of(type, count, sums), type, count, y, v))
        return GUMBEL4J_BAD_ARGUMENT;
    kernels_of(type)->part_dot(count, y, v, sums);
    return 1;
}

int64_t gumbel4j_part_gradient(int32_t type, int64_t count, const void *sample, int64_t sample_stride, const void *upstream,
                               int64_t upstream_stride, double tau, double dot, void *dlogits, int64_t dlogits_stride, void *sums)
{
    struct columns y = columns(sample, sample_stride), v = columns(upstream, upstream_stride), dx = columns(dlogits, dlogits_stride);
    if (!is_part(type, count) || !is_tau(type, tau, true) || !is_input(operand_of_columns(count, y, bytes_of(type)))
        || !is_input(operand_of_columns(count, v, bytes_of(type)))
        || !is_result_apart(operand_of_columns(count, dx, bytes_of(type)), type, count, y, v))
        return GUMBEL4J_BAD_ARGUMENT;
    if (sums != NULL
        && (!is_result_apart(sums_of(type, count, sums), type, count, y, v)
            || !is_apart(sums_of(type, count, sums), operand_of_columns(count, dx, bytes_of(type)))))
        return GUMBEL4J_BAD_ARGUMENT;
    kernels_of(type)->part_gradient(count, y, v, tau, dot, dx, sums);
    return 1;
}
