/* What the bits of a mask tell. Included by each lanes_<tier>.h, after `bits`. */
#ifndef GUMBEL4J_MASKS_H
#define GUMBEL4J_MASKS_H

INLINE bool any_float32(int32_lanes mask) { return bits_float32(mask) != 0; }
INLINE bool any_float64(int64_lanes mask) { return bits_float64(mask) != 0; }
INLINE int first_lane_float32(int32_lanes mask) { return __builtin_ctz(bits_float32(mask)); }
INLINE int first_lane_float64(int64_lanes mask) { return __builtin_ctz(bits_float64(mask)); }

#endif
