package org.gumbel4j.gateway;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** An attentive socket says what any other would, awake or asleep. */
class AttentiveSocketTest {
  private Socket client;
  private AttentiveSocket server;
  private InputStream input;

  @BeforeEach
  void connect() throws IOException {
    InetAddress here = InetAddress.getLoopbackAddress();
    server = new AttentiveSocket();
    try (ServerSocket listening =
        new ServerSocket(0, 1, here) {
          @Override
          public Socket accept() throws IOException {
            implAccept(server);
            return server;
          }
        }) {
      client = new Socket(here, listening.getLocalPort());
      listening.accept();
    }
    client.setTcpNoDelay(true);
    input = server.getInputStream();
  }

  @AfterEach
  void close() throws IOException {
    client.close();
    server.close();
  }

  private byte[] next() throws IOException {
    byte[] bytes = new byte[16];
    int count = input.read(bytes, 0, bytes.length);
    return Arrays.copyOf(bytes, Math.max(0, count));
  }

  @Test
  void readsWhatIsThereAndWhatComesLater() throws Exception {
    for (byte round = 0; round < 20; round++) {
      byte[] sent = {round, 1, 2};
      client.getOutputStream().write(sent);
      assertArrayEquals(sent, next());
    }
    // It looks for the next one awake now, gives up, and gets it nonetheless.
    CompletableFuture<byte[]> late = CompletableFuture.supplyAsync(this::nextUnchecked);
    Thread.sleep(20);
    byte[] sent = {7};
    client.getOutputStream().write(sent);
    assertArrayEquals(sent, late.get());
  }

  @Test
  void noticesTheEnd() throws Exception {
    client.getOutputStream().write(1);
    next();
    client.shutdownOutput();
    assertEquals(-1, input.read(new byte[4], 0, 4));
  }

  @Test
  void canBeClosedFromAnotherThread() throws Exception {
    client.getOutputStream().write(1);
    next();
    CompletableFuture<Void> closing =
        CompletableFuture.runAsync(
            () -> {
              try {
                Thread.sleep(20);
                server.close();
              } catch (IOException | InterruptedException failure) {
                throw new AssertionError(failure);
              }
            });
    assertThrows(SocketException.class, () -> input.read(new byte[4], 0, 4));
    closing.get();
  }

  private byte[] nextUnchecked() {
    try {
      return next();
    } catch (IOException failure) {
      throw new AssertionError(failure);
    }
  }
}
