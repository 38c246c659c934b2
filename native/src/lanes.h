/*
 * The vector types of a tier, and the operations on them that read the same on every instruction set. Each lanes_<tier>.h defines
 * VECTOR_BYTES, includes this file, and adds the few operations that need its own instructions (those of masks.h are made of bits):
 *
 *   fma(a, b, c)            a b + c rounded once
 *   max(a, b)               a > b ? a : b
 *   select(mask, a, b)      a where the mask's lane is all ones, b where it is zero
 *   bits(mask)              a bit for each lane, the lowest lane's the lowest
 *   sum(a)                  halves added onto each other, upper to lower, until one lane is left (NOISE.md, section 6)
 *   largest(a)              of the lanes
 *   load(p, count, fill)    the first `count` lanes from memory, `fill` in the others; reads nothing beyond
 *   store(p, count, value)  the first `count` lanes to memory; writes nothing beyond
 *   multiply_low(a, b)      64-bit products of the low halves of 64-bit lanes
 *   min_words(a, b)         the lesser of each two words, for float32 alone
 *   keep_order(a, b)        nothing, but what a and b are made of is worked out where it is written, if that saves registers
 *
 * All but multiply_low and keep_order exist for float32, and all but the last three for float64. A mask is what a comparison of two vectors gives. `count`
 * may be zero or negative, and is a plain load or store where the compiler knows that it covers the vector.
 */
#ifndef GUMBEL4J_LANES_H
#define GUMBEL4J_LANES_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the order of 32-bit words within 64-bit lanes is written for little-endian machines"
#endif

/* Kernels live in one function each, so that vectors stay in registers. */
#define INLINE static inline __attribute__((always_inline))

/* Before a loop of few, constant steps over an array of vectors: unrolled, the array becomes registers. */
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

#define VECTOR __attribute__((vector_size(VECTOR_BYTES)))
typedef float float32_lanes VECTOR;
typedef double float64_lanes VECTOR;
typedef int32_t int32_lanes VECTOR;
typedef uint32_t uint32_lanes VECTOR;
typedef int64_t int64_lanes VECTOR;
typedef uint64_t uint64_lanes VECTOR;
#undef VECTOR

enum { LANES_float32 = VECTOR_BYTES / 4, LANES_float64 = VECTOR_BYTES / 8 };

/* x - 0 is x for every x, -0 included. */
INLINE float32_lanes broadcast_float32(float x) { return x - (float32_lanes){0}; }
INLINE float64_lanes broadcast_float64(double x) { return x - (float64_lanes){0}; }
INLINE uint64_lanes broadcast_uint64(uint64_t x) { return x + (uint64_lanes){0}; }

INLINE uint32_lanes load_words_float32(const void *p)
{
    uint32_lanes v;
    memcpy(&v, p, sizeof v);
    return v;
}

INLINE uint64_lanes load_words_float64(const void *p)
{
    uint64_lanes v;
    memcpy(&v, p, sizeof v);
    return v;
}

/* The lower halves of 64-bit lanes, two of a and two of b in turn: a0 a1 b0 b1 a2 a3 b2 b3 ... */
INLINE uint32_lanes low_halves(uint64_lanes a, uint64_lanes b)
{
#if VECTOR_BYTES == 16
    return __builtin_shufflevector((uint32_lanes)a, (uint32_lanes)b, 0, 2, 4, 6);
#elif VECTOR_BYTES == 32
    return __builtin_shufflevector((uint32_lanes)a, (uint32_lanes)b, 0, 2, 8, 10, 4, 6, 12, 14);
#else
    return __builtin_shufflevector((uint32_lanes)a, (uint32_lanes)b, 0, 2, 16, 18, 4, 6, 20, 22, 8, 10, 24, 26, 12, 14, 28, 30);
#endif
}

/* a0 a1 a4 a5 ..., in the lower half: a0 a1 a2 a3 ... of what low_halves makes of a twice. */
INLINE uint32_lanes every_other_pair(uint32_lanes a)
{
#if VECTOR_BYTES == 16
    return a;
#elif VECTOR_BYTES == 32
    return __builtin_shufflevector(a, a, 0, 1, 4, 5, 0, 1, 4, 5);
#else
    return __builtin_shufflevector(a, a, 0, 1, 4, 5, 8, 9, 12, 13, 0, 1, 4, 5, 8, 9, 12, 13);
#endif
}

/* 64-bit lanes made of the lower half of `low` and, above it, that of `high`. */
INLINE uint64_lanes low_half_and_high(uint64_lanes low, uint64_lanes high) { return (low & 0xffffffffu) | (high << 32); }

/* Any vector type, unaligned, whatever the declared type of the memory. */
#define STORE_VECTOR(p, v) memcpy((p), &(v), VECTOR_BYTES)

#endif
