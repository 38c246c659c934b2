/*
 * The vector types of a tier, and the operations on them that read the same on every instruction set. Each lanes_<tier>.h defines
 * VECTOR_BYTES, includes this file, and adds the few operations that need its own instructions (those of masks.h are made of bits):
 *
 *   fma(a, b, c)            a b + c rounded once
 *   max(a, b)               a > b ? a : b
 *   select(mask, a, b)      a where the mask's lane is all ones, b where it is zero
 *   bits(mask)              a bit for each lane, the lowest lane's the lowest
 *   permute(a, places)      lanes of a; place(n), in every lane, is what names lane n
 *   sum(a)                  halves added onto each other, upper to lower, until one lane is left (NOISE.md, section 6)
 *   largest(a)              of the lanes
 *   load(p, count, fill)    the first `count` lanes from memory, `fill` in the others; reads nothing beyond
 *   store(p, count, value)  the first `count` lanes to memory; writes nothing beyond
 *   multiply_low(a, b)      64-bit products of the low halves of 64-bit lanes
 *   products(a, b)          64-bit products of 32-bit lanes with one number, which every lane of b is, for low_halves and high_halves
 *   min_words(a, b)         the lesser of each two words, for float32 alone
 *   KEEP_ORDER(a, b)        nothing, but a and b are worked out where it is written, and as they are written, if that saves registers or time
 *
 * All but the three before exist for float32, and all but the last three for float64. A mask is what a comparison of two vectors gives. `count`
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

/* Before a loop over vectors whose body is so short that counting them takes time: two turns at once, as clang does by itself. */
#ifdef __clang__
#define IN_PAIRS
#else
#define IN_PAIRS _Pragma("GCC unroll 2")
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
INLINE uint32_lanes broadcast_uint32(uint32_t x) { return x + (uint32_lanes){0}; }
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

/*
 * The lower, or the upper, halves of 64-bit lanes, two of a and two of b in turn: a0 a1 b0 b1 a2 a3 b2 b3 ... Shuffled as floats, for which
 * alone x86 has one instruction.
 */
#if VECTOR_BYTES == 16
#define HALVES(a, b, h) __builtin_shufflevector(a, b, 0 + h, 2 + h, 4 + h, 6 + h)
#elif VECTOR_BYTES == 32
#define HALVES(a, b, h) __builtin_shufflevector(a, b, 0 + h, 2 + h, 8 + h, 10 + h, 4 + h, 6 + h, 12 + h, 14 + h)
#else
#define HALVES(a, b, h)                                                                                                                  \
    __builtin_shufflevector(a, b, 0 + h, 2 + h, 16 + h, 18 + h, 4 + h, 6 + h, 20 + h, 22 + h, 8 + h, 10 + h, 24 + h, 26 + h, 12 + h,     \
                            14 + h, 28 + h, 30 + h)
#endif

INLINE uint32_lanes lower_halves(uint64_lanes a, uint64_lanes b)
{
    return (uint32_lanes)HALVES((float32_lanes)a, (float32_lanes)b, 0);
}

INLINE uint32_lanes upper_halves(uint64_lanes a, uint64_lanes b)
{
    return (uint32_lanes)HALVES((float32_lanes)a, (float32_lanes)b, 1);
}

#undef HALVES

/* The 64-bit products of 32-bit lanes with one number, which every lane of b is: those of two lanes of every four, and of the other two. */
struct products {
    uint64_lanes some, others;
};

INLINE uint32_lanes low_halves(struct products p) { return lower_halves(p.some, p.others); }
INLINE uint32_lanes high_halves(struct products p) { return upper_halves(p.some, p.others); }

/* 64-bit lanes, each made of a lane of `low` and, above it, that of `high`: for the lanes 0 and 1 of every four, and for the lanes 2 and 3. */
INLINE uint64_lanes interleave_first(uint32_lanes low, uint32_lanes high)
{
#if VECTOR_BYTES == 16
    return (uint64_lanes)__builtin_shufflevector(low, high, 0, 4, 1, 5);
#elif VECTOR_BYTES == 32
    return (uint64_lanes)__builtin_shufflevector(low, high, 0, 8, 1, 9, 4, 12, 5, 13);
#else
    return (uint64_lanes)__builtin_shufflevector(low, high, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29);
#endif
}

INLINE uint64_lanes interleave_second(uint32_lanes low, uint32_lanes high)
{
#if VECTOR_BYTES == 16
    return (uint64_lanes)__builtin_shufflevector(low, high, 2, 6, 3, 7);
#elif VECTOR_BYTES == 32
    return (uint64_lanes)__builtin_shufflevector(low, high, 2, 10, 3, 11, 6, 14, 7, 15);
#else
    return (uint64_lanes)__builtin_shufflevector(low, high, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31);
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
