/*
 * The columns of the largest x + g in rows of few classes. Where that pays they are screened as in argmax.h: of each row the column with the
 * highest ceiling is worked out, and then the few others whose ceilings lie above what it came to. Both go flat, over those of all rows of
 * a batch. Included by operators.h once per element type.
 */

enum { T(SCREENED) = 128 }; /* elements of a call; to screen fewer takes longer than to work them out */

/* Columns of a batch that are worked out together: their places in it, and their s. */
struct T(candidates) {
    int64_t count;
    int32_t places[T(CHUNK)];
    word words[T(CHUNK) + T(LANES)];
    real s[T(CHUNK) + T(LANES)]; /* at first x */
};

/* Ceilings of one vector, and which lanes held a NaN or +inf. */
INLINE lanes T(ceiling_columns)(const real *x, const word *words, int64_t count, mask_lanes *refused)
{
    lanes logits = T(load)(x, count, -(real)INFINITY);
    *refused |= ~(mask_lanes)(logits < (real)INFINITY);
    return T(ceiling)(logits, T(load_words)(words));
}

/* Returns how many rows precede one with a NaN or +inf. */
INLINE int64_t T(ceilings_of_batch)(const real *x, int64_t stride, int64_t rows, int64_t classes, const word *words,
                                    struct T(batch) *ceilings)
{
    struct T(runs) runs = T(runs_of)((struct shape){rows, classes}, (struct output){NULL, stride});
    mask_lanes refused = {0};
    for (int64_t r = 0; r < runs.count; r++) {
        const real *from = x + r * stride;
        const word *of_row = words + r * classes;
        real *to = ceilings->values + r * classes;
        int64_t c = 0;
        IN_PAIRS
        for (; c + T(LANES) <= runs.length; c += T(LANES))
            T(store)(to + c, T(LANES), T(ceiling_columns)(from + c, of_row + c, T(LANES), &refused));
        if (c < runs.length)
            T(store)(to + c, T(LANES), T(ceiling_columns)(from + c, of_row + c, runs.length - c, &refused));
    }
    return __builtin_expect(T(any)(refused), 0) ? T(sound_rows)(x, stride, rows, classes) : rows;
}

INLINE void T(add_candidate)(struct T(candidates) *some, int64_t place, real x, word v)
{
    some->places[some->count] = (int32_t)place;
    some->words[some->count] = v;
    some->s[some->count++] = x;
}

/* s = x + g of all of them; `index` is that of place 0. */
INLINE void T(work_out)(struct T(candidates) *some, const struct philox *generator, uint64_t index)
{
    for (int64_t i = 0; i < some->count; i += T(LANES)) {
        word_lanes v = T(load_words)(some->words + i);
        lanes g = T(noise_of_large_words)(v);
        if (__builtin_expect(T(any)((mask_lanes)T(are_tail_words)(v)), 0))
            for (int l = 0; l < T(LANES) && i + l < some->count; l++)
                g[l] = T(noise_of_few)(generator, index + (uint64_t)some->places[i + l], v[l] + (word_lanes){0})[0];
        T(store)(some->s + i, T(LANES), T(load)(some->s + i, T(LANES), 0) + g);
    }
}

/* A bit for each of up to 64 values that compares: equal to another, or above it. */
INLINE uint64_t T(bits_that)(const real *values, int64_t count, real other, bool above)
{
    uint64_t bits = 0;
    lanes others = T(broadcast)(other);
    for (int64_t c = 0; c < count; c += T(LANES)) {
        lanes some = T(load)(values + c, T(LANES), 0);
        bits |= (uint64_t)T(bits)((mask_lanes)(above ? some > others : some == others)) << c;
    }
    return bits;
}

/* The first column of a row that holds a value; one does. */
INLINE int64_t T(first_column)(const real *row, int64_t classes, real value)
{
    for (int64_t c = 0;; c += 64) {
        uint64_t equal = T(bits_that)(row + c, T(shorter)(classes - c, 64), value, false);
        if (equal != 0)
            return c + __builtin_ctzll(equal);
    }
}

/* The columns of a row, but one, whose ceilings lie above a threshold. */
INLINE void T(add_others)(struct T(candidates) *others, const real *ceilings, int64_t classes, real threshold, int64_t column, int64_t row,
                          const real *x, const word *words)
{
    for (int64_t block = 0; block < classes; block += 64) {
        int64_t count = T(shorter)(classes - block, 64);
        uint64_t above = T(bits_that)(ceilings + block, count, threshold, true) & ~UINT64_C(0) >> (64 - count);
        if (column - block >= 0 && column - block < 64)
            above &= ~(UINT64_C(1) << (column - block));
        for (; above != 0; above &= above - 1) {
            int64_t c = block + __builtin_ctzll(above);
            T(add_candidate)(others, row * classes + c, x[c], words[c]);
        }
    }
}

/* The columns of the largest s of each row, with the noise of all; returns how many rows precede one that must be refused. `y`: where
 * samples will be written, or null. */
INLINE int64_t T(argmax_of_few)(struct T(window) *window, uint64_t index, const real *x, int64_t stride, int64_t rows, int64_t classes,
                                const real *y, int64_t *columns)
{
    struct T(batch) s;
    real largest[T(CHUNK)];
    rows = T(perturb_short_rows)(window, index, x, stride, rows, classes, y, &s);
    rows = T(largest_of_batch)(&s, rows, classes, largest);
    for (int64_t r = 0; r < rows; r++)
        columns[r] = T(first_column)(s.values + r * classes, classes, largest[r]);
    return rows;
}

/* The same, screened. */
INLINE int64_t T(argmax_short_rows)(struct T(window) *window, uint64_t index, const real *x, int64_t stride, int64_t rows,
                                    int64_t classes, const real *y, int64_t *columns)
{
    struct T(batch) ceilings;
    struct T(candidates) best, others;
    real highest[T(CHUNK)];
    const word *words = T(words_at)(window, index, rows * classes, x, y);
    rows = T(ceilings_of_batch)(x, stride, rows, classes, words, &ceilings);
    rows = T(largest_of_batch)(&ceilings, rows, classes, highest);
    best.count = others.count = 0;
    for (int64_t r = 0; r < rows; r++) {
        columns[r] = T(first_column)(ceilings.values + r * classes, classes, highest[r]);
        T(add_candidate)(&best, r * classes + columns[r], x[r * stride + columns[r]], words[r * classes + columns[r]]);
    }
    T(work_out)(&best, &window->generator, index);
    for (int64_t r = 0; r < rows; r++)
        T(add_others)(&others, ceilings.values + r * classes, classes, best.s[r] - T(ceiling_slack)(best.s[r]), columns[r], r,
                      x + r * stride, words + r * classes);
    T(work_out)(&others, &window->generator, index);
    for (int64_t k = 0; k < others.count; k++) {
        int64_t r = others.places[k] / classes, c = others.places[k] % classes;
        if (others.s[k] > best.s[r] || (others.s[k] == best.s[r] && c < columns[r])) {
            best.s[r] = others.s[k];
            columns[r] = c;
        }
    }
    return rows;
}
