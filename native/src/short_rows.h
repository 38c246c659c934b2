/*
 * Rows of few classes: as many at a time as share one refill of the noise. Noise, exponential and scaling run flat over all of them, and
 * only the largest, the sum and the argmax go row by row, so that no lane idles. Included by operators.h once per element type.
 *
 * A batch lies packed in a buffer with room behind it: a vector that starts in a row may reach into the next ones, whose own values are
 * written later (ascending order) or are masked.
 */

enum { T(SHORT) = 127 }; /* classes; beyond, a row fills the lanes by itself */

struct T(batch) {
    real values[T(CHUNK) + T(SUM_LANES)] __attribute__((aligned(64)));
};

/* s = x + g. Returns how many rows precede one with a NaN or +inf. `y`: where samples will be written, or null. */
INLINE int64_t T(perturb_short_rows)(struct T(window) *window, uint64_t index, const real *x, int64_t stride, int64_t rows,
                                     int64_t classes, const real *y, struct T(batch) *s)
{
    const real *g = T(noise_at)(window, index, rows * classes, x, y);
    struct T(runs) runs = T(runs_of)((struct shape){rows, classes}, (struct output){NULL, stride});
    mask_lanes refused = {0};
    for (int64_t r = 0; r < runs.count; r++) {
        int64_t at = r * classes, c = 0;
        for (; c + T(LANES) <= runs.length; c += T(LANES))
            T(store)(s->values + at + c, T(LANES), T(perturb_columns)(x + r * stride + c, g + at + c, T(LANES), &refused));
        if (c < runs.length)
            T(store)(s->values + at + c, T(LANES), T(perturb_columns)(x + r * stride + c, g + at + c, runs.length - c, &refused));
    }
    if (__builtin_expect(T(any)(refused), 0))
        for (int64_t r = 0; r < rows; r++)
            for (int64_t c = 0; c < classes; c++)
                if (!(x[r * stride + c] < (real)INFINITY))
                    return r;
    return rows;
}

INLINE real T(largest_of_row)(const real *s, int64_t classes)
{
    lanes largest = T(load)(s, classes, -(real)INFINITY);
    for (int64_t c = T(LANES); c < classes; c += T(LANES))
        largest = T(max)(T(load)(s + c, classes - c, -(real)INFINITY), largest);
    return T(largest)(largest);
}

/* Writes a value over a row, and beyond its end. */
INLINE void T(fill_row)(real *row, int64_t classes, real value)
{
    lanes values = T(broadcast)(value);
    for (int64_t c = 0; c < classes; c += T(LANES))
        T(store)(row + c, T(LANES), values);
}

/* The columns of the largest s of each row; returns how many rows precede one that must be refused. */
INLINE int64_t T(argmax_short_rows)(struct T(window) *window, uint64_t index, const real *x, int64_t stride, int64_t rows,
                                    int64_t classes, int64_t *columns)
{
    struct T(batch) s;
    rows = T(perturb_short_rows)(window, index, x, stride, rows, classes, NULL, &s);
    for (int64_t r = 0; r < rows; r++) {
        const real *row = s.values + r * classes;
        real largest = T(largest_of_row)(row, classes);
        if (largest == -(real)INFINITY)
            return r;
        int64_t c = 0;
        mask_lanes equal = (mask_lanes)(T(load)(row, classes, -(real)INFINITY) == largest);
        while (!T(any)(equal)) {
            c += T(LANES);
            equal = (mask_lanes)(T(load)(row + c, classes - c, -(real)INFINITY) == largest);
        }
        columns[r] = c + T(first_lane)(equal);
    }
    return rows;
}

/* The sum of a row, which is one block of few steps. */
INLINE real T(sum_of_row)(const real *e, int64_t classes)
{
    lanes sums[T(SUM_VECTORS)];
    UNROLL
    for (int h = 0; h < T(SUM_VECTORS); h++)
        sums[h] = T(load)(e + h * T(LANES), classes - h * T(LANES), 0);
    for (int64_t c = T(SUM_LANES); c < classes; c += T(SUM_LANES))
        UNROLL
        for (int h = 0; h < T(SUM_VECTORS); h++)
            sums[h] += T(load)(e + c + h * T(LANES), classes - c - h * T(LANES), 0);
    return T(fold)(sums);
}

