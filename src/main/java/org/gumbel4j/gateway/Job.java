package org.gumbel4j.gateway;

import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** One operator call: runs once on any thread, may be awaited and cancelled from others. */
final class Job implements Runnable {
  /**
   * What a job does; it returns its result for Python, and looks at {@code cancelled} now and then
   * and throws {@link CancellationException}.
   */
  @FunctionalInterface
  interface Work {
    String run(BooleanSupplier cancelled);
  }

  private final Work work;
  private final CountDownLatch ended = new CountDownLatch(1);
  private volatile boolean cancelled;
  private volatile String outcome = Reply.RUNNING;

  Job(Work work) {
    this.work = work;
  }

  /** A job that was cancelled before it came. */
  static Job neverStarted() {
    Job job = new Job(cancelled -> "");
    job.end(Reply.CANCELLED);
    return job;
  }

  @Override
  public void run() {
    try {
      end(Reply.done(work.run(() -> cancelled)));
    } catch (CancellationException asked) {
      end(Reply.CANCELLED);
    } catch (Throwable failure) {
      fail(failure);
    }
  }

  /**
   * Ends the job. The failure is not swallowed: whatever it is, it becomes an exception in Python.
   */
  void fail(Throwable failure) {
    end(Reply.failed(failure));
  }

  void cancel() {
    cancelled = true;
  }

  boolean hasEnded() {
    return ended.getCount() == 0;
  }

  /** The outcome, or {@link Reply#RUNNING} if there is none after the given time. */
  String await(long millis) {
    try {
      if (millis > 0) {
        ended.await(millis, TimeUnit.MILLISECONDS);
      }
    } catch (InterruptedException closing) {
      // Py4J interrupts the thread of a connection that it closes: nobody is left to read the
      // answer.
      Thread.currentThread().interrupt();
    }
    return outcome;
  }

  private void end(String reply) {
    outcome = reply;
    ended.countDown();
  }
}
