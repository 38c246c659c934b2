/*
 * Rows of few classes: as many at a time as share one refill of the noise. Noise, exponential and scaling run flat over all of them, and
 * only the largest and the sum go by rows, as many at a time as there are lanes, so that no lane idles. Included by operators.h once per
 * element type.
 *
 * A batch lies packed in a buffer with room behind it: a vector that starts in a row may reach into the next ones, whose own values are
 * written later (ascending order) or are masked.
 */

enum {
    T(FEW) = 64 / sizeof(real), /* classes; from here on it pays to screen a row, and its dot product fills the lanes by itself */
    T(SHORT) = 127,             /* classes; beyond, a row fills the lanes by itself */
    T(SHORT_DRAW) = T(CHUNK)    /* classes; beyond, a row that is drawn is screened a chunk at a time */
};

struct T(batch) {
    real values[T(CHUNK) + T(SUM_LANES)] __attribute__((aligned(64)));
};

/* How many rows precede one with a NaN or +inf. */
static int64_t T(sound_rows)(const real *x, int64_t stride, int64_t rows, int64_t classes)
{
    int64_t r = 0;
    while (r < rows && T(are_sound)(x + r * stride, classes))
        r++;
    return r;
}

/* s = x + g. Returns how many rows precede one with a NaN or +inf. `y`: where samples will be written, or null. */
INLINE int64_t T(perturb_short_rows)(struct T(window) *window, uint64_t index, const real *x, int64_t stride, int64_t rows,
                                     int64_t classes, const real *y, struct T(batch) *s)
{
    const real *g = T(noise_at)(window, index, rows * classes, x, y);
    struct T(runs) runs = T(runs_of)((struct shape){rows, classes}, (struct output){NULL, stride});
    mask_lanes refused = {0};
    for (int64_t r = 0; r < runs.count; r++) {
        int64_t at = r * classes, c = 0;
        IN_PAIRS
        for (; c + T(LANES) <= runs.length; c += T(LANES))
            T(store)(s->values + at + c, T(LANES), T(perturb_columns)(x + r * stride + c, g + at + c, T(LANES), &refused));
        if (c < runs.length)
            T(store)(s->values + at + c, T(LANES), T(perturb_columns)(x + r * stride + c, g + at + c, runs.length - c, &refused));
    }
    return __builtin_expect(T(any)(refused), 0) ? T(sound_rows)(x, stride, rows, classes) : rows;
}

/* Which lanes of the last 16 columns of a row, as a sum takes them, lie within the row. */
struct T(row_end) {
    mask_lanes within[T(SUM_VECTORS)];
};

INLINE struct T(row_end) T(row_end_of)(int64_t classes)
{
    static const word within[2 * T(SUM_LANES)] = {[0 ... T(SUM_LANES) - 1] = (word)-1};
    struct T(row_end) end;
    memcpy(&end, within + T(SUM_LANES) - 1 - (classes - 1) % T(SUM_LANES), sizeof end);
    return end;
}

/* The largest s of each of LANES rows. */
INLINE lanes T(largest_of_rows)(const real *s, int64_t classes, const struct T(row_end) *end)
{
    lanes largest[T(LANES)];
    int64_t last = (classes - 1) / T(LANES) * T(LANES);
    mask_lanes within = end->within[last % T(SUM_LANES) / T(LANES)];
    UNROLL
    for (int l = 0; l < T(LANES); l++)
        largest[l] = T(select)(within, T(load)(s + l * classes + last, T(LANES), 0), T(broadcast)(-(real)INFINITY));
    for (int64_t c = 0; c < last; c += T(LANES))
        UNROLL
        for (int l = 0; l < T(LANES); l++)
            largest[l] = T(max)(T(load)(s + l * classes + c, T(LANES), 0), largest[l]);
    return T(largest_of_each)(largest);
}

/* The same of one row. */
INLINE real T(largest_of_row)(const real *s, int64_t classes)
{
    lanes largest = T(broadcast)(-(real)INFINITY);
    int64_t c = 0;
    for (; c + T(LANES) <= classes; c += T(LANES))
        largest = T(max)(T(load)(s + c, T(LANES), 0), largest);
    if (c < classes)
        largest = T(max)(T(load)(s + c, classes - c, -(real)INFINITY), largest);
    return T(largest)(largest);
}

