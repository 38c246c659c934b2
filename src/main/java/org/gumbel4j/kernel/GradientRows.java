package org.gumbel4j.kernel;

import java.util.function.DoubleConsumer;

/** The backward of soft samples of rows ({@code native/NOISE.md}, section 7). */
final class GradientRows {
  private static final DoubleConsumer NOWHERE = sum -> {};

  private final Tile tile;
  private final double[] dots;
  private final double[] slopes;
  private final double[] taus;

  GradientRows(Tile tile, int rowsOfTile) {
    this.tile = tile;
    dots = new double[rowsOfTile];
    slopes = new double[rowsOfTile];
    taus = new double[rowsOfTile];
  }

  /** Writes the gradients of rows; that of their temperatures unless it is left out. */
  void write(
      Rows sample,
      Rows upstream,
      Temperatures tau,
      Rows dlogits,
      Rows dtau,
      long rows,
      long columns) {
    if (columns > Tile.CAPACITY) {
      for (long row = 0; row < rows; row++) {
        Rows y = sample.from(row);
        Rows v = upstream.from(row);
        writeLong(y, v, tau.of(row), dlogits.from(row), dtau.from(row), columns);
      }
      return;
    }
    for (long row = 0; row < rows; row += dots.length) {
      int count = (int) Math.min(dots.length, rows - row);
      tile.load(sample, row, count, 0, (int) columns);
      tile.loadUpstream(upstream, row, 0);
      tile.dots(dots);
      setTemperatures(tau, row, count);
      tile.gradient(dots);
      tile.storeGradient(dlogits, row, 0);
      if (!dtau.isNone()) {
        tile.slopes(slopes);
        for (int i = 0; i < count; i++) {
          dtau.set(row + i, tile.clean(-slopes[i]));
        }
      }
    }
  }

  private void setTemperatures(Temperatures tau, long first, int rows) {
    if (!tau.each()) {
      tile.temperature(tau.all());
      return;
    }
    for (int row = 0; row < rows; row++) {
      taus[row] = tau.of(first + row);
    }
    tile.temperatures(taus);
  }

  private void writeLong(
      Rows sample, Rows upstream, double tau, Rows dlogits, Rows dtau, long columns) {
    Total dot = new Total(tile);
    dot(sample, upstream, columns, dot);
    if (dtau.isNone()) {
      gradient(sample, upstream, tau, dot.value(), dlogits, columns);
    } else {
      Total slope = new Total(tile);
      gradient(sample, upstream, tau, dot.value(), dlogits, columns, slope);
      dtau.set(0, tile.clean(-slope.value()));
    }
  }

  // The two passes over a long row or a part of one.

  /** Gives away the sum of products of sample and upstream gradient of each block. */
  void dot(Rows sample, Rows upstream, long columns, DoubleConsumer sumOfBlock) {
    for (long column = 0; column < columns; column += Tile.CAPACITY) {
      int count = (int) Math.min(Tile.CAPACITY, columns - column);
      tile.load(sample, 0, 1, column, count);
      tile.loadUpstream(upstream, 0, column);
      tile.dots(dots);
      sumOfBlock.accept(dots[0]);
    }
  }

  /** Writes the gradient of the logits. */
  void gradient(Rows sample, Rows upstream, double tau, double dot, Rows dlogits, long columns) {
    gradient(sample, upstream, tau, dot, dlogits, columns, NOWHERE);
  }

  /**
   * Writes the gradient of the logits, and gives away the sum of products of it and the logarithm
   * of the sample of each block.
   */
  void gradient(
      Rows sample,
      Rows upstream,
      double tau,
      double dot,
      Rows dlogits,
      long columns,
      DoubleConsumer sumOfBlock) {
    tile.temperature(tau);
    dots[0] = dot;
    for (long column = 0; column < columns; column += Tile.CAPACITY) {
      int count = (int) Math.min(Tile.CAPACITY, columns - column);
      tile.load(sample, 0, 1, column, count);
      tile.loadUpstream(upstream, 0, column);
      tile.gradient(dots);
      tile.storeGradient(dlogits, 0, column);
      if (sumOfBlock != NOWHERE) {
        tile.slopes(slopes);
        sumOfBlock.accept(slopes[0]);
      }
    }
  }
}
