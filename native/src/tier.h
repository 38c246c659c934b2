/*
 * The one body of every tier. A tier_<name>.c includes its lanes_<name>.h, float16_<name>.h and this file, then defines its table with
 * TIER_KERNELS; everything else is static, so that no instruction of a tier reaches code that runs before the tier is chosen.
 */
#include "rows.h"
#include "columns.h"
#include "scratch.h"

#include "philox.h"

#include "float32.h"
#include "float64.h"
#include "lone_noise.h"

#include "elements.h"
#include "transpose.h"

#include "across.h"

/* ---- computed in float64 ---- */

#define T(name) name##_float64
#define real double
#define word uint64_t
#define lanes float64_lanes
#define word_lanes uint64_lanes
#define mask_lanes int64_lanes
#include "operators.h"

#define S(name) name##_float64
#include "views.h"

#undef T
#undef real
#undef word
#undef lanes
#undef word_lanes
#undef mask_lanes

/* ---- computed in float32 ---- */

#define T(name) name##_float32
#define real float
#define word uint32_t
#define lanes float32_lanes
#define word_lanes uint32_lanes
#define mask_lanes int32_lanes
#include "operators.h"

#define S(name) name##_float32
#include "views.h"

#define S(name) name##_float16
#include "views.h"

#define S(name) name##_bfloat16
#include "views.h"

#undef T
#undef real
#undef word
#undef lanes
#undef word_lanes
#undef mask_lanes

/* ---- noise that is no element of the compute type: words move as elements of their size, uniforms as float64 ---- */

#define WORDS_KERNEL(type)                                                                                                       \
    static int64_t words_kernel_##type(struct extent extent, struct noise noise, struct view out)                                \
    {                                                                                                                            \
        return noise_kernel_##type(extent, noise, out, words_rows_##type);                                                       \
    }

#define UNIFORM_KERNEL(type)                                                                                                     \
    static int64_t uniform_kernel_##type(struct extent extent, struct noise noise, struct view out)                              \
    {                                                                                                                            \
        return noise_kernel_float64(extent, noise, out, uniform_rows_##type);                                                    \
    }

WORDS_KERNEL(float32)
WORDS_KERNEL(float64)
UNIFORM_KERNEL(float32)
UNIFORM_KERNEL(float64)

#define KERNELS_OF(type)                                                                                                         \
    .gumbel = gumbel_kernel_##type, .soft = soft_kernel_##type, .hard = hard_kernel_##type, .categorical = categorical_kernel_##type, \
    .vjp = vjp_kernel_##type, .part_perturb = part_perturb_##type, .part_exp = part_exp_##type, .part_scale = part_scale_##type,  \
    .part_argmax = part_argmax_##type, .part_one_hot = part_one_hot_##type, .part_dot = part_dot_##type,                          \
    .part_gradient = part_gradient_##type

#define LONE_KERNELS_OF(type)                                                                                                    \
    .lone_classes = LANES_##type, .gumbel_lone = gumbel_lone_##type, .soft_lone = soft_lone_##type, .hard_lone = hard_lone_##type, \
    .categorical_lone = categorical_lone_##type, .vjp_lone = vjp_lone_##type

#define TIER_KERNELS                                                                                                             \
    .float32 = {.words = words_kernel_float32, .uniform = uniform_kernel_float32, KERNELS_OF(float32), LONE_KERNELS_OF(float32)}, \
    .float64 = {.words = words_kernel_float64, .uniform = uniform_kernel_float64, KERNELS_OF(float64), LONE_KERNELS_OF(float64)}, \
    .float16 = {KERNELS_OF(float16)}, .bfloat16 = {KERNELS_OF(bfloat16)}
