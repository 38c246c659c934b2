package org.gumbel4j.kernel;

import java.lang.foreign.MemorySegment;

/**
 * A matrix that a call reads or writes.
 *
 * @param segment native memory
 * @param stride the distance between the starts of neighbouring rows, in elements: row {@code r}
 *     starts at element {@code r * stride}
 */
public record Operand(MemorySegment segment, long stride) {
  /** An operand that is left out: a null address. */
  public static final Operand NONE = new Operand(MemorySegment.NULL, 0);

  /** Whether this operand was left out. */
  public boolean isNone() {
    return segment.address() == 0;
  }
}
