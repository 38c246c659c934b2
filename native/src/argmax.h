/*
 * Hard and categorical samples: the column of the largest x + g. Included by operators.h once per element type.
 */

/* The largest s of a row so far, its first column, and how high a ceiling must be to matter. */
struct T(best) {
    real s, threshold;
    int64_t column;
};

/* Works out the columns of one vector. */
static __attribute__((noinline)) void T(examine)(struct T(best) *best, const struct philox *generator, uint64_t index, int64_t column,
                                                 lanes x, const word *words)
{
    lanes s = x + T(noise_of_few)(generator, index + (uint64_t)column, T(load_words)(words));
    real largest = T(largest)(s);
    int64_t first = column + T(first_lane)((mask_lanes)(s == largest));
    if (largest > best->s || (largest == best->s && first < best->column)) {
        best->s = largest;
        best->column = first;
        best->threshold = largest - T(ceiling_slack)(largest);
    }
}

INLINE struct T(best) T(best_of_none)(void) { return (struct T(best)){-(real)INFINITY, -(real)INFINITY, -1}; }

/* Columns that are screened together, two vectors of them: the more, the less a bound of all of them tells. */
enum {
    T(BUNDLE) = 2 * T(LANES),
    T(BUNDLES) = T(CHUNK) / T(BUNDLE) /* of a chunk */
};

/*
 * Ceilings of a bundle, each above those of the columns that share its lane: a ceiling grows with the logit and shrinks with the word. Marks
 * lanes that may hold a NaN or +inf: a sum with either is never below +inf again, and with others only where it overflows.
 */
INLINE lanes T(ceiling_of_bundle)(const real *x, const word *words, int64_t count, mask_lanes *doubtful)
{
    lanes largest = T(load)(x, count, -(real)INFINITY), sum = largest;
    word_lanes least = T(load_words)(words);
    UNROLL
    for (int64_t c = T(LANES); c < T(BUNDLE); c += T(LANES))
        if (c < count) {
            lanes logits = T(load)(x + c, count - c, -(real)INFINITY);
            sum += logits;
            largest = T(max)(logits, largest);
            least = T(min_words)(T(load_words)(words + c), least);
        }
    *doubtful |= ~(mask_lanes)(sum < (real)INFINITY);
    return T(ceiling)(largest, least);
}

/* Works out the columns of a bundle that matter, the one with the highest ceiling first: it raises the threshold over most of the others. */
static __attribute__((noinline)) void T(examine_bundle)(struct T(best) *best, const struct philox *generator, uint64_t index,
                                                        int64_t column, const real *x, const word *words, int64_t count)
{
    lanes logits[T(BUNDLE) / T(LANES)], ceilings[T(BUNDLE) / T(LANES)] = {{0}}, highest = T(broadcast)(-(real)INFINITY);
    int64_t vectors = (count + T(LANES) - 1) / T(LANES), first = 0;
    for (int64_t v = 0; v < vectors; v++) {
        logits[v] = T(load)(x + v * T(LANES), count - v * T(LANES), -(real)INFINITY);
        ceilings[v] = T(ceiling)(logits[v], T(load_words)(words + v * T(LANES)));
        highest = T(max)(ceilings[v], highest);
    }
    real top = T(largest)(highest);
    while (!T(any)((mask_lanes)(ceilings[first] == top)))
        first++;
    for (int64_t step = 0; step < vectors; step++) {
        int64_t v = step == 0 ? first : step <= first ? step - 1 : step;
        if (T(any)((mask_lanes)(ceilings[v] > best->threshold)))
            T(examine)(best, generator, index, column + v * T(LANES), logits[v], words + v * T(LANES));
    }
}

/*
 * Goes on looking for the first column whose x + g is the largest: `count` columns from `column` on, of a row whose noise starts at `index`;
 * x is the first one's, y where its sample will be written, or null. Returns whether none holds a NaN or +inf. Only a column whose ceiling
 * (an upper bound of its s) is above the best s so far can win, so nearly all need Philox and a comparison, but no logarithm. A column with
 * s >= best has a ceiling >= s - slack(s) >= best - slack(best), since s - slack(s) grows with s: equals are examined too, and the first
 * one is kept.
 */
