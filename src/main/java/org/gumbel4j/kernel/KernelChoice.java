package org.gumbel4j.kernel;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.util.function.Supplier;

/**
 * The kernels in use and why they were chosen.
 *
 * @param kernels the kernels
 * @param reason one sentence
 */
public record KernelChoice(Kernels kernels, String reason) {
  /** System property that forces a backend: {@code auto}, {@code native} or {@code java}. */
  public static final String PROPERTY = "gumbel4j.backend";

  private static final String VERSION_RESOURCE = "/META-INF/gumbel4j.version";

  /** The choice of this process, made at the first call. */
  public static KernelChoice active() {
    return Active.CHOICE;
  }

  /** The version of gumbel4j, as the build wrote it. */
  public static String version() {
    try (InputStream resource = KernelChoice.class.getResourceAsStream(VERSION_RESOURCE)) {
      if (resource == null) {
        throw new IllegalStateException(
            VERSION_RESOURCE + " is missing from the class path: build gumbel4j with Maven");
      }
      return new String(resource.readAllBytes(), StandardCharsets.UTF_8).strip();
    } catch (IOException unreadable) {
      throw new UncheckedIOException("cannot read " + VERSION_RESOURCE, unreadable);
    }
  }

  /**
   * The kernels of a backend.
   *
   * @param backend {@code auto}, {@code native} or {@code java}
   * @throws LinkageError if {@code native} cannot be loaded
   */
  public static KernelChoice of(String backend) {
    return choose(backend, NativeKernels::new, System.getLogger(KernelChoice.class.getName()));
  }

  /**
   * As {@link #of}; {@code nativeKernels} loads the native kernels or throws a {@link
   * LinkageError}.
   */
  static KernelChoice choose(
      String backend, Supplier<Kernels> nativeKernels, System.Logger logger) {
    return switch (backend) {
      case "java" -> new KernelChoice(new JavaKernels(), "asked for by name");
      case "native" -> new KernelChoice(nativeKernels.get(), "asked for by name");
      case "auto" -> automatic(nativeKernels, logger);
      default ->
          throw new IllegalArgumentException(
              PROPERTY + " = " + backend + ": must be auto, native or java");
    };
  }

  private static KernelChoice automatic(Supplier<Kernels> nativeKernels, System.Logger logger) {
    try {
      return new KernelChoice(nativeKernels.get(), "the native library loaded");
    } catch (LinkageError unavailable) {
      Throwable cause =
          unavailable instanceof ExceptionInInitializerError ? unavailable.getCause() : unavailable;
      String why = cause.getMessage();
      logger.log(
          Level.WARNING,
          "gumbel4j uses its Java kernels, several times slower than the native ones: {0}. To stay"
              + " with Java and silence this, set -D{1}=java.",
          why,
          PROPERTY);
      return new KernelChoice(new JavaKernels(), "no native library: " + why);
    }
  }

  private static final class Active {
    static final KernelChoice CHOICE = of(System.getProperty(PROPERTY, "auto"));
  }
}
