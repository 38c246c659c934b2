package org.gumbel4j.kernel;

/**
 * The float64 functions of {@code native/NOISE.md}, sections 2, 4, 5 and 7: first one number at a
 * time, as written there; then arrays, by the same operations in the same order, in stages that
 * become vector code (see {@link Bits}). An instance holds the scratch memory of these and belongs
 * to one thread.
 */
final class Float64Math {
  private static final double LN2 = 0x1.62e42fefa39efp-1;
  private static final long SQRT_HALF_BITS = 0x3fe6a09e667f3bcdL;
  private static final long MANTISSA = 0xfffffffffffffL;
  private static final long ONE_BITS = 0x3ff0000000000000L;
  private static final long INFINITY_BITS = 0x7ff0000000000000L;
  private static final long MINUS_INFINITY_BITS = 0xfff0000000000000L;
  private static final long EXPONENT_STEP = 1L << 52;
  private static final long SIGN = Long.MIN_VALUE;
  private static final long LOW = 0xffffffffL;

  /** Words up to here, whose upper half is 0x4afb0ccc, need no exponent for log1p(-U). */
  private static final long DIRECT_WORDS = 0x4afb0cccffffffffL;

  // Integers below 2^52 become doubles as the low bits of 2^52 + n: vector units before AVX-512
  // cannot convert longs.
  private static final double INTEGER = 0x1p52;
  private static final long INTEGER_BITS = 0x4330000000000000L;

  /** Added to exponents so that they are positive. */
  private static final long EXPONENT_BIAS = 2048;

  private static final double EXP_MIN = -0x1.6231eb851eb85p+9;
  private static final long EXP_MIN_BITS = Double.doubleToRawLongBits(EXP_MIN);
  private static final double EXP_SHIFT = 0x1.8p52;

  // Chebyshev coefficients, made by native/tools/polynomials.py.
  private static final double D0 = 0x1.2b5a8aca255fdp-3;
  private static final double D1 = 0x1.39fe31c77715cp-3;
  private static final double D2 = 0x1.7462b61242bb4p-3;
  private static final double D3 = 0x1.c71c62e0922bcp-3;
  private static final double D4 = 0x1.2492492df5266p-2;
  private static final double D5 = 0x1.99999999952bfp-2;
  private static final double D6 = 0x1.5555555555558p-1;
  private static final double B0 = 0x1.af38a9b0ec855p-26;
  private static final double B1 = 0x1.289185613a3d6p-22;
  private static final double B2 = 0x1.71de0dae63bb3p-19;
  private static final double B3 = 0x1.a019b90d2ae7ap-16;
  private static final double B4 = 0x1.a01a01a7c41d5p-13;
  private static final double B5 = 0x1.6c16c1788bd90p-10;
  private static final double B6 = 0x1.11111111109b3p-7;
  private static final double B7 = 0x1.5555555553d63p-5;
  private static final double B8 = 0x1.5555555555556p-3;
  private static final double B9 = 0x1.0000000000001p-1;

  private final double[] values;
  private final double[] offsets;
  private final double[] exponents;
  private final long[] bits;
  private final long[] masks;
  private final long[] exponentBits;

  /** For arrays of up to {@code capacity} elements. */
  Float64Math(int capacity) {
    values = new double[capacity];
    offsets = new double[capacity];
    exponents = new double[capacity];
    bits = new long[capacity];
    masks = new long[capacity];
    exponentBits = new long[capacity];
  }

  // ---------- one number ----------

  /** (t + 1/2) 2^-64 of an unsigned integer, rounded once. */
  static double uniform(long t) {
    return (double) (t >>> 32) * 0x1p-32 + ((double) (t & LOW) + 0.5) * 0x1p-64;
  }

  /** The Gumbel value of a word. */
  static double gumbel(long word) {
    double logOfComplement;
    if (word < 0) {
      logOfComplement = log(uniform(~word));
    } else if (word > DIRECT_WORDS) {
      logOfComplement = Math.fma(-1.0, LN2, log1p(2.0 * uniform(word ^ Long.MAX_VALUE)));
    } else {
      logOfComplement = log1p(-uniform(word));
    }
    return -log(-logOfComplement);
  }

