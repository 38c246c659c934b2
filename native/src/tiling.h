/*
 * How a call is cut into tiles. Included by operators.h once per compute type.
 */

enum {
    T(SCRATCH) = SCRATCH_BYTES / sizeof(real), /* elements of a thread's scratch memory */
    T(LINE) = 64 / sizeof(real),               /* elements of a cache line */
    T(STRIP) = 4 * T(LINE),                    /* rows, neighbours in memory, that are worth a visit to each of their classes */
    T(TILE_ROWS) = 512,                        /* at most */
    T(TILE) = (1 << 16) / sizeof(real),        /* elements that a tile aims at, so that it stays near */
    T(TILE_COLUMNS) = T(SUM_BLOCK)             /* of rows that are too long for a tile of whole ones: a multiple of the sums' blocks */
};

/* Where a step that covers LANES of `count` starts, so as to end within them. */
INLINE int64_t T(within)(int64_t start, int64_t count) { return T(shorter)(start, count - T(LANES)); }

/* The one element of a row, as of a temperature. */
INLINE real *T(of_row)(struct view view, int64_t inner, int64_t row)
{
    return (real *)view.data + row / inner * view.outer_stride + row % inner * view.inner_stride;
}

/* Tiles of `rows` rows by `columns` columns (all of them, or some), with rows `stride` apart. */
struct T(tiling) {
    int64_t rows, columns, stride;
};

/* Short rows are packed, as their kernels want them. Others start in cache lines that do not compete for the same places of the cache, as they
 * would where the distance is a power of two. */
INLINE int64_t T(tile_stride)(int64_t columns)
{
    return columns <= T(SHORT) ? columns : (columns + T(LINE) - 1) / T(LINE) * T(LINE) + T(LINE);
}

/* `buffers` tiles of whole rows; no rows where not even one fits. `neighbours`: whether rows lie side by side in memory, so that a tile had
 * better have whole cache lines of them. */
INLINE struct T(tiling) T(tiling_of_rows)(struct extent extent, bool neighbours, int buffers)
{
    int64_t stride = T(tile_stride)(extent.classes), room = T(SCRATCH) / buffers / stride, rows = T(TILE) / stride;
    int64_t least = !neighbours ? 1 : room / 2 >= T(STRIP) ? T(STRIP) : T(LINE);
    rows = T(shorter)(T(shorter)(rows < least ? least : rows, T(TILE_ROWS)), room);
    if (rows > extent.inner)
        rows -= rows % extent.inner; /* a tile ends where an outer step does */
    return (struct T(tiling)){rows, extent.classes, stride};
}

/* Tiles of whole rows if they are short enough to leave room for many, else of columns. */
INLINE struct T(tiling) T(tiling_of_columns)(struct extent extent, bool neighbours, int buffers)
{
    if (extent.classes <= 4 * T(TILE_COLUMNS))
        return T(tiling_of_rows)(extent, neighbours, buffers);
    return (struct T(tiling)){neighbours ? T(STRIP) : 1, T(TILE_COLUMNS), T(tile_stride)(T(TILE_COLUMNS))};
}

/* The rows of the tile from `row` on: within one outer step, unless whole ones fit. */
INLINE int64_t T(rows_of_tile)(struct T(tiling) tiling, struct extent extent, int64_t row)
{
    int64_t end = tiling.rows < extent.inner ? (row / extent.inner + 1) * extent.inner : extent.outer * extent.inner;
    return T(shorter)(tiling.rows, end - row);
}
