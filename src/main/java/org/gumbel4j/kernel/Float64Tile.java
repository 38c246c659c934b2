package org.gumbel4j.kernel;

import java.util.Arrays;

/** A {@link Tile} that computes in double64, for the half types too. */
final class Float64Tile implements Tile {
  private final Elements elements = new Elements();
  private final Float64Math math;
  private final Float64Noise noise;
  private final Float64Sums sums;

  private final double[] values;
  private final double[] others; // noise, ceilings, the upstream gradient, the gradient
  private final double[] perRow; // what the elements of a row have in common
  private final double[] taus;
  private final long[] bits;

  private long[] words = {};
  private double tauOfAll = Double.NaN;
  private int rows;
  private int columns;
  private int count;

  Float64Tile(Draw draw, int rows, int capacity) {
    math = new Float64Math(capacity);
    noise = new Float64Noise(draw, capacity, math);
    values = new double[capacity];
    others = new double[capacity];
    perRow = new double[capacity];
    taus = new double[capacity];
    sums = new Float64Sums(rows, capacity);
    bits = new long[capacity];
  }

  @Override
  public int type() {
    return Kernels.FLOAT64;
  }

  @Override
  public double rounded(double x) {
    return x;
  }

  @Override
  public double clean(double x) {
    return Float64Math.clean(x);
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

  private static void add(double[] x, double[] to, int count) {
    for (int i = 0; i < count; i++) {
      to[i] += x[i];
    }
  }

  /** How many rows precede one whose {@link #bits} are in part those of a NaN or +infinity. */
  private int validRows() {
    if (Float64Math.areValid(bits, count)) {
      return rows;
    }
    int i = 0;
    while (Double.longBitsToDouble(bits[i]) < Double.POSITIVE_INFINITY) {
      i++;
    }
    return i / columns;
  }

  @Override
  public void tops(double[] tops) {
    for (int row = 0; row < rows; row++) {
      tops[row] = Float64Math.max(bits, row * columns, (row + 1) * columns);
    }
  }

  @Override
  public void keepTop(int row, double top) {
    int first = firstColumn(row, top);
    Arrays.fill(values, row * columns, (row + 1) * columns, Double.NEGATIVE_INFINITY);
    values[row * columns + first] = top;
  }

  private int firstColumn(int row, double value) {
    int from = row * columns;
    return indexOf(value, values, from, from + columns) - from;
  }

  @Override
  public void temperature(double tau) {
    if (tau != tauOfAll) {
      Arrays.fill(taus, tau);
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

  private static void shift(double[] x, double[] tops, double[] taus, int count) {
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

  private void spread(double[] ofRows, double[] to) {
    for (int row = 0; row < rows; row++) {
      Arrays.fill(to, row * columns, (row + 1) * columns, ofRows[row]);
    }
  }

  // ---------- argmax ----------

  @Override
  public void oneHot(int rows, int columns, long[] ones) {
    resize(rows, columns);
    Arrays.fill(values, 0, count, 0.0);
    for (int row = 0; row < rows; row++) {
      if (ones[row] >= 0 && ones[row] < columns) {
        values[row * columns + (int) ones[row]] = 1.0;
      }
    }
  }

  @Override
  public void firstColumns(double[] tops, int rows, long[] columns) {
    for (int row = 0; row < rows; row++) {
      columns[row] = firstColumn(row, tops[row]);
    }
  }

  @Override
  public int boundAbove(long element) {
    words = noise.words(element, count);
    math.ceilings(values, words, others, count);
    Bits.copy(others, bits, count);
    return validRows();
  }

  @Override
  public void improve(Best best, int row, long column) {
    int from = row * columns;
    int to = from + columns;
    double highest = Float64Math.max(bits, from, to);
    if (!(highest > best.threshold)) {
      return;
    }
    // The highest raises the threshold over most of the others.
    int at = indexOf(highest, others, from, to);
    examine(best, at, column + at - from);
    at = indexAbove(best.threshold, others, from, to);
    while (at < to) {
      examine(best, at, column + at - from);
      at = indexAbove(best.threshold, others, at + 1, to);
    }
  }

  private static int indexOf(double value, double[] x, int from, int to) {
    for (int i = from; i < to; i++) {
      if (x[i] == value) {
        return i;
      }
    }
    return to;
  }

  private static int indexAbove(double threshold, double[] x, int from, int to) {
    for (int i = from; i < to; i++) {
      if (x[i] > threshold) {
        return i;
      }
    }
    return to;
  }

  private void examine(Best best, int at, long column) {
    double s = values[at] + Float64Math.gumbel(words[at]);
    if (best.take(s, column)) {
      best.threshold = s - Float64Math.ceilingSlack(s);
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
    double smallest;
    if (columns >= LONG_ROW) {
      smallest = Double.POSITIVE_INFINITY;
      for (int row = 0, from = 0; row < rows; row++, from += columns) {
        double dot = dots[row];
        double ofRow = gradient(values, dot, taus[from], others, from, from + columns);
        smallest = Math.min(smallest, ofRow);
      }
    } else {
      spread(dots, perRow);
      smallest = gradient(values, perRow, taus, others, count);
    }
    if (smallest >= Double.MIN_NORMAL || math.flush(others, count)) {
      return;
    }
    for (int i = 0; i < count; i++) {
      if (Double.isNaN(others[i])) {
        others[i] = values[i] == 0.0 ? 0.0 : Double.NaN;
      }
    }
  }

  // Both return the least size of what they write, NaN if there is one.

  private static double gradient(double[] y, double dot, double tau, double[] v, int from, int to) {
    double smallest = Double.POSITIVE_INFINITY;
    for (int i = from; i < to; i++) {
      double dx = y[i] * (v[i] - dot) / tau;
      v[i] = dx;
      smallest = Math.min(smallest, Math.abs(dx));
    }
    return smallest;
  }

  private static double gradient(double[] y, double[] dots, double[] taus, double[] v, int count) {
    double smallest = Double.POSITIVE_INFINITY;
    for (int i = 0; i < count; i++) {
      double dx = y[i] * (v[i] - dots[i]) / taus[i];
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
