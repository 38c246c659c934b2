/* The products of lanes.h, of the even lanes and of the odd ones, on tiers that multiply the lower halves of 64-bit lanes. */
#ifndef GUMBEL4J_PRODUCTS_H
#define GUMBEL4J_PRODUCTS_H

INLINE struct products products(uint32_lanes a, uint32_lanes b)
{
    return (struct products){multiply_low((uint64_lanes)a, (uint64_lanes)b), multiply_low((uint64_lanes)a >> 32, (uint64_lanes)b)};
}

#endif
