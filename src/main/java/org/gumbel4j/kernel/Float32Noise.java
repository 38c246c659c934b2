package org.gumbel4j.kernel;

/**
 * The float32 noise of one draw: words, uniforms and Gumbel values of elements that follow each
 * other. An instance holds scratch memory and belongs to one thread.
 */
final class Float32Noise {
  /** Elements that share a group of 64 words, one word each. */
  private static final int GROUP = 64;

  private final Philox philox;
  private final Philox tail;
  private final Float32Math math;
  private final int[] words;
  private final int[] tailWords = new int[GROUP];

  /** For up to {@code capacity} elements at a time. */
  Float32Noise(Draw draw, int capacity, Float32Math math) {
    int groups = (capacity + 2 * GROUP - 2) / GROUP; // elements may start anywhere in a group
    philox = new Philox(draw.seed(), draw.stream(), groups);
    tail = philox.tail();
    words = new int[groups * GROUP];
    this.math = math;
  }

  /** The words of {@code element} and those after it, from place 0 on, until the next call. */
  int[] words(long element, int count) {
    int offset = (int) (element % GROUP);
    philox.words(element / GROUP, (offset + count + GROUP - 1) / GROUP, words);
    if (offset > 0) {
      System.arraycopy(words, offset, words, 0, count);
    }
    return words;
  }

  /** The uniform of an element with the given word. */
  double uniform(long element, int word) {
    return Float32Math.uniform(word, tailWord(element, word));
  }

  /** The Gumbel value of an element with the given word. */
  float gumbel(long element, int word) {
    return Float32Math.gumbel(word, tailWord(element, word));
  }

  /** Writes the Gumbel values of {@code element} and those after it. */
  void gumbel(long element, float[] out, int count) {
    words(element, count);
    math.gumbel(words, out, count);
    if (Float32Math.anyNeedsTail(words, count)) {
      for (int i = 0; i < count; i++) {
        if (Float32Math.needsTail(words[i])) {
          out[i] = gumbel(element + i, words[i]);
        }
      }
    }
  }

  /** The word of the tail stream where it is needed, else 0. */
  private int tailWord(long element, int word) {
    if (!Float32Math.needsTail(word)) {
      return 0;
    }
    tail.words(element / GROUP, 1, tailWords);
    return tailWords[(int) (element % GROUP)];
  }
}
