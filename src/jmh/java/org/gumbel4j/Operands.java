package org.gumbel4j;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.SplittableRandom;
import org.gumbel4j.kernel.KernelChoice;

/**
 * What the operators of a benchmark read and write: matrices of one shape and type, off-heap,
 * filled once.
 */
final class Operands implements AutoCloseable {
  static final double TAU = 0.5;
  static final Noise NOISE = Noise.of(7);

  /** An operator on these operands. */
  @FunctionalInterface
  interface Call {
    void run(GumbelSoftmax on, Operands in);
  }

  private final Arena arena = Arena.ofShared();
  final Matrix logits;
  final Matrix sample;
  final Matrix upstream;
  final Matrix out;
  final Matrix words;
  final Matrix index;
  final Matrix dTau;

  /** Matrices of a layout without gaps. */
  Operands(ElementType type, Layout layout) {
    Layout oneEach = Layout.packed(layout.rows(), 1);
    logits = matrix(type, layout);
    sample = matrix(type, layout);
    upstream = matrix(type, layout);
    out = matrix(type, layout);
    words = matrix(type == ElementType.FLOAT64 ? ElementType.INT64 : ElementType.INT32, layout);
    index = matrix(ElementType.INT32, oneEach);
    dTau = matrix(type.computeType(), oneEach);
    fill(logits, 1);
    fill(upstream, 2);
    java().soft(logits, TAU, NOISE, sample);
  }

  /** The operators of a backend, {@code native} or {@code java}, on the calling thread. */
  static GumbelSoftmax operators(String backend) {
    return GumbelSoftmax.with(KernelChoice.of(backend).kernels());
  }

  /** An operator by its name. */
  static Call call(String operator) {
    return switch (operator) {
      case "words" -> (on, in) -> on.words(NOISE, in.words);
      case "gumbel" -> (on, in) -> on.gumbel(NOISE, in.out);
      case "soft" -> (on, in) -> on.soft(in.logits, TAU, NOISE, in.out);
      case "hard" -> (on, in) -> on.hard(in.logits, NOISE, in.out);
      case "categorical" -> (on, in) -> on.categorical(in.logits, NOISE, in.index);
      case "vjp" -> (on, in) -> on.vjp(in.sample, in.upstream, TAU, in.out, in.dTau);
      case "dLogits" -> (on, in) -> on.vjp(in.sample, in.upstream, TAU, in.out);
      default ->
          throw new IllegalArgumentException("operator = " + operator + ": has no benchmark");
    };
  }

  /**
   * Fails unless the operator leaves the same bits as the Java kernels do, so that no wrong answer
   * is timed.
   */
  void check(GumbelSoftmax on, Call call) {
    // Off-heap, so that a check within a measurement does not show as allocation.
    try (Arena copies = Arena.ofConfined()) {
      List<MemorySegment> found = outputsAfter(on, call, copies);
      List<MemorySegment> expected = outputsAfter(java(), call, copies);
      for (int i = 0; i < expected.size(); i++) {
        if (expected.get(i).mismatch(found.get(i)) >= 0) {
          throw new AssertionError("output " + i + " differs from that of the Java kernels");
        }
      }
    }
  }

  private List<MemorySegment> outputsAfter(GumbelSoftmax on, Call call, Arena copies) {
    List<MemorySegment> outputs =
        List.of(out.segment(), words.segment(), index.segment(), dTau.segment());
    outputs.forEach(output -> output.fill((byte) 0x5a));
    call.run(on, this);
    return outputs.stream()
        .map(output -> copies.allocate(output.byteSize(), 64).copyFrom(output))
        .toList();
  }

  private static GumbelSoftmax java() {
    return operators("java");
  }

  private Matrix matrix(ElementType type, Layout layout) {
    long bytes = layout.rows() * layout.classes() * type.bytes();
    return new Matrix(arena.allocate(bytes, 64), type, layout);
  }

  private static void fill(Matrix matrix, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    for (long i = 0; i < matrix.rows() * matrix.classes(); i++) {
      double value = random.nextDouble(-4, 4);
      float single = (float) value;
      MemorySegment to = matrix.segment();
      switch (matrix.type()) {
        case FLOAT32 -> to.setAtIndex(ValueLayout.JAVA_FLOAT, i, single);
        case FLOAT64 -> to.setAtIndex(ValueLayout.JAVA_DOUBLE, i, value);
        case FLOAT16 -> to.setAtIndex(ValueLayout.JAVA_SHORT, i, Float.floatToFloat16(single));
        case BFLOAT16 ->
            to.setAtIndex(
                ValueLayout.JAVA_SHORT, i, (short) (Float.floatToRawIntBits(single) >> Short.SIZE));
        case INT32, INT64 -> throw new IllegalArgumentException("type = " + matrix.type());
      }
    }
  }

  @Override
  public void close() {
    arena.close();
  }
}
