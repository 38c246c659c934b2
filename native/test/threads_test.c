/* Several threads at once: the first calls of a process, which choose the tier, then operators on disjoint rows of the same arrays. */
#define _POSIX_C_SOURCE 200809L /* barriers */
#include "check.h"
#include "typed.h"

#include <pthread.h>

enum { THREADS = 7, ROWS = 29, CLASSES = 515, SEED = 3, STREAM = 9, ROUNDS = 5 };

static const char *isa[THREADS];

/* For each type: the inputs, and two of each output: by all threads, and by one call. */
static struct arrays {
    double logits[ROWS * CLASSES], sample[2][ROWS * CLASSES], dlogits[2][ROWS * CLASSES], dtau[2][ROWS], one_hot[2][ROWS * CLASSES];
    int32_t columns[2][ROWS];
} arrays[2];

static pthread_barrier_t start;

/* Every operator on the rows from `first` to before `end`. */
static void operators(int32_t type, int which, int64_t first, int64_t end)
{
    struct arrays *a = &arrays[type];
    int64_t at = first * CLASSES, rows = end - first;
    const void *logits = element(type, a->logits, at);
    void *sample = element(type, a->sample[which], at), *one_hot = element(type, a->one_hot[which], at);
    gumbel4j_soft(type, rows, CLASSES, logits, CLASSES, 0.5, NULL, 0, SEED, STREAM, (uint64_t)first, sample, CLASSES);
    gumbel4j_hard(type, rows, CLASSES, logits, CLASSES, SEED, STREAM, (uint64_t)first, one_hot, CLASSES);
    gumbel4j_categorical(type, rows, CLASSES, logits, CLASSES, SEED, STREAM, (uint64_t)first, a->columns[which] + first, 1);
    gumbel4j_vjp(type, rows, CLASSES, sample, CLASSES, logits, CLASSES, 0.5, NULL, 0, element(type, a->dlogits[which], at), CLASSES,
                 element(type, a->dtau[which], first), 1);
}

static void *run(void *argument)
{
    int thread = (int)(intptr_t)argument;
    pthread_barrier_wait(&start);
    isa[thread] = gumbel4j_isa();
    for (int round = 0; round < ROUNDS; round++)
        for (int32_t type = GUMBEL4J_FLOAT32; type <= GUMBEL4J_FLOAT64; type++)
            operators(type, 0, ROWS * thread / THREADS, ROWS * (thread + 1) / THREADS);
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    uint64_t random = 1;
    for (int32_t type = GUMBEL4J_FLOAT32; type <= GUMBEL4J_FLOAT64; type++)
        for (int64_t i = 0; i < ROWS * CLASSES; i++)
            put(type, arrays[type].logits, i, 4 * next_random(&random));
    bool started = pthread_barrier_init(&start, NULL, THREADS) == 0;
    for (intptr_t t = 0; t < THREADS; t++)
        started &= pthread_create(&threads[t], NULL, run, (void *)t) == 0;
    if (!started) {
        fprintf(stderr, "threads_test: cannot start %d threads\n", THREADS);
        return 1;
    }
    for (int t = 0; t < THREADS; t++)
        pthread_join(threads[t], NULL);
    for (int t = 0; t < THREADS; t++)
        CHECK(isa[t] == gumbel4j_isa(), "thread %d had the tier %s, not %s", t, isa[t], gumbel4j_isa());
    for (int32_t type = GUMBEL4J_FLOAT32; type <= GUMBEL4J_FLOAT64; type++) {
        struct arrays *a = &arrays[type];
        operators(type, 1, 0, ROWS);
        CHECK(memcmp(a->sample[0], a->sample[1], sizeof a->sample[0]) == 0, "soft %s", name_of(type));
        CHECK(memcmp(a->one_hot[0], a->one_hot[1], sizeof a->one_hot[0]) == 0, "hard %s", name_of(type));
        CHECK(memcmp(a->columns[0], a->columns[1], sizeof a->columns[0]) == 0, "categorical %s", name_of(type));
        CHECK(memcmp(a->dlogits[0], a->dlogits[1], sizeof a->dlogits[0]) == 0, "dlogits %s", name_of(type));
        CHECK(memcmp(a->dtau[0], a->dtau[1], sizeof a->dtau[0]) == 0, "dtau %s", name_of(type));
    }
    return finish("threads");
}
