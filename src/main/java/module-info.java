/**
 * Gumbel-Softmax over off-heap memory, with native SIMD kernels that give the same bits on every
 * backend.
 *
 * <p>Needs native access: {@code --enable-native-access=org.gumbel4j} on the module path, {@code
 * =ALL-UNNAMED} on the class path.
 */
module org.gumbel4j {
  exports org.gumbel4j;
}
