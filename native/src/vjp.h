/*
 * Backward of the soft sample. Included by operators.h once per element type.
 */

/* The upstream gradient where it counts: 0 in the columns with y = 0, whatever it holds there. */
INLINE lanes T(counted)(lanes y, lanes v) { return (lanes)((mask_lanes)v & (mask_lanes)(y != 0)); }

/* Adds y v for up to 16 columns to the sums. */
INLINE void T(dot_columns)(const real *y, const real *v, int64_t count, lanes sums[T(SUM_VECTORS)])
{
    UNROLL
    for (int h = 0; h < T(SUM_VECTORS); h++) {
        lanes sample = T(load)(y + h * T(LANES), count - h * T(LANES), 0);
        sums[h] = T(fma)(sample, T(counted)(sample, T(load)(v + h * T(LANES), count - h * T(LANES), 0)), sums[h]);
    }
}

/* dx for one vector: y (v - dot) / tau, and 0 where y is 0, since 0 times an infinite number is not. */
INLINE lanes T(gradient)(lanes y, lanes v, lanes dot, lanes tau) { return T(counted)(y, T(clean)((y * (v - dot)) / tau)); }

/* dx for up to 16 columns, and dx log(y) added to the sums where they are wanted. */
INLINE void T(vjp_columns)(const real *y, const real *v, int64_t count, real dot, real tau, real *dx, bool summed,
                           lanes sums[T(SUM_VECTORS)])
{
    UNROLL
    for (int h = 0; h < T(SUM_VECTORS); h++) {
        int64_t left = count - h * T(LANES);
        lanes sample = T(load)(y + h * T(LANES), left, 0);
        lanes gradient = T(gradient)(sample, T(load)(v + h * T(LANES), left, 0), T(broadcast)(dot), T(broadcast)(tau));
        T(store)(dx + h * T(LANES), left, gradient);
        if (summed)
            sums[h] = T(fma)(gradient, T(log)(sample), sums[h]);
    }
}

/* The sum of products y v of a block. */
INLINE real T(dot_block)(const real *y, const real *v, int64_t count)
{
    lanes sums[T(SUM_VECTORS)] = {{0}};
    int64_t c = 0;
    for (; c + T(SUM_LANES) <= count; c += T(SUM_LANES))
        T(dot_columns)(y + c, v + c, T(SUM_LANES), sums);
    if (c < count)
        T(dot_columns)(y + c, v + c, count - c, sums);
    return T(fold)(sums);
}

/* A row whose dot product is worked out while another one's dx is: the one waits for additions, the other for divisions and memory. */
struct T(next_row) {
    const real *y, *v;
    real dot;
};

/* dx of a block, which starts at column `first`; adds that block of the next row, or null, to its dot product. Returns the sum of dx log(y)
 * where it is wanted. */
INLINE real T(vjp_block)(const real *y, const real *v, int64_t first, int64_t count, real dot, real tau, real *dx, bool summed,
                         struct T(next_row) *next)
{
    lanes sums[T(SUM_VECTORS)] = {{0}}, dots[T(SUM_VECTORS)] = {{0}};
    int64_t c = first, end = first + count;
    for (; c + T(SUM_LANES) <= end; c += T(SUM_LANES)) {
        T(vjp_columns)(y + c, v + c, T(SUM_LANES), dot, tau, dx + c, summed, sums);
        if (next != NULL)
            T(dot_columns)(next->y + c, next->v + c, T(SUM_LANES), dots);
    }
    if (c < end) {
        T(vjp_columns)(y + c, v + c, end - c, dot, tau, dx + c, summed, sums);
        if (next != NULL)
            T(dot_columns)(next->y + c, next->v + c, end - c, dots);
    }
    if (next != NULL)
        next->dot += T(fold)(dots);
    return T(fold)(sums);
}

/* The sum from `total` on, over columns that start a block. */
INLINE real T(dot_from)(real total, const real *y, const real *v, int64_t columns)
{
    for (int64_t c = 0; c < columns; c += T(SUM_BLOCK))
        total += T(dot_block)(y + c, v + c, T(shorter)(columns - c, T(SUM_BLOCK)));
    return total;
}

/* The same of dx log(y), writing dx. */
INLINE real T(vjp_from)(real total, const real *y, const real *v, int64_t columns, real dot, real tau, real *dx, bool summed,
                        struct T(next_row) *next)
{
    for (int64_t c = 0; c < columns; c += T(SUM_BLOCK))
        total += T(vjp_block)(y, v, c, T(shorter)(columns - c, T(SUM_BLOCK)), dot, tau, dx, summed, next);
    return total;
}

/* The gradient of a row's tau, from the sum of dx log(y). */
INLINE real T(slope_of_tau)(real sum) { return T(clean)(T(broadcast)(-sum))[0]; }

/* One row at least. */
INLINE void T(vjp_long_rows)(struct shape shape, struct input sample, struct input upstream, struct temperature tau,
                             struct output dlogits, struct output dtau)
{
    const real *y = sample.data, *v = upstream.data;
    struct T(next_row) next = {y, v, T(dot_from)(0, y, v, shape.classes)};
    for (int64_t r = 0; r < shape.rows; r++) {
        real *dx = (real *)dlogits.data + r * dlogits.stride, dot = next.dot, sum;
        y = next.y;
        v = next.v;
        real temperature = T(temperature_of)(tau, r);
        bool summed = dtau.data != NULL;
        if (r + 1 < shape.rows) {
            next = (struct T(next_row)){y + sample.stride, v + upstream.stride, 0};
            sum = summed ? T(vjp_from)(0, y, v, shape.classes, dot, temperature, dx, true, &next)
                         : T(vjp_from)(0, y, v, shape.classes, dot, temperature, dx, false, &next);
        } else {
            sum = summed ? T(vjp_from)(0, y, v, shape.classes, dot, temperature, dx, true, NULL)
                         : T(vjp_from)(0, y, v, shape.classes, dot, temperature, dx, false, NULL);
        }
        if (summed)
            ((real *)dtau.data)[r * dtau.stride] = T(slope_of_tau)(sum);
    }
}

