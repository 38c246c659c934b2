package org.gumbel4j.kernel;

import java.util.Arrays;

/**
 * Sums over rows in float32 ({@code native/NOISE.md}, section 6): sixteen accumulators a row,
 * folded at the end. Rows have up to {@link Tile#CAPACITY} columns and lie packed. An instance
 * holds scratch memory and belongs to one thread.
 */
final class Float32Sums {
  private static final int LANES = 16;

  /** Every value of every accumulator of one row, the next standing sixteen places on. */
  private final float[] running;

  /** The accumulators of many rows: accumulator {@code l} of row {@code r} at {@code [l][r]}. */
  private final float[][] lanes;

  /** For up to {@code rows} rows of {@code capacity} elements in all. */
  Float32Sums(int rows, int capacity) {
    running = new float[LANES + capacity];
    lanes = new float[LANES][rows];
  }

  /** Writes the sum of each row. */
  void add(float[] x, int rows, int columns, double[] sums) {
    if (rows == 1) {
      Arrays.fill(running, 0, LANES, 0f);
      addRow(x, running, columns);
      takeLast(columns);
    } else {
      start(rows);
      for (int column = 0; column < columns; column++) {
        addColumn(x, column, columns, lanes[column % LANES], rows);
      }
    }
    fold(rows, sums);
  }

  /** Writes the sum of products of each row. */
  void addProducts(float[] x, float[] y, int rows, int columns, double[] sums) {
    if (rows == 1) {
      Arrays.fill(running, 0, LANES, 0f);
      addRowOfProducts(x, y, running, columns);
      takeLast(columns);
    } else {
      start(rows);
      for (int column = 0; column < columns; column++) {
        addColumnOfProducts(x, y, column, columns, lanes[column % LANES], rows);
      }
    }
    fold(rows, sums);
  }

  // One long row: a loop that becomes vector code, as sixteen columns do not depend on each other.

  private static void addRow(float[] x, float[] running, int count) {
    for (int i = 0; i < count; i++) {
      running[i + LANES] = running[i] + x[i];
    }
  }

  private static void addRowOfProducts(float[] x, float[] y, float[] running, int count) {
    for (int i = 0; i < count; i++) {
      running[i + LANES] = Math.fma(x[i], y[i], running[i]);
    }
  }

  private void takeLast(int count) {
    for (int i = count; i < count + LANES; i++) {
      lanes[i % LANES][0] = running[i];
    }
  }

  // Many short rows: column by column, as rows do not depend on each other.

  private void start(int rows) {
    for (float[] lane : lanes) {
      Arrays.fill(lane, 0, rows, 0f);
    }
  }

  private static void addColumn(float[] x, int column, int columns, float[] lane, int rows) {
    for (int row = 0, at = column; row < rows; row++, at += columns) {
      lane[row] += x[at];
    }
  }

  private static void addColumnOfProducts(
      float[] x, float[] y, int column, int columns, float[] lane, int rows) {
    for (int row = 0, at = column; row < rows; row++, at += columns) {
      lane[row] = Math.fma(x[at], y[at], lane[row]);
    }
  }

  private void fold(int rows, double[] sums) {
    for (int half = LANES / 2; half > 0; half /= 2) {
      for (int lane = 0; lane < half; lane++) {
        add(lanes[lane + half], lanes[lane], rows);
      }
    }
    for (int row = 0; row < rows; row++) {
      sums[row] = lanes[0][row];
    }
  }

  private static void add(float[] x, float[] to, int count) {
    for (int i = 0; i < count; i++) {
      to[i] += x[i];
    }
  }
}
