package org.gumbel4j;

import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ForkJoinPool;
import java.util.function.BooleanSupplier;
import org.gumbel4j.kernel.KernelChoice;
import org.gumbel4j.kernel.Kernels;
import org.gumbel4j.kernel.Operand;
import org.gumbel4j.kernel.Shape;

/**
 * Gumbel-Softmax over off-heap memory: {@code y = softmax((x + g) / tau)} with Gumbel(0, 1) noise
 * {@code g} (Jang, Gu, Poole, "Categorical reparameterization with Gumbel-Softmax", ICLR 2017;
 * Maddison, Mnih, Teh, "The Concrete distribution", ICLR 2017).
 *
 * <p>An instance says where the work is done and keeps no other state: it is immutable and safe for
 * use from any thread. The operators are pure functions: equal arguments give equal bits on every
 * backend, for any number of threads and any split of the rows.
 *
 * <p>Common to all operators:
 *
 * <ul>
 *   <li>Each row of a matrix is one distribution over {@code classes}; logits are unnormalised
 *       log-probabilities. A logit of -infinity is a mask: its class gets exactly 0 and is never
 *       drawn.
 *   <li>Inputs are never written. An output has memory of its own; nothing is copied or allocated.
 *   <li>An argument that is not allowed gives an {@link IllegalArgumentException} before anything
 *       is written: wrong type or shape, read-only or overlapping output, a closed arena, another
 *       thread's confined arena, {@code tau} out of range.
 *   <li>A row that no class can be sampled from gives an {@link InvalidLogitsException} that names
 *       the first such row; the contents of the output are then unspecified.
 *   <li>Results smaller than the smallest normal number are exactly 0.
 * </ul>
 */
public final class GumbelSoftmax {
  private final Kernels kernels;
  private final RowSlices slices;

