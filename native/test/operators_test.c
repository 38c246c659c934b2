/* Samples and gradients: every bit against spec.h, the edges of the contract, and rows split at every place. */
#include "calls.h"
#include "check.h"
#include "typed.h"

#include <inttypes.h>

enum { GAP = 3, SEED = 11, STREAM = 4 };

static const int64_t all_classes[] = {1, 2, 3, 7, 10, 15, 16, 17, 63, 64, 65, 100, 511, 512, 513, 1000, 1023, 1024, 1025, 4097};

/* Logits of three kinds by row: ordinary; some masked; huge ones of both signs. Never a row without a finite logit. */
static void fill_logits(int32_t type, void *x, int64_t rows, int64_t classes, int64_t stride)
{
    uint64_t random = 1;
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t c = 0; c < stride; c++) {
            double u = next_random(&random), value = 8 * u - 4;
            if (r % 3 == 1 && u < 0.3)
                value = -INFINITY;
            if (r % 3 == 2 && u < 0.5)
                value = u < 0.1 ? largest_of(type) : u < 0.2 ? -largest_of(type) : 100 * value;
            put(type, x, r * stride + c, c < classes ? value : NAN); /* whoever reads the gap notices */
        }
        if (r % 3 == 1)
            put(type, x, r * stride + classes / 2, 1);
    }
}

/* The worked example of NOISE.md, section 9. */
static void worked_example(void)
{
    const float logits[4] = {1, 2, 3, 4}, upstream[4] = {1, 0, -1, 2};
    const float soft[4] = {0x1.312666p-24f, 0x1.347b48p-16f, 0x1.ff6acp-1f, 0x1.25a87ap-10f};
    const float gradient[4] = {0x1.30a26ap-22f, 0x1.33706cp-15f, -0x1.ba68e4p-8f, 0x1.b7fdb4p-8f};
    float y[4], dx[4], dtau;
    int32_t column;
    struct shape shape = matrix(GUMBEL4J_FLOAT32, 1, 4);
    struct draw first = {7, 0, 0};
    call_soft(shape, packed(shape, logits), all_rows(0.5), first, packed(shape, y));
    call_categorical(shape, packed(shape, logits), first, packed_rows(shape, &column));
    call_vjp(shape, packed(shape, soft), packed(shape, upstream), all_rows(0.5), packed(shape, dx), packed_rows(shape, &dtau));
    CHECK(memcmp(y, soft, sizeof y) == 0 && column == 2, "soft or categorical");
    CHECK(memcmp(dx, gradient, sizeof dx) == 0 && dtau == 0x1.78ec96p-5f, "vjp");
}

static void samples(int32_t type, int64_t classes, double tau, uint64_t first_row)
{
    int64_t rows = classes > 2000 ? 3 : 7, stride = classes + GAP;
    void *x = make(type, rows * stride), *y = make(type, rows * stride), *expected = make(type, classes);
    int32_t columns[14];
    fill_logits(type, x, rows, classes, stride);
    struct shape shape = matrix(type, rows, classes);
    struct draw draw = draw_of(SEED, STREAM, first_row, classes);
    CHECK(call_soft(shape, rows_of(x, stride), all_rows(tau), draw, rows_of(y, stride)) == rows, "soft");
    for (int64_t r = 0; r < rows; r++) {
        uint64_t index = (first_row + (uint64_t)r) * (uint64_t)classes;
        typed_soft(type, element(type, x, r * stride), classes, tau, SEED, STREAM, index, expected);
        CHECK(same(type, element(type, y, r * stride), expected, classes), "soft %s classes %" PRId64 " tau %g row %" PRId64,
              name_of(type), classes, tau, r);
        double sum = 0;
        bool sound = true;
        for (int64_t c = 0; c < classes; c++) {
            double value = get(type, y, r * stride + c);
            sum += value;
            sound &= value >= 0 && value <= 1 && !(get(type, x, r * stride + c) == -INFINITY && value != 0);
        }
        CHECK(sound && fabs(sum - 1) < (is_half(type) ? 0.05 : 1e-5), "soft %s classes %" PRId64 " tau %g row %" PRId64 " sum %g", name_of(type),
              classes, tau, r, sum);
    }
    CHECK(call_hard(shape, rows_of(x, stride), draw, rows_of(y, stride)) == rows, "hard");
    CHECK(call_categorical(shape, rows_of(x, stride), draw, rows_of(columns, 2)) == rows, "categorical");
    for (int64_t r = 0; r < rows; r++) {
        uint64_t index = (first_row + (uint64_t)r) * (uint64_t)classes;
        typed_hard(type, element(type, x, r * stride), classes, SEED, STREAM, index, expected);
        CHECK(same(type, element(type, y, r * stride), expected, classes), "hard %s classes %" PRId64 " row %" PRId64, name_of(type),
              classes, r);
        CHECK(columns[2 * r] == typed_argmax(type, element(type, x, r * stride), classes, SEED, STREAM, index),
              "categorical %s classes %" PRId64 " row %" PRId64, name_of(type), classes, r);
    }
    free(x);
    free(y);
    free(expected);
}

