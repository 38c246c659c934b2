package org.gumbel4j.kernel;

import java.lang.foreign.MemorySegment;

/**
 * A view that a call reads or writes: class {@code c} of row {@code o * inner + i} stands at
 * element {@code o * outerStride + i * innerStride + c * classStride}. Strides count elements and
 * are not negative; those of an input may be 0, which repeats it.
 *
 * @param segment native memory
 * @param outerStride from a group of rows to the next
 * @param innerStride from a row of a group to the next
 * @param classStride from a class to the next
 */
public record Operand(MemorySegment segment, long outerStride, long innerStride, long classStride) {
  /** An operand that is left out: a null address. */
  public static final Operand NONE = new Operand(MemorySegment.NULL, 0, 0, 0);

  /** {@return whether this operand was left out} */
  public boolean isNone() {
    return segment.address() == 0;
  }

  /** {@return the element that class 0 of a row stands at} */
  long start(long outer, long inner) {
    return outer * outerStride + inner * innerStride;
  }
}
