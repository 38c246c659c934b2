package org.gumbel4j;

import java.util.Objects;
import java.util.Optional;
import org.gumbel4j.kernel.Operand;
import org.gumbel4j.kernel.Temperature;

/**
 * The temperature that a caller gave: {@code all} for every row, or where {@code rows} is present,
 * one value for each row.
 */
record Tau(double all, Optional<Matrix> rows) {
  static Tau of(double tau) {
    return new Tau(tau, Optional.empty());
  }

  static Tau perRow(Matrix tau) {
    return new Tau(Double.NaN, Optional.of(Objects.requireNonNull(tau, "tau")));
  }

  /** The temperature of the rows from {@code row} on, as kernels take it. */
  Temperature from(long row) {
    return new Temperature(all, rows.isPresent() ? rows.get().from(row) : Operand.NONE);
  }
}
