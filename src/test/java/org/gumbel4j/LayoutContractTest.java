package org.gumbel4j;

import static org.gumbel4j.ElementType.INT32;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.ForkJoinPool;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every operator gives the bits of packed matrices for every layout, element type, backend and
 * number of threads.
 */
@ParameterizedClass
@MethodSource("org.gumbel4j.Backends#names")
@EnabledIf(value = "org.gumbel4j.Backends#areNew", disabledReason = "runs without a cap too")
class LayoutContractTest {
  private static final List<ElementType> FLOATING =
      List.of(ElementType.FLOAT32, ElementType.FLOAT64, ElementType.FLOAT16, ElementType.BFLOAT16);
  private static final Noise NOISE = new Noise(0x8123456789abcdefL, 42, 5);
  private static final double TAU = 0.5;

  private final GumbelSoftmax operators;

  LayoutContractTest(String backend) {
    operators = Backends.operators(backend);
  }

  /** Operands that are kept alive together go to C in another way, if they are small. */
  @BeforeEach
  void startOneArena() {
    TestMatrices.startOneArena();
  }

  @AfterEach
  void endOneArena() {
    TestMatrices.endOneArena();
  }

  /** Layouts of given sizes, as arrays that are views of others have them. */
  private enum View {
    PADDED(
        sizes ->
            new Layout(
                sizes.outer(),
                sizes.inner(),
                sizes.classes(),
                sizes.inner() * (sizes.classes() + 5),
                sizes.classes() + 5,
                1)),
    GROUPS_APART(
        sizes ->
            new Layout(
                sizes.outer(),
                sizes.inner(),
                sizes.classes(),
                sizes.inner() * sizes.classes() + 7,
                sizes.classes(),
                1)),
    EVERY_THIRD_CLASS(
        sizes ->
            new Layout(
                sizes.outer(),
                sizes.inner(),
                sizes.classes(),
                sizes.inner() * 3 * sizes.classes(),
                3 * sizes.classes(),
                3)),
    TRANSPOSED(
        sizes ->
            new Layout(
                sizes.outer(), sizes.inner(), sizes.classes(), sizes.inner(), 1, sizes.rows())),
    AXIS_IN_THE_MIDDLE(sizes -> Layout.axis(sizes.outer(), sizes.classes(), sizes.inner())),
    AXIS_IN_THE_MIDDLE_WITH_GAPS(
        sizes ->
            new Layout(
                sizes.outer(),
                sizes.inner(),
                sizes.classes(),
                (2 * sizes.inner() + 3) * sizes.classes() + 1,
                2,
                2 * sizes.inner() + 3));

    private final UnaryOperator<Layout> of;

