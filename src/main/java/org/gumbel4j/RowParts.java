package org.gumbel4j;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.gumbel4j.kernel.Draw;
import org.gumbel4j.kernel.Kernels;
import org.gumbel4j.kernel.Shape;

/**
 * Runs an operator over long rows, row after row, each split by columns over all workers of a call.
 * {@link Kernels} says what happens in each stage. Parts start at multiples of the block of the
 * sums, and the sums of the blocks are added in order here, so the split changes no bit.
 */
record RowParts(Kernels kernels, Workers workers) {
  /** Below this a row is done sooner than a second thread has come to help. */
  private static final long LONG = 1 << 15;

  /** Rows so long that they are split even where there is one for each thread, to cancel soon. */
  private static final long LONGEST = 1 << 22;

  /** Parts for each thread, so that all end a stage at nearly the same time. */
  private static final int PARTS_A_THREAD = 4;

  private static final long LONGEST_PART = 1 << 17;

  /** Whether rows are to be split. */
  boolean suit(long rows, long classes) {
    return classes >= LONGEST && (workers.count() > 1 || workers.isCancellable())
        || classes >= LONG && rows < workers.count();
  }

  /** An operator on some columns of a row. */
  @FunctionalInterface
  interface Columns {
    void write(long row, long column, long columns);
  }

  /** What becomes of a row; returns false where it is refused. */
  @FunctionalInterface
  private interface RowBody {
    boolean write(long row, Split split);
  }

  /** Noise: every element for itself. */
  void independent(Matrix out, Columns body) {
    forEachRow(
        out,
        (row, split) ->
            split.stage(
                (part, column, columns) -> {
                  body.write(row, column, columns);
                  return true;
                }));
  }

  /** Returns the number of rows, or the first one that was refused. */
  long soft(Matrix logits, double tau, Matrix rowTau, Noise noise, Matrix out) {
    return forEachRow(
        logits,
        (row, split) -> {
          double temperature = temperature(logits.type(), tau, rowTau, row);
          return temperature == 0
              ? split.hard(row, logits, noise, out)
              : split.soft(row, logits, temperature, noise, out);
        });
  }

  /** As {@link #soft}. */
  long hard(Matrix logits, Noise noise, Matrix out) {
    return forEachRow(logits, (row, split) -> split.hard(row, logits, noise, out));
  }

  /** As {@link #soft}. */
  long categorical(Matrix logits, Noise noise, Matrix out) {
    return forEachRow(
        logits,
        (row, split) -> {
          long best = split.argmax(row, logits, noise);
          if (best >= 0) {
            out.segment().setAtIndex(ValueLayout.JAVA_INT, out.layout().start(row), (int) best);
          }
          return best >= 0;
        });
  }

  /** The backward of {@link #soft}; {@code dTau} may be left out. */
  void vjp(Matrix sample, Matrix upstream, double tau, Matrix rowTau, Matrix dLogits, Matrix dTau) {
    forEachRow(
        sample,
        (row, split) -> {
          double temperature = temperature(sample.type(), tau, rowTau, row);
          split.vjp(row, sample, upstream, temperature, dLogits, dTau);
          return true;
        });
  }

  private long forEachRow(Matrix matrix, RowBody body) {
    Split split = new Split(matrix.type(), matrix.classes());
    long[] written = new long[1];
    workers.run(
        Math.min(workers.count(), split.parts),
        () -> {
          try {
            while (written[0] < matrix.rows() && body.write(written[0], split)) {
              written[0]++;
            }
          } finally {
            split.stages.end();
          }
        },
        split.stages::help);
    return written[0];
  }

  /** The temperature of a row, rounded to the compute type. */
  private static double temperature(ElementType type, double tau, Matrix rowTau, long row) {
    double temperature = rowTau.isNone() ? tau : rowTau.get(row, 0);
    return type == ElementType.FLOAT64 ? temperature : (float) temperature;
  }

  /**
   * How the rows of a call are split, and the numbers that parts leave for the thread that leads.
   */
  private final class Split {
    /** An FLOAT64 and an INT64 for each part. */
    private static final long RESULT_BYTES = 16;

    private final Stages stages = new Stages(workers);
    private final ElementType type;
    private final long classes;
    private final long partColumns;
    private final int parts;
    private final long blocks;
    private final MemorySegment results;
    private final MemorySegment sums;

    Split(ElementType type, long classes) {
      this.type = type;
      this.classes = classes;
      long even = Math.ceilDiv(classes, (long) PARTS_A_THREAD * workers.count());
      long wholeBlocks = Math.ceilDiv(Math.min(even, LONGEST_PART), Kernels.BLOCK);
      partColumns = wholeBlocks * Kernels.BLOCK;
      parts = Math.toIntExact(Math.ceilDiv(classes, partColumns));
      blocks = Math.ceilDiv(classes, Kernels.BLOCK);
      // Not a shared arena: closing one takes longer than many a row.
      MemorySegment scratch =
          Arena.ofAuto().allocate(parts * RESULT_BYTES + blocks * Double.BYTES, Double.BYTES);
      results = scratch.asSlice(0, parts * RESULT_BYTES);
      sums = scratch.asSlice(results.byteSize());
    }

