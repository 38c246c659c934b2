/*
 * The operators on views of one element type, written once and included by tier.h once per type, with these names defined:
 *
 *   S(name)      name_float32, name_float64, name_float16 or name_bfloat16: as elements.h has them
 *   T(name)      name_float32 or name_float64: the compute type, whose operators.h came before, with real, word, lanes, mask_lanes
 *
 * Operands whose elements are of the compute type and consecutive within a row go to the kernels for rows as they are, the others by
 * tiles. Either way a row meets the same arithmetic.
 */

#include "tiles.h"

#include "parts.h"

#include "staged.h"

#include "abreast.h"

/* Whether the kernels for rows take a view: they are called once an outer step, which should give them something to do. */
INLINE bool S(in_rows)(struct extent extent, struct view view)
{
    return S(IS_COMPUTED) && view.class_stride == 1 && (extent.outer == 1 || extent.inner * extent.classes >= T(CHUNK));
}

INLINE struct shape S(shape_of_step)(struct extent extent) { return (struct shape){extent.inner, extent.classes}; }

INLINE struct input S(input_of_step)(struct view view, int64_t o)
{
    return (struct input){(const real *)view.data + o * view.outer_stride, view.inner_stride};
}

INLINE struct output S(output_of_step)(struct view view, int64_t o)
{
    return (struct output){view.data == NULL ? NULL : (real *)view.data + o * view.outer_stride, view.inner_stride};
}

INLINE struct temperature S(temperature_of_step)(struct temperatures tau, int64_t o)
{
    if (tau.rows.data == NULL)
        return (struct temperature){tau.all, {NULL, 0}};
    return (struct temperature){0, S(input_of_step)(tau.rows, o)};
}

/* Noise, which `fill` writes in the compute type. */
static int64_t S(noise_kernel)(struct extent extent, struct noise noise, struct view out,
                               void (*fill)(struct shape, struct noise, struct output))
{
    if (!S(in_rows)(extent, out))
        return S(noise_staged)(extent, noise, out, fill);
    for (int64_t o = 0; o < extent.outer; o++)
        fill(S(shape_of_step)(extent), noise_of_row(noise, extent, o * extent.inner), S(output_of_step)(out, o));
    return extent.outer * extent.inner;
}

static int64_t S(gumbel_kernel)(struct extent extent, struct noise noise, struct view out)
{
    return S(noise_kernel)(extent, noise, out, T(gumbel_rows));
}

static int64_t S(soft_kernel)(struct extent extent, struct view logits, struct temperatures tau, struct noise noise, struct view out)
{
    if (!S(in_rows)(extent, logits) || !S(in_rows)(extent, out))
        return S(soft_staged)(extent, logits, tau, noise, out);
    for (int64_t o = 0; o < extent.outer; o++) {
        int64_t written = T(soft_rows)(S(shape_of_step)(extent), S(input_of_step)(logits, o), S(temperature_of_step)(tau, o),
                                       noise_of_row(noise, extent, o * extent.inner), S(output_of_step)(out, o));
        if (written < extent.inner)
            return o * extent.inner + written;
    }
    return extent.outer * extent.inner;
}

static int64_t S(hard_kernel)(struct extent extent, struct view logits, struct noise noise, struct view out)
{
    if (!S(in_rows)(extent, logits) || !S(in_rows)(extent, out))
        return S(draw_staged)(extent, logits, noise, out, S(are_neighbours)(logits) || S(are_neighbours)(out), S(scatter_one_hot));
    for (int64_t o = 0; o < extent.outer; o++) {
        int64_t written = T(hard_rows)(S(shape_of_step)(extent), S(input_of_step)(logits, o), noise_of_row(noise, extent, o * extent.inner),
                                       S(output_of_step)(out, o));
        if (written < extent.inner)
            return o * extent.inner + written;
    }
    return extent.outer * extent.inner;
}

static int64_t S(categorical_kernel)(struct extent extent, struct view logits, struct noise noise, struct view out)
{
    if (!S(in_rows)(extent, logits))
        return S(draw_staged)(extent, logits, noise, out, S(are_neighbours)(logits), write_columns);
    for (int64_t o = 0; o < extent.outer; o++) {
        int64_t written = T(categorical_rows)(S(shape_of_step)(extent), S(input_of_step)(logits, o), noise_of_row(noise, extent, o * extent.inner),
                                              (struct output){(int32_t *)out.data + o * out.outer_stride, out.inner_stride});
        if (written < extent.inner)
            return o * extent.inner + written;
    }
    return extent.outer * extent.inner;
}

static int64_t S(vjp_kernel)(struct extent extent, struct view sample, struct view upstream, struct temperatures tau, struct view dlogits,
                             struct view dtau)
{
    if (S(in_rows)(extent, sample) && S(in_rows)(extent, upstream) && S(in_rows)(extent, dlogits))
        for (int64_t o = 0; o < extent.outer; o++)
            T(vjp_rows)(S(shape_of_step)(extent), S(input_of_step)(sample, o), S(input_of_step)(upstream, o), S(temperature_of_step)(tau, o),
                        S(output_of_step)(dlogits, o), S(output_of_step)(dtau, o));
    else if (S(are_abreast)(extent, sample) && S(are_abreast)(extent, upstream) && S(are_abreast)(extent, dlogits))
        S(vjp_abreast)(extent, sample, upstream, tau, dlogits, dtau);
    else
        S(vjp_staged)(extent, sample, upstream, tau, dlogits, dtau);
    return extent.outer * extent.inner;
}

#undef S
