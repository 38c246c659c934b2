/*
 * Several threads at once: the first calls of a process, which choose the tier; operators on disjoint rows of the same arrays, of every type,
 * in packed arrays and with the class axis in the middle; and one long row in parts.
 */
#define _POSIX_C_SOURCE 200809L /* barriers */
#include "check.h"
#include "layouts.h"
#include "parts.h"

#include <pthread.h>

enum { THREADS = 7, OUTER = 29, INNER = 4, CLASSES = 129, ROUNDS = 3, LONG = 9 * BLOCK + 77 };

static const struct draw draw = {3, 9, 1234567};
static const char *isa[THREADS];
static pthread_barrier_t start;

/* The arrays of one type and layout: the inputs, and two of each output: by all threads, and by one call. */
static struct arrays {
    struct shape shape;
    struct operand logits, sample[2], dlogits[2], one_hot[2], dtau[2], columns[2];
} arrays[2 * TYPES];

static const enum layout layouts[2] = {PACKED, CLASS_AXIS_IN_THE_MIDDLE};

static struct operand new_operand(struct shape shape, enum layout layout)
{
    struct operand operand = strides_of(layout, shape);
    operand.data = make(shape.type, span_of(shape, operand));
    return operand;
}

static void make_arrays(struct arrays *a, int32_t type, enum layout layout)
{
    uint64_t random = 1;
    struct shape shape = {type, OUTER, INNER, CLASSES};
    a->shape = shape;
    a->logits = new_operand(shape, layout);
    for (int64_t n = 0; n < elements_of(shape); n++)
        put(type, a->logits.data, n, 4 * next_random(&random));
    for (int which = 0; which < 2; which++) {
        a->sample[which] = new_operand(shape, layout);
        a->dlogits[which] = new_operand(shape, layout);
        a->one_hot[which] = new_operand(shape, layout);
        a->dtau[which] = new_operand(one_a_row(compute_type(type), shape), layout);
        a->columns[which] = new_operand(one_a_row(GUMBEL4J_INT32, shape), layout);
    }
}

static void free_arrays(struct arrays *a)
{
    free(a->logits.data);
    for (int which = 0; which < 2; which++) {
        void *memory[] = {a->sample[which].data, a->dlogits[which].data, a->one_hot[which].data, a->dtau[which].data, a->columns[which].data};
        for (int k = 0; k < 5; k++)
            free(memory[k]);
    }
}

static struct operand from_outer(int32_t type, struct operand operand, int64_t outer)
{
    operand.data = element(type, operand.data, outer * operand.outer_stride);
    return operand;
}

/* Every operator on the outer rows from `first` to before `end`. */
static void operators(struct arrays *a, int which, int64_t first, int64_t end)
{
    int32_t type = a->shape.type;
    struct shape shape = {type, end - first, INNER, CLASSES};
    struct draw part = {draw.seed, draw.stream, draw.first_element + (uint64_t)(first * INNER * CLASSES)};
    struct operand logits = from_outer(type, a->logits, first), sample = from_outer(type, a->sample[which], first);
    call_soft(shape, logits, all_rows(0.5), part, sample);
    call_hard(shape, logits, part, from_outer(type, a->one_hot[which], first));
    call_categorical(shape, logits, part, from_outer(GUMBEL4J_INT32, a->columns[which], first));
    call_vjp(shape, sample, logits, all_rows(0.5), from_outer(type, a->dlogits[which], first),
             from_outer(compute_type(type), a->dtau[which], first));
}

static void *run_operators(void *argument)
{
    int thread = (int)(intptr_t)argument;
    pthread_barrier_wait(&start);
    isa[thread] = gumbel4j_isa();
    for (int round = 0; round < ROUNDS; round++)
        for (int k = 0; k < 2 * TYPES; k++)
            operators(&arrays[k], 0, OUTER * thread / THREADS, OUTER * (thread + 1) / THREADS);
    return NULL;
}

/* The long row that all threads work on. */
static struct long_row row;
static int64_t returned[THREADS];

static void *run_parts(void *argument)
{
    int thread = (int)(intptr_t)argument;
    returned[thread] = 0;
    for (enum stage stage = 0; stage < STAGES; stage++) {
        returned[thread] += run_part(&row, stage, thread);
        pthread_barrier_wait(&start);
        if (thread == 0)
            join(&row, stage);
        pthread_barrier_wait(&start);
    }
    return NULL;
}

