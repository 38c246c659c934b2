package org.gumbel4j.kernel;

import java.util.function.DoubleConsumer;

/** Soft samples of rows ({@code native/NOISE.md}, section 7). */
final class SoftRows {
  private final Tile tile;
  private final double[] tops;
  private final double[] sums;
  private final double[] taus;

  SoftRows(Tile tile, int rowsOfTile) {
    this.tile = tile;
    tops = new double[rowsOfTile];
    sums = new double[rowsOfTile];
    taus = new double[rowsOfTile];
  }

  /**
   * Samples rows, {@code argmax} those long ones whose temperature is 0. Returns how many precede
   * one that must be refused.
   */
  long sample(
      Rows logits,
      Temperatures tau,
      long element,
      Rows out,
      long rows,
      long columns,
      ArgmaxRows argmax) {
    if (columns > Tile.CAPACITY) {
      for (long row = 0; row < rows; row++) {
        long first = element + row * columns;
        Rows x = logits.from(row);
        Rows y = out.from(row);
        boolean sampled =
            tau.of(row) == 0
                ? argmax.sampleOneHot(x, first, y, 1, columns) == 1
                : sampleLong(x, tau.of(row), first, y, columns);
        if (!sampled) {
          return row;
        }
      }
      return rows;
    }
    for (long row = 0; row < rows; row += tops.length) {
      int count = (int) Math.min(tops.length, rows - row);
      tile.load(logits, row, count, 0, (int) columns);
      int valid = tile.perturb(element + row * columns);
      tile.tops(tops);
      valid = countSampled(valid);
      cool(tau, row, valid);
      tile.exp(tops);
      tile.sums(sums);
      invert(count);
      tile.scale(sums);
      tile.store(out, row, 0);
      if (valid < count) {
        return row + valid;
      }
    }
    return rows;
  }

  /** How many of some rows precede one whose classes are all masked. */
  private int countSampled(int rows) {
    for (int row = 0; row < rows; row++) {
      if (tops[row] == Double.NEGATIVE_INFINITY) {
        return row;
      }
    }
    return rows;
  }

  /** Sets the temperatures; a row without one keeps its largest value only, which then gets 1. */
  private void cool(Temperatures tau, long first, int rows) {
    if (!tau.each() && tau.all() > 0) {
      tile.temperature(tau.all());
      return;
    }
    for (int row = 0; row < rows; row++) {
      taus[row] = tau.of(first + row);
      if (taus[row] == 0) {
        tile.keepTop(row, tops[row]);
        taus[row] = 1;
      }
    }
    tile.temperatures(taus);
  }

  private void invert(int rows) {
    for (int row = 0; row < rows; row++) {
      sums[row] = tile.rounded(1 / sums[row]);
    }
  }

  private boolean sampleLong(Rows logits, double tau, long element, Rows out, long columns) {
    double top = perturb(logits, element, out, columns);
    if (!(top > Double.NEGATIVE_INFINITY)) {
      return false;
    }
    Total total = new Total(tile);
    exp(logits, tau, top, element, out, columns, total);
    scale(logits, tau, top, tile.rounded(1 / total.value()), element, out, columns);
    return true;
  }

  // The three passes over a long row or a part of one. In between, the output holds what the next
  // pass starts from, where its type can.

  /** The largest perturbed logit; NaN where the row must be refused. */
  double perturb(Rows logits, long element, Rows out, long columns) {
    double top = Double.NEGATIVE_INFINITY;
    for (long column = 0; column < columns; column += Tile.CAPACITY) {
      int count = (int) Math.min(Tile.CAPACITY, columns - column);
      tile.load(logits, 0, 1, column, count);
      if (tile.perturb(element + column) == 0) {
        return Double.NaN;
      }
      tile.tops(tops);
      top = Math.max(top, tops[0]);
      if (holdsBetween(out)) {
        tile.store(out, 0, column);
      }
    }
    return top;
  }

  /** Takes exponentials, and gives away the sum of each block. */
  void exp(
      Rows logits,
      double tau,
      double top,
      long element,
      Rows out,
      long columns,
      DoubleConsumer sumOfBlock) {
    tile.temperature(tau);
    tops[0] = top;
    for (long column = 0; column < columns; column += Tile.CAPACITY) {
      int count = (int) Math.min(Tile.CAPACITY, columns - column);
      if (holdsBetween(out)) {
        tile.load(out, 0, 1, column, count);
      } else {
        tile.load(logits, 0, 1, column, count);
        tile.perturb(element + column);
      }
      tile.exp(tops);
      tile.sums(sums);
      sumOfBlock.accept(sums[0]);
      if (holdsBetween(out)) {
        tile.store(out, 0, column);
      }
    }
  }

  /** Multiplies the exponentials by a factor. */
  void scale(
      Rows logits, double tau, double top, double factor, long element, Rows out, long columns) {
    tile.temperature(tau);
    tops[0] = top;
    sums[0] = factor;
    for (long column = 0; column < columns; column += Tile.CAPACITY) {
      int count = (int) Math.min(Tile.CAPACITY, columns - column);
      if (holdsBetween(out)) {
        tile.load(out, 0, 1, column, count);
      } else {
        tile.load(logits, 0, 1, column, count);
        tile.perturb(element + column);
        tile.exp(tops);
      }
      tile.scale(sums);
      tile.store(out, 0, column);
    }
  }

  private boolean holdsBetween(Rows out) {
    return out.type() == tile.type();
  }
}
