package org.gumbel4j.gateway;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;

/**
 * The jobs that Python has started, by the number it gave them. An ended job is remembered for a
 * while, since Python asks again when the answer got lost. Safe for use from any thread.
 */
final class Jobs {
  /**
   * A job up to this size ends long before Python would want a sign of life, also in plain Java on
   * a slow machine, so that it need not wake a thread of its own, and then the one that waits.
   */
  private static final long SMALL_ELEMENTS = 1L << 20;

  /** Far more than the calls that can be under way, so nobody asks for a job that is forgotten. */
  private static final int REMEMBERED = 4096;

  private final Map<Long, Job> jobs = new LinkedHashMap<>();
  private final Executor workers;

  Jobs() {
    this(
        Executors.newCachedThreadPool(
            Thread.ofPlatform().daemon().name("gumbel4j-job-", 0).factory()));
  }

  /** With threads for what is not small. */
  Jobs(Executor workers) {
    this.workers = workers;
  }

  /** Starts the work, here if it is small, unless a job of this number is known. */
  void start(long id, long elements, Job.Work work) {
    Job job = new Job(work);
    synchronized (jobs) {
      if (jobs.putIfAbsent(id, job) != null) {
        return;
      }
      forgetOldest();
    }
    if (elements <= SMALL_ELEMENTS) {
      job.run();
    } else {
      try {
        workers.execute(job);
      } catch (RuntimeException | Error noThread) {
        job.fail(noThread);
      }
    }
  }

  String await(long id, long millis) {
    Job job = find(id);
    return job == null
        ? Reply.failed(new IllegalStateException("job " + id + " is not known"))
        : job.await(millis);
  }

  String cancel(long id) {
    Job job;
    synchronized (jobs) {
      job = jobs.computeIfAbsent(id, absent -> Job.neverStarted());
      forgetOldest();
    }
    job.cancel();
    return job.await(0);
  }

  private Job find(long id) {
    synchronized (jobs) {
      return jobs.get(id);
    }
  }

  private void forgetOldest() {
    if (jobs.size() > REMEMBERED) {
      var oldestFirst = jobs.values().iterator();
      while (oldestFirst.hasNext() && jobs.size() > REMEMBERED) {
        if (oldestFirst.next().hasEnded()) {
          oldestFirst.remove();
        }
      }
    }
  }
}
