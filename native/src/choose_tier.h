/* Which tier runs on this machine. */
#ifndef GUMBEL4J_CHOOSE_TIER_H
#define GUMBEL4J_CHOOSE_TIER_H

#include "kernels.h"

#include <stdatomic.h>
#include <stddef.h>

/* Null before the first choice. */
extern _Atomic(const struct tier *) gumbel4j_chosen_tier;

const struct tier *gumbel4j_choose_tier(void);

/* The same table from every call of a process, whatever the thread. */
static inline const struct tier *chosen_tier(void)
{
    const struct tier *tier = atomic_load_explicit(&gumbel4j_chosen_tier, memory_order_acquire);
    return __builtin_expect(tier != NULL, 1) ? tier : gumbel4j_choose_tier();
}

#endif
