/*
 * Tiles: some columns of some rows of a view, packed in scratch memory in the compute type. Included by views.h once per element type.
 *
 * Where consecutive rows are neighbours in memory (the class axis stands in the middle), squares of LANES by LANES elements are read row
 * by row of memory, turned in registers, and stored column by column. The last square of a side overlaps the one before it, so that
 * only sides shorter than a square need partial vectors.
 */

/* `count` columns of one row. */
INLINE void S(gather_row)(const S(stored) *from, int64_t stride, int64_t count, real *to)
{
    int64_t c = 0;
    if (stride == 1) {
        for (; c + T(LANES) <= count; c += T(LANES))
            T(store)(to + c, T(LANES), S(read)(from + c, T(LANES)));
        if (c < count)
            T(store)(to + c, count - c, S(read)(from + c, count - c));
        return;
    }
    for (; c < count; c += T(LANES)) {
        S(stored) some[T(LANES)] = {0};
        int64_t left = T(shorter)(count - c, T(LANES));
        for (int64_t l = 0; l < left; l++)
            some[l] = from[(c + l) * stride];
        T(store)(to + c, left, S(read)(some, T(LANES)));
    }
}

INLINE void S(scatter_row)(const real *from, int64_t count, S(stored) *to, int64_t stride)
{
    int64_t c = 0;
    if (stride == 1) {
        for (; c + T(LANES) <= count; c += T(LANES))
            S(write)(to + c, T(LANES), T(load)(from + c, T(LANES), 0));
        if (c < count)
            S(write)(to + c, count - c, T(load)(from + c, count - c, 0));
        return;
    }
    for (; c < count; c += T(LANES)) {
        S(stored) some[T(LANES)];
        int64_t left = T(shorter)(count - c, T(LANES));
        S(write)(some, T(LANES), T(load)(from + c, left, 0));
        for (int64_t l = 0; l < left; l++)
            to[(c + l) * stride] = some[l];
    }
}

/* At most LANES rows, neighbours in memory, by at most LANES columns. */
INLINE void S(gather_square)(const S(stored) *from, int64_t class_stride, int64_t rows, int64_t columns, real *to, int64_t stride)
{
    lanes v[T(LANES)];
    UNROLL
    for (int64_t c = 0; c < T(LANES); c++)
        v[c] = c < columns ? S(read)(from + c * class_stride, rows) : (lanes){0};
    T(transpose)(v);
    UNROLL
    for (int64_t r = 0; r < T(LANES); r++)
        if (r < rows)
            T(store)(to + r * stride, columns, v[r]);
}

INLINE void S(scatter_square)(const real *from, int64_t stride, int64_t rows, int64_t columns, S(stored) *to, int64_t class_stride)
{
    lanes v[T(LANES)];
    UNROLL
    for (int64_t r = 0; r < T(LANES); r++)
        v[r] = r < rows ? T(load)(from + r * stride, columns, 0) : (lanes){0};
    T(transpose)(v);
    UNROLL
    for (int64_t c = 0; c < T(LANES); c++)
        if (c < columns)
            S(write)(to + c * class_stride, rows, v[c]);
}

static void S(gather_squares)(const S(stored) *from, int64_t class_stride, int64_t rows, int64_t columns, real *to, int64_t stride)
{
    if (rows < T(LANES) || columns < T(LANES)) {
        for (int64_t c = 0; c < columns; c += T(LANES))
            for (int64_t r = 0; r < rows; r += T(LANES))
                S(gather_square)(from + c * class_stride + r, class_stride, T(shorter)(rows - r, T(LANES)), T(shorter)(columns - c, T(LANES)),
                                 to + r * stride + c, stride);
        return;
    }
    for (int64_t step = 0; step < columns; step += T(LANES)) {
        int64_t c = T(within)(step, columns);
        for (int64_t place = 0; place < rows; place += T(LANES)) {
            int64_t r = T(within)(place, rows);
            S(gather_square)(from + c * class_stride + r, class_stride, T(LANES), T(LANES), to + r * stride + c, stride);
        }
    }
}

