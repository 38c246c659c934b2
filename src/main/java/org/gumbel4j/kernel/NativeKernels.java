package org.gumbel4j.kernel;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.stream.Stream;

/**
 * The kernels in C ({@code native/}), called through plain downcalls: they work for long, so none
 * may hold off the garbage collector as a critical call would. Little work goes another way ({@link
 * BriefCalls}).
 */
final class NativeKernels implements Kernels {
  /**
   * GUMBEL4J_ABI_VERSION of the {@code gumbel4j.h} that the descriptors below were written from.
   */
  private static final int ABI_VERSION = 3;

  private static final SymbolLookup LIBRARY = NativeLibrary.load();
  private static final String ISA = checkedIsa();

  /** An operand in a descriptor: its address and three strides. */
  private static final MemoryLayout[] VIEW = {ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG};

  /** One that has a single element a row, or one a class: its address and two strides, or one. */
  private static final MemoryLayout[] ROWS = {ADDRESS, JAVA_LONG, JAVA_LONG};

  private static final MemoryLayout[] COLUMNS = {ADDRESS, JAVA_LONG};
  private static final MemoryLayout[] SHAPE = {JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG};
  private static final MemoryLayout[] PART = {JAVA_INT, JAVA_LONG};
  private static final MemoryLayout[] DRAW = {JAVA_LONG, JAVA_LONG, JAVA_LONG};
  private static final MemoryLayout[] NUMBER = {JAVA_DOUBLE};
  private static final MemoryLayout[] INDEX = {JAVA_LONG};
  private static final MemoryLayout[] POINTER = {ADDRESS};

  private static final MethodHandle WORDS = bind("gumbel4j_words", SHAPE, DRAW, VIEW);
  private static final MethodHandle UNIFORM = bind("gumbel4j_uniform", SHAPE, DRAW, VIEW);
  private static final MethodHandle GUMBEL = bind("gumbel4j_gumbel", SHAPE, DRAW, VIEW);
  private static final MethodHandle SOFT =
      bind("gumbel4j_soft", SHAPE, VIEW, NUMBER, ROWS, DRAW, VIEW);
  private static final MethodHandle HARD = bind("gumbel4j_hard", SHAPE, VIEW, DRAW, VIEW);
  private static final MethodHandle CATEGORICAL =
      bind("gumbel4j_categorical", SHAPE, VIEW, DRAW, ROWS);
  private static final MethodHandle VJP =
      bind("gumbel4j_vjp", SHAPE, VIEW, VIEW, NUMBER, ROWS, VIEW, ROWS);
  private static final MethodHandle PART_PERTURB =
      bind("gumbel4j_part_perturb", PART, COLUMNS, DRAW, COLUMNS, POINTER);
  private static final MethodHandle PART_EXP =
      bind("gumbel4j_part_exp", PART, COLUMNS, NUMBER, NUMBER, DRAW, COLUMNS, POINTER);
  private static final MethodHandle PART_SCALE =
      bind("gumbel4j_part_scale", PART, COLUMNS, NUMBER, NUMBER, NUMBER, DRAW, COLUMNS);
  private static final MethodHandle PART_ARGMAX =
      bind("gumbel4j_part_argmax", PART, COLUMNS, DRAW, POINTER, POINTER);
  private static final MethodHandle PART_ONE_HOT =
      bind("gumbel4j_part_one_hot", PART, INDEX, COLUMNS);
  private static final MethodHandle PART_DOT =
      bind("gumbel4j_part_dot", PART, COLUMNS, COLUMNS, POINTER);
  private static final MethodHandle PART_GRADIENT =
      bind("gumbel4j_part_gradient", PART, COLUMNS, COLUMNS, NUMBER, NUMBER, COLUMNS, POINTER);

  @Override
  public String name() {
    return "native";
  }

  @Override
  public String isa() {
    return ISA;
  }

  @Override
  public long words(Shape shape, Draw draw, Operand out) {
    try {
      return accepted(
          (long)
              WORDS.invokeExact(
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
                  out.classStride()));
    } catch (Throwable failure) {
      throw unexpected(failure);
    }
  }

  @Override
  public long uniform(Shape shape, Draw draw, Operand out) {
    try {
      return accepted(
          (long)
              UNIFORM.invokeExact(
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
                  out.classStride()));
    } catch (Throwable failure) {
      throw unexpected(failure);
    }
  }

