/*
 * Chooses the tier once: the best that the CPU (and the operating system, which must save its registers) supports, but not above the
 * one that the environment variable GUMBEL4J_MAX_ISA names. A value that names no tier of this library caps at base, the only tier
 * that is surely not above it; an empty value caps nothing.
 */
#include "choose_tier.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#ifdef __x86_64__
#include <cpuid.h>
#endif

static bool always(void) { return true; }

#ifdef __x86_64__
/* __builtin_cpu_supports of clang 14 does not know this feature by name. */
static bool has_f16c(void)
{
    unsigned eax, ebx, ecx, edx;
    return __get_cpuid(1, &eax, &ebx, &ecx, &edx) && (ecx & bit_F16C) != 0;
}

static bool has_avx2(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c(); }

static bool has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw")
           && __builtin_cpu_supports("avx512vl");
}
#endif

/* From the least to the best. */
static const struct {
    const struct tier *tier;
    bool (*supported)(void);
} tiers[] = {
    {&gumbel4j_base_tier, always},
#ifdef __x86_64__
    {&gumbel4j_avx2_tier, has_avx2},
    {&gumbel4j_avx512_tier, has_avx512},
#endif
#ifdef __aarch64__
    {&gumbel4j_neon_tier, always}, /* every AArch64 Linux has it */
#endif
};

enum { TIERS = sizeof tiers / sizeof tiers[0] };

/* The highest place in `tiers` that the environment allows. */
static int cap(void)
{
    const char *name = getenv("GUMBEL4J_MAX_ISA");
    if (name == NULL || *name == '\0')
        return TIERS - 1;
    for (int i = 0; i < TIERS; i++)
        if (strcmp(name, tiers[i].tier->name) == 0)
            return i;
    return 0;
}

static const struct tier *best(void)
{
    int i = cap();
    while (!tiers[i].supported())
        i--;
    return tiers[i].tier;
}

_Atomic(const struct tier *) gumbel4j_chosen_tier;

const struct tier *gumbel4j_choose_tier(void)
{
    const struct tier *chosen = NULL, *mine = best();
    /* the first thread to get here decides for all, even if the environment changes meanwhile; a failure loads its choice */
    return atomic_compare_exchange_strong(&gumbel4j_chosen_tier, &chosen, mine) ? mine : chosen;
}
