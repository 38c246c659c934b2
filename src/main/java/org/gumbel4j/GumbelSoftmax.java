package org.gumbel4j;

import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ForkJoinPool;
import java.util.function.BooleanSupplier;
import org.gumbel4j.kernel.Draw;
import org.gumbel4j.kernel.KernelChoice;
import org.gumbel4j.kernel.Kernels;
import org.gumbel4j.kernel.Operand;
import org.gumbel4j.kernel.Shape;
import org.gumbel4j.kernel.Temperature;

/**
 * Gumbel-Softmax over off-heap memory: {@code y = softmax((x + g) / tau)} with Gumbel(0, 1) noise
 * {@code g} (Jang, Gu, Poole, "Categorical reparameterization with Gumbel-Softmax", ICLR 2017;
 * Maddison, Mnih, Teh, "The Concrete distribution", ICLR 2017).
 *
 * <p>An instance says where the work is done and keeps no other state: it is immutable and safe for
 * use from any thread. The operators are pure functions: equal arguments give equal bits on every
 * backend, for any number of threads, any split of the rows and any layout.
 *
 * <p>Common to all operators:
 *
 * <ul>
 *   <li>Each row of a matrix is one distribution over {@code classes}; logits are unnormalised
 *       log-probabilities. A logit of -infinity is a mask: its class gets exactly 0 and is never
 *       drawn.
 *   <li>The matrices of a call have any layout each. Where the rows of one are not evenly spaced,
 *       the others have the same outer and inner sizes, or evenly spaced rows.
 *   <li>Inputs are never written. An output has memory of its own; nothing is copied or allocated
 *       but for scratch memory: a few MiB, and 8 bytes for each 1024 classes of a row that several
 *       threads share.
 *   <li>An argument that is not allowed gives an {@link IllegalArgumentException} before anything
 *       is written: wrong type or shape, read-only or overlapping output, a closed arena, another
 *       thread's confined arena, {@code tau} out of range. An arena that another thread closes
 *       during the call gives one of the two threads an {@link IllegalStateException}. Outputs
 *       overlap no operand: from first to last byte they have nothing in common, or both have the
 *       same strides and take turns, as the halves of a wider matrix do.
 *   <li>A row that no class can be sampled from gives an {@link InvalidLogitsException} that names
 *       the first such row; the contents of the output are then unspecified.
 *   <li>Results smaller than the smallest normal number are exactly 0.
 *   <li>FLOAT16 and BFLOAT16 are computed in FLOAT32, from its noise, and rounded once, to nearest
 *       even, at the end. Their temperatures and the gradients of these are FLOAT32: their {@link
 *       ElementType#computeType}.
 * </ul>
 */
public final class GumbelSoftmax {
  private final Kernels kernels;
  private final Workers workers;
  private final RowSlices slices;
  private final RowParts parts;

  private GumbelSoftmax(Kernels kernels, Workers workers) {
    this.kernels = kernels;
    this.workers = workers;
    this.slices = new RowSlices(workers);
    this.parts = new RowParts(kernels, workers);
  }

  /**
   * Operators that do all work on the thread that calls them.
   *
   * @return the operators
   */
  public static GumbelSoftmax onCallerThread() {
    return with(KernelChoice.active().kernels());
  }

  /**
   * Operators that split large work over a pool, by rows, or where there are few and long ones, by
   * columns. As many threads work as the pool has, the calling one among them; small work stays on
   * that one.
   *
   * @param pool the pool, which the caller owns and closes; operands must come from shared arenas
   * @return the operators
   */
  public static GumbelSoftmax on(ForkJoinPool pool) {
    return onCallerThread().over(Objects.requireNonNull(pool, "pool"));
  }

  /** Operators of given kernels on the calling thread. */
  static GumbelSoftmax with(Kernels kernels) {
    return new GumbelSoftmax(kernels, new Workers(Optional.empty(), Workers.NEVER));
  }

  /** These operators, split over a pool. */
  GumbelSoftmax over(ForkJoinPool pool) {
    return new GumbelSoftmax(kernels, new Workers(Optional.of(pool), workers.cancelled()));
  }

