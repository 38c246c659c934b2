/*
 * Noise as an operator: raw words, uniforms, Gumbel values. Included by operators.h once per element type.
 */

/* Rows that follow each other without a gap, in memory as in the noise, are one long row. */
struct T(runs) {
    int64_t count, length;
};

INLINE struct T(runs) T(runs_of)(struct shape shape, struct output out)
{
    if (out.stride == shape.classes)
        return (struct T(runs)){1, shape.rows * shape.classes};
    return (struct T(runs)){shape.rows, shape.classes};
}

/* How many of `count` elements are whole groups of a run that is worth making in its own memory, and not in the window's. */
INLINE int64_t T(made_in_place)(int64_t run, uint64_t index, int64_t count)
{
    return run >= T(CHUNK) && index % T(GROUP) == 0 ? count / T(GROUP) * T(GROUP) : 0;
}

/* The words of whole groups, while the memory of the next ones is fetched. */
INLINE void T(words_in_place)(const struct philox *generator, uint64_t index, int64_t count, void *out)
{
    T(words)(generator, index / T(GROUP), count / T(GROUP), (struct ahead){0, (uintptr_t)((word *)out + count)}, out);
}

static void T(words_rows)(struct shape shape, struct noise noise, struct output out)
{
    struct T(window) window;
    struct T(runs) runs = T(runs_of)(shape, out);
    T(window_open)(&window, noise, shape);
    for (int64_t r = 0; r < runs.count; r++) {
        word *to = (word *)out.data + r * out.stride;
        uint64_t index = T(row_index)(noise, shape, r);
        for (int64_t c = 0, count; c < runs.length; c += count) {
            count = T(shorter)(runs.length - c, T(CHUNK));
            int64_t whole = T(made_in_place)(runs.length, index + (uint64_t)c, count);
            if (whole > 0) {
                T(words_in_place)(&window.generator, index + (uint64_t)c, whole, to + c);
                count = whole;
            } else
                memcpy(to + c, T(words_at)(&window, index + (uint64_t)c, count, NULL, to + c), (size_t)count * sizeof(word));
        }
    }
}

static void T(uniform_rows)(struct shape shape, struct noise noise, struct output out)
{
    struct T(window) window;
    struct T(runs) runs = T(runs_of)(shape, out);
    T(window_open)(&window, noise, shape);
    for (int64_t r = 0; r < runs.count; r++) {
        double *to = (double *)out.data + r * out.stride;
        uint64_t index = T(row_index)(noise, shape, r);
        for (int64_t c = 0; c < runs.length; c += T(CHUNK)) {
            int64_t count = T(shorter)(runs.length - c, T(CHUNK));
            const word *words = T(words_at)(&window, index + (uint64_t)c, count, NULL, NULL);
            for (int64_t i = 0; i < count; i++)
                to[c + i] = T(uniform)(&window.generator, index + (uint64_t)(c + i), words[i]);
        }
    }
}

static void T(gumbel_rows)(struct shape shape, struct noise noise, struct output out)
{
    struct T(window) window;
    struct T(runs) runs = T(runs_of)(shape, out);
    T(window_open)(&window, noise, shape);
    for (int64_t r = 0; r < runs.count; r++) {
        real *to = (real *)out.data + r * out.stride;
        uint64_t index = T(row_index)(noise, shape, r);
        for (int64_t c = 0, count; c < runs.length; c += count) {
            count = T(shorter)(runs.length - c, T(CHUNK));
            int64_t whole = T(made_in_place)(runs.length, index + (uint64_t)c, count);
            if (whole > 0) {
                T(words_in_place)(&window.generator, index + (uint64_t)c, whole, to + c);
                T(noise_of_words)(&window.generator, index + (uint64_t)c, 0, whole, to + c);
                count = whole;
            } else
                memcpy(to + c, T(noise_at)(&window, index + (uint64_t)c, count, NULL, to + c), (size_t)count * sizeof(real));
        }
    }
}
