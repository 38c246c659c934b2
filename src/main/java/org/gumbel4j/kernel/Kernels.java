package org.gumbel4j.kernel;

import java.lang.foreign.MemorySegment;

/**
 * The operators as every backend offers them: pure functions over rows of off-heap memory that give
 * the bits {@code native/NOISE.md} defines.
 *
 * <p>FLOAT16 and BFLOAT16 are computed in FLOAT32, from its noise, and rounded once at the end;
 * their temperatures, and the gradients of these, are FLOAT32. That is their compute type; the
 * others are their own.
 *
 * <p>Arguments have been checked by the caller: segments are native, alive, large enough, aligned;
 * no two elements of an output share an address, and none is shared with another operand.
 * Temperatures are finite and not negative, also after rounding to the compute type.
 *
 * <p>Operators return the number of rows written: all of them when all went well, else the first
 * row that cannot be sampled because it holds a NaN, +inf, or no finite logit; rows from there on
 * are unspecified. Implementations keep no state and may be called from any thread.
 *
 * <p>The methods {@code part...} work on some columns of one row, so that several threads can share
 * a long one. Their shape is {@code (type, 1, 1, columns)}; operands start at the part's first
 * column, a multiple of {@link #BLOCK}, and the draw's element is that of this column. Only class
 * strides count.
 *
 * <ul>
 *   <li>A soft row: {@link #partPerturb} of every part; the largest top, a row without one above
 *       -inf being refused; {@link #partExp} of every part; the sums of all blocks added in order
 *       in the compute type, and 1 divided by this; {@link #partScale} of every part. In between,
 *       the output belongs to the kernels. A row of temperature 0 is a hard one.
 *   <li>A hard row: {@link #partArgmax} of every part, the largest value, of equals the first;
 *       {@link #partOneHot} of every part.
 *   <li>A backward row: {@link #partDot} of every part; the sums of all blocks added in order;
 *       {@link #partGradient} of every part; its sums added likewise, for the gradient of the
 *       temperature.
 * </ul>
 */
public interface Kernels {
  /** Element types, as {@code gumbel4j.h} numbers them. */
  int FLOAT32 = 0;

  int FLOAT64 = 1;
  int INT32 = 2;
  int INT64 = 3;
  int FLOAT16 = 4;
  int BFLOAT16 = 5;

  /** The columns that share a partial sum (NOISE.md, section 6). */
  int BLOCK = 1024;

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

  /** Sampled indices, one int32 a row; the class stride of {@code out} counts for nothing. */
  long categorical(Shape shape, Operand logits, Draw draw, Operand out);

  /**
   * Backward of {@link #soft}; {@code dtau} has one element a row, its class stride counts for
   * nothing, and it may be left out. Temperatures are positive. Refuses no row.
   */
  long vjp(
      Shape shape,
      Operand sample,
      Operand upstream,
      Temperature tau,
      Operand dlogits,
      Operand dtau);

  /**
   * Adds noise to a part of a soft row.
   *
   * @param top gets the largest perturbed logit, one FLOAT64
   * @return false where the row must be refused, as it holds a NaN or +inf
   */
  boolean partPerturb(Shape part, Operand logits, Draw draw, Operand out, MemorySegment top);

  /**
   * Takes the exponentials of a part of a soft row.
   *
   * @param top the largest of the whole row
   * @param sums gets the sum of each block, in the compute type
   */
  void partExp(
      Shape part,
      Operand logits,
      double tau,
      double top,
      Draw draw,
      Operand out,
      MemorySegment sums);

  /** Brings a part of a soft row to its final values; {@code factor} is 1 by the sum of the row. */
  void partScale(
      Shape part, Operand logits, double tau, double top, double factor, Draw draw, Operand out);

  /**
   * Finds the largest perturbed logit of a part.
   *
   * @param best gets it as FLOAT64, and then its first column within the part as INT64; -inf and -1
   *     where all are masked
   * @return false where the row must be refused, as it holds a NaN or +inf
   */
  boolean partArgmax(Shape part, Operand logits, Draw draw, MemorySegment best);

  /** Writes 1 at {@code column} of the part, -1 for none, and 0 elsewhere. */
  void partOneHot(Shape part, long column, Operand out);

  /** The sums of products of sample and upstream gradient, one a block, in the compute type. */
  void partDot(Shape part, Operand sample, Operand upstream, MemorySegment sums);

  /**
   * The gradient of the logits of a part.
   *
   * @param dot the sum of products of the whole row
   * @param sums gets the sums of products of the gradient and the logarithm of the sample, one a
   *     block, in the compute type; {@link MemorySegment#NULL} where not wanted
   */
  void partGradient(
      Shape part,
      Operand sample,
      Operand upstream,
      double tau,
      double dot,
      Operand dlogits,
      MemorySegment sums);
}