/* Ties: when noise is lost against huge equal logits (none of float16 is huge enough), the first column wins. */
static void ties(int32_t type)
{
    int64_t classes = 100;
    struct shape shape = matrix(type, 1, classes);
    struct draw draw = {SEED, STREAM, 0};
    void *x = make(type, classes), *y = make(type, classes);
    int32_t column = -1;
    for (int64_t c = 0; c < classes; c++)
        put(type, x, c, c < 13 ? 0 : largest_of(type));
    call_categorical(shape, packed(shape, x), draw, packed_rows(shape, &column));
    call_hard(shape, packed(shape, x), draw, packed(shape, y));
    CHECK(column == 13 && get(type, y, 13) == 1, "column %d", (int)column);
    free(x);
    free(y);
}

/* A row that cannot be sampled stops every operator at that row, wherever its fault is. */
static void refusals(int32_t type)
{
    static const int64_t classes_tried[] = {1, 5, 37, 530};
    static const double faults[] = {NAN, -NAN, INFINITY};
    for (int k = 0; k < 4; k++) {
        int64_t rows = 4, classes = classes_tried[k];
        struct shape shape = matrix(type, rows, classes);
        struct draw draw = {SEED, STREAM, 0};
        void *x = make(type, rows * classes), *y = make(type, rows * classes);
        int32_t columns[4];
        for (int fault = 0; fault < 4; fault++)
            for (int64_t at = 0; at < classes; at++) {
                fill_logits(type, x, rows, classes, classes);
                if (fault < 3)
                    put(type, x, 2 * classes + at, faults[fault]);
                else
                    for (int64_t c = 0; c < classes; c++)
                        put(type, x, 2 * classes + c, -INFINITY);
                CHECK(typed_refused(type, element(type, x, 2 * classes), classes), "the test itself");
                CHECK(call_soft(shape, packed(shape, x), all_rows(0.5), draw, packed(shape, y)) == 2
                          && call_soft(shape, packed(shape, x), all_rows(0), draw, packed(shape, y)) == 2
                          && call_hard(shape, packed(shape, x), draw, packed(shape, y)) == 2
                          && call_categorical(shape, packed(shape, x), draw, packed_rows(shape, columns)) == 2,
                      "%s classes %" PRId64 " fault %d at %" PRId64, name_of(type), classes, fault, at);
                if (fault == 3)
                    break;
            }
        free(x);
        free(y);
    }
}

