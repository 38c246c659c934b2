/* No part of a long row reads or writes outside its operands' elements: as guard_test.c, for the functions on parts. */
#define _DEFAULT_SOURCE /* mmap's MAP_ANONYMOUS */
#include "guard.h"

enum { LONGEST = 300, BEYOND_A_BLOCK = 1024 };

static const struct draw draw = {1, 2, 77};

static void parts(int32_t type, int64_t columns, int64_t stride, bool at_end)
{
    struct shape shape = matrix(type, 1, columns), sums_shape = matrix(compute_type(type), 1, (columns + 1023) / 1024);
    struct operand strides = {NULL, 0, 0, stride}, sums_strides = {NULL, 0, 0, 1};
    struct operand x = guarded_input(0, at_end, shape, strides, -1), out = guarded_output(1, at_end, shape, strides);
    struct operand sums = guarded_output(3, at_end, sums_shape, sums_strides);
    double top = 0, s = 0;
    int64_t column = -1;

#define ALONE(call)                                                                                                              \
    do {                                                                                                                         \
        bool returned = (call) == 1;                                                                                             \
        CHECK(returned && output_untouched(3, at_end, sums_shape, sums), "%s, %d columns, stride %d, at %s: sums", name_of(type), \
              (int)columns, (int)stride, at_end ? "end" : "start");                                                              \
    } while (0)
#define OUT_ALONE CHECK(output_untouched(1, at_end, shape, out), "%s, %d columns, stride %d", name_of(type), (int)columns, (int)stride)

    /* the stages of a sample hand on what `out` holds, so it is looked at after the last of them */
    ALONE(gumbel4j_part_perturb(type, columns, x.data, stride, DRAW(draw), out.data, stride, &top));
    ALONE(gumbel4j_part_exp(type, columns, x.data, stride, 0.5, top, DRAW(draw), out.data, stride, sums.data));
    ALONE(gumbel4j_part_scale(type, columns, x.data, stride, 0.5, top, 0.01, DRAW(draw), out.data, stride));
    OUT_ALONE;
    ALONE(gumbel4j_part_argmax(type, columns, x.data, stride, DRAW(draw), &s, &column));
    CHECK(column >= 0 && column < columns && s == top, "argmax %s: %g at %d", name_of(type), s, (int)column);
    ALONE(gumbel4j_part_one_hot(type, columns, column, out.data, stride));
    OUT_ALONE;
    struct operand y = guarded_input(0, at_end, shape, strides, 0), v = guarded_input(2, at_end, shape, strides, -1);
    ALONE(gumbel4j_part_dot(type, columns, y.data, stride, v.data, stride, sums.data));
    ALONE(gumbel4j_part_gradient(type, columns, y.data, stride, v.data, stride, 0.5, 0.1, out.data, stride, sums.data));
    OUT_ALONE;
    ALONE(gumbel4j_part_gradient(type, columns, y.data, stride, v.data, stride, 0.5, 0.1, out.data, stride, NULL));
    OUT_ALONE;
}

int main(void)
{
    make_regions((LONGEST + BEYOND_A_BLOCK) * 3 * 8);
    for (int t = 0; t < TYPES; t++)
        for (int64_t columns = 1; columns <= LONGEST; columns++)
            for (int64_t stride = 1; stride <= 3; stride++)
                for (int at_end = 0; at_end < 2; at_end++)
                    parts(all_types[t], columns + (columns % 16 == 0 ? BEYOND_A_BLOCK : 0), stride, at_end);
    return finish("guard parts");
}
