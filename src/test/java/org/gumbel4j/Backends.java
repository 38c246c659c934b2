package org.gumbel4j;

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

  static Stream<String> names() {
    return NATIVE_EXPECTED ? Stream.of("java", "native") : Stream.of("java");
  }

  static GumbelSoftmax operators(String name) {
    return GumbelSoftmax.with(KernelChoice.of(name).kernels());
  }
}
