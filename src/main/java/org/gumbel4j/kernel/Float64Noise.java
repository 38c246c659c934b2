package org.gumbel4j.kernel;

/**
 * The float64 noise of one draw: words and Gumbel values of elements that follow each other. An
 * instance holds scratch memory and belongs to one thread.
 */
final class Float64Noise {
  /** Elements that share a group of 64 words, two words each. */
  private static final int GROUP = 32;

  private final Philox philox;
  private final Float64Math math;
  private final long[] words;

  /** For up to {@code capacity} elements at a time. */
  Float64Noise(Draw draw, int capacity, Float64Math math) {
    int groups = (capacity + 2 * GROUP - 2) / GROUP; // elements may start anywhere in a group
    philox = new Philox(draw.seed(), draw.stream(), groups);
    words = new long[groups * GROUP];
    this.math = math;
  }

  /** The words of {@code element} and those after it, from place 0 on, until the next call. */
  long[] words(long element, int count) {
    int offset = (int) (element % GROUP);
    philox.words(element / GROUP, (offset + count + GROUP - 1) / GROUP, words);
    if (offset > 0) {
      System.arraycopy(words, offset, words, 0, count);
    }
    return words;
  }

  /** Writes the Gumbel values of {@code element} and those after it. */
  void gumbel(long element, double[] out, int count) {
    words(element, count);
    math.gumbel(words, out, count);
  }
}
