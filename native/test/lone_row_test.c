/*
 * Single packed rows of few classes, which have kernels of their own: the same results as the definition, wherever their noise starts, and
 * the same refusals as other calls.
 */
#include "calls.h"
#include "check.h"
#include "typed.h"

#include <string.h>

enum { MOST = 17, UNTOUCHED = 0x5a }; /* one more class than the widest vector has */

static const int32_t types[] = {GUMBEL4J_FLOAT32, GUMBEL4J_FLOAT64};

/* Noise that starts within groups and across them, where the number of the block takes its 33rd bit, and before a tail word. */
static const struct draw draws[] = {
    {7, 0, 0}, {7, 0, 13}, {7, 0, 29}, {7, 0, 61}, {7, 0, 24428770}, {7, 0, 65582456},
    {UINT64_C(0x123456789abcdef0), UINT64_C(3) << 33 | 5, 64},
    {1, 2, (UINT64_C(1) << 34) - 3}, {3, 4, (UINT64_C(1) << 33) - 5}, {5, 6, UINT64_C(1) << 62},
};

enum { DRAWS = sizeof draws / sizeof draws[0] };

struct row {
    double x[MOST], v[MOST], y[MOST], dx[MOST], expected[MOST], slope, expected_slope; /* room for either type */
    int32_t index;
};

static bool is_untouched(const void *from, const void *end)
{
    for (const char *p = from; p < (const char *)end; p++)
        if (*p != UNTOUCHED)
            return false;
    return true;
}

/* Whether an output holds what is expected, and nothing behind it. */
static bool holds(int32_t type, const double *out, const struct row *row, int64_t classes)
{
    return same(type, out, row->expected, classes) && is_untouched(element(type, out, classes), out + MOST);
}

static void samples(int32_t type, int64_t classes, struct draw draw, double tau, struct row *row)
{
    struct shape shape = matrix(type, 1, classes);
    unsigned long long start = draw.first_element;
    memset(row->y, UNTOUCHED, sizeof row->y);
    CHECK(call_gumbel(shape, draw, packed(shape, row->y)) == 1, "gumbel");
    for (int64_t c = 0; c < classes; c++)
        put(type, row->expected, c, typed_noise(type, draw.seed, draw.stream, start + (uint64_t)c));
    CHECK(holds(type, row->y, row, classes), "gumbel %s, %d classes from %llu", name_of(type), (int)classes, start);

    int64_t best = typed_argmax(type, row->x, classes, draw.seed, draw.stream, start);
    memset(row->y, UNTOUCHED, sizeof row->y);
    CHECK(call_hard(shape, packed(shape, row->x), draw, packed(shape, row->y)) == 1, "hard");
    for (int64_t c = 0; c < classes; c++)
        put(type, row->expected, c, c == best);
    CHECK(holds(type, row->y, row, classes), "hard %s, %d classes from %llu", name_of(type), (int)classes, start);

    CHECK(call_categorical(shape, packed(shape, row->x), draw, packed_rows(shape, &row->index)) == 1 && row->index == best,
          "categorical %s, %d classes from %llu", name_of(type), (int)classes, start);

    memset(row->y, UNTOUCHED, sizeof row->y);
    CHECK(call_soft(shape, packed(shape, row->x), all_rows(tau), draw, packed(shape, row->y)) == 1, "soft");
    typed_soft(type, row->x, classes, tau, draw.seed, draw.stream, start, row->expected);
    CHECK(holds(type, row->y, row, classes), "soft %s, %d classes from %llu, tau %g", name_of(type), (int)classes,
          start, tau);
}

/* Of the sample at hand. */
static void backward(int32_t type, int64_t classes, struct row *row)
{
    struct shape shape = matrix(type, 1, classes);
    typed_vjp(type, row->y, row->v, classes, 0.3, row->expected, &row->expected_slope);
    for (int with_slope = 0; with_slope < 2; with_slope++) {
        memset(row->dx, UNTOUCHED, sizeof row->dx);
        CHECK(call_vjp(shape, packed(shape, row->y), packed(shape, row->v), all_rows(0.3), packed(shape, row->dx),
                       packed_rows(shape, with_slope ? &row->slope : NULL))
                  == 1,
              "vjp");
        CHECK(holds(type, row->dx, row, classes), "vjp %s, %d classes", name_of(type), (int)classes);
    }
    CHECK(same(type, &row->slope, &row->expected_slope, 1), "dtau %s, %d classes", name_of(type), (int)classes);
}

static void fill(int32_t type, struct row *row, uint64_t *state)
{
    for (int c = 0; c < MOST; c++) {
        put(type, row->x, c, next_random(state) < 0.1 ? -HUGE_VAL : 8 * next_random(state) - 4);
        put(type, row->v, c, 2 * next_random(state) - 1);
    }
    put(type, row->x, 0, 1);
}

