/* Counts checks. A test's main calls CHECK as often as it likes and ends with `return finish("name");`. */
#ifndef GUMBEL4J_TEST_CHECK_H
#define GUMBEL4J_TEST_CHECK_H

#include <stdio.h>

static long checks_passed, checks_failed;

/* CHECK(condition, format, ...): the message says which case it was. Only the first ten failures are printed. */
#define CHECK(condition, ...)                                                                                                    \
    do {                                                                                                                         \
        if (condition)                                                                                                           \
            checks_passed++;                                                                                                     \
        else if (++checks_failed <= 10) {                                                                                        \
            printf("%s:%d: %s: ", __FILE__, __LINE__, #condition);                                                               \
            printf(__VA_ARGS__);                                                                                                 \
            printf("\n");                                                                                                        \
        }                                                                                                                        \
    } while (0)

static inline int finish(const char *name)
{
    printf("%s: %ld passed, %ld failed\n", name, checks_passed, checks_failed);
    return checks_failed != 0;
}

#endif
