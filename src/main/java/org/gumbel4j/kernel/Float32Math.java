package org.gumbel4j.kernel;

/**
 * The float32 functions of {@code native/NOISE.md}, sections 2, 3, 5 and 7: first one number at a
 * time, as written there; then arrays, by the same operations in the same order, in stages that
 * become vector code (see {@link Bits}). An instance holds the scratch memory of these and belongs
 * to one thread.
 */
final class Float32Math {
  private static final float LN2 = 0x1.62e43p-1f;
  private static final int SQRT_HALF_BITS = 0x3f3504f3;
  private static final int MANTISSA = 0x7fffff;
  private static final int ONE_BITS = 0x3f800000;
  private static final int INFINITY_BITS = 0x7f800000;
  private static final int MINUS_INFINITY_BITS = 0xff800000;
  private static final int EXPONENT_STEP = 1 << 23;
  private static final int SIGN = Integer.MIN_VALUE;

  /** The integer part of (1 - sqrt(1/2)) 2^32: up to here log1p(-U) needs no exponent. */
  private static final int DIRECT_WORDS = 0x4afb0ccc;

  /** Words below this one take 32 more bits. */
  private static final int TAIL_WORDS = 256;

  private static final float EXP_MIN = -0x1.5d5894p+6f;
  private static final int EXP_MIN_BITS = Float.floatToRawIntBits(EXP_MIN);
  private static final float EXP_SHIFT = 0x1.8p23f;

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

  /** For arrays of up to {@code capacity} elements. */
  Float32Math(int capacity) {
    values = new float[capacity];
    offsets = new float[capacity];
    bits = new int[capacity];
    masks = new int[capacity];
    exponents = new int[capacity];
  }

  // ---------- one number ----------

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

  /** The Gumbel value of a word. {@code tailWord} counts where {@link #needsTail} says so. */
  static float gumbel(int word, int tailWord) {
    float logOfComplement;
    if (needsTail(word)) {
      logOfComplement = -(float) uniform(word, tailWord);
    } else if (word < 0) {
      logOfComplement = log(midpoint(~word));
    } else if (word > DIRECT_WORDS) {
      logOfComplement = Math.fma(-1f, LN2, log1p(2f * midpoint(word ^ Integer.MAX_VALUE)));
    } else {
      logOfComplement = log1p(-midpoint(word));
    }
    return -log(-logOfComplement);
  }

  /** m(t) of NOISE.md, for t below 2^31. */
  private static float midpoint(int t) {
    return Math.fma((float) t, 0x1p-32f, 0x1p-33f);
  }

  /** Natural logarithm of a positive normal number; of any other, what the steps give. */
  static float log(float x) {
    int n = Float.floatToRawIntBits(x) - SQRT_HALF_BITS;
    float f = Float.intBitsToFloat((n & MANTISSA) + SQRT_HALF_BITS) - 1f;
    return Math.fma((float) (n >> 23), LN2, log1p(f));
  }

  /** log(1 + f) for sqrt(1/2) - 1 <= f <= sqrt(2) - 1. */
  private static float log1p(float f) {
    float f2 = f * f;
    float even = Math.fma(Math.fma(Math.fma(Math.fma(C0, f2, C2), f2, C4), f2, C6), f2, C8);
    float odd = Math.fma(Math.fma(Math.fma(C1, f2, C3), f2, C5), f2, C7);
    return Math.fma(f2, Math.fma(odd, f, even), f);
  }

  /** Zero for what is no normal number, one NaN for all: see section 7. */
  static float clean(float a) {
    return Float.isNaN(a) ? Float.NaN : Math.abs(a) < Float.MIN_NORMAL ? 0f : a;
  }

  /** How far a perturbed logit may lie above its ceiling: see {@code native/src/float32.h}. */
  static float ceilingSlack(float s) {
    return 0x1p-20f * (Math.abs(s) + 128f);
  }

  // ---------- arrays ----------

  /** Whether {@link #needsTail} holds for any of the words. */
  static boolean anyNeedsTail(int[] words, int count) {
    int negative = 0;
    for (int i = 0; i < count; i++) {
      negative |= (words[i] >>> 8) - 1;
    }
    return negative < 0;
  }

