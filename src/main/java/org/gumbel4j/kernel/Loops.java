package org.gumbel4j.kernel;

/**
 * Runs a long computation on arrays as a chain of loops, each of them simple enough to become
 * vector code: see {@link Bits}.
 *
 * <p>All loops are called from one place, which sees too many kinds of them to inline any. So each
 * is compiled by itself. In one compilation with others, the JIT compiler would give up on some of
 * the loops, as it goes over all of them a limited number of times, and on which ones would change
 * from run to run.
 */
final class Loops {
  private Loops() {}

  /** One loop over the first {@code count} elements of arrays. */
  interface Loop {
    void run(int count);
  }

  static void run(int count, Loop... loops) {
    for (Loop loop : loops) {
      loop.run(count);
    }
  }
}
