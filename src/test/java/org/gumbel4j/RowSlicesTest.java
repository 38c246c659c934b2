package org.gumbel4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ForkJoinWorkerThread;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** How rows are split, stopped and failed. */
class RowSlicesTest {
  private static final long LARGE_ROW = 1 << 16; // a slice of its own

  private final ForkJoinPool pool = new ForkJoinPool(3);
  private final RowSlices onPool = new RowSlices(Optional.of(pool), RowSlices.NEVER);

  @AfterEach
  void closePool() {
    pool.close();
  }

  @Test
  void everyRowIsWrittenOnce() {
    AtomicIntegerArray visits = new AtomicIntegerArray(1000);
    long written =
        onPool.run(
            1000,
            LARGE_ROW / 7,
            (first, count) -> {
              for (long row = first; row < first + count; row++) {
                visits.incrementAndGet((int) row);
              }
              return count;
            });
    assertEquals(1000, written);
    for (int row = 0; row < 1000; row++) {
      assertEquals(1, visits.get(row), "row " + row);
    }
  }

  @Test
  void smallWorkStaysOnTheCallersThread() {
    onPool.run(
        10,
        100,
        (first, count) -> {
          assertEquals(10, count);
          assertTrue(!(Thread.currentThread() instanceof ForkJoinWorkerThread));
          return count;
        });
  }

  @Test
  void largeWorkUsesThePool() {
    ConcurrentHashMap<Thread, Boolean> threads = new ConcurrentHashMap<>();
    onPool.run(
        64,
        LARGE_ROW,
        (first, count) -> {
          threads.put(Thread.currentThread(), true);
          return count;
        });
    assertTrue(!threads.containsKey(Thread.currentThread()), "the caller did pool work");
  }

  @Test
  void theFirstRefusedRowIsReported() {
    for (int repeat = 0; repeat < 50; repeat++) {
      long written =
          onPool.run(
              300,
              LARGE_ROW,
              (first, count) -> first == 40 || first == 41 || first == 7 ? 0 : count);
      assertEquals(7, written);
    }
  }

  @Test
  void cancellingStopsBetweenSlices() {
    AtomicBoolean stop = new AtomicBoolean();
    AtomicLong slices = new AtomicLong();
    for (Optional<ForkJoinPool> where :
        List.of(Optional.of(pool), Optional.<ForkJoinPool>empty())) {
      stop.set(false);
      slices.set(0);
      RowSlices cancellable = new RowSlices(where, stop::get);
      assertThrows(
          CancellationException.class,
          () ->
              cancellable.run(
                  100_000,
                  LARGE_ROW,
                  (first, count) -> {
                    stop.set(slices.incrementAndGet() >= 5);
                    return count;
                  }));
      assertTrue(slices.get() < 20, slices + " slices ran after the stop");
    }
  }

  @Test
  void aWorkersFailureReachesTheCaller() {
    IllegalStateException failure =
        assertThrows(
            IllegalStateException.class,
            () ->
                onPool.run(
                    1000,
                    LARGE_ROW,
                    (first, count) -> {
                      if (first == 13) {
                        throw new IllegalStateException("row 13 broke");
                      }
                      return count;
                    }));
    assertTrue(failure.toString().contains("row 13 broke"), failure.toString());
    assertEquals(5, onPool.run(5, LARGE_ROW, (first, count) -> count), "the pool still works");
  }
}
