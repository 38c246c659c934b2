package org.gumbel4j.gateway;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import py4j.Protocol;

/**
 * Lets in the connections that present the token, and keeps strangers from using up anything.
 *
 * <p>A connection has a second to present it, and at most {@value #WAITING_ROOM} may be about to:
 * when one more comes, the one that has waited longest is turned out. The owner presents the token
 * at once, so any number of idle strangers makes room for it. Nothing is read past the length of
 * what the owner would send, and the comparison takes the same time wherever the first difference
 * is. Safe for use from any thread.
 */
final class Doorkeeper {
  private static final int WAITING_ROOM = 32;
  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final byte[] expected;
  private final ArrayDeque<Socket> waiting = new ArrayDeque<>();

  Doorkeeper(String token) {
    expected = (Protocol.AUTH_COMMAND_NAME + "\n" + token + "\n").getBytes(StandardCharsets.UTF_8);
  }

  /** Takes note of a new connection, which {@link #admits} is to be asked about soon. */
  void arrived(Socket socket) {
    Socket longest = null;
    synchronized (waiting) {
      waiting.addLast(socket);
      if (waiting.size() > WAITING_ROOM) {
        longest = waiting.removeFirst();
      }
    }
    if (longest != null) {
      close(longest);
    }
  }

  /** Waits for the token; false if it did not come in time, or something else did. */
  boolean admits(Socket socket) {
    try {
      boolean right = MessageDigest.isEqual(expected, presented(socket));
      if (right) {
        socket.setSoTimeout(0);
        socket
            .getOutputStream()
            .write(Protocol.getOutputVoidCommand().getBytes(StandardCharsets.UTF_8));
      }
      return right;
    } catch (IOException gone) {
      return false; // it left, took too long, or was turned out: no one to tell
    } finally {
      left(socket);
    }
  }

  /** Takes note that a connection waits no more. */
  void left(Socket socket) {
    synchronized (waiting) {
      waiting.remove(socket);
    }
  }

  private byte[] presented(Socket socket) throws IOException {
    long deadline = System.nanoTime() + PATIENCE_NANOS;
    InputStream input = socket.getInputStream();
    byte[] bytes = new byte[expected.length];
    int count = 0;
    while (count < bytes.length) {
      long millis = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
      if (millis <= 0) {
        throw new SocketTimeoutException("no token within a second");
      }
      socket.setSoTimeout((int) millis);
      int read = input.read(bytes, count, bytes.length - count);
      if (read < 0) {
        break;
      }
      count += read;
    }
    return bytes;
  }

  private static void close(Socket socket) {
    try {
      socket.close();
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }
}
