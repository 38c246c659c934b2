package org.gumbel4j;

import static org.gumbel4j.ElementType.FLOAT32;
import static org.gumbel4j.ElementType.FLOAT64;
import static org.gumbel4j.ElementType.INT32;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.ForkJoinPool;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Arguments that are not allowed: each is refused by name and value before anything is written. */
class ArgumentsTest {
  private static final Noise NOISE = Noise.of(7);

  private final GumbelSoftmax operators = GumbelSoftmax.onCallerThread();
  private final Matrix logits = TestMatrices.logits(FLOAT32, 3, 4, 2, 1);
  private final Matrix out = TestMatrices.empty(FLOAT32, 3, 4);
  private final long[] logitsBefore = TestMatrices.bits(logits);
  private final long[] outBefore = TestMatrices.bits(out);

  /** After any refusal: operands are as they were, and the operators still work. */
  @AfterEach
  void nothingWasLost() {
    assertArrayEquals(logitsBefore, TestMatrices.bits(logits));
    assertArrayEquals(outBefore, TestMatrices.bits(out));
    assertDoesNotThrow(() -> operators.soft(logits, 1, NOISE, out));
  }

  private static void refuses(String message, Executable call) {
    refuses(IllegalArgumentException.class, message, call);
  }

  private static void refuses(
      Class<? extends RuntimeException> type, String message, Executable call) {
    String actual = assertThrows(type, call).getMessage();
    assertTrue(actual.contains(message), () -> "'" + actual + "' does not say '" + message + "'");
  }

  @ParameterizedTest
  @ValueSource(doubles = {-1, -0x1p-1074, Double.NaN, Double.POSITIVE_INFINITY})
  void tauMustBeFiniteAndNotNegative(double tau) {
    refuses("tau = " + tau, () -> operators.soft(logits, tau, NOISE, out));
    Matrix dTau = TestMatrices.empty(FLOAT32, 3, 1);
    refuses("tau = " + tau, () -> operators.vjp(logits, logits, tau, out, dTau));
  }

  @Test
  void tauIsRoundedToTheTypeFirst() {
    refuses("tau = 1.0E39: becomes infinite", () -> operators.soft(logits, 1e39, NOISE, out));
    Matrix wide = TestMatrices.logits(FLOAT64, 3, 4, 2, 1);
    Matrix wideOut = TestMatrices.empty(FLOAT64, 3, 4);
    assertDoesNotThrow(() -> operators.soft(wide, 1e39, NOISE, wideOut));
    Matrix dTau = TestMatrices.empty(FLOAT32, 3, 1);
    refuses("tau = 1.0E-60", () -> operators.vjp(logits, logits, 1e-60, out, dTau));
    refuses("tau = 0.0", () -> operators.vjp(logits, logits, 0, out, dTau));
  }

  @Test
  void temperaturesOfRows() {
    Matrix dTau = TestMatrices.empty(FLOAT32, 3, 1);
    Matrix bad = TestMatrices.of(FLOAT32, 3, 1, 1, 0.5, -2);
    refuses("tau row 2 = -2.0: must be finite", () -> operators.soft(logits, bad, NOISE, out));
    Matrix infinite = TestMatrices.of(FLOAT32, 3, 1, 1, Double.NaN, 1);
    refuses("tau row 1 = NaN", () -> operators.soft(logits, infinite, NOISE, out));
    Matrix zero = TestMatrices.of(FLOAT32, 3, 1, 0, 1, 1);
    refuses(
        "tau row 0 = 0.0: must be greater", () -> operators.vjp(logits, logits, zero, out, dTau));
    Matrix wide = TestMatrices.of(FLOAT64, 3, 1, 1, 1, 1);
    refuses(
        "tau of 3 x 1 FLOAT64: must be 3 x 1 FLOAT32",
        () -> operators.soft(logits, wide, NOISE, out));
    Matrix inside = Matrix.of(out.segment(), FLOAT32, 3, 1);
    TestMatrices.set(out, 0, 0, 1);
    TestMatrices.set(out, 0, 1, 1);
    TestMatrices.set(out, 0, 2, 1);
    refuses("out: overlaps tau", () -> operators.soft(logits, inside, NOISE, out));
    out.segment().fill((byte) 0x5a);
  }