  /**
   * These operators, stopped early on demand: {@code cancelled} is asked between slices of the
   * work, some milliseconds apart, from any thread at work. Once it says true the operator throws
   * {@link java.util.concurrent.CancellationException}; its output is then unspecified.
   *
   * @param cancelled whether to stop; must be quick and thread-safe
   * @return the operators
   */
  public GumbelSoftmax until(BooleanSupplier cancelled) {
    Objects.requireNonNull(cancelled, "cancelled");
    return new GumbelSoftmax(kernels, new Workers(workers.pool(), cancelled));
  }

  /**
   * The backend that all operators use.
   *
   * @return its description
   */
  public static Backend backend() {
    return Backend.active();
  }

  /**
   * The raw words of the noise stream ({@code native/NOISE.md}, section 1).
   *
   * @param noise which draw
   * @param out INT32 for the words of the float32 stream, INT64 for those of the float64 stream
   * @throws IllegalArgumentException if an argument is not allowed
   */
  public void words(Noise noise, Matrix out) {
    Objects.requireNonNull(out, "out");
    if (out.type().isFloating()) {
      throw new IllegalArgumentException("out of type " + out.type() + ": must be INT32 or INT64");
    }
    Check.elements(noise, out);
    writable("out", out);
    long groupRows = Check.groups("out", out, out.rows());
    if (slices.isOne(out.rows(), out.classes())) {
      kernels.words(
          shape(out.type(), out.rows(), groupRows, out.classes()),
          noise.from(0, out.classes(), 0),
          out.from(0, groupRows));
    } else {
      noise(kernels::words, out.type(), groupRows, noise, out);
    }
  }

  /**
   * The uniforms behind the noise ({@code native/NOISE.md}, section 2), strictly above 0 and
   * reaching 2^-65; exact for the float32 stream, rounded once for the float64 stream.
   *
   * @param stream a floating-point type: the stream that matrices of this type draw from, which for
   *     all but FLOAT64 is that of FLOAT32
   * @param noise which draw
   * @param out FLOAT64
   * @throws IllegalArgumentException if an argument is not allowed
   */
  public void uniform(ElementType stream, Noise noise, Matrix out) {
    Objects.requireNonNull(stream, "stream");
    Objects.requireNonNull(out, "out");
    Check.that(stream.isFloating(), "stream", stream, "must be a floating-point type");
    Check.shape("out", out, ElementType.FLOAT64, out.rows(), out.classes());
    Check.elements(noise, out);
    writable("out", out);
    long groupRows = Check.groups("out", out, out.rows());
    if (slices.isOne(out.rows(), out.classes())) {
      kernels.uniform(
          shape(stream.computeType(), out.rows(), groupRows, out.classes()),
          noise.from(0, out.classes(), 0),
          out.from(0, groupRows));
    } else {
      noise(kernels::uniform, stream.computeType(), groupRows, noise, out);
    }
  }

  /**
   * Gumbel(0, 1) noise, the values that every sampling operator adds to its logits: {@code g =
   * -log(-log(1 - U))}. Finite always, up to about 45.
   *
   * @param noise which draw
   * @param out FLOAT32, FLOAT64, FLOAT16 or BFLOAT16
   * @throws IllegalArgumentException if an argument is not allowed
   */
  public void gumbel(Noise noise, Matrix out) {
    Check.floating("out", out);
    Check.elements(noise, out);
    writable("out", out);
    long groupRows = Check.groups("out", out, out.rows());
    if (slices.isOne(out.rows(), out.classes())) {
      kernels.gumbel(
          shape(out.type(), out.rows(), groupRows, out.classes()),
          noise.from(0, out.classes(), 0),
          out.from(0, groupRows));
    } else {
      noise(kernels::gumbel, out.type(), groupRows, noise, out);
    }
  }

