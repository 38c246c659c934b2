package org.gumbel4j;

import org.gumbel4j.kernel.Draw;

/**
 * Names one draw of noise. Every noise value is a pure function of {@code (seed, stream, element
 * index)}, so equal keys give equal noise on every machine, backend and thread count; the stream is
 * defined in {@code native/NOISE.md}.
 *
 * <p>An immutable value, safe for use from any thread.
 *
 * @param seed any 64 bits
 * @param stream the number of the draw, from 0; draws that must be independent take different
 *     numbers
 * @param firstRow the row of the whole logical array that row 0 of the matrix at hand stands for:
 *     0, unless a large array is processed in parts
 */
public record Noise(long seed, long stream, long firstRow) {
  /**
   * Checks the key.
   *
   * @throws IllegalArgumentException if {@code stream} or {@code firstRow} is negative
   */
  public Noise {
    Check.notNegative("stream", stream, "draws are numbered from 0");
    Check.notNegative("firstRow", firstRow, "rows are numbered from 0");
  }

  /**
   * The first draw of a seed: stream 0, from row 0 on.
   *
   * @param seed any 64 bits
   * @return the key
   */
  public static Noise of(long seed) {
    return new Noise(seed, 0, 0);
  }

  /** The noise of the elements from a row and column on, as kernels take it. */
  Draw from(long row, long classes, long column) {
    return new Draw(seed, stream, (firstRow + row) * classes + column);
  }
}
