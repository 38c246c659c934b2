package org.gumbel4j.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Jobs run once, can be awaited and cancelled, and tell how they ended. */
@Timeout(20)
class JobsTest {
  private static final long SMALL = 1;
  private static final long LARGE = 1L << 40;
  private static final long LONG_WAIT = 10_000;

  private final Jobs jobs = new Jobs();

  @Test
  void smallWorkIsDoneBeforeStartReturns() {
    AtomicInteger runs = new AtomicInteger();
    jobs.start(1, SMALL, cancelled -> "ran " + runs.incrementAndGet());
    assertEquals(1, runs.get());
    assertEquals("done\tran 1", jobs.await(1, 0));
  }

  @Test
  void startingAgainRunsNothing() {
    AtomicInteger runs = new AtomicInteger();
    jobs.start(1, SMALL, cancelled -> "ran " + runs.incrementAndGet());
    jobs.start(1, SMALL, cancelled -> "ran " + runs.incrementAndGet());
    assertEquals(1, runs.get());
    assertEquals("done\tran 1", jobs.await(1, 0));
  }

  @Test
  void largeWorkGoesOnWhileItIsAwaitedInSlices() {
    CountDownLatch mayEnd = new CountDownLatch(1);
    jobs.start(1, LARGE, cancelled -> waitFor(mayEnd));
    assertEquals(Reply.RUNNING, jobs.await(1, 5));
    mayEnd.countDown();
    assertEquals("done\t", jobs.await(1, LONG_WAIT));
  }

  @Test
  void cancelledWorkEndsWhenItLooks() {
    jobs.start(
        1,
        LARGE,
        cancelled -> {
          while (!cancelled.getAsBoolean()) {
            Thread.onSpinWait();
          }
          throw new CancellationException();
        });
    jobs.cancel(1);
    assertEquals(Reply.CANCELLED, jobs.await(1, LONG_WAIT));
  }

  @Test
  void jobCancelledBeforeItComesNeverStarts() {
    AtomicInteger runs = new AtomicInteger();
    assertEquals(Reply.CANCELLED, jobs.cancel(1));
    jobs.start(1, SMALL, cancelled -> "ran " + runs.incrementAndGet());
    assertEquals(0, runs.get());
    assertEquals(Reply.CANCELLED, jobs.await(1, 0));
  }

  @Test
  void cancellingWhatHasEndedChangesNothing() {
    jobs.start(1, SMALL, cancelled -> "");
    assertEquals("done\t", jobs.cancel(1));
  }

  @Test
  void workForWhichThereIsNoThreadFails() {
    Jobs withoutThreads =
        new Jobs(
            job -> {
              throw new OutOfMemoryError("unable to create native thread");
            });
    withoutThreads.start(1, LARGE, cancelled -> "");
    assertEquals(
        "failed\tmemory\t-1\tJava: unable to create native thread",
        withoutThreads.await(1, LONG_WAIT));
  }

  @Test
  void failuresOfEveryKindReachTheCaller() {
    assertEquals(
        "failed\targument\t-1\ttau = -1", outcome(new IllegalArgumentException("tau = -1")));
    assertEquals(
        "failed\targument\t-1\ttoo small", outcome(new IndexOutOfBoundsException("too small")));
    assertEquals("failed\tmemory\t-1\tJava: no space", outcome(new OutOfMemoryError("no space")));
    assertEquals(
        "failed\tinternal\t-1\tJava: java.lang.InternalError: a fault",
        outcome(new InternalError("a fault")));
  }

  @Test
  void failureInAnotherThreadReachesTheCaller() {
    jobs.start(
        1,
        LARGE,
        cancelled -> {
          throw new IllegalStateException("closed");
        });
    assertEquals(
        "failed\tinternal\t-1\tJava: java.lang.IllegalStateException: closed",
        jobs.await(1, LONG_WAIT));
  }

  @Test
  void unknownJobIsAFailure() {
    assertTrue(jobs.await(99, 0).startsWith("failed\tinternal\t-1\t"));
  }

  @Test
  void endedJobsAreForgottenInTheEndButRunningOnesAreNot() {
    CountDownLatch mayEnd = new CountDownLatch(1);
    jobs.start(0, LARGE, cancelled -> waitFor(mayEnd));
    for (long id = 1; id <= 10_000; id++) {
      jobs.start(id, SMALL, cancelled -> "");
    }
    assertTrue(jobs.await(1, 0).startsWith("failed"));
    assertEquals("done\t", jobs.await(10_000, 0));
    assertEquals(Reply.RUNNING, jobs.await(0, 0));
    mayEnd.countDown();
    assertEquals("done\t", jobs.await(0, LONG_WAIT));
  }

  private String outcome(Throwable failure) {
    Job job = new Job(cancelled -> raise(failure));
    job.run();
    return job.await(0);
  }

  private static String raise(Throwable failure) {
    switch (failure) {
      case RuntimeException unchecked -> throw unchecked;
      case Error error -> throw error;
      default -> throw new AssertionError(failure);
    }
  }

  private static String waitFor(CountDownLatch latch) {
    try {
      latch.await();
      return "";
    } catch (InterruptedException stopped) {
      throw new IllegalStateException(stopped);
    }
  }
}
