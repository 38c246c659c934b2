/*
 * Parts of a row. Where the logits and the output are consecutive elements of the compute type, `out` holds s, then e, between the stages; else
 * nothing does, and each stage works them out again, a tile of columns at a time. Included by views.h once per element type.
 */

INLINE bool S(are_consecutive)(struct columns a, struct columns b) { return S(IS_COMPUTED) && a.stride == 1 && b.stride == 1; }

INLINE S(stored) *S(element)(struct columns columns, int64_t c) { return (S(stored) *)columns.data + c * columns.stride; }

/* s = x + g of a tile, from column c on. */
INLINE bool S(perturb_tile)(struct T(window) *window, struct noise noise, struct columns logits, int64_t c, int64_t count, real *tile,
                            real *top)
{
    S(gather_row)(S(element)(logits, c), logits.stride, count, tile);
    return T(perturb)(window, noise.first_element + (uint64_t)c, tile, count, tile, top);
}

static bool S(part_perturb)(int64_t count, struct columns logits, struct noise noise, struct columns out, double *top)
{
    struct T(window) window;
    T(window_open)(&window, noise, (struct shape){1, count});
    real largest = -(real)INFINITY;
    bool sound = true;
    if (S(are_consecutive)(logits, out)) {
        sound = T(perturb)(&window, noise.first_element, logits.data, count, out.data, &largest);
    } else {
        real *tile = gumbel4j_scratch();
        for (int64_t c = 0; c < count && sound; c += T(TILE_COLUMNS))
            sound = S(perturb_tile)(&window, noise, logits, c, T(shorter)(count - c, T(TILE_COLUMNS)), tile, &largest);
    }
    *top = (double)largest;
    return sound;
}

static void S(part_exp)(int64_t count, struct columns logits, double tau, double top, struct noise noise, struct columns out, void *sums)
{
    struct T(window) window;
    T(window_open)(&window, noise, (struct shape){1, count});
    bool consecutive = S(are_consecutive)(logits, out);
    real *sum = sums, *scratch = consecutive ? NULL : gumbel4j_scratch(), ignored = 0;
    for (int64_t c = 0; c < count; c += T(SUM_BLOCK)) {
        int64_t columns = T(shorter)(count - c, T(SUM_BLOCK));
        if (!consecutive)
            S(perturb_tile)(&window, noise, logits, c, columns, scratch, &ignored);
        *sum++ = T(exp_block)(consecutive ? (real *)out.data + c : scratch, columns, (real)top, (real)tau);
    }
}

static void S(part_scale)(int64_t count, struct columns logits, double tau, double top, double factor, struct noise noise, struct columns out)
{
    if (S(are_consecutive)(logits, out)) {
        T(scale)(out.data, count, (real)factor);
        return;
    }
    struct T(window) window;
    T(window_open)(&window, noise, (struct shape){1, count});
    real *tile = gumbel4j_scratch(), ignored = 0;
    for (int64_t c = 0; c < count; c += T(SUM_BLOCK)) {
        int64_t columns = T(shorter)(count - c, T(SUM_BLOCK));
        S(perturb_tile)(&window, noise, logits, c, columns, tile, &ignored);
        T(exp_block)(tile, columns, (real)top, (real)tau);
        T(scale)(tile, columns, (real)factor);
        S(scatter_row)(tile, columns, S(element)(out, c), out.stride);
    }
}

static bool S(part_argmax)(int64_t count, struct columns logits, struct noise noise, double *s, int64_t *column)
{
    struct T(window) window;
    T(window_open)(&window, noise, (struct shape){1, count});
    struct T(best) best = T(best_of_none)();
    bool sound = true;
    if (S(are_consecutive)(logits, logits)) {
        sound = T(argmax_columns)(&window, noise.first_element, 0, logits.data, NULL, count, &best);
    } else {
        real *tile = gumbel4j_scratch();
        for (int64_t c = 0; c < count && sound; c += T(TILE_COLUMNS)) {
            int64_t columns = T(shorter)(count - c, T(TILE_COLUMNS));
            S(gather_row)(S(element)(logits, c), logits.stride, columns, tile);
            sound = T(argmax_columns)(&window, noise.first_element, c, tile, NULL, columns, &best);
        }
    }
    *s = (double)best.s;
    *column = best.column;
    return sound;
}

static void S(part_one_hot)(int64_t count, int64_t column, struct columns out)
{
    S(write_zeros)(out.data, count, out.stride);
    if (column >= 0)
        *S(element)(out, column) = S(ONE);
}

static void S(part_dot)(int64_t count, struct columns sample, struct columns upstream, void *sums)
{
    bool consecutive = S(are_consecutive)(sample, upstream);
    real *sum = sums, *scratch = consecutive ? NULL : gumbel4j_scratch();
    for (int64_t c = 0; c < count; c += T(SUM_BLOCK)) {
        int64_t columns = T(shorter)(count - c, T(SUM_BLOCK));
        real *y = consecutive ? (real *)sample.data + c : scratch, *v = consecutive ? (real *)upstream.data + c : scratch + T(SUM_BLOCK);
        if (!consecutive) {
            S(gather_row)(S(element)(sample, c), sample.stride, columns, y);
            S(gather_row)(S(element)(upstream, c), upstream.stride, columns, v);
        }
        *sum++ = T(dot_block)(y, v, columns);
    }
}

static void S(part_gradient)(int64_t count, struct columns sample, struct columns upstream, double tau, double dot, struct columns dlogits,
                             void *sums)
{
    bool consecutive = S(are_consecutive)(sample, upstream) && dlogits.stride == 1;
    real *sum = sums, *scratch = consecutive ? NULL : gumbel4j_scratch();
    for (int64_t c = 0; c < count; c += T(SUM_BLOCK)) {
        int64_t columns = T(shorter)(count - c, T(SUM_BLOCK));
        real *y = consecutive ? (real *)sample.data + c : scratch, *v = consecutive ? (real *)upstream.data + c : scratch + T(SUM_BLOCK);
        real *dx = consecutive ? (real *)dlogits.data + c : v;
        if (!consecutive) {
            S(gather_row)(S(element)(sample, c), sample.stride, columns, y);
            S(gather_row)(S(element)(upstream, c), upstream.stride, columns, v);
        }
        if (sums == NULL)
            T(vjp_block)(y, v, 0, columns, (real)dot, (real)tau, dx, false, NULL);
        else
            *sum++ = T(vjp_block)(y, v, 0, columns, (real)dot, (real)tau, dx, true, NULL);
        if (!consecutive)
            S(scatter_row)(dx, columns, S(element)(dlogits, c), dlogits.stride);
    }
}
