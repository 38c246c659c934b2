package org.gumbel4j;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;
import org.gumbel4j.kernel.Operand;

/**
 * A view of off-heap memory as rows of classes, which stand where the layout says. A view copies
 * nothing and owns nothing; the memory belongs to the segment's arena.
 *
 * <p>Checked once, here. Immutable and safe for use from any thread that may access its segment;
 * the contents of the memory are as safe as their writers make them.
 *
 * @param segment native memory, aligned to the element type
 * @param type the element type, in native byte order
 * @param layout the sizes and strides
 */
public record Matrix(MemorySegment segment, ElementType type, Layout layout) {
  /** Stands for an argument that was left out. */
  static final Matrix NONE =
      new Matrix(MemorySegment.NULL, ElementType.FLOAT32, Layout.packed(0, 1));

  /**
   * Checks the view.
   *
   * @throws IllegalArgumentException if the segment lies on the heap or is not aligned to the type,
   *     or if the size in bytes overflows
   * @throws IndexOutOfBoundsException if the segment is too small
   */
  public Matrix {
    Objects.requireNonNull(segment, "segment");
    Objects.requireNonNull(type, "type");
    Objects.requireNonNull(layout, "layout");
    Check.that(
        segment.isNative(),
        "segment",
        "a heap segment",
        "must be off-heap; allocate it from an Arena");
    Check.that(
        segment.address() % type.bytes() == 0,
        "segment",
        "at address 0x" + Long.toHexString(segment.address()),
        "must be aligned to the " + type.bytes() + " bytes of " + type);
    Check.that(
        layout.span() <= Long.MAX_VALUE / type.bytes(),
        "layout",
        layout,
        "the size in bytes must be below 2^63");
    long needed = layout.span() * type.bytes();
    if (segment.byteSize() < needed) {
      throw new IndexOutOfBoundsException(
          "segment of "
              + segment.byteSize()
              + " bytes is too small: "
              + layout.rows()
              + " rows of "
              + layout.classes()
              + " classes of "
              + type
              + " take "
              + needed
              + " bytes in "
              + layout);
    }
  }

  /**
   * A packed matrix at the start of a segment: {@link Layout#packed}.
   *
   * @param segment native memory, aligned to the element type
   * @param type the element type
   * @param rows the number of rows, from 0
   * @param classes the number of classes, from 1
   * @return the view
   * @throws IllegalArgumentException as the constructor and {@link Layout} do
   * @throws IndexOutOfBoundsException if the segment is too small
   */
  public static Matrix of(MemorySegment segment, ElementType type, long rows, long classes) {
    return new Matrix(segment, type, Layout.packed(rows, classes));
  }

  /**
   * The number of rows.
   *
   * @return {@code layout.outer() * layout.inner()}
   */
  public long rows() {
    return layout.rows();
  }

  /**
   * The number of classes.
   *
   * @return {@code layout.classes()}
   */
  public long classes() {
    return layout.classes();
  }

  boolean isNone() {
    return this == NONE;
  }

  /** The bytes from the first element to behind the last one. */
  long span() {
    return layout.span() * type.bytes();
  }

  /** An element of a floating-point matrix. */
  double get(long row, long column) {
    long at = layout.start(row) + column * layout.classStride();
    return switch (type) {
      case FLOAT32 -> segment.getAtIndex(ValueLayout.JAVA_FLOAT, at);
      case FLOAT64 -> segment.getAtIndex(ValueLayout.JAVA_DOUBLE, at);
      case FLOAT16 -> Float.float16ToFloat(segment.getAtIndex(ValueLayout.JAVA_SHORT, at));
      case BFLOAT16 ->
          Float.intBitsToFloat(segment.getAtIndex(ValueLayout.JAVA_SHORT, at) << Short.SIZE);
      case INT32, INT64 -> throw new IllegalStateException(type + " is not floating-point");
    };
  }

  /** Writes a gradient of a temperature: canonical if NaN, 0 below the smallest normal number. */
  void setGradient(long row, double value) {
    long at = layout.start(row);
    if (type == ElementType.FLOAT64) {
      double normal = Math.abs(value) < Double.MIN_NORMAL ? 0 : value;
      segment.setAtIndex(ValueLayout.JAVA_DOUBLE, at, Double.isNaN(value) ? Double.NaN : normal);
    } else {
      float normal = Math.abs(value) < Float.MIN_NORMAL ? 0 : (float) value;
      segment.setAtIndex(ValueLayout.JAVA_FLOAT, at, Double.isNaN(value) ? Float.NaN : normal);
    }
  }

  /** The rows from {@code row} on, in groups of {@code inner}, as kernels take them. */
  Operand from(long row, long inner) {
    return isNone()
        ? Operand.NONE
        : new Operand(
            row == 0 ? segment : segment.asSlice(layout.start(row) * type.bytes()),
            layout.outerStride(inner),
            layout.innerStride(inner),
            layout.classStride());
  }

  /** One row from {@code column} on, as the kernels for parts of rows take it. */
  Operand part(long row, long column) {
    long at = layout.start(row) + column * layout.classStride();
    return new Operand(segment.asSlice(at * type.bytes()), 0, 0, layout.classStride());
  }
}