  /** The Gumbel values of words that need no tail. */
  void gumbel(int[] words, float[] out, int count) {
    Loops.run(
        count,
        n -> complement(words, bits, n),
        n -> midpoints(bits, values, n),
        n -> Bits.copy(values, bits, n),
        n -> splitComplement(words, bits, exponents, masks, n),
        n -> Bits.copy(bits, values, n),
        n -> Bits.copy(masks, offsets, n),
        n -> logOfParts(exponents, values, offsets, values, n),
        n -> Bits.copy(values, bits, n),
        n -> split(SIGN, bits, exponents, n),
        n -> Bits.copy(bits, values, n),
        n -> negativeLogOfParts(exponents, values, out, n));
  }

  /** Words to what their midpoints are taken of: see {@link #gumbel(int, int)}. */
  private static void complement(int[] words, int[] out, int count) {
    for (int i = 0; i < count; i++) {
      int upper = words[i] >> 31;
      int middle = ((DIRECT_WORDS - words[i]) >> 31) & ~upper;
      out[i] = words[i] ^ (upper | (middle & Integer.MAX_VALUE));
    }
  }

  private static void midpoints(int[] t, float[] out, int count) {
    for (int i = 0; i < count; i++) {
      out[i] = midpoint(t[i]);
    }
  }

  /**
   * Bits of midpoints to exponents, and to the bits of what the fraction is the difference of:
   * mantissa - 1 for words in the upper half, 2 m - 0 in the middle and -m - 0 below.
   */
  private static void splitComplement(
      int[] words, int[] bits, int[] exponents, int[] ones, int count) {
    for (int i = 0; i < count; i++) {
      int upper = words[i] >> 31;
      int middle = ((DIRECT_WORDS - words[i]) >> 31) & ~upper;
      int n = bits[i] - SQRT_HALF_BITS;
      exponents[i] = ((n >> 23) & upper) | middle;
      int mantissa = (n & MANTISSA) + SQRT_HALF_BITS;
      int near = (bits[i] + (EXPONENT_STEP & middle)) ^ (SIGN & ~middle);
      bits[i] = (mantissa & upper) | (near & ~upper);
      ones[i] = ONE_BITS & upper;
    }
  }

  /** Natural logarithms, as {@link #log(float)}; not in place. */
  void log(float[] x, float[] out, int count) {
    Loops.run(
        count,
        n -> Bits.copy(x, bits, n),
        n -> split(0, bits, exponents, n),
        n -> Bits.copy(bits, values, n),
        n -> logOfParts(exponents, values, out, n));
  }

  /**
   * Bits of numbers, their signs flipped where {@code flip} says so, to exponents and mantissas.
   */
  private static void split(int flip, int[] bits, int[] exponents, int count) {
    for (int i = 0; i < count; i++) {
      int n = (bits[i] ^ flip) - SQRT_HALF_BITS;
      exponents[i] = n >> 23;
      bits[i] = (n & MANTISSA) + SQRT_HALF_BITS;
    }
  }

  private static void logOfParts(int[] exponents, float[] mantissas, float[] out, int count) {
    for (int i = 0; i < count; i++) {
      out[i] = Math.fma((float) exponents[i], LN2, log1p(mantissas[i] - 1f));
    }
  }

  private static void negativeLogOfParts(
      int[] exponents, float[] mantissas, float[] out, int count) {
    for (int i = 0; i < count; i++) {
      out[i] = -Math.fma((float) exponents[i], LN2, log1p(mantissas[i] - 1f));
    }
  }

  private static void logOfParts(
      int[] exponents, float[] mantissas, float[] offsets, float[] out, int count) {
    for (int i = 0; i < count; i++) {
      out[i] = Math.fma((float) exponents[i], LN2, log1p(mantissas[i] - offsets[i]));
    }
  }

  /**
   * exp(x) for x <= 0, minus infinity included, in place; +0 where the result would not be a normal
   * number.
   */
  void exp(float[] x, int count) {
    Loops.run(
        count,
        n -> Bits.copy(x, masks, n),
        n -> expParts(x, offsets, values, n),
        n -> Bits.copy(values, bits, n),
        n -> Bits.copy(offsets, exponents, n),
        n -> expOfParts(masks, exponents, bits, n),
        n -> Bits.copy(bits, x, n));
  }

