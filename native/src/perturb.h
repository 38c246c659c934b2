/*
 * What rows of logits meet first: their temperature, and the noise, with the check of the logits. Included by operators.h once per
 * element type.
 */

INLINE real T(temperature_of)(struct temperature tau, int64_t row)
{
    return tau.rows.data == NULL ? (real)tau.all : ((const real *)tau.rows.data)[row * tau.rows.stride];
}

/* Whether no column holds a NaN or +inf. */
static bool T(are_sound)(const real *x, int64_t count)
{
    for (int64_t c = 0; c < count; c++)
        if (!(x[c] < (real)INFINITY))
            return false;
    return true;
}

/* s = x + g for one vector, and which lanes held a NaN or +inf. */
INLINE lanes T(perturb_columns)(const real *x, const real *g, int64_t count, mask_lanes *refused)
{
    lanes logits = T(load)(x, count, -(real)INFINITY);
    *refused |= ~(mask_lanes)(logits < (real)INFINITY);
    return logits + T(load)(g, count, 0);
}

/* s = x + g for columns of a row, into s; `index` is the first one's. Raises `top` to the largest s, returns whether no logit is a NaN or +inf. */
INLINE bool T(perturb)(struct T(window) *window, uint64_t index, const real *x, int64_t columns, real *s, real *top)
{
    lanes largest = T(broadcast)(-(real)INFINITY);
    mask_lanes refused = {0};
    for (int64_t chunk = 0; chunk < columns; chunk += T(CHUNK)) {
        int64_t count = T(shorter)(columns - chunk, T(CHUNK)), c = 0;
        const real *g = T(noise_at)(window, index + (uint64_t)chunk, count, x + chunk, s + chunk);
        IN_PAIRS
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
    real highest = T(largest)(largest);
    *top = highest > *top ? highest : *top;
    return !T(any)(refused);
}
