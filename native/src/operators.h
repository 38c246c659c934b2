/*
 * The operators of NOISE.md, section 7, written once and included by tier.h once per element type, with these names defined:
 *
 *   T(name)            name_float32 or name_float64: the functions on lanes of lanes_<tier>.h, philox.h, float32.h and float64.h
 *   real, word         the element and its random word, of one size
 *   lanes, mask_lanes  vectors of T(LANES) elements and what comparing them gives
 *
 * To add an operator: its kernel below, a line in kernels.h and tier.h, its entry in gumbel4j.c.
 *
 * Steps named "..._columns" handle one vector, or the 16 columns of one step of a sum; the loops call them with a constant count for
 * whole steps and with what is left for the last, so each is written once and compiled twice.
 */

enum {
    T(GROUP) = GROUP_BYTES / sizeof(word), /* elements of one group */
    T(CHUNK) = 16 * T(GROUP),              /* columns that get their noise at a time */
    T(SUM_LANES) = 16,
    T(SUM_BLOCK) = 1024,
    T(SUM_VECTORS) = T(SUM_LANES) / T(LANES)
};

/*
 * The part of a call's noise that is at hand: whole groups, so that short rows share what one refill generates. Index = row times
 * classes plus column, counted over the whole noise (NOISE.md, section 1).
 */
struct T(window) {
    struct philox generator;
    uint64_t end;         /* index after the last element of the call */
    uint64_t first, next; /* indices at hand: first <= index < next */
    union {
        word words[T(CHUNK) + T(GROUP)];
        real noise[T(CHUNK) + T(GROUP)];
    } __attribute__((aligned(64)));
};

INLINE uint64_t T(row_index)(struct noise noise, struct shape shape, int64_t row)
{
    return (noise.first_row + (uint64_t)row) * (uint64_t)shape.classes;
}

INLINE void T(window_open)(struct T(window) *window, struct noise noise, struct shape shape)
{
    window->generator = philox_start(noise.seed, noise.stream);
    window->end = T(row_index)(noise, shape, shape.rows);
    window->first = window->next = 0;
}

/* Makes the words of `count` elements from `index` on available, and of more where they will be needed. */
static __attribute__((noinline)) void T(window_refill)(struct T(window) *window, uint64_t index, int64_t count, bool as_noise)
{
    uint64_t group = index / T(GROUP);
    uint64_t needed = (index + (uint64_t)count + T(GROUP) - 1) / T(GROUP) - group;
    uint64_t remaining = (window->end + T(GROUP) - 1) / T(GROUP) - group;
    uint64_t usual = T(CHUNK) / T(GROUP); /* one fewer than fit: a chunk that is not aligned to groups needs one more */
    uint64_t groups = needed > usual ? needed : remaining < usual ? remaining : usual;
    T(words)(&window->generator, group, (int64_t)groups, window->words);
    if (as_noise)
        T(noise_of_words)(&window->generator, group, (int64_t)groups, window->words);
    window->first = group * T(GROUP);
    window->next = (group + groups) * T(GROUP);
}

INLINE int64_t T(window_seek)(struct T(window) *window, uint64_t index, int64_t count, bool as_noise)
{
    if (index < window->first || index + (uint64_t)count > window->next)
        T(window_refill)(window, index, count, as_noise);
    return (int64_t)(index - window->first);
}

/* The words, or the noise, of `count` <= CHUNK elements from `index` on; a window serves one of the two. */
INLINE const word *T(words_at)(struct T(window) *window, uint64_t index, int64_t count)
{
    return window->words + T(window_seek)(window, index, count, false);
}

INLINE const real *T(noise_at)(struct T(window) *window, uint64_t index, int64_t count)
{
    return window->noise + T(window_seek)(window, index, count, true);
}

INLINE int64_t T(shorter)(int64_t a, int64_t b) { return a < b ? a : b; }