  @Override
  public long gumbel(Shape shape, Draw draw, Operand out) {
    try {
      if (BriefCalls.suit(shape)) {
        return accepted(BriefCalls.gumbel(shape, draw, out));
      }
      return accepted(
          (long)
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
                  out.classStride()));
    } catch (Throwable failure) {
      throw unexpected(failure);
    }
  }

  @Override
  public long soft(Shape shape, Operand logits, Temperature tau, Draw draw, Operand out) {
    try {
      if (BriefCalls.suit(shape, out, logits) && BriefCalls.keeps(out, tau.rows())) {
        return accepted(BriefCalls.soft(shape, logits, tau, draw, out));
      }
      return accepted(
          (long)
              SOFT.invokeExact(
                  shape.type(),
                  shape.outer(),
                  shape.inner(),
                  shape.classes(),
                  logits.segment(),
                  logits.outerStride(),
                  logits.innerStride(),
                  logits.classStride(),
                  tau.all(),
                  tau.rows().segment(),
                  tau.rows().outerStride(),
                  tau.rows().innerStride(),
                  draw.seed(),
                  draw.stream(),
                  draw.element(),
                  out.segment(),
                  out.outerStride(),
                  out.innerStride(),
                  out.classStride()));
    } catch (Throwable failure) {
      throw unexpected(failure);
    }
  }

  @Override
  public long hard(Shape shape, Operand logits, Draw draw, Operand out) {
    try {
      if (BriefCalls.suit(shape, out, logits)) {
        return accepted(BriefCalls.hard(shape, logits, draw, out));
      }
      return accepted(
          (long)
              HARD.invokeExact(
                  shape.type(),
                  shape.outer(),
                  shape.inner(),
                  shape.classes(),
                  logits.segment(),
                  logits.outerStride(),
                  logits.innerStride(),
                  logits.classStride(),
                  draw.seed(),
                  draw.stream(),
                  draw.element(),
                  out.segment(),
                  out.outerStride(),
                  out.innerStride(),
                  out.classStride()));
    } catch (Throwable failure) {
      throw unexpected(failure);
    }
  }

  @Override
  public long categorical(Shape shape, Operand logits, Draw draw, Operand out) {
    try {
      if (BriefCalls.suit(shape, out, logits)) {
        return accepted(BriefCalls.categorical(shape, logits, draw, out));
      }
      return accepted(
          (long)
              CATEGORICAL.invokeExact(
                  shape.type(),
                  shape.outer(),
                  shape.inner(),
                  shape.classes(),
                  logits.segment(),
                  logits.outerStride(),
                  logits.innerStride(),
                  logits.classStride(),
                  draw.seed(),
                  draw.stream(),
                  draw.element(),
                  out.segment(),
                  out.outerStride(),
                  out.innerStride()));
    } catch (Throwable failure) {
      throw unexpected(failure);
    }
  }

  @Override
  public long vjp(
      Shape shape,
      Operand sample,
      Operand upstream,
      Temperature tau,
      Operand dlogits,
      Operand dtau) {
    try {
      if (BriefCalls.suit(shape, dlogits, sample)
          && BriefCalls.keeps(dlogits, upstream)
          && BriefCalls.keeps(dlogits, tau.rows())
          && BriefCalls.keeps(dlogits, dtau)) {
        return accepted(BriefCalls.vjp(shape, sample, upstream, tau, dlogits, dtau));
      }
      return accepted(
          (long)
              VJP.invokeExact(
                  shape.type(),
                  shape.outer(),
                  shape.inner(),
                  shape.classes(),
                  sample.segment(),
                  sample.outerStride(),
                  sample.innerStride(),
                  sample.classStride(),
                  upstream.segment(),
                  upstream.outerStride(),
                  upstream.innerStride(),
                  upstream.classStride(),
                  tau.all(),
                  tau.rows().segment(),
                  tau.rows().outerStride(),
                  tau.rows().innerStride(),
                  dlogits.segment(),
                  dlogits.outerStride(),
                  dlogits.innerStride(),
                  dlogits.classStride(),
                  dtau.segment(),
                  dtau.outerStride(),
                  dtau.innerStride()));
    } catch (Throwable failure) {
      throw unexpected(failure);
    }
  }

  @Override
  public boolean partPerturb(
      Shape part, Operand logits, Draw draw, Operand out, MemorySegment top) {
    try {
      return accepted(
              (long)
                  PART_PERTURB.invokeExact(
                      part.type(),
                      part.classes(),
                      logits.segment(),
                      logits.classStride(),
                      draw.seed(),
                      draw.stream(),
                      draw.element(),
                      out.segment(),
                      out.classStride(),
                      top))
          == 1;
    } catch (Throwable failure) {
      throw unexpected(failure);
    }
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
    try {
      accepted(
          (long)
              PART_EXP.invokeExact(
                  part.type(),
                  part.classes(),
                  logits.segment(),
                  logits.classStride(),
                  tau,
                  top,
                  draw.seed(),
                  draw.stream(),
                  draw.element(),
                  out.segment(),
                  out.classStride(),
                  sums));
    } catch (Throwable failure) {
      throw unexpected(failure);
    }
  }

  @Override
  public void partScale(
      Shape part, Operand logits, double tau, double top, double factor, Draw draw, Operand out) {
    try {
      accepted(
          (long)
              PART_SCALE.invokeExact(
                  part.type(),
                  part.classes(),
                  logits.segment(),
                  logits.classStride(),
                  tau,
                  top,
                  factor,
                  draw.seed(),
                  draw.stream(),
                  draw.element(),
                  out.segment(),
                  out.classStride()));
    } catch (Throwable failure) {
      throw unexpected(failure);
    }
  }

  @Override
  public boolean partArgmax(Shape part, Operand logits, Draw draw, MemorySegment best) {
    try {
      return accepted(
              (long)
                  PART_ARGMAX.invokeExact(
                      part.type(),
                      part.classes(),
                      logits.segment(),
                      logits.classStride(),
                      draw.seed(),
                      draw.stream(),
                      draw.element(),
                      best,
                      best.asSlice(Double.BYTES)))
          == 1;
    } catch (Throwable failure) {
      throw unexpected(failure);
    }
  }

  @Override
  public void partOneHot(Shape part, long column, Operand out) {
    try {
      accepted(
          (long)
              PART_ONE_HOT.invokeExact(
                  part.type(), part.classes(), column, out.segment(), out.classStride()));
    } catch (Throwable failure) {
      throw unexpected(failure);
    }
  }

  @Override
  public void partDot(Shape part, Operand sample, Operand upstream, MemorySegment sums) {
    try {
      accepted(
          (long)
              PART_DOT.invokeExact(
                  part.type(),
                  part.classes(),
                  sample.segment(),
                  sample.classStride(),
                  upstream.segment(),
                  upstream.classStride(),
                  sums));
    } catch (Throwable failure) {
      throw unexpected(failure);
    }
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
    try {
      accepted(
          (long)
              PART_GRADIENT.invokeExact(
                  part.type(),
                  part.classes(),
                  sample.segment(),
                  sample.classStride(),
                  upstream.segment(),
                  upstream.classStride(),
                  tau,
                  dot,
                  dlogits.segment(),
                  dlogits.classStride(),
                  sums));
    } catch (Throwable failure) {
      throw unexpected(failure);
    }
  }

  /** Binds a function that takes these arguments and returns an int64. */
  private static MethodHandle bind(String symbol, MemoryLayout[]... arguments) {
    return bind(symbol, arguments, new Linker.Option[0]);
  }

  /** A function of the library that returns a long. */
  static MethodHandle bind(String symbol, MemoryLayout[][] arguments, Linker.Option... options) {
    MemoryLayout[] all = Stream.of(arguments).flatMap(Stream::of).toArray(MemoryLayout[]::new);
    return bind(symbol, FunctionDescriptor.of(JAVA_LONG, all), options);
  }

  @SuppressWarnings("restricted")
  private static MethodHandle bind(
      String symbol, FunctionDescriptor descriptor, Linker.Option... options) {
    MemorySegment address =
        LIBRARY
            .find(symbol)
            .orElseThrow(() -> new UnsatisfiedLinkError("libgumbel4j has no function " + symbol));
    return Linker.nativeLinker().downcallHandle(address, descriptor, options);
  }

  /**
   * Checks the library's ABI version before anything else is bound, and asks for the tier in use.
   */
  @SuppressWarnings("restricted")
  private static String checkedIsa() {
    MethodHandle abiVersion = bind("gumbel4j_abi_version", FunctionDescriptor.of(JAVA_INT));
    MethodHandle isa = bind("gumbel4j_isa", FunctionDescriptor.of(ADDRESS));
    try {
      int found = (int) abiVersion.invokeExact();
      if (found != ABI_VERSION) {
        throw new UnsatisfiedLinkError(
            "libgumbel4j has ABI version "
                + found
                + ", this jar needs "
                + ABI_VERSION
                + "; build both from the same sources");
      }
      return ((MemorySegment) isa.invokeExact()).reinterpret(Long.MAX_VALUE).getString(0);
    } catch (Throwable failure) {
      throw unexpected(failure);
    }
  }

  /**
   * Java checks every argument first, so a refusal by the library means that the two disagree on
   * the contract.
   */
  private static long accepted(long written) {
    if (written < 0) {
      throw new IllegalStateException(
          "libgumbel4j refused arguments that Java had checked (code "
              + written
              + "); please report this");
    }
    return written;
  }

  private static RuntimeException unexpected(Throwable failure) {
    if (failure instanceof Error error) {
      throw error;
    }
    if (failure instanceof RuntimeException runtime) {
      return runtime;
    }
    return new IllegalStateException("a downcall threw a checked exception", failure);
  }
}