  /**
   * Soft samples: {@code y = softmax((x + g) / tau)}. Rows sum to 1 within rounding.
   *
   * @param logits FLOAT32, FLOAT64, FLOAT16 or BFLOAT16
   * @param tau the temperature: finite, not negative, rounded to the compute type of the logits; 0
   *     (also after rounding) is the argmax limit, the same as {@link #hard}
   * @param noise which draw
   * @param out the samples, of the type and shape of the logits
   * @throws InvalidLogitsException if a row cannot be sampled
   * @throws IllegalArgumentException if an argument is not allowed
   */
  public void soft(Matrix logits, double tau, Noise noise, Matrix out) {
    soft(logits, tau, Matrix.NONE, noise, out);
  }

  /**
   * Soft samples with a temperature for each row.
   *
   * @param logits FLOAT32, FLOAT64, FLOAT16 or BFLOAT16
   * @param tau the temperatures, of the compute type of the logits, one in each of {@code
   *     logits.rows()} rows: finite and not negative; 0 is the argmax limit. Strides of 0 let rows
   *     share one
   * @param noise which draw
   * @param out the samples, of the type and shape of the logits
   * @throws InvalidLogitsException if a row cannot be sampled
   * @throws IllegalArgumentException if an argument is not allowed
   */
  public void soft(Matrix logits, Matrix tau, Noise noise, Matrix out) {
    Objects.requireNonNull(tau, "tau");
    soft(logits, Double.NaN, tau, noise, out);
  }

  private void soft(Matrix logits, double tau, Matrix rowTau, Noise noise, Matrix out) {
    Check.floating("logits", logits);
    Check.shape("out", out, logits.type(), logits.rows(), logits.classes());
    temperature(tau, rowTau, logits, false);
    long groupRows = sampling(logits, noise, out);
    if (!rowTau.isNone()) {
      groupRows = Check.groups("tau", rowTau, groupRows);
      Check.disjoint("out", out, "tau", rowTau, groupRows);
    }
    long written;
    if (slices.isOne(logits.rows(), logits.classes())) {
      written = softRows(logits, tau, rowTau, noise, out, groupRows, 0, logits.rows(), groupRows);
    } else if (parts.suit(logits.rows(), logits.classes())) {
      written = parts.soft(logits, tau, rowTau, noise, out);
    } else {
      long groups = groupRows;
      written =
          slices.run(
              logits.rows(),
              groupRows,
              logits.classes(),
              isSideBySide(logits, out),
              (first, count, inner) ->
                  softRows(logits, tau, rowTau, noise, out, groups, first, count, inner));
    }
    refuseIfIncomplete(logits, written);
  }

  /** {@code count} rows from {@code first} on, which lie in groups of {@code inner}. */
  private long softRows(
      Matrix logits,
      double tau,
      Matrix rowTau,
      Noise noise,
      Matrix out,
      long groupRows,
      long first,
      long count,
      long inner) {
    return kernels.soft(
        shape(logits.type(), count, inner, logits.classes()),
        logits.from(first, groupRows),
        new Temperature(tau, rowTau.from(first, groupRows)),
        noise.from(first, logits.classes(), 0),
        out.from(first, groupRows));
  }

  /**
   * Hard samples: exactly 1 at the class with the largest perturbed logit (the first one of
   * equals), exactly 0 elsewhere. The forward value of the straight-through estimator; its backward
   * is {@link #vjp} of the soft sample with the same noise.
   *
   * @param logits FLOAT32, FLOAT64, FLOAT16 or BFLOAT16
   * @param noise which draw
   * @param out the samples, of the type and shape of the logits
   * @throws InvalidLogitsException if a row cannot be sampled
   * @throws IllegalArgumentException if an argument is not allowed
   */
  public void hard(Matrix logits, Noise noise, Matrix out) {
    Check.floating("logits", logits);
    Check.shape("out", out, logits.type(), logits.rows(), logits.classes());
    long groupRows = sampling(logits, noise, out);
    long written;
    if (slices.isOne(logits.rows(), logits.classes())) {
      written = hardRows(logits, noise, out, groupRows, 0, logits.rows(), groupRows);
    } else if (parts.suit(logits.rows(), logits.classes())) {
      written = parts.hard(logits, noise, out);
    } else {
      written =
          slices.run(
              logits.rows(),
              groupRows,
              logits.classes(),
              isSideBySide(logits, out),
              (first, count, inner) ->
                  hardRows(logits, noise, out, groupRows, first, count, inner));
    }
    refuseIfIncomplete(logits, written);
  }

