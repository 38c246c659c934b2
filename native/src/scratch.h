/* Memory for tiles of rows that a kernel cannot work on where they lie. */
#ifndef GUMBEL4J_SCRATCH_H
#define GUMBEL4J_SCRATCH_H

enum { SCRATCH_BYTES = 1 << 20 };

/* SCRATCH_BYTES bytes of the calling thread, aligned to cache lines; what they hold does not outlive the call of the library. */
void *gumbel4j_scratch(void);

#endif
