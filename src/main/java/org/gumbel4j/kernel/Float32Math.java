package org.gumbel4j.kernel;

/**
 * The float32 functions of {@code native/NOISE.md}, sections 2, 3, 5 and 7: every operation in the
 * order written there.
 */
final class Float32Math {
  private static final float LN2 = 0x1.62e43p-1f;
  private static final int SQRT_HALF_BITS = 0x3f3504f3;
  private static final int MANTISSA = 0x7fffff;

  /** The integer part of (1 - sqrt(1/2)) 2^32: up to here log1p(-U) needs no exponent. */
  private static final int DIRECT_WORDS = 0x4afb0ccc;

  /** Words below this one take 32 more bits. */
  private static final int TAIL_WORDS = 256;

  private static final float EXP_MIN = -0x1.5d5894p+6f;

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

  private Float32Math() {}

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

  /**
   * The Gumbel value of a word that needs no tail. Selections are made on integers so that no
   * branch depends on the noise.
   */
  static float gumbel(int word) {
    boolean upper = word < 0;
    boolean middle = word > DIRECT_WORDS;
    int t = word ^ (upper ? -1 : middle ? Integer.MAX_VALUE : 0);
    float m = Math.fma((float) t, 0x1p-32f, 0x1p-33f);
    float reduced = m * Float.intBitsToFloat(middle ? 0x40000000 : 0xbf800000); // 2 m or -m
    int n = Float.floatToRawIntBits(m) - SQRT_HALF_BITS;
    float fraction = Float.intBitsToFloat((n & MANTISSA) + SQRT_HALF_BITS) - 1f;
    float f = Float.intBitsToFloat(Float.floatToRawIntBits(upper ? fraction : reduced));
    int exponent = upper ? n >> 23 : middle ? -1 : 0;
    return gumbelOfLog(Math.fma((float) exponent, LN2, log1p(f)));
  }

  /** The Gumbel value of a word that needs the tail. */
  static float gumbel(int word, int tailWord) {
    return gumbelOfLog(-(float) uniform(word, tailWord));
  }

  private static float gumbelOfLog(float logOfComplement) {
    return -log(-logOfComplement);
  }

  /** Natural logarithm of a positive normal number. */
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

  /**
   * exp(x) for x <= 0, minus infinity included; +0 where the result would not be a normal number.
   */
  static float exp(float x) {
    float t = Math.fma(x, 0x1.715476p0f, 0x1.8p23f);
    float n = t - 0x1.8p23f;
    float r = Math.fma(n, -0x1.7f7d1cp-20f, Math.fma(n, -0x1.62e4p-1f, x));
    float q = r * r;
    float a = Math.fma(Math.fma(A0, q, A2), q, A4);
    float b = Math.fma(A1, q, A3);
    float y = Math.fma(q, Math.fma(b, r, a), r) + 1f;
    return x < EXP_MIN
        ? 0f
        : Float.intBitsToFloat(Float.floatToRawIntBits(y) + (Float.floatToRawIntBits(t) << 23));
  }

  /** Zero for what is no normal number, one NaN for all: see section 7. */
  static float clean(float a) {
    return Float.isNaN(a) ? Float.NaN : Math.abs(a) < Float.MIN_NORMAL ? 0f : a;
  }
}
