package org.gumbel4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.random.RandomGenerator;
import java.util.random.RandomGenerator.JumpableGenerator;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The generator gives the stream's own words, and moves as its interfaces say. */
class NoiseGeneratorTest {
  private static final double STREAM_WORDS = 0x1p62;
  private static final double PERIOD = 0x1p125;
  private static final int COUNT = 1000; // several buffers

  static List<Golden.Case> goldenWords() {
    return Golden.cases("words").stream()
        .filter(c -> c.type() == ElementType.FLOAT64)
        .filter(c -> c.integer("first_row") * c.integer("classes") < 1L << 62)
        .toList();
  }

  @ParameterizedTest
  @MethodSource("goldenWords")
  void givesTheGoldenWords(Golden.Case golden) {
    NoiseGenerator generator = NoiseGenerator.of(golden.integer("seed"), golden.integer("stream"));
    long first = golden.integer("first_row") * golden.integer("classes");
    // In two steps, since a double holds 53 bits.
    generator.jump((double) (first >>> 32) * 0x1p32);
    generator.jump((double) (first & 0xffffffffL));
    assertEquals(first, generator.index());
    long[] expected = golden.integers("out");
    assertArrayEquals(expected, generator.longs(expected.length).toArray());
  }

  @Test
  void goldenFilesHoldSuchWords() {
    assertTrue(goldenWords().size() >= 3);
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 1, 31, 32, 255, 256, 257, 999})
  void givesTheWordsOfTheOperator(long skipped) {
    long[] expected = words(7, 3, COUNT + skipped);
    NoiseGenerator generator = NoiseGenerator.of(7, 3);
    generator.jump(skipped);
    for (int i = 0; i < COUNT; i++) {
      assertEquals(expected[(int) skipped + i], generator.nextLong());
    }
    assertEquals(COUNT + skipped, generator.index());
  }

  @Test
  void intsAreTheHighHalvesOfTheWords() {
    NoiseGenerator longs = NoiseGenerator.of(-1);
    NoiseGenerator ints = NoiseGenerator.of(-1);
    for (int i = 0; i < COUNT; i++) {
      assertEquals((int) (longs.nextLong() >>> 32), ints.nextInt());
    }
  }

  @Test
  void copiesGoTheirOwnWay() {
    NoiseGenerator generator = NoiseGenerator.of(7);
    generator.jump(100);
    NoiseGenerator copy = generator.copy();
    long[] expected = generator.longs(COUNT).toArray();
    assertEquals(100, copy.index());
    assertArrayEquals(expected, copy.longs(COUNT).toArray());
  }

  @Test
  void jumpsAddUp() {
    NoiseGenerator once = NoiseGenerator.of(7);
    once.jump(12345);
    NoiseGenerator often = NoiseGenerator.of(7);
    often.jump(12000);
    often.jump(0);
    often.jump(0.9); // a fraction is dropped
    often.nextLong();
    often.jump(344);
    assertPlace(0, 12345, often);
    assertEquals(once.nextLong(), often.nextLong());
  }

  @Test
  void powersOfTwoAreJumpsToo() {
    for (int log = 0; log <= 125; log++) {
      NoiseGenerator byLog = NoiseGenerator.of(7, 5);
      byLog.jumpPowerOfTwo(log);
      NoiseGenerator byDistance = NoiseGenerator.of(7, 5);
      byDistance.jump(Math.pow(2, log));
      assertPlace(byDistance.stream(), byDistance.index(), byLog);
      long streams = log < 62 || log == 125 ? 0 : 1L << (log - 62);
      assertPlace(5 + streams, log < 62 ? 1L << log : 0, byLog);
      assertEquals(byDistance.nextLong(), byLog.nextLong());
    }
  }

  @Test
  void leapsGoFromStreamToStream() {
    List<JumpableGenerator> leaps = NoiseGenerator.of(7).leaps(3).toList();
    for (int stream = 0; stream < 3; stream++) {
      long[] expected = words(7, stream, COUNT);
      assertArrayEquals(expected, leaps.get(stream).longs(COUNT).toArray());
    }
  }

  @Test
  void jumpsOfTheDefaultDistanceStayInTheStream() {
    NoiseGenerator generator = NoiseGenerator.of(7);
    generator.jumps(3).toList();
    assertPlace(0, 3L << 42, generator);
    assertEquals(0x1p42, generator.jumpDistance());
    assertEquals(0x1p62, generator.leapDistance());
  }

  @Test
  void theNextStreamFollowsTheLastWordOfAStream() {
    NoiseGenerator generator = NoiseGenerator.of(7, 4);
    generator.jump(STREAM_WORDS - 0x1p10);
    generator.jump(0x1p10 - 1);
    assertPlace(4, (1L << 62) - 1, generator);
    generator.nextLong();
    assertPlace(5, 0, generator);
    assertEquals(words(7, 5, 1)[0], generator.nextLong());
  }

  @Test
  void streamZeroFollowsTheLastStream() {
    NoiseGenerator generator = NoiseGenerator.of(7, Long.MAX_VALUE);
    generator.nextLong();
    generator.leap();
    assertPlace(0, 1, generator);
    assertEquals(words(7, 0, 2)[1], generator.nextLong());
    generator.jump(PERIOD);
    assertPlace(0, 2, generator);
  }

  @ParameterizedTest
  @ValueSource(
      doubles = {-1, -0x1p-1074, 0x1.0000000000001p125, Double.POSITIVE_INFINITY, Double.NaN})
  void distancesOutsideThePeriodAreRefused(double distance) {
    NoiseGenerator generator = NoiseGenerator.of(7);
    String message =
        assertThrows(IllegalArgumentException.class, () -> generator.jump(distance)).getMessage();
    assertTrue(message.startsWith("distance = " + distance), message);
    assertPlace(0, 0, generator);
  }

  @ParameterizedTest
  @ValueSource(ints = {Integer.MIN_VALUE, -1, 126, Integer.MAX_VALUE})
  void powersOutsideThePeriodAreRefused(int logDistance) {
    NoiseGenerator generator = NoiseGenerator.of(7);
    assertThrows(IllegalArgumentException.class, () -> generator.jumpPowerOfTwo(logDistance));
    assertPlace(0, 0, generator);
  }

  @Test
  void negativeStreamsAreRefused() {
    String message =
        assertThrows(IllegalArgumentException.class, () -> NoiseGenerator.of(7, -1)).getMessage();
    assertTrue(message.startsWith("stream = -1"), message);
  }

  /** 6 sigma of the mean of 10^6 uniforms is 0.0017; the variance 1/12 has one of 0.00045. */
  @Test
  void defaultMethodsDrawOnTheWords() {
    RandomGenerator generator = NoiseGenerator.of(2026);
    double[] values = generator.doubles(1_000_000).toArray();
    double sum = 0;
    double squares = 0;
    for (double value : values) {
      assertTrue(value >= 0 && value < 1);
      sum += value;
      squares += (value - 0.5) * (value - 0.5);
    }
    assertEquals(0.5, sum / values.length, 0.0018);
    assertEquals(1.0 / 12, squares / values.length, 0.0005);
  }

  private static void assertPlace(long stream, long index, NoiseGenerator generator) {
    assertEquals(stream, generator.stream(), "stream");
    assertEquals(index, generator.index(), "index");
  }

  private static long[] words(long seed, long stream, long count) {
    Matrix out = TestMatrices.empty(ElementType.INT64, 1, count);
    GumbelSoftmax.onCallerThread().words(new Noise(seed, stream, 0), out);
    return LongStream.of(TestMatrices.bits(out)).toArray();
  }
}