/* Rows split in two at every place, each part with its own first element, are the whole. */
static void splits(int32_t type)
{
    static const int64_t classes_tried[] = {1, 10, 63, 513, 1025};
    for (int k = 0; k < 5; k++) {
        int64_t rows = 9, classes = classes_tried[k], count = rows * classes;
        void *x = make(type, count), *whole = make(type, count), *parts = make(type, count);
        int32_t whole_columns[9], columns[9];
        fill_logits(type, x, rows, classes, classes);
        struct shape all = matrix(type, rows, classes);
        struct draw draw = draw_of(SEED, STREAM, 5, classes);
        call_soft(all, packed(all, x), all_rows(0.7), draw, packed(all, whole));
        call_categorical(all, packed(all, x), draw, packed_rows(all, whole_columns));
        for (int64_t at = 0; at <= rows; at++) {
            struct shape before = matrix(type, at, classes), after = matrix(type, rows - at, classes);
            struct operand rest = packed(after, element(type, x, at * classes));
            struct draw later = draw_of(SEED, STREAM, 5 + (uint64_t)at, classes);
            call_soft(before, packed(before, x), all_rows(0.7), draw, packed(before, parts));
            call_soft(after, rest, all_rows(0.7), later, packed(after, element(type, parts, at * classes)));
            call_categorical(before, packed(before, x), draw, packed_rows(before, columns));
            call_categorical(after, rest, later, packed_rows(after, columns + at));
            CHECK(same(type, whole, parts, count) && memcmp(whole_columns, columns, sizeof columns) == 0,
                  "%s classes %" PRId64 " split at %" PRId64, name_of(type), classes, at);
        }
        free(x);
        free(whole);
        free(parts);
    }
}

/* Values that samples and upstream gradients take in the rows of `gradients`, beside ordinary ones. */
static double strange_sample(int64_t row, double u)
{
    switch (row) {
    case 1: return u < 0.5 ? 0 : u;         /* zeros, under strange gradients */
    case 2: return u < 0.2 ? -0.0 : -u;     /* no sample at all */
    case 3: return u < 0.05 ? NAN : u;
    case 4: return u * 0x1p-100;            /* products below the normal range */
    case 5: return u < 0.5 ? 0x1p-1060 : 1; /* float64 subnormal */
    default: return u;
    }
}

static double strange_gradient(int64_t row, double y, double u, double v)
{
    if (row == 1 && y == 0)
        return u < 0.1 ? NAN : u < 0.2 ? INFINITY : u < 0.3 ? -INFINITY : v;
    if (row == 4)
        return v * 0x1p-40;
    if (row == 6)
        return u > 0.9 ? INFINITY : v;
    return v;
}

static void gradients(int32_t type, int64_t classes, double tau)
{
    int64_t rows = 7, stride = classes + GAP;
    int32_t tau_type = compute_type(type);
    struct shape shape = matrix(type, rows, classes);
    void *y = make(type, rows * stride), *v = make(type, rows * stride), *dx = make(type, rows * stride), *dtau = make(tau_type, 2 * rows);
    void *expected = make(type, classes), *expected_dtau = make(tau_type, 1);
    uint64_t random = 9;
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < stride; c++) {
            double u = next_random(&random), sample = strange_sample(r, u);
            put(type, y, r * stride + c, c < classes ? sample : NAN);
            put(type, v, r * stride + c, strange_gradient(r, sample, u, 4 * next_random(&random) - 2));
        }
    CHECK(call_vjp(shape, rows_of(y, stride), rows_of(v, stride), all_rows(tau), rows_of(dx, stride), rows_of(dtau, 2)) == rows, "vjp");
    for (int64_t r = 0; r < rows; r++) {
        typed_vjp(type, element(type, y, r * stride), element(type, v, r * stride), classes, tau, expected, expected_dtau);
        CHECK(same(type, element(type, dx, r * stride), expected, classes), "dx %s classes %" PRId64 " tau %g row %" PRId64,
              name_of(type), classes, tau, r);
        CHECK(same(tau_type, element(tau_type, dtau, 2 * r), expected_dtau, 1), "dtau %s classes %" PRId64 " tau %g row %" PRId64 ": %a, not %a",
              name_of(type), classes, tau, r, get(tau_type, dtau, 2 * r), get(tau_type, expected_dtau, 0));
        for (int64_t c = 0; c < classes && r < 2; c++)
            CHECK(isfinite(get(type, dx, r * stride + c)) || tau < 1e-30 || is_half(type), "a column with y = 0 took part");
    }
    free(y);
    free(v);
    free(dx);
    free(dtau);
    free(expected);
    free(expected_dtau);
}

