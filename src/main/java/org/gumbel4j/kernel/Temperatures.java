package org.gumbel4j.kernel;

/** The temperatures of rows, rounded to the compute type: one for all, or each row its own. */
record Temperatures(double all, boolean each, Rows rows) {
  static Temperatures of(Temperature tau, int computeType, Shape shape) {
    double all = computeType == Kernels.FLOAT32 ? (float) tau.all() : tau.all();
    boolean each = !tau.rows().isNone();
    return new Temperatures(all, each, Rows.of(tau.rows(), computeType, shape));
  }

  double of(long row) {
    return each ? rows.get(row) : all;
  }

  Temperatures from(long row) {
    return new Temperatures(all, each, rows.from(row));
  }
}