/* The sums of products of LANES packed rows of fewer than SUM_LANES classes; what is read behind them does not count. */
INLINE lanes T(dots_of_rows)(const real *y, const real *v, int64_t classes, const struct T(row_end) *end)
{
    lanes folded[T(LANES)];
    UNROLL
    for (int l = 0; l < T(LANES); l++, y += classes, v += classes) {
        lanes products[T(SUM_VECTORS)];
        UNROLL
        for (int h = 0; h < T(SUM_VECTORS); h++) {
            lanes sample = (lanes)((mask_lanes)T(load)(y + h * T(LANES), T(LANES), 0) & end->within[h]);
            products[h] = T(fma)(sample, T(counted)(sample, T(load)(v + h * T(LANES), T(LANES), 0)), (lanes){0});
        }
        folded[l] = T(fold_vectors)(products);
    }
    return T(sum_of_each)(folded); /* never -0: some accumulators have no column */
}

/* The same for as many of `rows` rows as can be taken so, where that pays; returns how many. `readable`: elements from y and v on. */
INLINE int64_t T(dots_of_few)(const real *y, const real *v, int64_t rows, int64_t classes, int64_t readable, real *dots)
{
    if (classes >= T(FEW) || rows < T(LANES))
        return 0;
    struct T(row_end) end = T(row_end_of)(classes);
    int64_t r = 0;
    for (; r + T(LANES) <= rows && (r + T(LANES)) * classes + T(SUM_LANES) <= readable; r += T(LANES)) {
        lanes some = T(dots_of_rows)(y + r * classes, v + r * classes, classes, &end);
        T(store)(dots + r, T(LANES), some);
    }
    return r;
}

/* Writes a value over a row, and beyond its end. */
INLINE void T(fill_row)(real *row, int64_t classes, real value)
{
    lanes values = T(broadcast)(value);
    for (int64_t c = 0; c < classes; c += T(LANES))
        T(store)(row + c, T(LANES), values);
}

/* Packed rows of few classes, some at a time: the dot products go by rows, dx and the logarithms run flat over all of them. `readable`: the
 * elements from y, v and dx on, of rows to come too. */
INLINE void T(vjp_batch)(const real *y, const real *v, int64_t rows, int64_t classes, int64_t readable, struct temperature tau,
                         int64_t first_row, real *dx, struct output dtau)
{
    struct T(batch) dots, temperatures, logs;
    real some[T(CHUNK)];
    int64_t known = T(dots_of_few)(y, v, rows, classes, readable, some);
    for (int64_t r = 0; r < known; r++)
        T(fill_row)(dots.values + r * classes, classes, some[r]);
    for (int64_t r = known; r < rows; r++)
        T(fill_row)(dots.values + r * classes, classes, T(dot_from)(0, y + r * classes, v + r * classes, classes));
    for (int64_t r = 0; r < rows && tau.rows.data != NULL; r++)
        T(fill_row)(temperatures.values + r * classes, classes, T(temperature_of)(tau, first_row + r));
    for (int64_t i = 0; i < rows * classes; i += T(LANES)) {
        int64_t left = rows * classes - i;
        lanes sample = T(load)(y + i, left, 0);
        lanes temperature = tau.rows.data == NULL ? T(broadcast)((real)tau.all) : T(load)(temperatures.values + i, T(LANES), 0);
        T(store)(dx + i, left, T(gradient)(sample, T(load)(v + i, left, 0), T(load)(dots.values + i, T(LANES), 0), temperature));
        if (dtau.data != NULL)
            T(store)(logs.values + i, T(LANES), T(log)(sample));
    }
    if (dtau.data == NULL)
        return;
    known = T(dots_of_few)(dx, logs.values, rows, classes, readable, some);
    for (int64_t r = 0; r < rows; r++) {
        int64_t at = r * classes;
        real sum = r < known ? some[r] : T(dot_from)(0, dx + at, logs.values + at, classes);
        ((real *)dtau.data)[(first_row + r) * dtau.stride] = T(slope_of_tau)(sum);
    }
}

enum { T(SHORT_BACKWARD) = 64 }; /* classes; the backward pass has less work to share among rows than a draw */

static void T(vjp_rows)(struct shape shape, struct input sample, struct input upstream, struct temperature tau,
                             struct output dlogits, struct output dtau)
{
    int64_t classes = shape.classes, batch = T(CHUNK) / classes;
    if (classes > T(SHORT_BACKWARD) || sample.stride != classes || upstream.stride != classes || dlogits.stride != classes) {
        T(vjp_long_rows)(shape, sample, upstream, tau, dlogits, dtau);
        return;
    }
    for (int64_t r = 0; r < shape.rows; r += batch)
        T(vjp_batch)((const real *)sample.data + r * classes, (const real *)upstream.data + r * classes,
                     T(shorter)(shape.rows - r, batch), classes, (shape.rows - r) * classes, tau, r, (real *)dlogits.data + r * classes, dtau);
}
