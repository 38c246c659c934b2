/* The AVX2 tier: x86-64 with AVX2 and FMA. Compiled with -mavx2 -mfma, alone. */
#include "lanes_avx2.h"

#include "tier.h"

const struct tier gumbel4j_avx2_tier = {.name = "avx2", TIER_KERNELS};