    View(UnaryOperator<Layout> of) {
      this.of = of;
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyLayoutGivesTheBitsOfPackedMatrices(Operator operator) {
    long[][] sizes = {{3, 5, 1}, {2, 70, 10}, {3, 5, 33}, {1, 40, 65}, {2, 3, 1027}};
    for (ElementType type : FLOATING) {
      for (long[] size : sizes) {
        Operator.Inputs packed =
            Operator.Inputs.random(operators, type, size[0] * size[1], size[2], TAU);
        List<Matrix> expected = operator.run(operators, packed, TAU, NOISE);
        for (View view : View.values()) {
          Layout layout = view.of.apply(new Layout(size[0], size[1], size[2], 0, 0, 0));
          Operator.Inputs viewed = packed.in(layout);
          String what = operator + " " + type + " " + layout;
          assertSameBits(expected, operator.run(operators, viewed, TAU, NOISE), what);
          List<Matrix> into = operator.run(operators, viewed, TAU, NOISE, view.of);
          assertSameBits(expected, into, what + " into the same");
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"SOFT", "HARD", "CATEGORICAL", "VJP"})
  void repeatedInputsStandForTheirCopies(Operator operator) {
    int outer = 4;
    int inner = 9;
    int classes = 21;
    Layout[] repeating = {
      Layout.strided(outer * inner, classes, 0, 1), // one row for all
      new Layout(outer, inner, classes, 0, classes, 1), // one group for all
      new Layout(outer, inner, classes, classes, 0, 1), // one row for each group
      new Layout(outer, inner, classes, 0, 1, inner),
      Layout.strided(outer * inner, classes, 1, 0), // one number for each row
      Layout.strided(outer * inner, classes, 1, 1), // a window that moves on
    };
    for (ElementType type : FLOATING) {
      for (Layout layout : repeating) {
        Operator.Inputs random =
            Operator.Inputs.random(operators, type, outer * inner, classes, TAU);
        // Logits without masks: a masked one might stand for all of a row.
        Operator.Inputs repeated =
            new Operator.Inputs(random.upstream(), random.sample(), random.upstream()).in(layout);
        Operator.Inputs copied = repeated.in(Layout.packed(outer * inner, classes));
        assertSameBits(
            operator.run(operators, copied, TAU, NOISE),
            operator.run(operators, repeated, TAU, NOISE),
            operator + " " + type + " " + layout);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyNumberOfThreadsGivesTheSameBits(Operator operator) {
    int outer = 3;
    int inner = 90;
    int classes = 513;
    List<View> views = List.of(View.PADDED, View.EVERY_THIRD_CLASS, View.AXIS_IN_THE_MIDDLE);
    for (ElementType type : FLOATING) {
      Operator.Inputs packed = Operator.Inputs.random(operators, type, outer * inner, classes, TAU);
      List<Matrix> expected = operator.run(operators, packed, TAU, NOISE);
      for (int threads : new int[] {1, 2, 3, 7}) {
        try (ForkJoinPool pool = new ForkJoinPool(threads)) {
          GumbelSoftmax shared = operators.over(pool);
          String what = operator + " " + type + " on " + threads + " threads";
          assertSameBits(expected, operator.run(shared, packed, TAU, NOISE), what);
          View view = views.get(threads % views.size());
          Layout layout = view.of.apply(new Layout(outer, inner, classes, 0, 0, 0));
          List<Matrix> actual = operator.run(shared, packed.in(layout), TAU, NOISE, view.of);
          assertSameBits(expected, actual, what + " " + view);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT32", "FLOAT64", "FLOAT16", "BFLOAT16"})
  void temperaturesOfAnyLayout(ElementType type) {
    int outer = 3;
    int inner = 20;
    int classes = 31;
    double[] taus = new double[outer * inner];
    for (int row = 0; row < taus.length; row++) {
      taus[row] = 0.25 + row % 7;
    }
    Operator.Inputs in = Operator.Inputs.random(operators, type, taus.length, classes, TAU);
    Operator.Inputs middle = in.in(Layout.axis(outer, classes, inner));
    Matrix packed = TestMatrices.of(type.computeType(), taus.length, 1, taus);
    Layout[] layouts = {
      Layout.strided(taus.length, 1, 3, 1),
      new Layout(outer, inner, 1, 1, outer, 1), // groups within, rows without
      new Layout(outer, inner, 1, 0, 1, 1), // the same for each group
      Layout.strided(taus.length, 1, 0, 0), // the same for all
    };
    for (Layout layout : layouts) {
      Matrix tau = TestMatrices.copy(packed, layout);
      Matrix copied = TestMatrices.copy(tau, Layout.packed(taus.length, 1));
      Matrix[] out = new Matrix[6];
      for (int i = 0; i < out.length; i++) {
        boolean isRow = i % 3 == 2;
        out[i] =
            TestMatrices.empty(
                isRow ? type.computeType() : type, Layout.packed(taus.length, isRow ? 1 : classes));
      }
      operators.soft(in.logits(), copied, NOISE, out[0]);
      operators.vjp(in.sample(), in.upstream(), copied, out[1], out[2]);
      operators.soft(middle.logits(), tau, NOISE, out[3]);
      operators.vjp(middle.sample(), middle.upstream(), tau, out[4], out[5]);
      assertSameBits(
          List.of(out[0], out[1], out[2]), List.of(out[3], out[4], out[5]), layout.toString());
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"SOFT", "HARD", "CATEGORICAL"})
  void aBadRowIsNamedByItsNumber(Operator operator) {
    try (ForkJoinPool pool = new ForkJoinPool(3)) {
      for (ElementType type : FLOATING) {
        Matrix logits =
            TestMatrices.copy(
                TestMatrices.logits(type, 6 * 70, 513, 3, 1), Layout.axis(6, 513, 70));
        TestMatrices.set(logits, 5 * 70 + 3, 500, Double.NaN);
        TestMatrices.set(logits, 2 * 70 + 69, 512, Double.POSITIVE_INFINITY);
        Operator.Inputs in = new Operator.Inputs(logits, logits, logits);
        for (GumbelSoftmax on : List.of(operators, operators.over(pool))) {
          InvalidLogitsException refused =
              assertThrows(InvalidLogitsException.class, () -> operator.run(on, in, TAU, NOISE));
          assertEquals(209, refused.row());
          assertTrue(
              refused.getMessage().startsWith("logits row 209 holds Infinity at class 512"),
              refused.getMessage());
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT16", "BFLOAT16"})
  void halfTypesAreFloat32RoundedOnce(ElementType type) {
    int classes = 300;
    Matrix logits = TestMatrices.logits(type, 8, classes, 8, 3);
    Matrix wide = widened(logits);
    Matrix[] half = {
      TestMatrices.empty(type, 8, classes),
      TestMatrices.empty(type, 8, classes),
      TestMatrices.empty(type, 8, classes)
    };
    Matrix[] single = {
      TestMatrices.empty(ElementType.FLOAT32, 8, classes),
      TestMatrices.empty(ElementType.FLOAT32, 8, classes),
      TestMatrices.empty(ElementType.FLOAT32, 8, classes)
    };
    operators.gumbel(NOISE, half[0]);
    operators.gumbel(NOISE, single[0]);
    operators.soft(logits, TAU, NOISE, half[1]);
    operators.soft(wide, TAU, NOISE, single[1]);
    Matrix upstream = half[0];
    operators.vjp(half[1], upstream, TAU, half[2]);
    operators.vjp(widened(half[1]), widened(upstream), TAU, single[2]);
    for (int i = 0; i < half.length; i++) {
      for (int row = 0; row < 8; row++) {
        for (int column = 0; column < classes; column++) {
          Matrix rounded = TestMatrices.of(type, 1, 1, TestMatrices.get(single[i], row, column));
          assertEquals(
              TestMatrices.get(rounded, 0, 0),
              TestMatrices.get(half[i], row, column),
              "result " + i);
        }
      }
    }
    Matrix[] index = {TestMatrices.empty(INT32, 8, 1), TestMatrices.empty(INT32, 8, 1)};
    operators.categorical(logits, NOISE, index[0]);
    operators.categorical(wide, NOISE, index[1]);
    assertSameBits(List.of(index[1]), List.of(index[0]), "categorical");
  }

  private static Matrix widened(Matrix matrix) {
    Matrix wide = TestMatrices.empty(ElementType.FLOAT32, matrix.rows(), matrix.classes());
    for (long row = 0; row < matrix.rows(); row++) {
      for (long column = 0; column < matrix.classes(); column++) {
        TestMatrices.set(wide, row, column, TestMatrices.get(matrix, row, column));
      }
    }
    return wide;
  }

  private static void assertSameBits(List<Matrix> expected, List<Matrix> actual, String message) {
    for (int i = 0; i < expected.size(); i++) {
      assertArrayEquals(
          TestMatrices.bits(expected.get(i)), TestMatrices.bits(actual.get(i)), message);
      assertTrue(TestMatrices.gapsAreUntouched(actual.get(i)), message + ": gaps");
    }
  }
}
