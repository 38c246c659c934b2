package org.gumbel4j;

import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ForkJoinTask;
import java.util.concurrent.RecursiveAction;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;

/**
 * Runs an operator over the rows of a matrix in slices: on the caller's thread, or on a pool's
 * threads. Rows do not depend on each other, so the split changes no bit.
 */
record RowSlices(Optional<ForkJoinPool> pool, BooleanSupplier cancelled) {
  static final BooleanSupplier NEVER = () -> false;

  /**
   * Long enough to hide the cost of handing a slice out, short enough to cancel within
   * milliseconds.
   */
  private static final long SLICE_ELEMENTS = 1 << 16;

  /**
   * An operator on a range of rows; returns how many rows it wrote, fewer than {@code count} at a
   * row it refuses.
   */
  @FunctionalInterface
  interface Body {
    long write(long firstRow, long count);
  }

  /** Runs over all rows of a matrix; returns their number, or the first row that was refused. */
  long run(Matrix matrix, Body body) {
    return run(matrix.rows(), matrix.classes(), body);
  }

  long run(long rows, long classes, Body body) {
    long rowsPerSlice = Math.max(1, SLICE_ELEMENTS / classes);
    stopIfCancelled();
    if (rows <= rowsPerSlice || pool.isEmpty() && cancelled == NEVER) {
      return body.write(0, rows);
    }
    Slices slices = new Slices(rows, rowsPerSlice, body);
    if (pool.isEmpty()) {
      slices.work();
    } else {
      long workers = Math.min(pool.get().getParallelism(), slices.count());
      pool.get().invoke(new AllWorkers(slices, (int) workers));
    }
    return slices.written();
  }

  private void stopIfCancelled() {
    if (cancelled.getAsBoolean()) {
      throw new CancellationException("cancelled by the caller; the output is incomplete");
    }
  }

  /**
   * Slices are handed out in order, and one that was handed out is finished, so the first refused
   * row is always found.
   */
  private final class Slices {
    private final long rows;
    private final long rowsPerSlice;
    private final Body body;
    private final AtomicLong next = new AtomicLong();
    private final AtomicLong refused;

    Slices(long rows, long rowsPerSlice, Body body) {
      this.rows = rows;
      this.rowsPerSlice = rowsPerSlice;
      this.body = body;
      this.refused = new AtomicLong(rows);
    }

    long count() {
      return (rows - 1) / rowsPerSlice + 1;
    }

    long written() {
      return refused.get();
    }

    void work() {
      while (next.get() < refused.get()) {
        stopIfCancelled();
        long from = next.getAndAdd(rowsPerSlice);
        if (from >= rows) {
          return;
        }
        long count = Math.min(rowsPerSlice, rows - from);
        long written = write(from, count);
        if (written < count) {
          refused.accumulateAndGet(from + written, Math::min);
        }
      }
    }

    private long write(long from, long count) {
      boolean finished = false;
      try {
        long written = body.write(from, count);
        finished = true;
        return written;
      } finally {
        if (!finished) {
          next.set(rows); // a failure reaches the caller through its task; the others stop here
        }
      }
    }
  }

  private static final class AllWorkers extends RecursiveAction {
    private static final long serialVersionUID = 1L;
    private final transient Slices slices;
    private final int workers;

    AllWorkers(Slices slices, int workers) {
      this.slices = slices;
      this.workers = workers;
    }

    @Override
    protected void compute() {
      ForkJoinTask.invokeAll(
          IntStream.range(0, workers).mapToObj(i -> ForkJoinTask.adapt(slices::work)).toList());
    }
  }
}
