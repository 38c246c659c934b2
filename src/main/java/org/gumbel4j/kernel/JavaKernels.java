package org.gumbel4j.kernel;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.util.function.DoubleConsumer;

/**
 * The kernels in plain Java: the readable definition of every operator, and the backend that runs
 * anywhere.
 *
 * <p>An operator goes through the rows a {@link Tile} at a time; {@link SoftRows}, {@link
 * ArgmaxRows} and {@link GradientRows} put it together from the steps of the tile, whatever its
 * compute type; {@link Elements} reads and writes memory of any strides and type.
 */
final class JavaKernels implements Kernels {
  private static final Draw NO_DRAW = new Draw(0, 0, 0);

  @Override
  public String name() {
    return "java";
  }

  @Override
  public String isa() {
    return "jvm";
  }

  // ---------- noise ----------

  @Override
  public long words(Shape shape, Draw draw, Operand out) {
    Rows rows = Rows.of(out, shape.type(), shape);
    Shape runs = inFewRows(shape, rows);
    MemorySegment segment = out.segment();
    if (shape.type() == INT64) {
      Float64Noise noise = new Float64Noise(draw, capacity(runs), new Float64Math(0));
      forEachBlock(
          runs,
          (row, column, count) -> {
            long[] words = noise.words(element(runs, draw, row) + column, count);
            long at = rows.at(row) + column * rows.classStride();
            for (int i = 0; i < count; i++) {
              segment.setAtIndex(JAVA_LONG, at + i * rows.classStride(), words[i]);
            }
          });
    } else {
      Float32Noise noise = new Float32Noise(draw, capacity(runs), new Float32Math(0));
      forEachBlock(
          runs,
          (row, column, count) -> {
            int[] words = noise.words(element(runs, draw, row) + column, count);
            long at = rows.at(row) + column * rows.classStride();
            for (int i = 0; i < count; i++) {
              segment.setAtIndex(JAVA_INT, at + i * rows.classStride(), words[i]);
            }
          });
    }
    return shape.rows();
  }

  @Override
  public long uniform(Shape shape, Draw draw, Operand out) {
    Rows rows = Rows.of(out, FLOAT64, shape);
    Shape runs = inFewRows(shape, rows);
    MemorySegment segment = out.segment();
    if (shape.type() == FLOAT64) {
      Float64Noise noise = new Float64Noise(draw, capacity(runs), new Float64Math(0));
      forEachBlock(
          runs,
          (row, column, count) -> {
            long[] words = noise.words(element(runs, draw, row) + column, count);
            long at = rows.at(row) + column * rows.classStride();
            for (int i = 0; i < count; i++) {
              double uniform = Float64Math.uniform(words[i]);
              segment.setAtIndex(JAVA_DOUBLE, at + i * rows.classStride(), uniform);
            }
          });
    } else {
      Float32Noise noise = new Float32Noise(draw, capacity(runs), new Float32Math(0));
      forEachBlock(
          runs,
          (row, column, count) -> {
            long element = element(runs, draw, row) + column;
            int[] words = noise.words(element, count);
            long at = rows.at(row) + column * rows.classStride();
            for (int i = 0; i < count; i++) {
              double uniform = noise.uniform(element + i, words[i]);
              segment.setAtIndex(JAVA_DOUBLE, at + i * rows.classStride(), uniform);
            }
          });
    }
    return shape.rows();
  }

  /** Rows that follow each other without a gap, in memory as in the noise, are one long row. */
  private static Shape inFewRows(Shape shape, Rows rows) {
    boolean packed =
        rows.inner() >= shape.rows()
            && rows.innerStride() == shape.classes()
            && rows.classStride() == 1;
    return packed ? new Shape(shape.type(), 1, 1, shape.rows() * shape.classes()) : shape;
  }

  /** Works on up to {@link Tile#CAPACITY} columns of one row. */
  private interface BlockOperator {
    void apply(long row, long column, int count);
  }

  private static void forEachBlock(Shape shape, BlockOperator operator) {
    for (long row = 0; row < shape.rows(); row++) {
      for (long column = 0; column < shape.classes(); column += Tile.CAPACITY) {
        long left = shape.classes() - column;
        operator.apply(row, column, (int) Math.min(Tile.CAPACITY, left));
      }
    }
  }

  @Override
  public long gumbel(Shape shape, Draw draw, Operand out) {
    Tile tile = tile(shape, draw);
    int batch = rowsOfTile(shape);
    return inStrips(
        shape,
        Rows.of(Operand.NONE, shape.type(), shape),
        Rows.of(out, shape.type(), shape),
        (nothing, first, noise, rows) -> {
          for (long row = 0; row < rows; row += batch) {
            int count = (int) Math.min(batch, rows - row);
            long element = element(shape, draw, first + row);
            for (long column = 0; column < shape.classes(); column += Tile.CAPACITY) {
              int columns = (int) Math.min(Tile.CAPACITY, shape.classes() - column);
              tile.noise(element + column, count, columns);
              tile.store(noise, row, column);
            }
          }
          return rows;
        });
  }

