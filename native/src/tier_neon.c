/* The NEON tier: AArch64, where no flag is needed for it. */
#include "lanes_neon.h"

#include "float16_neon.h"

#include "tier.h"

const struct tier gumbel4j_neon_tier = {.name = "neon", TIER_KERNELS};