  /** x to x / ln2, rounded to an integer in the low bits, and the exponential of what is left. */
  private static void expParts(float[] x, float[] shifted, float[] mantissas, int count) {
    for (int i = 0; i < count; i++) {
      float t = Math.fma(x[i], 0x1.715476p0f, EXP_SHIFT);
      float n = t - EXP_SHIFT;
      float r = Math.fma(n, -0x1.7f7d1cp-20f, Math.fma(n, -0x1.62e4p-1f, x[i]));
      float q = r * r;
      float a = Math.fma(Math.fma(A0, q, A2), q, A4);
      float b = Math.fma(A1, q, A3);
      shifted[i] = t;
      mantissas[i] = Math.fma(q, Math.fma(b, r, a), r) + 1f;
    }
  }

  private static void expOfParts(int[] x, int[] shifted, int[] mantissas, int count) {
    for (int i = 0; i < count; i++) {
      // Negative floats grow as integers when they fall, so x < EXP_MIN reads the other way round.
      int below = ((EXP_MIN_BITS - x[i]) & x[i]) >> 31;
      mantissas[i] = (mantissas[i] + (shifted[i] << 23)) & ~below;
    }
  }

  /**
   * Upper bounds of x plus noise, up to {@link #ceilingSlack}, without a logarithm; {@code
   * native/src/float32.h} has the proof. NaN and +infinity stay what they are.
   */
  void ceilings(float[] x, int[] words, float[] out, int count) {
    Loops.run(
        count,
        n -> halves(words, values, n),
        n -> Bits.copy(values, bits, n),
        n -> chords(x, bits, out, n));
  }

  private static void halves(int[] words, float[] out, int count) {
    for (int i = 0; i < count; i++) {
      out[i] = (float) (words[i] >>> 1);
    }
  }

  private static void chords(float[] x, int[] bits, float[] out, int count) {
    for (int i = 0; i < count; i++) {
      out[i] = Math.fma((float) bits[i], -0x1.62e43p-24f, x[i] + 0x1.b611acp6f);
    }
  }

  /** Whether no bits are those of a NaN or +infinity. */
  static boolean areValid(int[] bits, int count) {
    int refused = 0;
    for (int i = 0; i < count; i++) {
      // Without the sign bit, they are no less than +infinity; with it, a NaN lies above minus
      // infinity.
      refused |=
          ((INFINITY_BITS - 1 - bits[i]) & ~bits[i]) | ((MINUS_INFINITY_BITS - bits[i]) & bits[i]);
    }
    return refused >= 0;
  }

  /** The largest of some numbers given by their bits; none is NaN. */
  static float max(int[] bits, int from, int to) {
    int max = Integer.MIN_VALUE;
    for (int i = from; i < to; i++) {
      max = Math.max(max, bits[i] ^ ((bits[i] >> 31) & Integer.MAX_VALUE)); // in the floats' order
    }
    return Float.intBitsToFloat(max ^ ((max >> 31) & Integer.MAX_VALUE));
  }

  /** Products, not negative, in place; +0 where they are below the smallest normal number. */
  void scale(float[] x, float[] factors, int count) {
    Loops.run(
        count,
        n -> multiply(x, factors, n),
        n -> Bits.copy(x, bits, n),
        n -> flush(bits, n),
        n -> Bits.copy(bits, x, n));
  }

  private static void multiply(float[] x, float[] factors, int count) {
    for (int i = 0; i < count; i++) {
      x[i] *= factors[i];
    }
  }

  private static void flush(int[] bits, int count) {
    for (int i = 0; i < count; i++) {
      // The smallest normal number has exponent 1.
      bits[i] &= ~(((bits[i] & Integer.MAX_VALUE) - EXPONENT_STEP) >> 31);
    }
  }

  /** Numbers below the smallest normal one to +0, in place; returns whether none is NaN. */
  boolean flush(float[] x, int count) {
    Loops.run(count, n -> Bits.copy(x, bits, n), n -> flush(bits, n), n -> Bits.copy(bits, x, n));
    return !anyNan(bits, count);
  }

  private static boolean anyNan(int[] bits, int count) {
    int negative = 0;
    for (int i = 0; i < count; i++) {
      negative |= INFINITY_BITS - (bits[i] & Integer.MAX_VALUE);
    }
    return negative < 0;
  }
}
