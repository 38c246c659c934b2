/*
 * Noise at hand: generates the words, or the Gumbel values, of a call in chunks. Included by operators.h once per element type.
 */

enum {
    T(GROUP) = GROUP_BYTES / sizeof(word), /* elements of one group */
    T(CHUNK) = 16 * T(GROUP)               /* columns that get their noise at a time */
};

INLINE int64_t T(shorter)(int64_t a, int64_t b) { return a < b ? a : b; }

/*
 * The part of a call's noise that is at hand: whole groups, so that short rows share what one refill generates. Indices count the elements of
 * the whole noise (NOISE.md, section 1).
 */
struct T(window) {
    struct philox generator;
    int64_t elements;     /* of the call */
    uint64_t end;         /* index after the last of them */
    uint64_t base;        /* index of the first word below */
    uint64_t first, next; /* indices at hand: first <= index < next */
    union {
        word words[T(CHUNK) + T(GROUP) + T(LANES)]; /* a vector that starts within the window may reach beyond it */
        real noise[T(CHUNK) + T(GROUP)];
    } __attribute__((aligned(64)));
};

INLINE uint64_t T(row_index)(struct noise noise, struct shape shape, int64_t row)
{
    return noise.first_element + (uint64_t)row * (uint64_t)shape.classes;
}

INLINE void T(window_open)(struct T(window) *window, struct noise noise, struct shape shape)
{
    philox_start(&window->generator, noise.seed, noise.stream);
    window->elements = shape.rows * shape.classes;
    window->end = T(row_index)(noise, shape, shape.rows);
    window->base = window->first = window->next = 0;
}

/* Makes the words of `count` elements from `index` on available, and of more where they will be needed. */
static __attribute__((noinline)) void T(window_refill)(struct T(window) *window, uint64_t index, int64_t count, struct ahead ahead,
                                                       bool as_noise)
{
    uint64_t group = index / T(GROUP);
    uint64_t needed = (index + (uint64_t)count + T(GROUP) - 1) / T(GROUP) - group;
    uint64_t remaining = (window->end + T(GROUP) - 1) / T(GROUP) - group;
    uint64_t usual = T(CHUNK) / T(GROUP); /* one fewer than fit: a chunk that is not aligned to groups needs one more */
    uint64_t groups = needed > usual ? needed : remaining < usual ? remaining : usual;
    T(words)(&window->generator, group, (int64_t)groups, ahead, window->words);
    window->base = group * T(GROUP);
    window->first = index;
    window->next = (group + groups) * T(GROUP);
    if (as_noise) {
        uint64_t last = window->next < window->end ? window->next : window->end;
        T(noise_of_words)(&window->generator, window->base, (int64_t)(index - window->base), (int64_t)(last - window->base), window->words);
    } else {
        /* beyond the last group: of no element, the largest so that none looks like a winner */
        memset(window->words + groups * T(GROUP), 0xff, T(LANES) * sizeof(word));
    }
}

INLINE int64_t T(window_seek)(struct T(window) *window, uint64_t index, int64_t count, const void *source, const void *target,
                              bool as_noise)
{
    if (index < window->first || index + (uint64_t)count > window->next)
        T(window_refill)(window, index, count, (struct ahead){(uintptr_t)source, (uintptr_t)target}, as_noise);
    return (int64_t)(index - window->base);
}

/* The words, or the noise, of `count` <= CHUNK elements from `index` on; a window serves one of the two. `source` and `target`: where these
 * elements will be read and written, or null; a hint. */
INLINE const word *T(words_at)(struct T(window) *window, uint64_t index, int64_t count, const void *source, const void *target)
{
    return window->words + T(window_seek)(window, index, count, source, target, false);
}

INLINE const real *T(noise_at)(struct T(window) *window, uint64_t index, int64_t count, const void *source, const void *target)
{
    return window->noise + T(window_seek)(window, index, count, source, target, true);
}
