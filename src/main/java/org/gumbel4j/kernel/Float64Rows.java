package org.gumbel4j.kernel;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** The operators of {@code native/NOISE.md}, section 7, on rows of float64. */
final class Float64Rows implements RowOperators {
  /** Elements that share a group of 64 words, two words each. */
  private static final int GROUP = 32;

  private final Philox philox;
  private final long end;
  private final int[] words = new int[2 * (BLOCK + GROUP)];
  private final double[] noise = new double[BLOCK + GROUP];
  private final double[] values = new double[BLOCK];
  private final double[] others = new double[BLOCK];
  private final double[] lanes = new double[LANES];

  // The elements whose noise is at hand: whole groups, so that short rows share what one refill
  // makes.
  private long noiseFirst;
  private long noiseNext;

  /** For rows whose elements lie below {@code end}. */
  Float64Rows(long seed, long stream, long end) {
    philox = new Philox(seed, stream);
    this.end = end;
  }

  @Override
  public void uniform(long element, long classes, MemorySegment out, long outAt) {
    for (long block = 0; block < classes; block += BLOCK) {
      int count = (int) Math.min(BLOCK, classes - block);
      int offset = fillWords(element + block, count);
      for (int i = 0; i < count; i++) {
        out.setAtIndex(
            JAVA_DOUBLE, outAt + block + i, Float64Math.uniform(word(words, offset + i)));
      }
    }
  }

  @Override
  public void gumbel(long element, long classes, MemorySegment out, long outAt) {
    for (long block = 0; block < classes; block += BLOCK) {
      int count = (int) Math.min(BLOCK, classes - block);
      store(noise, noiseAt(element + block, count), out, outAt + block, count);
    }
  }

  @Override
  public boolean soft(
      MemorySegment logits,
      long logitsAt,
      double tau,
      long element,
      long classes,
      MemorySegment out,
      long outAt) {
    double top = Double.NEGATIVE_INFINITY;
    for (long block = 0; block < classes; block += BLOCK) {
      int count = (int) Math.min(BLOCK, classes - block);
      if (!perturb(logits, logitsAt + block, element + block, count)) {
        return false;
      }
      top = Math.max(top, max(count));
      store(values, 0, out, outAt + block, count);
    }
    if (top == Double.NEGATIVE_INFINITY) {
      return false;
    }
    double sum = 0.0;
    for (long block = 0; block < classes; block += BLOCK) {
      int count = (int) Math.min(BLOCK, classes - block);
      load(out, outAt + block, values, count);
      for (int i = 0; i < count; i++) {
        values[i] = Float64Math.exp((values[i] - top) / tau);
      }
      Arrays.fill(lanes, 0.0);
      for (int i = 0; i < count; i++) {
        lanes[i & (LANES - 1)] += values[i];
      }
      sum += fold();
      store(values, 0, out, outAt + block, count);
    }
    double scale = 1.0 / sum;
    for (long block = 0; block < classes; block += BLOCK) {
      int count = (int) Math.min(BLOCK, classes - block);
      load(out, outAt + block, values, count);
      for (int i = 0; i < count; i++) {
        double y = values[i] * scale;
        values[i] = y < Double.MIN_NORMAL ? 0.0 : y;
      }
      store(values, 0, out, outAt + block, count);
    }
    return true;
  }

  @Override
  public long argmax(MemorySegment logits, long logitsAt, long element, long classes) {
    double top = Double.NEGATIVE_INFINITY;
    long best = -1;
    for (long block = 0; block < classes; block += BLOCK) {
      int count = (int) Math.min(BLOCK, classes - block);
      if (!perturb(logits, logitsAt + block, element + block, count)) {
        return -1;
      }
      for (int i = 0; i < count; i++) {
        if (values[i] > top) {
          top = values[i];
          best = block + i;
        }
      }
    }
    return best;
  }

  @Override
  public void oneHot(long one, long classes, MemorySegment out, long outAt) {
    out.asSlice(outAt * Double.BYTES, classes * Double.BYTES).fill((byte) 0);
    out.setAtIndex(JAVA_DOUBLE, outAt + one, 1.0);
  }