/* A NaN, +inf, or nothing to draw. */
static void refused_rows(int32_t type)
{
    const double wrong[] = {NAN, HUGE_VAL};
    struct row row = {0};
    struct shape shape = matrix(type, 1, 4);
    struct draw draw = {7, 0, 0};
    for (int kind = 0; kind < 3; kind++)
        for (int c = 0; c < 4; c++) {
            for (int other = 0; other < 4; other++)
                put(type, row.x, other, kind == 2 ? -HUGE_VAL : 0);
            if (kind < 2)
                put(type, row.x, c, wrong[kind]);
            CHECK(call_soft(shape, packed(shape, row.x), all_rows(1), draw, packed(shape, row.y)) == 0
                      && call_soft(shape, packed(shape, row.x), all_rows(0), draw, packed(shape, row.y)) == 0
                      && call_hard(shape, packed(shape, row.x), draw, packed(shape, row.y)) == 0
                      && call_categorical(shape, packed(shape, row.x), draw, packed_rows(shape, &row.index)) == 0,
                  "%s, kind %d at %d", name_of(type), kind, c);
        }
}

/* Arguments that break one rule each. */
static void bad_arguments(int32_t type)
{
    struct row row = {0};
    struct shape shape = matrix(type, 1, 4);
    struct operand x = packed(shape, row.x), y = packed(shape, row.y), v = packed(shape, row.v), none = {NULL, 0, 0, 1};
    struct operand odd = packed(shape, (char *)row.y + 1), meets = packed(shape, element(type, row.x, 3));
    struct operand back = {row.y, -1, 4, 1}, slope_in_sample = packed_rows(shape, element(type, row.y, 3));
    struct draw draw = {7, 0, 0}, high_stream = {7, UINT64_C(1) << 63, 0}, beyond = {7, 0, (UINT64_C(1) << 63) - 4};
    const struct operand wrong[] = {none, odd, meets, back};
    for (int k = 0; k < 4; k++) {
        CHECK(call_hard(shape, x, draw, wrong[k]) == GUMBEL4J_BAD_ARGUMENT, "%s, hard %d", name_of(type), k);
        CHECK(call_soft(shape, x, all_rows(1), draw, wrong[k]) == GUMBEL4J_BAD_ARGUMENT, "%s, soft %d", name_of(type), k);
        CHECK(call_vjp(shape, x, v, all_rows(1), wrong[k], none) == GUMBEL4J_BAD_ARGUMENT, "%s, vjp %d", name_of(type), k);
        CHECK(call_vjp(shape, v, x, all_rows(1), wrong[k], none) == GUMBEL4J_BAD_ARGUMENT, "%s, vjp upstream %d", name_of(type), k);
        CHECK(k == 2 || call_gumbel(shape, draw, wrong[k]) == GUMBEL4J_BAD_ARGUMENT, "%s, gumbel %d", name_of(type), k);
    }
    CHECK(call_vjp(shape, x, v, all_rows(1), y, slope_in_sample) == GUMBEL4J_BAD_ARGUMENT, "%s, dtau in dlogits", name_of(type));
    CHECK(call_vjp(shape, y, v, all_rows(1), x, slope_in_sample) == GUMBEL4J_BAD_ARGUMENT, "%s, dtau in sample", name_of(type));
    CHECK(call_vjp(shape, x, v, all_rows(0), y, none) == GUMBEL4J_BAD_ARGUMENT, "%s, tau = 0", name_of(type));
    CHECK(call_soft(shape, x, all_rows(-1), draw, y) == GUMBEL4J_BAD_ARGUMENT, "%s, tau = -1", name_of(type));
    CHECK(call_hard(shape, x, high_stream, y) == GUMBEL4J_BAD_ARGUMENT, "%s, stream", name_of(type));
    CHECK(call_gumbel(shape, beyond, y) == GUMBEL4J_BAD_ARGUMENT, "%s, first element", name_of(type));
    beyond.first_element--;
    CHECK(call_gumbel(shape, beyond, y) == 1, "%s, last elements", name_of(type));
}

int main(void)
{
    uint64_t state = 11;
    for (int t = 0; t < 2; t++) {
        for (int64_t classes = 1; classes <= MOST; classes++)
            for (int d = 0; d < DRAWS; d++) {
                struct row row = {0};
                fill(types[t], &row, &state);
                samples(types[t], classes, draws[d], 0, &row);
                samples(types[t], classes, draws[d], 0.3, &row);
                backward(types[t], classes, &row);
            }
        refused_rows(types[t]);
        bad_arguments(types[t]);
    }
    return finish("lone_row_test");
}
