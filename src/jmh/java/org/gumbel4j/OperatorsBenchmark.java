package org.gumbel4j;

import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
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
 * One call of an operator on either backend: the shapes that {@code gumbel4j bench} compares, half
 * types, a class axis in the middle, one long row.
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

  /**
   * Operator, sizes and element type. Sizes are rows x classes, or with three, those of a
   * C-contiguous array whose class axis is the middle one.
   */
  @Param({
    "soft 4096x1024 FLOAT32",
    "soft 64x50257 FLOAT32",
    "soft 65536x10 FLOAT32",
    "hard 4096x1024 FLOAT32",
    "categorical 64x50257 FLOAT32",
    "categorical 32x128256 FLOAT32",
    "soft 4096x1024 FLOAT64",
    "dLogits 4096x1024 FLOAT32",
    "vjp 4096x1024 FLOAT32",
    "gumbel 4096x1024 FLOAT32",
    "words 4096x1024 FLOAT32",
    "soft 4096x1024 FLOAT16",
    "soft 4096x1024 BFLOAT16",
    "dLogits 4096x1024 BFLOAT16",
    "soft 64x1024x64 FLOAT32",
    "categorical 64x1024x64 FLOAT32",
    "dLogits 64x1024x64 FLOAT32",
    "soft 1x4194304 FLOAT32",
    "categorical 1x4194304 FLOAT32",
    "vjp 1x4194304 FLOAT32"
  })
  public String work;

  /** How many threads share the work: 1 is the calling one alone. */
  @Param("1")
  public int threads;

  private ForkJoinPool pool;
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
    operands = new Operands(ElementType.valueOf(parts[2]), layout(parts[1]));
    pool = new ForkJoinPool(threads);
    operators = Operands.operators(backend);
    if (threads > 1) {
      operators = operators.over(pool);
    }
    operands.check(operators, call);
  }

  private static Layout layout(String sizes) {
    long[] of = Stream.of(sizes.split("x")).mapToLong(Long::parseLong).toArray();
    return of.length == 2 ? Layout.packed(of[0], of[1]) : Layout.axis(of[0], of[1], of[2]);
  }

  /** Checks the answer of warm code. */
  @TearDown
  public void checkAgain() {
    operands.check(operators, call);
    operands.close();
    pool.close();
  }

  /** One call. */
  @Benchmark
  public void operator() {
    call.run(operators, operands);
  }
}
