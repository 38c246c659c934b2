package org.gumbel4j.kernel;

/**
 * The float64 functions of {@code native/NOISE.md}, sections 2, 4, 5 and 7: every operation in the
 * order written there.
 */
final class Float64Math {
  private static final double LN2 = 0x1.62e42fefa39efp-1;
  private static final long SQRT_HALF_BITS = 0x3fe6a09e667f3bcdL;
  private static final long MANTISSA = 0xfffffffffffffL;
  private static final long LOW = 0xffffffffL;

  /** The integer part of (1 - sqrt(1/2)) 2^32, held against the upper half of a word. */
  private static final long DIRECT_WORDS = 0x4afb0cccL;

  private static final double EXP_MIN = -0x1.6231eb851eb85p+9;

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

  private Float64Math() {}

  /** (t + 1/2) 2^-64 of an unsigned integer, rounded once. */
  static double uniform(long t) {
    return (double) (t >>> 32) * 0x1p-32 + ((double) (t & LOW) + 0.5) * 0x1p-64;
  }

  /** The Gumbel value of a word. */
  static double gumbel(long word) {
    boolean upper = word < 0;
    boolean middle = word >> 32 > DIRECT_WORDS;
    long t = word ^ (upper ? -1L : middle ? Long.MAX_VALUE : 0L);
    double m = uniform(t);
    double logOfComplement =
        upper ? log(m) : middle ? Math.fma(-1.0, LN2, log1p(2.0 * m)) : log1p(-m);
    return -log(-logOfComplement);
  }

  /** Natural logarithm of a positive normal number. */
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

  /**
   * exp(x) for x <= 0, minus infinity included; +0 where the result would not be a normal number.
   */
  static double exp(double x) {
    double t = Math.fma(x, 0x1.71547652b82fep0, 0x1.8p52);
    double n = t - 0x1.8p52;
    double r = Math.fma(n, -0x1.a39ef35793c76p-33, Math.fma(n, -0x1.62e42fee00000p-1, x));
    double q = r * r;
    double b = Math.fma(Math.fma(Math.fma(Math.fma(B0, q, B2), q, B4), q, B6), q, B8);
    double a = Math.fma(Math.fma(Math.fma(Math.fma(B1, q, B3), q, B5), q, B7), q, B9);
    double y = Math.fma(q, Math.fma(b, r, a), r) + 1.0;
    return x < EXP_MIN
        ? 0.0
        : Double.longBitsToDouble(
            Double.doubleToRawLongBits(y) + (Double.doubleToRawLongBits(t) << 52));
  }

  /** Zero for what is no normal number, one NaN for all: see section 7. */
  static double clean(double a) {
    return Double.isNaN(a) ? Double.NaN : Math.abs(a) < Double.MIN_NORMAL ? 0.0 : a;
  }
}
