package org.gumbel4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Who does the work of a call. */
class WorkersTest {
  @Test
  void theCallerAndThePoolWorkTogether() {
    try (ForkJoinPool pool = new ForkJoinPool(3)) {
      Set<Thread> threads = ConcurrentHashMap.newKeySet();
      CountDownLatch allCame = new CountDownLatch(3);
      Runnable work =
          () -> {
            threads.add(Thread.currentThread());
            allCame.countDown();
            awaitQuietly(allCame);
          };
      workers(pool).run(3, work, work);
      assertEquals(3, threads.size());
      assertTrue(threads.contains(Thread.currentThread()));
    }
  }

  @Test
  void aBusyPoolHoldsNothingUpAndItsHelpComesTooLate() {
    try (ForkJoinPool pool = new ForkJoinPool(1)) {
      CountDownLatch busy = new CountDownLatch(1);
      pool.execute(() -> awaitQuietly(busy));
      AtomicInteger helped = new AtomicInteger();
      AtomicBoolean led = new AtomicBoolean();
      workers(pool).run(2, () -> led.set(true), helped::incrementAndGet);
      assertTrue(led.get());
      busy.countDown();
      pool.submit(() -> {}).join(); // behind the one who came too late
      assertEquals(0, helped.get());
    }
  }

  @Test
  void aCallFromThePoolItselfIsNoDeadlock() {
    try (ForkJoinPool pool = new ForkJoinPool(2)) {
      Runnable nested = () -> workers(pool).run(2, () -> {}, () -> {});
      pool.submit(() -> workers(pool).run(2, nested, nested)).join();
    }
  }

  @Test
  void theCallReturnsWhenItsHelpersHaveEnded() {
    try (ForkJoinPool pool = new ForkJoinPool(2)) {
      for (int repeat = 0; repeat < 200; repeat++) {
        AtomicInteger atWork = new AtomicInteger();
        CountDownLatch helperCame = new CountDownLatch(1);
        workers(pool)
            .run(
                2,
                () -> awaitQuietly(helperCame),
                () -> {
                  atWork.incrementAndGet();
                  helperCame.countDown();
                  Thread.yield();
                  atWork.decrementAndGet();
                });
        assertEquals(0, atWork.get());
      }
    }
  }

  @Test
  void failuresOfEitherSideReachTheCaller() {
    try (ForkJoinPool pool = new ForkJoinPool(2)) {
      CountDownLatch thrown = new CountDownLatch(1);
      Runnable fail =
          () -> {
            thrown.countDown();
            throw new IllegalStateException("broke");
          };
      Runnable wait = () -> awaitQuietly(thrown);
      assertThrows(IllegalStateException.class, () -> workers(pool).run(2, wait, fail));
      assertThrows(IllegalStateException.class, () -> workers(pool).run(2, fail, () -> {}));
      assertThrows(
          StackOverflowError.class,
          () ->
              workers(pool)
                  .run(
                      2,
                      () -> {
                        throw new StackOverflowError();
                      },
                      () -> {}));
    }
  }

  /** Else they, and the caller, would wait for ever. */
  @Test
  @Timeout(20)
  void helpersThatCameAreLedThoughThePoolTakesNoMore() {
    AtomicInteger asked = new AtomicInteger();
    CountDownLatch came = new CountDownLatch(1);
    CountDownLatch led = new CountDownLatch(1);
    try (ForkJoinPool pool =
        new ForkJoinPool(3) {
          @Override
          public void execute(Runnable task) {
            if (asked.incrementAndGet() > 1) {
              awaitQuietly(came);
              throw new RejectedExecutionException("no more");
            }
            super.execute(task);
          }
        }) {
      Runnable help =
          () -> {
            came.countDown();
            awaitQuietly(led);
          };
      assertThrows(
          RejectedExecutionException.class, () -> workers(pool).run(3, led::countDown, help));
    }
  }

  @Test
  void aPoolThatIsShutDownIsAnError() {
    ForkJoinPool pool = new ForkJoinPool(2);
    pool.close();
    assertThrows(RejectedExecutionException.class, () -> workers(pool).run(2, () -> {}, () -> {}));
  }

  private static Workers workers(ForkJoinPool pool) {
    return new Workers(Optional.of(pool), Workers.NEVER);
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException unexpected) {
      throw new IllegalStateException(unexpected);
    }
  }
}
