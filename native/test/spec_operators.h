/* The sums and operators of NOISE.md, sections 6 and 7, for one row of one type; included twice by spec.h. */

/* Term c is p[c], or p[c] * q[c] fused when q is given; columns where skip[c] is 0 take no part. */
static inline real S(spec_sum)(const real *p, const real *q, const real *skip, int64_t classes)
{
    real total = 0;
    for (int64_t block = 0; block < classes; block += 1024) {
        real acc[16] = {0};
        for (int64_t c = block; c < classes && c < block + 1024; c++)
            if (skip == NULL || skip[c] != 0)
                acc[c & 15] = q == NULL ? acc[c & 15] + p[c] : FMA(p[c], q[c], acc[c & 15]);
        for (int l = 0; l < 8; l++)
            acc[l] = acc[l] + acc[l + 8];
        for (int l = 0; l < 4; l++)
            acc[l] = acc[l] + acc[l + 4];
        for (int l = 0; l < 2; l++)
            acc[l] = acc[l] + acc[l + 2];
        total = total + (acc[0] + acc[1]);
    }
    return total;
}

static inline real S(spec_clean)(real a) { return a != a ? CANONICAL_NAN : (a < 0 ? -a : a) < MIN ? 0 : a; }

static inline bool S(spec_refused)(const real *x, int64_t classes)
{
    bool any = false;
    for (int64_t c = 0; c < classes; c++) {
        if (x[c] != x[c] || x[c] == (real)INFINITY)
            return true;
        any |= x[c] > -(real)INFINITY;
    }
    return !any;
}

/* The first column of the largest x + g; `index` is that of column 0. */
static inline int64_t S(spec_argmax)(const real *x, int64_t classes, uint64_t seed, uint64_t stream, uint64_t index)
{
    int64_t at = 0;
    real best = -(real)INFINITY;
    for (int64_t c = 0; c < classes; c++) {
        real s = x[c] + S(spec_noise)(seed, stream, index + (uint64_t)c);
        if (s > best) {
            best = s;
            at = c;
        }
    }
    return at;
}

static inline void S(spec_hard)(const real *x, int64_t classes, uint64_t seed, uint64_t stream, uint64_t index, real *y)
{
    for (int64_t c = 0; c < classes; c++)
        y[c] = 0;
    y[S(spec_argmax)(x, classes, seed, stream, index)] = 1;
}

static inline void S(spec_soft)(const real *x, int64_t classes, double tau, uint64_t seed, uint64_t stream, uint64_t index, real *y)
{
    real temperature = (real)tau, top = -(real)INFINITY;
    if (temperature == 0) {
        S(spec_hard)(x, classes, seed, stream, index, y);
        return;
    }
    for (int64_t c = 0; c < classes; c++) {
        y[c] = x[c] + S(spec_noise)(seed, stream, index + (uint64_t)c);
        top = y[c] > top ? y[c] : top;
    }
    for (int64_t c = 0; c < classes; c++)
        y[c] = S(spec_exp)((y[c] - top) / temperature);
    real r = 1 / S(spec_sum)(y, NULL, NULL, classes);
    for (int64_t c = 0; c < classes; c++)
        y[c] = y[c] * r < MIN ? 0 : y[c] * r;
}

static inline void S(spec_vjp)(const real *y, const real *v, int64_t classes, double tau, real *dx, real *dtau)
{
    real temperature = (real)tau, dot = S(spec_sum)(y, v, y, classes);
    real *log_y = malloc((size_t)classes * sizeof *log_y);
    for (int64_t c = 0; c < classes; c++) {
        dx[c] = y[c] == 0 ? 0 : S(spec_clean)((y[c] * (v[c] - dot)) / temperature);
        log_y[c] = S(spec_log)(y[c]);
    }
    *dtau = S(spec_clean)(-S(spec_sum)(dx, log_y, y, classes));
    free(log_y);
}

#undef S
#undef real
#undef FMA
#undef MIN
#undef CANONICAL_NAN
