package org.gumbel4j;

/**
 * Where the elements of a {@link Matrix} stand: {@code outer * inner} rows of {@code classes}
 * elements. Class {@code c} of row {@code o * inner + i} stands at element {@code o * outerStride +
 * i * innerStride + c * classStride} of the segment.
 *
 * <p>Two row strides are what an array needs whose class axis is not its last one: the axes before
 * it count {@code outer}, those after it {@code inner}. A stride of 0 repeats the same elements,
 * which an input may do; the elements of an output have memory of their own: in the order of their
 * strides, each of the dimensions steps over all that the ones before it span.
 *
 * <p>An immutable value, safe for use from any thread.
 *
 * @param outer the number of groups of rows, from 0
 * @param inner the number of rows in a group, from 0
 * @param classes the number of classes (columns), from 1
 * @param outerStride from a group of rows to the next, in elements, from 0
 * @param innerStride from a row of a group to the next, in elements, from 0
 * @param classStride from a class of a row to the next, in elements, from 0
 */
public record Layout(
    long outer, long inner, long classes, long outerStride, long innerStride, long classStride) {
  /**
   * Checks the sizes and strides.
   *
   * @throws IllegalArgumentException if one is out of range, or the elements would span 2^63 or
   *     more
   */
  public Layout {
    Check.notNegative("outer", outer, "an empty matrix has 0 rows");
    Check.notNegative("inner", inner, "an empty matrix has 0 rows");
    Check.that(classes >= 1, "classes", classes, "must be at least 1");
    Check.notNegative("outerStride", outerStride, "strides go forward");
    Check.notNegative("innerStride", innerStride, "strides go forward");
    Check.notNegative("classStride", classStride, "strides go forward");
    try {
      Math.multiplyExact(Math.multiplyExact(outer, inner), classes);
      long rest = Math.addExact(extent(outer, outerStride), extent(inner, innerStride));
      Math.addExact(Math.addExact(rest, extent(classes, classStride)), 1);
    } catch (ArithmeticException overflow) {
      throw new IllegalArgumentException(
          "outer = "
              + outer
              + ", inner = "
              + inner
              + ", classes = "
              + classes
              + ", outerStride = "
              + outerStride
              + ", innerStride = "
              + innerStride
              + ", classStride = "
              + classStride
              + ": the elements, and what they span, must number below 2^63",
          overflow);
    }
  }

  /**
   * Rows one after the other without gaps, as a C-contiguous array with its class axis last has
   * them.
   *
   * @param rows the number of rows, from 0
   * @param classes the number of classes, from 1
   * @return the layout
   * @throws IllegalArgumentException as the constructor does
   */
  public static Layout packed(long rows, long classes) {
    return strided(rows, classes, classes, 1);
  }

  /**
   * Evenly spaced rows of evenly spaced classes.
   *
   * @param rows the number of rows, from 0
   * @param classes the number of classes, from 1
   * @param rowStride from a row to the next, in elements, from 0
   * @param classStride from a class to the next, in elements, from 0
   * @return the layout
   * @throws IllegalArgumentException as the constructor does
   */
  public static Layout strided(long rows, long classes, long rowStride, long classStride) {
    Check.notNegative("rows", rows, "an empty matrix has 0 rows");
    Check.notNegative("rowStride", rowStride, "strides go forward");
    return new Layout(1, rows, classes, 0, rowStride, classStride);
  }

  /**
   * A C-contiguous array of shape {@code (outer, classes, inner)}: its class axis is the middle
   * one.
   *
   * @param outer the product of the sizes before the class axis, from 0
   * @param classes the number of classes, from 1
   * @param inner the product of the sizes after the class axis, from 0
   * @return the layout
   * @throws IllegalArgumentException as the constructor does
   */
  public static Layout axis(long outer, long classes, long inner) {
    long outerStride;
    try {
      outerStride = Math.multiplyExact(classes, inner);
    } catch (ArithmeticException overflow) {
      throw new IllegalArgumentException(
          "classes = " + classes + ", inner = " + inner + ": their product must be below 2^63",
          overflow);
    }
    return new Layout(outer, inner, classes, outerStride, 1, inner);
  }

  /**
   * The number of rows.
   *
   * @return {@code outer * inner}
   */
  public long rows() {
    return outer * inner;
  }

  /** The elements from the first one to behind the last one. */
  long span() {
    return rows() == 0
        ? 0
        : (outer - 1) * outerStride + (inner - 1) * innerStride + (classes - 1) * classStride + 1;
  }

  /**
   * Whether all rows are the same distance apart, so that any split of them into groups will do.
   */
  boolean isEven() {
    return outer <= 1 || inner <= 1 || outerStride == inner * innerStride;
  }

  /** The distance between the starts of neighbouring rows of an even layout. */
  private long rowStride() {
    return inner == 1 ? outerStride : innerStride;
  }

  /**
   * The distance between groups of {@code groupRows} rows, which {@link #isEven} or the own ones.
   */
  long outerStride(long groupRows) {
    return groupRows == rows() ? 0 : isEven() ? groupRows * rowStride() : outerStride;
  }

  /** The distance between rows in groups of {@code groupRows}, likewise. */
  long innerStride(long groupRows) {
    return isEven() ? rowStride() : innerStride;
  }

  /** The element that class 0 of a row stands at. */
  long start(long row) {
    return row == 0 ? 0 : row / inner * outerStride + row % inner * innerStride;
  }

  /** Whether all elements have memory of their own. */
  boolean isInjective() {
    if (classStride == 1 && isEven() && (rows() <= 1 || rowStride() >= classes)) {
      return true;
    }
    return Addresses.areDistinct(
        new long[] {outer, inner, classes}, new long[] {outerStride, innerStride, classStride}, 1);
  }

  private static long extent(long size, long stride) {
    return Math.multiplyExact(Math.max(0, size - 1), stride);
  }
}
