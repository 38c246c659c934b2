/*
 * Loads and stores of a part of a 16-byte vector, element by element: for instruction sets without masked ones. Included by their
 * lanes_<tier>.h.
 */
#ifndef GUMBEL4J_PARTIAL_VECTORS_H
#define GUMBEL4J_PARTIAL_VECTORS_H

INLINE float32_lanes load_float32(const float *p, int64_t count, float fill)
{
    float32_lanes v = broadcast_float32(fill);
    if (count >= LANES_float32)
        memcpy(&v, p, sizeof v);
    else
        UNROLL
        for (int l = 0; l < LANES_float32 - 1; l++)
            if (l < count)
                v[l] = p[l];
    return v;
}

INLINE float64_lanes load_float64(const double *p, int64_t count, double fill)
{
    float64_lanes v = broadcast_float64(fill);
    if (count >= LANES_float64)
        memcpy(&v, p, sizeof v);
    else if (count == 1)
        v[0] = p[0];
    return v;
}

INLINE void store_float32(float *p, int64_t count, float32_lanes v)
{
    if (count >= LANES_float32)
        memcpy(p, &v, sizeof v);
    else
        UNROLL
        for (int l = 0; l < LANES_float32 - 1; l++)
            if (l < count)
                p[l] = v[l];
}

INLINE void store_float64(double *p, int64_t count, float64_lanes v)
{
    if (count >= LANES_float64)
        memcpy(p, &v, sizeof v);
    else if (count == 1)
        p[0] = v[0];
}

#endif
