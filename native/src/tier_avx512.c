/* The AVX-512 tier: x86-64 with the subsets F, DQ, BW and VL. Compiled with their flags, alone. */
#include "lanes_avx512.h"

#include "float16_avx512.h"

#include "tier.h"

const struct tier gumbel4j_avx512_tier = {.name = "avx512", TIER_KERNELS};
