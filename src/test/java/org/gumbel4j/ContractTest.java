package org.gumbel4j;

import static org.gumbel4j.ElementType.BFLOAT16;
import static org.gumbel4j.ElementType.FLOAT16;
import static org.gumbel4j.ElementType.FLOAT32;
import static org.gumbel4j.ElementType.FLOAT64;
import static org.gumbel4j.ElementType.INT32;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What every backend promises. One class, run once for each backend. */
@ParameterizedClass
@MethodSource("org.gumbel4j.Backends#names")
@EnabledIf(value = "org.gumbel4j.Backends#areNew", disabledReason = "runs without a cap too")
class ContractTest {
  private static final int[] CLASSES = {
    1, 2, 3, 7, 10, 15, 16, 17, 63, 64, 65, 100, 1000, 1023, 1024, 1025, 4097
  };
  private static final Noise NOISE = new Noise(0x8123456789abcdefL, 42, 5);

  private final GumbelSoftmax operators;

  ContractTest(String backend) {
    operators = Backends.operators(backend);
  }

  // ---------- exact values ----------

  @TestFactory
  List<DynamicTest> goldenValues() {
    return golden(Runnable::run);
  }

  /** Operands that are kept alive together may be called in another way. */
  @TestFactory
  List<DynamicTest> goldenValuesInOneArena() {
    return golden(TestMatrices::inOneArena);
  }

  private List<DynamicTest> golden(Consumer<Runnable> how) {
    return Arrays.stream(Operator.values())
        .flatMap(
            operator ->
                Golden.cases(operator.name().toLowerCase(Locale.ROOT)).stream()
                    .map(
                        golden ->
                            DynamicTest.dynamicTest(
                                golden.name(),
                                () -> how.accept(() -> assertGolden(operator, golden)))))
        .toList();
  }

  private void assertGolden(Operator operator, Golden.Case golden) {
    ElementType type = golden.type();
    long rows = golden.integer("rows");
    long classes = golden.integer("classes");
    double[] tau = golden.has("tau") ? golden.doubles("tau") : new double[] {1};
    Noise noise =
        golden.has("seed")
            ? new Noise(
                golden.integer("seed"), golden.integer("stream"), golden.integer("first_row"))
            : Noise.of(0);
    Matrix logits =
        golden.has("logits")
            ? TestMatrices.of(type, rows, classes, golden.doubles("logits"))
            : TestMatrices.empty(type, rows, classes);
    Matrix sample = TestMatrices.of(type, rows, classes, golden.doubles("sample"));
    Matrix upstream = TestMatrices.of(type, rows, classes, golden.doubles("upstream"));
    Operator.Inputs in = new Operator.Inputs(logits, sample, upstream);
    if (golden.has("returns") && golden.integer("returns") < rows) {
      InvalidLogitsException refused =
          assertThrows(InvalidLogitsException.class, () -> run(operator, in, tau, noise));
      assertEquals(golden.integer("returns"), refused.row());
      return;
    }
    List<Matrix> results = run(operator, in, tau, noise);
    List<String> keys = operator == Operator.VJP ? List.of("dlogits", "dtau") : List.of("out");
    for (int i = 0; i < keys.size(); i++) {
      long[] expected = goldenBits(golden, keys.get(i), results.get(i).type());
      assertArrayEquals(expected, TestMatrices.bits(results.get(i)), keys.get(i));
    }
  }

  /** One temperature for all rows, or one for each. */
  private List<Matrix> run(Operator operator, Operator.Inputs in, double[] tau, Noise noise) {
    if (tau.length == 1) {
      return operator.run(operators, in, tau[0], noise);
    }
    long rows = in.logits().rows();
    Matrix taus = TestMatrices.of(in.type().computeType(), rows, 1, tau);
    Matrix out = TestMatrices.empty(in.type(), rows, in.logits().classes());
    if (operator == Operator.SOFT) {
      operators.soft(in.logits(), taus, noise, out);
      return List.of(out);
    }
    assertEquals(Operator.VJP, operator, "takes no tau");
    Matrix dTau = TestMatrices.empty(in.type().computeType(), rows, 1);
    operators.vjp(in.sample(), in.upstream(), taus, out, dTau);
    return List.of(out, dTau);
  }

