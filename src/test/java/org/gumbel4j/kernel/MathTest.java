package org.gumbel4j.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.gumbel4j.ElementType;
import org.gumbel4j.Golden;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The functions behind the Java kernels against the golden files: Philox with Random123's known
 * answers, log and exp.
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
    Philox philox = new Philox(key[0] | key[1] << 32, counter[2] | counter[3] << 32);
    int[] words = new int[Philox.GROUP_WORDS];
    philox.block(counter[0] | counter[1] << 32, words, 0);
    long[] expected = golden.integers("out");
    for (int word = 0; word < 4; word++) {
      assertEquals((int) expected[word], words[Philox.LANES * word], "word " + word);
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
    return Arrays.stream(x).map(v -> log ? Float64Math.log(v) : Float64Math.exp(v)).toArray();
  }
}
