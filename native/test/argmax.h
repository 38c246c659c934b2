/* Hard and categorical samples, which screen most columns by a bound, against the first largest x + g over all columns. */
#ifndef GUMBEL4J_TEST_ARGMAX_H
#define GUMBEL4J_TEST_ARGMAX_H

#include "calls.h"
#include "check.h"
#include "typed.h"

/* The first column of the largest x + g, both of the compute type, from the noise that the library itself gives (noise_test.c checks it). */
static inline int64_t unscreened_argmax(int32_t type, const void *x, const void *g, int64_t classes)
{
    int64_t at = 0;
    double best = -INFINITY;
    for (int64_t c = 0; c < classes; c++) {
        double s = type == GUMBEL4J_FLOAT32 ? (double)(((const float *)x)[c] + ((const float *)g)[c])
                                            : ((const double *)x)[c] + ((const double *)g)[c];
        if (s > best) {
            best = s;
            at = c;
        }
    }
    return at;
}

/* Packed logits x with the noise g of these rows, in the compute type; `one_hot` and `columns` are room for the samples. */
static inline void compare_argmax(struct shape shape, const void *x, const void *g, struct draw draw, void *one_hot, int32_t *columns,
                                  const char *what)
{
    int32_t type = shape.type, wide_type = compute_type(type);
    int64_t rows = shape.outer * shape.inner, classes = shape.classes;
    CHECK(call_hard(shape, packed(shape, x), draw, packed(shape, one_hot)) == rows, "%s", what);
    CHECK(call_categorical(shape, packed(shape, x), draw, packed_rows(shape, columns)) == rows, "%s", what);
    void *wide = converted(type, x, wide_type, rows * classes);
    for (int64_t r = 0; r < rows; r++) {
        int64_t expected = unscreened_argmax(wide_type, element(wide_type, wide, r * classes), element(wide_type, g, r * classes), classes), others = 0;
        for (int64_t c = 0; c < classes; c++)
            others += c != expected && get(type, one_hot, r * classes + c) != 0;
        CHECK(columns[r] == expected && others == 0 && get(type, one_hot, r * classes + expected) == 1,
              "%s %s, classes %lld, row %lld: column %d, not %lld", name_of(type), what, (long long)classes, (long long)r, (int)columns[r],
              (long long)expected);
    }
    free(wide);
}

#endif
