package org.gumbel4j.kernel;

/**
 * The arithmetic of the operators on some rows that fit together into scratch memory, or on a block
 * of one longer row: the steps that {@code native/NOISE.md}, section 7, puts an operator together
 * from. One implementation for each compute type; numbers that pass in and out as doubles are
 * numbers of that type.
 *
 * <p>What has been loaded last counts: {@code rows} by {@code columns} elements, packed. A tile
 * belongs to one call.
 */
interface Tile {
  /** The most elements of a tile. */
  int CAPACITY = Kernels.BLOCK;

  /** From so many columns on it pays to go through each row by itself. */
  int LONG_ROW = 32;

  /** The element type it computes in. */
  int type();

  /** A result of double arithmetic on two numbers of the type, as arithmetic of the type gives. */
  double rounded(double x);

  /** Zero for what is no normal number of the type, one NaN for all. */
  double clean(double x);

  /** Loads columns of some rows. */
  void load(Rows from, long row, int rows, long column, int columns);

  /** Loads the upstream gradient for what has been loaded. */
  void loadUpstream(Rows from, long row, long column);

  /** Stores what the last step made of the values loaded. */
  void store(Rows to, long row, long column);

  // ---------- noise and soft samples ----------

  /** Takes the noise of these elements as values. */
  void noise(long element, int rows, int columns);

  /**
   * Adds noise, that of the first value being {@code element}. Returns how many rows precede one
   * with a NaN or +infinity.
   */
  int perturb(long element);

  /** Writes the largest value of each row that has been perturbed. */
  void tops(double[] tops);

  /** Keeps the first of the largest values of a row, and masks the others. */
  void keepTop(int row, double top);

  /** Sets the temperature of all rows from now on. */
  void temperature(double tau);

  /** Sets the temperature of each row of this tile. */
  void temperatures(double[] taus);

  /** Turns values into exp((value - top) / tau). */
  void exp(double[] tops);

  /** Writes the sum of each row. */
  void sums(double[] sums);

  /** Multiplies each row by its factor; +0 for what is no normal number. */
  void scale(double[] factors);

  // ---------- argmax ----------

  /** Takes rows of zeros as values, with a one where {@code ones} names a column of theirs. */
  void oneHot(int rows, int columns, long[] ones);

  /** The first column of each of some rows that holds its largest value. */
  void firstColumns(double[] tops, int rows, long[] columns);

  /**
   * Works out an upper bound of each perturbed value, for {@link #improve}. Returns how many rows
   * precede one with a NaN or +infinity.
   */
  int boundAbove(long element);

  /** Takes in the perturbed values of a row, {@code column} being its first column's number. */
  void improve(Best best, int row, long column);

  // ---------- backward ----------

  /** Writes the sum of products of values and upstream gradient of each row. */
  void dots(double[] dots);

  /** Turns the upstream gradient into that of the logits. */
  void gradient(double[] dots);

  /** Writes the sum of products of this gradient and the logarithm of the values of each row. */
  void slopes(double[] sums);

  /** Stores the gradient of the logits. */
  void storeGradient(Rows to, long row, long column);

  /** The tile of a compute type for up to {@code rows} rows of {@code capacity} elements in all. */
  static Tile of(int type, Draw draw, int rows, int capacity) {
    return type == Kernels.FLOAT64
        ? new Float64Tile(draw, rows, capacity)
        : new Float32Tile(draw, rows, capacity);
  }
}
