package org.gumbel4j.kernel;

import java.util.Arrays;

/** A {@link Tile} that computes in double64, for the half types too. */
final class Float64Tile implements Tile {
  private final Elements elements = new Elements();
  private final Float64Math math;
  private final Float64Noise noise;

  private final double[] values;
  private final double[] others; // noise, ceilings, the upstream gradient, the gradient
  private final double[] perRow; // what the elements of a row have in common
  private final double[] taus;
  private final double[] running;
  private final long[] bits;
  private final double[] lanes = new double[LANES];

  private long[] words = {};
  private double tauOfAll = Double.NaN;
  private int rows;
  private int columns;
  private int count;

  Float64Tile(Draw draw, int capacity) {
    math = new Float64Math(capacity);
    noise = new Float64Noise(draw, capacity, math);
    values = new double[capacity];
    others = new double[capacity];
    perRow = new double[capacity];
    taus = new double[capacity];
    running = new double[capacity + LANES];
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
      tops[row] = Float64Math.max(values, row * columns, (row + 1) * columns);
    }
  }

  @Override
  public void keepTop(int row, double top) {
    int first = firstColumn(row, top);
    Arrays.fill(values, row * columns, (row + 1) * columns, Double.NEGATIVE_INFINITY);
    values[row * columns + first] = top;
  }

  private int firstColumn(int row, double value) {
    int at = row * columns;
    while (values[at] != value) {
      at++;
    }
    return at - row * columns;
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
    for (int row = 0; row < rows; row++) {
      sums[row] = sum(row);
    }
  }

  private double sum(int row) {
    if (rows == 1) {
      Arrays.fill(running, 0, LANES, 0.0);
      addRunning(values, running, count);
      return foldRunning();
    }
    Arrays.fill(lanes, 0.0);
    for (int i = 0; i < columns; i++) {
      lanes[i % LANES] += values[row * columns + i];
    }
    return fold();
  }

  /** An accumulator's next value stands sixteen places on: so the loop becomes vector code. */
  private static void addRunning(double[] x, double[] running, int count) {
    for (int i = 0; i < count; i++) {
      running[i + LANES] = running[i] + x[i];
    }
  }

  private double foldRunning() {
    for (int i = count; i < count + LANES; i++) {
      lanes[i % LANES] = running[i];
    }
    return fold();
  }

  private double fold() {
    for (int half = LANES / 2; half > 0; half /= 2) {
      for (int lane = 0; lane < half; lane++) {
        lanes[lane] += lanes[lane + half];
      }
    }
    return lanes[0];
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
    double highest = Float64Math.max(others, from, to);
    if (!(highest > best.threshold)) {
      return;
    }
    int first = from; // the highest raises the threshold over most of the others
    while (others[first] != highest) {
      first++;
    }
    examine(best, first, column + first - from);
    for (int i = from; i < to; i++) {
      if (others[i] > best.threshold) {
        examine(best, i, column + i - from);
      }
    }
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
    for (int row = 0; row < rows; row++) {
      double dot = sumOfProducts(values, others, row);
      // A number proves that no NaN came from a column with y = 0, which takes no part.
      dots[row] = Double.isNaN(dot) ? dotWithoutZeros(row) : dot;
    }
  }

  private double sumOfProducts(double[] x, double[] y, int row) {
    if (rows == 1) {
      Arrays.fill(running, 0, LANES, 0.0);
      addRunning(x, y, running, count);
      return foldRunning();
    }
    Arrays.fill(lanes, 0.0);
    for (int i = 0; i < columns; i++) {
      int at = row * columns + i;
      lanes[i % LANES] = Math.fma(x[at], y[at], lanes[i % LANES]);
    }
    return fold();
  }

  private double dotWithoutZeros(int row) {
    Arrays.fill(lanes, 0.0);
    for (int i = 0; i < columns; i++) {
      int at = row * columns + i;
      if (values[at] != 0.0) {
        lanes[i % LANES] = Math.fma(values[at], others[at], lanes[i % LANES]);
      }
    }
    return fold();
  }

  private static void addRunning(double[] x, double[] y, double[] running, int count) {
    for (int i = 0; i < count; i++) {
      running[i + LANES] = Math.fma(x[i], y[i], running[i]);
    }
  }

  @Override
  public void gradient(double[] dots) {
    spread(dots, perRow);
    gradient(values, perRow, taus, others, count);
    if (math.flush(others, count)) {
      return;
    }
    for (int i = 0; i < count; i++) {
      if (Double.isNaN(others[i])) {
        others[i] = values[i] == 0.0 ? 0.0 : Double.NaN;
      }
    }
  }

  private static void gradient(double[] y, double[] dots, double[] taus, double[] v, int count) {
    for (int i = 0; i < count; i++) {
      v[i] = y[i] * (v[i] - dots[i]) / taus[i];
    }
  }

  @Override
  public void slopes(double[] sums) {
    math.log(values, perRow, count);
    for (int row = 0; row < rows; row++) {
      sums[row] = sumOfProducts(others, perRow, row);
    }
  }
}
