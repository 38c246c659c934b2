package org.gumbel4j.gateway;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import org.gumbel4j.Backend;
import org.gumbel4j.GumbelSoftmax;

/**
 * The main class of the process that Python starts.
 *
 * <p>Its argument is the number of threads. Standard input is a socket. The first line on it is the
 * token that every connection must present. When the server listens, one line back says where:
 *
 * <pre>
 * port=40123 version=0.1.0
 * </pre>
 *
 * <p>No file is written, so a full disk does not matter. The end of standard input ends the process
 * at once: that is how it notices that Python is gone, however Python went.
 */
public final class GatewayMain {
  private static final int LONGEST_TOKEN = 1024;
  private static final int FAILED = 1;

  private GatewayMain() {}

  /**
   * Serves until standard input ends.
   *
   * @param arguments the number of threads
   */
  public static void main(String[] arguments) {
    try {
      serve(arguments);
    } catch (Throwable failure) {
      // Standard error is what Python shows of a start that failed.
      System.err.println("gumbel4j cannot start: " + reason(failure));
      Runtime.getRuntime().halt(FAILED);
    }
  }

  private static void serve(String[] arguments) throws IOException {
    if (arguments.length != 1) {
      throw new IllegalArgumentException(
          "expected one argument, the number of threads; got " + arguments.length);
    }
    int threads = Integer.parseInt(arguments[0]);
    String token = firstLine(System.in);
    Thread.ofPlatform().daemon().name("gumbel4j-end-of-input").start(() -> haltAtEndOf(System.in));
    // A backend that cannot load is a failure to start, so it is loaded before anyone can connect.
    Backend backend = GumbelSoftmax.backend();
    EntryPointServer server = new EntryPointServer(new EntryPoint(threads), token);
    server.start();
    answer("port=" + server.getListeningPort() + " version=" + backend.version() + "\n");
  }

  /** Writes to standard input, which as a socket goes both ways. */
  private static void answer(String line) throws IOException {
    // Not closed: that would close standard input.
    OutputStream back = new FileOutputStream(FileDescriptor.in);
    back.write(line.getBytes(StandardCharsets.UTF_8));
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

  private static void haltAtEndOf(InputStream input) {
    try {
      while (input.read() >= 0) {
        // Python says nothing after the token; only the end matters.
      }
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    } finally {
      // Not exit: shutdown hooks could wait for a kernel that is still running.
      Runtime.getRuntime().halt(0);
    }
  }

  /** One sentence where it says all there is to say; else the whole trace. */
  private static String reason(Throwable failure) {
    Throwable cause = failure;
    while (cause instanceof ExceptionInInitializerError && cause.getCause() != null) {
      cause = cause.getCause();
    }
    if (cause instanceof LinkageError || cause instanceof IllegalArgumentException) {
      return cause.getMessage();
    }
    StringWriter trace = new StringWriter();
    cause.printStackTrace(new PrintWriter(trace));
    return trace.toString();
  }
}
