/**
 * Gumbel-Softmax operators over off-heap memory.
 *
 * <p>{@link org.gumbel4j.GumbelSoftmax} holds the operators, {@link org.gumbel4j.Matrix} is a view
 * of memory, {@link org.gumbel4j.Noise} names a draw of noise. A soft sample of four classes:
 *
 * {@snippet file="org/gumbel4j/ClassicExampleTest.java" region="classic"}
 */
package org.gumbel4j;