  private long hardRows(
      Matrix logits, Noise noise, Matrix out, long groupRows, long first, long count, long inner) {
    return kernels.hard(
        shape(logits.type(), count, inner, logits.classes()),
        logits.from(first, groupRows),
        noise.from(first, logits.classes(), 0),
        out.from(first, groupRows));
  }

  /**
   * Categorical samples by the Gumbel-max trick: the class that {@link #hard} marks, drawn with
   * probability softmax(logits).
   *
   * @param logits FLOAT32, FLOAT64, FLOAT16 or BFLOAT16, of at most 2^31 - 1 classes
   * @param noise which draw
   * @param out INT32, one class in each of {@code logits.rows()} rows
   * @throws InvalidLogitsException if a row cannot be sampled
   * @throws IllegalArgumentException if an argument is not allowed
   */
  public void categorical(Matrix logits, Noise noise, Matrix out) {
    Check.floating("logits", logits);
    Check.that(
        logits.classes() <= Integer.MAX_VALUE,
        "classes",
        logits.classes(),
        "must be at most 2147483647, since indices are INT32");
    Check.shape("out", out, ElementType.INT32, logits.rows(), 1);
    long groupRows = sampling(logits, noise, out);
    long written;
    if (slices.isOne(logits.rows(), logits.classes())) {
      written = categoricalRows(logits, noise, out, groupRows, 0, logits.rows(), groupRows);
    } else if (parts.suit(logits.rows(), logits.classes())) {
      written = parts.categorical(logits, noise, out);
    } else {
      written =
          slices.run(
              logits.rows(),
              groupRows,
              logits.classes(),
              isSideBySide(logits, logits),
              (first, count, inner) ->
                  categoricalRows(logits, noise, out, groupRows, first, count, inner));
    }
    refuseIfIncomplete(logits, written);
  }

  private long categoricalRows(
      Matrix logits, Noise noise, Matrix out, long groupRows, long first, long count, long inner) {
    return kernels.categorical(
        shape(logits.type(), count, inner, logits.classes()),
        logits.from(first, groupRows),
        noise.from(first, logits.classes(), 0),
        out.from(first, groupRows));
  }

  /**
   * Backward of {@link #soft}, the vector-Jacobian product: with {@code y} the soft sample and
   * {@code v} the upstream gradient, {@code dLogits = y (v - <y, v>) / tau} and {@code dTau =
   * -<dLogits, log y>}, terms with {@code y = 0} being 0. A non-finite upstream gradient passes
   * through as NaN, except at classes with {@code y = 0}, which take no part.
   *
   * @param sample the result of {@link #soft}, FLOAT32, FLOAT64, FLOAT16 or BFLOAT16
   * @param upstream the gradient with respect to the sample, of its type and shape
   * @param tau the temperature of the sample, greater than 0 (also after rounding to the compute
   *     type)
   * @param dLogits the gradient with respect to the logits, of the same type and shape
   * @param dTau the gradient with respect to tau, one value in each of {@code sample.rows()} rows,
   *     of the compute type; their sum is the gradient of a tau that all rows share
   * @throws IllegalArgumentException if an argument is not allowed
   */
  public void vjp(Matrix sample, Matrix upstream, double tau, Matrix dLogits, Matrix dTau) {
    Objects.requireNonNull(dTau, "dTau");
    vjp(sample, upstream, tau, Matrix.NONE, dLogits, dTau);
  }

  /**
   * As {@link #vjp(Matrix, Matrix, double, Matrix, Matrix)}, without the gradient with respect to
   * tau, which takes a logarithm of every element.
   *
   * @param sample the result of {@link #soft}, FLOAT32, FLOAT64, FLOAT16 or BFLOAT16
   * @param upstream the gradient with respect to the sample, of its type and shape
   * @param tau the temperature of the sample, greater than 0
   * @param dLogits the gradient with respect to the logits, of the same type and shape
   * @throws IllegalArgumentException if an argument is not allowed
   */
  public void vjp(Matrix sample, Matrix upstream, double tau, Matrix dLogits) {
    vjp(sample, upstream, tau, Matrix.NONE, dLogits, Matrix.NONE);
  }

