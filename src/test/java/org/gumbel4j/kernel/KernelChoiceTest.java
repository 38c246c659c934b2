package org.gumbel4j.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.text.MessageFormat;
import java.util.ArrayList;
import java.util.List;
import java.util.ResourceBundle;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** How a backend is chosen, without needing a native library. */
class KernelChoiceTest {
  private static final Supplier<Kernels> MISSING =
      () -> {
        throw new UnsatisfiedLinkError("no library for this platform");
      };

  private final Recorder logger = new Recorder();

  @Test
  void autoTakesNativeWhereItLoads() {
    Kernels loaded = new JavaKernels();
    assertEquals(loaded, KernelChoice.choose("auto", () -> loaded, logger).kernels());
  }

  @Test
  void autoFallsBackWithOneWarningThatSaysWhyAndWhatToDo() {
    KernelChoice choice = KernelChoice.choose("auto", MISSING, logger);
    assertEquals("java", choice.kernels().name());
    assertTrue(choice.reason().contains("no library for this platform"), choice.reason());
    assertEquals(1, logger.warnings.size());
    String message = logger.warnings.get(0);
    assertTrue(message.contains("no library for this platform"), message);
    assertTrue(message.contains("-Dgumbel4j.backend=java"), message);
  }

  @Test
  void aForcedBackendThatCannotLoadThrows() {
    assertThrows(UnsatisfiedLinkError.class, () -> KernelChoice.choose("native", MISSING, logger));
  }

  @Test
  void javaNeverTouchesTheLibrary() {
    assertEquals("java", KernelChoice.choose("java", MISSING, logger).kernels().name());
  }

  @Test
  void unknownNamesAreRefused() {
    String message =
        assertThrows(
                IllegalArgumentException.class, () -> KernelChoice.choose("gpu", MISSING, logger))
            .getMessage();
    assertEquals("gumbel4j.backend = gpu: must be auto, native or java", message);
  }

  @Test
  void librariesAreNamedByPlatform() {
    assertEquals(
        "/META-INF/native/linux-x86_64/libgumbel4j.so", NativeLibrary.resource("Linux", "amd64"));
    assertEquals(
        "/META-INF/native/linux-aarch64/libgumbel4j.so",
        NativeLibrary.resource("Linux", "aarch64"));
  }

  @Test
  void theVersionComesFromTheBuild() {
    assertTrue(KernelChoice.version().matches("\\d+\\.\\d+\\.\\d+.*"), KernelChoice.version());
  }

  private static final class Recorder implements System.Logger {
    private final List<String> warnings = new ArrayList<>();

    @Override
    public String getName() {
      return "recorder";
    }

    @Override
    public boolean isLoggable(Level level) {
      return level == Level.WARNING;
    }

    @Override
    public void log(Level level, ResourceBundle bundle, String message, Throwable thrown) {
      warnings.add(message);
    }

    @Override
    public void log(Level level, ResourceBundle bundle, String format, Object... values) {
      assertEquals(Level.WARNING, level);
      warnings.add(MessageFormat.format(format, values));
    }
  }
}
