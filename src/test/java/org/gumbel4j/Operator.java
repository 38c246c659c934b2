package org.gumbel4j;

import static org.gumbel4j.ElementType.FLOAT64;
import static org.gumbel4j.ElementType.INT32;
import static org.gumbel4j.ElementType.INT64;

import java.util.List;
import java.util.function.UnaryOperator;

/**
 * Every operator behind one signature, so that a test of the contract is written once and runs for
 * all of them. A new operator is one more constant.
 */
enum Operator {
  WORDS {
    @Override
    List<Matrix> run(
        GumbelSoftmax on, Inputs in, double tau, Noise noise, UnaryOperator<Layout> outLayout) {
      Matrix out =
          TestMatrices.empty(in.type() == FLOAT64 ? INT64 : INT32, outLayout.apply(in.layout()));
      on.words(noise, out);
      return List.of(out);
    }
  },
  UNIFORM {
    @Override
    List<Matrix> run(
        GumbelSoftmax on, Inputs in, double tau, Noise noise, UnaryOperator<Layout> outLayout) {
      Matrix out = TestMatrices.empty(FLOAT64, outLayout.apply(in.layout()));
      on.uniform(in.type(), noise, out);
      return List.of(out);
    }
  },
  GUMBEL {
    @Override
    List<Matrix> run(
        GumbelSoftmax on, Inputs in, double tau, Noise noise, UnaryOperator<Layout> outLayout) {
      Matrix out = TestMatrices.empty(in.type(), outLayout.apply(in.layout()));
      on.gumbel(noise, out);
      return List.of(out);
    }
  },
  SOFT {
    @Override
    List<Matrix> run(
        GumbelSoftmax on, Inputs in, double tau, Noise noise, UnaryOperator<Layout> outLayout) {
      Matrix out = TestMatrices.empty(in.type(), outLayout.apply(in.layout()));
      on.soft(in.logits(), tau, noise, out);
      return List.of(out);
    }
  },
  HARD {
    @Override
    List<Matrix> run(
        GumbelSoftmax on, Inputs in, double tau, Noise noise, UnaryOperator<Layout> outLayout) {
      Matrix out = TestMatrices.empty(in.type(), outLayout.apply(in.layout()));
      on.hard(in.logits(), noise, out);
      return List.of(out);
    }
  },
  CATEGORICAL {
    @Override
    List<Matrix> run(
        GumbelSoftmax on, Inputs in, double tau, Noise noise, UnaryOperator<Layout> outLayout) {
      Matrix out = TestMatrices.empty(INT32, outLayout.apply(in.layoutOfRows()));
      on.categorical(in.logits(), noise, out);
      return List.of(out);
    }
  },
  VJP {
    @Override
    List<Matrix> run(
        GumbelSoftmax on, Inputs in, double tau, Noise noise, UnaryOperator<Layout> outLayout) {
      Matrix dLogits = TestMatrices.empty(in.type(), outLayout.apply(in.layout()));
      Matrix dTau = TestMatrices.empty(in.type().computeType(), outLayout.apply(in.layoutOfRows()));
      on.vjp(in.sample(), in.upstream(), tau, dLogits, dTau);
      return List.of(dLogits, dTau);
    }
  };

  /** What the operators read. {@code sample} is a soft sample of {@code logits}. */
  record Inputs(Matrix logits, Matrix sample, Matrix upstream) {
    /** Random inputs; the sample is made by the given operators. */
    static Inputs random(GumbelSoftmax on, ElementType type, long rows, long classes, double tau) {
      Matrix logits = TestMatrices.logits(type, rows, classes, 8, 31 * rows + classes);
      Matrix sample = TestMatrices.empty(type, rows, classes);
      on.soft(logits, tau, new Noise(-5, 3, 11), sample);
      Matrix upstream = TestMatrices.empty(type, rows, classes);
      on.gumbel(new Noise(99, 1, 0), upstream);
      return new Inputs(logits, sample, upstream);
    }

    ElementType type() {
      return logits.type();
    }

    Layout layout() {
      return logits.layout();
    }

    Layout layoutOfRows() {
      return new Layout(layout().outer(), layout().inner(), 1, layout().inner(), 1, 1);
    }

    /** The same numbers in another layout of the same sizes. */
    Inputs in(Layout layout) {
      return new Inputs(
          TestMatrices.copy(logits, layout),
          TestMatrices.copy(sample, layout),
          TestMatrices.copy(upstream, layout));
    }

    Inputs rows(long from, long to) {
      return new Inputs(
          TestMatrices.rows(logits, from, to),
          TestMatrices.rows(sample, from, to),
          TestMatrices.rows(upstream, from, to));
    }
  }

  /** Runs the operator into new matrices and returns them. */
  final List<Matrix> run(GumbelSoftmax on, Inputs in, double tau, Noise noise) {
    return run(on, in, tau, noise, layout -> Layout.packed(layout.rows(), layout.classes()));
  }

  /**
   * As {@link #run(GumbelSoftmax, Inputs, double, Noise)}, into matrices of the layout made from
   * one that has the sizes of the result.
   */
  abstract List<Matrix> run(
      GumbelSoftmax on, Inputs in, double tau, Noise noise, UnaryOperator<Layout> outLayout);
}
