/*
 * A single row that fits one vector, packed, which costs next to nothing but what a call itself takes: it stays in registers from its words
 * to its result, and meets the operations that it would meet among others. Included by operators.h once per element type.
 */

/* s = x + g, -inf beyond the row, and the largest: a NaN where the row must be refused. */
INLINE lanes T(lone_perturb)(int64_t classes, const void *logits, struct noise noise, real *top)
{
    lanes x = T(load)(logits, classes, -(real)INFINITY);
    lanes s = x + T(lone_noise)(noise.seed, noise.stream, noise.first_element, classes);
    *top = T(largest)(s);
    if (__builtin_expect(T(any)(~(mask_lanes)(x < (real)INFINITY)) || *top == -(real)INFINITY, 0))
        *top = (real)NAN;
    return s;
}

/* The column of the largest s; -1 where the row must be refused. */
INLINE int T(lone_argmax)(int64_t classes, const void *logits, struct noise noise)
{
    real top;
    lanes s = T(lone_perturb)(classes, logits, noise, &top);
    return __builtin_isnan(top) ? -1 : T(first_lane)((mask_lanes)(s == top));
}

/* The sum of a row whose elements are not -0: the accumulators that no element comes to are +0, and change none. */
INLINE real T(lone_sum)(lanes a) { return T(sum)(a); }

static int64_t T(gumbel_lone)(int64_t classes, uint64_t seed, uint64_t stream, uint64_t first_element, void *out)
{
    T(store)(out, classes, T(lone_noise)(seed, stream, first_element, classes));
    return 1;
}

static int64_t T(hard_lone)(int64_t classes, const void *logits, uint64_t seed, uint64_t stream, uint64_t first_element, void *out)
{
    int column = T(lone_argmax)(classes, logits, (struct noise){seed, stream, first_element});
    if (column < 0)
        return 0;
    T(store)(out, classes, (lanes){0});
    ((real *)out)[column] = 1;
    return 1;
}

static int64_t T(categorical_lone)(int64_t classes, const void *logits, uint64_t seed, uint64_t stream, uint64_t first_element,
                                   int32_t *out)
{
    int column = T(lone_argmax)(classes, logits, (struct noise){seed, stream, first_element});
    if (column < 0)
        return 0;
    *out = column;
    return 1;
}

static int64_t T(soft_lone)(int64_t classes, const void *logits, double tau, uint64_t seed, uint64_t stream, uint64_t first_element,
                            void *out)
{
    if ((real)tau == 0)
        return T(hard_lone)(classes, logits, seed, stream, first_element, out);
    real top;
    lanes s = T(lone_perturb)(classes, logits, (struct noise){seed, stream, first_element}, &top);
    if (__builtin_isnan(top))
        return 0;
    lanes e = T(exp)((s - top) / (real)tau);
    T(store)(out, classes, T(flush)(e * (1 / T(lone_sum)(e))));
    return 1;
}

static int64_t T(vjp_lone)(int64_t classes, const void *sample, const void *upstream, double tau, void *dlogits, void *dtau)
{
    lanes y = T(load)(sample, classes, 0), v = T(load)(upstream, classes, 0);
    real dot = T(lone_sum)(T(fma)(y, T(counted)(y, v), (lanes){0}));
    lanes dx = T(gradient)(y, v, T(broadcast)(dot), T(broadcast)((real)tau));
    T(store)(dlogits, classes, dx);
    if (dtau != NULL)
        *(real *)dtau = T(slope_of_tau)(T(lone_sum)(T(fma)(dx, T(log)(y), (lanes){0})));
    return 1;
}
