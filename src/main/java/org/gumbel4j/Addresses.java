package org.gumbel4j;

/**
 * Geometry of strides: which elements share an address. The rules are those of {@code gumbel4j.h},
 * which checks again.
 */
final class Addresses {
  private static final int DIMENSIONS = 3;

  private Addresses() {}

  /**
   * Whether elements have addresses of their own because each dimension of more than one steps over
   * all that those of smaller strides span.
   *
   * @param counts the sizes of the dimensions, none of them 0
   * @param strides their strides
   * @param element the size of an element, in the unit of the strides
   */
  static boolean areDistinct(long[] counts, long[] strides, long element) {
    long spanned = element;
    for (int dimension : byStride(counts, strides)) {
      if (counts[dimension] > 1) {
        if (strides[dimension] < spanned) {
          return false;
        }
        spanned += (counts[dimension] - 1) * strides[dimension];
      }
    }
    return true;
  }

  /**
   * Whether two matrices whose spans meet have no byte in common, as both have the same strides in
   * dimensions of more than one element, and take turns.
   *
   * @param groupRows the rows of a group, into which those of both can be divided
   */
  static boolean areDisjoint(Matrix a, Matrix b, long groupRows) {
    long[] countsOfA = counts(a, groupRows);
    long[] countsOfB = counts(b, groupRows);
    long[] stepsOfA = steps(a, groupRows);
    long[] stepsOfB = steps(b, groupRows);
    long[] counts = new long[DIMENSIONS];
    long[] steps = new long[DIMENSIONS];
    for (int d = 0; d < DIMENSIONS; d++) {
      if (countsOfA[d] > 1 && countsOfB[d] > 1 && stepsOfA[d] != stepsOfB[d]) {
        return false;
      }
      counts[d] = Math.max(countsOfA[d], countsOfB[d]);
      steps[d] = countsOfA[d] > 1 ? stepsOfA[d] : stepsOfB[d];
    }
    if (!areDistinct(counts, steps, Math.max(a.type().bytes(), b.type().bytes()))) {
      return false;
    }
    // From an element of b to one of a it is `start` less a sum of steps. Since a step is longer
    // than all that the shorter ones span, only the two nearest to what is left can end in a
    // meeting.
    int[] order = byStride(counts, steps);
    long start = a.segment().address() - b.segment().address();
    for (int choice = 0; choice < 1 << DIMENSIONS; choice++) {
      long left = start;
      boolean possible = true;
      for (int k = DIMENSIONS - 1; k >= 0; k--) {
        int d = order[k];
        if (counts[d] > 1) {
          long taken = Math.floorDiv(left, steps[d]) + (choice >> k & 1);
          possible &= taken > -countsOfA[d] && taken < countsOfB[d];
          left -= taken * steps[d];
        }
      }
      if (possible && -a.type().bytes() < left && left < b.type().bytes()) {
        return false;
      }
    }
    return true;
  }

  private static long[] counts(Matrix matrix, long groupRows) {
    return new long[] {matrix.rows() / groupRows, groupRows, matrix.classes()};
  }

  /** The strides in bytes. */
  private static long[] steps(Matrix matrix, long groupRows) {
    Layout layout = matrix.layout();
    int bytes = matrix.type().bytes();
    return new long[] {
      layout.outerStride(groupRows) * bytes,
      layout.innerStride(groupRows) * bytes,
      layout.classStride() * bytes
    };
  }

  /** The dimensions from the smallest stride to the largest, those of one element first. */
  private static int[] byStride(long[] counts, long[] strides) {
    int[] order = {0, 1, 2};
    for (int d = 1; d < DIMENSIONS; d++) {
      for (int at = d; at > 0; at--) {
        int before = order[at - 1];
        int here = order[at];
        if (stride(counts, strides, before) > stride(counts, strides, here)) {
          order[at - 1] = here;
          order[at] = before;
        }
      }
    }
    return order;
  }

  private static long stride(long[] counts, long[] strides, int dimension) {
    return counts[dimension] > 1 ? strides[dimension] : 0;
  }
}