  @Test
  void noiseKeys() {
    refuses("stream = -1", () -> new Noise(1, -1, 0));
    refuses("firstRow = -2", () -> new Noise(1, 0, -2));
    assertDoesNotThrow(() -> new Noise(-1, Long.MAX_VALUE, Long.MAX_VALUE));
    long last = Long.MAX_VALUE / 4;
    refuses("firstRow = " + last, () -> operators.soft(logits, 1, new Noise(1, 0, last), out));
    refuses(
        "firstRow = " + Long.MAX_VALUE,
        () -> operators.hard(logits, new Noise(1, 0, Long.MAX_VALUE), out));
  }

  @Test
  void matrixSizes() {
    MemorySegment segment = logits.segment();
    refuses("rows = -1", () -> Matrix.of(segment, FLOAT32, -1, 4));
    refuses("classes = 0", () -> Matrix.of(segment, FLOAT32, 1, 0));
    refuses("outer = -1", () -> new Layout(-1, 1, 1, 0, 0, 0));
    refuses("inner = -1", () -> new Layout(1, -1, 1, 0, 0, 0));
    refuses("outerStride = -1", () -> new Layout(1, 1, 1, -1, 0, 0));
    refuses("innerStride = -1", () -> new Layout(1, 1, 1, 0, -1, 0));
    refuses("rowStride = -1", () -> Layout.strided(2, 4, -1, 1));
    refuses("classStride = -1", () -> Layout.strided(2, 4, 4, -1));
    refuses("2^63", () -> Layout.axis(1, 1L << 40, 1L << 40));
    refuses("2^63", () -> new Layout(1L << 40, 1L << 40, 1, 0, 0, 0));
    refuses("2^63", () -> Matrix.of(segment, FLOAT32, 1L << 40, 1L << 40));
    refuses(
        "2^63", () -> new Matrix(segment, FLOAT64, Layout.strided(2, 1, Long.MAX_VALUE / 2, 1)));
    refuses(
        IndexOutOfBoundsException.class,
        "segment of 112 bytes is too small",
        () -> Matrix.of(segment, FLOAT32, 8, 4));
  }

  @Test
  void matrixMemory() {
    refuses("off-heap", () -> Matrix.of(MemorySegment.ofArray(new float[4]), FLOAT32, 1, 4));
    refuses("aligned", () -> Matrix.of(logits.segment().asSlice(2), FLOAT32, 1, 4));
    refuses("aligned", () -> Matrix.of(logits.segment().asSlice(4), FLOAT64, 1, 4));
  }

  @Test
  void nullsAreRefusedByName() {
    refuses(NullPointerException.class, "segment", () -> Matrix.of(null, FLOAT32, 1, 1));
    refuses(NullPointerException.class, "logits", () -> operators.soft(null, 1, NOISE, out));
    refuses(NullPointerException.class, "out", () -> operators.soft(logits, 1, NOISE, null));
    refuses(NullPointerException.class, "noise", () -> operators.soft(logits, 1, null, out));
    refuses(NullPointerException.class, "pool", () -> GumbelSoftmax.on(null));
    refuses(NullPointerException.class, "cancelled", () -> operators.until(null));
  }

  @Test
  void typesAndShapes() {
    Matrix integers = TestMatrices.empty(INT32, 3, 4);
    refuses("logits of type INT32", () -> operators.soft(integers, 1, NOISE, out));
    refuses("out of type INT32", () -> operators.gumbel(NOISE, integers));
    refuses("out of type FLOAT32", () -> operators.words(NOISE, out));
    refuses("stream = INT32", () -> operators.uniform(INT32, NOISE, out));
    refuses("must be 3 x 4 FLOAT64", () -> operators.uniform(FLOAT32, NOISE, out));
    Matrix wide = TestMatrices.empty(FLOAT64, 3, 4);
    refuses("must be 3 x 4 FLOAT32", () -> operators.soft(logits, 1, NOISE, wide));
    Matrix few = TestMatrices.empty(FLOAT32, 2, 4);
    refuses("out of 2 x 4 FLOAT32: must be 3 x 4", () -> operators.hard(logits, NOISE, few));
    refuses("must be 3 x 1 INT32", () -> operators.categorical(logits, NOISE, integers));
    Matrix dTau = TestMatrices.empty(FLOAT32, 3, 1);
    refuses("upstream", () -> operators.vjp(logits, few, 1, out, dTau));
    refuses("dLogits", () -> operators.vjp(logits, logits, 1, few, dTau));
    refuses("dTau", () -> operators.vjp(logits, logits, 1, out, few));
  }