  /**
   * As {@link #vjp(Matrix, Matrix, double, Matrix, Matrix)}, with a temperature for each row.
   *
   * @param sample the result of {@link #soft}, FLOAT32, FLOAT64, FLOAT16 or BFLOAT16
   * @param upstream the gradient with respect to the sample, of its type and shape
   * @param tau the temperatures of the sample, of its compute type, one in each of {@code
   *     sample.rows()} rows, greater than 0. Strides of 0 let rows share one
   * @param dLogits the gradient with respect to the logits, of the same type and shape
   * @param dTau the gradient with respect to the temperature of each row, of the type and shape of
   *     {@code tau}
   * @throws IllegalArgumentException if an argument is not allowed
   */
  public void vjp(Matrix sample, Matrix upstream, Matrix tau, Matrix dLogits, Matrix dTau) {
    Objects.requireNonNull(dTau, "dTau");
    Objects.requireNonNull(tau, "tau");
    vjp(sample, upstream, Double.NaN, tau, dLogits, dTau);
  }

  /**
   * As {@link #vjp(Matrix, Matrix, Matrix, Matrix, Matrix)}, without the gradient with respect to
   * the temperatures, which takes a logarithm of every element.
   *
   * @param sample the result of {@link #soft}, FLOAT32, FLOAT64, FLOAT16 or BFLOAT16
   * @param upstream the gradient with respect to the sample, of its type and shape
   * @param tau the temperatures of the sample, of its compute type, one in each of {@code
   *     sample.rows()} rows, greater than 0. Strides of 0 let rows share one
   * @param dLogits the gradient with respect to the logits, of the same type and shape
   * @throws IllegalArgumentException if an argument is not allowed
   */
  public void vjp(Matrix sample, Matrix upstream, Matrix tau, Matrix dLogits) {
    Objects.requireNonNull(tau, "tau");
    vjp(sample, upstream, Double.NaN, tau, dLogits, Matrix.NONE);
  }

  private void vjp(
      Matrix sample, Matrix upstream, double tau, Matrix rowTau, Matrix dLogits, Matrix dTau) {
    Check.floating("sample", sample);
    Check.shape("upstream", upstream, sample.type(), sample.rows(), sample.classes());
    Check.shape("dLogits", dLogits, sample.type(), sample.rows(), sample.classes());
    temperature(tau, rowTau, sample, true);
    readable("sample", sample);
    readable("upstream", upstream);
    long groupRows = Check.groups("sample", sample, sample.rows());
    groupRows = Check.groups("upstream", upstream, groupRows);
    groupRows = Check.groups("dLogits", dLogits, groupRows);
    if (!rowTau.isNone()) {
      groupRows = Check.groups("tau", rowTau, groupRows);
    }
    if (!dTau.isNone()) {
      Check.shape("dTau", dTau, sample.type().computeType(), sample.rows(), 1);
      groupRows = Check.groups("dTau", dTau, groupRows);
      backwardOutput("dTau", dTau, sample, upstream, rowTau, groupRows);
      Check.disjoint("dTau", dTau, "dLogits", dLogits, groupRows);
    }
    backwardOutput("dLogits", dLogits, sample, upstream, rowTau, groupRows);
    if (slices.isOne(sample.rows(), sample.classes())) {
      vjpRows(sample, upstream, tau, rowTau, dLogits, dTau, groupRows, 0, sample.rows(), groupRows);
    } else if (parts.suit(sample.rows(), sample.classes())) {
      parts.vjp(sample, upstream, tau, rowTau, dLogits, dTau);
    } else {
      long groups = groupRows;
      slices.run(
          sample.rows(),
          groupRows,
          sample.classes(),
          isSideBySide(sample, dLogits),
          (first, count, inner) ->
              vjpRows(sample, upstream, tau, rowTau, dLogits, dTau, groups, first, count, inner));
    }
  }

