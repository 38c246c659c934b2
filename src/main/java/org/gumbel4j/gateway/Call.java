package org.gumbel4j.gateway;

import org.gumbel4j.ElementType;
import org.gumbel4j.Matrix;
import org.gumbel4j.Noise;

/** What one call of an operator is given, by the names of its arguments. */
interface Call {
  Matrix matrix(String name);

  /** Whether an argument that may be one number for all rows is given for each row. */
  boolean isMatrix(String name);

  double number(String name);

  ElementType type(String name);

  Noise noise();
}
