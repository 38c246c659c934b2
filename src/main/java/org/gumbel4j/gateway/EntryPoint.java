package org.gumbel4j.gateway;

import java.io.IOException;
import java.util.concurrent.ForkJoinPool;
import java.util.function.Function;
import org.gumbel4j.Backend;
import org.gumbel4j.GumbelSoftmax;

/**
 * The one object that Python can call: numbers and strings in, a {@link Reply} in text out. No
 * method throws.
 *
 * <p>Every method may be called twice with the same arguments and then gives the same result as
 * once, because Python sends a request again when a connection breaks. Safe for use from any
 * thread.
 */
public final class EntryPoint {
  /**
   * How long {@link #submit} and {@link #await} hold a connection, so that Python stays responsive.
   */
  private static final long LONGEST_WAIT_MILLIS = 200;

  private final int threads;
  private final Segments segments = new Segments();
  private final Jobs jobs = new Jobs();
  private final GumbelSoftmax sampler;

  EntryPoint(int threads) {
    if (threads < 1) {
      throw new IllegalArgumentException("threads = " + threads + ": must be at least 1");
    }
    this.threads = threads;
    this.sampler =
        threads == 1 ? GumbelSoftmax.onCallerThread() : GumbelSoftmax.on(new ForkJoinPool(threads));
  }

  /**
   * What runs here.
   *
   * @return done, with lines of {@code name=value}
   */
  public String describe() {
    Backend backend = GumbelSoftmax.backend();
    return Reply.done(
        String.join(
            "\n",
            "version=" + backend.version(),
            "backend=" + backend.name(),
            "isa=" + backend.isa(),
            "reason=" + backend.reason().replace('\n', ' '),
            "java=" + System.getProperty("java.version"),
            "vendor=" + System.getProperty("java.vendor"),
            "threads=" + threads));
  }

  /**
   * Reads the first eight bytes of a file, so that Python can find out which kind of shared memory
   * reaches this process.
   *
   * @param path the file
   * @return done, with the bytes as a signed decimal number in native order
   */
  public String probe(String path) {
    try {
      return Reply.done(Long.toString(Segments.firstLong(path)));
    } catch (IOException | RuntimeException refused) {
      return Reply.failed(refused);
    }
  }

  /**
   * Maps a file that Python has made and filled to its full size.
   *
   * @param segment the number that calls will name it by
   * @param path the file
   * @param bytes its size
   * @return done
   */
  public String map(long segment, String path, long bytes) {
    try {
      segments.map(segment, path, bytes);
      return Reply.done("");
    } catch (IOException | RuntimeException | OutOfMemoryError refused) {
      return Reply.failed(refused);
    }
  }

  /**
   * Gives mappings back. Python calls this when no job uses them any more; unknown numbers are
   * passed over.
   *
   * @param list segment numbers, separated by commas
   * @return done
   */
  public String unmap(String list) {
    try {
      for (String segment : list.split(",")) {
        segments.unmap(Long.parseLong(segment));
      }
      return Reply.done("");
    } catch (RuntimeException refused) {
      return Reply.failed(refused);
    }
  }

  /**
   * Starts a job, unless one of this number is known, and waits for its end for a short while.
   *
   * @param job a number that Python has never used before
   * @param operator a name in {@link Operators}
   * @param arguments as {@link Arguments} reads them; with {@code calls} among them, a {@link
   *     Batch}
   * @return done, running, cancelled or failed
   */
  public String submit(long job, String operator, String arguments) {
    return start(
        job,
        operator,
        arguments,
        1,
        call -> {
          call.run();
          return "";
        });
  }

  /**
   * As {@link #submit}, to measure an operator: calls it several times in a row.
   *
   * @param job a number that Python has never used before
   * @param operator a name in {@link Operators}
   * @param arguments as {@link Arguments} reads them
   * @param calls how often it is called
   * @return done with the nanoseconds that all calls together took, running, cancelled or failed
   */
  public String time(long job, String operator, String arguments, int calls) {
    return start(
        job,
        operator,
        arguments,
        calls,
        call -> {
          long begin = System.nanoTime();
          for (int i = 0; i < calls; i++) {
            call.run();
          }
          return Long.toString(System.nanoTime() - begin);
        });
  }

  private String start(
      long job, String operator, String arguments, int calls, Function<Runnable, String> how) {
    try {
      Arguments parsed = new Arguments(arguments, segments);
      Operators.Operator named = Operators.named(operator);
      boolean isBatch = parsed.isMatrix(Batch.CALLS);
      Operators.Operator work = isBatch ? new Batch(named) : named;
      jobs.start(
          job,
          calls * (isBatch ? Batch.weight(parsed) : parsed.elements()),
          cancelled -> {
            GumbelSoftmax cancellable = sampler.until(cancelled);
            return how.apply(() -> work.run(cancellable, parsed));
          });
    } catch (RuntimeException refused) {
      return Reply.failed(refused);
    }
    return await(job, LONGEST_WAIT_MILLIS);
  }

  /**
   * Waits for the end of a job for a short while.
   *
   * @param job its number
   * @param millis how long to wait, in milliseconds; at most 200 are waited
   * @return done, running, cancelled or failed
   */
  public String await(long job, long millis) {
    return jobs.await(job, Math.min(millis, LONGEST_WAIT_MILLIS));
  }

  /**
   * Asks a job to end soon; a job of this number that arrives later never starts.
   *
   * @param job its number
   * @return its state: done, running, cancelled or failed
   */
  public String cancel(long job) {
    return jobs.cancel(job);
  }
}