/* One block of a row's sum (section 6): sixteen accumulators folded. */
INLINE real T(fold)(const lanes sums[T(SUM_VECTORS)])
{
    real a[T(SUM_LANES)];
    memcpy(a, sums, sizeof a);
    for (int width = T(SUM_LANES) / 2; width > 0; width /= 2)
        for (int l = 0; l < width; l++)
            a[l] += a[l + width];
    return a[0];
}

/* ---- noise ---- */

static int64_t T(words_kernel)(struct shape shape, struct noise noise, struct output out)
{
    struct T(window) window;
    T(window_open)(&window, noise, shape);
    for (int64_t r = 0; r < shape.rows; r++) {
        word *to = (word *)out.data + r * out.stride;
        uint64_t index = T(row_index)(noise, shape, r);
        for (int64_t c = 0; c < shape.classes; c += T(CHUNK)) {
            int64_t count = T(shorter)(shape.classes - c, T(CHUNK));
            memcpy(to + c, T(words_at)(&window, index + (uint64_t)c, count), (size_t)count * sizeof(word));
        }
    }
    return shape.rows;
}

static int64_t T(uniform_kernel)(struct shape shape, struct noise noise, struct output out)
{
    struct T(window) window;
    T(window_open)(&window, noise, shape);
    for (int64_t r = 0; r < shape.rows; r++) {
        double *to = (double *)out.data + r * out.stride;
        uint64_t index = T(row_index)(noise, shape, r);
        for (int64_t c = 0; c < shape.classes; c += T(CHUNK)) {
            int64_t count = T(shorter)(shape.classes - c, T(CHUNK));
            const word *words = T(words_at)(&window, index + (uint64_t)c, count);
            for (int64_t i = 0; i < count; i++)
                to[c + i] = T(uniform)(&window.generator, index + (uint64_t)(c + i), words[i]);
        }
    }
    return shape.rows;
}

static int64_t T(gumbel_kernel)(struct shape shape, struct noise noise, struct output out)
{
    struct T(window) window;
    T(window_open)(&window, noise, shape);
    for (int64_t r = 0; r < shape.rows; r++) {
        real *to = (real *)out.data + r * out.stride;
        uint64_t index = T(row_index)(noise, shape, r);
        for (int64_t c = 0; c < shape.classes; c += T(CHUNK)) {
            int64_t count = T(shorter)(shape.classes - c, T(CHUNK));
            memcpy(to + c, T(noise_at)(&window, index + (uint64_t)c, count), (size_t)count * sizeof(real));
        }
    }
    return shape.rows;
}

/* ---- samples ---- */

/* s = x + g for one vector; the running maximum, and which lanes held a NaN or +inf. */
INLINE lanes T(perturb_columns)(const real *x, const real *g, int64_t count, mask_lanes *refused)
{
    lanes logits = T(load)(x, count, -(real)INFINITY);
    *refused |= ~(mask_lanes)(logits < (real)INFINITY);
    return logits + T(load)(g, count, 0);
}

/* s = x + g for a row, into s. Returns the largest s, or NaN when the row must be refused. */
INLINE real T(perturb)(struct T(window) *window, uint64_t index, const real *x, int64_t classes, real *s)
{
    lanes largest = T(broadcast)(-(real)INFINITY);
    mask_lanes refused = {0};
    for (int64_t chunk = 0; chunk < classes; chunk += T(CHUNK)) {
        int64_t count = T(shorter)(classes - chunk, T(CHUNK)), c = 0;
        const real *g = T(noise_at)(window, index + (uint64_t)chunk, count);
        for (; c + T(LANES) <= count; c += T(LANES)) {
            lanes sum = T(perturb_columns)(x + chunk + c, g + c, T(LANES), &refused);
            T(store)(s + chunk + c, T(LANES), sum);
            largest = T(max)(sum, largest);
        }
        if (c < count) {
            lanes sum = T(perturb_columns)(x + chunk + c, g + c, count - c, &refused);
            T(store)(s + chunk + c, count - c, sum);
            largest = T(max)(sum, largest);
        }
    }
    real top = largest[0];
    for (int l = 1; l < T(LANES); l++)
        top = largest[l] > top ? largest[l] : top;
    return T(any)(refused) || top == -(real)INFINITY ? (real)NAN : top;
}

