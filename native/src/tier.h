/*
 * The one body of every tier. A tier_<name>.c includes its lanes_<name>.h and this file, then defines its table with TIER_KERNELS;
 * everything else is static, so that no instruction of a tier reaches code that runs before the tier is chosen.
 */
#include "kernels.h"

#include "philox.h"

#include "float32.h"
#include "float64.h"

#define T(name) name##_float32
#define real float
#define word uint32_t
#define lanes float32_lanes
#define mask_lanes int32_lanes
#include "operators.h"

#define T(name) name##_float64
#define real double
#define word uint64_t
#define lanes float64_lanes
#define mask_lanes int64_lanes
#include "operators.h"

#define KERNELS_OF(type)                                                                                                         \
    {                                                                                                                            \
        .words = words_kernel_##type, .uniform = uniform_kernel_##type, .gumbel = gumbel_kernel_##type,                          \
        .soft = soft_kernel_##type, .hard = hard_kernel_##type, .categorical = categorical_kernel_##type,                        \
        .vjp = vjp_kernel_##type                                                                                                 \
    }

#define TIER_KERNELS .float32 = KERNELS_OF(float32), .float64 = KERNELS_OF(float64)