/* A temperature for each row gives each row's bits with that temperature for all; so does a backward pass without dtau. */
static void row_temperatures(int32_t type, int64_t classes)
{
    static const double taus[] = {0.5, 0, 1e-38, 7, 1, 1e30, 0};
    enum { ROWS = sizeof taus / sizeof *taus };
    int32_t tau_type = compute_type(type);
    struct shape shape = matrix(type, ROWS, classes), one = matrix(type, 1, classes);
    void *x = make(type, ROWS * classes), *tau = make(tau_type, 3 * ROWS), *y = make(type, ROWS * classes), *dx = make(type, ROWS * classes);
    void *expected = make(type, classes), *dtau = make(tau_type, ROWS), *expected_dtau = make(tau_type, 1);
    void *without = make(type, ROWS * classes);
    struct operand all_x = packed(shape, x), all_y = packed(shape, y);
    struct temperature by_row = each_row(rows_of(tau, 3));
    struct draw draw = draw_of(SEED, STREAM, 2, classes);
    uint64_t random = 5;
    for (int64_t i = 0; i < ROWS * classes; i++)
        put(type, x, i, 8 * next_random(&random) - 4);
    for (int64_t r = 0; r < ROWS; r++)
        put(tau_type, tau, 3 * r, taus[r]);
    CHECK(call_soft(shape, all_x, by_row, draw, all_y) == ROWS, "soft by row");
    for (int64_t r = 0; r < ROWS; r++) {
        call_soft(one, packed(one, element(type, x, r * classes)), all_rows(get(tau_type, tau, 3 * r)),
                  draw_of(SEED, STREAM, 2 + (uint64_t)r, classes), packed(one, expected));
        CHECK(same(type, element(type, y, r * classes), expected, classes), "soft by row %s classes %" PRId64 " row %" PRId64, name_of(type),
              classes, r);
        put(tau_type, tau, 3 * r, taus[r] == 0 ? 2 : taus[r]);
    }
    CHECK(call_vjp(shape, all_y, all_x, by_row, packed(shape, dx), packed_rows(shape, dtau)) == ROWS, "vjp by row");
    CHECK(call_vjp(shape, all_y, all_x, by_row, packed(shape, without), (struct operand){NULL, 0, 0, 0}) == ROWS, "vjp without dtau");
    CHECK(same(type, dx, without, ROWS * classes), "dx without dtau %s classes %" PRId64, name_of(type), classes);
    for (int64_t r = 0; r < ROWS; r++) {
        call_vjp(one, packed(one, element(type, y, r * classes)), packed(one, element(type, x, r * classes)),
                 all_rows(get(tau_type, tau, 3 * r)), packed(one, expected), packed_rows(one, expected_dtau));
        CHECK(same(type, element(type, dx, r * classes), expected, classes) && same(tau_type, element(tau_type, dtau, r), expected_dtau, 1),
              "vjp by row %s classes %" PRId64 " row %" PRId64, name_of(type), classes, r);
    }
    put(tau_type, tau, 6, -1);
    CHECK(call_soft(shape, all_x, by_row, draw, all_y) == GUMBEL4J_BAD_ARGUMENT, "tau -1 of a row");
    put(tau_type, tau, 6, 0);
    CHECK(call_vjp(shape, all_y, all_x, by_row, packed(shape, dx), packed_rows(shape, dtau)) == GUMBEL4J_BAD_ARGUMENT,
          "vjp with tau 0 of a row");
    free(x);
    free(tau);
    free(y);
    free(dx);
    free(expected);
    free(dtau);
    free(expected_dtau);
    free(without);
}

int main(void)
{
    worked_example();
    static const double taus[] = {1, 0.5, 0.1, 1e30, 1e-38, 1e-3, 3e38, 0, 1e-46, -0.0};
    for (int t = 0; t < TYPES; t++) {
        int32_t type = all_types[t];
        for (size_t k = 0; k < sizeof all_classes / sizeof *all_classes; k++) {
            row_temperatures(type, all_classes[k]);
            for (size_t n = 0; n < sizeof taus / sizeof *taus; n += all_classes[k] > 100 ? 3 : 1)
                samples(type, all_classes[k], taus[n], 13 * n);
            for (size_t n = 0; n < 7; n += all_classes[k] > 100 ? 4 : 1)
                gradients(type, all_classes[k], taus[n]);
        }
        if (type != GUMBEL4J_FLOAT16)
            ties(type);
        refusals(type);
        splits(type);
    }
    return finish("operators");
}
