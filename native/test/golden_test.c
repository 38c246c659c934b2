/* Every operator against the golden files, bit for bit. The argument is their directory. */
#define _POSIX_C_SOURCE 200809L /* strdup */
#include "check.h"
#include "golden.h"
#include "typed.h"

/* What every case of an operator has. */
struct arguments {
    int32_t type;
    int64_t rows, classes;
    double tau;    /* of all rows, unless each has its own */
    void *row_tau; /* to be freed, or NULL */
    uint64_t seed, stream, first_row;
};

static struct arguments arguments_of(const struct golden *golden)
{
    struct arguments a = {.type = golden->type,
                          .rows = (int64_t)golden_integer(golden, "rows"),
                          .classes = (int64_t)golden_integer(golden, "classes")};
    if (golden_value(golden, "tau") != NULL) {
        a.tau = golden_tau(golden);
        if (golden_length(golden, "tau") > 1)
            a.row_tau = golden_array(golden, "tau", golden_floats(golden));
    }
    if (golden_value(golden, "seed") != NULL) {
        a.seed = golden_integer(golden, "seed");
        a.stream = golden_integer(golden, "stream");
        a.first_row = golden_integer(golden, "first_row");
    }
    return a;
}

/* Compares what was written with a key of the case, and frees it. */
static void compare(const struct golden *golden, const char *key, enum golden_kind kind, void *written, int64_t count)
{
    size_t bytes = kind == GOLDEN_FLOAT32 || kind == GOLDEN_INT32 ? 4 : 8;
    void *expected = golden_array(golden, key, kind);
    CHECK(golden_length(golden, key) == count, "%s, %s: the file has another length", golden->path, golden_text(golden, "case"));
    for (int64_t i = 0; i < count; i++)
        CHECK(memcmp((char *)expected + (size_t)i * bytes, (char *)written + (size_t)i * bytes, bytes) == 0, "%s, %s: %s[%d]",
              golden->path, golden_text(golden, "case"), key, (int)i);
    free(expected);
    free(written);
}

static void noise_case(const struct golden *golden)
{
    struct arguments a = arguments_of(golden);
    int64_t count = a.rows * a.classes, done = 0;
    void *out = malloc((size_t)count * 8);
    const char *operator = golden_text(golden, "operator");
    enum golden_kind kind = golden_floats(golden);
    if (strcmp(operator, "words") == 0) {
        kind = golden_words(golden);
        done = gumbel4j_words(a.type == GUMBEL4J_FLOAT32 ? GUMBEL4J_INT32 : GUMBEL4J_INT64, a.rows, a.classes, a.seed, a.stream,
                              a.first_row, out, a.classes);
    } else if (strcmp(operator, "uniform") == 0) {
        kind = GOLDEN_FLOAT64;
        done = gumbel4j_uniform(a.type, a.rows, a.classes, a.seed, a.stream, a.first_row, out, a.classes);
    } else {
        done = gumbel4j_gumbel(a.type, a.rows, a.classes, a.seed, a.stream, a.first_row, out, a.classes);
    }
    CHECK(done == a.rows, "%s, %s", golden->path, golden_text(golden, "case"));
    compare(golden, "out", kind, out, count);
}

static void sample_case(const struct golden *golden)
{
    struct arguments a = arguments_of(golden);
    const char *operator = golden_text(golden, "operator");
    enum golden_kind kind = golden_floats(golden);
    int64_t columns = a.classes, done;
    void *logits = golden_array(golden, "logits", kind), *out = malloc((size_t)(a.rows * a.classes) * 8);
    if (strcmp(operator, "soft") == 0) {
        done = gumbel4j_soft(a.type, a.rows, a.classes, logits, a.classes, a.tau, a.row_tau, 1, a.seed, a.stream, a.first_row,
                             out, a.classes);
    } else if (strcmp(operator, "hard") == 0) {
        done = gumbel4j_hard(a.type, a.rows, a.classes, logits, a.classes, a.seed, a.stream, a.first_row, out, a.classes);
    } else {
        kind = GOLDEN_INT32;
        columns = 1;
        done = gumbel4j_categorical(a.type, a.rows, a.classes, logits, a.classes, a.seed, a.stream, a.first_row, out, 1);
    }
    free(logits);
    free(a.row_tau);
    CHECK(done == (int64_t)golden_integer(golden, "returns"), "%s, %s", golden->path, golden_text(golden, "case"));
    if (done > 0)
        compare(golden, "out", kind, out, done * columns);
    else
        free(out);
}

static void vjp_case(const struct golden *golden)
{
    struct arguments a = arguments_of(golden);
    enum golden_kind kind = golden_floats(golden);
    void *sample = golden_array(golden, "sample", kind), *upstream = golden_array(golden, "upstream", kind);
    void *dlogits = malloc((size_t)(a.rows * a.classes) * 8), *dtau = malloc((size_t)a.rows * 8);
    int64_t done = gumbel4j_vjp(a.type, a.rows, a.classes, sample, a.classes, upstream, a.classes, a.tau, a.row_tau, 1, dlogits,
                                a.classes, dtau, 1);
    free(a.row_tau);
    free(sample);
    free(upstream);
    CHECK(done == a.rows, "%s, %s", golden->path, golden_text(golden, "case"));
    compare(golden, "dlogits", kind, dlogits, a.rows * a.classes);
    compare(golden, "dtau", kind, dtau, a.rows);
}

int main(int count, char **arguments)
{
    static const struct {
        const char *file;
        void (*run)(const struct golden *);
    } files[] = {
        {"words", noise_case}, {"uniform", noise_case}, {"gumbel", noise_case}, {"soft", sample_case}, {"hard", sample_case},
        {"categorical", sample_case}, {"vjp", vjp_case},
    };
    if (count != 2) {
        fprintf(stderr, "golden_test: the argument must be the directory of the golden files\n");
        return 2;
    }
    for (size_t k = 0; k < sizeof files / sizeof *files; k++) {
        struct golden golden = open_golden(arguments[1], files[k].file);
        int cases = 0;
        for (; golden_next(&golden); cases++) {
            CHECK(strcmp(golden_text(&golden, "operator"), files[k].file) == 0, "%s: a case of another operator", golden.path);
            files[k].run(&golden);
        }
        CHECK(cases > 1, "%s: %d cases", golden.path, cases);
    }
    return finish("golden");
}
