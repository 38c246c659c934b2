package org.gumbel4j.gateway;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.Map;
import org.gumbel4j.ElementType;
import org.gumbel4j.GumbelSoftmax;
import org.gumbel4j.InvalidLogitsException;
import org.gumbel4j.Matrix;
import org.gumbel4j.Noise;

/**
 * Many small calls of one operator, which arrive as one: what a round trip costs is paid once.
 *
 * <p>The argument {@code calls} is one row of INT64 numbers, six for each call: its rows, its
 * classes, seed, stream, first row, and the bits of tau as a double. The other matrices are such
 * rows too, and hold the operands of all calls one after the other, each of them packed: {@code
 * rows x classes} elements of a call, or one for each of its rows, which their number tells.
 */
final class Batch implements Operators.Operator {
  /** The argument that makes a call a batch. */
  static final String CALLS = "calls";

  private static final int ROWS = 0;
  private static final int CLASSES = 1;
  private static final int SEED = 2;
  private static final int STREAM = 3;
  private static final int FIRST_ROW = 4;
  private static final int TAU = 5;
  private static final int COLUMNS = 6;

  /** A call takes as long as so many elements, whatever it does. */
  private static final int ELEMENTS_OF_A_CALL = 1000;

  private final Operators.Operator operator;

  Batch(Operators.Operator operator) {
    this.operator = operator;
  }

  @Override
  public void run(GumbelSoftmax sampler, Call batch) {
    Matrix calls = batch.matrix(CALLS);
    if (calls.type() != ElementType.INT64 || !isFlat(calls) || calls.classes() % COLUMNS != 0) {
      throw new IllegalArgumentException(
          CALLS + " of type " + calls.type() + " in " + calls.layout() + ": must be rows of INT64");
    }
    long count = calls.classes() / COLUMNS;
    long rows = 0;
    long elements = 0;
    for (long call = 0; call < count; call++) {
      rows = Math.addExact(rows, value(calls, call, ROWS));
      elements =
          Math.addExact(
              elements, Math.multiplyExact(value(calls, call, ROWS), value(calls, call, CLASSES)));
    }
    Part part = new Part(batch, calls, rows, elements);
    for (long call = 0; call < count; call++) {
      part.moveTo(call);
      try {
        operator.run(sampler, part);
      } catch (InvalidLogitsException invalid) {
        throw new InvalidRowException(part.rowsBefore + invalid.row(), invalid);
      }
    }
  }

  /** A measure of the work of a batch, in elements. */
  static long weight(Arguments batch) {
    return batch.elements() + batch.matrix(CALLS).classes() / COLUMNS * ELEMENTS_OF_A_CALL;
  }

  private static boolean isFlat(Matrix matrix) {
    return matrix.rows() == 1 && matrix.layout().classStride() == 1;
  }

  private static long value(Matrix calls, long call, int column) {
    return calls.segment().getAtIndex(ValueLayout.JAVA_LONG, call * COLUMNS + column);
  }

  /** A row that is refused, by its number among the rows of all calls. */
  static final class InvalidRowException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    private final long row;

    private InvalidRowException(long row, InvalidLogitsException cause) {
      super(cause.getMessage(), cause);
      this.row = row;
    }

    long row() {
      return row;
    }
  }

  /** One call after the other, as the operator sees it. */
  private static final class Part implements Call {
    private final Call batch;
    private final Matrix calls;
    private final long allRows;
    private final long allElements;
    private final Map<String, Boolean> perRow = new HashMap<>();
    private long call;
    private long rowsBefore;
    private long elementsBefore;
    private long rows;
    private long classes;

    Part(Call batch, Matrix calls, long allRows, long allElements) {
      this.batch = batch;
      this.calls = calls;
      this.allRows = allRows;
      this.allElements = allElements;
    }

    /** Goes to a call; calls are taken in order. */
    void moveTo(long next) {
      call = next;
      rowsBefore += rows;
      elementsBefore += rows * classes;
      rows = value(calls, call, ROWS);
      classes = value(calls, call, CLASSES);
    }

    @Override
    public Matrix matrix(String name) {
      Matrix whole = batch.matrix(name);
      boolean hasOneElementPerRow = perRow.computeIfAbsent(name, any -> hasOneElementPerRow(name));
      long before = hasOneElementPerRow ? rowsBefore : elementsBefore;
      MemorySegment from = whole.segment().asSlice(before * whole.type().bytes());
      return Matrix.of(from, whole.type(), rows, hasOneElementPerRow ? 1 : classes);
    }

    private boolean hasOneElementPerRow(String name) {
      Matrix whole = batch.matrix(name);
      long count = whole.rows() * whole.classes();
      if (!isFlat(whole) || count != allElements && count != allRows) {
        throw new IllegalArgumentException(
            name + " has " + count + " elements: must have " + allElements + ", or " + allRows);
      }
      return count != allElements;
    }

    @Override
    public boolean isMatrix(String name) {
      return batch.isMatrix(name);
    }

    @Override
    public double number(String name) {
      return Double.longBitsToDouble(value(calls, call, TAU));
    }

    @Override
    public ElementType type(String name) {
      return batch.type(name);
    }

    @Override
    public Noise noise() {
      return new Noise(
          value(calls, call, SEED), value(calls, call, STREAM), value(calls, call, FIRST_ROW));
    }
  }
}
