package org.gumbel4j;

import java.util.Objects;

/**
 * Checks of arguments at the public edge, with messages that name the argument, its value and what
 * is allowed.
 */
final class Check {
  /** Stands for any thread but the owner of a confined arena. Never started. */
  private static final Thread ANOTHER_THREAD = new Thread(() -> {});

  private Check() {}

  static void that(boolean allowed, String argument, Object value, String rule) {
    if (!allowed) {
      throw new IllegalArgumentException(argument + " = " + value + ": " + rule);
    }
  }

  static void notNegative(String argument, long value, String why) {
    if (value < 0) {
      throw new IllegalArgumentException(
          argument + " = " + value + ": must not be negative; " + why);
    }
  }

  /** A temperature: where {@code positive}, one that has a gradient, else 0 is the argmax limit. */
  static void temperature(String argument, double tau, ElementType type, boolean positive) {
    if (!(tau >= 0 && tau < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          argument + " = " + tau + ": must be finite and not negative; 0 is the argmax limit");
    }
    double rounded = type == ElementType.FLOAT64 ? tau : (float) tau;
    if (rounded == Double.POSITIVE_INFINITY) {
      throw new IllegalArgumentException(
          argument
              + " = "
              + tau
              + ": becomes infinite when rounded to FLOAT32, must be at most "
              + Float.MAX_VALUE);
    }
    if (positive && rounded == 0) {
      throw new IllegalArgumentException(
          argument
              + " = "
              + tau
              + ": must be greater than 0 (as "
              + type
              + "), the argmax limit has no gradient");
    }
  }

  /** A temperature for each row, in memory that may be read. */
  static void temperatures(String argument, Matrix values, boolean positive) {
    for (long row = 0; row < values.rows(); row++) {
      double value = values.get(row, 0);
      if (!(value > 0 && value < Float.MAX_VALUE)) {
        temperature(argument + " row " + row, value, values.type(), positive);
      }
    }
  }

  /** The indices of all elements must fit the noise stream. */
  static void elements(Noise noise, Matrix matrix) {
    Objects.requireNonNull(noise, "noise");
    long lastRow = noise.firstRow() + matrix.rows();
    if (lastRow < 0
        || Math.multiplyHigh(lastRow, matrix.classes()) != 0
        || lastRow * matrix.classes() < 0) {
      throw new IllegalArgumentException(
          "firstRow = "
              + noise.firstRow()
              + ": (firstRow + rows) * classes must be below 2^63 with rows = "
              + matrix.rows()
              + ", classes = "
              + matrix.classes());
    }
  }

  static void floating(String argument, Matrix matrix) {
    Objects.requireNonNull(matrix, argument);
    if (!matrix.type().isFloating()) {
      throw new IllegalArgumentException(
          argument
              + " of type "
              + matrix.type()
              + ": must be FLOAT32, FLOAT64, FLOAT16 or BFLOAT16");
    }
  }

  /** The type and sizes that an argument must have beside another one. */
  static void shape(String argument, Matrix matrix, ElementType type, long rows, long classes) {
    Objects.requireNonNull(matrix, argument);
    if (matrix.type() != type || matrix.rows() != rows || matrix.classes() != classes) {
      throw new IllegalArgumentException(
          argument
              + " of "
              + matrix.rows()
              + " x "
              + matrix.classes()
              + " "
              + matrix.type()
              + ": must be "
              + rows
              + " x "
              + classes
              + " "
              + type);
    }
  }

  /**
   * The groups that the rows of a call fall into, found operand by operand: returns the size of a
   * group for those so far.
   *
   * @param groupRows the same for the operands before, which have as many rows; all rows where any
   *     groups will do
   */
  static long groups(String argument, Matrix matrix, long groupRows) {
    Layout layout = matrix.layout();
    if (layout.isEven() || layout.inner() == groupRows) {
      return groupRows;
    }
    if (groupRows != layout.rows()) {
      throw new IllegalArgumentException(
          argument
              + " has rows in "
              + layout.outer()
              + " groups of "
              + layout.inner()
              + ", another operand in groups of "
              + groupRows
              + ": they must have the same outer and inner sizes, or evenly spaced rows");
    }
    return layout.inner();
  }

  /** Memory that the operator may read. */
  static void readable(String argument, Matrix matrix, boolean byOtherThreads) {
    if (!matrix.segment().scope().isAlive()) {
      throw new IllegalArgumentException(
          argument + ": its arena is closed; keep the arena open until the operator returns");
    }
    if (!matrix.segment().isAccessibleBy(Thread.currentThread())) {
      throw new IllegalArgumentException(
          argument
              + ": belongs to another thread's confined arena; allocate it from Arena.ofShared()");
    }
    if (byOtherThreads && !matrix.segment().isAccessibleBy(ANOTHER_THREAD)) {
      throw new IllegalArgumentException(
          argument
              + ": belongs to a confined arena, which a pool's threads cannot enter; allocate it"
              + " from Arena.ofShared() or use GumbelSoftmax.onCallerThread()");
    }
  }

  /** Memory that the operator may write, each element to an address of its own. */
  static void writable(String argument, Matrix matrix, boolean byOtherThreads) {
    readable(argument, matrix, byOtherThreads);
    if (matrix.segment().isReadOnly()) {
      throw new IllegalArgumentException(argument + ": is read-only, must be writable");
    }
    if (!matrix.layout().isInjective()) {
      throw new IllegalArgumentException(
          argument
              + " of "
              + matrix.layout()
              + ": elements of an output must have memory of their own; in the order of their"
              + " strides, each dimension must step over all that the ones before it span");
    }
  }

  /** An output shares no byte with another operand, whose rows fall into the same groups. */
  static void disjoint(
      String argument, Matrix output, String otherArgument, Matrix other, long groupRows) {
    long distance = other.segment().address() - output.segment().address();
    if (distance >= output.span() || -distance >= other.span()) {
      return;
    }
    if (output.span() != 0
        && other.span() != 0
        && !Addresses.areDisjoint(output, other, groupRows)) {
      throw new IllegalArgumentException(
          argument
              + ": overlaps "
              + otherArgument
              + " in memory, must have memory of its own, or the same strides and turns that do not"
              + " meet, as the halves of a wider matrix");
    }
  }
}
