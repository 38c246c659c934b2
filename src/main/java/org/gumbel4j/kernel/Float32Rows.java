package org.gumbel4j.kernel;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** The operators of {@code native/NOISE.md}, section 7, on rows of float32. */
final class Float32Rows implements RowOperators {
  /** Elements that share a group of 64 words, one word each. */
  private static final int GROUP = 64;

  private final Philox philox;
  private final Philox tail;
  private final long end;
  private final int[] words = new int[BLOCK + GROUP];
  private final int[] tailWords = new int[Philox.GROUP_WORDS];
  private final float[] noise = new float[BLOCK + GROUP];
  private final float[] values = new float[BLOCK];
  private final float[] others = new float[BLOCK];
  private final float[] logs = new float[BLOCK];
  private final float[] lanes = new float[LANES];
  private final Float32Math math = new Float32Math(BLOCK + GROUP);

  // The elements whose noise is at hand: whole groups, so that short rows share what one refill
  // makes.
  private long noiseFirst;
  private long noiseNext;

  /** For rows whose elements lie below {@code end}. */
  Float32Rows(long seed, long stream, long end) {
    philox = new Philox(seed, stream);
    this.end = end;
    tail = philox.tail();
  }

  @Override
  public void uniform(long element, long classes, MemorySegment out, long outAt) {
    for (long block = 0; block < classes; block += BLOCK) {
      int count = (int) Math.min(BLOCK, classes - block);
      int offset = fillWords(element + block, count);
      for (int i = 0; i < count; i++) {
        int word = words[offset + i];
        int tailWord = Float32Math.needsTail(word) ? tailWord(element + block + i) : 0;
        out.setAtIndex(JAVA_DOUBLE, outAt + block + i, Float32Math.uniform(word, tailWord));
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
    float top = Float.NEGATIVE_INFINITY;
    for (long block = 0; block < classes; block += BLOCK) {
      int count = (int) Math.min(BLOCK, classes - block);
      if (!perturb(logits, logitsAt + block, element + block, count)) {
        return false;
      }
      top = Math.max(top, math.max(values, count));
      store(values, 0, out, outAt + block, count);
    }
    if (top == Float.NEGATIVE_INFINITY) {
      return false;
    }
    float sum = 0f;
    for (long block = 0; block < classes; block += BLOCK) {
      int count = (int) Math.min(BLOCK, classes - block);
      load(out, outAt + block, values, count);
      for (int i = 0; i < count; i++) {
        values[i] = (values[i] - top) / (float) tau;
      }
      math.exp(values, count);
      Arrays.fill(lanes, 0f);
      for (int i = 0; i < count; i++) {
        lanes[i & (LANES - 1)] += values[i];
      }
      sum += fold();
      store(values, 0, out, outAt + block, count);
    }
    float scale = 1f / sum;
    for (long block = 0; block < classes; block += BLOCK) {
      int count = (int) Math.min(BLOCK, classes - block);
      load(out, outAt + block, values, count);
      math.scale(values, scale, count);
      store(values, 0, out, outAt + block, count);
    }
    return true;
  }

  @Override
  public long argmax(MemorySegment logits, long logitsAt, long element, long classes) {
    float top = Float.NEGATIVE_INFINITY;
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
    out.asSlice(outAt * Float.BYTES, classes * Float.BYTES).fill((byte) 0);
    out.setAtIndex(JAVA_FLOAT, outAt + one, 1f);
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
    float dot = 0f;
    for (long block = 0; block < classes; block += BLOCK) {
      int count = (int) Math.min(BLOCK, classes - block);
      load(sample, sampleAt + block, values, count);
      load(upstream, upstreamAt + block, others, count);
      Arrays.fill(lanes, 0f);
      for (int i = 0; i < count; i++) {
        if (values[i] != 0f) {
          int lane = i & (LANES - 1);
          lanes[lane] = Math.fma(values[i], others[i], lanes[lane]);
        }
      }
      dot += fold();
    }
    boolean wantsTau = dtau.address() != 0;
    float sum = 0f;
    for (long block = 0; block < classes; block += BLOCK) {
      int count = (int) Math.min(BLOCK, classes - block);
      load(sample, sampleAt + block, values, count);
      load(upstream, upstreamAt + block, others, count);
      if (wantsTau) {
        math.log(values, logs, count);
      }
      Arrays.fill(lanes, 0f);
      for (int i = 0; i < count; i++) {
        float y = values[i];
        float gradient = 0f;
        if (y != 0f) {
          gradient = Float32Math.clean(y * (others[i] - dot) / (float) tau);
          if (wantsTau) {
            int lane = i & (LANES - 1);
            lanes[lane] = Math.fma(gradient, logs[i], lanes[lane]);
          }
        }
        others[i] = gradient;
      }
      sum += fold();
      store(others, 0, dlogits, dlogitsAt + block, count);
    }
    if (wantsTau) {
      dtau.setAtIndex(JAVA_FLOAT, dtauAt, Float32Math.clean(-sum));
    }
  }

  /** Writes logits plus noise to {@link #values}; false where a logit is NaN or +inf. */
  private boolean perturb(MemorySegment logits, long logitsAt, long element, int count) {
    int offset = noiseAt(element, count);
    load(logits, logitsAt, values, count);
    boolean valid = math.areValid(values, count);
    for (int i = 0; i < count; i++) {
      values[i] += noise[offset + i];
    }
    return valid;
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
    math.gumbel(words, noise, count);
    for (int i = 0; i < count; i++) {
      if (Float32Math.needsTail(words[i])) {
        noise[i] = math.gumbel(words[i], tailWord(element + i));
      }
    }
  }

  /**
   * Fills {@link #words} with the groups that hold these elements and returns the place of the
   * first element.
   */
  private int fillWords(long element, int count) {
    int offset = (int) (element & (GROUP - 1));
    long group = element >>> 6;
    for (int at = 0; at < offset + count; at += GROUP) {
      philox.group(group++, words, at);
    }
    return offset;
  }

  private int tailWord(long element) {
    tail.group(element >>> 6, tailWords, 0);
    return tailWords[(int) (element & (GROUP - 1))];
  }

  private float fold() {
    for (int half = LANES / 2; half > 0; half /= 2) {
      for (int lane = 0; lane < half; lane++) {
        lanes[lane] += lanes[lane + half];
      }
    }
    return lanes[0];
  }

  private static void load(MemorySegment from, long at, float[] to, int count) {
    MemorySegment.copy(from, JAVA_FLOAT, at * Float.BYTES, to, 0, count);
  }

  private static void store(float[] from, int offset, MemorySegment to, long at, int count) {
    MemorySegment.copy(from, offset, to, JAVA_FLOAT, at * Float.BYTES, count);
  }
}
