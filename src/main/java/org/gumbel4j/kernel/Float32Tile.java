package org.gumbel4j.kernel;

import java.util.Arrays;

/** A {@link Tile} that computes in float32, for the half types too. */
final class Float32Tile implements Tile {
  private final Elements elements = new Elements();
  private final Float32Math math;
  private final Float32Noise noise;
  private final Float32Sums sums;

  private final float[] values;
  private final float[] others; // noise, ceilings, the upstream gradient, the gradient
  private final float[] perRow; // what the elements of a row have in common
  private final float[] taus;
  private final int[] bits;

  private int[] words = {};
  private long element;
  private double tauOfAll = Double.NaN;
  private int rows;
  private int columns;
  private int count;

  Float32Tile(Draw draw, int rows, int capacity) {
    math = new Float32Math(capacity);
    noise = new Float32Noise(draw, capacity, math);
    values = new float[capacity];
    others = new float[capacity];
    perRow = new float[capacity];
    taus = new float[capacity];
    sums = new Float32Sums(rows, capacity);
    bits = new int[capacity];
  }

  @Override
  public int type() {
    return Kernels.FLOAT32;
  }

  @Override
  public double rounded(double x) {
    return (float) x; // the same as one rounding, as double has more than twice as many digits
  }

  @Override
  public double clean(double x) {
    return Float32Math.clean((float) x);
  }

  @Override
  public void load(Rows from, long row, int rows, long column, int columns) {
    resize(rows, columns);
    elements.load(from, row, rows, column, columns, values, columns);
  }

  @Override
  public void loadUpstream(Rows from, long row, long column) {
    elements.load(from, row, rows, column, columns, others, columns);
  }

  @Override
  public void store(Rows to, long row, long column) {
    elements.store(values, columns, to, row, rows, column, columns);
  }

  @Override
  public void storeGradient(Rows to, long row, long column) {
    elements.store(others, columns, to, row, rows, column, columns);
  }

  private void resize(int rows, int columns) {
    this.rows = rows;
    this.columns = columns;
    count = rows * columns;
  }

  // ---------- noise and soft samples ----------

  @Override
  public void noise(long element, int rows, int columns) {
    resize(rows, columns);
    noise.gumbel(element, values, count);
  }

  @Override
  public int perturb(long element) {
    noise.gumbel(element, others, count);
    add(others, values, count);
    Bits.copy(values, bits, count);
    return validRows();
  }

  private static void add(float[] x, float[] to, int count) {
    for (int i = 0; i < count; i++) {
      to[i] += x[i];
    }
  }

  /** How many rows precede one whose {@link #bits} are in part those of a NaN or +infinity. */
  private int validRows() {
    if (Float32Math.areValid(bits, count)) {
      return rows;
    }
    int i = 0;
    while (Float.intBitsToFloat(bits[i]) < Float.POSITIVE_INFINITY) {
      i++;
    }
    return i / columns;
  }

  @Override
  public void tops(double[] tops) {
    for (int row = 0; row < rows; row++) {
      tops[row] = Float32Math.max(bits, row * columns, (row + 1) * columns);
    }
  }

  @Override
  public void keepTop(int row, double top) {
    int first = firstColumn(row, (float) top);
    Arrays.fill(values, row * columns, (row + 1) * columns, Float.NEGATIVE_INFINITY);
    values[row * columns + first] = (float) top;
  }

  private int firstColumn(int row, float value) {
    int from = row * columns;
    return indexOf(value, values, from, from + columns) - from;
  }

  @Override
  public void temperature(double tau) {
    if (tau != tauOfAll) {
      Arrays.fill(taus, (float) tau);
      tauOfAll = tau;
    }
  }

  @Override
  public void temperatures(double[] taus) {
    spread(taus, this.taus);
    tauOfAll = Double.NaN;
  }

  @Override
  public void exp(double[] tops) {
    spread(tops, perRow);
    shift(values, perRow, taus, count);
    math.exp(values, count);
  }

  private static void shift(float[] x, float[] tops, float[] taus, int count) {
    for (int i = 0; i < count; i++) {
      x[i] = (x[i] - tops[i]) / taus[i];
    }
  }

  @Override
  public void sums(double[] sums) {
    this.sums.add(values, rows, columns, sums);
  }

  @Override
  public void scale(double[] factors) {
    spread(factors, perRow);
    math.scale(values, perRow, count);
  }

