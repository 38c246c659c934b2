package org.gumbel4j;

import org.gumbel4j.kernel.Kernels;

/** The element types of a {@link Matrix}. */
public enum ElementType {
  /** IEEE 754 binary32: logits, samples, noise. */
  FLOAT32(Kernels.FLOAT32, Float.BYTES),
  /** IEEE 754 binary64: logits, samples, noise, uniforms. */
  FLOAT64(Kernels.FLOAT64, Double.BYTES),
  /** Signed 32-bit integers: sampled indices, raw words of the float32 stream. */
  INT32(Kernels.INT32, Integer.BYTES),
  /** 64-bit integers: raw words of the float64 stream. */
  INT64(Kernels.INT64, Long.BYTES);

  private final int code;
  private final int bytes;

  ElementType(int code, int bytes) {
    this.code = code;
    this.bytes = bytes;
  }

  /** {@return the size of one element, in bytes; also its required alignment} */
  public int bytes() {
    return bytes;
  }

  /** The type's number in the native ABI ({@code gumbel4j.h}). */
  int code() {
    return code;
  }

  boolean isFloating() {
    return this == FLOAT32 || this == FLOAT64;
  }
}
