/* Every operator against the golden files, bit for bit. The argument is their directory. */
#define _POSIX_C_SOURCE 200809L /* strdup */
#include "calls.h"
#include "check.h"
#include "golden.h"
#include "typed.h"

/* What every case of an operator has. */
struct arguments {
    struct shape shape;
    struct temperature tau; /* its rows to be freed, or NULL */
    struct draw draw;
};

static struct arguments arguments_of(const struct golden *golden)
{
    struct arguments a = {
        .shape = matrix(golden->type, (int64_t)golden_integer(golden, "rows"), (int64_t)golden_integer(golden, "classes"))};
    if (golden_value(golden, "tau") != NULL) {
        a.tau = all_rows(golden_tau(golden));
        if (golden_length(golden, "tau") > 1)
            a.tau = each_row(packed_rows(a.shape, golden_array(golden, "tau", compute_type(golden->type))));
    }
    if (golden_value(golden, "seed") != NULL)
        a.draw = draw_of(golden_integer(golden, "seed"), golden_integer(golden, "stream"), golden_integer(golden, "first_row"),
                         a.shape.classes);
    return a;
}

/* Compares what was written with a key of the case, and frees it. */
static void compare(const struct golden *golden, const char *key, int32_t type, void *written, int64_t count)
{
    void *expected = golden_array(golden, key, type);
    CHECK(golden_length(golden, key) == count, "%s, %s: the file has another length", golden->path, golden_text(golden, "case"));
    for (int64_t i = 0; i < count; i++)
        CHECK(same(type, element(type, expected, i), element(type, written, i), 1), "%s, %s: %s[%d]", golden->path,
              golden_text(golden, "case"), key, (int)i);
    free(expected);
    free(written);
}

static void noise_case(const struct golden *golden)
{
    struct arguments a = arguments_of(golden);
    struct shape shape = a.shape;
    int64_t count = shape.inner * shape.classes, done = 0;
    void *out = malloc((size_t)count * 8);
    const char *operator = golden_text(golden, "operator");
    int32_t type = golden->type;
    if (strcmp(operator, "words") == 0) {
        type = shape.type = type == GUMBEL4J_FLOAT32 ? GUMBEL4J_INT32 : GUMBEL4J_INT64;
        done = call_words(shape, a.draw, packed(shape, out));
    } else if (strcmp(operator, "uniform") == 0) {
        type = GUMBEL4J_FLOAT64;
        done = call_uniform(shape, a.draw, packed(shape, out));
    } else {
        done = call_gumbel(shape, a.draw, packed(shape, out));
    }
    CHECK(done == shape.inner, "%s, %s", golden->path, golden_text(golden, "case"));
    compare(golden, "out", type, out, count);
}

static void sample_case(const struct golden *golden)
{
    struct arguments a = arguments_of(golden);
    struct shape shape = a.shape;
    const char *operator = golden_text(golden, "operator");
    int32_t type = golden->type;
    int64_t columns = shape.classes, done;
    void *logits = golden_array(golden, "logits", type), *out = malloc((size_t)(shape.inner * columns) * 8);
    if (strcmp(operator, "soft") == 0) {
        done = call_soft(shape, packed(shape, logits), a.tau, a.draw, packed(shape, out));
    } else if (strcmp(operator, "hard") == 0) {
        done = call_hard(shape, packed(shape, logits), a.draw, packed(shape, out));
    } else {
        type = GUMBEL4J_INT32;
        columns = 1;
        done = call_categorical(shape, packed(shape, logits), a.draw, packed_rows(shape, out));
    }
    free(logits);
    free(a.tau.rows.data);
    CHECK(done == (int64_t)golden_integer(golden, "returns"), "%s, %s", golden->path, golden_text(golden, "case"));
    if (done > 0)
        compare(golden, "out", type, out, done * columns);
    else
        free(out);
}

static void vjp_case(const struct golden *golden)
{
    struct arguments a = arguments_of(golden);
    struct shape shape = a.shape;
    void *sample = golden_array(golden, "sample", shape.type), *upstream = golden_array(golden, "upstream", shape.type);
    void *dlogits = make(shape.type, shape.inner * shape.classes), *dtau = make(compute_type(shape.type), shape.inner);
    int64_t done = call_vjp(shape, packed(shape, sample), packed(shape, upstream), a.tau, packed(shape, dlogits), packed_rows(shape, dtau));
    free(a.tau.rows.data);
    free(sample);
    free(upstream);
    CHECK(done == shape.inner, "%s, %s", golden->path, golden_text(golden, "case"));
    compare(golden, "dlogits", shape.type, dlogits, shape.inner * shape.classes);
    compare(golden, "dtau", compute_type(shape.type), dtau, shape.inner);
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