  private void spread(double[] ofRows, float[] to) {
    for (int row = 0; row < rows; row++) {
      Arrays.fill(to, row * columns, (row + 1) * columns, (float) ofRows[row]);
    }
  }

  // ---------- argmax ----------

  @Override
  public void oneHot(int rows, int columns, long[] ones) {
    resize(rows, columns);
    Arrays.fill(values, 0, count, 0f);
    for (int row = 0; row < rows; row++) {
      if (ones[row] >= 0 && ones[row] < columns) {
        values[row * columns + (int) ones[row]] = 1f;
      }
    }
  }

  @Override
  public void firstColumns(double[] tops, int rows, long[] columns) {
    for (int row = 0; row < rows; row++) {
      columns[row] = firstColumn(row, (float) tops[row]);
    }
  }

  @Override
  public int boundAbove(long element) {
    this.element = element;
    words = noise.words(element, count);
    math.ceilings(values, words, others, count);
    Bits.copy(others, bits, count);
    return validRows();
  }

  @Override
  public void improve(Best best, int row, long column) {
    int from = row * columns;
    int to = from + columns;
    float highest = Float32Math.max(bits, from, to);
    if (!(highest > best.threshold)) {
      return;
    }
    // The highest raises the threshold over most of the others.
    int at = indexOf(highest, others, from, to);
    examine(best, at, column + at - from);
    at = indexAbove((float) best.threshold, others, from, to);
    while (at < to) {
      examine(best, at, column + at - from);
      at = indexAbove((float) best.threshold, others, at + 1, to);
    }
  }

  private static int indexOf(float value, float[] x, int from, int to) {
    for (int i = from; i < to; i++) {
      if (x[i] == value) {
        return i;
      }
    }
    return to;
  }

  private static int indexAbove(float threshold, float[] x, int from, int to) {
    for (int i = from; i < to; i++) {
      if (x[i] > threshold) {
        return i;
      }
    }
    return to;
  }

  private void examine(Best best, int at, long column) {
    float s = values[at] + noise.gumbel(element + at, words[at]);
    if (best.take(s, column)) {
      best.threshold = s - Float32Math.ceilingSlack(s);
    }
  }

  // ---------- backward ----------

  @Override
  public void dots(double[] dots) {
    sums.addProducts(values, others, rows, columns, dots);
    for (int row = 0; row < rows; row++) {
      if (Double.isNaN(dots[row])) {
        leaveOutZeros(); // numbers prove that there was no need to
        sums.addProducts(values, others, rows, columns, dots);
        return;
      }
    }
  }

  /** Columns with y = 0 take no part, whatever their upstream gradient. */
  private void leaveOutZeros() {
    for (int i = 0; i < count; i++) {
      if (values[i] == 0) {
        others[i] = 0;
      }
    }
  }

  @Override
  public void gradient(double[] dots) {
    float smallest;
    if (columns >= LONG_ROW) {
      smallest = Float.POSITIVE_INFINITY;
      for (int row = 0, from = 0; row < rows; row++, from += columns) {
        float dot = (float) dots[row];
        float ofRow = gradient(values, dot, taus[from], others, from, from + columns);
        smallest = Math.min(smallest, ofRow);
      }
    } else {
      spread(dots, perRow);
      smallest = gradient(values, perRow, taus, others, count);
    }
    if (smallest >= Float.MIN_NORMAL || math.flush(others, count)) {
      return;
    }
    for (int i = 0; i < count; i++) {
      if (Float.isNaN(others[i])) {
        others[i] = values[i] == 0f ? 0f : Float.NaN;
      }
    }
  }

  // Both return the least size of what they write, NaN if there is one.

  private static float gradient(float[] y, float dot, float tau, float[] v, int from, int to) {
    float smallest = Float.POSITIVE_INFINITY;
    for (int i = from; i < to; i++) {
      float dx = y[i] * (v[i] - dot) / tau;
      v[i] = dx;
      smallest = Math.min(smallest, Math.abs(dx));
    }
    return smallest;
  }

  private static float gradient(float[] y, float[] dots, float[] taus, float[] v, int count) {
    float smallest = Float.POSITIVE_INFINITY;
    for (int i = 0; i < count; i++) {
      float dx = y[i] * (v[i] - dots[i]) / taus[i];
      v[i] = dx;
      smallest = Math.min(smallest, Math.abs(dx));
    }
    return smallest;
  }

  @Override
  public void slopes(double[] sums) {
    math.log(values, perRow, count);
    this.sums.addProducts(others, perRow, rows, columns, sums);
  }
}
