package org.gumbel4j;

import java.util.concurrent.TimeUnit;
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
 * One call of an operator on one thread, on either backend, at the shapes that {@code gumbel4j
 * bench} compares.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(
    value = 1,
    jvmArgsAppend = {"--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow"})
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 4, time = 1)
public class OperatorsBenchmark {
  /** Which kernels. */
  @Param({"native", "java"})
  public String backend;

  /** Operator, rows, classes and element type. */
  @Param({
    "soft 4096 1024 FLOAT32",
    "soft 64 50257 FLOAT32",
    "soft 65536 10 FLOAT32",
    "hard 4096 1024 FLOAT32",
    "categorical 64 50257 FLOAT32",
    "categorical 32 128256 FLOAT32",
    "soft 4096 1024 FLOAT64",
    "dLogits 4096 1024 FLOAT32",
    "vjp 4096 1024 FLOAT32",
    "gumbel 4096 1024 FLOAT32",
    "words 4096 1024 FLOAT32"
  })
  public String work;

  private GumbelSoftmax operators;
  private Operands operands;
  private Operands.Call call;

  /** For JMH, which sets the parameters. */
  public OperatorsBenchmark() {}

  /** Makes the operands and checks the answer. */
  @Setup
  public void prepare() {
    String[] parts = work.split(" ");
    call = Operands.call(parts[0]);
    operands =
        new Operands(
            ElementType.valueOf(parts[3]), Long.parseLong(parts[1]), Long.parseLong(parts[2]));
    operators = Operands.operators(backend);
    operands.check(operators, call);
  }

  /** Checks the answer of warm code. */
  @TearDown
  public void checkAgain() {
    operands.check(operators, call);
    operands.close();
  }

  /** One call. */
  @Benchmark
  public void operator() {
    call.run(operators, operands);
  }
}