  /** Natural logarithm of a positive normal number; of any other, what the steps give. */
  static double log(double x) {
    long n = Double.doubleToRawLongBits(x) - SQRT_HALF_BITS;
    double f = Double.longBitsToDouble((n & MANTISSA) + SQRT_HALF_BITS) - 1.0;
    return Math.fma((double) (n >> 52), LN2, log1p(f));
  }

  /** log(1 + f) for sqrt(1/2) - 1 <= f <= sqrt(2) - 1, as 2 atanh(f / (2 + f)). */
  private static double log1p(double f) {
    double s = f / (2.0 + f);
    double t = s * s;
    double u = t * t;
    double a = Math.fma(Math.fma(Math.fma(D0, u, D2), u, D4), u, D6);
    double b = Math.fma(Math.fma(D1, u, D3), u, D5);
    return Math.fma(-s, Math.fma(-t, Math.fma(b, t, a), f), f);
  }

  /** Zero for what is no normal number, one NaN for all: see section 7. */
  static double clean(double a) {
    return Double.isNaN(a) ? Double.NaN : Math.abs(a) < Double.MIN_NORMAL ? 0.0 : a;
  }

  /** How far a perturbed logit may lie above its ceiling: see {@code native/src/float64.h}. */
  static double ceilingSlack(double s) {
    return 0x1p-48 * (Math.abs(s) + 128.0);
  }

  // ---------- arrays ----------

  /** The Gumbel values of words. */
  void gumbel(long[] words, double[] out, int count) {
    Loops.run(
        count,
        n -> complement(words, bits, masks, n),
        n -> Bits.copy(bits, values, n),
        n -> Bits.copy(masks, offsets, n),
        n -> uniforms(values, offsets, values, n),
        n -> Bits.copy(values, bits, n),
        n -> splitComplement(words, bits, exponentBits, masks, n),
        n -> Bits.copy(bits, values, n),
        n -> Bits.copy(masks, offsets, n),
        n -> Bits.copy(exponentBits, exponents, n),
        n -> logOfParts(exponents, values, offsets, values, n),
        n -> Bits.copy(values, bits, n),
        n -> split(SIGN, bits, exponentBits, n),
        n -> Bits.copy(bits, values, n),
        n -> Bits.copy(exponentBits, exponents, n),
        n -> negativeLogOfParts(exponents, values, out, n));
  }

  /** Words to the halves, as bits of doubles, of what their midpoints are taken of. */
  private static void complement(long[] words, long[] high, long[] low, int count) {
    for (int i = 0; i < count; i++) {
      long upper = words[i] >> 63;
      long middle = ((DIRECT_WORDS - words[i]) >> 63) & ~upper;
      long t = words[i] ^ (upper | (middle & Long.MAX_VALUE));
      high[i] = (t >>> 32) | INTEGER_BITS;
      low[i] = (t & LOW) | INTEGER_BITS;
    }
  }

  private static void uniforms(double[] high, double[] low, double[] out, int count) {
    for (int i = 0; i < count; i++) {
      out[i] = (high[i] - INTEGER) * 0x1p-32 + (low[i] - (INTEGER - 0.5)) * 0x1p-64;
    }
  }

  /**
   * Bits of midpoints to exponents, and to the bits of what the fraction is the difference of:
   * mantissa - 1 for words in the upper half, 2 m - 0 in the middle and -m - 0 below.
   */
  private static void splitComplement(
      long[] words, long[] bits, long[] exponents, long[] ones, int count) {
    for (int i = 0; i < count; i++) {
      long upper = words[i] >> 63;
      long middle = ((DIRECT_WORDS - words[i]) >> 63) & ~upper;
      long n = bits[i] - SQRT_HALF_BITS;
      long exponent = (n + (EXPONENT_BIAS << 52)) >>> 52;
      exponents[i] = INTEGER_BITS | (exponent & upper) | ((EXPONENT_BIAS + middle) & ~upper);
      long mantissa = (n & MANTISSA) + SQRT_HALF_BITS;
      long near = (bits[i] + (EXPONENT_STEP & middle)) ^ (SIGN & ~middle);
      bits[i] = (mantissa & upper) | (near & ~upper);
      ones[i] = ONE_BITS & upper;
    }
  }

