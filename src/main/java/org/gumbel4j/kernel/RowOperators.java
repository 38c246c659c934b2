package org.gumbel4j.kernel;

import java.lang.foreign.MemorySegment;

/**
 * The operators on one row of one element type, in Java. Offsets ({@code ...At}) count elements
 * from the start of a segment; {@code element} is the index of the row's first element in the whole
 * logical array (NOISE.md, section 1). An instance holds scratch memory and belongs to one call.
 *
 * <p>Operators that sample return whether the row could be sampled.
 */
interface RowOperators {
  /**
   * Columns that share one set of sixteen accumulators (NOISE.md, section 6), and the scratch size.
   */
  int BLOCK = 1024;

  /** Accumulators of a sum. */
  int LANES = 16;

  void uniform(long element, long classes, MemorySegment out, long outAt);

  void gumbel(long element, long classes, MemorySegment out, long outAt);

  boolean soft(
      MemorySegment logits,
      long logitsAt,
      double tau,
      long element,
      long classes,
      MemorySegment out,
      long outAt);

  /**
   * The column of the largest perturbed logit, the first of equals; -1 where the row cannot be
   * sampled.
   */
  long argmax(MemorySegment logits, long logitsAt, long element, long classes);

  /** Writes 1 at column {@code one} and 0 elsewhere. */
  void oneHot(long one, long classes, MemorySegment out, long outAt);

  /** Writes {@code dtau} unless it is a null address. */
  void vjp(
      MemorySegment sample,
      long sampleAt,
      MemorySegment upstream,
      long upstreamAt,
      double tau,
      long classes,
      MemorySegment dlogits,
      long dlogitsAt,
      MemorySegment dtau,
      long dtauAt);
}
