package org.gumbel4j.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.gumbel4j.ElementType;
import org.gumbel4j.Golden;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The functions behind the Java kernels against the golden files: Philox with Random123's known
 * answers, log and exp, the rounding of halves. What works on arrays against what works on numbers.
 */
class MathTest {
  static List<Golden.Case> blocks() {
    return Golden.cases("philox4x32");
  }

  @ParameterizedTest
  @MethodSource("blocks")
  void philoxGivesTheKnownAnswers(Golden.Case golden) {
    long[] counter = golden.integers("counter");
    long[] key = golden.integers("key");
    long block = counter[0] | counter[1] << 32;
    long stream = counter[2] | counter[3] << 32;
    int[] words = new int[4 * Philox.LANES];
    new Philox(key[0] | key[1] << 32, stream, 1).words(block >>> 4, 1, words);
    long[] expected = golden.integers("out");
    for (int word = 0; word < 4; word++) {
      int at = Philox.LANES * word + (int) (block & (Philox.LANES - 1));
      assertEquals((int) expected[word], words[at], "word " + word);
    }
  }

  static Stream<Golden.Case> functions() {
    return Stream.of("log", "exp").flatMap(name -> Golden.cases(name).stream());
  }

  @ParameterizedTest
  @MethodSource("functions")
  void logAndExpGiveTheDefinedBits(Golden.Case golden) {
    boolean log = golden.text("operator").equals("log");
    boolean single = golden.type() == ElementType.FLOAT32;
    double[] x = golden.doubles("x");
    double[] actual = single ? widened(log, golden.floats("x")) : applied(log, x);
    assertArrayEquals(golden.doubles("out"), actual);
  }

  private static double[] widened(boolean log, float[] x) {
    Float32Math math = new Float32Math(x.length);
    float[] result = x.clone();
    if (log) {
      math.log(x, result, x.length);
    } else {
      math.exp(result, x.length);
    }
    return IntStream.range(0, x.length).mapToDouble(i -> result[i]).toArray();
  }

  private static double[] applied(boolean log, double[] x) {
    Float64Math math = new Float64Math(x.length);
    double[] result = x.clone();
    if (log) {
      math.log(x, result, x.length);
    } else {
      math.exp(result, x.length);
    }
    return result;
  }

  static List<Golden.Case> roundings() {
    return Golden.cases("round");
  }

  @ParameterizedTest
  @MethodSource("roundings")
  void halvesAreRoundedOnce(Golden.Case golden) {
    boolean brain = golden.text("type").equals("bfloat16");
    float[] x = golden.floats("x");
    float[] actual = new float[x.length];
    MemorySegment memory = Arena.ofAuto().allocate((long) x.length * Short.BYTES);
    Halves halves = new Halves();
    halves.store(brain, x, 0, 1, memory, 0, 1, x.length);
    halves.load(brain, memory, 0, 1, actual, 0, 1, x.length);
    assertArrayEquals(golden.floats("out"), actual);
    int nan = Short.toUnsignedInt(memory.getAtIndex(ValueLayout.JAVA_SHORT, x.length - 1));
    assertEquals(brain ? 0x7fc0 : 0x7e00, nan, "NaN, which the file has last");
  }

  /** Words around every change of case, and any others. */
  private static final long[] WORDS =
      LongStream.concat(
              LongStream.of(0, 255, 256, 0x4afb0cccL, 0x4afb0ccdL, 0x7fffffffL, 0x80000000L, -1)
                  .flatMap(upper -> LongStream.of(upper << 32, upper << 32 | 0xffffffffL)),
              new SplittableRandom(1).longs(1000))
          .toArray();

  @Test
  void gumbelOfArraysIsThatOfNumbersInFloat32() {
    int[] words = LongStream.of(WORDS).mapToInt(word -> (int) (word >>> 32)).toArray();
    float[] actual = new float[words.length];
    new Float32Math(words.length).gumbel(words, actual, words.length);
    for (int i = 0; i < words.length; i++) {
      if (!Float32Math.needsTail(words[i])) {
        assertEquals(Float32Math.gumbel(words[i], 0), actual[i], "word " + words[i]);
      }
    }
  }

  @Test
  void gumbelOfArraysIsThatOfNumbersInFloat64() {
    double[] actual = new double[WORDS.length];
    new Float64Math(WORDS.length).gumbel(WORDS, actual, WORDS.length);
    for (int i = 0; i < WORDS.length; i++) {
      assertEquals(Float64Math.gumbel(WORDS[i]), actual[i], "word " + WORDS[i]);
    }
  }

  @Test
  void noPerturbedLogitIsAboveItsCeiling() {
    int count = WORDS.length;
    for (double logit : new double[] {-1e30, -40, 0, 1, 1e6}) {
      float[] x = new float[count];
      Arrays.fill(x, (float) logit);
      int[] words = LongStream.of(WORDS).mapToInt(word -> (int) (word >>> 32)).toArray();
      float[] ceilings = new float[count];
      new Float32Math(count).ceilings(x, words, ceilings, count);
      for (int i = 0; i < count; i++) {
        float s = x[i] + Float32Math.gumbel(words[i], 0);
        assertTrue(s - Float32Math.ceilingSlack(s) <= ceilings[i], logit + ", " + words[i]);
      }
      double[] wide = new double[count];
      Arrays.fill(wide, logit);
      double[] wideCeilings = new double[count];
      new Float64Math(count).ceilings(wide, WORDS, wideCeilings, count);
      for (int i = 0; i < count; i++) {
        double s = logit + Float64Math.gumbel(WORDS[i]);
        assertTrue(s - Float64Math.ceilingSlack(s) <= wideCeilings[i], logit + ", " + WORDS[i]);
      }
    }
  }
}
