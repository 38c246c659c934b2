/*
 * Operators on views that the kernels for rows cannot work on where they lie: tile by tile, each gathered into scratch memory, worked on there,
 * and scattered. Included by views.h once per element type.
 */

/* Whether rows lie side by side in memory. */
INLINE bool S(are_neighbours)(struct view view) { return view.inner_stride == 1 && view.class_stride != 1; }

/* Noise, which `fill` writes in the compute type. */
static int64_t S(noise_staged)(struct extent extent, struct noise noise, struct view out,
                               void (*fill)(struct shape, struct noise, struct output))
{
    struct T(tiling) tiling = T(tiling_of_columns)(extent, S(are_neighbours)(out), 1);
    real *tile = gumbel4j_scratch();
    int64_t end = extent.outer * extent.inner, rows;
    for (int64_t row = 0; row < end; row += rows) {
        rows = T(rows_of_tile)(tiling, extent, row);
        for (int64_t column = 0; column < extent.classes; column += tiling.columns) {
            int64_t columns = T(shorter)(extent.classes - column, tiling.columns);
            if (columns == extent.classes)
                fill((struct shape){rows, columns}, noise_of_row(noise, extent, row), (struct output){tile, tiling.stride});
            else
                for (int64_t r = 0; r < rows; r++) {
                    struct noise of_row = noise_of_row(noise, extent, row + r);
                    of_row.first_element += (uint64_t)column;
                    fill((struct shape){1, columns}, of_row, (struct output){tile + r * tiling.stride, columns});
                }
            S(scatter)(tile, tiling.stride, out, extent.inner, row, rows, column, columns);
        }
    }
    return end;
}

/* The temperatures of the rows of a tile, in room for them. */
INLINE struct temperature S(temperature_of_tile)(struct temperatures tau, int64_t inner, int64_t row, int64_t rows, real *room)
{
    if (tau.rows.data == NULL)
        return (struct temperature){tau.all, {NULL, 0}};
    for (int64_t r = 0; r < rows; r++)
        room[r] = *T(of_row)(tau.rows, inner, row + r);
    return (struct temperature){0, {room, 1}};
}

/* Rows that are too long for scratch memory, one by one. */
static int64_t S(soft_in_parts)(struct extent extent, struct view logits, struct temperatures tau, struct noise noise, struct view out)
{
    enum { BLOCKS = 64 };
    int64_t end = extent.outer * extent.inner, classes = extent.classes;
    for (int64_t row = 0; row < end; row++) {
        struct columns x = {S(piece_of)(logits, extent.inner, row, 1, 0).data, logits.class_stride};
        struct columns y = {S(piece_of)(out, extent.inner, row, 1, 0).data, out.class_stride};
        struct noise of_row = noise_of_row(noise, extent, row);
        double top, temperature = (double)(tau.rows.data == NULL ? (real)tau.all : *T(of_row)(tau.rows, extent.inner, row));
        if (temperature == 0) {
            int64_t column;
            if (!S(part_argmax)(classes, x, of_row, &top, &column) || column < 0)
                return row;
            S(part_one_hot)(classes, column, y);
            continue;
        }
        if (!S(part_perturb)(classes, x, of_row, y, &top) || top == -(double)INFINITY)
            return row;
        real total = 0, sums[BLOCKS];
        for (int64_t c = 0; c < classes; c += BLOCKS * T(SUM_BLOCK)) {
            int64_t count = T(shorter)(classes - c, BLOCKS * T(SUM_BLOCK));
            struct noise of_part = of_row;
            of_part.first_element += (uint64_t)c;
            S(part_exp)(count, (struct columns){S(element)(x, c), x.stride}, temperature, top, of_part,
                        (struct columns){S(element)(y, c), y.stride}, sums);
            for (int64_t b = 0; b * T(SUM_BLOCK) < count; b++)
                total += sums[b];
        }
        S(part_scale)(classes, x, temperature, top, (double)(1 / total), of_row, y);
    }
    return end;
}

static int64_t S(soft_staged)(struct extent extent, struct view logits, struct temperatures tau, struct noise noise, struct view out)
{
    struct T(tiling) tiling = T(tiling_of_rows)(extent, S(are_neighbours)(logits) || S(are_neighbours)(out), 1);
    if (tiling.rows == 0)
        return S(soft_in_parts)(extent, logits, tau, noise, out);
    real *tile = gumbel4j_scratch(), temperatures[T(TILE_ROWS)];
    int64_t end = extent.outer * extent.inner, rows;
    for (int64_t row = 0; row < end; row += rows) {
        rows = T(rows_of_tile)(tiling, extent, row);
        S(gather)(logits, extent.inner, row, rows, 0, extent.classes, tile, tiling.stride);
        int64_t written = T(soft_rows)((struct shape){rows, extent.classes}, (struct input){tile, tiling.stride},
                                       S(temperature_of_tile)(tau, extent.inner, row, rows, temperatures), noise_of_row(noise, extent, row),
                                       (struct output){tile, tiling.stride});
        S(scatter)(tile, tiling.stride, out, extent.inner, row, written, 0, extent.classes);
        if (written < rows)
            return row + written;
    }
    return end;
}