static void S(scatter_squares)(const real *from, int64_t stride, int64_t rows, int64_t columns, S(stored) *to, int64_t class_stride)
{
    if (rows < T(LANES) || columns < T(LANES)) {
        for (int64_t c = 0; c < columns; c += T(LANES))
            for (int64_t r = 0; r < rows; r += T(LANES))
                S(scatter_square)(from + r * stride + c, stride, T(shorter)(rows - r, T(LANES)), T(shorter)(columns - c, T(LANES)),
                                  to + c * class_stride + r, class_stride);
        return;
    }
    for (int64_t step = 0; step < columns; step += T(LANES)) {
        int64_t c = T(within)(step, columns);
        for (int64_t place = 0; place < rows; place += T(LANES)) {
            int64_t r = T(within)(place, rows);
            S(scatter_square)(from + r * stride + c, stride, T(LANES), T(LANES), to + c * class_stride + r, class_stride);
        }
    }
}

/* Rows of one outer step, as far as a tile goes. */
struct S(piece) {
    S(stored) *data;
    int64_t rows;
};

INLINE struct S(piece) S(piece_of)(struct view view, int64_t inner, int64_t row, int64_t rows, int64_t column)
{
    int64_t o = row / inner, i = row % inner;
    S(stored) *data = (S(stored) *)view.data + o * view.outer_stride + i * view.inner_stride + column * view.class_stride;
    return (struct S(piece)){data, T(shorter)(rows, inner - i)};
}

/* Columns from `column` on of the rows from `row` on, to rows `stride` apart. */
static void S(gather)(struct view from, int64_t inner, int64_t row, int64_t rows, int64_t column, int64_t columns, real *to, int64_t stride)
{
    while (rows > 0) {
        struct S(piece) piece = S(piece_of)(from, inner, row, rows, column);
        if (from.class_stride == 1 && from.inner_stride == columns && stride == columns)
            S(gather_row)(piece.data, 1, piece.rows * columns, to);
        else if (from.inner_stride == 1 && from.class_stride != 1 && piece.rows > 1)
            S(gather_squares)(piece.data, from.class_stride, piece.rows, columns, to, stride);
        else
            for (int64_t r = 0; r < piece.rows; r++)
                S(gather_row)(piece.data + r * from.inner_stride, from.class_stride, columns, to + r * stride);
        row += piece.rows;
        rows -= piece.rows;
        to += piece.rows * stride;
    }
}

static void S(scatter)(const real *from, int64_t stride, struct view to, int64_t inner, int64_t row, int64_t rows, int64_t column,
                       int64_t columns)
{
    while (rows > 0) {
        struct S(piece) piece = S(piece_of)(to, inner, row, rows, column);
        if (to.class_stride == 1 && to.inner_stride == columns && stride == columns)
            S(scatter_row)(from, piece.rows * columns, piece.data, 1);
        else if (to.inner_stride == 1 && to.class_stride != 1 && piece.rows > 1)
            S(scatter_squares)(from, stride, piece.rows, columns, piece.data, to.class_stride);
        else
            for (int64_t r = 0; r < piece.rows; r++)
                S(scatter_row)(from + r * stride, columns, piece.data + r * to.inner_stride, to.class_stride);
        row += piece.rows;
        rows -= piece.rows;
        from += piece.rows * stride;
    }
}

/* `count` zeros. */
INLINE void S(write_zeros)(S(stored) *to, int64_t count, int64_t stride)
{
    if (stride == 1)
        memset(to, 0, (size_t)count * sizeof *to);
    else
        for (int64_t k = 0; k < count; k++)
            to[k * stride] = 0;
}

/* Rows that are 1 in the given columns and 0 elsewhere; none is 1 in a column below 0. */
static void S(scatter_one_hot)(const int64_t *columns, struct view to, int64_t inner, int64_t row, int64_t rows, int64_t classes)
{
    while (rows > 0) {
        struct S(piece) piece = S(piece_of)(to, inner, row, rows, 0);
        bool rows_inside = to.inner_stride < to.class_stride; /* the longer runs of memory first */
        int64_t within = rows_inside ? piece.rows : classes, within_stride = rows_inside ? to.inner_stride : to.class_stride;
        int64_t runs = rows_inside ? classes : piece.rows, run_stride = rows_inside ? to.class_stride : to.inner_stride;
        if (within_stride == 1 && run_stride == within)
            S(write_zeros)(piece.data, runs * within, 1);
        else
            for (int64_t k = 0; k < runs; k++)
                S(write_zeros)(piece.data + k * run_stride, within, within_stride);
        for (int64_t r = 0; r < piece.rows; r++)
            if (columns[r] >= 0)
                piece.data[r * to.inner_stride + columns[r] * to.class_stride] = S(ONE);
        row += piece.rows;
        rows -= piece.rows;
        columns += piece.rows;
    }
}
