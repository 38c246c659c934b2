package org.gumbel4j.kernel;

/**
 * Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC
 * 2011) in the element order of {@code native/NOISE.md}, section 1, for one seed and stream.
 */
final class Philox {
  /** Blocks that share a group; block {@code 16 group + lane} holds lane {@code lane}. */
  static final int LANES = 16;

  /** Words of a group: word {@code w} of lane {@code l} stands at {@code 16 w + l}. */
  static final int GROUP_WORDS = 4 * LANES;

  private static final int ROUNDS = 10;
  // Multipliers and Weyl increments of the paper, table 2.
  private static final long MULTIPLIER_0 = 0xD2511F53L;
  private static final long MULTIPLIER_1 = 0xCD9E8D57L;
  private static final int WEYL_0 = 0x9E3779B9;
  private static final int WEYL_1 = 0xBB67AE85;
  private static final long LOW = 0xffffffffL;

  private final long seed;
  private final long stream;

  Philox(long seed, long stream) {
    this.seed = seed;
    this.stream = stream;
  }

  /**
   * The stream that continues the words of this one where a uniform needs more bits (section 2).
   */
  Philox tail() {
    return new Philox(seed, stream ^ Long.MIN_VALUE);
  }

  /** Writes the 64 words of {@code group} to {@code words} from {@code at} on. */
  void group(long group, int[] words, int at) {
    for (int lane = 0; lane < LANES; lane++) {
      block(LANES * group + lane, words, at + lane);
    }
  }

  /**
   * Writes the words of one block to {@code words[at]}, {@code [at + 16]}, {@code [at + 32]} and
   * {@code [at + 48]}.
   */
  void block(long block, int[] words, int at) {
    long c0 = block & LOW;
    long c1 = block >>> 32;
    long c2 = stream & LOW;
    long c3 = stream >>> 32;
    int k0 = (int) seed;
    int k1 = (int) (seed >>> 32);
    for (int round = 0; round < ROUNDS; round++) {
      long p = MULTIPLIER_0 * c0;
      long q = MULTIPLIER_1 * c2;
      c0 = (q >>> 32) ^ c1 ^ (k0 & LOW);
      c1 = q & LOW;
      c2 = (p >>> 32) ^ c3 ^ (k1 & LOW);
      c3 = p & LOW;
      k0 += WEYL_0;
      k1 += WEYL_1;
    }
    words[at] = (int) c0;
    words[at + LANES] = (int) c1;
    words[at + 2 * LANES] = (int) c2;
    words[at + 3 * LANES] = (int) c3;
  }
}
