/* The rules of gumbel4j.h for strides: what is negative, beyond 64 bits, or lets two elements meet is refused; all else is taken. */
#include "calls.h"
#include "check.h"
#include "layouts.h"

enum { BAD = GUMBEL4J_BAD_ARGUMENT, ROOM = 4096 };

static double x_memory[ROOM], v_memory[ROOM], y_memory[ROOM], tau_memory[ROOM], dtau_memory[ROOM]; /* room for any type */
static const struct draw draw = {1, 0, 0};
static const struct operand none = {NULL, 0, 0, 0};

static int64_t hard(struct shape shape, struct operand in, struct operand out) { return call_hard(shape, in, draw, out); }

/* Operands of every kind: their strides must be refused or taken alike. */
enum kind { LOGITS, SAMPLE, UPSTREAM, ROW_TAU, OUT, NOISE, DLOGITS, DTAU, COLUMNS, KINDS };

static const char *const kind_names[KINDS] = {"logits", "sample", "upstream", "row tau", "out", "noise", "dlogits", "dtau", "columns"};

static bool has_classes(int kind) { return kind != ROW_TAU && kind != DTAU && kind != COLUMNS; }

/* A call in which one operand has these strides, and the others are packed. */
static int64_t call_with(enum kind kind, struct shape shape, struct operand strides)
{
    struct operand x = packed(shape, x_memory), v = packed(shape, v_memory), out = packed(shape, y_memory), tau = packed_rows(shape, tau_memory);
    struct operand dtau = packed_rows(shape, dtau_memory), columns = packed_rows(shape, dtau_memory), *changed[] = {
        &x, &x, &v, &tau, &out, &out, &out, &dtau, &columns};
    strides.data = changed[kind]->data;
    *changed[kind] = strides;
    switch (kind) {
    case LOGITS:
    case ROW_TAU:
    case OUT: return call_soft(shape, x, each_row(tau), draw, out);
    case NOISE: return call_gumbel(shape, draw, out);
    case COLUMNS: return call_categorical(shape, x, draw, columns);
    default: return call_vjp(shape, x, v, each_row(tau), out, dtau);
    }
}

static bool is_output(int kind) { return kind >= OUT; }

static void one_operand(int32_t type)
{
    const struct shape shape = {type, 2, 3, 5}, one = {type, 1, 1, 1};
    static const int64_t far = INT64_MAX / 2;
    static const struct {
        const char *what;
        struct operand strides;
        bool as_input, as_output, without_classes; /* taken so; the last of outputs of one element a row */
    } cases[] = {
        {"packed", {NULL, 15, 5, 1}, true, true, true},
        {"class axis in the middle", {NULL, 15, 1, 3}, true, true, true},
        {"reversed axes", {NULL, 1, 2, 6}, true, true, true},
        {"an outer stride of -1", {NULL, -1, 5, 1}, false, false, false},
        {"an inner stride of -1", {NULL, 15, -1, 1}, false, false, false},
        {"the least outer stride", {NULL, INT64_MIN, 5, 1}, false, false, false},
        {"an outer stride of 0", {NULL, 0, 5, 1}, true, false, false},
        {"an inner stride of 0", {NULL, 15, 0, 1}, true, false, false},
        {"all strides 0", {NULL, 0, 0, 0}, true, false, false},
        {"outer rows that meet", {NULL, 14, 5, 1}, true, false, true},
        {"inner rows that meet", {NULL, 15, 4, 1}, true, false, true},
        {"classes that meet rows", {NULL, 15, 1, 2}, true, false, true},
        {"reversed axes that meet", {NULL, 1, 2, 5}, true, false, true},
        {"equal strides", {NULL, 1, 1, 1}, true, false, false},
        {"elements that interleave without meeting", {NULL, 3, 2, 7}, true, false, false},
        {"a span beyond 64 bits of elements", {NULL, far * 2, far, 1}, false, false, false},
        {"a span beyond 64 bits of bytes", {NULL, 15, far, 1}, false, false, false},
    };
    for (int kind = 0; kind < KINDS; kind++) {
        for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
            bool taken = !is_output(kind) ? cases[k].as_input : has_classes(kind) ? cases[k].as_output : cases[k].without_classes;
            int64_t got = call_with((enum kind)kind, shape, cases[k].strides);
            CHECK(got == (taken ? 6 : BAD), "%s of %s with %s gave %d", kind_names[kind], name_of(type), cases[k].what, (int)got);
        }
        if (has_classes(kind)) {
            CHECK(call_with((enum kind)kind, shape, (struct operand){NULL, 15, 5, -1}) == BAD, "%s with a class stride of -1", kind_names[kind]);
            CHECK(call_with((enum kind)kind, shape, (struct operand){NULL, 15, 5, 0}) == (is_output(kind) ? BAD : 6),
                  "%s with a class stride of 0", kind_names[kind]);
            CHECK(call_with((enum kind)kind, shape, (struct operand){NULL, 15, 5, far}) == BAD, "%s with far classes", kind_names[kind]);
        }
        /* a stride that is never taken may be anything but negative */
        CHECK(call_with((enum kind)kind, one, (struct operand){NULL, INT64_MAX, INT64_MAX, INT64_MAX}) == 1, "%s, one element, far strides",
              kind_names[kind]);
        CHECK(call_with((enum kind)kind, one, none) == 1, "%s, one element, strides 0", kind_names[kind]);
        CHECK(call_with((enum kind)kind, one, (struct operand){NULL, -1, 0, 0}) == BAD, "%s, one element, a negative stride",
              kind_names[kind]);
    }
}

