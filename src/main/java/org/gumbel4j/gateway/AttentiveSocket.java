package org.gumbel4j.gateway;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A socket that, while one request follows the other, looks for the next one for a moment before
 * its thread goes to sleep: on many machines waking up takes longer than a small call.
 *
 * <p>It does so only if the request before came soon after its answer, never where there is one
 * processor, and only as many connections at once as leave one processor free. A connection on
 * which nothing happens takes no time.
 */
final class AttentiveSocket extends Socket {
  /** How long it looks; what comes later is waited for asleep. */
  private static final long ATTENTION_NANOS = 100_000;

  /** A request that came within this time, which includes waking up, was one of several. */
  private static final long SOON_NANOS = 500_000;

  private static final AtomicInteger PLACES =
      new AtomicInteger(Runtime.getRuntime().availableProcessors() - 1);

  @Override
  public InputStream getInputStream() throws IOException {
    return new AttentiveStream(super.getInputStream());
  }

  private static final class AttentiveStream extends FilterInputStream {
    private boolean isOneOfSeveral;

    AttentiveStream(InputStream input) {
      super(input);
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      long began = System.nanoTime();
      if (isOneOfSeveral) {
        look(began);
      }
      int count = in.read(bytes, offset, length);
      isOneOfSeveral = System.nanoTime() - began < SOON_NANOS;
      return count;
    }

    /** Waits awake until something has come, or for too long; the end of the stream is not seen. */
    private void look(long began) throws IOException {
      try {
        if (PLACES.getAndDecrement() > 0) {
          while (in.available() == 0 && System.nanoTime() - began < ATTENTION_NANOS) {
            Thread.yield();
          }
        }
      } finally {
        PLACES.getAndIncrement();
      }
    }
  }
}
