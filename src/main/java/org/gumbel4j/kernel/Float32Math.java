package org.gumbel4j.kernel;

import java.lang.foreign.MemorySegment;

/**
 * The float32 functions of {@code native/NOISE.md}, sections 2, 3, 5 and 7, on chunks of an array:
 * every operation in the order written there.
 *
 * <p>Each function is a chain of short loops, one on integers, the next on floats, with the bits
 * copied over in between: the JIT compiler turns such loops into vector code, but not loops that
 * reinterpret bits or branch. Selections are made on integers, by masks of all ones or all zeros.
 * An instance holds scratch memory and belongs to one thread.
 */
final class Float32Math {
  private static final float LN2 = 0x1.62e43p-1f;
  private static final int SQRT_HALF_BITS = 0x3f3504f3;
  private static final int MANTISSA = 0x7fffff;
  private static final int ONE_BITS = 0x3f800000;
  private static final int EXPONENT_STEP = 1 << 23;
  private static final int SIGN = Integer.MIN_VALUE;

  /** The integer part of (1 - sqrt(1/2)) 2^32: up to here log1p(-U) needs no exponent. */
  private static final int DIRECT_WORDS = 0x4afb0ccc;

  /**
   * Shorter chunks gain nothing from stages: they go through the same steps one element at a time.
   */
  private static final int SHORT = 64;

  /** Words below this one take 32 more bits. */
  private static final int TAIL_WORDS = 256;

  private static final float EXP_MIN = -0x1.5d5894p+6f;
  private static final int EXP_MIN_BITS = Float.floatToRawIntBits(EXP_MIN);

  // Minimax coefficients, made by native/tools/polynomials.py.
  private static final float C0 = -0x1.39235ep-4f;
  private static final float C1 = 0x1.08a428p-3f;
  private static final float C2 = -0x1.0f35fep-3f;
  private static final float C3 = 0x1.226424p-3f;
  private static final float C4 = -0x1.5425ecp-3f;
  private static final float C5 = 0x1.99a48cp-3f;
  private static final float C6 = -0x1.000430p-2f;
  private static final float C7 = 0x1.555550p-2f;
  private static final float C8 = -0x1.fffff8p-2f;
  private static final float A0 = 0x1.6a2436p-10f;
  private static final float A1 = 0x1.1239e2p-7f;
  private static final float A2 = 0x1.5558f2p-5f;
  private static final float A3 = 0x1.555492p-3f;
  private static final float A4 = 0x1.fffffcp-2f;

  private final float[] values;
  private final float[] offsets;
  private final int[] bits;
  private final int[] masks;
  private final int[] exponents;

  /** For chunks of up to {@code capacity} elements. */
  Float32Math(int capacity) {
    values = new float[capacity];
    offsets = new float[capacity];
    bits = new int[capacity];
    masks = new int[capacity];
    exponents = new int[capacity];
  }

  /** Whether the uniform of {@code word} takes 32 more bits from the tail stream. */
  static boolean needsTail(int word) {
    return Integer.compareUnsigned(word, TAIL_WORDS) < 0;
  }

  /** The uniform of a word, exact. {@code tailWord} counts where {@link #needsTail} says so. */
  static double uniform(int word, int tailWord) {
    long v = Integer.toUnsignedLong(word);
    return needsTail(word)
        ? ((double) (v << 32 | Integer.toUnsignedLong(tailWord)) + 0.5) * 0x1p-64
        : ((double) v + 0.5) * 0x1p-32;
  }

  /** The Gumbel values of words that need no tail. */
  void gumbel(int[] words, float[] out, int count) {
    logOfComplement(words, count);
    log(values, out, count, SIGN);
    for (int i = 0; i < count; i++) {
      out[i] = -out[i];
    }
  }

  /** The Gumbel value of a word that needs the tail. */
  float gumbel(int word, int tailWord) {
    values[0] = (float) uniform(word, tailWord);
    log(values, offsets, 1, 0);
    return -offsets[0];
  }

