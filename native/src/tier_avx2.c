/* The AVX2 tier: x86-64 with AVX2, FMA and F16C. Compiled with -mavx2 -mfma -mf16c, alone. */
#include "lanes_avx2.h"

#include "float16_avx2.h"

#include "tier.h"

const struct tier gumbel4j_avx2_tier = {.name = "avx2", TIER_KERNELS};
