/* Sixteen bits for each lane of float32. Include after a lanes_<tier>.h. */
#ifndef GUMBEL4J_HALVES_H
#define GUMBEL4J_HALVES_H

typedef uint16_t uint16_halves __attribute__((vector_size(VECTOR_BYTES / 2)));

#endif
