package org.gumbel4j.kernel;

/**
 * The noise of a call: row {@code r} of its shape has the noise of row {@code firstRow + r} of the
 * draw.
 *
 * @param seed any 64 bits
 * @param stream not negative
 * @param firstRow not negative
 */
public record Draw(long seed, long stream, long firstRow) {}
