/*
 * Elements as they are stored, to lanes of the compute type and back: the types themselves, and the half types, which are read exactly and
 * written with one rounding to nearest, ties to even. Include after a lanes_<tier>.h and its float16_<tier>.h, which gives
 *
 *   widen_float16(halves)    lanes of the values of 16-bit patterns
 *   narrow_float16(lanes)    their patterns; inf where too large, and subnormal halves are kept; a NaN is the canonical one
 */
#ifndef GUMBEL4J_ELEMENTS_H
#define GUMBEL4J_ELEMENTS_H

/* Memory of any declared type. */
typedef float stored_float32 __attribute__((may_alias));
typedef double stored_float64 __attribute__((may_alias));
typedef uint16_t stored_float16 __attribute__((may_alias));
typedef uint16_t stored_bfloat16 __attribute__((may_alias));

/* Whether elements are stored in the type that they are computed in, and one as it is stored. */
enum { IS_COMPUTED_float32 = 1, IS_COMPUTED_float64 = 1, IS_COMPUTED_float16 = 0, IS_COMPUTED_bfloat16 = 0 };
enum { ONE_float32 = 1, ONE_float64 = 1, ONE_float16 = 0x3c00, ONE_bfloat16 = 0x3f80 };

INLINE float32_lanes widen_bfloat16(uint16_halves x) { return (float32_lanes)(__builtin_convertvector(x, uint32_lanes) << 16); }

/* `x` is no subnormal, and a NaN is the canonical one. */
INLINE uint16_halves narrow_bfloat16(float32_lanes x)
{
    uint32_lanes bits = (uint32_lanes)x;
    return __builtin_convertvector((bits + 0x7fff + (bits >> 16 & 1)) >> 16, uint16_halves);
}

/* The first `count` lanes; zero in the others. */
INLINE float32_lanes read_float32(const stored_float32 *p, int64_t count) { return load_float32((const float *)p, count, 0); }
INLINE float64_lanes read_float64(const stored_float64 *p, int64_t count) { return load_float64((const double *)p, count, 0); }
INLINE void write_float32(stored_float32 *p, int64_t count, float32_lanes v) { store_float32((float *)p, count, v); }
INLINE void write_float64(stored_float64 *p, int64_t count, float64_lanes v) { store_float64((double *)p, count, v); }

INLINE uint16_halves read_halves(const uint16_t *p, int64_t count)
{
    uint16_halves halves = {0};
    if (count >= LANES_float32)
        memcpy(&halves, p, sizeof halves);
    else if (count > 0)
        memcpy(&halves, p, (size_t)count * sizeof *p);
    return halves;
}

INLINE void write_halves(uint16_t *p, int64_t count, uint16_halves halves)
{
    if (count >= LANES_float32)
        memcpy(p, &halves, sizeof halves);
    else if (count > 0)
        memcpy(p, &halves, (size_t)count * sizeof *p);
}

INLINE float32_lanes read_float16(const stored_float16 *p, int64_t count) { return widen_float16(read_halves((const uint16_t *)p, count)); }
INLINE float32_lanes read_bfloat16(const stored_bfloat16 *p, int64_t count) { return widen_bfloat16(read_halves((const uint16_t *)p, count)); }

INLINE void write_float16(stored_float16 *p, int64_t count, float32_lanes v) { write_halves((uint16_t *)p, count, narrow_float16(v)); }
INLINE void write_bfloat16(stored_bfloat16 *p, int64_t count, float32_lanes v) { write_halves((uint16_t *)p, count, narrow_bfloat16(v)); }

#endif
