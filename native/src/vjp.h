/*
 * Backward of the soft sample. Included by operators.h once per element type.
 */

/* The upstream gradient where it counts: 0 in the columns with y = 0, whatever it holds there. */
INLINE lanes T(counted)(lanes y, const real *v, int64_t count)
{
    return T(select)((mask_lanes)(y == 0), (lanes){0}, T(load)(v, count, 0));
}

/* Adds y v for up to 16 columns to the sums. */
INLINE void T(dot_columns)(const real *y, const real *v, int64_t count, lanes sums[T(SUM_VECTORS)])
{
    UNROLL
    for (int h = 0; h < T(SUM_VECTORS); h++) {
        lanes sample = T(load)(y + h * T(LANES), count - h * T(LANES), 0);
        sums[h] = T(fma)(sample, T(counted)(sample, v + h * T(LANES), count - h * T(LANES)), sums[h]);
    }
}

/* dx for up to 16 columns, and dx log(y) added to the sums where they are wanted. */
INLINE void T(vjp_columns)(const real *y, const real *v, int64_t count, real dot, real tau, real *dx, bool summed,
                           lanes sums[T(SUM_VECTORS)])
{
    UNROLL
    for (int h = 0; h < T(SUM_VECTORS); h++) {
        lanes sample = T(load)(y + h * T(LANES), count - h * T(LANES), 0);
        lanes gradient = T(clean)((sample * (T(counted)(sample, v + h * T(LANES), count - h * T(LANES)) - dot)) / tau);
        gradient = T(select)((mask_lanes)(sample == 0), (lanes){0}, gradient); /* 0 times an infinite dot is not 0 */
        T(store)(dx + h * T(LANES), count - h * T(LANES), gradient);
        if (summed)
            sums[h] = T(fma)(gradient, T(log)(sample), sums[h]);
    }
}

INLINE real T(dot_row)(const real *y, const real *v, int64_t classes)
{
    real total = 0;
    for (int64_t block = 0; block < classes; block += T(SUM_BLOCK)) {
        int64_t count = T(shorter)(classes - block, T(SUM_BLOCK)), c = 0;
        lanes sums[T(SUM_VECTORS)] = {{0}};
        for (; c + T(SUM_LANES) <= count; c += T(SUM_LANES))
            T(dot_columns)(y + block + c, v + block + c, T(SUM_LANES), sums);
        if (c < count)
            T(dot_columns)(y + block + c, v + block + c, count - c, sums);
        total += T(fold)(sums);
    }
    return total;
}

/* dx of a row. Returns the sum of dx log(y) where it is wanted. */
INLINE real T(vjp_row)(const real *y, const real *v, int64_t classes, real dot, real tau, real *dx, bool summed)
{
    real total = 0;
    for (int64_t block = 0; block < classes; block += T(SUM_BLOCK)) {
        int64_t count = T(shorter)(classes - block, T(SUM_BLOCK)), c = 0;
        lanes sums[T(SUM_VECTORS)] = {{0}};
        for (; c + T(SUM_LANES) <= count; c += T(SUM_LANES))
            T(vjp_columns)(y + block + c, v + block + c, T(SUM_LANES), dot, tau, dx + block + c, summed, sums);
        if (c < count)
            T(vjp_columns)(y + block + c, v + block + c, count - c, dot, tau, dx + block + c, summed, sums);
        total += T(fold)(sums);
    }
    return total;
}

static int64_t T(vjp_kernel)(struct shape shape, struct input sample, struct input upstream, struct temperature tau,
                             struct output dlogits, struct output dtau)
{
    for (int64_t r = 0; r < shape.rows; r++) {
        const real *y = (const real *)sample.data + r * sample.stride;
        const real *v = (const real *)upstream.data + r * upstream.stride;
        real *dx = (real *)dlogits.data + r * dlogits.stride;
        real dot = T(dot_row)(y, v, shape.classes);
        real temperature = T(temperature_of)(tau, r);
        if (dtau.data == NULL) {
            T(vjp_row)(y, v, shape.classes, dot, temperature, dx, false);
        } else {
            real slope = T(vjp_row)(y, v, shape.classes, dot, temperature, dx, true);
            ((real *)dtau.data)[r * dtau.stride] = T(clean)(T(broadcast)(-slope))[0];
        }
    }
    return shape.rows;
}
