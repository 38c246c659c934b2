/* Words, uniforms and Gumbel noise: Random123's answers, and every bit against spec.h. */
#include "calls.h"
#include "check.h"
#include "typed.h"

#include <inttypes.h>

/* Random123, kat_vectors: counter, key, output of philox4x32-10. */
static void known_answers(void)
{
    static const struct {
        uint32_t counter[4], key[2], output[4];
    } answers[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}, {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (int n = 0; n < 3; n++) {
        uint32_t c[4];
        memcpy(c, answers[n].counter, sizeof c);
        spec_philox(c, answers[n].key[0], answers[n].key[1]);
        CHECK(memcmp(c, answers[n].output, sizeof c) == 0, "answer %d", n);
    }
    uint32_t words[64];
    uint64_t wide[32];
    call_words(matrix(GUMBEL4J_INT32, 1, 64), (struct draw){0, 0, 0}, rows_of(words, 64));
    call_words(matrix(GUMBEL4J_INT64, 1, 32), (struct draw){0, 0, 0}, rows_of(wide, 32));
    for (int w = 0; w < 4; w++)
        CHECK(words[16 * w] == answers[0].output[w], "word %d: %08" PRIx32, w, words[16 * w]);
    CHECK(wide[0] == UINT64_C(0xe169c58d6627e8d5) && wide[16] == UINT64_C(0x9b00dbd8bc57ac4c), "%016" PRIx64, wide[0]);
}

/* The worked examples of NOISE.md, section 9: seed 7, stream 0. */
static void worked_examples(void)
{
    static const struct {
        uint64_t index;
        double uniform;
        float noise;
    } examples[] = {
        {0, 0x1.e8c0f45bp-1, -0x1.20fe08p0f},
        {1, 0x1.a0ba3a6ep-2, 0x1.4c5c4ap-1f},
        {2, 0x1.8e23c08p-8, 0x1.466eb4p2f},
        {3, 0x1.8f90585ap-2, 0x1.686d72p-1f},
        {24428773, 0x1.20963919afp-25, 0x1.13577ep4f}, /* a tail word */
        {65582459, 0x1.43a54f53p-1, -0.0f},
    };
    for (size_t n = 0; n < sizeof examples / sizeof *examples; n++) {
        double uniform;
        float noise;
        call_uniform(matrix(GUMBEL4J_FLOAT32, 1, 1), (struct draw){7, 0, examples[n].index}, rows_of(&uniform, 1));
        call_gumbel(matrix(GUMBEL4J_FLOAT32, 1, 1), (struct draw){7, 0, examples[n].index}, rows_of(&noise, 1));
        CHECK(uniform == examples[n].uniform && memcmp(&noise, &examples[n].noise, sizeof noise) == 0, "index %" PRIu64 ": %a, %a",
              examples[n].index, uniform, (double)noise);
    }
    double uniform[17], noise[17];
    call_uniform(matrix(GUMBEL4J_FLOAT64, 1, 17), (struct draw){7, 0, 0}, rows_of(uniform, 17));
    call_gumbel(matrix(GUMBEL4J_FLOAT64, 1, 17), (struct draw){7, 0, 0}, rows_of(noise, 17));
    CHECK(uniform[0] == 0x1.8013f3b9e8c0fp-1 && noise[0] == -0x1.4eec5c32a5526p-2, "%a, %a", uniform[0], noise[0]);
    CHECK(uniform[16] == 0x1.5edac821d3abap-4 && noise[16] == 0x1.34dba5d1b6ef2p1, "%a, %a", uniform[16], noise[16]);
}

enum { GAP = 3, UNTOUCHED = 0x5a };

/* Memory for rows with gaps. */
static void *untouched(size_t bytes) { return memset(malloc(bytes), UNTOUCHED, bytes); }

static bool is_untouched(const void *gap, size_t element_bytes)
{
    const unsigned char *bytes = gap;
    for (size_t b = 0; b < GAP * element_bytes; b++)
        if (bytes[b] != UNTOUCHED)
            return false;
    return true;
}

/* `rows` x `classes` of noise from first_row on, with gaps between rows, against the specification. */
static void compare(int64_t rows, int64_t classes, uint64_t seed, uint64_t stream, uint64_t first_row)
{
    int64_t stride = classes + GAP;
    struct draw draw = draw_of(seed, stream, first_row, classes);
    size_t elements = (size_t)(rows * stride);
    uint32_t *words = untouched(elements * sizeof *words);
    uint64_t *wide = untouched(elements * sizeof *wide);
    double *uniform = malloc(elements * sizeof *uniform), *wide_uniform = malloc(elements * sizeof *wide_uniform);
    float *noise = untouched(elements * sizeof *noise);
    double *wide_noise = untouched(elements * sizeof *wide_noise);
    CHECK(call_words(matrix(GUMBEL4J_INT32, rows, classes), draw, rows_of(words, stride)) == rows, "words");
    CHECK(call_words(matrix(GUMBEL4J_INT64, rows, classes), draw, rows_of(wide, stride)) == rows, "wide words");
    CHECK(call_uniform(matrix(GUMBEL4J_FLOAT32, rows, classes), draw, rows_of(uniform, stride)) == rows, "uniform");
    CHECK(call_uniform(matrix(GUMBEL4J_FLOAT64, rows, classes), draw, rows_of(wide_uniform, stride)) == rows, "wide uniform");
    CHECK(call_gumbel(matrix(GUMBEL4J_FLOAT32, rows, classes), draw, rows_of(noise, stride)) == rows, "noise");
    CHECK(call_gumbel(matrix(GUMBEL4J_FLOAT64, rows, classes), draw, rows_of(wide_noise, stride)) == rows, "wide noise");
    for (int64_t r = 0; r < rows; r++) {
        int64_t equal = 0;
        for (int64_t c = 0; c < classes; c++) {
            uint64_t i = (first_row + (uint64_t)r) * (uint64_t)classes + (uint64_t)c;
            int64_t at = r * stride + c;
            float g = spec_noise_float32(seed, stream, i);
            double wide_g = spec_noise_float64(seed, stream, i);
            equal += words[at] == spec_word_float32(seed, stream, i) && wide[at] == spec_word_float64(seed, stream, i)
                     && uniform[at] == spec_uniform_float32(seed, stream, i) && wide_uniform[at] == spec_uniform_float64(seed, stream, i)
                     && uniform[at] > 0 && uniform[at] < 1 && memcmp(&noise[at], &g, sizeof g) == 0
                     && memcmp(&wide_noise[at], &wide_g, sizeof wide_g) == 0;
        }
        int64_t end = r * stride + classes;
        CHECK(is_untouched(words + end, sizeof *words) && is_untouched(wide + end, sizeof *wide)
                  && is_untouched(noise + end, sizeof *noise) && is_untouched(wide_noise + end, sizeof *wide_noise),
              "%" PRId64 " classes: the gap after row %" PRId64, classes, r);
        CHECK(equal == classes, "seed %" PRIu64 " stream %" PRIu64 " first row %" PRIu64 " row %" PRId64 ": %" PRId64 " of %" PRId64, seed,
              stream, first_row, r, equal, classes);
    }
    free(words);
    free(wide);
    free(uniform);
    free(wide_uniform);
    free(noise);
    free(wide_noise);
}

/* Finds elements of the rare path (a float32 word below 256), and compares them from every alignment. */
static void tails(void)
{
    enum { CLASSES = 1 << 16, WANTED = 3 };
    uint32_t *words = malloc(CLASSES * sizeof *words);
    int found = 0;
    for (uint64_t row = 0; row < 2048 && found < WANTED; row++) {
        call_words(matrix(GUMBEL4J_INT32, 1, CLASSES), draw_of(7, 1, row, CLASSES), rows_of(words, CLASSES));
        for (uint64_t c = 0; c < CLASSES; c++)
            if (words[c] < 256) {
                uint64_t i = row * CLASSES + c;
                found++;
                CHECK(spec_noise_float32(7, 1, i) > 16.6f, "index %" PRIu64, i);
                for (uint64_t before = 0; before < 70 && before <= i; before++)
                    compare(3, 1, 7, 1, i - before);
                compare(1, CLASSES, 7, 1, row);
            }
    }
    CHECK(found == WANTED, "found only %d words below 256", found);
    free(words);
}

int main(void)
{
    known_answers();
    worked_examples();
    static const int64_t classes[] = {1, 2, 3, 7, 10, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 511, 512, 513, 1000, 1023, 1024, 1025, 4097, 5003};
    for (size_t k = 0; k < sizeof classes / sizeof *classes; k++) {
        compare(5, classes[k], 0, 0, 0);
        compare(9, classes[k], UINT64_C(0xdeadbeef12345678), INT64_MAX, 3);
        compare(2, classes[k], UINT64_MAX, 77, (uint64_t)(INT64_MAX / classes[k] - 2));
        /* across block 2^32, where a carry reaches word 1 of the counter, in either stream */
        compare(5, classes[k], 3, 1, (UINT64_C(1) << 33) / (uint64_t)classes[k] - 2);
        compare(5, classes[k], 3, 1, (UINT64_C(1) << 34) / (uint64_t)classes[k] - 2);
    }
    compare(1, 100000, 42, 5, 0);
    tails();
    return finish("noise");
}