  private static long[] goldenBits(Golden.Case golden, String key, ElementType type) {
    return switch (type) {
      case FLOAT32 -> {
        float[] values = golden.floats(key);
        yield IntStream.range(0, values.length)
            .mapToLong(i -> Float.floatToRawIntBits(values[i]))
            .toArray();
      }
      case FLOAT64 ->
          DoubleStream.of(golden.doubles(key)).mapToLong(Double::doubleToRawLongBits).toArray();
      case FLOAT16, BFLOAT16 -> {
        double[] values = golden.doubles(key);
        yield TestMatrices.bits(TestMatrices.of(type, 1, values.length, values));
      }
      case INT32 -> LongStream.of(golden.integers(key)).map(word -> (int) word).toArray();
      case INT64 -> golden.integers(key);
    };
  }

  // ---------- the same bits ----------

  @ParameterizedTest
  @EnumSource
  void givesTheBitsOfTheDefinition(Operator operator) {
    GumbelSoftmax definition = Backends.operators("java");
    for (ElementType type : List.of(FLOAT32, FLOAT64, FLOAT16, BFLOAT16)) {
      for (int classes : CLASSES) {
        long rows = 1 + 2000 / classes;
        for (double tau : new double[] {0.1, 1, 7}) {
          Operator.Inputs in = Operator.Inputs.random(definition, type, rows, classes, tau);
          assertSameBits(
              operator.run(definition, in, tau, NOISE),
              operator.run(operators, in, tau, NOISE),
              operator + " " + type + " of " + classes + " classes, tau " + tau);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void everySplitOfTheRowsGivesTheSameBits(Operator operator) {
    for (ElementType type : List.of(FLOAT32, FLOAT64)) {
      for (int classes : new int[] {1, 3, 10, 65, 1025}) {
        int rows = 9;
        Operator.Inputs in = Operator.Inputs.random(operators, type, rows, classes, 0.5);
        List<Matrix> whole = operator.run(operators, in, 0.5, NOISE);
        for (int cut = 0; cut <= rows; cut++) {
          Noise tail = new Noise(NOISE.seed(), NOISE.stream(), NOISE.firstRow() + cut);
          List<Matrix> head = operator.run(operators, in.rows(0, cut), 0.5, NOISE);
          List<Matrix> rest = operator.run(operators, in.rows(cut, rows), 0.5, tail);
          String split = operator + " " + type + " of " + classes + " classes, cut at " + cut;
          for (int i = 0; i < whole.size(); i++) {
            long[] joined =
                LongStream.concat(
                        LongStream.of(TestMatrices.bits(head.get(i))),
                        LongStream.of(TestMatrices.bits(rest.get(i))))
                    .toArray();
            assertArrayEquals(TestMatrices.bits(whole.get(i)), joined, split);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 1, 63, 1_000_003, 1L << 52})
  void aRowsNoiseDependsOnItsPlaceAlone(long firstRow) {
    for (ElementType type : List.of(FLOAT32, FLOAT64)) {
      Matrix one = TestMatrices.empty(type, 1, 77);
      Matrix many = TestMatrices.empty(type, 3, 77);
      operators.gumbel(new Noise(1, 2, firstRow + 2), one);
      operators.gumbel(new Noise(1, 2, firstRow), many);
      assertArrayEquals(
          TestMatrices.bits(one), TestMatrices.bits(TestMatrices.rows(many, 2, 3)), type.name());
    }
  }

  private static void assertSameBits(List<Matrix> expected, List<Matrix> actual, String message) {
    for (int i = 0; i < expected.size(); i++) {
      assertArrayEquals(
          TestMatrices.bits(expected.get(i)), TestMatrices.bits(actual.get(i)), message);
    }
  }

  // ---------- defined edges ----------

  @ParameterizedTest
  @EnumSource(names = {"FLOAT32", "FLOAT64"})
  void rowsSumToOneAtEveryTemperature(ElementType type) {
    for (double tau : new double[] {0, 1e-300, 1e-38, 1e-3, 0.5, 1, 50, 1e30}) {
      Matrix logits = TestMatrices.logits(type, 20, 333, 30, 1);
      Matrix out = TestMatrices.empty(type, 20, 333);
      operators.soft(logits, tau, NOISE, out);
      for (int row = 0; row < 20; row++) {
        double sum = 0;
        for (int column = 0; column < 333; column++) {
          double y = TestMatrices.get(out, row, column);
          assertTrue(y >= 0 && y <= 1, "y = " + y + " at tau " + tau);
          assertTrue(y == 0 || y >= smallestNormal(type), "subnormal y = " + y);
          boolean masked = TestMatrices.get(logits, row, column) == Double.NEGATIVE_INFINITY;
          assertFalse(masked && y != 0, "a masked class got " + y);
          sum += y;
        }
        assertEquals(
            1, sum, type == FLOAT32 ? 1e-5 : 1e-13, "sum of row " + row + " at tau " + tau);
      }
    }
  }

  private static double smallestNormal(ElementType type) {
    return type == FLOAT32 ? Float.MIN_NORMAL : Double.MIN_NORMAL;
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT32", "FLOAT64"})
  void tauZeroHardAndCategoricalAreOneDraw(ElementType type) {
    for (int classes : CLASSES) {
      Matrix logits = TestMatrices.logits(type, 8, classes, 3, 2);
      Matrix limit = TestMatrices.empty(type, 8, classes);
      Matrix hard = TestMatrices.empty(type, 8, classes);
      Matrix index = TestMatrices.empty(INT32, 8, 1);
      operators.soft(logits, 0, NOISE, limit);
      operators.hard(logits, NOISE, hard);
      operators.categorical(logits, NOISE, index);
      assertArrayEquals(TestMatrices.bits(hard), TestMatrices.bits(limit));
      for (int row = 0; row < 8; row++) {
        for (int column = 0; column < classes; column++) {
          double expected = column == TestMatrices.get(index, row, 0) ? 1 : 0;
          assertEquals(expected, TestMatrices.get(hard, row, column));
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT32", "FLOAT64"})
  void theFirstOfEqualsWins(ElementType type) {
    double huge = type == FLOAT32 ? 1e30 : 1e300; // swallows all noise, so that every class ties
    for (int classes : CLASSES) {
      double[] values = new double[classes];
      Arrays.fill(values, huge);
      Matrix index = TestMatrices.empty(INT32, 1, 1);
      operators.categorical(TestMatrices.of(type, 1, classes, values), NOISE, index);
      assertEquals(0, TestMatrices.get(index, 0, 0), classes + " classes");
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT32", "FLOAT64"})
  void extremeLogitsStayFinite(ElementType type) {
    double largest = type == FLOAT32 ? Float.MAX_VALUE : Double.MAX_VALUE;
    Matrix logits =
        TestMatrices.of(
            type, 2, 4, largest, -largest, 0, Double.NEGATIVE_INFINITY, -largest, -largest, 1, 0);
    for (double tau : new double[] {1e-38, 1, 1e30}) {
      Matrix out = TestMatrices.empty(type, 2, 4);
      operators.soft(logits, tau, NOISE, out);
      assertEquals(1, TestMatrices.get(out, 0, 0));
      assertEquals(0, TestMatrices.get(out, 0, 3));
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"SOFT", "HARD", "CATEGORICAL"})
  void theFirstBadRowIsNamed(Operator operator) {
    for (ElementType type : List.of(FLOAT32, FLOAT64)) {
      for (int classes : new int[] {1, 3, 17, 64, 1025}) {
        for (int column : new int[] {0, classes / 2, classes - 1}) {
          for (double bad : new double[] {Double.NaN, Double.POSITIVE_INFINITY}) {
            Operator.Inputs in = Operator.Inputs.random(operators, type, 6, classes, 1);
            TestMatrices.set(in.logits(), 4, column, bad);
            TestMatrices.set(in.logits(), 5, 0, Double.NaN);
            InvalidLogitsException refused =
                assertThrows(
                    InvalidLogitsException.class, () -> operator.run(operators, in, 0.5, NOISE));
            assertEquals(4, refused.row());
            assertTrue(
                refused
                    .getMessage()
                    .startsWith("logits row 4 holds " + bad + " at class " + column),
                refused.getMessage());
          }
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"SOFT", "HARD", "CATEGORICAL"})
  void aFullyMaskedRowIsRefused(Operator operator) {
    for (ElementType type : List.of(FLOAT32, FLOAT64)) {
      for (int classes : CLASSES) {
        Operator.Inputs in = Operator.Inputs.random(operators, type, 3, classes, 1);
        for (int column = 0; column < classes; column++) {
          TestMatrices.set(in.logits(), 1, column, Double.NEGATIVE_INFINITY);
        }
        InvalidLogitsException refused =
            assertThrows(
                InvalidLogitsException.class, () -> operator.run(operators, in, 0.5, NOISE));
        assertEquals(1, refused.row());
        assertTrue(refused.getMessage().contains("row 1 is -Infinity"), refused.getMessage());
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT32", "FLOAT64"})
  void oneUnmaskedClassIsAlwaysDrawn(ElementType type) {
    for (int classes : CLASSES) {
      for (int open : new int[] {0, classes / 2, classes - 1}) {
        double[] values = new double[classes];
        Arrays.fill(values, Double.NEGATIVE_INFINITY);
        values[open] = -40;
        Matrix out = TestMatrices.empty(type, 1, classes);
        operators.soft(TestMatrices.of(type, 1, classes, values), 0.3, NOISE, out);
        for (int column = 0; column < classes; column++) {
          assertEquals(column == open ? 1 : 0, TestMatrices.get(out, 0, column));
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void zeroRowsAreNoWork(Operator operator) {
    Operator.Inputs in =
        new Operator.Inputs(
            TestMatrices.empty(FLOAT32, 0, 5),
            TestMatrices.empty(FLOAT32, 0, 5),
            TestMatrices.empty(FLOAT32, 0, 5));
    for (Matrix result : operator.run(operators, in, 1, NOISE)) {
      assertEquals(0, result.rows());
    }
  }

  @ParameterizedTest
  @EnumSource
  void inputsAreNeverWritten(Operator operator) {
    Operator.Inputs in = Operator.Inputs.random(operators, FLOAT32, 3, 1025, 0.5);
    long[] logits = TestMatrices.bits(in.logits());
    long[] sample = TestMatrices.bits(in.sample());
    long[] upstream = TestMatrices.bits(in.upstream());
    operator.run(operators, in, 0.5, NOISE);
    assertArrayEquals(logits, TestMatrices.bits(in.logits()));
    assertArrayEquals(sample, TestMatrices.bits(in.sample()));
    assertArrayEquals(upstream, TestMatrices.bits(in.upstream()));
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT32", "FLOAT64"})
  void aTemperatureForEachRowGivesThatRowsBits(ElementType type) {
    double[] taus = {0.5, 0, 1e-38, 7, 1, 1e30, 0};
    int rows = taus.length;
    for (int classes : CLASSES) {
      Operator.Inputs in = Operator.Inputs.random(operators, type, rows, classes, 0.5);
      Matrix tau = TestMatrices.of(type, rows, 1, taus);
      Matrix out = TestMatrices.empty(type, rows, classes);
      operators.soft(in.logits(), tau, NOISE, out);
      for (int row = 0; row < rows; row++) {
        Matrix expected = TestMatrices.empty(type, 1, classes);
        Noise noise = new Noise(NOISE.seed(), NOISE.stream(), NOISE.firstRow() + row);
        operators.soft(
            TestMatrices.rows(in.logits(), row, row + 1),
            TestMatrices.get(tau, row, 0),
            noise,
            expected);
        assertArrayEquals(
            TestMatrices.bits(expected),
            TestMatrices.bits(TestMatrices.rows(out, row, row + 1)),
            classes + " classes, tau " + taus[row]);
      }
    }
  }

  // ---------- backward ----------

  @ParameterizedTest
  @ValueSource(doubles = {0.3, 1, 2.5})
  void vjpAgreesWithCentralDifferences(double tau) {
    int classes = 6;
    Matrix logits = TestMatrices.of(FLOAT64, 1, classes, 0.3, -1.2, 0.7, 2.1, -0.4, 0.0);
    Matrix upstream = TestMatrices.of(FLOAT64, 1, classes, 1.5, -0.25, 0.5, -2, 0.75, 1);
    Matrix sample = TestMatrices.empty(FLOAT64, 1, classes);
    operators.soft(logits, tau, NOISE, sample);
    Matrix dLogits = TestMatrices.empty(FLOAT64, 1, classes);
    Matrix dTau = TestMatrices.empty(FLOAT64, 1, 1);
    operators.vjp(sample, upstream, tau, dLogits, dTau);
    double step = 1e-6;
    for (int column = 0; column < classes; column++) {
      double logit = TestMatrices.get(logits, 0, column);
      TestMatrices.set(logits, 0, column, logit + step);
      double above = objective(logits, upstream, tau);
      TestMatrices.set(logits, 0, column, logit - step);
      double below = objective(logits, upstream, tau);
      TestMatrices.set(logits, 0, column, logit);
      assertEquals((above - below) / (2 * step), TestMatrices.get(dLogits, 0, column), 1e-8);
    }
    double slope =
        (objective(logits, upstream, tau + step) - objective(logits, upstream, tau - step))
            / (2 * step);
    assertEquals(slope, TestMatrices.get(dTau, 0, 0), 1e-8);
  }

  private double objective(Matrix logits, Matrix upstream, double tau) {
    Matrix sample = TestMatrices.empty(FLOAT64, 1, logits.classes());
    operators.soft(logits, tau, NOISE, sample);
    double sum = 0;
    for (int column = 0; column < logits.classes(); column++) {
      sum += TestMatrices.get(sample, 0, column) * TestMatrices.get(upstream, 0, column);
    }
    return sum;
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT32", "FLOAT64"})
  void backwardWithATemperatureForEachRowAndWithoutTausGradient(ElementType type) {
    double[] taus = {0.5, 2, 1e-3, 7, 1, 1e30, 0.1};
    int rows = taus.length;
    for (int classes : new int[] {1, 3, 17, 1025}) {
      Operator.Inputs in = Operator.Inputs.random(operators, type, rows, classes, 0.5);
      Matrix tau = TestMatrices.of(type, rows, 1, taus);
      Matrix dLogits = TestMatrices.empty(type, rows, classes);
      Matrix dTau = TestMatrices.empty(type, rows, 1);
      operators.vjp(in.sample(), in.upstream(), tau, dLogits, dTau);
      for (int row = 0; row < rows; row++) {
        Operator.Inputs one = in.rows(row, row + 1);
        Matrix[] expected = {TestMatrices.empty(type, 1, classes), TestMatrices.empty(type, 1, 1)};
        double temperature = TestMatrices.get(tau, row, 0);
        operators.vjp(one.sample(), one.upstream(), temperature, expected[0], expected[1]);
        List<Matrix> actual =
            List.of(
                TestMatrices.rows(dLogits, row, row + 1), TestMatrices.rows(dTau, row, row + 1));
        assertSameBits(List.of(expected), actual, classes + " classes, tau " + taus[row]);
        Matrix alone = TestMatrices.empty(type, 1, classes);
        operators.vjp(one.sample(), one.upstream(), temperature, alone);
        assertSameBits(List.of(expected[0]), List.of(alone), "without the gradient of tau");
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT32", "FLOAT64"})
  void zeroSamplesTakeNoPartInTheBackward(ElementType type) {
    Matrix sample = TestMatrices.of(type, 1, 4, 0.25, 0, 0.75, 0);
    Matrix clean = TestMatrices.of(type, 1, 4, 1, 0, -1, 0);
    Matrix spoilt = TestMatrices.of(type, 1, 4, 1, Double.NaN, -1, Double.NEGATIVE_INFINITY);
    Matrix[] expected = {TestMatrices.empty(type, 1, 4), TestMatrices.empty(type, 1, 1)};
    Matrix[] actual = {TestMatrices.empty(type, 1, 4), TestMatrices.empty(type, 1, 1)};
    operators.vjp(sample, clean, 0.5, expected[0], expected[1]);
    operators.vjp(sample, spoilt, 0.5, actual[0], actual[1]);
    assertSameBits(List.of(expected), List.of(actual), "columns with y = 0");
    assertEquals(0, TestMatrices.get(actual[0], 0, 1));
    assertTrue(TestMatrices.get(actual[0], 0, 0) > 0);
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT32", "FLOAT64"})
  void backwardOfWhatIsNoSampleHasDefinedBitsToo(ElementType type) {
    double[] odd = {
      1,
      -0.0,
      -2,
      3e-39,
      5e-324,
      Double.NaN,
      Double.POSITIVE_INFINITY,
      0.5,
      Double.MAX_VALUE,
      -1e-310
    };
    GumbelSoftmax definition = Backends.operators("java");
    for (int column = 0; column < odd.length; column++) {
      Matrix sample =
          TestMatrices.of(type, 2, 4, 0.5, odd[column], 0.25, 0.25, 1, 0, odd[column], 0);
      Matrix upstream =
          TestMatrices.of(type, 2, 4, 1, 2, -3, odd[odd.length - 1 - column], 1, 1, 1e30, 1);
      Matrix[] expected = {TestMatrices.empty(type, 2, 4), TestMatrices.empty(type, 2, 1)};
      Matrix[] actual = {TestMatrices.empty(type, 2, 4), TestMatrices.empty(type, 2, 1)};
      definition.vjp(sample, upstream, 0.5, expected[0], expected[1]);
      operators.vjp(sample, upstream, 0.5, actual[0], actual[1]);
      assertSameBits(List.of(expected), List.of(actual), "sample with " + odd[column]);
    }
  }
}
