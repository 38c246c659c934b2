package org.gumbel4j;

import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What a call costs when there is next to nothing to do: one row of four classes, segments ready.
 * With the gc profiler it also shows that a call allocates nothing.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(
    value = 1,
    jvmArgsAppend = {"--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow"})
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class TinyCallBenchmark {
  /** Which kernels. */
  @Param({"native", "java"})
  public String backend;

  private GumbelSoftmax operators;
  private Operands operands;
  private RandomGenerator generator;

  /** For JMH, which sets the parameters. */
  public TinyCallBenchmark() {}

  /** Makes the operands and checks the answers. */
  @Setup
  public void prepare() {
    operands = new Operands(ElementType.FLOAT32, Layout.packed(1, 4));
    operators = Operands.operators(backend);
    generator = NoiseGenerator.of(Operands.NOISE.seed());
    check();
  }

  /** Checks the answers of warm code. */
  @TearDown
  public void checkAgain() {
    check();
    operands.close();
  }

  private void check() {
    for (String operator :
        new String[] {"words", "gumbel", "soft", "hard", "categorical", "dLogits", "vjp"}) {
      operands.check(operators, Operands.call(operator));
    }
  }

  /** A soft sample. */
  @Benchmark
  public void soft() {
    operators.soft(operands.logits, Operands.TAU, Operands.NOISE, operands.out);
  }

  /** A one-hot sample. */
  @Benchmark
  public void hard() {
    operators.hard(operands.logits, Operands.NOISE, operands.out);
  }

  /** An index. */
  @Benchmark
  public void categorical() {
    operators.categorical(operands.logits, Operands.NOISE, operands.index);
  }

  /** A backward without the gradient of tau. */
  @Benchmark
  public void dLogits() {
    operators.vjp(operands.sample, operands.upstream, Operands.TAU, operands.out);
  }

  /** A backward. */
  @Benchmark
  public void vjp() {
    operators.vjp(operands.sample, operands.upstream, Operands.TAU, operands.out, operands.dTau);
  }

  /** Noise. */
  @Benchmark
  public void gumbel() {
    operators.gumbel(Operands.NOISE, operands.out);
  }

  /**
   * A word of the generator; the backend is the one that the JVM has chosen.
   *
   * @return the word, so that it is not optimised away
   */
  @Benchmark
  public long nextLong() {
    return generator.nextLong();
  }
}
