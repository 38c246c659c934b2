package org.gumbel4j.kernel;

/**
 * The operators as every backend offers them: pure functions over rows of off-heap memory that give
 * the bits {@code native/NOISE.md} defines.
 *
 * <p>Arguments have been checked by the caller: segments are native, alive, large enough, aligned,
 * and outputs overlap no input. Temperatures are finite and not negative, also after rounding to
 * the type.
 *
 * <p>Operators return the number of rows written: all of them when all went well, else the first
 * row that cannot be sampled because it holds a NaN, +inf, or no finite logit; rows from there on
 * are unspecified. Implementations keep no state and may be called from any thread.
 */
public interface Kernels {
  /** Element types, as {@code gumbel4j.h} numbers them. */
  int FLOAT32 = 0;

  int FLOAT64 = 1;
  int INT32 = 2;
  int INT64 = 3;

  /** The backend's name: {@code native} or {@code java}. */
  String name();

  /** The instruction-set tier in use, {@code jvm} for Java code. */
  String isa();

  /**
   * Raw words; type INT32 for those of the float32 stream, INT64 for those of the float64 stream.
   */
  long words(Shape shape, Draw draw, Operand out);

  /** Uniforms, always as float64; type FLOAT32 or FLOAT64 names the stream. */
  long uniform(Shape shape, Draw draw, Operand out);

  /** Gumbel noise. */
  long gumbel(Shape shape, Draw draw, Operand out);

  /** Soft samples. */
  long soft(Shape shape, Operand logits, Temperature tau, Draw draw, Operand out);

  /** One-hot samples. */
  long hard(Shape shape, Operand logits, Draw draw, Operand out);

  /** Sampled indices, one int32 a row. */
  long categorical(Shape shape, Operand logits, Draw draw, Operand out);

  /**
   * Backward of {@link #soft}; {@code dtau} has one element a row and may be left out. Temperatures
   * are positive. Refuses no row.
   */
  long vjp(
      Shape shape,
      Operand sample,
      Operand upstream,
      Temperature tau,
      Operand dlogits,
      Operand dtau);
}
