/*
 * Rows that are neighbours in memory, one in each lane: what needs no noise is worked out where it lies, class after class. Each row meets
 * the operations that it would meet alone, in the same order. Included by views.h once per element type.
 */

/* A strip of rows, whose vectors start at these; the last may overlap the one before it, with the same results. */
struct S(strip) {
    int64_t vectors, starts[T(STRIP) / T(LANES)];
};

INLINE struct S(strip) S(strip_of)(int64_t rows)
{
    struct S(strip) strip = {0};
    for (int64_t r = 0; r < rows; r += T(LANES))
        strip.starts[strip.vectors++] = T(within)(r, rows);
    return strip;
}

/* The sums of one block, sixteen accumulators for each vector of rows. */
struct S(strip_sums) {
    lanes of[T(SUM_LANES)][T(STRIP) / T(LANES)];
};

/* Folds the accumulators and adds them to the totals. */
INLINE void S(add_block)(struct S(strip_sums) *sums, int64_t vectors, lanes *totals)
{
    for (int width = T(SUM_LANES) / 2; width > 0; width /= 2)
        for (int l = 0; l < width; l++)
            for (int64_t k = 0; k < vectors; k++)
                sums->of[l][k] += sums->of[l + width][k];
    for (int64_t k = 0; k < vectors; k++)
        totals[k] += sums->of[0][k];
}

/* Whether the rows of a view are neighbours, enough of them for a vector. */
INLINE bool S(are_abreast)(struct extent extent, struct view view) { return S(are_neighbours)(view) && extent.inner >= T(LANES); }

/* The products y v of a strip, row by row. */
static void S(dot_abreast)(struct S(strip) strip, const S(stored) *y, int64_t y_stride, const S(stored) *v, int64_t v_stride,
                           int64_t classes, lanes *dots)
{
    for (int64_t block = 0; block < classes; block += T(SUM_BLOCK)) {
        struct S(strip_sums) sums = {0};
        int64_t end = T(shorter)(block + T(SUM_BLOCK), classes);
        for (int64_t c = block; c < end; c++)
            for (int64_t k = 0; k < strip.vectors; k++) {
                lanes sample = S(read)(y + c * y_stride + strip.starts[k], T(LANES));
                lanes upstream = S(read)(v + c * v_stride + strip.starts[k], T(LANES)), *sum = &sums.of[c % T(SUM_LANES)][k];
                *sum = T(fma)(sample, T(counted)(sample, upstream), *sum);
            }
        S(add_block)(&sums, strip.vectors, dots);
    }
}

/* dx of a strip, and dx log(y) added to the sums where they are wanted. */
INLINE void S(gradient_abreast)(struct S(strip) strip, const S(stored) *y, int64_t y_stride, const S(stored) *v, int64_t v_stride,
                                S(stored) *dx, int64_t dx_stride, int64_t classes, const lanes *dots, const lanes *taus, bool summed,
                                lanes *totals)
{
    for (int64_t block = 0; block < classes; block += T(SUM_BLOCK)) {
        struct S(strip_sums) sums = {0};
        int64_t end = T(shorter)(block + T(SUM_BLOCK), classes);
        for (int64_t c = block; c < end; c++)
            for (int64_t k = 0; k < strip.vectors; k++) {
                lanes sample = S(read)(y + c * y_stride + strip.starts[k], T(LANES));
                lanes upstream = S(read)(v + c * v_stride + strip.starts[k], T(LANES)), *sum = &sums.of[c % T(SUM_LANES)][k];
                lanes gradient = T(gradient)(sample, upstream, dots[k], taus[k]);
                S(write)(dx + c * dx_stride + strip.starts[k], T(LANES), gradient);
                if (summed)
                    *sum = T(fma)(gradient, T(log)(sample), *sum);
            }
        if (summed)
            S(add_block)(&sums, strip.vectors, totals);
    }
}

/* The rows from `row` on, of one outer step, at least LANES. */
static void S(vjp_of_strip)(struct extent extent, struct view sample, struct view upstream, struct temperature tau, struct view dlogits,
                            int64_t row, int64_t rows, real *dtau)
{
    struct S(strip) strip = S(strip_of)(rows);
    const S(stored) *y = S(piece_of)(sample, extent.inner, row, rows, 0).data, *v = S(piece_of)(upstream, extent.inner, row, rows, 0).data;
    S(stored) *dx = S(piece_of)(dlogits, extent.inner, row, rows, 0).data;
    lanes dots[T(STRIP) / T(LANES)] = {{0}}, totals[T(STRIP) / T(LANES)] = {{0}}, taus[T(STRIP) / T(LANES)];
    for (int64_t k = 0; k < strip.vectors; k++)
        taus[k] = tau.rows.data == NULL ? T(broadcast)((real)tau.all)
                                        : T(load)((const real *)tau.rows.data + strip.starts[k], T(LANES), 0);
    S(dot_abreast)(strip, y, sample.class_stride, v, upstream.class_stride, extent.classes, dots);
    if (dtau == NULL) {
        S(gradient_abreast)(strip, y, sample.class_stride, v, upstream.class_stride, dx, dlogits.class_stride, extent.classes, dots, taus,
                            false, totals);
        return;
    }
    S(gradient_abreast)(strip, y, sample.class_stride, v, upstream.class_stride, dx, dlogits.class_stride, extent.classes, dots, taus, true,
                        totals);
    for (int64_t k = 0; k < strip.vectors; k++)
        T(store)(dtau + strip.starts[k], T(LANES), T(clean)(-totals[k]));
}

static void S(vjp_abreast)(struct extent extent, struct view sample, struct view upstream, struct temperatures tau, struct view dlogits,
                           struct view dtau)
{
    real temperatures[T(STRIP)], slopes[T(STRIP)];
    for (int64_t o = 0; o < extent.outer; o++)
        for (int64_t i = 0; i < extent.inner; i += T(STRIP)) {
            int64_t start = T(within)(i, extent.inner), rows = T(shorter)(extent.inner - start, T(STRIP)), row = o * extent.inner + start;
            S(vjp_of_strip)(extent, sample, upstream, S(temperature_of_tile)(tau, extent.inner, row, rows, temperatures), dlogits, row, rows,
                            dtau.data == NULL ? NULL : slopes);
            for (int64_t r = 0; r < rows && dtau.data != NULL; r++)
                *T(of_row)(dtau, extent.inner, row + r) = slopes[r];
        }
}