/* The columns of the largest x + g of the rows of a tile; returns how many precede one that must be refused. */
static int64_t S(argmax_staged)(struct T(window) *window, struct T(tiling) tiling, struct extent extent, struct view logits,
                                struct noise noise, int64_t row, int64_t rows, int64_t *columns)
{
    real *tile = gumbel4j_scratch();
    if (tiling.columns == extent.classes) {
        S(gather)(logits, extent.inner, row, rows, 0, extent.classes, tile, tiling.stride);
        int64_t batch = T(argmax_batch)(extent.classes);
        for (int64_t r = 0; r < rows; r += batch) {
            int64_t count = T(shorter)(rows - r, batch);
            int64_t found = T(argmax_rows)(window, noise_of_row(noise, extent, row + r).first_element, tile + r * tiling.stride, tiling.stride,
                                           count, extent.classes, NULL, columns + r);
            if (found < count)
                return r + found;
        }
        return rows;
    }
    struct T(best) best[T(STRIP)];
    for (int64_t r = 0; r < rows; r++)
        best[r] = T(best_of_none)();
    for (int64_t column = 0; column < extent.classes; column += tiling.columns) {
        int64_t count = T(shorter)(extent.classes - column, tiling.columns);
        S(gather)(logits, extent.inner, row, rows, column, count, tile, tiling.stride);
        for (int64_t r = 0; r < rows; r++) /* rows from one that is refused on do not matter */
            if (!T(argmax_columns)(window, noise_of_row(noise, extent, row + r).first_element, column, tile + r * tiling.stride, NULL, count,
                                   &best[r]))
                rows = r;
    }
    for (int64_t r = 0; r < rows; r++) {
        columns[r] = best[r].column;
        if (columns[r] < 0)
            return r;
    }
    return rows;
}

/* Calls `write` with the columns that each tile of rows has drawn. */
static int64_t S(draw_staged)(struct extent extent, struct view logits, struct noise noise, struct view out, bool neighbours,
                              void (*write)(const int64_t *columns, struct view out, int64_t inner, int64_t row, int64_t rows,
                                            int64_t classes))
{
    struct T(tiling) tiling = T(tiling_of_columns)(extent, neighbours, 1);
    struct T(window) window;
    T(window_open)(&window, noise, (struct shape){extent.outer * extent.inner, extent.classes});
    int64_t columns[T(TILE_ROWS)], end = extent.outer * extent.inner, rows;
    for (int64_t row = 0; row < end; row += rows) {
        rows = T(rows_of_tile)(tiling, extent, row);
        int64_t found = S(argmax_staged)(&window, tiling, extent, logits, noise, row, rows, columns);
        write(columns, out, extent.inner, row, found, extent.classes);
        if (found < rows)
            return row + found;
    }
    return end;
}

/* The backward of rows that are too long for tiles of whole ones: once over the columns for the dot products, once for dx. */
static void S(vjp_in_columns)(struct T(tiling) tiling, struct extent extent, struct view sample, struct view upstream,
                              struct temperature tau, struct view dlogits, int64_t row, int64_t rows, real *dtau)
{
    real *y = gumbel4j_scratch(), *v = y + tiling.rows * tiling.stride, dots[T(STRIP)] = {0}, sums[T(STRIP)] = {0};
    for (int pass = 0; pass < 2; pass++)
        for (int64_t column = 0; column < extent.classes; column += tiling.columns) {
            int64_t count = T(shorter)(extent.classes - column, tiling.columns);
            S(gather)(sample, extent.inner, row, rows, column, count, y, tiling.stride);
            S(gather)(upstream, extent.inner, row, rows, column, count, v, tiling.stride);
            for (int64_t r = 0; r < rows; r++) {
                real *of_y = y + r * tiling.stride, *of_v = v + r * tiling.stride;
                if (pass == 0)
                    dots[r] = T(dot_from)(dots[r], of_y, of_v, count);
                else
                    sums[r] = T(vjp_from)(sums[r], of_y, of_v, count, dots[r], T(temperature_of)(tau, r), of_v, dtau != NULL, NULL);
            }
            if (pass == 1)
                S(scatter)(v, tiling.stride, dlogits, extent.inner, row, rows, column, count);
        }
    for (int64_t r = 0; r < rows && dtau != NULL; r++)
        dtau[r] = T(slope_of_tau)(sums[r]);
}

static void S(vjp_staged)(struct extent extent, struct view sample, struct view upstream, struct temperatures tau, struct view dlogits,
                          struct view dtau)
{
    bool neighbours = S(are_neighbours)(sample) || S(are_neighbours)(upstream) || S(are_neighbours)(dlogits);
    struct T(tiling) tiling = T(tiling_of_columns)(extent, neighbours, 2);
    real *y = gumbel4j_scratch(), *v = y + tiling.rows * tiling.stride, temperatures[T(TILE_ROWS)], slopes[T(TILE_ROWS)];
    int64_t end = extent.outer * extent.inner, rows;
    for (int64_t row = 0; row < end; row += rows) {
        rows = T(rows_of_tile)(tiling, extent, row);
        struct temperature of_tile = S(temperature_of_tile)(tau, extent.inner, row, rows, temperatures);
        if (tiling.columns == extent.classes) {
            S(gather)(sample, extent.inner, row, rows, 0, extent.classes, y, tiling.stride);
            S(gather)(upstream, extent.inner, row, rows, 0, extent.classes, v, tiling.stride);
            T(vjp_rows)((struct shape){rows, extent.classes}, (struct input){y, tiling.stride}, (struct input){v, tiling.stride}, of_tile,
                        (struct output){v, tiling.stride}, (struct output){dtau.data == NULL ? NULL : slopes, 1});
            S(scatter)(v, tiling.stride, dlogits, extent.inner, row, rows, 0, extent.classes);
        } else {
            S(vjp_in_columns)(tiling, extent, sample, upstream, of_tile, dlogits, row, rows, dtau.data == NULL ? NULL : slopes);
        }
        for (int64_t r = 0; r < rows && dtau.data != NULL; r++)
            *T(of_row)(dtau, extent.inner, row + r) = slopes[r];
    }
}
