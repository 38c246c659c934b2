package org.gumbel4j.kernel;

import java.util.function.DoubleConsumer;

/** A sum of the sums of blocks, in order and in the compute type (NOISE.md, section 6). */
final class Total implements DoubleConsumer {
  private final Tile tile;
  private double value;

  Total(Tile tile) {
    this.tile = tile;
  }

  @Override
  public void accept(double sumOfBlock) {
    value = tile.rounded(value + sumOfBlock);
  }

  double value() {
    return value;
  }
}
