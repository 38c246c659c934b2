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

/* Whether a run is long, and its groups begin where memory of any kind does: other stores of words take longer than the copy that is saved. */
INLINE bool T(is_long_run)(uint64_t index, int64_t length, const word *out)
{
    return length >= 4 * T(CHUNK) && ((uintptr_t)out - (uintptr_t)index * sizeof(word)) % _Alignof(max_align_t) == 0;
}

/* The words or the noise of such a run, made in the run's own memory, while what follows is fetched; what is no whole group, aside. */
static void T(long_run)(const struct philox *generator, uint64_t index, int64_t length, word *out, bool as_noise)
{
    const struct ahead nothing = {0, 0};
    for (int64_t c = 0, count; c < length; c += count) {
        uint64_t group = (index + (uint64_t)c) / T(GROUP);
        int64_t offset = (int64_t)((index + (uint64_t)c) % T(GROUP));
        if (offset == 0 && length - c >= T(GROUP)) {
            count = T(shorter)(length - c, T(CHUNK)) / T(GROUP) * T(GROUP);
            T(words)(generator, group, count / T(GROUP), (struct ahead){0, (uintptr_t)(out + c + count)}, out + c);
            if (as_noise)
                T(noise_of_words)(generator, group * T(GROUP), 0, count, out + c);
        } else {
            union {
                word words[T(GROUP)];
                real noise[T(GROUP)];
            } aside;
            count = T(shorter)(length - c, T(GROUP) - offset);
            T(words)(generator, group, 1, nothing, aside.words);
            if (as_noise)
                T(noise_of_words)(generator, group * T(GROUP), offset, offset + count, aside.noise);
            memcpy(out + c, aside.words + offset, (size_t)count * sizeof(word));
        }
    }
}

INLINE void T(words_or_noise)(struct shape shape, struct noise noise, struct output out, bool as_noise)
{
    struct T(window) window;
    struct T(runs) runs = T(runs_of)(shape, out);
    T(window_open)(&window, noise, shape);
    for (int64_t r = 0; r < runs.count; r++) {
        word *to = (word *)out.data + r * out.stride; /* only copied to, so it may be memory of either type */
        uint64_t index = T(row_index)(noise, shape, r);
        if (T(is_long_run)(index, runs.length, to)) {
            T(long_run)(&window.generator, index, runs.length, to, as_noise);
            continue;
        }
        for (int64_t c = 0; c < runs.length; c += T(CHUNK)) {
            int64_t count = T(shorter)(runs.length - c, T(CHUNK));
            int64_t at = T(window_seek)(&window, index + (uint64_t)c, count, NULL, to + c, as_noise);
            memcpy(to + c, window.words + at, (size_t)count * sizeof(word));
        }
    }
}

static void T(words_rows)(struct shape shape, struct noise noise, struct output out) { T(words_or_noise)(shape, noise, out, false); }

static void T(gumbel_rows)(struct shape shape, struct noise noise, struct output out) { T(words_or_noise)(shape, noise, out, true); }

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