  // ---------- samples ----------

  @Override
  public long soft(Shape shape, Operand logits, Temperature tau, Draw draw, Operand out) {
    Temperatures taus = Temperatures.of(tau, computeType(shape), shape);
    if (!taus.each() && taus.all() == 0) {
      return hard(shape, logits, draw, out);
    }
    Tile tile = tile(shape, draw);
    SoftRows soft = new SoftRows(tile, rowsOfTile(shape));
    ArgmaxRows argmax = new ArgmaxRows(tile, rowsOfTile(shape));
    return inStrips(
        shape,
        Rows.of(logits, shape.type(), shape),
        Rows.of(out, shape.type(), shape),
        (x, first, y, rows) -> {
          long element = element(shape, draw, first);
          return soft.sample(x, taus.from(first), element, y, rows, shape.classes(), argmax);
        });
  }

  @Override
  public long hard(Shape shape, Operand logits, Draw draw, Operand out) {
    ArgmaxRows argmax = new ArgmaxRows(tile(shape, draw), rowsOfTile(shape));
    return inStrips(
        shape,
        Rows.of(logits, shape.type(), shape),
        Rows.of(out, shape.type(), shape),
        (x, first, y, rows) ->
            argmax.sampleOneHot(x, element(shape, draw, first), y, rows, shape.classes()));
  }

  @Override
  public long categorical(Shape shape, Operand logits, Draw draw, Operand out) {
    ArgmaxRows argmax = new ArgmaxRows(tile(shape, draw), rowsOfTile(shape));
    Rows indices = Rows.of(out, INT32, shape);
    return inStrips(
        shape,
        Rows.of(logits, shape.type(), shape),
        Rows.of(Operand.NONE, shape.type(), shape),
        (x, first, nothing, rows) ->
            argmax.sample(
                x,
                element(shape, draw, first),
                rows,
                shape.classes(),
                (row, count, found) -> {
                  for (int i = 0; i < count; i++) {
                    long at = indices.at(first + row + i);
                    out.segment().setAtIndex(JAVA_INT, at, (int) found[i]);
                  }
                }));
  }

  // ---------- backward ----------

  @Override
  public long vjp(
      Shape shape,
      Operand sample,
      Operand upstream,
      Temperature tau,
      Operand dlogits,
      Operand dtau) {
    int type = computeType(shape);
    long classes = shape.classes();
    GradientRows gradient = new GradientRows(tile(shape, NO_DRAW), rowsOfTile(shape));
    Temperatures taus = Temperatures.of(tau, type, shape);
    Rows y = Rows.of(sample, shape.type(), shape);
    Rows v = Rows.of(upstream, shape.type(), shape);
    Rows dx = Rows.of(dlogits, shape.type(), shape);
    Rows slopes = Rows.of(dtau, type, shape);
    boolean helps = helps(y, shape) || helps(v, shape) || helps(dx, shape);
    int atOnce = helps ? Strip.rowsAtOnce(type, 2, shape.rows(), classes) : 0;
    if (atOnce == 0) {
      gradient.write(y, v, taus, dx, slopes, shape.rows(), classes);
      return shape.rows();
    }
    Strip samples = new Strip(type, atOnce, classes);
    Strip gradients = new Strip(type, atOnce, classes);
    for (long row = 0; row < shape.rows(); row += atOnce) {
      int count = (int) Math.min(atOnce, shape.rows() - row);
      samples.load(y, row, count);
      gradients.load(v, row, count);
      Rows upper = gradients.rows();
      gradient.write(
          samples.rows(), upper, taus.from(row), upper, slopes.from(row), count, classes);
      gradients.store(dx, row, count);
    }
    return shape.rows();
  }

  // ---------- parts of rows ----------

  @Override
  public boolean partPerturb(
      Shape part, Operand logits, Draw draw, Operand out, MemorySegment top) {
    Rows x = Rows.of(logits, part.type(), part);
    Rows s = Rows.of(out, part.type(), part);
    double largest =
        new SoftRows(tile(part, draw), 1).perturb(x, draw.element(), s, part.classes());
    top.set(JAVA_DOUBLE, 0, largest);
    return !Double.isNaN(largest);
  }

  @Override
  public void partExp(
      Shape part,
      Operand logits,
      double tau,
      double top,
      Draw draw,
      Operand out,
      MemorySegment sums) {
    Rows x = Rows.of(logits, part.type(), part);
    Rows e = Rows.of(out, part.type(), part);
    new SoftRows(tile(part, draw), 1)
        .exp(x, tau, top, draw.element(), e, part.classes(), writer(part, sums));
  }

