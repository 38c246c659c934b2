/**
 * Internal: the Java half of the bridge to Python. A Python process starts {@link
 * org.gumbel4j.gateway.GatewayMain}, which serves one {@link org.gumbel4j.gateway.EntryPoint}
 * through Py4J. Array bytes never travel here: Python owns shared memory segments, Java maps them,
 * and calls name their places in them.
 */
package org.gumbel4j.gateway;