  /** L = log(1 - U) of words that need no tail, to {@link #values}. */
  private void logOfComplement(int[] words, int count) {
    for (int i = 0; i < count; i++) {
      int upper = words[i] >> 31;
      int middle = ((DIRECT_WORDS - words[i]) >> 31) & ~upper;
      bits[i] = words[i] ^ (upper | (middle & Integer.MAX_VALUE));
    }
    for (int i = 0; i < count; i++) {
      values[i] = Math.fma((float) bits[i], 0x1p-32f, 0x1p-33f);
    }
    copyBits(values, bits, count);
    for (int i = 0; i < count; i++) {
      int upper = words[i] >> 31;
      int middle = ((DIRECT_WORDS - words[i]) >> 31) & ~upper;
      int n = bits[i] - SQRT_HALF_BITS;
      exponents[i] = ((n >> 23) & upper) | middle;
      // The fraction is value - 1 in the upper half, 2 m in the middle and -m below, here as value
      // - offset.
      int mantissa = (n & MANTISSA) + SQRT_HALF_BITS;
      int near = (bits[i] + (EXPONENT_STEP & middle)) ^ (SIGN & ~middle);
      bits[i] = (mantissa & upper) | (near & ~upper);
      masks[i] = ONE_BITS & upper;
    }
    copyBits(bits, values, count);
    copyBits(masks, offsets, count);
    logOfParts(values, count);
  }

  /**
   * Natural logarithms of positive normal numbers (of any others, what the steps give), not in
   * place.
   */
  void log(float[] x, float[] out, int count) {
    if (count >= SHORT) {
      log(x, out, count, 0);
      return;
    }
    for (int i = 0; i < count; i++) {
      int n = Float.floatToRawIntBits(x[i]) - SQRT_HALF_BITS;
      float f = Float.intBitsToFloat((n & MANTISSA) + SQRT_HALF_BITS) - 1f;
      out[i] = Math.fma((float) (n >> 23), LN2, log1p(f));
    }
  }

  /** log of {@code x}, or of {@code -x} where {@code flip} is the sign bit. */
  private void log(float[] x, float[] out, int count, int flip) {
    copyBits(x, bits, count);
    for (int i = 0; i < count; i++) {
      int n = (bits[i] ^ flip) - SQRT_HALF_BITS;
      exponents[i] = n >> 23;
      bits[i] = (n & MANTISSA) + SQRT_HALF_BITS;
    }
    copyBits(bits, values, count);
    for (int i = 0; i < count; i++) {
      offsets[i] = 1f;
    }
    logOfParts(out, count);
  }

  /**
   * exponent ln2 + log(1 + f), with f = {@link #values} - {@link #offsets} from sqrt(1/2) - 1 to
   * sqrt(2) - 1.
   */
  private void logOfParts(float[] out, int count) {
    for (int i = 0; i < count; i++) {
      out[i] = Math.fma((float) exponents[i], LN2, log1p(values[i] - offsets[i]));
    }
  }

  /** log(1 + f) for sqrt(1/2) - 1 <= f <= sqrt(2) - 1. */
  private static float log1p(float f) {
    float f2 = f * f;
    float even = Math.fma(Math.fma(Math.fma(Math.fma(C0, f2, C2), f2, C4), f2, C6), f2, C8);
    float odd = Math.fma(Math.fma(Math.fma(C1, f2, C3), f2, C5), f2, C7);
    return Math.fma(f2, Math.fma(odd, f, even), f);
  }

  /**
   * exp(x) for x <= 0, minus infinity included, in place; +0 where the result would not be a normal
   * number.
   */
  void exp(float[] x, int count) {
    if (count < SHORT) {
      for (int i = 0; i < count; i++) {
        float t = shifted(x[i]);
        int scaled =
            Float.floatToRawIntBits(mantissaOfExp(x[i], t)) + (Float.floatToRawIntBits(t) << 23);
        x[i] = x[i] < EXP_MIN ? 0f : Float.intBitsToFloat(scaled);
      }
      return;
    }
    copyBits(x, masks, count);
    for (int i = 0; i < count; i++) {
      float t = shifted(x[i]);
      offsets[i] = t;
      values[i] = mantissaOfExp(x[i], t);
    }
    copyBits(values, bits, count);
    copyBits(offsets, exponents, count);
    for (int i = 0; i < count; i++) {
      // Negative floats grow as integers when they fall, so x < EXP_MIN reads the other way round.
      int below = ((EXP_MIN_BITS - masks[i]) & masks[i]) >> 31;
      bits[i] = (bits[i] + (exponents[i] << 23)) & ~below;
    }
    copyBits(bits, x, count);
  }

