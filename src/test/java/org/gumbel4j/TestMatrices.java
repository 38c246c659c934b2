package org.gumbel4j;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.BitSet;
import java.util.SplittableRandom;
import java.util.function.Supplier;

/** Off-heap matrices for tests, as raw bits so that equality means equality of bits. */
final class TestMatrices {
  /** Where a thread's matrices go; usually into an arena each. */
  private static final ThreadLocal<Supplier<Arena>> ARENAS =
      ThreadLocal.withInitial(() -> Arena::ofAuto);

  private TestMatrices() {}

  /** Runs a test with all its matrices in one arena. */
  static void inOneArena(Runnable test) {
    startOneArena();
    try {
      test.run();
    } finally {
      endOneArena();
    }
  }

  /** Puts all matrices that this thread makes into one arena. */
  static void startOneArena() {
    Arena arena = Arena.ofAuto();
    ARENAS.set(() -> arena);
  }

  static void endOneArena() {
    ARENAS.remove();
  }

  static Matrix empty(ElementType type, long rows, long classes) {
    return empty(type, Layout.packed(rows, classes));
  }

  /**
   * Filled with a pattern, so that elements that are not written, and those that must not be, show.
   */
  static Matrix empty(ElementType type, Layout layout) {
    long bytes = layout.span() * type.bytes();
    MemorySegment segment = ARENAS.get().get().allocate(bytes + 64, 64).fill((byte) 0x5a);
    return new Matrix(segment, type, layout);
  }

  /**
   * The same numbers elsewhere. Where the layout repeats elements, those of the last row remain.
   */
  static Matrix copy(Matrix matrix, Layout layout) {
    Matrix copy = empty(matrix.type(), layout);
    for (long row = 0; row < matrix.rows(); row++) {
      for (long column = 0; column < matrix.classes(); column++) {
        setBits(copy, row, column, bits(matrix, row, column));
      }
    }
    return copy;
  }

  static Matrix of(ElementType type, long rows, long classes, double... values) {
    Matrix matrix = empty(type, rows, classes);
    for (int i = 0; i < values.length; i++) {
      set(matrix, i / classes, i % classes, values[i]);
    }
    return matrix;
  }

  /** Logits in [-scale, scale), a tenth of them masked, class 0 of each row never. */
  static Matrix logits(ElementType type, long rows, long classes, double scale, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    Matrix matrix = empty(type, rows, classes);
    for (long row = 0; row < rows; row++) {
      for (long column = 0; column < classes; column++) {
        boolean masked = column > 0 && random.nextInt(10) == 0;
        double logit = random.nextDouble(-scale, scale);
        set(matrix, row, column, masked ? Double.NEGATIVE_INFINITY : logit);
      }
    }
    return matrix;
  }

  static void set(Matrix matrix, long row, long column, double value) {
    setBits(
        matrix,
        row,
        column,
        switch (matrix.type()) {
          case FLOAT32 -> Float.floatToRawIntBits((float) value);
          case FLOAT64 -> Double.doubleToRawLongBits(value);
          case FLOAT16 -> Float.floatToFloat16((float) value);
          case BFLOAT16 -> bfloat16((float) value);
          case INT32, INT64 -> throw new IllegalArgumentException("not a floating-point matrix");
        });
  }

  /** Rounds to nearest even. */
  private static long bfloat16(float value) {
    int bits = Float.floatToIntBits(value);
    return Float.isNaN(value) ? 0x7fc0 : (bits + 0x7fff + (bits >>> 16 & 1)) >>> 16;
  }

  static double get(Matrix matrix, long row, long column) {
    long bits = bits(matrix, row, column);
    return switch (matrix.type()) {
      case FLOAT32 -> Float.intBitsToFloat((int) bits);
      case FLOAT64 -> Double.longBitsToDouble(bits);
      case FLOAT16 -> Float.float16ToFloat((short) bits);
      case BFLOAT16 -> Float.intBitsToFloat((int) bits << Short.SIZE);
      case INT32, INT64 -> bits;
    };
  }

  /** The bit pattern of each element, row by row. */
  static long[] bits(Matrix matrix) {
    long[] bits = new long[Math.toIntExact(matrix.rows() * matrix.classes())];
    for (int i = 0; i < bits.length; i++) {
      bits[i] = bits(matrix, i / matrix.classes(), i % matrix.classes());
    }
    return bits;
  }

  private static long bits(Matrix matrix, long row, long column) {
    long at = at(matrix, row, column);
    return switch (matrix.type().bytes()) {
      case Short.BYTES -> matrix.segment().getAtIndex(ValueLayout.JAVA_SHORT, at);
      case Integer.BYTES -> matrix.segment().getAtIndex(ValueLayout.JAVA_INT, at);
      default -> matrix.segment().getAtIndex(ValueLayout.JAVA_LONG, at);
    };
  }

  private static void setBits(Matrix matrix, long row, long column, long bits) {
    long at = at(matrix, row, column);
    switch (matrix.type().bytes()) {
      case Short.BYTES -> matrix.segment().setAtIndex(ValueLayout.JAVA_SHORT, at, (short) bits);
      case Integer.BYTES -> matrix.segment().setAtIndex(ValueLayout.JAVA_INT, at, (int) bits);
      default -> matrix.segment().setAtIndex(ValueLayout.JAVA_LONG, at, bits);
    }
  }

  private static long at(Matrix matrix, long row, long column) {
    Layout layout = matrix.layout();
    long outer = row / layout.inner();
    long inner = row % layout.inner();
    return outer * layout.outerStride()
        + inner * layout.innerStride()
        + column * layout.classStride();
  }

  /** Whether what lies between the elements of a matrix, and behind them, is as it was made. */
  static boolean gapsAreUntouched(Matrix matrix) {
    int bytes = matrix.type().bytes();
    BitSet elements = new BitSet();
    for (long row = 0; row < matrix.rows(); row++) {
      for (long column = 0; column < matrix.classes(); column++) {
        elements.set(Math.toIntExact(at(matrix, row, column)));
      }
    }
    for (long at = 0; at < matrix.segment().byteSize(); at++) {
      if (!elements.get((int) (at / bytes))
          && matrix.segment().get(ValueLayout.JAVA_BYTE, at) != 0x5a) {
        return false;
      }
    }
    return true;
  }

  /** Rows {@code from} to {@code to} of a packed matrix, as a matrix over the same memory. */
  static Matrix rows(Matrix matrix, long from, long to) {
    MemorySegment segment =
        matrix.segment().asSlice(from * matrix.classes() * matrix.type().bytes());
    return Matrix.of(segment, matrix.type(), to - from, matrix.classes());
  }
}
