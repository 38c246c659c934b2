package org.gumbel4j;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;
import org.gumbel4j.kernel.Operand;
import org.gumbel4j.kernel.Shape;

/**
 * A view of off-heap memory as rows of classes, row-major: element {@code (row, class)} stands at
 * element {@code row * rowStride + class} of the segment. A view copies nothing and owns nothing;
 * the memory belongs to the segment's arena.
 *
 * <p>Checked once, here. Immutable and safe for use from any thread that may access its segment;
 * the contents of the memory are as safe as their writers make them.
 *
 * @param segment native memory, aligned to the element type
 * @param type the element type, in native byte order
 * @param rows the number of rows, from 0
 * @param classes the number of classes (columns), from 1
 * @param rowStride the distance between the starts of neighbouring rows in elements, at least
 *     {@code classes}
 */
public record Matrix(
    MemorySegment segment, ElementType type, long rows, long classes, long rowStride) {
  /**
   * Checks the view.
   *
   * @throws IllegalArgumentException if the segment lies on the heap or is not aligned to the type,
   *     if a size is out of range, or if the sizes' product overflows
   * @throws IndexOutOfBoundsException if the segment is too small
   */
  public Matrix {
    Objects.requireNonNull(segment, "segment");
    Objects.requireNonNull(type, "type");
    Check.that(
        segment.isNative(),
        "segment",
        "a heap segment",
        "must be off-heap; allocate it from an Arena");
    Check.notNegative("rows", rows, "an empty matrix has 0 rows");
    Check.that(classes >= 1, "classes", classes, "must be at least 1");
    Check.that(
        rowStride >= classes, "rowStride", rowStride, "must be at least classes = " + classes);
    Check.that(
        segment.address() % type.bytes() == 0,
        "segment",
        "at address 0x" + Long.toHexString(segment.address()),
        "must be aligned to the " + type.bytes() + " bytes of " + type);
    long needed = span(type, rows, classes, rowStride);
    if (segment.byteSize() < needed) {
      throw new IndexOutOfBoundsException(
          "segment of "
              + segment.byteSize()
              + " bytes is too small: "
              + rows
              + " rows of "
              + classes
              + " classes of "
              + type
              + ", "
              + rowStride
              + " apart, take "
              + needed
              + " bytes");
    }
  }

  /**
   * A packed matrix at the start of a segment: {@code rowStride = classes}.
   *
   * @param segment native memory, aligned to the element type
   * @param type the element type
   * @param rows the number of rows, from 0
   * @param classes the number of classes, from 1
   * @return the view
   * @throws IllegalArgumentException as the constructor does
   * @throws IndexOutOfBoundsException if the segment is too small
   */
  public static Matrix of(MemorySegment segment, ElementType type, long rows, long classes) {
    return new Matrix(segment, type, rows, classes, classes);
  }

  /** The bytes from the first element to behind the last one. */
  long span() {
    return span(type, rows, classes, rowStride);
  }

  /** An element of a floating-point matrix. */
  double get(long row, long column) {
    long at = row * rowStride + column;
    return type == ElementType.FLOAT32
        ? segment.getAtIndex(ValueLayout.JAVA_FLOAT, at)
        : segment.getAtIndex(ValueLayout.JAVA_DOUBLE, at);
  }

  /** The rows from {@code row} on, as kernels take them. */
  Operand from(long row) {
    return new Operand(
        row == 0 ? segment : segment.asSlice(row * rowStride * type.bytes()), 0, rowStride, 1);
  }

  /** Some rows of this matrix, as kernels take them. */
  Shape shape(long count) {
    return new Shape(type.code(), 1, count, classes);
  }

  private static long span(ElementType type, long rows, long classes, long rowStride) {
    if (rows == 0) {
      return 0;
    }
    try {
      long elements = Math.addExact(Math.multiplyExact(rows - 1, rowStride), classes);
      return Math.multiplyExact(elements, type.bytes());
    } catch (ArithmeticException overflow) {
      throw new IllegalArgumentException(
          "rows = "
              + rows
              + ", classes = "
              + classes
              + ", rowStride = "
              + rowStride
              + ": the size in bytes must be below 2^63",
          overflow);
    }
  }
}
