package org.gumbel4j;

import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * The threads that share the work of a call: the calling one, and those of a pool but for one, so
 * that as many work as the pool has threads. The calling thread never waits for help to arrive, so
 * a pool that is busy elsewhere holds nothing up.
 *
 * @param pool the pool; without one the calling thread works alone
 * @param cancelled whether to stop; asked now and then by every thread at work
 */
record Workers(Optional<ForkJoinPool> pool, BooleanSupplier cancelled) {
  static final BooleanSupplier NEVER = () -> false;

  /** The number of threads, from 1. */
  int count() {
    return pool.isPresent() ? pool.get().getParallelism() : 1;
  }

  boolean isCancellable() {
    return cancelled != NEVER;
  }

  void stopIfCancelled() {
    if (cancelled.getAsBoolean()) {
      throw new CancellationException("cancelled by the caller; the output is incomplete");
    }
  }

  /**
   * Runs {@code lead} here and {@code help} on other threads, and returns when all that came have
   * ended. {@code help} may be run any number of times below {@code threads}, none included. What
   * one of them throws, or a pool that takes no more work, is thrown here, the first in time.
   */
  void run(int threads, Runnable lead, Runnable help) {
    Crew crew = new Crew(help);
    try {
      for (int helper = 1; helper < threads; helper++) {
        pool.orElseThrow().execute(crew);
      }
    } catch (RuntimeException | Error failure) {
      crew.failure.compareAndSet(null, failure);
    }
    try {
      lead.run(); // in any case: helpers that have come may wait for what it does
    } catch (RuntimeException | Error failure) {
      crew.failure.compareAndSet(null, failure);
    }
    crew.dismiss();
  }

  /** The helpers of one call. */
  private static final class Crew implements Runnable {
    /** In {@link #atWork} once nobody may join any more. */
    private static final int DISMISSED = Integer.MIN_VALUE;

    /** For longer than a slice takes, as waking up takes as long as one. */
    private static final int SPINS = 20_000;

    private final Runnable help;
    private final Thread leader = Thread.currentThread();
    private final AtomicInteger atWork = new AtomicInteger();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();

    Crew(Runnable help) {
      this.help = help;
    }

    @Override
    public void run() {
      if (atWork.getAndUpdate(n -> n < 0 ? n : n + 1) < 0) {
        return; // too late: the work is done
      }
      try {
        help.run();
      } catch (RuntimeException | Error thrown) {
        failure.compareAndSet(null, thrown);
      } finally {
        if (atWork.decrementAndGet() == DISMISSED) {
          LockSupport.unpark(leader);
        }
      }
    }

    /** Waits for those at work to end, and throws what the first of all threads threw. */
    void dismiss() {
      atWork.addAndGet(DISMISSED);
      for (int spin = 0; atWork.get() != DISMISSED; spin++) {
        if (spin < SPINS) {
          Thread.onSpinWait();
        } else {
          LockSupport.park(this);
        }
      }
      switch (failure.get()) {
        case null -> {}
        case RuntimeException thrown -> throw thrown;
        case Error thrown -> throw thrown;
        case Throwable checked -> throw new IllegalStateException("undeclared", checked);
      }
    }
  }
}
