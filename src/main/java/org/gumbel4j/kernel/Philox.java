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

  // Of each block, the two products of the last round and those of the one before. The lower
  // halves of these are words of the state.
  private final long[] p;
  private final long[] q;
  private final long[] pBefore;
  private final long[] qBefore;

  /**
   * Both multipliers again and again. The JIT compiler has an instruction for products of 32-bit
   * numbers, but takes it only where it sees in the loop that both factors are such.
   */
  private final long[] multipliers;

  /** Makes up to {@code groups} groups at a time. */
  Philox(long seed, long stream, int groups) {
    this.seed = seed;
    this.stream = stream;
    p = new long[groups * LANES];
    q = new long[groups * LANES];
    pBefore = new long[groups * LANES];
    qBefore = new long[groups * LANES];
    multipliers = new long[groups * LANES];
    Arrays.fill(multipliers, MULTIPLIER_0 | MULTIPLIER_1 << 32);
  }

  /** The stream that goes on where a uniform of this one needs more bits (section 2). */
  Philox tail() {
    return new Philox(seed, stream ^ Long.MIN_VALUE, 1);
  }

  /** The words of the float32 stream: 64 a group, from {@code out[0]} on. */
  void words(long group, int groups, int[] out) {
    blocks(group * LANES, groups * LANES);
    Loops.run(groups, n -> scatter(qBefore, q, pBefore, p, out, n));
  }

  private static void scatter(
      long[] word0, long[] word1, long[] word2, long[] word3, int[] out, int groups) {
    for (int block = 0, at = 0; block < groups * LANES; block += LANES, at += 4 * LANES) {
      for (int lane = 0; lane < LANES; lane++) {
        out[at + lane] = (int) word0[block + lane];
        out[at + LANES + lane] = (int) word1[block + lane];
        out[at + 2 * LANES + lane] = (int) word2[block + lane];
        out[at + 3 * LANES + lane] = (int) word3[block + lane];
      }
    }
  }

  /** The words of the float64 stream: 32 a group, from {@code out[0]} on. */
  void words(long group, int groups, long[] out) {
    blocks(group * LANES, groups * LANES);
    Loops.run(groups * LANES, n -> join(qBefore, q, n), n -> join(pBefore, p, n));
    for (int block = 0, at = 0; block < groups * LANES; block += LANES, at += 2 * LANES) {
      System.arraycopy(qBefore, block, out, at, LANES);
      System.arraycopy(pBefore, block, out, at + LANES, LANES);
    }
  }

  /** Puts the words of {@code high} above those of {@code low}, in place. */
  private static void join(long[] low, long[] high, int count) {
    for (int i = 0; i < count; i++) {
      low[i] = (low[i] & LOW) | (high[i] << 32);
    }
  }

  /**
   * Works out {@code count} blocks: words 0 to 3 to the lower halves of {@link #qBefore}, {@link
   * #q}, {@link #pBefore} and {@link #p}.
   */
  private void blocks(long first, int count) {
    int k0 = (int) seed;
    int k1 = (int) (seed >>> 32);
    start(first, k0, k1, count);
    for (int round = 2; round < ROUNDS; round += 2) {
      k0 += WEYL_0;
      k1 += WEYL_1;
      round(k0, k1, p, q, pBefore, qBefore, count);
      k0 += WEYL_0;
      k1 += WEYL_1;
      round(k0, k1, pBefore, qBefore, p, q, count);
    }
    finish(k0 + WEYL_0, k1 + WEYL_1, count);
  }

  /** The products of the first two rounds. */
  private void start(long first, long k0, long k1, int count) {
    long q1 = MULTIPLIER_1 * (stream & LOW);
    Arrays.fill(qBefore, 0, count, q1);
    Loops.run(
        count,
        n -> firstProducts(first, pBefore, n),
        n -> secondProducts(first, (q1 >>> 32) ^ k0, p, n),
        n -> nextProducts(MULTIPLIER_1, pBefore, (stream >>> 32) ^ k1, q, n));
  }

  private static void firstProducts(long first, long[] p, int count) {
    for (int i = 0; i < count; i++) {
      p[i] = MULTIPLIER_0 * ((first + i) & LOW);
    }
  }

  private static void secondProducts(long first, long key, long[] p, int count) {
    for (int i = 0; i < count; i++) {
      p[i] = MULTIPLIER_0 * ((((first + i) >>> 32) ^ key) & LOW);
    }
  }

  private static void nextProducts(long multiplier, long[] p, long key, long[] q, int count) {
    for (int i = 0; i < count; i++) {
      q[i] = multiplier * (((p[i] >>> 32) ^ key) & LOW);
    }
  }

  private void round(
      long k0, long k1, long[] p, long[] q, long[] pBefore, long[] qBefore, int count) {
    Loops.run(count, n -> round(k0, k1, p, q, pBefore, qBefore, multipliers, n));
  }

  /** Words 0 and 2 come from the products, words 1 and 3 are those of the round before. */
  private static void round(
      long k0,
      long k1,
      long[] p,
      long[] q,
      long[] pBefore,
      long[] qBefore,
      long[] multipliers,
      int count) {
    for (int i = 0; i < count; i++) {
      long word0 = (q[i] >>> 32) ^ qBefore[i] ^ k0;
      long word2 = (p[i] >>> 32) ^ pBefore[i] ^ k1;
      pBefore[i] = (multipliers[i] & LOW) * (word0 & LOW);
      qBefore[i] = (multipliers[i] >>> 32) * (word2 & LOW);
    }
  }

  private void finish(long k0, long k1, int count) {
    Loops.run(count, n -> lastWords(q, k0, qBefore, n), n -> lastWords(p, k1, pBefore, n));
  }

  private static void lastWords(long[] products, long key, long[] before, int count) {
    for (int i = 0; i < count; i++) {
      before[i] ^= (products[i] >>> 32) ^ key;
    }
  }
}
