package org.gumbel4j.gateway;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.gumbel4j.Backend;
import org.gumbel4j.GumbelSoftmax;

/**
 * The main class of the process that Python starts.
 *
 * <p>Arguments: a private directory for the handshake, and the number of threads. The first line of
 * standard input is the token that every connection must present. When the server listens, the file
 * {@code ready} appears in the directory by an atomic rename; it holds port, process id and
 * version. The end of standard input ends the process at once: that is how it notices that Python
 * is gone, however Python went.
 */
public final class GatewayMain {
  private static final String READY = "ready";
  private static final int LONGEST_TOKEN = 1024;

  private GatewayMain() {}

  /**
   * Serves until standard input ends.
   *
   * @param arguments the handshake directory and the number of threads
   * @throws IOException if the token cannot be read or the handshake cannot be written
   */
  public static void main(String[] arguments) throws IOException {
    if (arguments.length != 2) {
      throw new IllegalArgumentException(
          "expected two arguments, the handshake directory and the number of threads; got "
              + arguments.length);
    }
    Path directory = Path.of(arguments[0]);
    int threads = Integer.parseInt(arguments[1]);
    String token = firstLine(System.in);
    Thread.ofPlatform()
        .daemon()
        .name("gumbel4j-end-of-input")
        .start(() -> haltAtEndOf(System.in, directory));
    // A backend that cannot load is a failure to start, so it is loaded before anyone can connect.
    Backend backend = GumbelSoftmax.backend();
    EntryPointServer server = new EntryPointServer(new EntryPoint(threads), token);
    server.start();
    announce(directory, server.getListeningPort(), backend.version());
  }

  private static String firstLine(InputStream input) throws IOException {
    StringBuilder line = new StringBuilder();
    // Byte by byte: a buffering reader would swallow what follows.
    for (int next = input.read(); next != '\n'; next = input.read()) {
      if (next < 0 || line.length() == LONGEST_TOKEN) {
        throw new IOException("the first line of standard input must hold the token");
      }
      line.append((char) next);
    }
    if (line.isEmpty()) {
      throw new IOException("the token on the first line of standard input is empty");
    }
    return line.toString();
  }

  private static void announce(Path directory, int port, String version) throws IOException {
    Path unfinished = directory.resolve(READY + ".part");
    String text =
        "port=" + port + "\npid=" + ProcessHandle.current().pid() + "\nversion=" + version + "\n";
    Files.writeString(unfinished, text, StandardCharsets.UTF_8);
    Files.move(unfinished, directory.resolve(READY), StandardCopyOption.ATOMIC_MOVE);
  }

  private static void haltAtEndOf(InputStream input, Path directory) {
    try {
      while (input.read() >= 0) {
        // Python says nothing after the token; only the end matters.
      }
      removeHandshake(directory);
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    } finally {
      // Not exit: shutdown hooks could wait for a kernel that is still running.
      Runtime.getRuntime().halt(0);
    }
  }

  /** Python removes the directory itself, unless it was killed before it could. */
  private static void removeHandshake(Path directory) throws IOException {
    Files.deleteIfExists(directory.resolve(READY + ".part"));
    Files.deleteIfExists(directory.resolve(READY));
    Files.deleteIfExists(directory);
  }
}
