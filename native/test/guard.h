/* Arrays that end against an unreadable page, or start after one. */
#ifndef GUMBEL4J_TEST_GUARD_H
#define GUMBEL4J_TEST_GUARD_H

#include "check.h"
#include "layouts.h"

#include <sys/mman.h>
#include <unistd.h>

enum { REGIONS = 5 };

/* Memory between two unreadable pages, one for each operand of a call. */
static struct {
    char *start, *end;
} region[REGIONS];

static inline void make_regions(size_t least_bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), inside = (least_bytes / page + 1) * page;
    for (int r = 0; r < REGIONS; r++) {
        char *at = mmap(NULL, inside + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (at == MAP_FAILED || mprotect(at + page, inside, PROT_READ | PROT_WRITE) != 0) {
            perror("mmap");
            exit(1);
        }
        region[r].start = at + page;
        region[r].end = at + page + inside;
    }
}

/* Where an array of a layout lies in a region: the address of its first element and its strides. */
static inline struct operand against(int r, bool at_end, struct shape shape, struct operand strides)
{
    int64_t bytes = span_of(shape, strides) * bytes_of(shape.type);
    if (bytes > region[r].end - region[r].start) {
        fprintf(stderr, "a region has %d bytes, not %d\n", (int)(region[r].end - region[r].start), (int)bytes);
        exit(1);
    }
    strides.data = at_end ? region[r].end - bytes : region[r].start;
    return strides;
}

/* Values from low to low + 1, and NaN in the gaps, which nobody may notice. */
static inline struct operand guarded_input(int r, bool at_end, struct shape shape, struct operand strides, double low)
{
    struct operand operand = against(r, at_end, shape, strides);
    memset(operand.data, 0xff, (size_t)(span_of(shape, strides) * bytes_of(shape.type)));
    uint64_t random = (uint64_t)shape.classes;
    for (int64_t n = 0; n < elements_of(shape); n++)
        put(shape.type, operand.data, place_of(shape, operand, n), low + next_random(&random));
    return operand;
}

/* The bytes that are watched: those of the array, and some on the side where there is no unreadable page. */
static inline char *watched(int r, bool at_end, struct shape shape, struct operand operand, int64_t *bytes)
{
    enum { BESIDE = 128 };
    int64_t inside = region[r].end - region[r].start, span = span_of(shape, operand) * bytes_of(shape.type);
    *bytes = span + BESIDE < inside ? span + BESIDE : inside;
    return at_end ? region[r].end - *bytes : region[r].start;
}

static inline struct operand guarded_output(int r, bool at_end, struct shape shape, struct operand strides)
{
    struct operand operand = against(r, at_end, shape, strides);
    int64_t bytes;
    char *start = watched(r, at_end, shape, operand, &bytes);
    watch(start, bytes);
    return operand;
}

/* Whether nothing around the elements of an output was written since it was made or last asked. */
static inline bool output_untouched(int r, bool at_end, struct shape shape, struct operand operand)
{
    int64_t bytes;
    char *start = watched(r, at_end, shape, operand, &bytes);
    return untouched_but(shape, operand, start, bytes);
}

#endif
