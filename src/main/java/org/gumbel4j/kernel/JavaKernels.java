package org.gumbel4j.kernel;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;

/**
 * The kernels in plain Java: the readable definition of every operator, and the backend that runs
 * anywhere.
 */
final class JavaKernels implements Kernels {
  @Override
  public String name() {
    return "java";
  }

  @Override
  public String isa() {
    return "jvm";
  }

  @Override
  public long words(
      int type,
      long rows,
      long classes,
      long seed,
      long stream,
      long firstRow,
      MemorySegment out,
      long outStride) {
    Philox philox = new Philox(seed, stream);
    int[] words = new int[Philox.GROUP_WORDS];
    int wordsPerElement = type == INT64 ? 2 : 1;
    int elements = Philox.GROUP_WORDS / wordsPerElement;
    long filled = -1;
    for (long row = 0; row < rows; row++) {
      for (long column = 0; column < classes; column++) {
        long element = (firstRow + row) * classes + column;
        long group = element / elements;
        int place = (int) (element % elements);
        if (group != filled) {
          philox.group(group, words, 0);
          filled = group;
        }
        long at = row * outStride + column;
        if (type == INT64) {
          out.setAtIndex(JAVA_LONG, at, Float64Rows.word(words, place));
        } else {
          out.setAtIndex(JAVA_INT, at, words[place]);
        }
      }
    }
    return rows;
  }

  @Override
  public long uniform(
      int type,
      long rows,
      long classes,
      long seed,
      long stream,
      long firstRow,
      MemorySegment out,
      long outStride) {
    RowOperators operators = operators(type, seed, stream, (firstRow + rows) * classes);
    for (long row = 0; row < rows; row++) {
      operators.uniform((firstRow + row) * classes, classes, out, row * outStride);
    }
    return rows;
  }

  @Override
  public long gumbel(
      int type,
      long rows,
      long classes,
      long seed,
      long stream,
      long firstRow,
      MemorySegment out,
      long outStride) {
    RowOperators operators = operators(type, seed, stream, (firstRow + rows) * classes);
    for (long row = 0; row < rows; row++) {
      operators.gumbel((firstRow + row) * classes, classes, out, row * outStride);
    }
    return rows;
  }

  @Override
  public long soft(
      int type,
      long rows,
      long classes,
      MemorySegment logits,
      long logitsStride,
      double tau,
      MemorySegment rowTau,
      long rowTauStride,
      long seed,
      long stream,
      long firstRow,
      MemorySegment out,
      long outStride) {
    if (rowTau.equals(MemorySegment.NULL) && rounded(type, tau) == 0.0) {
      return hard(
          type, rows, classes, logits, logitsStride, seed, stream, firstRow, out, outStride);
    }
    RowOperators operators = operators(type, seed, stream, (firstRow + rows) * classes);
    for (long row = 0; row < rows; row++) {
      double temperature = temperature(type, tau, rowTau, row * rowTauStride);
      long element = (firstRow + row) * classes;
      boolean sampled =
          temperature == 0.0
              ? oneHot(
                  operators, logits, row * logitsStride, element, classes, out, row * outStride)
              : operators.soft(
                  logits, row * logitsStride, temperature, element, classes, out, row * outStride);
      if (!sampled) {
        return row;
      }
    }
    return rows;
  }

  @Override
  public long hard(
      int type,
      long rows,
      long classes,
      MemorySegment logits,
      long logitsStride,
      long seed,
      long stream,
      long firstRow,
      MemorySegment out,
      long outStride) {
    RowOperators operators = operators(type, seed, stream, (firstRow + rows) * classes);
    for (long row = 0; row < rows; row++) {
      long element = (firstRow + row) * classes;
      if (!oneHot(operators, logits, row * logitsStride, element, classes, out, row * outStride)) {
        return row;
      }
    }
    return rows;
  }

  @Override
  public long categorical(
      int type,
      long rows,
      long classes,
      MemorySegment logits,
      long logitsStride,
      long seed,
      long stream,
      long firstRow,
      MemorySegment out,
      long outStride) {
    RowOperators operators = operators(type, seed, stream, (firstRow + rows) * classes);
    for (long row = 0; row < rows; row++) {
      long best = operators.argmax(logits, row * logitsStride, (firstRow + row) * classes, classes);
      if (best < 0) {
        return row;
      }
      out.setAtIndex(JAVA_INT, row * outStride, (int) best);
    }
    return rows;
  }

  @Override
  public long vjp(
      int type,
      long rows,
      long classes,
      MemorySegment sample,
      long sampleStride,
      MemorySegment upstream,
      long upstreamStride,
      double tau,
      MemorySegment rowTau,
      long rowTauStride,
      MemorySegment dlogits,
      long dlogitsStride,
      MemorySegment dtau,
      long dtauStride) {
    RowOperators operators = operators(type, 0, 0, 0);
    for (long row = 0; row < rows; row++) {
      operators.vjp(
          sample,
          row * sampleStride,
          upstream,
          row * upstreamStride,
          temperature(type, tau, rowTau, row * rowTauStride),
          classes,
          dlogits,
          row * dlogitsStride,
          dtau,
          row * dtauStride);
    }
    return rows;
  }

  /** Writes the one-hot sample of a row; returns whether the row could be sampled. */
  private static boolean oneHot(
      RowOperators operators,
      MemorySegment logits,
      long logitsAt,
      long element,
      long classes,
      MemorySegment out,
      long outAt) {
    long best = operators.argmax(logits, logitsAt, element, classes);
    if (best >= 0) {
      operators.oneHot(best, classes, out, outAt);
    }
    return best >= 0;
  }

  private static double rounded(int type, double tau) {
    return type == FLOAT32 ? (float) tau : tau;
  }

  /**
   * The temperature of a row: {@code tau}, or the element of {@code rowTau} where that is given.
   */
  private static double temperature(int type, double tau, MemorySegment rowTau, long at) {
    if (rowTau.equals(MemorySegment.NULL)) {
      return rounded(type, tau);
    }
    return type == FLOAT32 ? rowTau.getAtIndex(JAVA_FLOAT, at) : rowTau.getAtIndex(JAVA_DOUBLE, at);
  }

  private static RowOperators operators(int type, long seed, long stream, long end) {
    return switch (type) {
      case FLOAT32 -> new Float32Rows(seed, stream, end);
      case FLOAT64 -> new Float64Rows(seed, stream, end);
      default ->
          throw new IllegalArgumentException("type = " + type + ": must be FLOAT32 or FLOAT64");
    };
  }
}
