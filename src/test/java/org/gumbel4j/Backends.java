package org.gumbel4j;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;
import org.gumbel4j.kernel.KernelChoice;

/** The backends that this machine can run. The contract suite runs on each. */
final class Backends {
  private Backends() {}

  /**
   * Says that the build found a C compiler, so that a native library that does not load is a
   * failure and not a skip.
   */
  private static final boolean NATIVE_EXPECTED =
      Backends.class.getResource("/META-INF/native") != null;

  /** The tier that the build caps this process at; the Java backend has none to cap. */
  private static final Optional<String> CAP =
      Optional.ofNullable(System.getenv("GUMBEL4J_MAX_ISA"));

  static Stream<String> names() {
    if (CAP.isPresent()) {
      return Stream.of("native");
    }
    return NATIVE_EXPECTED ? Stream.of("java", "native") : Stream.of("java");
  }

  /**
   * Whether a cap, if there is one, makes a difference: the machine has its tier and a better one.
   */
  static boolean areNew() {
    return CAP.isEmpty()
        || NATIVE_EXPECTED
            && CAP.get().equals(KernelChoice.of("native").kernels().isa())
            && (CAP.get().equals("base") || CAP.get().equals("avx2") && hasAvx512());
  }

  private static boolean hasAvx512() {
    try {
      return Files.readString(Path.of("/proc/cpuinfo")).contains(" avx512f ");
    } catch (IOException unreadable) {
      throw new UncheckedIOException("cannot read which instructions the machine has", unreadable);
    }
  }

  static GumbelSoftmax operators(String name) {
    return GumbelSoftmax.with(KernelChoice.of(name).kernels());
  }
}
