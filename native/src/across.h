/*
 * As many vectors as one has lanes, each folded onto itself, upper half to lower, until one lane is left (as `sum` and `largest` do for one):
 * lane r of the result is what vector r came to. Halves of two vectors are folded in one operation. Include after transpose.h.
 */
#ifndef GUMBEL4J_ACROSS_H
#define GUMBEL4J_ACROSS_H

/* The lanes of two vectors that the last step takes for the one side, then those for the other. */
#if VECTOR_BYTES == 16
#define EVEN_32 0, 2, 4, 6
#define ODD_32 1, 3, 5, 7
#elif VECTOR_BYTES == 32
#define EVEN_32 0, 2, 8, 10, 4, 6, 12, 14
#define ODD_32 1, 3, 9, 11, 5, 7, 13, 15
#else
#define EVEN_32 0, 2, 16, 18, 4, 6, 20, 22, 8, 10, 24, 26, 12, 14, 28, 30
#define ODD_32 1, 3, 17, 19, 5, 7, 21, 23, 9, 11, 25, 27, 13, 15, 29, 31
#endif

/* One step on pairs of vectors `distance` apart, the first of them `step` apart. */
#define FOLD_PAIRS(type, v, pairs, step, distance, fold, low, high)                                                              \
    UNROLL                                                                                                                       \
    for (int i = 0; i < (pairs); i++) {                                                                                          \
        float64_lanes a = (float64_lanes)(v)[i * (step)], b = (float64_lanes)(v)[i * (step) + (distance)];                       \
        (v)[i] = fold((type)__builtin_shufflevector(a, b, low), (type)__builtin_shufflevector(a, b, high));                      \
    }

#if VECTOR_BYTES >= 64
#define FOLD_256(type, v, lanes, fold) FOLD_PAIRS(type, v, (lanes) / 2, 1, (lanes) / 2, fold, LOW_256, HIGH_256)
#else
#define FOLD_256(type, v, lanes, fold)
#endif
#if VECTOR_BYTES >= 32
#define FOLD_128(type, v, lanes, fold) FOLD_PAIRS(type, v, (lanes) * 16 / VECTOR_BYTES, 1, (lanes) * 16 / VECTOR_BYTES, fold, LOW_128, HIGH_128)
#else
#define FOLD_128(type, v, lanes, fold)
#endif

#define ACROSS_FLOAT32(name, fold)                                                                                               \
    INLINE float32_lanes name##_float32(float32_lanes v[LANES_float32])                                                          \
    {                                                                                                                            \
        FOLD_256(float32_lanes, v, LANES_float32, fold)                                                                          \
        FOLD_128(float32_lanes, v, LANES_float32, fold)                                                                          \
        FOLD_PAIRS(float32_lanes, v, 2, 2, 1, fold, LOW_64, HIGH_64)                                                             \
        return fold(__builtin_shufflevector(v[0], v[1], EVEN_32), __builtin_shufflevector(v[0], v[1], ODD_32));                  \
    }

#define ACROSS_FLOAT64(name, fold)                                                                                               \
    INLINE float64_lanes name##_float64(float64_lanes v[LANES_float64])                                                          \
    {                                                                                                                            \
        FOLD_256(float64_lanes, v, LANES_float64, fold)                                                                          \
        FOLD_128(float64_lanes, v, LANES_float64, fold)                                                                          \
        return fold(__builtin_shufflevector(v[0], v[1], LOW_64), __builtin_shufflevector(v[0], v[1], HIGH_64));                  \
    }

#define ADD(a, b) ((a) + (b))
ACROSS_FLOAT32(sum_of_each, ADD)
ACROSS_FLOAT64(sum_of_each, ADD)
ACROSS_FLOAT32(largest_of_each, max_float32)
ACROSS_FLOAT64(largest_of_each, max_float64)

#endif