/* The argmax limit: masks all but the first column with the largest s, so that its exponential becomes the one. */
static void T(mask_losers)(real *s, int64_t classes, real top)
{
    bool found = false;
    for (int64_t c = 0; c < classes; c++) {
        bool wins = !found && s[c] == top;
        s[c] = wins ? top : -(real)INFINITY;
        found |= wins;
    }
}

/* e = exp((s - top) / tau) for a batch, in place, in two loops of short bodies; `top` holds each element's, and is lost. */
INLINE void T(exp_batch)(real *s, real *top, int64_t count, real tau)
{
    for (int64_t i = 0; i < count; i += T(LANES)) {
        struct T(exp_parts) parts = T(exp_parts)((T(load)(s + i, T(LANES), 0) - T(load)(top + i, T(LANES), 0)) / tau);
        T(store)(s + i, T(LANES), parts.rest);
        T(store)(top + i, T(LANES), parts.scale);
    }
    for (int64_t i = 0; i < count; i += T(LANES))
        T(store)(s + i, T(LANES), T(exp_of_parts)((struct T(exp_parts)){T(load)(s + i, T(LANES), 0), T(load)(top + i, T(LANES), 0)}));
}

/* The same with a temperature for each row. */
INLINE void T(exp_batch_by_row)(real *s, const real *top, int64_t rows, int64_t classes, struct temperature tau, int64_t first_row)
{
    struct T(batch) temperatures;
    for (int64_t r = 0; r < rows; r++) {
        real temperature = T(temperature_of)(tau, first_row + r);
        if (temperature == 0)
            T(mask_losers)(s + r * classes, classes, top[r * classes]);
        T(fill_row)(temperatures.values + r * classes, classes, temperature == 0 ? 1 : temperature);
    }
    for (int64_t i = 0; i < rows * classes; i += T(LANES)) {
        lanes shifted = T(load)(s + i, T(LANES), 0) - T(load)(top + i, T(LANES), 0);
        T(store)(s + i, T(LANES), T(exp)(shifted / T(load)(temperatures.values + i, T(LANES), 0)));
    }
}

/* Soft samples of `rows` rows from `first_row` on; returns how many precede one that must be refused. */
INLINE int64_t T(soft_batch)(struct T(window) *window, uint64_t index, const real *x, int64_t x_stride, struct temperature tau,
                             int64_t first_row, int64_t rows, int64_t classes, real *y, int64_t y_stride)
{
    struct T(batch) s, of_row; /* of_row: what a row's elements have in common */
    rows = T(perturb_short_rows)(window, index, x, x_stride, rows, classes, y, &s);
    for (int64_t r = 0; r < rows; r++) {
        real top = T(largest_of_row)(s.values + r * classes, classes);
        if (top == -(real)INFINITY)
            rows = r;
        T(fill_row)(of_row.values + r * classes, classes, top);
    }
    if (tau.rows.data == NULL)
        T(exp_batch)(s.values, of_row.values, rows * classes, (real)tau.all);
    else
        T(exp_batch_by_row)(s.values, of_row.values, rows, classes, tau, first_row);
    for (int64_t r = 0; r < rows; r++)
        T(fill_row)(of_row.values + r * classes, classes, 1 / T(sum_of_row)(s.values + r * classes, classes));
    struct T(runs) runs = T(runs_of)((struct shape){rows, classes}, (struct output){y, y_stride});
    for (int64_t r = 0; r < runs.count && rows > 0; r++) {
        const real *e = s.values + r * classes, *factor = of_row.values + r * classes;
        for (int64_t c = 0; c < runs.length; c += T(LANES)) {
            lanes scaled = T(load)(e + c, T(LANES), 0) * T(load)(factor + c, T(LANES), 0);
            T(store)(y + r * y_stride + c, runs.length - c, T(flush)(scaled));
        }
    }
    return rows;
}

INLINE int64_t T(soft_short_rows)(struct T(window) *window, struct shape shape, struct input logits, struct temperature tau,
                                  struct noise noise, struct output out)
{
    int64_t batch = T(CHUNK) / shape.classes;
    for (int64_t r = 0; r < shape.rows; r += batch) {
        int64_t rows = T(shorter)(shape.rows - r, batch);
        int64_t written = T(soft_batch)(window, T(row_index)(noise, shape, r), (const real *)logits.data + r * logits.stride,
                                        logits.stride, tau, r, rows, shape.classes, (real *)out.data + r * out.stride, out.stride);
        if (written < rows)
            return r + written;
    }
    return shape.rows;
}
