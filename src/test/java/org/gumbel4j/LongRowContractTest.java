package org.gumbel4j;

import static org.gumbel4j.ElementType.FLOAT32;
import static org.gumbel4j.ElementType.FLOAT64;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Rows that several threads share give the bits of those that one thread does, on every backend.
 */
@ParameterizedClass
@MethodSource("org.gumbel4j.Backends#names")
@EnabledIf(value = "org.gumbel4j.Backends#areNew", disabledReason = "runs without a cap too")
class LongRowContractTest {
  private static final List<ElementType> FLOATING =
      List.of(FLOAT32, FLOAT64, ElementType.FLOAT16, ElementType.BFLOAT16);

  /** Parts of whole blocks, and a last one of three columns. */
  private static final int CLASSES = 80 * 1024 + 3;

  private static final Noise NOISE = new Noise(-3, 8, 12345);

  private final GumbelSoftmax operators;
  private final ForkJoinPool pool = new ForkJoinPool(7);

  LongRowContractTest(String backend) {
    operators = Backends.operators(backend);
  }

  @AfterEach
  void closePool() {
    pool.close();
  }

  @ParameterizedTest
  @EnumSource
  void everyNumberOfThreadsGivesTheSameBits(Operator operator) {
    for (ElementType type : FLOATING) {
      Operator.Inputs in = Operator.Inputs.random(operators, type, 1, CLASSES, 0.5);
      Operator.Inputs apart = in.in(Layout.strided(1, CLASSES, 0, 2));
      for (double tau : operator == Operator.SOFT ? new double[] {0.5, 0} : new double[] {0.5}) {
        List<Matrix> expected = operator.run(operators, in, tau, NOISE);
        for (int threads : new int[] {2, 3, 7}) {
          try (ForkJoinPool some = new ForkJoinPool(threads)) {
            GumbelSoftmax shared = operators.over(some);
            String what = operator + " " + type + " on " + threads + " threads, tau " + tau;
            assertSameBits(expected, operator.run(shared, in, tau, NOISE), what);
            List<Matrix> strided =
                operator.run(
                    shared, apart, tau, NOISE, sizes -> Layout.strided(1, sizes.classes(), 0, 3));
            assertSameBits(expected, strided, what + ", strided");
          }
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT32", "FLOAT64"})
  void rowsOfDifferentTemperatures(ElementType type) {
    Operator.Inputs in = Operator.Inputs.random(operators, type, 3, CLASSES, 0.5);
    Matrix tau = TestMatrices.of(type, 3, 1, 0.5, 0, 1e-3);
    Matrix positive = TestMatrices.of(type, 3, 1, 0.5, 2, 1e-3);
    Matrix[] out = new Matrix[6];
    for (int i = 0; i < out.length; i++) {
      out[i] = TestMatrices.empty(type, 3, i % 3 == 2 ? 1 : CLASSES);
    }
    operators.soft(in.logits(), tau, NOISE, out[0]);
    operators.vjp(in.sample(), in.upstream(), positive, out[1], out[2]);
    operators.over(pool).soft(in.logits(), tau, NOISE, out[3]);
    operators.over(pool).vjp(in.sample(), in.upstream(), positive, out[4], out[5]);
    assertSameBits(List.of(out[0], out[1], out[2]), List.of(out[3], out[4], out[5]), "rows");
  }

  @Test
  void backwardOfWhatIsNoSample() {
    double[] odd = {Double.NaN, Double.POSITIVE_INFINITY, -2, 1e-310};
    for (ElementType type : List.of(FLOAT32, FLOAT64)) {
      for (double value : odd) {
        Operator.Inputs in = Operator.Inputs.random(operators, type, 1, CLASSES, 0.5);
        TestMatrices.set(in.sample(), 0, 70_000, value);
        TestMatrices.set(in.upstream(), 0, 3, value);
        assertSameBits(
            Operator.VJP.run(operators, in, 0.5, NOISE),
            Operator.VJP.run(operators.over(pool), in, 0.5, NOISE),
            type + " with " + value);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"SOFT", "HARD", "CATEGORICAL"})
  void theFirstBadRowIsNamed(Operator operator) {
    GumbelSoftmax shared = operators.over(pool);
    for (ElementType type : FLOATING) {
      for (int column : new int[] {0, 40_000, CLASSES - 1}) {
        Operator.Inputs in = Operator.Inputs.random(operators, type, 3, CLASSES, 0.5);
        TestMatrices.set(in.logits(), 1, column, Double.NaN);
        TestMatrices.set(in.logits(), 2, 7, Double.NaN);
        InvalidLogitsException refused =
            assertThrows(InvalidLogitsException.class, () -> operator.run(shared, in, 0.5, NOISE));
        assertTrue(
            refused.getMessage().startsWith("logits row 1 holds NaN at class " + column),
            refused.getMessage());
      }
      Matrix masked = TestMatrices.empty(type, 2, CLASSES);
      for (int column = 0; column < CLASSES; column++) {
        TestMatrices.set(masked, 0, column, Double.NEGATIVE_INFINITY);
        TestMatrices.set(masked, 1, column, column == 50_000 ? 0 : Double.NEGATIVE_INFINITY);
      }
      Operator.Inputs in = new Operator.Inputs(masked, masked, masked);
      InvalidLogitsException refused =
          assertThrows(InvalidLogitsException.class, () -> operator.run(shared, in, 0.5, NOISE));
      assertEquals(0, refused.row());
      Matrix open = TestMatrices.rows(masked, 1, 2);
      Operator.Inputs one = new Operator.Inputs(open, open, open);
      assertSameBits(
          operator.run(operators, one, 0.5, NOISE),
          operator.run(shared, one, 0.5, NOISE),
          "one unmasked class");
    }
  }

  @Test
  void theFirstOfEqualsWinsAcrossParts() {
    Matrix logits = TestMatrices.empty(FLOAT32, 1, CLASSES);
    for (int column = 0; column < CLASSES; column++) {
      // Swallows all noise: the same perturbed logit from column 30,000 on.
      TestMatrices.set(logits, 0, column, column < 30_000 ? 0 : 1e30);
    }
    Matrix index = TestMatrices.empty(ElementType.INT32, 1, 1);
    operators.over(pool).categorical(logits, NOISE, index);
    assertEquals(30_000, TestMatrices.get(index, 0, 0));
  }

  @Test
  void cancellingStopsBetweenParts() {
    Operator.Inputs in = Operator.Inputs.random(operators, FLOAT32, 1, CLASSES, 0.5);
    for (int allowed : new int[] {0, 1, 10, 30, 60}) { // three stages of 27 parts ask
      AtomicInteger asked = new AtomicInteger();
      GumbelSoftmax cancellable =
          operators.over(pool).until(() -> asked.incrementAndGet() > allowed);
      assertThrows(
          CancellationException.class, () -> Operator.SOFT.run(cancellable, in, 0.5, NOISE));
      assertTrue(asked.get() <= allowed + 8, asked + " parts were begun after " + allowed);
    }
  }

  private static void assertSameBits(List<Matrix> expected, List<Matrix> actual, String message) {
    for (int i = 0; i < expected.size(); i++) {
      assertArrayEquals(
          TestMatrices.bits(expected.get(i)), TestMatrices.bits(actual.get(i)), message);
    }
  }
}
