/* Times the loops of loops.h on 4 KiB in the nearest cache, and the chains of chains.h, for limits.py, which compiles this for a tier and counts
 * instructions. */
#define _POSIX_C_SOURCE 200809L
#ifdef __AVX512F__
#include "../src/lanes_avx512.h"

#include "../src/float16_avx512.h"
#else
#include "../src/lanes_avx2.h"

#include "../src/float16_avx2.h"
#endif

#include "../src/tier.h"

#include <stdlib.h>
#include <time.h>

#define T(name) name##_float64
#define real double
#define word uint64_t
#define lanes float64_lanes
#define mask_lanes int64_lanes
#include "loops.h"
#undef T
#undef real
#undef word
#undef lanes
#undef mask_lanes

#define T(name) name##_float32
#define real float
#define word uint32_t
#define lanes float32_lanes
#define mask_lanes int32_lanes
#include "loops.h"

#include "chains.h"

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Of one cycle: an addition waits for the one before it. */
double seconds_of_cycle(void)
{
    enum { STEPS = 100000 };
    uint64_t sum = 1;
    double start = seconds();
    for (int i = 0; i < STEPS; i++)
        __asm__ volatile("add $1, %0\n add $1, %0\n add $1, %0\n add $1, %0\n add $1, %0" : "+r"(sum));
    return (seconds() - start) / (5 * STEPS);
}

static int ascending(const void *a, const void *b)
{
    double difference = *(const double *)a - *(const double *)b;
    return (difference > 0) - (difference < 0);
}

enum { BYTES = 4096, REPEATS = 50, ROUNDS_TIMED = 41 };

/* Cycles that the last of `count` loops takes for a vector, the median: the ones before it make what it works on. */
double cycles(void (*const loops[])(void *, void *), int count)
{
    static char at[BYTES] __attribute__((aligned(64))), beside[BYTES] __attribute__((aligned(64)));
    double rounds[ROUNDS_TIMED];
    for (int round = 0; round < ROUNDS_TIMED; round++) {
        double taken = 0;
        for (int repeat = 0; repeat < REPEATS; repeat++) {
            for (int k = 0; k < count - 1; k++)
                loops[k](at, beside);
            double before = seconds(), start = seconds();
            loops[count - 1](at, beside);
            taken += seconds() - start - (start - before);
        }
        rounds[round] = taken / REPEATS / seconds_of_cycle() / (BYTES / VECTOR_BYTES);
    }
    qsort(rounds, ROUNDS_TIMED, sizeof *rounds, ascending);
    return rounds[ROUNDS_TIMED / 2];
}

/* Cycles that one step of a chain takes, the median. */
double cycles_of_step(void (*chain)(void))
{
    double rounds[ROUNDS_TIMED];
    for (int round = 0; round < ROUNDS_TIMED; round++) {
        double start = seconds();
        chain();
        rounds[round] = (seconds() - start) / seconds_of_cycle() / CHAIN_STEPS;
    }
    qsort(rounds, ROUNDS_TIMED, sizeof *rounds, ascending);
    return rounds[ROUNDS_TIMED / 2];
}

/* CHAIN_STEPS divisions that do not wait for each other, each alone or beside eight fused multiplications that run on the same pipes. */
#define STEPS(what)                                                                                                                      \
    for (int i = 0; i < CHAIN_STEPS; i++)                                                                                                \
    __asm__ volatile(what ::"x"(one) : "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "xmm7")
#define MULTIPLY(to) "vfmadd231pd %0, %0, %%ymm" #to "\n"
#define EIGHT                                                                                                                            \
    MULTIPLY(8) MULTIPLY(9) MULTIPLY(10) MULTIPLY(11) MULTIPLY(12) MULTIPLY(13) MULTIPLY(14) MULTIPLY(15)

#define DIVISIONS(instruction)                                                                                                           \
    void instruction##_alone(void)                                                                                                       \
    {                                                                                                                                    \
        __m256d one = _mm256_set1_pd(1);                                                                                                 \
        STEPS(#instruction " %0, %0, %%ymm7");                                                                                           \
    }                                                                                                                                    \
    void instruction##_beside(void)                                                                                                      \
    {                                                                                                                                    \
        __m256d one = _mm256_set1_pd(1);                                                                                                 \
        STEPS(#instruction " %0, %0, %%ymm7\n" EIGHT);                                                                                   \
    }

DIVISIONS(vdivps)
DIVISIONS(vdivpd)
