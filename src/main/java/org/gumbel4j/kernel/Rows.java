package org.gumbel4j.kernel;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;

/**
 * An operand as a list of rows of one element type: row {@code r} is row {@code r % inner} of group
 * {@code r / inner}.
 */
record Rows(
    MemorySegment segment,
    int type,
    long inner,
    long outerStride,
    long innerStride,
    long classStride,
    long first) {
  /** The rows of an operand, in as few groups as its strides allow. */
  static Rows of(Operand operand, int type, Shape shape) {
    boolean single = shape.inner() == 1;
    // A single row shares no cache line with a next one, whatever its stride says.
    long innerStride =
        shape.rows() == 1
            ? shape.classes() * operand.classStride()
            : single ? operand.outerStride() : operand.innerStride();
    boolean even =
        single || shape.rows() == 1 || operand.outerStride() == shape.inner() * innerStride;
    return new Rows(
        operand.segment(),
        type,
        even ? Math.max(shape.rows(), 1) : shape.inner(),
        operand.outerStride(),
        innerStride,
        operand.classStride(),
        0);
  }

  /** Elements that follow each other, each as a row. */
  static Rows list(MemorySegment segment, int type) {
    return new Rows(segment, type, Long.MAX_VALUE, 0, 1, 1, 0);
  }

  /** Whether the operand was left out. */
  boolean isNone() {
    return segment.address() == 0;
  }

  /** The rows from {@code row} on. */
  Rows from(long row) {
    return new Rows(segment, type, inner, outerStride, innerStride, classStride, first + row);
  }

  /** The element of the segment that a row starts at. */
  long at(long row) {
    long index = first + row;
    return index < inner
        ? index * innerStride
        : index / inner * outerStride + index % inner * innerStride;
  }

  /** How many rows from {@code row} on, {@code count} at most, stand at even distances. */
  int run(long row, int count) {
    return (int) Math.min(count, inner - (first + row) % inner);
  }

  /** The first element of a row that is a number of the compute type. */
  double get(long row) {
    return type == Kernels.FLOAT64
        ? segment.getAtIndex(JAVA_DOUBLE, at(row))
        : segment.getAtIndex(JAVA_FLOAT, at(row));
  }

  /** Sets the first element of a row that is a number of the compute type. */
  void set(long row, double value) {
    if (type == Kernels.FLOAT64) {
      segment.setAtIndex(JAVA_DOUBLE, at(row), value);
    } else {
      segment.setAtIndex(JAVA_FLOAT, at(row), (float) value);
    }
  }
}
