package org.gumbel4j;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Loops over the parts of a row, one loop after the other, each shared by all workers of a call:
 * {@link #run} is for the thread that leads, {@link #help} for the others, which go from loop to
 * loop until {@link #end}.
 */
final class Stages {
  private static final int SPINS = 1000;

  private final Workers workers;
  private volatile Stage current = new Stage(0, part -> true);
  private volatile boolean ended;

  Stages(Workers workers) {
    this.workers = workers;
  }

  /** The work on one part; returns whether the row may go on. */
  @FunctionalInterface
  interface Body {
    boolean run(int part);
  }

  /** Runs a loop to its end; returns whether the row may go on, which every part must say. */
  boolean run(int parts, Body body) {
    Stage stage = new Stage(parts, body);
    current = stage;
    stage.work();
    for (int spin = 0; stage.done.get() < parts; spin++) {
      pause(spin);
    }
    switch (stage.failure.get()) {
      case null -> {}
      case RuntimeException thrown -> throw thrown;
      case Error thrown -> throw thrown;
      case Throwable checked -> throw new IllegalStateException("undeclared", checked);
    }
    return !stage.refused;
  }

  void help() {
    Stage stage = current;
    while (!ended) {
      stage.work();
      for (int spin = 0; stage == current && !ended; spin++) {
        pause(spin);
      }
      stage = current;
    }
  }

  void end() {
    ended = true;
  }

  /** The next loop is microseconds away: less than it takes to wake a thread. */
  private static void pause(int spin) {
    if (spin < SPINS) {
      Thread.onSpinWait();
    } else {
      Thread.yield();
    }
  }

  private final class Stage {
    private final int parts;
    private final Body body;
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicInteger done = new AtomicInteger();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private volatile boolean refused;

    Stage(int parts, Body body) {
      this.parts = parts;
      this.body = body;
    }

    /** Takes parts until none is left. After a refusal or a failure they are passed over. */
    void work() {
      for (int part = next.getAndIncrement(); part < parts; part = next.getAndIncrement()) {
        try {
          if (!refused && failure.get() == null) {
            workers.stopIfCancelled();
            if (!body.run(part)) {
              refused = true;
            }
          }
        } catch (RuntimeException | Error thrown) {
          failure.compareAndSet(null, thrown); // thrown again by the one who leads
        } finally {
          done.incrementAndGet();
        }
      }
    }
  }
}
