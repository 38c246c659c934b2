package org.gumbel4j.kernel;

import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.MemorySegment;

/**
 * float16 and bfloat16 ({@code brain}) elements in memory as floats in an array, and back: exactly
 * on the way in, rounded once to nearest, ties to even, on the way out. An instance holds scratch
 * memory and belongs to one thread.
 */
final class Halves {
  private static final int CAPACITY = 1024;

  private final short[] halves = new short[CAPACITY];

  /** From elements {@code stride} apart to places {@code step} apart. */
  void load(
      boolean brain,
      MemorySegment from,
      long at,
      long stride,
      float[] to,
      int place,
      int step,
      int count) {
    for (int start = 0; start < count; start += CAPACITY) {
      int length = Math.min(CAPACITY, count - start);
      gather(from, at + start * stride, stride, length);
      if (brain) {
        fromBfloat16(to, place + start * step, step, length);
      } else {
        fromFloat16(to, place + start * step, step, length);
      }
    }
  }

  /** From places {@code step} apart to elements {@code stride} apart. */
  void store(
      boolean brain,
      float[] from,
      int place,
      int step,
      MemorySegment to,
      long at,
      long stride,
      int count) {
    for (int start = 0; start < count; start += CAPACITY) {
      int length = Math.min(CAPACITY, count - start);
      if (brain) {
        toBfloat16(from, place + start * step, step, length);
      } else {
        toFloat16(from, place + start * step, step, length);
      }
      scatter(to, at + start * stride, stride, length);
    }
  }

  private void fromFloat16(float[] to, int place, int step, int count) {
    if (step == 1) { // vector code
      for (int i = 0; i < count; i++) {
        to[place + i] = Float.float16ToFloat(halves[i]);
      }
      return;
    }
    for (int i = 0; i < count; i++) {
      to[place + i * step] = Float.float16ToFloat(halves[i]);
    }
  }

  private void fromBfloat16(float[] to, int place, int step, int count) {
    for (int i = 0; i < count; i++) {
      to[place + i * step] = Float.intBitsToFloat(halves[i] << Short.SIZE);
    }
  }

  private void toFloat16(float[] from, int place, int step, int count) {
    if (step == 1) { // vector code
      for (int i = 0; i < count; i++) {
        halves[i] = Float.floatToFloat16(from[place + i]);
      }
      return;
    }
    for (int i = 0; i < count; i++) {
      halves[i] = Float.floatToFloat16(from[place + i * step]);
    }
  }

  /** Results hold one NaN only, the canonical one, which this leaves canonical. */
  private void toBfloat16(float[] from, int place, int step, int count) {
    for (int i = 0; i < count; i++) {
      int bits = Float.floatToRawIntBits(from[place + i * step]);
      int toEven = (bits >>> Short.SIZE) & 1;
      halves[i] = (short) ((bits + 0x7fff + toEven) >> Short.SIZE);
    }
  }

  private void gather(MemorySegment from, long at, long stride, int count) {
    if (stride == 1) {
      MemorySegment.copy(from, JAVA_SHORT, at * Short.BYTES, halves, 0, count);
      return;
    }
    for (int i = 0; i < count; i++) {
      halves[i] = from.getAtIndex(JAVA_SHORT, at + i * stride);
    }
  }

  private void scatter(MemorySegment to, long at, long stride, int count) {
    if (stride == 1) {
      MemorySegment.copy(halves, 0, to, JAVA_SHORT, at * Short.BYTES, count);
      return;
    }
    for (int i = 0; i < count; i++) {
      to.setAtIndex(JAVA_SHORT, at + i * stride, halves[i]);
    }
  }
}
