package org.gumbel4j;

import org.gumbel4j.kernel.KernelChoice;

/**
 * The kernels in use, chosen once when they are first needed. The system property {@code
 * gumbel4j.backend} may say {@code auto} (the default: native where it loads, else Java with one
 * logged warning), {@code native} (fail where it does not load) or {@code java}. All backends give
 * the same bits.
 *
 * @param name {@code native} or {@code java}
 * @param isa the instruction-set tier: {@code base}, {@code avx2}, ...; {@code jvm} for the Java
 *     backend
 * @param version the version of gumbel4j
 * @param reason why this backend was chosen, in one sentence
 */
public record Backend(String name, String isa, String version, String reason) {
  static Backend active() {
    KernelChoice choice = KernelChoice.active();
    return new Backend(
        choice.kernels().name(), choice.kernels().isa(), KernelChoice.version(), choice.reason());
  }
}