  @Test
  void outputsHaveMemoryOfTheirOwn() {
    refuses("out: overlaps logits", () -> operators.soft(logits, 1, NOISE, logits));
    Matrix shifted = Matrix.of(logits.segment().asSlice(4), FLOAT32, 3, 4);
    refuses("out: overlaps logits", () -> operators.hard(logits, NOISE, shifted));
    Matrix dTau = Matrix.of(out.segment(), FLOAT32, 3, 1);
    refuses("dTau: overlaps dLogits", () -> operators.vjp(logits, logits, 1, out, dTau));
  }

  @Test
  void columnsSideBySideInOneBufferDoNotOverlap() {
    MemorySegment buffer = Arena.ofAuto().allocate(3 * 8 * 4, 4);
    Matrix left = new Matrix(buffer, FLOAT32, Layout.strided(3, 4, 8, 1));
    Matrix right = new Matrix(buffer.asSlice(16), FLOAT32, Layout.strided(3, 4, 8, 1));
    assertDoesNotThrow(() -> operators.soft(left, 1, NOISE, right));
    Matrix crossing = new Matrix(buffer.asSlice(12), FLOAT32, Layout.strided(2, 4, 8, 1));
    Matrix two = new Matrix(buffer, FLOAT32, Layout.strided(2, 4, 8, 1));
    refuses("overlaps", () -> operators.soft(two, 1, NOISE, crossing));
    Matrix wrapping = new Matrix(buffer.asSlice(20), FLOAT32, Layout.strided(2, 4, 8, 1));
    refuses("overlaps", () -> operators.soft(two, 1, NOISE, wrapping));
  }

  @Test
  void readOnlyMemoryIsReadAndNotWritten() {
    Matrix readOnly = Matrix.of(logits.segment().asReadOnly(), FLOAT32, 3, 4);
    Matrix other = TestMatrices.empty(FLOAT32, 3, 4);
    assertDoesNotThrow(() -> operators.soft(readOnly, 1, NOISE, other));
    refuses("out: is read-only", () -> operators.soft(other, 1, NOISE, readOnly));
  }

  @ParameterizedTest
  @CsvSource({"true", "false"})
  void closedArenas(boolean shared) {
    Arena arena = shared ? Arena.ofShared() : Arena.ofConfined();
    Matrix closed = Matrix.of(arena.allocate(48, 4), FLOAT32, 3, 4);
    arena.close();
    refuses("logits: its arena is closed", () -> operators.soft(closed, 1, NOISE, out));
    refuses("out: its arena is closed", () -> operators.soft(logits, 1, NOISE, closed));
  }

  @Test
  void anotherThreadsConfinedArena() throws InterruptedException {
    try (Arena arena = Arena.ofConfined()) {
      Matrix confined = Matrix.of(arena.allocate(48, 4), FLOAT32, 3, 4);
      Thread stranger =
          Thread.ofPlatform()
              .unstarted(
                  () ->
                      refuses(
                          "out: belongs to another thread's confined arena",
                          () -> operators.soft(logits, 1, NOISE, confined)));
      Throwable[] failure = new Throwable[1];
      stranger.setUncaughtExceptionHandler((thread, thrown) -> failure[0] = thrown);
      stranger.start();
      stranger.join();
      assertDoesNotThrow(
          () -> {
            if (failure[0] != null) {
              throw failure[0];
            }
          });
      assertDoesNotThrow(() -> operators.soft(logits, 1, NOISE, confined));
    }
  }

  @Test
  void aPoolNeedsSharedArenas() {
    try (Arena arena = Arena.ofConfined();
        ForkJoinPool pool = new ForkJoinPool(2)) {
      Matrix confined = Matrix.of(arena.allocate(48, 4), FLOAT32, 3, 4);
      refuses(
          "out: belongs to a confined arena, which a pool's threads cannot enter",
          () -> GumbelSoftmax.on(pool).soft(logits, 1, NOISE, confined));
    }
  }
}