  /** Natural logarithms, as {@link #log(double)}; not in place. */
  void log(double[] x, double[] out, int count) {
    Loops.run(
        count,
        n -> Bits.copy(x, bits, n),
        n -> split(0, bits, exponentBits, n),
        n -> Bits.copy(bits, values, n),
        n -> Bits.copy(exponentBits, exponents, n),
        n -> logOfParts(exponents, values, out, n));
  }

  /**
   * Bits of numbers, their signs flipped where {@code flip} says so, to exponents and mantissas.
   */
  private static void split(long flip, long[] bits, long[] exponents, int count) {
    for (int i = 0; i < count; i++) {
      long n = (bits[i] ^ flip) - SQRT_HALF_BITS;
      exponents[i] = ((n + (EXPONENT_BIAS << 52)) >>> 52) | INTEGER_BITS;
      bits[i] = (n & MANTISSA) + SQRT_HALF_BITS;
    }
  }

  private static void logOfParts(double[] exponents, double[] mantissas, double[] out, int count) {
    for (int i = 0; i < count; i++) {
      double exponent = exponents[i] - (INTEGER + EXPONENT_BIAS);
      out[i] = Math.fma(exponent, LN2, log1p(mantissas[i] - 1.0));
    }
  }

  private static void negativeLogOfParts(
      double[] exponents, double[] mantissas, double[] out, int count) {
    for (int i = 0; i < count; i++) {
      double exponent = exponents[i] - (INTEGER + EXPONENT_BIAS);
      out[i] = -Math.fma(exponent, LN2, log1p(mantissas[i] - 1.0));
    }
  }

  private static void logOfParts(
      double[] exponents, double[] mantissas, double[] offsets, double[] out, int count) {
    for (int i = 0; i < count; i++) {
      double exponent = exponents[i] - (INTEGER + EXPONENT_BIAS);
      out[i] = Math.fma(exponent, LN2, log1p(mantissas[i] - offsets[i]));
    }
  }

  /**
   * exp(x) for x <= 0, minus infinity included, in place; +0 where the result would not be a normal
   * number.
   */
  void exp(double[] x, int count) {
    Loops.run(
        count,
        n -> Bits.copy(x, masks, n),
        n -> expParts(x, offsets, values, n),
        n -> Bits.copy(values, bits, n),
        n -> Bits.copy(offsets, exponentBits, n),
        n -> expOfParts(masks, exponentBits, bits, n),
        n -> Bits.copy(bits, x, n));
  }

  /** x to x / ln2, rounded to an integer in the low bits, and the exponential of what is left. */
  private static void expParts(double[] x, double[] shifted, double[] mantissas, int count) {
    for (int i = 0; i < count; i++) {
      double t = Math.fma(x[i], 0x1.71547652b82fep0, EXP_SHIFT);
      double n = t - EXP_SHIFT;
      double r = Math.fma(n, -0x1.a39ef35793c76p-33, Math.fma(n, -0x1.62e42fee00000p-1, x[i]));
      double q = r * r;
      double b = Math.fma(Math.fma(Math.fma(Math.fma(B0, q, B2), q, B4), q, B6), q, B8);
      double a = Math.fma(Math.fma(Math.fma(Math.fma(B1, q, B3), q, B5), q, B7), q, B9);
      shifted[i] = t;
      mantissas[i] = Math.fma(q, Math.fma(b, r, a), r) + 1.0;
    }
  }

