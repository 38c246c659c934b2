package org.gumbel4j.kernel;

import java.util.Arrays;

/**
 * Sums over rows in float32 ({@code native/NOISE.md}, section 6): sixteen accumulators a row,
 * folded at the end. Rows have up to {@link Tile#CAPACITY} columns and lie packed. An instance
 * holds scratch memory and belongs to one thread.
 */
final class Float32Sums {
  private static final int LANES = 16;

  /** Every value of every accumulator of a row, the next standing sixteen places on. */
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
    if (columns < Tile.LONG_ROW) {
      for (int column = 0; column < columns; column++) {
        float[] lane = lanes[column % LANES];
        if (column < LANES) {
          firstColumn(x, column, columns, lane, rows);
        } else {
          addColumn(x, column, columns, lane, rows);
        }
      }
      foldLanes(rows, columns, sums);
      return;
    }
    for (int row = 0, from = 0; row < rows; row++, from += columns) {
      int rest = startRow(from, columns);
      addSteps(x, running, from, rest);
      addRest(x, running, rest, from + columns);
      sums[row] = fold(running, rest);
    }
  }

  /** Writes the sum of products of each row. */
  void addProducts(float[] x, float[] y, int rows, int columns, double[] sums) {
    if (columns < Tile.LONG_ROW) {
      for (int column = 0; column < columns; column++) {
        float[] lane = lanes[column % LANES];
        if (column < LANES) {
          firstColumnOfProducts(x, y, column, columns, lane, rows);
        } else {
          addColumnOfProducts(x, y, column, columns, lane, rows);
        }
      }
      foldLanes(rows, columns, sums);
      return;
    }
    for (int row = 0, from = 0; row < rows; row++, from += columns) {
      int rest = startRow(from, columns);
      addStepsOfProducts(x, y, running, from, rest);
      addRestOfProducts(x, y, running, rest, from + columns);
      sums[row] = fold(running, rest);
    }
  }

  // Long rows: a loop that becomes vector code, as sixteen columns do not depend on each other.
  // Accumulators stand where the columns stand that they take in next, so that there is one index.

  /** Zeroes the accumulators of a row. Returns where the columns begin that fill no step. */
  private int startRow(int from, int columns) {
    Arrays.fill(running, from, from + LANES, 0f);
    return from + columns / LANES * LANES;
  }

  private static void addSteps(float[] x, float[] running, int from, int to) {
    for (int i = from; i < to; i++) {
      running[i + LANES] = running[i] + x[i];
    }
  }

  private static void addStepsOfProducts(float[] x, float[] y, float[] running, int from, int to) {
    for (int i = from; i < to; i++) {
      running[i + LANES] = Math.fma(x[i], y[i], running[i]);
    }
  }

  private static void addRest(float[] x, float[] running, int from, int to) {
    for (int i = from; i < to; i++) {
      running[i] += x[i];
    }
  }

  private static void addRestOfProducts(float[] x, float[] y, float[] running, int from, int to) {
    for (int i = from; i < to; i++) {
      running[i] = Math.fma(x[i], y[i], running[i]);
    }
  }

  private static float fold(float[] x, int at) {
    return (quarter(x, at) + quarter(x, at + 2)) + (quarter(x, at + 1) + quarter(x, at + 3));
  }

  /** Every fourth of sixteen accumulators. */
  private static float quarter(float[] x, int at) {
    return (x[at] + x[at + 8]) + (x[at + 4] + x[at + 12]);
  }

  // Many short rows: column by column, as rows do not depend on each other.

  private static void firstColumn(float[] x, int column, int columns, float[] lane, int rows) {
    for (int row = 0, at = column; row < rows; row++, at += columns) {
      lane[row] = 0f + x[at];
    }
  }

  private static void addColumn(float[] x, int column, int columns, float[] lane, int rows) {
    for (int row = 0, at = column; row < rows; row++, at += columns) {
      lane[row] += x[at];
    }
  }

  private static void firstColumnOfProducts(
      float[] x, float[] y, int column, int columns, float[] lane, int rows) {
    for (int row = 0, at = column; row < rows; row++, at += columns) {
      lane[row] = Math.fma(x[at], y[at], 0f);
    }
  }

  private static void addColumnOfProducts(
      float[] x, float[] y, int column, int columns, float[] lane, int rows) {
    for (int row = 0, at = column; row < rows; row++, at += columns) {
      lane[row] = Math.fma(x[at], y[at], lane[row]);
    }
  }

  /** Leaves out what no column has come to: it is +0, and no accumulator is -0. */
  private void foldLanes(int rows, int columns, double[] sums) {
    int used = Math.min(columns, LANES);
    for (int half = LANES / 2; half > 0; half /= 2) {
      for (int lane = 0; lane + half < used; lane++) {
        add(lanes[lane + half], lanes[lane], rows);
      }
      used = Math.min(used, half);
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