  /** x / ln2, rounded to an integer that stands in the low bits. */
  private static float shifted(float x) {
    return Math.fma(x, 0x1.715476p0f, 0x1.8p23f);
  }

  private static float mantissaOfExp(float x, float shifted) {
    float n = shifted - 0x1.8p23f;
    float r = Math.fma(n, -0x1.7f7d1cp-20f, Math.fma(n, -0x1.62e4p-1f, x));
    float q = r * r;
    float a = Math.fma(Math.fma(A0, q, A2), q, A4);
    float b = Math.fma(A1, q, A3);
    return Math.fma(q, Math.fma(b, r, a), r) + 1f;
  }

  /** Whether no value is NaN or +infinity. */
  boolean areValid(float[] x, int count) {
    if (count < SHORT) {
      boolean valid = true;
      for (int i = 0; i < count; i++) {
        valid &= x[i] < Float.POSITIVE_INFINITY;
      }
      return valid;
    }
    copyBits(x, bits, count);
    int refused = 0;
    for (int i = 0; i < count; i++) {
      // +infinity and NaN, whose sign bit is clear; NaN with the sign bit set lies above minus
      // infinity as an integer.
      refused |= ((0x7f7fffff - bits[i]) & ~bits[i]) | ((0xff800000 - bits[i]) & bits[i]);
    }
    return refused >= 0;
  }

  /** The largest value; none is NaN. */
  float max(float[] x, int count) {
    if (count < SHORT) {
      float max = Float.NEGATIVE_INFINITY;
      for (int i = 0; i < count; i++) {
        max = x[i] > max ? x[i] : max;
      }
      return max;
    }
    copyBits(x, bits, count);
    int max = Integer.MIN_VALUE;
    for (int i = 0; i < count; i++) {
      max = Math.max(max, ordered(bits[i]));
    }
    return Float.intBitsToFloat(ordered(max));
  }

  /** Turns the bits of floats into integers of the same order, and back. */
  private static int ordered(int bits) {
    return bits ^ ((bits >> 31) & Integer.MAX_VALUE);
  }

  /**
   * Multiplies by a factor, in place; products are not negative, and +0 where they are below the
   * smallest normal number.
   */
  void scale(float[] x, float factor, int count) {
    if (count < SHORT) {
      for (int i = 0; i < count; i++) {
        float product = x[i] * factor;
        x[i] = product < Float.MIN_NORMAL ? 0f : product;
      }
      return;
    }
    for (int i = 0; i < count; i++) {
      values[i] = x[i] * factor;
    }
    copyBits(values, bits, count);
    for (int i = 0; i < count; i++) {
      bits[i] &= ~((bits[i] - EXPONENT_STEP) >> 31); // the smallest normal number has exponent 1
    }
    copyBits(bits, x, count);
  }

  /** Zero for what is no normal number, one NaN for all: see section 7. */
  static float clean(float a) {
    return Float.isNaN(a) ? Float.NaN : Math.abs(a) < Float.MIN_NORMAL ? 0f : a;
  }

  private static void copyBits(float[] from, int[] to, int count) {
    MemorySegment.copy(
        MemorySegment.ofArray(from), 0, MemorySegment.ofArray(to), 0, (long) count * Float.BYTES);
  }

  private static void copyBits(int[] from, float[] to, int count) {
    MemorySegment.copy(
        MemorySegment.ofArray(from), 0, MemorySegment.ofArray(to), 0, (long) count * Float.BYTES);
  }
}
