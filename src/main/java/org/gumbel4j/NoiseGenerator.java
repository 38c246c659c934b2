package org.gumbel4j;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.random.RandomGenerator;
import org.gumbel4j.kernel.Draw;
import org.gumbel4j.kernel.KernelChoice;
import org.gumbel4j.kernel.Kernels;
import org.gumbel4j.kernel.Operand;
import org.gumbel4j.kernel.Shape;

/**
 * The noise stream as a {@link RandomGenerator}: {@link #nextLong} gives the 64-bit words of the
 * float64 stream ({@code native/NOISE.md}, section 1) in the order of their element index, the same
 * ones as {@link GumbelSoftmax#words} writes into INT64 matrices and float64 noise is made of. So a
 * generator that has been moved to index {@code i} with {@link #jump(double)} gives the word behind
 * element {@code i}.
 *
 * <p>All other methods are the defaults of {@code RandomGenerator}, which draw on {@code nextLong};
 * {@link #nextInt()} in particular takes the high half of a 64-bit word. The 32-bit words of the
 * float32 stream come in another order, which no generator of 64-bit words can share: {@link
 * GumbelSoftmax#words} writes those into INT32 matrices.
 *
 * <p>The generator walks through the first 2^62 words of its stream, then through those of the next
 * stream; behind the last stream, number 2^63 - 1, comes stream 0. That is a cycle of 2^125 words
 * for every seed. {@link #leap} goes from a word of one stream to the same word of the next, so
 * that {@code of(seed).leaps()} gives one generator for each {@code Noise(seed, stream, ...)} in
 * turn. Every jump takes the same short time, since a word depends on nothing but its place.
 *
 * <p>Words are made a few hundred at a time into memory outside the heap; {@code nextLong}
 * allocates nothing. Not cryptographically secure. Not safe for use from several threads at once:
 * give each its own, from {@link #copy}, {@link #jumps(double)} or {@link #leaps}. There is no
 * service interface for generators of other modules, so {@link RandomGenerator#of} does not know
 * this one; make it with {@link #of(long)}.
 */
public final class NoiseGenerator implements RandomGenerator.ArbitrarilyJumpableGenerator {
  private static final int LOG_STREAM = 62;
  private static final int LOG_PERIOD = LOG_STREAM + 63;
  private static final long INDEX_MASK = (1L << LOG_STREAM) - 1;
  private static final double STREAM_WORDS = 0x1p62;
  private static final double PERIOD = 0x1p125;

  /** More than an hour of words at one in a nanosecond; a million such pieces make a stream. */
  private static final double JUMP = 0x1p42;

  /** Enough to make the call of a kernel cheap, few enough that a jump wastes little. */
  private static final int LOG_BUFFER = 8;

  private static final int BUFFER = 1 << LOG_BUFFER;

  private final Kernels kernels = KernelChoice.active().kernels();
  private final MemorySegment buffer = Arena.ofAuto().allocate(ValueLayout.JAVA_LONG, BUFFER);
  private final long seed;
  private long stream;
  private long index;
  private long bufferedStream = -1;
  private long bufferedRow = -1;

  private NoiseGenerator(long seed, long stream, long index) {
    this.seed = seed;
    this.stream = stream;
    this.index = index;
  }

  /**
   * A generator at the first word of a seed's stream 0.
   *
   * @param seed any 64 bits
   * @return the generator
   */
  public static NoiseGenerator of(long seed) {
    return of(seed, 0);
  }

  /**
   * A generator at the first word of a stream.
   *
   * @param seed any 64 bits
   * @param stream the number of the stream, from 0
   * @return the generator
   * @throws IllegalArgumentException if {@code stream} is negative
   */
  public static NoiseGenerator of(long seed, long stream) {
    Check.notNegative("stream", stream, "streams are numbered from 0");
    return new NoiseGenerator(seed, stream, 0);
  }

  /**
   * The seed.
   *
   * @return any 64 bits
   */
  public long seed() {
    return seed;
  }

  /**
   * The stream that the next word comes from.
   *
   * @return its number, from 0
   */
  public long stream() {
    return stream;
  }

  /**
   * The place of the next word in its stream.
   *
   * @return its element index, from 0 to 2^62 - 1
   */
  public long index() {
    return index;
  }

  /**
   * The next word.
   *
   * @return 64 bits
   */
  @Override
  public long nextLong() {
    if (index >>> LOG_BUFFER != bufferedRow || stream != bufferedStream) {
      fill();
    }
    long word = buffer.getAtIndex(ValueLayout.JAVA_LONG, index & (BUFFER - 1));
    advance(0, 1);
    return word;
  }

  /**
   * A generator at the same place, which goes its own way from there.
   *
   * @return the copy
   */
  @Override
  public NoiseGenerator copy() {
    return new NoiseGenerator(seed, stream, index);
  }

  /**
   * Skips words.
   *
   * @param distance how many: from 0 to 2^125, of which a fraction is dropped
   * @throws IllegalArgumentException if {@code distance} is negative, NaN or greater than 2^125
   */
  @Override
  public void jump(double distance) {
    Check.that(
        distance >= 0 && distance <= PERIOD,
        "distance",
        distance,
        "must be from 0 to 2^125, the period");
    double withinPeriod = distance % PERIOD;
    long streams = (long) (withinPeriod / STREAM_WORDS);
    // Exact: both numbers are multiples of the last place of the first.
    advance(streams, (long) (withinPeriod - streams * STREAM_WORDS));
  }

  /**
   * Skips a power of two of words.
   *
   * @param logDistance its exponent, from 0 to 125
   * @throws IllegalArgumentException if {@code logDistance} is out of this range
   */
  @Override
  public void jumpPowerOfTwo(int logDistance) {
    Check.that(
        logDistance >= 0 && logDistance <= LOG_PERIOD,
        "logDistance",
        logDistance,
        "must be from 0 to 125, since the period is 2^125");
    jump(Math.scalb(1.0, logDistance));
  }

  /**
   * The distance of {@link #jump()}: 2^42 words, so that a stream has room for 2^20 jumps.
   *
   * @return 2^42
   */
  @Override
  public double jumpDistance() {
    return JUMP;
  }

  /**
   * The distance of {@link #leap}: 2^62 words, from a stream to the next.
   *
   * @return 2^62
   */
  @Override
  public double leapDistance() {
    return STREAM_WORDS;
  }

  /** Moves on; {@code words} is at most 2^62. */
  private void advance(long streams, long words) {
    index += words;
    stream = (stream + streams + (index >>> LOG_STREAM)) & Long.MAX_VALUE;
    index &= INDEX_MASK;
  }

  /** Makes the words around the index: a row of a matrix whose rows have the buffer's length. */
  private void fill() {
    bufferedStream = stream;
    bufferedRow = index >>> LOG_BUFFER;
    kernels.words(
        new Shape(Kernels.INT64, 1, 1, BUFFER),
        new Draw(seed, stream, bufferedRow << LOG_BUFFER),
        new Operand(buffer, 0, BUFFER, 1));
  }
}