  private long vjpRows(
      Matrix sample,
      Matrix upstream,
      double tau,
      Matrix rowTau,
      Matrix dLogits,
      Matrix dTau,
      long groupRows,
      long first,
      long count,
      long inner) {
    return kernels.vjp(
        shape(sample.type(), count, inner, sample.classes()),
        sample.from(first, groupRows),
        upstream.from(first, groupRows),
        new Temperature(tau, rowTau.from(first, groupRows)),
        dLogits.from(first, groupRows),
        dTau.from(first, groupRows));
  }

  private void backwardOutput(
      String argument,
      Matrix output,
      Matrix sample,
      Matrix upstream,
      Matrix rowTau,
      long groupRows) {
    writable(argument, output);
    Check.disjoint(argument, output, "sample", sample, groupRows);
    Check.disjoint(argument, output, "upstream", upstream, groupRows);
    if (!rowTau.isNone()) {
      Check.disjoint(argument, output, "tau", rowTau, groupRows);
    }
  }

  /** An operator that takes noise only. */
  @FunctionalInterface
  private interface NoiseKernel {
    long write(Shape shape, Draw draw, Operand out);
  }

  /** Runs such an operator on more than one slice. */
  private void noise(
      NoiseKernel kernel, ElementType type, long groupRows, Noise noise, Matrix out) {
    long classes = out.classes();
    if (parts.suit(out.rows(), classes)) {
      parts.independent(
          out,
          (row, column, columns) ->
              kernel.write(
                  shape(type, 1, 1, columns),
                  noise.from(row, classes, column),
                  out.part(row, column)));
    } else {
      slices.run(
          out.rows(),
          groupRows,
          classes,
          isSideBySide(out, out),
          (first, count, inner) ->
              kernel.write(
                  shape(type, count, inner, classes),
                  noise.from(first, classes, 0),
                  out.from(first, groupRows)));
    }
  }

  /** The temperature of a call on {@code rows}: one that is allowed, or one for each row. */
  private void temperature(double tau, Matrix rowTau, Matrix rows, boolean positive) {
    ElementType type = rows.type().computeType();
    if (rowTau.isNone()) {
      Check.temperature("tau", tau, type, positive);
    } else {
      Check.shape("tau", rowTau, type, rows.rows(), 1);
      readable("tau", rowTau);
      Check.temperatures("tau", rowTau, positive);
    }
  }

  /**
   * What every operator that samples asks of its operands' memory and key. Returns the size of the
   * groups that the rows fall into.
   */
  private long sampling(Matrix logits, Noise noise, Matrix out) {
    Check.elements(noise, logits);
    readable("logits", logits);
    writable("out", out);
    long groupRows = Check.groups("out", out, Check.groups("logits", logits, logits.rows()));
    Check.disjoint("out", out, "logits", logits, groupRows);
    return groupRows;
  }

  private void readable(String argument, Matrix matrix) {
    Check.readable(argument, matrix, workers.pool().isPresent());
  }

  private void writable(String argument, Matrix matrix) {
    Check.writable(argument, matrix, workers.pool().isPresent());
  }

  private static Shape shape(ElementType type, long rows, long inner, long classes) {
    return new Shape(type.code(), rows == inner ? 1 : rows / inner, inner, classes);
  }

  /** Whether neighbouring rows lie closer together than the classes of a row. */
  private static boolean isSideBySide(Matrix one, Matrix other) {
    return one.layout().classStride() > 1 || other.layout().classStride() > 1;
  }

  private static void refuseIfIncomplete(Matrix logits, long written) {
    if (written < logits.rows()) {
      throw new InvalidLogitsException(written, fault(logits, written));
    }
  }

  private static String fault(Matrix logits, long row) {
    for (long column = 0; column < logits.classes(); column++) {
      double logit = logits.get(row, column);
      if (!(logit < Double.POSITIVE_INFINITY)) {
        return "logits row "
            + row
            + " holds "
            + logit
            + " at class "
            + column
            + ": every logit must be finite, or -Infinity for a masked class";
      }
    }
    return "logits row "
        + row
        + " is -Infinity at every class: at least one class must have a finite logit";
  }
}
