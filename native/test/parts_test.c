/* A long row in parts of any number and size is the row in one call: the same bits, and the same rows refused. */
#include "check.h"
#include "parts.h"

#include <inttypes.h>

static const struct draw draw = {23, 6, 1025 * 977};

/* Memory for `classes` elements that stand `stride` apart. */
static struct operand strided(int32_t type, int64_t classes, int64_t stride)
{
    return (struct operand){make(type, (classes - 1) * stride + 1), 0, 0, stride};
}

static struct long_row new_row(int32_t type, int64_t classes, double tau, int64_t stride)
{
    struct long_row row = {.type = type, .classes = classes, .tau = tau, .draw = draw};
    struct operand *operands[] = {&row.logits, &row.sample, &row.upstream, &row.soft, &row.hard, &row.dlogits};
    for (int k = 0; k < 6; k++) /* strides differ by operand, but for 1 */
        *operands[k] = strided(type, classes, stride == 1 ? 1 : 1 + (stride + k) % 4);
    row.sums = make(compute_type(type), classes / BLOCK + 1);
    uint64_t random = (uint64_t)classes;
    for (int64_t c = 0; c < classes; c++) {
        double u = next_random(&random);
        put(type, row.logits.data, c * row.logits.class_stride, u < 0.2 && c != classes / 3 ? -INFINITY : 10 * u);
        put(type, row.sample.data, c * row.sample.class_stride, u < 0.1 ? 0 : u * 0.01);
        put(type, row.upstream.data, c * row.upstream.class_stride, 4 * next_random(&random) - 2);
    }
    return row;
}

static void free_row(struct long_row row)
{
    void *memory[] = {row.logits.data, row.sample.data, row.upstream.data, row.soft.data, row.hard.data, row.dlogits.data, row.sums};
    for (size_t k = 0; k < sizeof memory / sizeof *memory; k++)
        free(memory[k]);
}

/* The stages from `first` to `last` over all parts; whether every call returned 1. */
static bool run(struct long_row *row, enum stage first, enum stage last)
{
    bool well = true;
    for (enum stage stage = first; stage <= last; stage++) {
        for (int part = row->parts - 1; part >= 0; part--)
            well &= run_part(row, stage, part) == 1;
        join(row, stage);
    }
    return well;
}

static bool equal_elements(int32_t type, struct operand a, struct operand b, int64_t classes)
{
    for (int64_t c = 0; c < classes; c++)
        if (!same(type, element(type, a.data, c * a.class_stride), element(type, b.data, c * b.class_stride), 1))
            return false;
    return true;
}

static void by_parts(int32_t type, int64_t classes, double tau, int64_t stride)
{
    struct shape shape = matrix(type, 1, classes);
    struct long_row row = new_row(type, classes, tau, stride);
    struct operand soft = strided(type, classes, 1), hard = strided(type, classes, 1), dlogits = strided(type, classes, 1);
    double dtau = 0; /* room for either type */
    int32_t column;
    CHECK(call_soft(shape, row.logits, all_rows(tau), draw, soft) == 1 && call_hard(shape, row.logits, draw, hard) == 1
              && call_categorical(shape, row.logits, draw, packed_rows(shape, &column)) == 1
              && call_vjp(shape, row.sample, row.upstream, all_rows(tau), dlogits, packed_rows(shape, &dtau)) == 1,
          "the whole row");
    static const int counts[] = {1, 2, 3, 7};
    for (int k = 0; k < 8; k++) {
        cut(&row, counts[k / 2], k % 2);
        bool well = run(&row, PERTURB, SCALE) && run(&row, ARGMAX, ONE_HOT) && run(&row, DOT, GRADIENT);
        CHECK(well, "%s %" PRId64 " in %d parts", name_of(type), classes, row.parts);
        CHECK(equal_elements(type, row.soft, soft, classes), "soft %s %" PRId64 " in %d parts, tau %g", name_of(type), classes, row.parts,
              tau);
        CHECK(row.column == column && equal_elements(type, row.hard, hard, classes),
              "hard %s %" PRId64 " in %d parts: %" PRId64 ", not %d", name_of(type), classes, row.parts, row.column, (int)column);
        CHECK(equal_elements(type, row.dlogits, dlogits, classes), "dlogits %s %" PRId64 " in %d parts, tau %g", name_of(type), classes,
              row.parts, tau);
        CHECK(row.dtau == get(compute_type(type), &dtau, 0) || (row.dtau != row.dtau && dtau != dtau),
              "dtau %s %" PRId64 " in %d parts: %a, not %a", name_of(type), classes, row.parts, row.dtau, get(compute_type(type), &dtau, 0));
        /* without the sums for tau */
        void *sums = row.sums;
        row.sums = NULL;
        for (int64_t c = 0; c < classes; c++)
            put(type, row.dlogits.data, c * row.dlogits.class_stride, 9);
        for (int part = 0; part < row.parts; part++)
            well &= run_part(&row, GRADIENT, part) == 1;
        CHECK(well && equal_elements(type, row.dlogits, dlogits, classes), "gradient without sums, %s", name_of(type));
        row.sums = sums;
    }
    free(soft.data);
    free(hard.data);
    free(dlogits.data);
    free_row(row);
}

