/*
 * Soft samples. Included by operators.h once per element type.
 */

/* The parts of exp((s - top) / tau) for one vector: the rest in place, the scale beside it. */
INLINE void T(exp_parts_columns)(real *s, int64_t count, real top, real tau, real *scale)
{
    struct T(exp_parts) parts = T(exp_parts)((T(load)(s, count, -(real)INFINITY) - top) / tau);
    T(store)(s, count, parts.rest);
    T(store)(scale, count, parts.scale);
}

/* e from its parts for up to 16 columns, in place, added to the sums. */
INLINE void T(exp_columns)(real *rest, const real *scale, int64_t count, lanes sums[T(SUM_VECTORS)])
{
    UNROLL
    for (int h = 0; h < T(SUM_VECTORS); h++) {
        int64_t c = h * T(LANES);
        lanes e = T(exp_of_parts)((struct T(exp_parts)){T(load)(rest + c, count - c, 0), T(load)(scale + c, count - c, 0)});
        T(store)(rest + c, count - c, e);
        sums[h] += e;
    }
}

/* exp((s - top) / tau) for a block of the sum, in place, in two loops of short bodies (see noise_of_words_float32). Returns its sum. */
INLINE real T(exp_block)(real *s, int64_t count, real top, real tau)
{
    real scales[T(SUM_BLOCK)] __attribute__((aligned(64)));
    int64_t c = 0;
    for (; c + T(LANES) <= count; c += T(LANES))
        T(exp_parts_columns)(s + c, T(LANES), top, tau, scales + c);
    if (c < count)
        T(exp_parts_columns)(s + c, count - c, top, tau, scales + c);
    lanes sums[T(SUM_VECTORS)] = {{0}};
    for (c = 0; c + T(SUM_LANES) <= count; c += T(SUM_LANES))
        T(exp_columns)(s + c, scales + c, T(SUM_LANES), sums);
    if (c < count)
        T(exp_columns)(s + c, scales + c, count - c, sums);
    return T(fold)(sums);
}

INLINE real T(exp_row)(real *s, int64_t classes, real top, real tau)
{
    real total = 0;
    for (int64_t c = 0; c < classes; c += T(SUM_BLOCK))
        total += T(exp_block)(s + c, T(shorter)(classes - c, T(SUM_BLOCK)), top, tau);
    return total;
}

/* y = e * factor for one vector, in place. */
INLINE void T(scale_columns)(real *e, int64_t count, real factor)
{
    T(store)(e, count, T(flush)(T(load)(e, count, 0) * factor));
}

INLINE void T(scale)(real *e, int64_t columns, real factor)
{
    int64_t c = 0;
    IN_PAIRS
    for (; c + T(LANES) <= columns; c += T(LANES))
        T(scale_columns)(e + c, T(LANES), factor);
    if (c < columns)
        T(scale_columns)(e + c, columns - c, factor);
}

INLINE int64_t T(soft_long_rows)(struct T(window) *window, struct shape shape, struct input logits, struct temperature tau,
                                 struct noise noise, struct output out)
{
    for (int64_t r = 0; r < shape.rows; r++) {
        const real *x = (const real *)logits.data + r * logits.stride;
        real *y = (real *)out.data + r * out.stride;
        real top = -(real)INFINITY;
        if (!T(perturb)(window, T(row_index)(noise, shape, r), x, shape.classes, y, &top) || top == -(real)INFINITY)
            return r;
        real temperature = T(temperature_of)(tau, r);
        if (temperature == 0) {
            T(mask_losers)(y, shape.classes, top);
            temperature = 1;
        }
        real total = T(exp_row)(y, shape.classes, top, temperature);
        T(scale)(y, shape.classes, 1 / total);
    }
    return shape.rows;
}

static int64_t T(soft_rows)(struct shape shape, struct input logits, struct temperature tau, struct noise noise,
                              struct output out)
{
    if (tau.rows.data == NULL && (real)tau.all == 0)
        return T(hard_rows)(shape, logits, noise, out);
    struct T(window) window;
    T(window_open)(&window, noise, shape);
    return shape.classes <= T(SHORT) ? T(soft_short_rows)(&window, shape, logits, tau, noise, out)
                                     : T(soft_long_rows)(&window, shape, logits, tau, noise, out);
}