/* The largest s of each row; returns how many rows precede one that has none. */
INLINE int64_t T(largest_of_batch)(const struct T(batch) *s, int64_t rows, int64_t classes, real *largest)
{
    int64_t r = 0;
    if (rows >= T(LANES)) {
        struct T(row_end) end = T(row_end_of)(classes);
        for (; r < rows; r += T(LANES)) {
            int64_t at = T(shorter)(r, rows - T(LANES));
            lanes of_rows = T(largest_of_rows)(s->values + at * classes, classes, &end);
            T(store)(largest + at, T(LANES), of_rows);
            if (__builtin_expect(T(any)((mask_lanes)(of_rows == -(real)INFINITY)), 0))
                return at + T(first_lane)((mask_lanes)(of_rows == -(real)INFINITY));
        }
    }
    for (; r < rows; r++) {
        largest[r] = T(largest_of_row)(s->values + r * classes, classes);
        if (largest[r] == -(real)INFINITY)
            return r;
    }
    return rows;
}

/* The sum of a row, which is one block of few steps, folded until it fills one vector. */
INLINE lanes T(folded_row)(const real *e, int64_t classes, const struct T(row_end) *end)
{
    lanes sums[T(SUM_VECTORS)] = {{0}};
    int64_t last = (classes - 1) / T(SUM_LANES) * T(SUM_LANES);
    for (int64_t c = 0; c < last; c += T(SUM_LANES))
        UNROLL
        for (int h = 0; h < T(SUM_VECTORS); h++)
            sums[h] += T(load)(e + c + h * T(LANES), T(LANES), 0);
    UNROLL
    for (int h = 0; h < T(SUM_VECTORS); h++)
        sums[h] += (lanes)((mask_lanes)T(load)(e + last + h * T(LANES), T(LANES), 0) & end->within[h]);
    return T(fold_vectors)(sums);
}