/* Raises (best, column) to the first largest of the lanes of one vector of s. */
INLINE void T(argmax_columns)(lanes s, int64_t column, real *best, int64_t *best_column)
{
    if (__builtin_expect(T(any)((mask_lanes)(s > *best)), 0))
        for (int l = 0; l < T(LANES); l++)
            if (s[l] > *best) {
                *best = s[l];
                *best_column = column + l;
            }
}

/* The first column whose x + g is the largest, or -1 when the row must be refused. */
INLINE int64_t T(argmax)(struct T(window) *window, uint64_t index, const real *x, int64_t classes)
{
    real best = -(real)INFINITY;
    int64_t best_column = -1;
    mask_lanes refused = {0};
    for (int64_t chunk = 0; chunk < classes; chunk += T(CHUNK)) {
        int64_t count = T(shorter)(classes - chunk, T(CHUNK)), c = 0;
        const real *g = T(noise_at)(window, index + (uint64_t)chunk, count);
        for (; c + T(LANES) <= count; c += T(LANES))
            T(argmax_columns)(T(perturb_columns)(x + chunk + c, g + c, T(LANES), &refused), chunk + c, &best, &best_column);
        if (c < count)
            T(argmax_columns)(T(perturb_columns)(x + chunk + c, g + c, count - c, &refused), chunk + c, &best, &best_column);
    }
    return T(any)(refused) ? -1 : best_column;
}

/* e = exp((s - top) / tau) for up to 16 columns, in place, added to the sums. */
INLINE void T(exp_columns)(real *s, int64_t count, real top, real tau, lanes sums[T(SUM_VECTORS)])
{
    UNROLL
    for (int h = 0; h < T(SUM_VECTORS); h++) {
        lanes e = T(exp)((T(load)(s + h * T(LANES), count - h * T(LANES), -(real)INFINITY) - top) / tau);
        T(store)(s + h * T(LANES), count - h * T(LANES), e);
        sums[h] += e;
    }
}

/* exp((s - top) / tau) for a row, in place. Returns their sum. */
INLINE real T(exp_row)(real *s, int64_t classes, real top, real tau)
{
    real total = 0;
    for (int64_t block = 0; block < classes; block += T(SUM_BLOCK)) {
        int64_t count = T(shorter)(classes - block, T(SUM_BLOCK)), c = 0;
        lanes sums[T(SUM_VECTORS)] = {{0}};
        for (; c + T(SUM_LANES) <= count; c += T(SUM_LANES))
            T(exp_columns)(s + block + c, T(SUM_LANES), top, tau, sums);
        if (c < count)
            T(exp_columns)(s + block + c, count - c, top, tau, sums);
        total += T(fold)(sums);
    }
    return total;
}

/* y = e * factor for one vector, in place, +0 for what is below the smallest normal number. */
INLINE void T(scale_columns)(real *e, int64_t count, real factor)
{
    lanes y = T(load)(e, count, 0) * factor;
    T(store)(e, count, (lanes)((mask_lanes)y & ~(mask_lanes)(y < T(SMALLEST_NORMAL))));
}

INLINE void T(scale_row)(real *e, int64_t classes, real factor)
{
    int64_t c = 0;
    for (; c + T(LANES) <= classes; c += T(LANES))
        T(scale_columns)(e + c, T(LANES), factor);
    if (c < classes)
        T(scale_columns)(e + c, classes - c, factor);
}

static int64_t T(hard_kernel)(struct shape shape, struct input logits, struct noise noise, struct output out)
{
    struct T(window) window;
    T(window_open)(&window, noise, shape);
    for (int64_t r = 0; r < shape.rows; r++) {
        const real *x = (const real *)logits.data + r * logits.stride;
        real *y = (real *)out.data + r * out.stride;
        int64_t column = T(argmax)(&window, T(row_index)(noise, shape, r), x, shape.classes);
        if (column < 0)
            return r;
        memset(y, 0, (size_t)shape.classes * sizeof(real));
        y[column] = 1;
    }
    return shape.rows;
}

