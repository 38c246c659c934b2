/* The screened argmax against the unscreened one over 10^8 random elements of each type, in rows of many lengths and kinds. */
#include "argmax.h"

#include <inttypes.h>

enum { SEED = 2024, BATCH = 1 << 20 };

static const int64_t all_classes[] = {2, 10, 17, 64, 65, 100, 511, 1000, 4096, 50257, 128256, 1000000};

/* A spread of logits: from noise alone to hardly any, around zero or where sums round to few values. */
static const struct {
    double spread, around;
} kinds[] = {{0, 0}, {1, 0}, {8, 0}, {100, 0}, {1e-3, 0x1p20}, {4, -0x1p23}, {10, 0x1p48}, {1e30, 0}};

enum { CLASSES = sizeof all_classes / sizeof *all_classes, KINDS = sizeof kinds / sizeof *kinds };

static void soak(int32_t type)
{
    void *x = malloc(BATCH * 8), *g = malloc(BATCH * 8), *one_hot = malloc(BATCH * 8);
    int32_t *columns = malloc(BATCH * sizeof *columns);
    uint64_t random = 5, stream = 0;
    for (int64_t elements = 0; elements < 100000000; stream++) {
        int64_t classes = all_classes[stream % CLASSES], rows = BATCH / classes;
        int kind = (int)(stream / CLASSES % KINDS);
        char what[100];
        snprintf(what, sizeof what, "stream %" PRIu64 ", logits %g around %g", stream, kinds[kind].spread, kinds[kind].around);
        for (int64_t i = 0; i < rows * classes; i++) {
            double logit = kinds[kind].around + kinds[kind].spread * next_random(&random);
            put(type, x, i, fmax(-largest_of(type), fmin(logit, largest_of(type)))); /* finite in the half types too */
        }
        struct shape shape = matrix(type, rows, classes), wide = matrix(compute_type(type), rows, classes);
        struct draw draw = draw_of(SEED, stream, stream * 1000003, classes);
        call_gumbel(wide, draw, packed(wide, g));
        compare_argmax(shape, x, g, draw, one_hot, columns, what);
        elements += rows * classes;
    }
    free(x);
    free(g);
    free(one_hot);
    free(columns);
}

int main(void)
{
    for (int t = 0; t < TYPES; t++)
        soak(all_types[t]);
    return finish("argmax soak");
}
