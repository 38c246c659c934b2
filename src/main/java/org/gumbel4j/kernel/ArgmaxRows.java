package org.gumbel4j.kernel;

/**
 * Hard and categorical samples of rows ({@code native/NOISE.md}, section 7): the column of the
 * largest perturbed logit.
 *
 * <p>A column can win only if an upper bound of its perturbed logit, which takes no logarithm, is
 * above the best so far. So but for short rows, nearly all columns are done with after a
 * comparison; {@code native/src/argmax.h} has the proof.
 */
final class ArgmaxRows {
  /** Rows of up to so many columns leave too few behind for bounds to pay. */
  private static final int SHORT = 64;

  private final Tile tile;
  private final double[] tops;
  private final long[] found;

  ArgmaxRows(Tile tile, int rowsOfTile) {
    this.tile = tile;
    tops = new double[rowsOfTile];
    found = new long[rowsOfTile];
  }

  /** Takes the columns found for some rows, {@code row} being the first. */
  interface Taker {
    void take(long row, int rows, long[] found);
  }

  /**
   * Finds the columns of rows and gives them away. Returns how many rows precede one that must be
   * refused.
   */
  long sample(Rows logits, long element, long rows, long columns, Taker taker) {
    for (long row = 0; row < rows; row += found.length) {
      int count = (int) Math.min(found.length, rows - row);
      int sampled = sampleTile(logits, row, count, element + row * columns, columns);
      taker.take(row, sampled, found);
      if (sampled < count) {
        return row + sampled;
      }
    }
    return rows;
  }

  /** Writes the hard samples of rows. Returns how many precede one that must be refused. */
  long sampleOneHot(Rows logits, long element, Rows out, long rows, long columns) {
    return sample(
        logits,
        element,
        rows,
        columns,
        (row, count, ones) -> {
          if (columns <= Tile.CAPACITY) {
            tile.oneHot(count, (int) columns, ones);
            tile.store(out, row, 0);
          } else if (count == 1) {
            writeOneHot(out.from(row), columns, ones[0]);
          }
        });
  }

  private int sampleTile(Rows logits, long row, int rows, long element, long columns) {
    if (columns > Tile.CAPACITY) {
      Best best = new Best();
      boolean valid = improve(best, logits.from(row), element, columns);
      found[0] = best.column;
      return valid && best.column >= 0 ? 1 : 0;
    }
    tile.load(logits, row, rows, 0, (int) columns);
    return columns <= SHORT ? sampleShort(element) : sampleByBounds(element);
  }

  private int sampleShort(long element) {
    int valid = tile.perturb(element);
    tile.tops(tops);
    for (int row = 0; row < valid; row++) {
      if (tops[row] == Double.NEGATIVE_INFINITY) {
        valid = row;
      }
    }
    tile.firstColumns(tops, valid, found);
    return valid;
  }

  private int sampleByBounds(long element) {
    int valid = tile.boundAbove(element);
    for (int row = 0; row < valid; row++) {
      Best best = new Best();
      tile.improve(best, row, 0);
      if (best.column < 0) {
        return row;
      }
      found[row] = best.column;
    }
    return valid;
  }

  /** Takes in a long row or a part of one; returns false where it must be refused. */
  boolean improve(Best best, Rows logits, long element, long columns) {
    for (long column = 0; column < columns; column += Tile.CAPACITY) {
      int count = (int) Math.min(Tile.CAPACITY, columns - column);
      tile.load(logits, 0, 1, column, count);
      if (tile.boundAbove(element + column) == 0) {
        return false;
      }
      tile.improve(best, 0, column);
    }
    return true;
  }

  /** Writes 1 at a column of a long row or of a part of one, -1 for none, and 0 elsewhere. */
  void writeOneHot(Rows out, long columns, long one) {
    long[] ones = new long[1];
    for (long column = 0; column < columns; column += Tile.CAPACITY) {
      int count = (int) Math.min(Tile.CAPACITY, columns - column);
      ones[0] = one - column;
      tile.oneHot(1, count, ones);
      tile.store(out, 0, column);
    }
  }
}
