/* The ways in which an operand may lie in memory, and arrays laid out in them whose other bytes are watched. */
#ifndef GUMBEL4J_TEST_LAYOUTS_H
#define GUMBEL4J_TEST_LAYOUTS_H

#include "calls.h"
#include "typed.h"

enum layout {
    PACKED,
    PADDED_ROWS,
    EVERY_SECOND_CLASS,
    CLASS_AXIS_IN_THE_MIDDLE,
    PADDED_CLASS_AXIS,
    CLASS_AXIS_FIRST,
    REVERSED_AXES,
    INNER_ROWS_FAR_APART,
    GAPS_EVERYWHERE,
    OUTPUT_LAYOUTS, /* those from here on are for inputs alone */
    OUTER_REPEATED = OUTPUT_LAYOUTS,
    INNER_REPEATED,
    CLASSES_REPEATED,
    ONE_ELEMENT,
    LAYOUTS
};

static const char *const layout_names[LAYOUTS] = {
    "packed", "padded rows", "every second class", "class axis in the middle", "padded class axis", "class axis first", "reversed axes",
    "inner rows far apart", "gaps everywhere", "outer repeated", "inner repeated", "classes repeated", "one element",
};

/* The strides of a layout; no address yet. */
static inline struct operand strides_of(enum layout layout, struct shape shape)
{
    int64_t outer = shape.outer, inner = shape.inner, classes = shape.classes;
    switch (layout) {
    case PACKED: return (struct operand){NULL, inner * classes, classes, 1};
    case PADDED_ROWS: return (struct operand){NULL, inner * (classes + 5) + 7, classes + 5, 1};
    case EVERY_SECOND_CLASS: return (struct operand){NULL, 2 * inner * classes, 2 * classes, 2};
    case CLASS_AXIS_IN_THE_MIDDLE: return (struct operand){NULL, classes * inner, 1, inner};
    case PADDED_CLASS_AXIS: return (struct operand){NULL, classes * (inner + 3) + 2, 1, inner + 3};
    case CLASS_AXIS_FIRST: return (struct operand){NULL, inner, 1, outer * inner};
    case REVERSED_AXES: return (struct operand){NULL, 1, outer, outer * inner};
    case INNER_ROWS_FAR_APART: return (struct operand){NULL, classes, outer * classes, 1};
    case GAPS_EVERYWHERE: return (struct operand){NULL, (2 * inner + 1) * (3 * classes + 4), 2 * (3 * classes + 4), 3};
    case OUTER_REPEATED: return (struct operand){NULL, 0, classes, 1};
    case INNER_REPEATED: return (struct operand){NULL, classes, 0, 1};
    case CLASSES_REPEATED: return (struct operand){NULL, 1, outer, 0};
    default: return (struct operand){NULL, 0, 0, 0};
    }
}

/* Elements from the first to the last. */
static inline int64_t span_of(struct shape shape, struct operand strides)
{
    return (shape.outer - 1) * strides.outer_stride + (shape.inner - 1) * strides.inner_stride + (shape.classes - 1) * strides.class_stride
           + 1;
}

static inline int64_t elements_of(struct shape shape) { return shape.outer * shape.inner * shape.classes; }

/* Where element n of the packed array stands, n = (o * inner + i) * classes + c. */
static inline int64_t place_of(struct shape shape, struct operand strides, int64_t n)
{
    int64_t row = n / shape.classes;
    return row / shape.inner * strides.outer_stride + row % shape.inner * strides.inner_stride + n % shape.classes * strides.class_stride;
}

/* The shape of what has one element a row. */
static inline struct shape one_a_row(int32_t type, struct shape shape) { return (struct shape){type, shape.outer, shape.inner, 1}; }

/* Puts a packed array where the operand stands. */
static inline void lay_out(struct shape shape, const void *array, struct operand operand)
{
    int64_t width = bytes_of(shape.type);
    for (int64_t n = 0; n < elements_of(shape); n++)
        memcpy((char *)operand.data + place_of(shape, operand, n) * width, (const char *)array + n * width, (size_t)width);
}

/* The operand's elements as a packed array, to be freed. */
static inline void *gathered(struct shape shape, struct operand operand)
{
    int64_t width = bytes_of(shape.type);
    char *array = make(shape.type, elements_of(shape));
    for (int64_t n = 0; n < elements_of(shape); n++)
        memcpy(array + n * width, (char *)operand.data + place_of(shape, operand, n) * width, (size_t)width);
    return array;
}

/* Whether the operand's elements are those of a packed array. */
static inline bool holds(struct shape shape, struct operand operand, const void *array)
{
    int64_t width = bytes_of(shape.type);
    for (int64_t n = 0; n < elements_of(shape); n++)
        if (memcmp((char *)operand.data + place_of(shape, operand, n) * width, (const char *)array + n * width, (size_t)width) != 0)
            return false;
    return true;
}

enum { UNTOUCHED = 0xA5 };

/* Fills memory, so that `untouched_but` notices who writes there. */
static inline void watch(void *start, int64_t bytes) { memset(start, UNTOUCHED, (size_t)bytes); }

/* Whether all of `bytes` bytes are as `watch` left them, but for the elements of an operand, which are forgotten. */
static inline bool untouched_but(struct shape shape, struct operand operand, const void *start, int64_t bytes)
{
    int64_t width = bytes_of(shape.type);
    for (int64_t n = 0; operand.data != NULL && n < elements_of(shape); n++)
        memset((char *)operand.data + place_of(shape, operand, n) * width, UNTOUCHED, (size_t)width);
    const unsigned char *at = start;
    return bytes == 0 || (at[0] == UNTOUCHED && memcmp(at, at + 1, (size_t)bytes - 1) == 0);
}

#endif
