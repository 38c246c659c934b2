package org.gumbel4j.kernel;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Locale;

/**
 * Finds the native library of this platform among the resources and loads it for the life of the
 * process.
 */
final class NativeLibrary {
  private NativeLibrary() {}

  /**
   * Loads the library.
   *
   * @throws UnsatisfiedLinkError if this platform has no library in the jar or it cannot be loaded;
   *     the message says what to do
   */
  static SymbolLookup load() {
    String resource = resource(System.getProperty("os.name"), System.getProperty("os.arch"));
    try (InputStream library = NativeLibrary.class.getResourceAsStream(resource)) {
      if (library == null) {
        throw new UnsatisfiedLinkError(
            "no " + resource + " in the jar; build gumbel4j where a C compiler is installed");
      }
      return load(library);
    } catch (IOException | IllegalArgumentException failure) {
      UnsatisfiedLinkError error =
          new UnsatisfiedLinkError(
              "cannot load "
                  + resource
                  + " through "
                  + System.getProperty("java.io.tmpdir")
                  + " ("
                  + failure.getMessage()
                  + "); give a writable folder that allows executables: -Djava.io.tmpdir, or TMPDIR"
                  + " where Python starts Java");
      error.initCause(failure);
      throw error;
    }
  }

  /** A mapped library needs its file no more, so nothing stays behind on disk. */
  @SuppressWarnings("restricted")
  private static SymbolLookup load(InputStream library) throws IOException {
    Path file = Files.createTempFile("libgumbel4j", ".so");
    try {
      Files.copy(library, file, StandardCopyOption.REPLACE_EXISTING);
      return SymbolLookup.libraryLookup(file, Arena.global());
    } finally {
      Files.delete(file);
    }
  }

  /**
   * The library's place in the jar, such as {@code /META-INF/native/linux-x86_64/libgumbel4j.so}.
   */
  static String resource(String osName, String osArch) {
    String os = osName.toLowerCase(Locale.ROOT).split(" ")[0];
    String arch = osArch.equals("amd64") ? "x86_64" : osArch;
    return "/META-INF/native/" + os + "-" + arch + "/libgumbel4j.so";
  }
}
