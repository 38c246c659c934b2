/*
 * The loops that soft samples are made of, each by itself: over CHUNK elements in `at`, which it writes over, and as many in `beside`. They are
 * to run in this order. They are those of the noise (without its search for tail words), perturb.h and soft.h. Included by limits.c once per
 * element type.
 */

__attribute__((noinline)) void T(words_loop)(real *at, real *beside)
{
    (void)beside;
    struct philox generator;
    philox_start(&generator, 7, 0);
    const struct philox *unknown = &generator;
    __asm__ volatile("" : "+r"(unknown) : : "memory"); /* lest its keys become constants */
    T(words)(unknown, 0, T(CHUNK) / T(GROUP), (struct ahead){0, 0}, (word *)at);
}

__attribute__((noinline)) void T(survivals_loop)(real *at, real *beside)
{
    IN_PAIRS
    for (int64_t i = 0; i < T(CHUNK); i += T(LANES)) {
        struct T(parts) survival = T(survival)(T(load_words)(at + i));
        STORE_VECTOR(beside + i, survival.exponent);
        STORE_VECTOR(at + i, survival.fraction);
    }
}

__attribute__((noinline)) void T(logs_loop)(real *at, real *beside)
{
    for (int64_t i = 0; i < T(CHUNK); i += T(LANES)) {
        struct T(parts) survival;
        memcpy(&survival.exponent, beside + i, VECTOR_BYTES);
        memcpy(&survival.fraction, at + i, VECTOR_BYTES);
        T(store)(at + i, T(LANES), T(log_of_parts)(survival));
    }
}

__attribute__((noinline)) void T(noise_loop)(real *at, real *beside)
{
    (void)beside;
    IN_PAIRS
    for (int64_t i = 0; i < T(CHUNK); i += T(LANES))
        T(store)(at + i, T(LANES), -T(log_of_parts)(T(split_negative)(T(load)(at + i, T(LANES), 0))));
}

/* Zeros, which the compiler cannot know. */
real T(logits)[T(CHUNK)];

__attribute__((noinline)) void T(perturb_loop)(real *at, real *beside)
{
    lanes largest = T(broadcast)(-(real)INFINITY);
    mask_lanes refused = {0};
    IN_PAIRS
    for (int64_t i = 0; i < T(CHUNK); i += T(LANES)) {
        lanes s = T(perturb_columns)(T(logits) + i, at + i, T(LANES), &refused);
        T(store)(at + i, T(LANES), s);
        largest = T(max)(s, largest);
    }
    beside[0] = T(any)(refused) ? 0 : T(largest)(largest);
}

__attribute__((noinline)) void T(exp_parts_loop)(real *at, real *beside)
{
    real top = beside[0];
    for (int64_t i = 0; i < T(CHUNK); i += T(LANES))
        T(exp_parts_columns)(at + i, T(LANES), top, (real)0.7, beside + i);
}

__attribute__((noinline)) void T(exp_loop)(real *at, real *beside)
{
    lanes sums[T(SUM_VECTORS)] = {{0}};
    for (int64_t i = 0; i < T(CHUNK); i += T(SUM_LANES))
        T(exp_columns)(at + i, beside + i, T(SUM_LANES), sums);
    beside[0] = T(fold)(sums);
}

__attribute__((noinline)) void T(scale_loop)(real *at, real *beside)
{
    real factor = 1 / beside[0];
    IN_PAIRS
    for (int64_t i = 0; i < T(CHUNK); i += T(LANES))
        T(scale_columns)(at + i, T(LANES), factor);
}
