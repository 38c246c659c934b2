/*
 * No kernel reads or writes outside its rows: every buffer ends against an unreadable page, then starts after one, at every length
 * from 1 to 300; gaps between rows keep their bytes, and gaps in the inputs hold NaN that nobody may notice. Rows without gaps are
 * tried too, since kernels may take them for one long row.
 */
#define _DEFAULT_SOURCE /* mmap's MAP_ANONYMOUS */
#include "check.h"
#include "typed.h"

#include <sys/mman.h>
#include <unistd.h>

enum { ROWS = 3, GAP = 5, LONGEST = 300, BUFFERS = 5, UNTOUCHED = 0xA5 };

static int64_t gap; /* elements between rows: GAP or 0 */

/* Memory between two unreadable pages. */
static struct {
    char *start, *end;
} region[BUFFERS];

static void make_regions(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), inside = (ROWS * (LONGEST + GAP) * 8 / page + 1) * page;
    for (int b = 0; b < BUFFERS; b++) {
        char *at = mmap(NULL, inside + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (at == MAP_FAILED || mprotect(at + page, inside, PROT_READ | PROT_WRITE) != 0) {
            perror("guard_test: mmap");
            exit(1);
        }
        region[b].start = at + page;
        region[b].end = at + page + inside;
    }
}

/* ROWS rows of `classes` elements with gaps between them, against one of the two unreadable pages. */
struct rows {
    char *data;
    int64_t stride, row_bytes, bytes;
};

static struct rows place(int buffer, bool at_end, int64_t classes, int64_t element_bytes)
{
    int64_t stride = classes + gap, bytes = ((ROWS - 1) * stride + classes) * element_bytes;
    char *data = at_end ? region[buffer].end - bytes : region[buffer].start;
    memset(region[buffer].start, UNTOUCHED, (size_t)(region[buffer].end - region[buffer].start));
    return (struct rows){data, stride, classes * element_bytes, bytes};
}

/* Whether all bytes of a region outside its rows are as they were. */
static bool untouched(int buffer, struct rows rows, int64_t element_bytes)
{
    for (const char *at = region[buffer].start; at < region[buffer].end; at++) {
        int64_t offset = at - rows.data;
        if ((offset < 0 || offset >= rows.bytes || offset % (rows.stride * element_bytes) >= rows.row_bytes)
            && (unsigned char)*at != UNTOUCHED)
            return false;
    }
    return true;
}

static struct rows input(int buffer, int32_t type, bool at_end, int64_t classes, double low)
{
    struct rows rows = place(buffer, at_end, classes, bytes_of(type));
    uint64_t random = (uint64_t)classes;
    for (int64_t i = 0; i < rows.bytes / bytes_of(type); i++)
        put(type, rows.data, i, i % rows.stride < classes ? low + next_random(&random) : NAN);
    return rows;
}

static void operators(int32_t type, int64_t classes, bool at_end)
{
    int64_t bytes = bytes_of(type);
    struct rows x = input(0, type, at_end, classes, -1), out = place(1, at_end, classes, bytes);
    struct rows tau = input(4, type, at_end, 1, 0.5);
    uint64_t first_row = (uint64_t)classes % 7;

#define OUTPUT_UNTOUCHED(call, width)                                                                                            \
    CHECK((call) == ROWS && untouched(1, out, (width)), "%s classes %d at %s", name_of(type), (int)classes, at_end ? "end" : "start")
    OUTPUT_UNTOUCHED(gumbel4j_soft(type, ROWS, classes, x.data, x.stride, 0.5, NULL, 0, 1, 2, first_row, out.data, out.stride), bytes);
    OUTPUT_UNTOUCHED(gumbel4j_soft(type, ROWS, classes, x.data, x.stride, 0, tau.data, tau.stride, 1, 2, first_row, out.data, out.stride),
                     bytes);
    OUTPUT_UNTOUCHED(gumbel4j_hard(type, ROWS, classes, x.data, x.stride, 1, 2, first_row, out.data, out.stride), bytes);
    OUTPUT_UNTOUCHED(gumbel4j_gumbel(type, ROWS, classes, 1, 2, first_row, out.data, out.stride), bytes);
    OUTPUT_UNTOUCHED(gumbel4j_words(type == GUMBEL4J_FLOAT32 ? GUMBEL4J_INT32 : GUMBEL4J_INT64, ROWS, classes, 1, 2, first_row, out.data,
                                    out.stride),
                     bytes);
    out = place(1, at_end, classes, 8);
    OUTPUT_UNTOUCHED(gumbel4j_uniform(type, ROWS, classes, 1, 2, first_row, (double *)out.data, out.stride), 8);
    out = place(1, at_end, 1, 4);
    OUTPUT_UNTOUCHED(gumbel4j_categorical(type, ROWS, classes, x.data, x.stride, 1, 2, first_row, (int32_t *)out.data, out.stride), 4);

    struct rows y = input(0, type, at_end, classes, 0), v = input(2, type, at_end, classes, -1), dtau = place(3, at_end, 1, bytes);
    out = place(1, at_end, classes, bytes);
    OUTPUT_UNTOUCHED(gumbel4j_vjp(type, ROWS, classes, y.data, y.stride, v.data, v.stride, 0, tau.data, tau.stride, out.data, out.stride,
                                  dtau.data, dtau.stride),
                     bytes);
    OUTPUT_UNTOUCHED(gumbel4j_vjp(type, ROWS, classes, y.data, y.stride, v.data, v.stride, 0.5, NULL, 0, out.data, out.stride, NULL, 0),
                     bytes);
    CHECK(untouched(3, dtau, bytes), "dtau %s classes %d", name_of(type), (int)classes);
}

int main(void)
{
    make_regions();
    for (int32_t type = GUMBEL4J_FLOAT32; type <= GUMBEL4J_FLOAT64; type++)
        for (int64_t classes = 1; classes <= LONGEST; classes++)
            for (int k = 0; k < 4; k++) {
                gap = k < 2 ? GAP : 0;
                operators(type, classes, k % 2 == 0);
            }
    return finish("guard");
}