/* 1 over the sum of each row. */
INLINE void T(factors_of_batch)(const struct T(batch) *e, int64_t rows, int64_t classes, real *factors)
{
    struct T(row_end) end = T(row_end_of)(classes);
    int64_t r = 0;
    for (; r < rows && rows >= T(LANES); r += T(LANES)) {
        lanes folded[T(LANES)];
        int64_t at = T(shorter)(r, rows - T(LANES));
        UNROLL
        for (int l = 0; l < T(LANES); l++)
            folded[l] = T(folded_row)(e->values + (at + l) * classes, classes, &end);
        lanes of_rows = (real)1 / T(sum_of_each)(folded);
        T(store)(factors + at, T(LANES), of_rows);
    }
    for (; r < rows; r++)
        factors[r] = 1 / T(sum)(T(folded_row)(e->values + r * classes, classes, &end));
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

/* For the elements of up to as many rows as there are lanes, one after the other: the place of each one's row. */
struct T(row_places) {
    word places[T(SHORT) * T(LANES) + T(LANES)];
};

INLINE void T(row_places_open)(struct T(row_places) *of, int64_t rows, int64_t classes)
{
    int64_t count = T(shorter)(rows, T(LANES));
    for (int r = 0; r < count; r++) {
        word_lanes place = T(place)(r);
        for (int64_t c = 0; c < classes; c += T(LANES)) /* what reaches into the next row is written again */
            STORE_VECTOR(of->places + r * classes + c, place);
    }
    word_lanes any = T(place)(0); /* for what the last vector of elements has beyond them */
    STORE_VECTOR(of->places + count * classes, any);
}

/* The numbers of the rows that a vector of elements belongs to; `i` counts from the first element of these rows. */
INLINE lanes T(of_rows)(lanes numbers, const struct T(row_places) *of, int64_t i)
{
    return T(permute)(numbers, T(load_words)(of->places + i));
}

/* e = exp((s - top) / tau) for a batch, in place, in two loops of short bodies; tau is one for all, or one for each row in `taus`. */
INLINE void T(exp_batch)(real *s, const real *tops, const struct T(row_places) *places, int64_t rows, int64_t classes, real tau,
                         const real *taus)
{
    real scales[T(CHUNK) + T(LANES)] __attribute__((aligned(64)));
    for (int64_t r = 0; r < rows; r += T(LANES)) {
        int64_t at = r * classes, count = T(shorter)(rows - r, T(LANES)) * classes;
        lanes top = T(load)(tops + r, T(LANES), 0), temperature = T(broadcast)(tau);
        if (taus != NULL)
            temperature = T(load)(taus + r, T(LANES), 0);
        for (int64_t i = 0; i < count; i += T(LANES)) {
            lanes shifted = T(load)(s + at + i, T(LANES), 0) - T(of_rows)(top, places, i);
            struct T(exp_parts) parts = T(exp_parts)(shifted / (taus != NULL ? T(of_rows)(temperature, places, i) : temperature));
            T(store)(s + at + i, T(LANES), parts.rest);
            T(store)(scales + at + i, T(LANES), parts.scale);
        }
    }
    for (int64_t i = 0; i < rows * classes; i += T(LANES))
        T(store)(s + i, T(LANES), T(exp_of_parts)((struct T(exp_parts)){T(load)(s + i, T(LANES), 0), T(load)(scales + i, T(LANES), 0)}));
}

/* y = e * factor for rows that follow each other without a gap. */
INLINE void T(scale_batch)(const real *e, const real *factors, const struct T(row_places) *places, int64_t rows, int64_t classes, real *y)
{
    for (int64_t r = 0; r < rows; r += T(LANES), e += T(LANES) * classes, y += T(LANES) * classes) {
        int64_t count = T(shorter)(rows - r, T(LANES)) * classes, i = 0;
        lanes factor = T(load)(factors + r, T(LANES), 0);
        for (; i + T(LANES) <= count; i += T(LANES))
            T(store)(y + i, T(LANES), T(flush)(T(load)(e + i, T(LANES), 0) * T(of_rows)(factor, places, i)));
        if (i < count)
            T(store)(y + i, count - i, T(flush)(T(load)(e + i, T(LANES), 0) * T(of_rows)(factor, places, i)));
    }
}

/* y = e * factor for one row. */
INLINE void T(scale_to)(const real *e, int64_t classes, real factor, real *y)
{
    for (int64_t c = 0; c < classes; c += T(LANES))
        T(store)(y + c, classes - c, T(flush)(T(load)(e + c, T(LANES), 0) * factor));
}

/* Soft samples of `rows` rows from `first_row` on; returns how many precede one that must be refused. */
INLINE int64_t T(soft_batch)(struct T(window) *window, uint64_t index, const real *x, int64_t x_stride, struct temperature tau,
                             int64_t first_row, const struct T(row_places) *places, int64_t rows, int64_t classes, real *y,
                             int64_t y_stride)
{
    real each[T(CHUNK) + T(LANES)], taus[T(CHUNK) + T(LANES)]; /* of the rows; what lies beyond them is read, to no effect */
    struct T(batch) s;
    rows = T(perturb_short_rows)(window, index, x, x_stride, rows, classes, y, &s);
    rows = T(largest_of_batch)(&s, rows, classes, each);
    if (tau.rows.data == NULL) {
        T(exp_batch)(s.values, each, places, rows, classes, (real)tau.all, NULL);
    } else {
        for (int64_t r = 0; r < rows; r++) {
            taus[r] = T(temperature_of)(tau, first_row + r);
            if (taus[r] == 0) {
                T(mask_losers)(s.values + r * classes, classes, each[r]);
                taus[r] = 1;
            }
        }
        T(exp_batch)(s.values, each, places, rows, classes, 0, taus);
    }
    T(factors_of_batch)(&s, rows, classes, each);
    if (y_stride == classes)
        T(scale_batch)(s.values, each, places, rows, classes, y);
    else
        for (int64_t r = 0; r < rows; r++)
            T(scale_to)(s.values + r * classes, classes, each[r], y + r * y_stride);
    return rows;
}

INLINE int64_t T(soft_short_rows)(struct T(window) *window, struct shape shape, struct input logits, struct temperature tau,
                                  struct noise noise, struct output out)
{
    int64_t batch = T(CHUNK) / shape.classes;
    struct T(row_places) places;
    T(row_places_open)(&places, shape.rows, shape.classes);
    for (int64_t r = 0; r < shape.rows; r += batch) {
        int64_t rows = T(shorter)(shape.rows - r, batch);
        int64_t written = T(soft_batch)(window, T(row_index)(noise, shape, r), (const real *)logits.data + r * logits.stride,
                                        logits.stride, tau, r, &places, rows, shape.classes, (real *)out.data + r * out.stride,
                                        out.stride);
        if (written < rows)
            return r + written;
    }
    return shape.rows;
}
