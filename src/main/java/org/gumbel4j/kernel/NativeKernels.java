package org.gumbel4j.kernel;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;

/**
 * The kernels in C ({@code native/}), called through plain downcalls: they work for long, so none
 * may hold off the garbage collector as a critical call would.
 */
final class NativeKernels implements Kernels {
  /**
   * GUMBEL4J_ABI_VERSION of the {@code gumbel4j.h} that the descriptors below were written from.
   */
  private static final int ABI_VERSION = 2;

  private static final SymbolLookup LIBRARY = NativeLibrary.load();
  private static final String ISA = checkedIsa();

  private static final FunctionDescriptor NOISE =
      FunctionDescriptor.of(
          JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, ADDRESS,
          JAVA_LONG);
  private static final FunctionDescriptor SAMPLE =
      FunctionDescriptor.of(
          JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG,
          JAVA_LONG, ADDRESS, JAVA_LONG);

  private static final MethodHandle WORDS = bind("gumbel4j_words", NOISE);
  private static final MethodHandle UNIFORM = bind("gumbel4j_uniform", NOISE);
  private static final MethodHandle GUMBEL = bind("gumbel4j_gumbel", NOISE);
  private static final MethodHandle SOFT =
      bind(
          "gumbel4j_soft",
          FunctionDescriptor.of(
              JAVA_LONG,
              JAVA_INT,
              JAVA_LONG,
              JAVA_LONG,
              ADDRESS,
              JAVA_LONG,
              JAVA_DOUBLE,
              ADDRESS,
              JAVA_LONG,
              JAVA_LONG,
              JAVA_LONG,
              JAVA_LONG,
              ADDRESS,
              JAVA_LONG));
  private static final MethodHandle HARD = bind("gumbel4j_hard", SAMPLE);
  private static final MethodHandle CATEGORICAL = bind("gumbel4j_categorical", SAMPLE);
  private static final MethodHandle VJP =
      bind(
          "gumbel4j_vjp",
          FunctionDescriptor.of(
              JAVA_LONG,
              JAVA_INT,
              JAVA_LONG,
              JAVA_LONG,
              ADDRESS,
              JAVA_LONG,
              ADDRESS,
              JAVA_LONG,
              JAVA_DOUBLE,
              ADDRESS,
              JAVA_LONG,
              ADDRESS,
              JAVA_LONG,
              ADDRESS,
              JAVA_LONG));

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
                  shape.rows(),
                  shape.classes(),
                  draw.seed(),
                  draw.stream(),
                  draw.element() / shape.classes(),
                  out.segment(),
                  out.innerStride()));
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
                  shape.rows(),
                  shape.classes(),
                  draw.seed(),
                  draw.stream(),
                  draw.element() / shape.classes(),
                  out.segment(),
                  out.innerStride()));
    } catch (Throwable failure) {
      throw unexpected(failure);
    }
  }

  @Override
  public long gumbel(Shape shape, Draw draw, Operand out) {
    try {
      return accepted(
          (long)
              GUMBEL.invokeExact(
                  shape.type(),
                  shape.rows(),
                  shape.classes(),
                  draw.seed(),
                  draw.stream(),
                  draw.element() / shape.classes(),
                  out.segment(),
                  out.innerStride()));
    } catch (Throwable failure) {
      throw unexpected(failure);
    }
  }

  @Override
  public long soft(Shape shape, Operand logits, Temperature tau, Draw draw, Operand out) {
    try {
      return accepted(
          (long)
              SOFT.invokeExact(
                  shape.type(),
                  shape.rows(),
                  shape.classes(),
                  logits.segment(),
                  logits.innerStride(),
                  tau.all(),
                  tau.rows().segment(),
                  tau.rows().innerStride(),
                  draw.seed(),
                  draw.stream(),
                  draw.element() / shape.classes(),
                  out.segment(),
                  out.innerStride()));
    } catch (Throwable failure) {
      throw unexpected(failure);
    }
  }

  @Override
  public long hard(Shape shape, Operand logits, Draw draw, Operand out) {
    try {
      return accepted(
          (long)
              HARD.invokeExact(
                  shape.type(),
                  shape.rows(),
                  shape.classes(),
                  logits.segment(),
                  logits.innerStride(),
                  draw.seed(),
                  draw.stream(),
                  draw.element() / shape.classes(),
                  out.segment(),
                  out.innerStride()));
    } catch (Throwable failure) {
      throw unexpected(failure);
    }
  }

  @Override
  public long categorical(Shape shape, Operand logits, Draw draw, Operand out) {
    try {
      return accepted(
          (long)
              CATEGORICAL.invokeExact(
                  shape.type(),
                  shape.rows(),
                  shape.classes(),
                  logits.segment(),
                  logits.innerStride(),
                  draw.seed(),
                  draw.stream(),
                  draw.element() / shape.classes(),
                  out.segment(),
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
      return accepted(
          (long)
              VJP.invokeExact(
                  shape.type(),
                  shape.rows(),
                  shape.classes(),
                  sample.segment(),
                  sample.innerStride(),
                  upstream.segment(),
                  upstream.innerStride(),
                  tau.all(),
                  tau.rows().segment(),
                  tau.rows().innerStride(),
                  dlogits.segment(),
                  dlogits.innerStride(),
                  dtau.segment(),
                  dtau.innerStride()));
    } catch (Throwable failure) {
      throw unexpected(failure);
    }
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

  @SuppressWarnings("restricted")
  private static MethodHandle bind(String symbol, FunctionDescriptor descriptor) {
    MemorySegment address =
        LIBRARY
            .find(symbol)
            .orElseThrow(() -> new UnsatisfiedLinkError("libgumbel4j has no function " + symbol));
    return Linker.nativeLinker().downcallHandle(address, descriptor);
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
