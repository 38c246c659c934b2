package org.gumbel4j.kernel;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.invoke.MethodHandle;

/**
 * Downcalls for little work: a row or a few.
 *
 * <p>A plain downcall takes hold of the arena of every segment that it is given, and tells the
 * virtual machine that its thread is outside; for little work that costs a part of the time. Here
 * all operands are of one arena, which the output's segment alone keeps open, and the work is over
 * before a garbage collector could miss the thread, unless memory must be read from a disk.
 */
final class BriefCalls {
  /** Some microseconds of work on the slowest tier. */
  private static final long MOST_ELEMENTS = 256;

  /** An operand that the output keeps alive: its address and three strides. */
  private static final MemoryLayout[] KEPT = {JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG};

  private static final MemoryLayout[] KEPT_ROWS = {JAVA_LONG, JAVA_LONG, JAVA_LONG};
  private static final MemoryLayout[] OUT = {ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG};
  private static final MemoryLayout[] OUT_ROWS = {ADDRESS, JAVA_LONG, JAVA_LONG};
  private static final MemoryLayout[] SHAPE = {JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG};
  private static final MemoryLayout[] DRAW = {JAVA_LONG, JAVA_LONG, JAVA_LONG};
  private static final MemoryLayout[] NUMBER = {JAVA_DOUBLE};

  private static final MethodHandle GUMBEL = bind("gumbel4j_gumbel", SHAPE, DRAW, OUT);
  private static final MethodHandle SOFT =
      bind("gumbel4j_soft", SHAPE, KEPT, NUMBER, KEPT_ROWS, DRAW, OUT);
  private static final MethodHandle HARD = bind("gumbel4j_hard", SHAPE, KEPT, DRAW, OUT);
  private static final MethodHandle CATEGORICAL =
      bind("gumbel4j_categorical", SHAPE, KEPT, DRAW, OUT_ROWS);
  private static final MethodHandle VJP =
      bind("gumbel4j_vjp", SHAPE, KEPT, KEPT, NUMBER, KEPT_ROWS, OUT, KEPT_ROWS);

  private BriefCalls() {}

  private static MethodHandle bind(String symbol, MemoryLayout[]... arguments) {
    return NativeKernels.bind(symbol, arguments, Linker.Option.critical(false));
  }

  /** Whether work is little enough. */
  static boolean suit(Shape shape) {
    return shape.outer() == 1
        && shape.inner() <= MOST_ELEMENTS
        && shape.inner() * shape.classes() <= MOST_ELEMENTS;
  }

  /** Likewise, and whether the output keeps the other operand alive. */
  static boolean suit(Shape shape, Operand out, Operand other) {
    return suit(shape) && keeps(out, other);
  }

  /** Whether an operand is left out, or of the output's arena. */
  static boolean keeps(Operand out, Operand other) {
    return other.isNone() || other.segment().scope() == out.segment().scope();
  }

  static long gumbel(Shape shape, Draw draw, Operand out) throws Throwable {
    return (long)
        GUMBEL.invokeExact(
            shape.type(),
            shape.outer(),
            shape.inner(),
            shape.classes(),
            draw.seed(),
            draw.stream(),
            draw.element(),
            out.segment(),
            out.outerStride(),
            out.innerStride(),
            out.classStride());
  }

  static long soft(Shape shape, Operand logits, Temperature tau, Draw draw, Operand out)
      throws Throwable {
    return (long)
        SOFT.invokeExact(
            shape.type(),
            shape.outer(),
            shape.inner(),
            shape.classes(),
            logits.segment().address(),
            logits.outerStride(),
            logits.innerStride(),
            logits.classStride(),
            tau.all(),
            tau.rows().segment().address(),
            tau.rows().outerStride(),
            tau.rows().innerStride(),
            draw.seed(),
            draw.stream(),
            draw.element(),
            out.segment(),
            out.outerStride(),
            out.innerStride(),
            out.classStride());
  }

  static long hard(Shape shape, Operand logits, Draw draw, Operand out) throws Throwable {
    return (long)
        HARD.invokeExact(
            shape.type(),
            shape.outer(),
            shape.inner(),
            shape.classes(),
            logits.segment().address(),
            logits.outerStride(),
            logits.innerStride(),
            logits.classStride(),
            draw.seed(),
            draw.stream(),
            draw.element(),
            out.segment(),
            out.outerStride(),
            out.innerStride(),
            out.classStride());
  }

  static long categorical(Shape shape, Operand logits, Draw draw, Operand out) throws Throwable {
    return (long)
        CATEGORICAL.invokeExact(
            shape.type(),
            shape.outer(),
            shape.inner(),
            shape.classes(),
            logits.segment().address(),
            logits.outerStride(),
            logits.innerStride(),
            logits.classStride(),
            draw.seed(),
            draw.stream(),
            draw.element(),
            out.segment(),
            out.outerStride(),
            out.innerStride());
  }

  static long vjp(
      Shape shape, Operand sample, Operand upstream, Temperature tau, Operand dlogits, Operand dtau)
      throws Throwable {
    return (long)
        VJP.invokeExact(
            shape.type(),
            shape.outer(),
            shape.inner(),
            shape.classes(),
            sample.segment().address(),
            sample.outerStride(),
            sample.innerStride(),
            sample.classStride(),
            upstream.segment().address(),
            upstream.outerStride(),
            upstream.innerStride(),
            upstream.classStride(),
            tau.all(),
            tau.rows().segment().address(),
            tau.rows().outerStride(),
            tau.rows().innerStride(),
            dlogits.segment(),
            dlogits.outerStride(),
            dlogits.innerStride(),
            dlogits.classStride(),
            dtau.segment().address(),
            dtau.outerStride(),
            dtau.innerStride());
  }
}
