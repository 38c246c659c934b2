/* Hard and categorical samples, which screen most columns by a bound, against the first largest x + g over all columns. */
#ifndef GUMBEL4J_TEST_ARGMAX_H
#define GUMBEL4J_TEST_ARGMAX_H

#include "check.h"
#include "typed.h"

/* The first column of the largest x + g, from the noise that the library itself gives (noise_test.c checks it). */
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

/* Packed logits x with the noise g of these rows; `one_hot` and `columns` are room for the samples. */
static inline void compare_argmax(int32_t type, const void *x, const void *g, int64_t rows, int64_t classes, uint64_t seed, uint64_t stream,
                                  uint64_t first_row, void *one_hot, int32_t *columns, const char *what)
{
    CHECK(gumbel4j_hard(type, rows, classes, x, classes, seed, stream, first_row, one_hot, classes) == rows, "%s", what);
    CHECK(gumbel4j_categorical(type, rows, classes, x, classes, seed, stream, first_row, columns, 1) == rows, "%s", what);
    for (int64_t r = 0; r < rows; r++) {
        int64_t expected = unscreened_argmax(type, element(type, x, r * classes), element(type, g, r * classes), classes), others = 0;
        for (int64_t c = 0; c < classes; c++)
            others += c != expected && get(type, one_hot, r * classes + c) != 0;
        CHECK(columns[r] == expected && others == 0 && get(type, one_hot, r * classes + expected) == 1,
              "%s %s, classes %lld, row %lld: column %d, not %lld", name_of(type), what, (long long)classes, (long long)r, (int)columns[r],
              (long long)expected);
    }
}

#endif
