package org.gumbel4j;

import java.lang.foreign.MemorySegment;
import java.util.Objects;
import java.util.Optional;

/**
 * The temperature of a call: {@code all} for every row, or where {@code rows} is present, one value
 * for each row.
 */
record Temperature(double all, Optional<Matrix> rows) {
  static Temperature of(double tau) {
    return new Temperature(tau, Optional.empty());
  }

  static Temperature perRow(Matrix tau) {
    return new Temperature(Double.NaN, Optional.of(Objects.requireNonNull(tau, "tau")));
  }

  /** As the kernels take it: the values from a row on, or a null address. */
  MemorySegment from(long row) {
    return rows.isPresent() ? rows.get().from(row) : MemorySegment.NULL;
  }

  long stride() {
    return rows.isPresent() ? rows.get().rowStride() : 0;
  }
}
