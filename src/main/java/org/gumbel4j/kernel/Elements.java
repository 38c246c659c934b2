package org.gumbel4j.kernel;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;

/**
 * Moves columns of rows between the memory of an operand, of any strides and floating type, and an
 * array of its compute type: column {@code c} of row {@code r} stands at {@code r * step + c}. An
 * instance holds scratch memory and belongs to one thread.
 */
final class Elements {
  private final Halves halves = new Halves();

  void load(Rows from, long row, int rows, long column, int columns, float[] to, int step) {
    if (from.type() == Kernels.FLOAT32) {
      move(
          from, row, rows, column, columns, step, (s, a, d, p, e, n) -> load(s, a, d, to, p, e, n));
    } else {
      boolean brain = from.type() == Kernels.BFLOAT16;
      move(
          from,
          row,
          rows,
          column,
          columns,
          step,
          (s, a, d, p, e, n) -> halves.load(brain, s, a, d, to, p, e, n));
    }
  }

  void store(float[] from, int step, Rows to, long row, int rows, long column, int columns) {
    if (to.type() == Kernels.FLOAT32) {
      move(
          to,
          row,
          rows,
          column,
          columns,
          step,
          (s, a, d, p, e, n) -> store(from, p, e, s, a, d, n));
    } else {
      boolean brain = to.type() == Kernels.BFLOAT16;
      move(
          to,
          row,
          rows,
          column,
          columns,
          step,
          (s, a, d, p, e, n) -> halves.store(brain, from, p, e, s, a, d, n));
    }
  }

  void load(Rows from, long row, int rows, long column, int columns, double[] to, int step) {
    move(from, row, rows, column, columns, step, (s, a, d, p, e, n) -> load(s, a, d, to, p, e, n));
  }

  void store(double[] from, int step, Rows to, long row, int rows, long column, int columns) {
    move(to, row, rows, column, columns, step, (s, a, d, p, e, n) -> store(from, p, e, s, a, d, n));
  }

  /** Moves elements that stand {@code stride} apart from or to places {@code step} apart. */
  private interface Run {
    void move(MemorySegment segment, long at, long stride, int place, int step, int count);
  }

  /** Goes through memory in ascending order as far as the strides allow. */
  private static void move(
      Rows view, long row, int rows, long column, int columns, int step, Run run) {
    MemorySegment segment = view.segment();
    long rowStride = view.innerStride();
    long classStride = view.classStride();
    for (int r = 0; r < rows; ) {
      int count = view.run(row + r, rows - r);
      long at = view.at(row + r) + column * classStride;
      int place = r * step;
      if (classStride == 1 && rowStride == columns && step == columns) {
        run.move(segment, at, 1, place, 1, count * columns);
      } else if (rowStride < classStride) {
        for (int c = 0; c < columns; c++) {
          run.move(segment, at + c * classStride, rowStride, place + c, step, count);
        }
      } else {
        for (int i = 0; i < count; i++) {
          run.move(segment, at + i * rowStride, classStride, place + i * step, 1, columns);
        }
      }
      r += count;
    }
  }

  private static void load(
      MemorySegment from, long at, long stride, float[] to, int place, int step, int count) {
    if (stride == 1 && step == 1) {
      MemorySegment.copy(from, JAVA_FLOAT, at * Float.BYTES, to, place, count);
      return;
    }
    for (int i = 0; i < count; i++) {
      to[place + i * step] = from.getAtIndex(JAVA_FLOAT, at + i * stride);
    }
  }

  private static void store(
      float[] from, int place, int step, MemorySegment to, long at, long stride, int count) {
    if (stride == 1 && step == 1) {
      MemorySegment.copy(from, place, to, JAVA_FLOAT, at * Float.BYTES, count);
      return;
    }
    for (int i = 0; i < count; i++) {
      to.setAtIndex(JAVA_FLOAT, at + i * stride, from[place + i * step]);
    }
  }

  private static void load(
      MemorySegment from, long at, long stride, double[] to, int place, int step, int count) {
    if (stride == 1 && step == 1) {
      MemorySegment.copy(from, JAVA_DOUBLE, at * Double.BYTES, to, place, count);
      return;
    }
    for (int i = 0; i < count; i++) {
      to[place + i * step] = from.getAtIndex(JAVA_DOUBLE, at + i * stride);
    }
  }

  private static void store(
      double[] from, int place, int step, MemorySegment to, long at, long stride, int count) {
    if (stride == 1 && step == 1) {
      MemorySegment.copy(from, place, to, JAVA_DOUBLE, at * Double.BYTES, count);
      return;
    }
    for (int i = 0; i < count; i++) {
      to.setAtIndex(JAVA_DOUBLE, at + i * stride, from[place + i * step]);
    }
  }
}
