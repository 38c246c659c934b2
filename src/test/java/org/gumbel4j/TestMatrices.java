package org.gumbel4j;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;

/** Off-heap matrices for tests, as raw bits so that equality means equality of bits. */
final class TestMatrices {
  private TestMatrices() {}

  static Matrix empty(ElementType type, long rows, long classes) {
    return empty(type, rows, classes, classes);
  }

  /**
   * Filled with a pattern, so that elements that are not written, and those that must not be, show.
   */
  static Matrix empty(ElementType type, long rows, long classes, long rowStride) {
    MemorySegment segment =
        Arena.ofAuto().allocate(rows * rowStride * type.bytes() + 64, 64).fill((byte) 0x5a);
    return new Matrix(segment, type, rows, classes, rowStride);
  }

  static Matrix of(ElementType type, long rows, long classes, double... values) {
    Matrix matrix = empty(type, rows, classes);
    for (int i = 0; i < values.length; i++) {
      set(matrix, i / classes, i % classes, values[i]);
    }
    return matrix;
  }

  /** Logits in [-scale, scale), a tenth of them masked, class 0 of each row never. */
  static Matrix logits(ElementType type, long rows, long classes, double scale, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    Matrix matrix = empty(type, rows, classes);
    for (long row = 0; row < rows; row++) {
      for (long column = 0; column < classes; column++) {
        boolean masked = column > 0 && random.nextInt(10) == 0;
        double logit = random.nextDouble(-scale, scale);
        set(matrix, row, column, masked ? Double.NEGATIVE_INFINITY : logit);
      }
    }
    return matrix;
  }

  static void set(Matrix matrix, long row, long column, double value) {
    long at = row * matrix.rowStride() + column;
    switch (matrix.type()) {
      case FLOAT32 -> matrix.segment().setAtIndex(ValueLayout.JAVA_FLOAT, at, (float) value);
      case FLOAT64 -> matrix.segment().setAtIndex(ValueLayout.JAVA_DOUBLE, at, value);
      default -> throw new IllegalArgumentException("not a floating-point matrix");
    }
  }

  static double get(Matrix matrix, long row, long column) {
    long at = row * matrix.rowStride() + column;
    return switch (matrix.type()) {
      case FLOAT32 -> matrix.segment().getAtIndex(ValueLayout.JAVA_FLOAT, at);
      case FLOAT64 -> matrix.segment().getAtIndex(ValueLayout.JAVA_DOUBLE, at);
      case INT32 -> matrix.segment().getAtIndex(ValueLayout.JAVA_INT, at);
      case INT64 -> throw new IllegalArgumentException("does not fit a double");
    };
  }

  /** The bit pattern of each element, row by row. */
  static long[] bits(Matrix matrix) {
    long[] bits = new long[Math.toIntExact(matrix.rows() * matrix.classes())];
    for (int i = 0; i < bits.length; i++) {
      long at = i / matrix.classes() * matrix.rowStride() + i % matrix.classes();
      bits[i] =
          matrix.type().bytes() == Integer.BYTES
              ? matrix.segment().getAtIndex(ValueLayout.JAVA_INT, at)
              : matrix.segment().getAtIndex(ValueLayout.JAVA_LONG, at);
    }
    return bits;
  }

  /** Rows {@code from} to {@code to} of a matrix, as a matrix over the same memory. */
  static Matrix rows(Matrix matrix, long from, long to) {
    MemorySegment segment =
        matrix.segment().asSlice(from * matrix.rowStride() * matrix.type().bytes());
    return new Matrix(segment, matrix.type(), to - from, matrix.classes(), matrix.rowStride());
  }
}
