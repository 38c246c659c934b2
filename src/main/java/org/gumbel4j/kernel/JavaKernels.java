package org.gumbel4j.kernel;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;

/**
 * The kernels in plain Java: the readable definition of every operator, and the backend that runs
 * anywhere.
 */
final class JavaKernels implements Kernels {
  @Override
  public String name() {
    return "java";
  }

  @Override
  public String isa() {
    return "jvm";
  }

  @Override
  public long words(Shape shape, Draw draw, Operand out) {
    Philox philox = new Philox(draw.seed(), draw.stream());
    int[] words = new int[Philox.GROUP_WORDS];
    int wordsPerElement = shape.type() == INT64 ? 2 : 1;
    int elements = Philox.GROUP_WORDS / wordsPerElement;
    long filled = -1;
    for (long row = 0; row < shape.rows(); row++) {
      for (long column = 0; column < shape.classes(); column++) {
        long element = element(shape, draw, row) + column;
        long group = element / elements;
        int place = (int) (element % elements);
        if (group != filled) {
          philox.group(group, words, 0);
          filled = group;
        }
        long at = at(shape, out, row) + column;
        if (shape.type() == INT64) {
          out.segment().setAtIndex(JAVA_LONG, at, Float64Rows.word(words, place));
        } else {
          out.segment().setAtIndex(JAVA_INT, at, words[place]);
        }
      }
    }
    return shape.rows();
  }

  @Override
  public long uniform(Shape shape, Draw draw, Operand out) {
    RowOperators operators = operators(shape, draw);
    for (long row = 0; row < shape.rows(); row++) {
      long element = element(shape, draw, row);
      operators.uniform(element, shape.classes(), out.segment(), at(shape, out, row));
    }
    return shape.rows();
  }

  @Override
  public long gumbel(Shape shape, Draw draw, Operand out) {
    RowOperators operators = operators(shape, draw);
    for (long row = 0; row < shape.rows(); row++) {
      long element = element(shape, draw, row);
      operators.gumbel(element, shape.classes(), out.segment(), at(shape, out, row));
    }
    return shape.rows();
  }

  @Override
  public long soft(Shape shape, Operand logits, Temperature tau, Draw draw, Operand out) {
    RowOperators operators = operators(shape, draw);
    for (long row = 0; row < shape.rows(); row++) {
      double temperature = temperature(shape, tau, row);
      boolean sampled =
          temperature == 0.0
              ? oneHot(operators, shape, logits, draw, out, row)
              : operators.soft(
                  logits.segment(),
                  at(shape, logits, row),
                  temperature,
                  element(shape, draw, row),
                  shape.classes(),
                  out.segment(),
                  at(shape, out, row));
      if (!sampled) {
        return row;
      }
    }
    return shape.rows();
  }

  @Override
  public long hard(Shape shape, Operand logits, Draw draw, Operand out) {
    RowOperators operators = operators(shape, draw);
    for (long row = 0; row < shape.rows(); row++) {
      if (!oneHot(operators, shape, logits, draw, out, row)) {
        return row;
      }
    }
    return shape.rows();
  }

  @Override
  public long categorical(Shape shape, Operand logits, Draw draw, Operand out) {
    RowOperators operators = operators(shape, draw);
    for (long row = 0; row < shape.rows(); row++) {
      long best = argmax(operators, shape, logits, draw, row);
      if (best < 0) {
        return row;
      }
      out.segment().setAtIndex(JAVA_INT, at(shape, out, row), (int) best);
    }
    return shape.rows();
  }

  @Override
  public long vjp(
      Shape shape,
      Operand sample,
      Operand upstream,
      Temperature tau,
      Operand dlogits,
      Operand dtau) {
    RowOperators operators = operators(shape, new Draw(0, 0, 0));
    for (long row = 0; row < shape.rows(); row++) {
      operators.vjp(
          sample.segment(),
          at(shape, sample, row),
          upstream.segment(),
          at(shape, upstream, row),
          temperature(shape, tau, row),
          shape.classes(),
          dlogits.segment(),
          at(shape, dlogits, row),
          dtau.segment(),
          at(shape, dtau, row));
    }
    return shape.rows();
  }

  @Override
  public boolean partPerturb(
      Shape part, Operand logits, Draw draw, Operand out, MemorySegment top) {
    throw new UnsupportedOperationException("parts of rows");
  }

  @Override
  public void partExp(
      Shape part,
      Operand logits,
      double tau,
      double top,
      Draw draw,
      Operand out,
      MemorySegment sums) {
    throw new UnsupportedOperationException("parts of rows");
  }

  @Override
  public void partScale(
      Shape part, Operand logits, double tau, double top, double factor, Draw draw, Operand out) {
    throw new UnsupportedOperationException("parts of rows");
  }

  @Override
  public boolean partArgmax(Shape part, Operand logits, Draw draw, MemorySegment best) {
    throw new UnsupportedOperationException("parts of rows");
  }

  @Override
  public void partOneHot(Shape part, long column, Operand out) {
    throw new UnsupportedOperationException("parts of rows");
  }

  @Override
  public void partDot(Shape part, Operand sample, Operand upstream, MemorySegment sums) {
    throw new UnsupportedOperationException("parts of rows");
  }

  @Override
  public void partGradient(
      Shape part,
      Operand sample,
      Operand upstream,
      double tau,
      double dot,
      Operand dlogits,
      MemorySegment sums) {
    throw new UnsupportedOperationException("parts of rows");
  }

  /** The element of an operand that a row starts at. */
  private static long at(Shape shape, Operand operand, long row) {
    return operand.start(row / shape.inner(), row % shape.inner());
  }

  private static RowOperators operators(Shape shape, Draw draw) {
    long end = element(shape, draw, shape.rows());
    return switch (shape.type()) {
      case FLOAT32 -> new Float32Rows(draw.seed(), draw.stream(), end);
      case FLOAT64 -> new Float64Rows(draw.seed(), draw.stream(), end);
      default ->
          throw new IllegalArgumentException(
              "type = " + shape.type() + ": must be FLOAT32 or FLOAT64");
    };
  }

  /** The index of a row's first element in the whole logical array. */
  private static long element(Shape shape, Draw draw, long row) {
    return draw.element() + row * shape.classes();
  }

  private static long argmax(
      RowOperators operators, Shape shape, Operand logits, Draw draw, long row) {
    return operators.argmax(
        logits.segment(), at(shape, logits, row), element(shape, draw, row), shape.classes());
  }

  /** Writes the one-hot sample of a row; returns whether the row could be sampled. */
  private static boolean oneHot(
      RowOperators operators, Shape shape, Operand logits, Draw draw, Operand out, long row) {
    long best = argmax(operators, shape, logits, draw, row);
    if (best >= 0) {
      operators.oneHot(best, shape.classes(), out.segment(), at(shape, out, row));
    }
    return best >= 0;
  }

  private static double temperature(Shape shape, Temperature tau, long row) {
    if (tau.rows().isNone()) {
      return shape.type() == FLOAT32 ? (float) tau.all() : tau.all();
    }
    long at = at(shape, tau.rows(), row);
    return shape.type() == FLOAT32
        ? tau.rows().segment().getAtIndex(JAVA_FLOAT, at)
        : tau.rows().segment().getAtIndex(JAVA_DOUBLE, at);
  }
}
