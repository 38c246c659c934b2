package org.gumbel4j.kernel;

/**
 * What a call works on: {@code outer * inner} rows, row {@code o * inner + i} being number {@code
 * i} of group {@code o}.
 *
 * @param type the element type: a constant of {@link Kernels}
 * @param outer the groups of rows
 * @param inner the rows of a group
 * @param classes the number of classes (columns)
 */
public record Shape(int type, long outer, long inner, long classes) {
  /** {@return the number of rows} */
  public long rows() {
    return outer * inner;
  }
}
