/*
 * Sums over a row in the order of NOISE.md, section 6. Included by operators.h once per element type.
 */

enum {
    T(SUM_LANES) = 16,
    T(SUM_BLOCK) = 1024,
    T(SUM_VECTORS) = T(SUM_LANES) / T(LANES)
};

/* Sixteen accumulators, folded until they fill one vector. */
INLINE lanes T(fold_vectors)(const lanes sums[T(SUM_VECTORS)])
{
    lanes left[T(SUM_VECTORS)];
    memcpy(left, sums, sizeof left);
    UNROLL
    for (int width = T(SUM_VECTORS) / 2; width > 0; width /= 2)
        UNROLL
        for (int h = 0; h < width; h++)
            left[h] += left[h + width];
    return left[0];
}

/* One block of a row's sum: sixteen accumulators folded. */
INLINE real T(fold)(const lanes sums[T(SUM_VECTORS)]) { return T(sum)(T(fold_vectors)(sums)); }
