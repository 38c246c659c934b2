package org.gumbel4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How rows are split, stopped and failed. */
class RowSlicesTest {
  private static final long LARGE_ROW = 1 << 16; // a slice of its own

  private final ForkJoinPool pool = new ForkJoinPool(3);
  private final RowSlices onPool = new RowSlices(new Workers(Optional.of(pool), Workers.NEVER));

  @AfterEach
  void closePool() {
    pool.close();
  }

  /** Runs over rows that may be split anywhere. */
  private static long run(RowSlices slices, long rows, long classes, RowSlices.Body body) {
    return slices.run(rows, rows, classes, false, body);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 4, 25, 250, 1000})
  void everyRowIsWrittenOnceInWholeGroupsOrWithinOne(long groupRows) {
    for (boolean sideBySide : new boolean[] {false, true}) {
      AtomicIntegerArray visits = new AtomicIntegerArray(1000);
      long written =
          onPool.run(
              1000,
              groupRows,
              LARGE_ROW / 20,
              sideBySide,
              (first, count, inner) -> {
                assertEquals(0, count % inner);
                boolean wholeGroups = inner == groupRows && first % groupRows == 0;
                boolean withinOne = first / groupRows == (first + count - 1) / groupRows;
                assertTrue(wholeGroups || withinOne, first + " " + count + " " + inner);
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
  }

  @Test
  void smallWorkIsOneSlice() {
    assertTrue(onPool.isOne(10, 100));
    assertTrue(onPool.isOne(0, LARGE_ROW));
    assertFalse(onPool.isOne(2, LARGE_ROW));
    RowSlices alone = new RowSlices(new Workers(Optional.empty(), Workers.NEVER));
    assertTrue(alone.isOne(1000, LARGE_ROW));
    RowSlices cancellable = new RowSlices(new Workers(Optional.empty(), () -> false));
    assertFalse(cancellable.isOne(1000, LARGE_ROW));
  }

  @Test
  void theFirstRefusedRowIsReported() {
    for (int repeat = 0; repeat < 50; repeat++) {
      long written =
          run(
              onPool,
              300,
              LARGE_ROW,
              (first, count, inner) -> first == 40 || first == 41 || first == 7 ? 0 : count);
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
      RowSlices cancellable = new RowSlices(new Workers(where, stop::get));
      assertThrows(
          CancellationException.class,
          () ->
              run(
                  cancellable,
                  100_000,
                  LARGE_ROW,
                  (first, count, inner) -> {
                    stop.set(slices.incrementAndGet() >= 5);
                    return count;
                  }));
      assertTrue(slices.get() < 20, slices + " slices ran after the stop");
    }
  }

  @Test
  void aWorkersFailureReachesTheCaller() {
    for (int repeat = 0; repeat < 50; repeat++) {
      IllegalStateException failure =
          assertThrows(
              IllegalStateException.class,
              () ->
                  run(
                      onPool,
                      1000,
                      LARGE_ROW,
                      (first, count, inner) -> {
                        if (first == 13) {
                          throw new IllegalStateException("row 13 broke");
                        }
                        return count;
                      }));
      assertEquals("row 13 broke", failure.getMessage());
    }
    long written = run(onPool, 5, LARGE_ROW, (first, count, inner) -> count);
    assertEquals(5, written, "the pool still works");
  }
}
