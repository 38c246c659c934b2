package org.gumbel4j.kernel;

import java.lang.foreign.MemorySegment;

/**
 * The operators as every backend offers them: pure functions over rows of off-heap memory that give
 * the bits {@code native/NOISE.md} defines.
 *
 * <p>Matrices are row-major; row {@code r} starts at element {@code r * stride} of its segment.
 * {@code type} is one of the constants below, which are those of {@code gumbel4j.h}. Arguments have
 * been checked by the caller: segments are native, alive, large enough, aligned, and outputs
 * overlap no input.
 *
 * <p>Operators return the number of rows written: {@code rows} when all went well, else the first
 * row that cannot be sampled because it holds a NaN, +inf, or no finite logit; rows from there on
 * are unspecified. Implementations keep no state and may be called from any thread.
 */
public interface Kernels {
  int FLOAT32 = 0;
  int FLOAT64 = 1;
  int INT32 = 2;
  int INT64 = 3;

  /** The backend's name: {@code native} or {@code java}. */
  String name();

  /** The instruction-set tier in use, {@code jvm} for Java code. */
  String isa();

  /**
   * Raw words: {@code type} INT32 for those of the float32 stream, INT64 for those of the float64
   * stream.
   */
  long words(
      int type,
      long rows,
      long classes,
      long seed,
      long stream,
      long firstRow,
      MemorySegment out,
      long outStride);

  /** Uniforms as float64; {@code type} FLOAT32 or FLOAT64 names the stream. */
  long uniform(
      int type,
      long rows,
      long classes,
      long seed,
      long stream,
      long firstRow,
      MemorySegment out,
      long outStride);

  /** Gumbel noise. */
  long gumbel(
      int type,
      long rows,
      long classes,
      long seed,
      long stream,
      long firstRow,
      MemorySegment out,
      long outStride);

  /**
   * Soft samples. {@code tau} holds for all rows where {@code rowTau} is a null address; else row
   * {@code r} has the temperature at element {@code r * rowTauStride}, of the type. Temperatures
   * are finite and not negative, also after rounding to the type.
   */
  long soft(
      int type,
      long rows,
      long classes,
      MemorySegment logits,
      long logitsStride,
      double tau,
      MemorySegment rowTau,
      long rowTauStride,
      long seed,
      long stream,
      long firstRow,
      MemorySegment out,
      long outStride);

  /** One-hot samples. */
  long hard(
      int type,
      long rows,
      long classes,
      MemorySegment logits,
      long logitsStride,
      long seed,
      long stream,
      long firstRow,
      MemorySegment out,
      long outStride);

  /** Sampled indices, one int32 a row. */
  long categorical(
      int type,
      long rows,
      long classes,
      MemorySegment logits,
      long logitsStride,
      long seed,
      long stream,
      long firstRow,
      MemorySegment out,
      long outStride);

  /**
   * Backward of {@link #soft}; {@code dtau} has one element a row, or is a null address where it is
   * not wanted. Temperatures are greater than 0. Never refuses a row.
   */
  long vjp(
      int type,
      long rows,
      long classes,
      MemorySegment sample,
      long sampleStride,
      MemorySegment upstream,
      long upstreamStride,
      double tau,
      MemorySegment rowTau,
      long rowTauStride,
      MemorySegment dlogits,
      long dlogitsStride,
      MemorySegment dtau,
      long dtauStride);
}
