package org.gumbel4j.kernel;

import java.lang.foreign.MemorySegment;

/**
 * Reinterprets arrays of floating-point numbers as integers and back, by copying them.
 *
 * <p>The JIT compiler turns short loops on one kind of numbers into vector code, but not loops that
 * reinterpret bits or branch. So long computations here are chains of such loops, with the bits
 * copied over in between, and selections are made on integers, by masks of all ones or all zeros.
 */
final class Bits {
  private Bits() {}

  static void copy(float[] from, int[] to, int count) {
    copy(MemorySegment.ofArray(from), MemorySegment.ofArray(to), (long) count * Float.BYTES);
  }

  static void copy(int[] from, float[] to, int count) {
    copy(MemorySegment.ofArray(from), MemorySegment.ofArray(to), (long) count * Float.BYTES);
  }

  static void copy(double[] from, long[] to, int count) {
    copy(MemorySegment.ofArray(from), MemorySegment.ofArray(to), (long) count * Double.BYTES);
  }

  static void copy(long[] from, double[] to, int count) {
    copy(MemorySegment.ofArray(from), MemorySegment.ofArray(to), (long) count * Double.BYTES);
  }

  private static void copy(MemorySegment from, MemorySegment to, long bytes) {
    MemorySegment.copy(from, 0, to, 0, bytes);
  }
}
