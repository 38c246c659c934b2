package org.gumbel4j;

/**
 * A row of logits that no class can be sampled from: it holds a NaN or +infinity, or no finite
 * logit. The message names the row, and the class and value at fault.
 */
public final class InvalidLogitsException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  /** The first row at fault. */
  private final long row;

  InvalidLogitsException(long row, String message) {
    super(message);
    this.row = row;
  }

  /**
   * The first row at fault.
   *
   * @return the row's index in the logits matrix, from 0
   */
  public long row() {
    return row;
  }
}
