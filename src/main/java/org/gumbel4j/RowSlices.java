package org.gumbel4j;

import java.util.concurrent.atomic.AtomicLong;

/**
 * Runs an operator over rows in slices, on all workers of a call. Rows do not depend on each other,
 * so the split changes no bit.
 */
record RowSlices(Workers workers) {
  /**
   * Long enough to hide the cost of handing a slice out, short enough to cancel within
   * milliseconds.
   */
  private static final long SLICE_ELEMENTS = 1 << 16;

  /** Slices get shorter towards the end, so that all threads end together, but not below this. */
  private static final long SHORTEST_ELEMENTS = 1 << 13;

  /**
   * Rows that lie side by side, class by class, are taken by the cache line, so that no two threads
   * write to the same one.
   */
  private static final long ROWS_SIDE_BY_SIDE = 32;

  /**
   * An operator on {@code rows} rows from {@code first} on, in groups of {@code inner}: one or
   * several whole groups, or all or some rows of one group. Returns how many rows it wrote, fewer
   * than {@code rows} at a row it refuses.
   */
  @FunctionalInterface
  interface Body {
    long write(long first, long rows, long inner);
  }

  /** Whether the work is one slice, which the caller may then do without {@link #run}. */
  boolean isOne(long rows, long classes) {
    workers.stopIfCancelled();
    return rows * classes <= SLICE_ELEMENTS || workers.pool().isEmpty() && !workers.isCancellable();
  }

  /**
   * Runs over {@code rows} rows that lie in groups of {@code groupRows}.
   *
   * @param sideBySide whether neighbouring rows of a group may share cache lines
   * @return {@code rows}, or the first row that was refused
   */
  long run(long rows, long groupRows, long classes, boolean sideBySide, Body body) {
    int threads = (int) Math.min(workers.count(), rows);
    Slices slices =
        new Slices(rows, groupRows, classes, sideBySide ? ROWS_SIDE_BY_SIDE : 1, threads, body);
    workers.run(threads, slices::work, slices::work);
    return slices.refused.get();
  }

  /**
   * Slices are handed out in order, and one that was handed out is finished, so the first refused
   * row is always found.
   */
  private final class Slices {
    private final long rows;
    private final long groupRows;
    private final long longest;
    private final long shortest;
    private final long grain;
    private final int threads;
    private final Body body;
    private final AtomicLong next = new AtomicLong();
    private final AtomicLong refused;

    Slices(long rows, long groupRows, long classes, long grain, int threads, Body body) {
      this.rows = rows;
      this.groupRows = groupRows;
      this.longest = Math.max(1, SLICE_ELEMENTS / classes);
      this.shortest = Math.max(1, SHORTEST_ELEMENTS / classes);
      this.grain = grain;
      this.threads = threads;
      this.body = body;
      this.refused = new AtomicLong(rows);
    }

    void work() {
      boolean finished = false;
      try {
        long from = next.get();
        while (from < refused.get()) {
          long count = countFrom(from);
          if (next.compareAndSet(from, from + count)) {
            workers.stopIfCancelled();
            write(from, count);
          }
          from = next.get();
        }
        finished = true;
      } finally {
        if (!finished) {
          next.set(rows); // a failure reaches the caller; the others stop here
        }
      }
    }

    /** The length of the slice from a row on: whole groups, or what lies in one. */
    private long countFrom(long from) {
      long wanted = longest;
      if (threads > 1) {
        wanted = Math.clamp((rows - from) / (2L * threads), shortest, longest);
      }
      long within = from % groupRows;
      if (within == 0 && wanted >= groupRows) {
        return Math.min(wanted / groupRows * groupRows, rows - from);
      }
      return Math.min(Math.ceilDiv(wanted, grain) * grain, groupRows - within);
    }

    private void write(long from, long count) {
      long written = body.write(from, count, Math.min(count, groupRows));
      if (written < count) {
        refused.accumulateAndGet(from + written, Math::min);
      }
    }
  }
}
