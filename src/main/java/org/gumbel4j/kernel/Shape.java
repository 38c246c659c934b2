package org.gumbel4j.kernel;

/**
 * What a call works on.
 *
 * @param type the element type: a constant of {@link Kernels}
 * @param rows the number of rows
 * @param classes the number of classes (columns)
 */
public record Shape(int type, long rows, long classes) {}