static void run_threads(int count, void *(*run)(void *))
{
    pthread_t threads[THREADS];
    bool started = pthread_barrier_init(&start, NULL, (unsigned)count) == 0;
    for (intptr_t t = 0; t < count; t++)
        started &= pthread_create(&threads[t], NULL, run, (void *)t) == 0;
    if (!started) {
        fprintf(stderr, "threads_test: cannot start %d threads\n", count);
        exit(1);
    }
    for (int t = 0; t < count; t++)
        pthread_join(threads[t], NULL);
    pthread_barrier_destroy(&start);
}

static bool twice_the_same(struct shape shape, const struct operand outputs[2])
{
    return same(shape.type, outputs[0].data, outputs[1].data, span_of(shape, outputs[0]));
}

static void disjoint_rows(void)
{
    for (int k = 0; k < 2 * TYPES; k++)
        make_arrays(&arrays[k], all_types[k / 2], layouts[k % 2]);
    run_threads(THREADS, run_operators); /* first of all, so that it chooses the tier */
    for (int t = 0; t < THREADS; t++)
        CHECK(isa[t] == gumbel4j_isa(), "thread %d had the tier %s, not %s", t, isa[t], gumbel4j_isa());
    for (int k = 0; k < 2 * TYPES; k++) {
        struct arrays *a = &arrays[k];
        const char *type = name_of(a->shape.type), *layout = layout_names[layouts[k % 2]];
        operators(a, 1, 0, OUTER);
        CHECK(twice_the_same(a->shape, a->sample), "soft %s %s", type, layout);
        CHECK(twice_the_same(a->shape, a->one_hot), "hard %s %s", type, layout);
        CHECK(twice_the_same(a->shape, a->dlogits), "dlogits %s %s", type, layout);
        CHECK(twice_the_same(one_a_row(GUMBEL4J_INT32, a->shape), a->columns), "categorical %s %s", type, layout);
        CHECK(twice_the_same(one_a_row(compute_type(a->shape.type), a->shape), a->dtau), "dtau %s %s", type, layout);
        free_arrays(a);
    }
}

static void parts_of_one_row(int32_t type, int64_t stride)
{
    struct shape shape = matrix(type, 1, LONG);
    row = (struct long_row){.type = type, .classes = LONG, .tau = 0.5, .draw = draw};
    struct operand whole[3], *operands[] = {&row.logits, &row.sample, &row.upstream, &row.soft, &row.hard, &row.dlogits,
                                            &whole[0],   &whole[1],   &whole[2]};
    uint64_t random = 4;
    for (int k = 0; k < 9; k++) {
        *operands[k] = (struct operand){make(type, LONG * stride), 0, 0, stride};
        for (int64_t c = 0; k < 3 && c < LONG; c++)
            put(type, operands[k]->data, c * stride, next_random(&random));
    }
    row.sums = make(compute_type(type), LONG / BLOCK + 1);
    double dtau = 0; /* room for either type */
    call_soft(shape, row.logits, all_rows(0.5), draw, whole[0]);
    call_hard(shape, row.logits, draw, whole[1]);
    call_vjp(shape, row.sample, row.upstream, all_rows(0.5), whole[2], packed_rows(shape, &dtau));
    static const int counts[] = {1, 2, 3, 7};
    for (int k = 0; k < 4; k++) {
        cut(&row, counts[k], false);
        run_threads(row.parts, run_parts);
        for (int t = 0; t < row.parts; t++)
            CHECK(returned[t] == STAGES, "part %d of %d", t, row.parts);
        int64_t bytes = LONG * stride * bytes_of(type);
        CHECK(row.parts == counts[k] && memcmp(row.soft.data, whole[0].data, (size_t)bytes) == 0
                  && memcmp(row.hard.data, whole[1].data, (size_t)bytes) == 0 && memcmp(row.dlogits.data, whole[2].data, (size_t)bytes) == 0
                  && row.dtau == get(compute_type(type), &dtau, 0),
              "%s, stride %d, in %d parts", name_of(type), (int)stride, row.parts);
    }
    for (int k = 0; k < 9; k++)
        free(operands[k]->data);
    free(row.sums);
}

int main(void)
{
    disjoint_rows();
    for (int t = 0; t < TYPES; t++)
        for (int64_t stride = 1; stride <= 2; stride++)
            parts_of_one_row(all_types[t], stride);
    return finish("threads");
}