INLINE bool T(argmax_columns)(struct T(window) *window, uint64_t index, int64_t column, const real *x, const real *y, int64_t count,
                              struct T(best) *best)
{
    lanes ceilings[T(BUNDLES)];
    for (const int64_t end = column + count; column < end; column += T(CHUNK), x += T(CHUNK), y = y == NULL ? NULL : y + T(CHUNK)) {
        count = T(shorter)(end - column, T(CHUNK));
        const word *words = T(words_at)(window, index + (uint64_t)column, count, x, y);
        lanes highest = T(broadcast)(-(real)INFINITY);
        mask_lanes doubtful = {0};
        int64_t c = 0, first = 0;
        IN_PAIRS
        for (; c + T(BUNDLE) <= count; c += T(BUNDLE)) {
            ceilings[c / T(BUNDLE)] = T(ceiling_of_bundle)(x + c, words + c, T(BUNDLE), &doubtful);
            highest = T(max)(ceilings[c / T(BUNDLE)], highest);
        }
        if (c < count) {
            ceilings[c / T(BUNDLE)] = T(ceiling_of_bundle)(x + c, words + c, count - c, &doubtful);
            highest = T(max)(ceilings[c / T(BUNDLE)], highest);
        }
        if (__builtin_expect(T(any)(doubtful), 0) && !T(are_sound)(x, count))
            return false;
        if (!T(any)((mask_lanes)(highest > best->threshold)))
            continue;
        real top = T(largest)(highest);
        while (!T(any)((mask_lanes)(ceilings[first] == top)))
            first++;
        for (int64_t step = 0; step * T(BUNDLE) < count; step++) { /* the highest first, as within a bundle */
            int64_t b = step == 0 ? first : step <= first ? step - 1 : step;
            if (T(any)((mask_lanes)(ceilings[b] > best->threshold)))
                T(examine_bundle)(best, &window->generator, index, column + b * T(BUNDLE), x + b * T(BUNDLE), words + b * T(BUNDLE),
                                  T(shorter)(count - b * T(BUNDLE), T(BUNDLE)));
        }
    }
    return true;
}

/* The rows that argmax_rows takes at a time. */
INLINE int64_t T(argmax_batch)(int64_t classes) { return classes <= T(SHORT_DRAW) ? T(CHUNK) / classes : 1; }

/* The columns of the largest x + g of some rows; returns how many rows precede one that must be refused. */
INLINE int64_t T(argmax_rows)(struct T(window) *window, uint64_t index, const real *x, int64_t stride, int64_t rows, int64_t classes,
                              const real *y, int64_t *columns)
{
    if (classes < T(FEW) || window->elements < T(SCREENED))
        return T(argmax_of_few)(window, index, x, stride, rows, classes, y, columns);
    if (classes <= T(SHORT_DRAW))
        return T(argmax_short_rows)(window, index, x, stride, rows, classes, y, columns);
    struct T(best) best = T(best_of_none)();
    bool sound = T(argmax_columns)(window, index, 0, x, y, classes, &best);
    columns[0] = best.column;
    return sound && best.column >= 0 ? 1 : 0;
}

/* Writes `rows` rows that are 1 in the given columns and 0 elsewhere. */
INLINE void T(write_one_hot)(real *y, int64_t stride, int64_t rows, int64_t classes, const int64_t *columns)
{
    struct T(runs) runs = T(runs_of)((struct shape){rows, classes}, (struct output){y, stride});
    for (int64_t r = 0; r < runs.count; r++)
        memset(y + r * stride, 0, (size_t)runs.length * sizeof(real));
    for (int64_t r = 0; r < rows; r++)
        y[r * stride + columns[r]] = 1;
}

static int64_t T(hard_rows)(struct shape shape, struct input logits, struct noise noise, struct output out)
{
    struct T(window) window;
    T(window_open)(&window, noise, shape);
    int64_t columns[T(CHUNK)], batch = T(argmax_batch)(shape.classes);
    for (int64_t r = 0; r < shape.rows; r += batch) {
        int64_t rows = T(shorter)(shape.rows - r, batch);
        const real *x = (const real *)logits.data + r * logits.stride;
        int64_t found = T(argmax_rows)(&window, T(row_index)(noise, shape, r), x, logits.stride, rows, shape.classes,
                                        (const real *)out.data + r * out.stride, columns);
        T(write_one_hot)((real *)out.data + r * out.stride, out.stride, found, shape.classes, columns);
        if (found < rows)
            return r + found;
    }
    return shape.rows;
}

static int64_t T(categorical_rows)(struct shape shape, struct input logits, struct noise noise, struct output out)
{
    struct T(window) window;
    T(window_open)(&window, noise, shape);
    int64_t columns[T(CHUNK)], batch = T(argmax_batch)(shape.classes);
    for (int64_t r = 0; r < shape.rows; r += batch) {
        int64_t rows = T(shorter)(shape.rows - r, batch);
        const real *x = (const real *)logits.data + r * logits.stride;
        int64_t found = T(argmax_rows)(&window, T(row_index)(noise, shape, r), x, logits.stride, rows, shape.classes, NULL, columns);
        for (int64_t j = 0; j < found; j++)
            ((int32_t *)out.data)[(r + j) * out.stride] = (int32_t)columns[j];
        if (found < rows)
            return r + found;
    }
    return shape.rows;
}