/* Equal largest sums in several parts: the first column wins. Nothing but masks in a part: the others decide. */
static void ties_and_masks(int32_t type)
{
    int64_t classes = 5 * BLOCK + 17;
    struct long_row row = new_row(type, classes, 0.5, 1);
    cut(&row, 3, false);
    double huge = type == GUMBEL4J_FLOAT16 ? 0 : largest_of(type); /* none of float16 swallows the noise */
    for (int64_t c = 0; c < classes; c++)
        put(type, row.logits.data, c, c < row.first[1] || c >= row.first[2] ? -INFINITY : c % 100 == 50 ? huge : -60000);
    int32_t column;
    struct shape shape = matrix(type, 1, classes);
    call_categorical(shape, row.logits, draw, packed_rows(shape, &column));
    bool well = run(&row, PERTURB, SCALE) && run(&row, ARGMAX, ONE_HOT);
    CHECK(well && row.column == column, "%s: %" PRId64 ", not %d", name_of(type), row.column, (int)column);
    CHECK(row.s[0] == -INFINITY && row.column_of_part[0] == -1 && row.column_of_part[2] == -1, "a part of masks");
    for (int64_t c = 0; c < classes; c++)
        CHECK(get(type, row.logits.data, c) != -INFINITY || get(type, row.soft.data, c) == 0, "a masked column %" PRId64, c);
    if (type != GUMBEL4J_FLOAT16) {
        for (int64_t c = 0; c < classes; c++)
            put(type, row.logits.data, c, c >= 900 && c % 700 == 0 ? huge : 0);
        CHECK(run(&row, ARGMAX, ONE_HOT) && row.column == 1400, "a tie: %" PRId64, row.column);
    }
    for (int64_t c = 0; c < classes; c++)
        put(type, row.logits.data, c, -INFINITY);
    CHECK(run(&row, PERTURB, PERTURB) && row.top[0] == -INFINITY && run(&row, ARGMAX, ARGMAX) && row.column == -1, "nothing but masks");
    free_row(row);
}

/* A NaN or +inf is told by its own part alone, wherever it is. */
static void refusals(int32_t type)
{
    int64_t classes = 4 * BLOCK + 3;
    for (int64_t stride = 1; stride <= 2; stride++) {
        struct long_row row = new_row(type, classes, 0.5, stride);
        cut(&row, 3, false);
        for (int64_t c = 0; c < classes; c += 53) {
            double before = get(type, row.logits.data, c * row.logits.class_stride);
            put(type, row.logits.data, c * row.logits.class_stride, c % 2 ? NAN : INFINITY);
            for (int part = 0; part < row.parts; part++) {
                bool here = c >= row.first[part] && c < row.first[part + 1];
                CHECK(run_part(&row, PERTURB, part) == !here && run_part(&row, ARGMAX, part) == !here, "%s column %" PRId64 ", part %d",
                      name_of(type), c, part);
            }
            put(type, row.logits.data, c * row.logits.class_stride, before);
        }
        free_row(row);
    }
}

int main(void)
{
    static const int64_t all_classes[] = {1, 1000, 1024, 1025, 3000, 7 * 1024 + 5, 20000};
    static const double taus[] = {0.5, 1e-38, 1e30};
    for (int t = 0; t < TYPES; t++) {
        for (size_t k = 0; k < sizeof all_classes / sizeof *all_classes; k++)
            for (int n = 0; n < (all_classes[k] < 5000 ? 3 : 1); n++)
                for (int64_t stride = 1; stride <= 2; stride++)
                    by_parts(all_types[t], all_classes[k], taus[n], stride);
        ties_and_masks(all_types[t]);
        refusals(all_types[t]);
    }
    return finish("parts");
}
