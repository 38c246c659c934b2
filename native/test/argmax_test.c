/* Rows that are hard on a screened argmax, at every number of classes beside the edge of a vector, a chunk or the layout of short rows. */
#include "argmax.h"

/* Rows are shifted so that a tail word of the float32 stream (NOISE.md, section 9) is among them. */
enum { SEED = 7, STREAM = 0, TAIL_INDEX = 24428773, ROWS = 4, MOST_SHORT = 130, MORE_ROWS = 19, MOST_CLASSES = 4097 };

/* One logit's place; u is a new random number, `place` a column that differs by row. */
struct element {
    int64_t column, classes, place;
    double u, noise, largest;
};

static double all_equal(struct element e) { return (void)e, 0.25; }
static double ascending(struct element e) { return 0.01 * (double)e.column; }
static double descending(struct element e) { return -0.01 * (double)e.column; }
static double one_huge(struct element e) { return e.column == e.place ? e.largest : 8 * e.u; }
static double tied_huge(struct element e) { return e.column % 37 == e.place % 37 ? e.largest : -8 * e.u; }
static double all_but_one_masked(struct element e) { return e.column == e.place ? -1 : -INFINITY; }
static double first_masked(struct element e) { return e.column < e.place ? -INFINITY : e.u; }
static double both_extremes(struct element e) { return e.u < 0.4 ? e.largest : e.u < 0.8 ? -e.largest : 100 * e.u; }
static double all_lowest(struct element e) { return -e.largest; }
static double subnormal(struct element e) { return e.u * (e.largest > 1e300 ? 0x1p-1030 : e.largest > 1e30 ? 0x1p-130 : 0x1p-16); }
/* so far from zero that sums round to few values: ties are everywhere */
static double coarse(struct element e) { return e.largest > 1e300 ? 0x1p52 : e.largest > 1e30 ? 0x1p23 : 0x1p15; }
static double coarse_below(struct element e) { return e.largest > 1e300 ? -0x1p50 : e.largest > 1e30 ? -0x1p21 : -0x1p15; }
/* every sum within a rounding of the same value: the bound has no room for an error */
static double cancelled(struct element e) { return -e.noise; }
static double cancelled_high(struct element e) { return 1000 - e.noise; }
static double cancelled_but_one(struct element e) { return (e.column == e.place ? 5.000001 : 5) - e.noise; }
static double random_logits(struct element e) { return 20 * e.u; }

static const struct {
    const char *name;
    double (*logit)(struct element);
} kinds[] = {
    {"all equal", all_equal},
    {"ascending", ascending},
    {"descending", descending},
    {"one huge", one_huge},
    {"tied huge", tied_huge},
    {"all but one masked", all_but_one_masked},
    {"first masked", first_masked},
    {"both extremes", both_extremes},
    {"all lowest", all_lowest},
    {"subnormal", subnormal},
    {"coarse", coarse},
    {"coarse below", coarse_below},
    {"cancelled", cancelled},
    {"cancelled high", cancelled_high},
    {"cancelled but one", cancelled_but_one},
    {"random", random_logits},
};

static void every_kind(int32_t type, int64_t classes)
{
    static double logits[ROWS * MOST_CLASSES], noise[ROWS * MOST_CLASSES], one_hot[ROWS * MOST_CLASSES]; /* room for either type */
    int32_t columns[MORE_ROWS];
    const int64_t rows = classes <= MOST_SHORT && classes % 3 != 0 ? MORE_ROWS : ROWS; /* more than lanes, or fewer */
    const int64_t places[ROWS] = {0, classes - 1, classes / 2, classes - 1 - classes / 5};
    struct shape shape = matrix(type, rows, classes), wide = matrix(compute_type(type), rows, classes);
    struct draw draw = draw_of(SEED, STREAM, (uint64_t)(TAIL_INDEX / classes - 1), classes);
    uint64_t random = (uint64_t)classes;
    call_gumbel(wide, draw, packed(wide, noise));
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        for (int64_t r = 0; r < rows; r++)
            for (int64_t c = 0; c < classes; c++) {
                struct element e = {c, classes, places[r % ROWS], next_random(&random), get(wide.type, noise, r * classes + c), largest_of(type)};
                put(type, logits, r * classes + c, kinds[k].logit(e));
            }
        compare_argmax(shape, logits, noise, draw, one_hot, columns, kinds[k].name);
    }
}

int main(void)
{
    static const int64_t edges[] = {128, 256, 512, 576, 1024, 1040, 1536, 2048, 4096};
    for (int t = 0; t < TYPES; t++) {
        for (int64_t classes = 1; classes <= 82; classes++)
            every_kind(all_types[t], classes);
        for (size_t k = 0; k < sizeof edges / sizeof *edges; k++)
            for (int64_t classes = edges[k] - 1; classes <= edges[k] + 1; classes++)
                every_kind(all_types[t], classes);
    }
    return finish("argmax");
}
