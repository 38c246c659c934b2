package org.gumbel4j.kernel;

import java.lang.foreign.MemorySegment;

/**
 * Some rows of an operand, copied in the compute type to where they lie packed: for operands whose
 * rows share cache lines, so that each line is fetched once for all of them, and for long rows of
 * half types, whose steps need more digits than their memory holds.
 */
final class Strip {
  /** The most memory that the strips of a call take. */
  private static final long BYTES = 1 << 20;

  /** Rows that share a cache line, or half of one. */
  private static final int ROWS = 16;

  /** Rows of up to so many columns share a tile with as many others as a strip would hold. */
  private static final int SHORT = Tile.CAPACITY / ROWS;

  /** Keeps the starts of rows apart in caches, where powers of two would share a place. */
  private static final int GAP = 16;

  private final Elements elements = new Elements();
  private final float[] floats;
  private final double[] doubles;
  private final int columns;
  private final int step;
  private final Rows rows;

  /** For {@link #rowsAtOnce} rows. */
  Strip(int computeType, int rows, long columns) {
    boolean wide = computeType == Kernels.FLOAT64;
    this.columns = (int) columns;
    step = this.columns + GAP;
    floats = new float[wide ? 0 : rows * step];
    doubles = new double[wide ? rows * step : 0];
    MemorySegment segment = wide ? MemorySegment.ofArray(doubles) : MemorySegment.ofArray(floats);
    this.rows = new Rows(segment, computeType, rows, 0, step, 1, 0);
  }

  /** Whether an operand is better worked on in strips. */
  static boolean helps(Rows rows, int computeType, long columns) {
    if (rows.isNone()) {
      return false;
    }
    boolean rowsShareLines = rows.innerStride() < rows.classStride() && columns > SHORT;
    return rowsShareLines || (rows.type() != computeType && columns > Tile.CAPACITY);
  }

  /** The rows that each of some strips may hold; 0 where rows are too long for strips. */
  static int rowsAtOnce(int computeType, int strips, long rows, long columns) {
    long bytes = (columns + GAP) * (computeType == Kernels.FLOAT64 ? Double.BYTES : Float.BYTES);
    return (int) Math.min(Math.min(ROWS, rows), BYTES / strips / bytes);
  }

  /** The strip as an operand. */
  Rows rows() {
    return rows;
  }

  void load(Rows from, long row, int count) {
    if (rows.type() == Kernels.FLOAT64) {
      elements.load(from, row, count, 0, columns, doubles, step);
    } else {
      elements.load(from, row, count, 0, columns, floats, step);
    }
  }

  void store(Rows to, long row, int count) {
    if (rows.type() == Kernels.FLOAT64) {
      elements.store(doubles, step, to, row, count, 0, columns);
    } else {
      elements.store(floats, step, to, row, count, 0, columns);
    }
  }
}
