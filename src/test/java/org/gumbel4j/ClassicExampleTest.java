package org.gumbel4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;

/** The example of the package documentation, which is taken from here. */
class ClassicExampleTest {
  @Test
  void drawsASampleOfFourClasses() {
    float[] sample = classicExample();
    assertEquals(4, sample.length);
    assertEquals(
        1.0, DoubleStream.iterate(0, i -> i + 1).limit(4).map(i -> sample[(int) i]).sum(), 1e-6);
    for (float y : sample) {
      assertTrue(y > 0 && y < 1, "soft samples of four unmasked classes lie within (0, 1)");
    }
  }

  private static float[] classicExample() {
    // @start region="classic"
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment x = arena.allocateFrom(ValueLayout.JAVA_FLOAT, 1f, 2f, 3f, 4f);
      Matrix logits = Matrix.of(x, ElementType.FLOAT32, 1, 4); // 1 row of 4 classes
      Matrix sample = Matrix.of(arena.allocate(16, 4), ElementType.FLOAT32, 1, 4);
      GumbelSoftmax.onCallerThread().soft(logits, 0.5, Noise.of(7), sample); // tau 0.5, seed 7
      return sample.segment().toArray(ValueLayout.JAVA_FLOAT);
    }
    // @end
  }
}
