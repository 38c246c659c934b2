/* Which tier runs on this machine. */
#ifndef GUMBEL4J_CHOOSE_TIER_H
#define GUMBEL4J_CHOOSE_TIER_H

#include "kernels.h"

/* The same table from every call of a process, whatever the thread. */
const struct tier *gumbel4j_choose_tier(void);

#endif
