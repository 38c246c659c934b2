package org.gumbel4j.kernel;

import java.util.Arrays;

/**
 * Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC
 * 2011) in the element orders of {@code native/NOISE.md}, section 1, for one seed and stream.
 *
 * <p>A round is one loop over many blocks that multiplies 32-bit numbers held in longs, which the
 * JIT compiler turns into vector code. An instance holds scratch memory and belongs to one thread.
 */
final class Philox {
  /** Blocks that share a group; block {@code 16 group + lane} holds lane {@code lane}. */
  static final int LANES = 16;

  private static final int ROUNDS = 10;
  // Multipliers and Weyl increments of the paper, table 2.
  private static final long MULTIPLIER_0 = 0xD2511F53L;
  private static final long MULTIPLIER_1 = 0xCD9E8D57L;
  private static final int WEYL_0 = 0x9E3779B9;
  private static final int WEYL_1 = 0xBB67AE85;
  private static final long LOW = 0xffffffffL;

  private final long seed;
  private final long stream;

  // Words 0 to 3 of each block, in the lower halves. What the upper halves hold counts for nothing.
  private final long[] c0;
  private final long[] c1;
  private final long[] c2;
  private final long[] c3;

  /** Makes up to {@code groups} groups at a time. */
  Philox(long seed, long stream, int groups) {
    this.seed = seed;
    this.stream = stream;
    c0 = new long[groups * LANES];
    c1 = new long[groups * LANES];
    c2 = new long[groups * LANES];
    c3 = new long[groups * LANES];
  }

  /** The stream that goes on where a uniform of this one needs more bits (section 2). */
  Philox tail() {
    return new Philox(seed, stream ^ Long.MIN_VALUE, 1);
  }

  /** The words of the float32 stream: 64 a group, from {@code out[0]} on. */
  void words(long group, int groups, int[] out) {
    blocks(group * LANES, groups * LANES);
    for (int block = 0, at = 0; block < groups * LANES; block += LANES, at += 4 * LANES) {
      for (int lane = 0; lane < LANES; lane++) {
        out[at + lane] = (int) c0[block + lane];
        out[at + LANES + lane] = (int) c1[block + lane];
        out[at + 2 * LANES + lane] = (int) c2[block + lane];
        out[at + 3 * LANES + lane] = (int) c3[block + lane];
      }
    }
  }

  /** The words of the float64 stream: 32 a group, from {@code out[0]} on. */
  void words(long group, int groups, long[] out) {
    blocks(group * LANES, groups * LANES);
    join(c0, c1, groups * LANES);
    join(c2, c3, groups * LANES);
    for (int block = 0, at = 0; block < groups * LANES; block += LANES, at += 2 * LANES) {
      System.arraycopy(c0, block, out, at, LANES);
      System.arraycopy(c2, block, out, at + LANES, LANES);
    }
  }

  /** Works out {@code count} blocks. */
  private void blocks(long first, int count) {
    for (int i = 0; i < count; i++) {
      c0[i] = first + i;
      c1[i] = (first + i) >>> 32;
    }
    Arrays.fill(c2, 0, count, stream);
    Arrays.fill(c3, 0, count, stream >>> 32);
    int k0 = (int) seed;
    int k1 = (int) (seed >>> 32);
    for (int round = 0; round < ROUNDS; round++) {
      round(k0, k1, c0, c1, c2, c3, count);
      k0 += WEYL_0;
      k1 += WEYL_1;
    }
  }

  private static void round(
      long k0, long k1, long[] c0, long[] c1, long[] c2, long[] c3, int count) {
    for (int i = 0; i < count; i++) {
      long p = MULTIPLIER_0 * (c0[i] & LOW);
      long q = MULTIPLIER_1 * (c2[i] & LOW);
      c0[i] = (q >>> 32) ^ c1[i] ^ k0;
      c1[i] = q;
      c2[i] = (p >>> 32) ^ c3[i] ^ k1;
      c3[i] = p;
    }
  }

  /** Puts the words of {@code high} above those of {@code low}, in place. */
  private static void join(long[] low, long[] high, int count) {
    for (int i = 0; i < count; i++) {
      low[i] = (low[i] & LOW) | (high[i] << 32);
    }
  }
}