  private static void expOfParts(long[] x, long[] shifted, long[] mantissas, int count) {
    for (int i = 0; i < count; i++) {
      // Negative doubles grow as integers when they fall, so x < EXP_MIN reads the other way round.
      long below = ((EXP_MIN_BITS - x[i]) & x[i]) >> 63;
      mantissas[i] = (mantissas[i] + (shifted[i] << 52)) & ~below;
    }
  }

  /**
   * Upper bounds of x plus noise, up to {@link #ceilingSlack}, without a logarithm; {@code
   * native/src/float64.h} has the proof. NaN and +infinity stay what they are.
   */
  void ceilings(double[] x, long[] words, double[] out, int count) {
    Loops.run(
        count,
        n -> upperHalves(words, bits, n),
        n -> Bits.copy(bits, values, n),
        n -> lessInteger(values, n),
        n -> Bits.copy(values, masks, n),
        n -> upperHalves(masks, bits, n),
        n -> Bits.copy(bits, values, n),
        n -> chords(x, values, out, n));
  }

  /** The upper halves of some bits, as bits of doubles. */
  private static void upperHalves(long[] from, long[] to, int count) {
    for (int i = 0; i < count; i++) {
      to[i] = (from[i] >>> 32) | INTEGER_BITS;
    }
  }

  private static void lessInteger(double[] x, int count) {
    for (int i = 0; i < count; i++) {
      x[i] -= INTEGER;
    }
  }

  private static void chords(double[] x, double[] bits, double[] out, int count) {
    for (int i = 0; i < count; i++) {
      double chord = bits[i] - INTEGER;
      out[i] = Math.fma(chord, -0x1.62e42fefa39efp-21, x[i] + 0x1.6da2986324d30p9);
    }
  }

  /** Whether no bits are those of a NaN or +infinity. */
  static boolean areValid(long[] bits, int count) {
    long refused = 0;
    for (int i = 0; i < count; i++) {
      // Without the sign bit, they are no less than +infinity; with it, a NaN lies above minus
      // infinity.
      refused |=
          ((INFINITY_BITS - 1 - bits[i]) & ~bits[i]) | ((MINUS_INFINITY_BITS - bits[i]) & bits[i]);
    }
    return refused >= 0;
  }

  /** The largest of some numbers given by their bits; none is NaN. */
  static double max(long[] bits, int from, int to) {
    long max = Long.MIN_VALUE;
    for (int i = from; i < to; i++) {
      max = Math.max(max, bits[i] ^ ((bits[i] >> 63) & Long.MAX_VALUE)); // in the doubles' order
    }
    return Double.longBitsToDouble(max ^ ((max >> 63) & Long.MAX_VALUE));
  }

  /** Products, not negative, in place; +0 where they are below the smallest normal number. */
  void scale(double[] x, double[] factors, int count) {
    Loops.run(
        count,
        n -> multiply(x, factors, n),
        n -> Bits.copy(x, bits, n),
        n -> flush(bits, n),
        n -> Bits.copy(bits, x, n));
  }

  private static void multiply(double[] x, double[] factors, int count) {
    for (int i = 0; i < count; i++) {
      x[i] *= factors[i];
    }
  }

  private static void flush(long[] bits, int count) {
    for (int i = 0; i < count; i++) {
      // The smallest normal number has exponent 1.
      bits[i] &= ~(((bits[i] & Long.MAX_VALUE) - EXPONENT_STEP) >> 63);
    }
  }

  /** Numbers below the smallest normal one to +0, in place; returns whether none is NaN. */
  boolean flush(double[] x, int count) {
    Loops.run(count, n -> Bits.copy(x, bits, n), n -> flush(bits, n), n -> Bits.copy(bits, x, n));
    return !anyNan(bits, count);
  }

  private static boolean anyNan(long[] bits, int count) {
    long negative = 0;
    for (int i = 0; i < count; i++) {
      negative |= INFINITY_BITS - (bits[i] & Long.MAX_VALUE);
    }
    return negative < 0;
  }
}
