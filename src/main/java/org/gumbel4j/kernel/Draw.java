package org.gumbel4j.kernel;

/**
 * The noise of a call: row {@code r} has the elements from {@code element + r * classes} on of the
 * draw.
 *
 * @param seed any 64 bits
 * @param stream not negative
 * @param element not negative
 */
public record Draw(long seed, long stream, long element) {}