/* Two operands of hard, `ahead` elements from logits to output; nothing being written when they are refused. */
static void together(int32_t type, struct operand strides, struct operand out_strides, int64_t ahead, bool taken, const char *what)
{
    const struct shape shape = {type, 2, 3, 4};
    struct operand in = strides, out = out_strides;
    in.data = element(type, x_memory, ROOM / 4);
    out.data = element(type, in.data, ahead);
    watch(x_memory, sizeof x_memory);
    for (int64_t n = 0; n < elements_of(shape); n++)
        put(type, in.data, place_of(shape, in, n), (double)(n % 7));
    double before[ROOM];
    memcpy(before, x_memory, sizeof before);
    int64_t got = hard(shape, in, out);
    CHECK(got == (taken ? 6 : BAD), "%s of %s, output %d elements ahead, gave %d", what, name_of(type), (int)ahead, (int)got);
    CHECK(taken || memcmp(before, x_memory, sizeof before) == 0, "%s: something was written", what);
}

static void two_operands(int32_t type)
{
    const struct operand plain = {NULL, 12, 4, 1}, padded = {NULL, 27, 9, 1}, wide = {NULL, 24, 8, 1}, turns = {NULL, 24, 8, 2};
    const struct operand middle = {NULL, 24, 1, 6}, rows_in_turn = {NULL, 24, 4, 1}, repeated = {NULL, 0, 4, 1};
    for (int64_t ahead = -30; ahead <= 30; ahead++)
        together(type, plain, plain, ahead, ahead <= -24 || ahead >= 24, "a packed array");
    for (int64_t ahead = -12; ahead <= 12; ahead++) {
        int64_t distance = ahead < 0 ? -ahead : ahead;
        /* halves of rows of 9, or whole rows, do not meet */
        together(type, padded, padded, ahead, distance == 4 || distance == 5, "columns of a wider array");
        together(type, wide, wide, ahead, distance == 4 || distance == 12, "halves of a wider array");
        together(type, turns, turns, ahead, distance % 2 == 1, "classes in turn");
        together(type, middle, middle, ahead, distance == 3 || distance == 9, "inner rows side by side");
        together(type, rows_in_turn, rows_in_turn, ahead, distance == 12, "outer rows in turn");
        if (distance < 12) /* the spans meet: whether elements do is not asked */
            together(type, wide, plain, ahead, false, "different strides");
        if (ahead > -24 && ahead < 8)
            together(type, repeated, plain, ahead, false, "an array and one that it repeats");
    }
    together(type, wide, plain, -24, true, "an array before a wider one");
    together(type, wide, plain, 44, true, "an array after a wider one");
    together(type, repeated, plain, -24, true, "an array before the rows that it repeats");
    together(type, repeated, plain, 12, true, "an array after the rows that it repeats");
}

/* Every output of a backward pass against every other operand. */
static void backward_operands(int32_t type)
{
    const struct shape shape = {type, 1, 2, 4};
    int32_t tau_type = compute_type(type);
    struct operand sample = packed(shape, x_memory), upstream = packed(shape, v_memory), dlogits = packed(shape, y_memory);
    struct operand tau = packed_rows(shape, tau_memory), dtau = packed_rows(shape, dtau_memory);
    put(tau_type, tau_memory, 0, 1);
    put(tau_type, tau_memory, 1, 1);
    CHECK(call_vjp(shape, sample, upstream, each_row(tau), dlogits, dtau) == 2, "apart");
    CHECK(call_vjp(shape, sample, sample, each_row(tau), dlogits, dtau) == 2, "inputs may meet");
    CHECK(call_vjp(shape, sample, upstream, each_row(tau), sample, dtau) == BAD, "dlogits over sample");
    CHECK(call_vjp(shape, sample, upstream, each_row(tau), upstream, dtau) == BAD, "dlogits over upstream");
    CHECK(call_vjp(shape, sample, upstream, each_row(tau), packed(shape, tau_memory), dtau) == BAD, "dlogits over temperatures");
    CHECK(call_vjp(shape, sample, upstream, each_row(tau), dlogits, packed_rows(shape, x_memory)) == BAD, "dtau over sample");
    CHECK(call_vjp(shape, sample, upstream, each_row(tau), dlogits, packed_rows(shape, v_memory)) == BAD, "dtau over upstream");
    CHECK(call_vjp(shape, sample, upstream, each_row(tau), dlogits, packed_rows(shape, y_memory)) == BAD, "dtau over dlogits");
    CHECK(call_vjp(shape, sample, upstream, each_row(tau), dlogits, tau) == BAD, "dtau over temperatures");
    void *last = element(type, y_memory, 8 - 4 / bytes_of(type) - (type == GUMBEL4J_FLOAT64));
    CHECK(call_vjp(shape, sample, upstream, each_row(tau), dlogits, packed_rows(shape, last)) == BAD, "dtau from the end of dlogits on");
    CHECK(call_soft(shape, sample, each_row(tau), draw, packed(shape, tau_memory)) == BAD, "out over temperatures");
    CHECK(call_categorical(shape, sample, draw, packed_rows(shape, x_memory)) == BAD, "columns over logits");
}

int main(void)
{
    for (int t = 0; t < TYPES; t++) {
        for (int64_t n = 0; n < 64; n++) {
            put(all_types[t], x_memory, n, 0.5);
            put(all_types[t], v_memory, n, 1);
            put(compute_type(all_types[t]), tau_memory, n, 1);
        }
        one_operand(all_types[t]);
        backward_operands(all_types[t]);
        two_operands(all_types[t]);
    }
    return finish("strides");
}
