package org.gumbel4j.kernel;

/**
 * The temperature of a call.
 *
 * @param all the one for all rows, where {@code rows} is left out
 * @param rows one element a row, of the compute type of the call (see {@link Kernels}); its class
 *     stride counts for nothing
 */
public record Temperature(double all, Operand rows) {}