  @Override
  public void vjp(
      MemorySegment sample,
      long sampleAt,
      MemorySegment upstream,
      long upstreamAt,
      double tau,
      long classes,
      MemorySegment dlogits,
      long dlogitsAt,
      MemorySegment dtau,
      long dtauAt) {
    double dot = 0.0;
    for (long block = 0; block < classes; block += BLOCK) {
      int count = (int) Math.min(BLOCK, classes - block);
      load(sample, sampleAt + block, values, count);
      load(upstream, upstreamAt + block, others, count);
      Arrays.fill(lanes, 0.0);
      for (int i = 0; i < count; i++) {
        if (values[i] != 0.0) {
          int lane = i & (LANES - 1);
          lanes[lane] = Math.fma(values[i], others[i], lanes[lane]);
        }
      }
      dot += fold();
    }
    boolean wantsTau = dtau.address() != 0;
    double sum = 0.0;
    for (long block = 0; block < classes; block += BLOCK) {
      int count = (int) Math.min(BLOCK, classes - block);
      load(sample, sampleAt + block, values, count);
      load(upstream, upstreamAt + block, others, count);
      Arrays.fill(lanes, 0.0);
      for (int i = 0; i < count; i++) {
        double y = values[i];
        double gradient = 0.0;
        if (y != 0.0) {
          gradient = Float64Math.clean(y * (others[i] - dot) / tau);
          if (wantsTau) {
            int lane = i & (LANES - 1);
            lanes[lane] = Math.fma(gradient, Float64Math.log(y), lanes[lane]);
          }
        }
        others[i] = gradient;
      }
      sum += fold();
      store(others, 0, dlogits, dlogitsAt + block, count);
    }
    if (wantsTau) {
      dtau.setAtIndex(JAVA_DOUBLE, dtauAt, Float64Math.clean(-sum));
    }
  }

  /** Writes logits plus noise to {@link #values}; false where a logit is NaN or +inf. */
  private boolean perturb(MemorySegment logits, long logitsAt, long element, int count) {
    int offset = noiseAt(element, count);
    load(logits, logitsAt, values, count);
    boolean valid = true;
    for (int i = 0; i < count; i++) {
      valid &= values[i] < Double.POSITIVE_INFINITY;
      values[i] += noise[offset + i];
    }
    return valid;
  }

  private double max(int count) {
    double max = Double.NEGATIVE_INFINITY;
    for (int i = 0; i < count; i++) {
      max = Math.max(max, values[i]);
    }
    return max;
  }

  /**
   * The place in {@link #noise} of {@code element}, with at least {@code count} elements from there
   * on.
   */
  private int noiseAt(long element, int count) {
    if (element < noiseFirst || element + count > noiseNext) {
      noiseFirst = element & -GROUP;
      noiseNext = Math.min(noiseFirst + BLOCK, end + GROUP - 1 & -GROUP);
      if (element + count > noiseNext) {
        noiseNext += GROUP; // a block that does not start with a group needs one more
      }
      fillNoise(noiseFirst, (int) (noiseNext - noiseFirst));
    }
    return (int) (element - noiseFirst);
  }

  private void fillNoise(long element, int count) {
    fillWords(element, count);
    for (int i = 0; i < count; i++) {
      noise[i] = Float64Math.gumbel(word(words, i));
    }
  }

  /**
   * Fills {@link #words} with the groups that hold these elements and returns the place of the
   * first element.
   */
  private int fillWords(long element, int count) {
    int offset = (int) (element & (GROUP - 1));
    long group = element >>> 5;
    for (int at = 0; at < offset + count; at += GROUP) {
      philox.group(group++, words, 2 * at);
    }
    return offset;
  }

  /**
   * The 64-bit word of an element: its low half in word 0 or 2 of its block, its high half in the
   * word after.
   */
  static long word(int[] words, int element) {
    int place = element & (GROUP - 1);
    int at = 2 * (element - place) + 2 * (place & -LANES) + (place & (LANES - 1));
    return Integer.toUnsignedLong(words[at]) | (long) words[at + LANES] << 32;
  }

  private double fold() {
    for (int half = LANES / 2; half > 0; half /= 2) {
      for (int lane = 0; lane < half; lane++) {
        lanes[lane] += lanes[lane + half];
      }
    }
    return lanes[0];
  }

  private static void load(MemorySegment from, long at, double[] to, int count) {
    MemorySegment.copy(from, JAVA_DOUBLE, at * Double.BYTES, to, 0, count);
  }

  private static void store(double[] from, int offset, MemorySegment to, long at, int count) {
    MemorySegment.copy(from, offset, to, JAVA_DOUBLE, at * Double.BYTES, count);
  }
}
