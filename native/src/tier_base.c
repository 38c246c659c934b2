/* The base tier: runs on every machine the library is built for. */
#include "lanes_base.h"

#include "float16_base.h"

#include "tier.h"

const struct tier gumbel4j_base_tier = {.name = "base", TIER_KERNELS};
