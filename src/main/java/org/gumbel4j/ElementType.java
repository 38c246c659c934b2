package org.gumbel4j;

import org.gumbel4j.kernel.Kernels;

/** The element types of a {@link Matrix}. */
public enum ElementType {
  /** IEEE 754 binary32: logits, samples, noise. */
  FLOAT32(Kernels.FLOAT32, Float.BYTES),
  /** IEEE 754 binary64: logits, samples, noise, uniforms. */
  FLOAT64(Kernels.FLOAT64, Double.BYTES),
  /** IEEE 754 binary16: logits, samples, noise. */
  FLOAT16(Kernels.FLOAT16, Short.BYTES),
  /** The upper half of a binary32: logits, samples, noise. */
  BFLOAT16(Kernels.BFLOAT16, Short.BYTES),
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

  /**
   * The type that operators on this one compute in, whose noise they draw and whose temperatures
   * they take: FLOAT32 for FLOAT16 and BFLOAT16, which are rounded once at the end, else the type
   * itself.
   *
   * @return FLOAT32 or FLOAT64; an integer type itself
   */
  public ElementType computeType() {
    return this == FLOAT16 || this == BFLOAT16 ? FLOAT32 : this;
  }

  /** The type's number in the native ABI ({@code gumbel4j.h}). */
  int code() {
    return code;
  }

  boolean isFloating() {
    return this != INT32 && this != INT64;
  }
}