  private GumbelSoftmax(Kernels kernels, RowSlices slices) {
    this.kernels = kernels;
    this.slices = slices;
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
   * Operators that split large work by rows over a pool; small work stays on the calling thread.
   *
   * @param pool the pool, which the caller owns and closes; operands must come from shared arenas
   * @return the operators
   */
  public static GumbelSoftmax on(ForkJoinPool pool) {
    return onCallerThread().over(Objects.requireNonNull(pool, "pool"));
  }

  /** Operators of given kernels on the calling thread. */
  static GumbelSoftmax with(Kernels kernels) {
    return new GumbelSoftmax(kernels, new RowSlices(Optional.empty(), RowSlices.NEVER));
  }

  /** These operators, split over a pool. */
  GumbelSoftmax over(ForkJoinPool pool) {
    return new GumbelSoftmax(kernels, new RowSlices(Optional.of(pool), slices.cancelled()));
  }

  /**
   * These operators, stopped early on demand: {@code cancelled} is asked between slices of rows,
   * some milliseconds apart, from any thread at work. Once it says true the operator throws {@link
   * java.util.concurrent.CancellationException}; its output is then unspecified.
   *
   * @param cancelled whether to stop; must be quick and thread-safe
   * @return the operators
   */
  public GumbelSoftmax until(BooleanSupplier cancelled) {
    Objects.requireNonNull(cancelled, "cancelled");
    return new GumbelSoftmax(kernels, new RowSlices(slices.pool(), cancelled));
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
    slices.run(
        out,
        (row, count) ->
            kernels.words(out.shape(count), noise.from(row, out.classes()), out.from(row)));
  }

  /**
   * The uniforms behind the noise ({@code native/NOISE.md}, section 2), strictly above 0 and
   * reaching 2^-65; exact for the float32 stream, rounded once for the float64 stream.
   *
   * @param stream FLOAT32 or FLOAT64: the stream that matrices of this type draw from
   * @param noise which draw
   * @param out FLOAT64
   * @throws IllegalArgumentException if an argument is not allowed
   */
  public void uniform(ElementType stream, Noise noise, Matrix out) {
    Objects.requireNonNull(stream, "stream");
    Objects.requireNonNull(out, "out");
    Check.that(stream.isFloating(), "stream", stream, "must be FLOAT32 or FLOAT64");
    Check.shape("out", out, ElementType.FLOAT64, out.rows(), out.classes());
    Check.elements(noise, out);
    writable("out", out);
    slices.run(
        out,
        (row, count) ->
            kernels.uniform(
                new Shape(stream.code(), 1, count, out.classes()),
                noise.from(row, out.classes()),
                out.from(row)));
  }

  /**
   * Gumbel(0, 1) noise, the values that every sampling operator adds to its logits: {@code g =
   * -log(-log(1 - U))}. Finite always, up to about 45.
   *
   * @param noise which draw
   * @param out FLOAT32 or FLOAT64
   * @throws IllegalArgumentException if an argument is not allowed
   */
  public void gumbel(Noise noise, Matrix out) {
    Check.floating("out", out);
    Check.elements(noise, out);
    writable("out", out);
    slices.run(
        out,
        (row, count) ->
            kernels.gumbel(out.shape(count), noise.from(row, out.classes()), out.from(row)));
  }

  /**
   * Soft samples: {@code y = softmax((x + g) / tau)}. Rows sum to 1 within rounding.
   *
   * @param logits FLOAT32 or FLOAT64
   * @param tau the temperature: finite, not negative, rounded to the type of the logits; 0 (also
   *     after rounding) is the argmax limit, the same as {@link #hard}
   * @param noise which draw
   * @param out the samples, of the type and shape of the logits
   * @throws InvalidLogitsException if a row cannot be sampled
   * @throws IllegalArgumentException if an argument is not allowed
   */
  public void soft(Matrix logits, double tau, Noise noise, Matrix out) {
    soft(logits, Tau.of(tau), noise, out);
  }

  /**
   * Soft samples with a temperature for each row.
   *
   * @param logits FLOAT32 or FLOAT64
   * @param tau the temperatures, of the type of the logits, one in each of {@code logits.rows()}
   *     rows: finite and not negative; 0 is the argmax limit
   * @param noise which draw
   * @param out the samples, of the type and shape of the logits
   * @throws InvalidLogitsException if a row cannot be sampled
   * @throws IllegalArgumentException if an argument is not allowed
   */
  public void soft(Matrix logits, Matrix tau, Noise noise, Matrix out) {
    soft(logits, Tau.perRow(tau), noise, out);
  }

  private void soft(Matrix logits, Tau tau, Noise noise, Matrix out) {
    Check.floating("logits", logits);
    Check.shape("out", out, logits.type(), logits.rows(), logits.classes());
    temperature(tau, logits, false);
    sampling(logits, noise, out);
    if (tau.rows().isPresent()) {
      Check.disjoint("out", out, "tau", tau.rows().get());
    }
    long written =
        slices.run(
            logits,
            (row, count) ->
                kernels.soft(
                    logits.shape(count),
                    logits.from(row),
                    tau.from(row),
                    noise.from(row, logits.classes()),
                    out.from(row)));
    refuseIfIncomplete(logits, written);
  }

  /**
   * Hard samples: exactly 1 at the class with the largest perturbed logit (the first one of
   * equals), exactly 0 elsewhere. The forward value of the straight-through estimator; its backward
   * is {@link #vjp} of the soft sample with the same noise.
   *
   * @param logits FLOAT32 or FLOAT64
   * @param noise which draw
   * @param out the samples, of the type and shape of the logits
   * @throws InvalidLogitsException if a row cannot be sampled
   * @throws IllegalArgumentException if an argument is not allowed
   */
  public void hard(Matrix logits, Noise noise, Matrix out) {
    Check.floating("logits", logits);
    Check.shape("out", out, logits.type(), logits.rows(), logits.classes());
    sampling(logits, noise, out);
    long written =
        slices.run(
            logits,
            (row, count) ->
                kernels.hard(
                    logits.shape(count),
                    logits.from(row),
                    noise.from(row, logits.classes()),
                    out.from(row)));
    refuseIfIncomplete(logits, written);
  }

  /**
   * Categorical samples by the Gumbel-max trick: the class that {@link #hard} marks, drawn with
   * probability softmax(logits).
   *
   * @param logits FLOAT32 or FLOAT64, of at most 2^31 - 1 classes
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
    sampling(logits, noise, out);
    long written =
        slices.run(
            logits,
            (row, count) ->
                kernels.categorical(
                    logits.shape(count),
                    logits.from(row),
                    noise.from(row, logits.classes()),
                    out.from(row)));
    refuseIfIncomplete(logits, written);
  }

  /**
   * Backward of {@link #soft}, the vector-Jacobian product: with {@code y} the soft sample and
   * {@code v} the upstream gradient, {@code dLogits = y (v - <y, v>) / tau} and {@code dTau =
   * -<dLogits, log y>}, terms with {@code y = 0} being 0. A non-finite upstream gradient passes
   * through as NaN, except at classes with {@code y = 0}, which take no part.
   *
   * @param sample the result of {@link #soft}, FLOAT32 or FLOAT64
   * @param upstream the gradient with respect to the sample, of its type and shape
   * @param tau the temperature of the sample, greater than 0 (also after rounding to the type)
   * @param dLogits the gradient with respect to the logits, of the same type and shape
   * @param dTau the gradient with respect to tau, one value in each of {@code sample.rows()} rows,
   *     of the same type; their sum is the gradient of a tau that all rows share
   * @throws IllegalArgumentException if an argument is not allowed
   */
  public void vjp(Matrix sample, Matrix upstream, double tau, Matrix dLogits, Matrix dTau) {
    Objects.requireNonNull(dTau, "dTau");
    vjp(sample, upstream, Tau.of(tau), dLogits, Optional.of(dTau));
  }

  /**
   * As {@link #vjp(Matrix, Matrix, double, Matrix, Matrix)}, without the gradient with respect to
   * tau, which takes a logarithm of every element.
   *
   * @param sample the result of {@link #soft}, FLOAT32 or FLOAT64
   * @param upstream the gradient with respect to the sample, of its type and shape
   * @param tau the temperature of the sample, greater than 0
   * @param dLogits the gradient with respect to the logits, of the same type and shape
   * @throws IllegalArgumentException if an argument is not allowed
   */
  public void vjp(Matrix sample, Matrix upstream, double tau, Matrix dLogits) {
    vjp(sample, upstream, Tau.of(tau), dLogits, Optional.empty());
  }

  /**
   * As {@link #vjp(Matrix, Matrix, double, Matrix, Matrix)}, with a temperature for each row.
   *
   * @param sample the result of {@link #soft}, FLOAT32 or FLOAT64
   * @param upstream the gradient with respect to the sample, of its type and shape
   * @param tau the temperatures of the sample, of its type, one in each of {@code sample.rows()}
   *     rows, greater than 0
   * @param dLogits the gradient with respect to the logits, of the same type and shape
   * @param dTau the gradient with respect to each temperature, of the type and shape of {@code tau}
   * @throws IllegalArgumentException if an argument is not allowed
   */
  public void vjp(Matrix sample, Matrix upstream, Matrix tau, Matrix dLogits, Matrix dTau) {
    Objects.requireNonNull(dTau, "dTau");
    vjp(sample, upstream, Tau.perRow(tau), dLogits, Optional.of(dTau));
  }

  private void vjp(Matrix sample, Matrix upstream, Tau tau, Matrix dLogits, Optional<Matrix> dTau) {
    Check.floating("sample", sample);
    Check.shape("upstream", upstream, sample.type(), sample.rows(), sample.classes());
    Check.shape("dLogits", dLogits, sample.type(), sample.rows(), sample.classes());
    temperature(tau, sample, true);
    readable("sample", sample);
    readable("upstream", upstream);
    backwardOutput("dLogits", dLogits, sample, upstream, tau);
    if (dTau.isPresent()) {
      Check.shape("dTau", dTau.get(), sample.type(), sample.rows(), 1);
      backwardOutput("dTau", dTau.get(), sample, upstream, tau);
      Check.disjoint("dTau", dTau.get(), "dLogits", dLogits);
    }
    slices.run(
        sample,
        (row, count) ->
            kernels.vjp(
                sample.shape(count),
                sample.from(row),
                upstream.from(row),
                tau.from(row),
                dLogits.from(row),
                dTau.isPresent() ? dTau.get().from(row) : Operand.NONE));
  }

  private void backwardOutput(
      String argument, Matrix output, Matrix sample, Matrix upstream, Tau tau) {
    writable(argument, output);
    Check.disjoint(argument, output, "sample", sample);
    Check.disjoint(argument, output, "upstream", upstream);
    if (tau.rows().isPresent()) {
      Check.disjoint(argument, output, "tau", tau.rows().get());
    }
  }

  /** The temperature of a call on {@code rows}: one that is allowed, or one for each row. */
  private void temperature(Tau tau, Matrix rows, boolean positive) {
    if (tau.rows().isEmpty()) {
      Check.temperature("tau", tau.all(), rows.type(), positive);
      return;
    }
    Matrix values = tau.rows().get();
    Check.shape("tau", values, rows.type(), rows.rows(), 1);
    readable("tau", values);
    for (long row = 0; row < values.rows(); row++) {
      double value = values.get(row, 0);
      if (!(value > 0 && value < Float.MAX_VALUE)) {
        Check.temperature("tau row " + row, value, rows.type(), positive);
      }
    }
  }

  /** What every operator that samples asks of its operands' memory and key. */
  private void sampling(Matrix logits, Noise noise, Matrix out) {
    Check.elements(noise, logits);
    readable("logits", logits);
    writable("out", out);
    Check.disjoint("out", out, "logits", logits);
  }

  private void readable(String argument, Matrix matrix) {
    Check.readable(argument, matrix, slices.pool().isPresent());
  }

  private void writable(String argument, Matrix matrix) {
    Check.writable(argument, matrix, slices.pool().isPresent());
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