static int64_t T(soft_kernel)(struct shape shape, struct input logits, double tau, struct noise noise, struct output out)
{
    real temperature = (real)tau;
    if (temperature == 0)
        return T(hard_kernel)(shape, logits, noise, out);
    struct T(window) window;
    T(window_open)(&window, noise, shape);
    for (int64_t r = 0; r < shape.rows; r++) {
        const real *x = (const real *)logits.data + r * logits.stride;
        real *y = (real *)out.data + r * out.stride;
        real top = T(perturb)(&window, T(row_index)(noise, shape, r), x, shape.classes, y);
        if (top != top)
            return r;
        real total = T(exp_row)(y, shape.classes, top, temperature);
        T(scale_row)(y, shape.classes, 1 / total);
    }
    return shape.rows;
}

static int64_t T(categorical_kernel)(struct shape shape, struct input logits, struct noise noise, struct output out)
{
    struct T(window) window;
    T(window_open)(&window, noise, shape);
    for (int64_t r = 0; r < shape.rows; r++) {
        const real *x = (const real *)logits.data + r * logits.stride;
        int64_t column = T(argmax)(&window, T(row_index)(noise, shape, r), x, shape.classes);
        if (column < 0)
            return r;
        ((int32_t *)out.data)[r * out.stride] = (int32_t)column;
    }
    return shape.rows;
}

/* ---- backward ---- */

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

/* dx for up to 16 columns, and dx log(y) added to the sums. */
INLINE void T(vjp_columns)(const real *y, const real *v, int64_t count, real dot, real tau, real *dx, lanes sums[T(SUM_VECTORS)])
{
    UNROLL
    for (int h = 0; h < T(SUM_VECTORS); h++) {
        lanes sample = T(load)(y + h * T(LANES), count - h * T(LANES), 0);
        lanes gradient = T(clean)((sample * (T(counted)(sample, v + h * T(LANES), count - h * T(LANES)) - dot)) / tau);
        gradient = T(select)((mask_lanes)(sample == 0), (lanes){0}, gradient); /* 0 times an infinite dot is not 0 */
        T(store)(dx + h * T(LANES), count - h * T(LANES), gradient);
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

/* dx of a row. Returns the sum of dx log(y). */
INLINE real T(vjp_row)(const real *y, const real *v, int64_t classes, real dot, real tau, real *dx)
{
    real total = 0;
    for (int64_t block = 0; block < classes; block += T(SUM_BLOCK)) {
        int64_t count = T(shorter)(classes - block, T(SUM_BLOCK)), c = 0;
        lanes sums[T(SUM_VECTORS)] = {{0}};
        for (; c + T(SUM_LANES) <= count; c += T(SUM_LANES))
            T(vjp_columns)(y + block + c, v + block + c, T(SUM_LANES), dot, tau, dx + block + c, sums);
        if (c < count)
            T(vjp_columns)(y + block + c, v + block + c, count - c, dot, tau, dx + block + c, sums);
        total += T(fold)(sums);
    }
    return total;
}

static int64_t T(vjp_kernel)(struct shape shape, struct input sample, struct input upstream, double tau, struct output dlogits,
                             struct output dtau)
{
    for (int64_t r = 0; r < shape.rows; r++) {
        const real *y = (const real *)sample.data + r * sample.stride;
        const real *v = (const real *)upstream.data + r * upstream.stride;
        real *dx = (real *)dlogits.data + r * dlogits.stride;
        real dot = T(dot_row)(y, v, shape.classes);
        real slope = T(vjp_row)(y, v, shape.classes, dot, (real)tau, dx);
        ((real *)dtau.data)[r * dtau.stride] = T(clean)(T(broadcast)(-slope))[0];
    }
    return shape.rows;
}

#undef T
#undef real
#undef word
#undef lanes
#undef mask_lanes
