package org.gumbel4j.kernel;

/** The largest perturbed logit of a row so far. */
final class Best {
  double value = Double.NEGATIVE_INFINITY;

  /** Its first column, -1 where there is none. */
  long column = -1;

  /** How high an upper bound of another must be for it to count. */
  double threshold = Double.NEGATIVE_INFINITY;

  /** Takes a perturbed logit in; returns whether it is the best so far. */
  boolean take(double candidate, long at) {
    boolean better = candidate > value || (candidate == value && at < column);
    if (better) {
      value = candidate;
      column = at;
    }
    return better;
  }
}