  @Override
  public void partScale(
      Shape part, Operand logits, double tau, double top, double factor, Draw draw, Operand out) {
    Rows x = Rows.of(logits, part.type(), part);
    Rows y = Rows.of(out, part.type(), part);
    new SoftRows(tile(part, draw), 1).scale(x, tau, top, factor, draw.element(), y, part.classes());
  }

  @Override
  public boolean partArgmax(Shape part, Operand logits, Draw draw, MemorySegment best) {
    Rows x = Rows.of(logits, part.type(), part);
    Best found = new Best();
    boolean valid =
        new ArgmaxRows(tile(part, draw), 1).improve(found, x, draw.element(), part.classes());
    best.set(JAVA_DOUBLE, 0, found.value);
    best.set(JAVA_LONG, Double.BYTES, found.column);
    return valid;
  }

  @Override
  public void partOneHot(Shape part, long column, Operand out) {
    Rows y = Rows.of(out, part.type(), part);
    new ArgmaxRows(tile(part, NO_DRAW), 1).writeOneHot(y, part.classes(), column);
  }

  @Override
  public void partDot(Shape part, Operand sample, Operand upstream, MemorySegment sums) {
    Rows y = Rows.of(sample, part.type(), part);
    Rows v = Rows.of(upstream, part.type(), part);
    new GradientRows(tile(part, NO_DRAW), 1).dot(y, v, part.classes(), writer(part, sums));
  }

  @Override
  public void partGradient(
      Shape part,
      Operand sample,
      Operand upstream,
      double tau,
      double dot,
      Operand dlogits,
      MemorySegment sums) {
    Rows y = Rows.of(sample, part.type(), part);
    Rows v = Rows.of(upstream, part.type(), part);
    Rows dx = Rows.of(dlogits, part.type(), part);
    GradientRows gradient = new GradientRows(tile(part, NO_DRAW), 1);
    if (sums.address() == 0) {
      gradient.gradient(y, v, tau, dot, dx, part.classes());
    } else {
      gradient.gradient(y, v, tau, dot, dx, part.classes(), writer(part, sums));
    }
  }

  /** Writes the sums of blocks one after the other. */
  private static DoubleConsumer writer(Shape part, MemorySegment sums) {
    Rows blocks = Rows.list(sums, computeType(part));
    long[] next = {0};
    return sum -> blocks.set(next[0]++, sum);
  }

  // ---------- what operators share ----------

  /** Turns {@code rows} rows, number {@code first} of the call being the first, into others. */
  private interface RowOperator {
    long apply(Rows in, long first, Rows out, long rows);
  }

  /** Runs an operator, in place on copies of some rows at a time where that helps. */
  private static long inStrips(Shape shape, Rows in, Rows out, RowOperator operator) {
    int type = computeType(shape);
    boolean helps = helps(in, shape) || helps(out, shape);
    int atOnce = helps ? Strip.rowsAtOnce(type, 1, shape.rows(), shape.classes()) : 0;
    if (atOnce == 0) {
      return operator.apply(in, 0, out, shape.rows());
    }
    Strip strip = new Strip(type, atOnce, shape.classes());
    for (long row = 0; row < shape.rows(); row += atOnce) {
      int count = (int) Math.min(atOnce, shape.rows() - row);
      if (!in.isNone()) {
        strip.load(in, row, count);
      }
      long done = operator.apply(strip.rows(), row, strip.rows(), count);
      if (!out.isNone()) {
        strip.store(out, row, (int) done);
      }
      if (done < count) {
        return row + done;
      }
    }
    return shape.rows();
  }

  private static boolean helps(Rows rows, Shape shape) {
    return Strip.helps(rows, computeType(shape), shape.classes());
  }

  private static Tile tile(Shape shape, Draw draw) {
    return Tile.of(computeType(shape), draw, rowsOfTile(shape), capacity(shape));
  }

  /** The elements of a tile: no more than there are in all. */
  private static int capacity(Shape shape) {
    long most = Math.min(shape.classes(), Tile.CAPACITY) * rowsOfTile(shape);
    return (int) Math.max(most, 1);
  }

  private static int rowsOfTile(Shape shape) {
    long fitting = Math.max(Tile.CAPACITY / Math.max(shape.classes(), 1), 1);
    return (int) Math.clamp(shape.rows(), 1, fitting);
  }

  private static int computeType(Shape shape) {
    return switch (shape.type()) {
      case FLOAT32, FLOAT16, BFLOAT16 -> FLOAT32;
      case FLOAT64 -> FLOAT64;
      default ->
          throw new IllegalArgumentException(
              "type = "
                  + shape.type()
                  + ": must be FLOAT32, FLOAT64, FLOAT16 or BFLOAT16 (0, 1, 4 or 5)");
    };
  }

  /** The index of a row's first element in the noise of a draw. */
  private static long element(Shape shape, Draw draw, long row) {
    return draw.element() + row * shape.classes();
  }
}