    /** The work on one part; returns whether the row may go on. */
    @FunctionalInterface
    interface PartBody {
      boolean run(int part, long column, long columns);
    }

    boolean stage(PartBody body) {
      return stages.run(
          parts,
          part -> {
            long column = part * partColumns;
            return body.run(part, column, Math.min(partColumns, classes - column));
          });
    }

    boolean soft(long row, Matrix logits, double tau, Noise noise, Matrix out) {
      boolean valid =
          stage(
              (part, column, columns) ->
                  kernels.partPerturb(
                      shape(columns),
                      logits.part(row, column),
                      draw(noise, row, column),
                      out.part(row, column),
                      result(part)));
      if (!valid) {
        return false;
      }
      double top = Double.NEGATIVE_INFINITY;
      for (int part = 0; part < parts; part++) {
        top = Math.max(top, result(part).get(ValueLayout.JAVA_DOUBLE, 0));
      }
      if (top == Double.NEGATIVE_INFINITY) {
        return false;
      }
      double largest = top;
      stage(
          (part, column, columns) -> {
            kernels.partExp(
                shape(columns),
                logits.part(row, column),
                tau,
                largest,
                draw(noise, row, column),
                out.part(row, column),
                sumsFrom(column));
            return true;
          });
      double factor = type == ElementType.FLOAT64 ? 1 / sum() : 1f / (float) sum();
      stage(
          (part, column, columns) -> {
            kernels.partScale(
                shape(columns),
                logits.part(row, column),
                tau,
                largest,
                factor,
                draw(noise, row, column),
                out.part(row, column));
            return true;
          });
      return true;
    }

    boolean hard(long row, Matrix logits, Noise noise, Matrix out) {
      long best = argmax(row, logits, noise);
      return best >= 0
          && stage(
              (part, column, columns) -> {
                boolean here = best >= column && best < column + columns;
                kernels.partOneHot(
                    shape(columns), here ? best - column : -1, out.part(row, column));
                return true;
              });
    }

    /** The column of the largest perturbed logit, the first of equals; -1 for a refused row. */
    long argmax(long row, Matrix logits, Noise noise) {
      boolean valid =
          stage(
              (part, column, columns) ->
                  kernels.partArgmax(
                      shape(columns),
                      logits.part(row, column),
                      draw(noise, row, column),
                      result(part)));
      long best = -1;
      if (valid) {
        double top = Double.NEGATIVE_INFINITY;
        for (int part = 0; part < parts; part++) {
          double largest = result(part).get(ValueLayout.JAVA_DOUBLE, 0);
          if (largest > top) {
            top = largest;
            best = part * partColumns + result(part).get(ValueLayout.JAVA_LONG, Double.BYTES);
          }
        }
      }
      return best;
    }

    void vjp(long row, Matrix sample, Matrix upstream, double tau, Matrix dLogits, Matrix dTau) {
      stage(
          (part, column, columns) -> {
            kernels.partDot(
                shape(columns),
                sample.part(row, column),
                upstream.part(row, column),
                sumsFrom(column));
            return true;
          });
      double dot = sum();
      stage(
          (part, column, columns) -> {
            kernels.partGradient(
                shape(columns),
                sample.part(row, column),
                upstream.part(row, column),
                tau,
                dot,
                dLogits.part(row, column),
                dTau.isNone() ? MemorySegment.NULL : sumsFrom(column));
            return true;
          });
      if (!dTau.isNone()) {
        dTau.setGradient(row, -sum());
      }
    }

    private Shape shape(long columns) {
      return new Shape(type.code(), 1, 1, columns);
    }

    private Draw draw(Noise noise, long row, long column) {
      return noise.from(row, classes, column);
    }

    private MemorySegment result(int part) {
      return results.asSlice(part * RESULT_BYTES, RESULT_BYTES);
    }

    /** The sums of the blocks from a column on, in the compute type. */
    private MemorySegment sumsFrom(long column) {
      return sums.asSlice(column / Kernels.BLOCK * type.computeType().bytes());
    }

    /** The sum over the row, in the compute type. */
    private double sum() {
      if (type == ElementType.FLOAT64) {
        double sum = 0;
        for (long block = 0; block < blocks; block++) {
          sum += sums.getAtIndex(ValueLayout.JAVA_DOUBLE, block);
        }
        return sum;
      }
      float sum = 0;
      for (long block = 0; block < blocks; block++) {
        sum += sums.getAtIndex(ValueLayout.JAVA_FLOAT, block);
      }
      return sum;
    }
  }
}
