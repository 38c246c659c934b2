/*
 * Squares of lanes turned: lane r of vector c becomes lane c of vector r. Each step exchanges halves of what the ones before it have put
 * together, and is an unpack or a permutation of two registers on every instruction set. Include after a lanes_<tier>.h.
 */
#ifndef GUMBEL4J_TRANSPOSE_H
#define GUMBEL4J_TRANSPOSE_H

/* The lanes of two vectors that a step takes for the first, then those for the second: by 32, 64, 128 and 256 bits. */
#if VECTOR_BYTES == 16
#define LOW_32 0, 4, 1, 5
#define HIGH_32 2, 6, 3, 7
#define LOW_64 0, 2
#define HIGH_64 1, 3
#elif VECTOR_BYTES == 32
#define LOW_32 0, 8, 1, 9, 4, 12, 5, 13
#define HIGH_32 2, 10, 3, 11, 6, 14, 7, 15
#define LOW_64 0, 4, 2, 6
#define HIGH_64 1, 5, 3, 7
#define LOW_128 0, 1, 4, 5
#define HIGH_128 2, 3, 6, 7
#else
#define LOW_32 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29
#define HIGH_32 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31
#define LOW_64 0, 8, 2, 10, 4, 12, 6, 14
#define HIGH_64 1, 9, 3, 11, 5, 13, 7, 15
#define LOW_128 0, 1, 8, 9, 4, 5, 12, 13
#define HIGH_128 2, 3, 10, 11, 6, 7, 14, 15
#define LOW_256 0, 1, 2, 3, 8, 9, 10, 11
#define HIGH_256 4, 5, 6, 7, 12, 13, 14, 15
#endif

/* One step on every pair of vectors `distance` apart. */
#define EXCHANGE(v, count, distance, low, high)                                                                                  \
    UNROLL                                                                                                                       \
    for (int i = 0; i < (count); i++)                                                                                            \
        if ((i & (distance)) == 0) {                                                                                             \
            float64_lanes a = (float64_lanes)(v)[i], b = (float64_lanes)(v)[i + (distance)];                                     \
            (v)[i] = (__typeof__((v)[0]))__builtin_shufflevector(a, b, low);                                                     \
            (v)[i + (distance)] = (__typeof__((v)[0]))__builtin_shufflevector(a, b, high);                                       \
        }

INLINE void transpose_float64(float64_lanes v[LANES_float64])
{
    EXCHANGE(v, LANES_float64, 1, LOW_64, HIGH_64)
#if VECTOR_BYTES >= 32
    EXCHANGE(v, LANES_float64, 2, LOW_128, HIGH_128)
#endif
#if VECTOR_BYTES >= 64
    EXCHANGE(v, LANES_float64, 4, LOW_256, HIGH_256)
#endif
}

INLINE void transpose_float32(float32_lanes v[LANES_float32])
{
    UNROLL
    for (int i = 0; i < LANES_float32; i += 4) { /* squares of four lanes, in place */
        float32_lanes a = __builtin_shufflevector(v[i], v[i + 1], LOW_32), b = __builtin_shufflevector(v[i], v[i + 1], HIGH_32);
        float32_lanes c = __builtin_shufflevector(v[i + 2], v[i + 3], LOW_32), d = __builtin_shufflevector(v[i + 2], v[i + 3], HIGH_32);
        v[i] = (float32_lanes)__builtin_shufflevector((float64_lanes)a, (float64_lanes)c, LOW_64);
        v[i + 1] = (float32_lanes)__builtin_shufflevector((float64_lanes)a, (float64_lanes)c, HIGH_64);
        v[i + 2] = (float32_lanes)__builtin_shufflevector((float64_lanes)b, (float64_lanes)d, LOW_64);
        v[i + 3] = (float32_lanes)__builtin_shufflevector((float64_lanes)b, (float64_lanes)d, HIGH_64);
    }
#if VECTOR_BYTES >= 32
    EXCHANGE(v, LANES_float32, 4, LOW_128, HIGH_128)
#endif
#if VECTOR_BYTES >= 64
    EXCHANGE(v, LANES_float32, 8, LOW_256, HIGH_256)
#endif
}

#endif
