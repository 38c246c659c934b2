/*
 * The lanes of one tier, and the functions on them, by themselves: against one scalar at a time, and against the golden files, whose
 * directory is the argument. Compiled once per tier, with LANES naming its lanes_<tier>.h.
 */
#define _POSIX_C_SOURCE 200809L /* strdup */
#include LANES

#include "../src/philox.h"

#include "../src/float32.h"
#include "../src/float64.h"

#include "../src/transpose.h"

#include "../src/across.h"

#include "check.h"
#include "golden.h"
#include "spec.h"

static uint64_t random_state = 1;

/* Any 64 bits. */
static uint64_t random_bits(void)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return random_state ^ random_state >> 29;
}

#define T(name) name##_float32
#define real float
#define word uint32_t
#define lanes float32_lanes
#define word_lanes uint32_lanes
#define mask_lanes int32_lanes
#define TYPE GUMBEL4J_FLOAT32
#include "lanes_checks.h"

#define T(name) name##_float64
#define real double
#define word uint64_t
#define lanes float64_lanes
#define word_lanes uint64_lanes
#define mask_lanes int64_lanes
#define TYPE GUMBEL4J_FLOAT64
#include "lanes_checks.h"

static void multiplication(void)
{
    for (int n = 0; n < 100; n++) {
        uint64_lanes a = {0}, b = {0};
        for (int l = 0; l < LANES_float64; l++) {
            a[l] = random_bits();
            b[l] = random_bits();
        }
        uint64_lanes product = multiply_low(a, b);
        for (int l = 0; l < LANES_float64; l++)
            CHECK(product[l] == (a[l] & 0xffffffff) * (b[l] & 0xffffffff), "lane %d", l);
    }
}

/* Blocks from golden counters and keys, in every lane; the block number and the stream are 64 bits each. */
static void philox(const char *directory)
{
    struct golden golden = open_golden(directory, "philox4x32");
    while (golden_next(&golden)) {
        uint32_t *counter = golden_array(&golden, "counter", GUMBEL4J_INT32), *key = golden_array(&golden, "key", GUMBEL4J_INT32);
        uint32_t *out = golden_array(&golden, "out", GUMBEL4J_INT32);
        struct philox generator;
        philox_start(&generator, key[0] | (uint64_t)key[1] << 32, counter[2] | (uint64_t)counter[3] << 32);
        uint64_t number = counter[0] | (uint64_t)counter[1] << 32;
        struct philox_group group = philox_group(&generator, number);
        uint64_lanes block[CHAINS], words[4][CHAINS];
        for (int k = 0; k < CHAINS; k++)
            block[k] = broadcast_uint64(number);
        philox_blocks(&generator, &group, block, words);
        for (int w = 0; w < 4; w++)
            for (int k = 0; k < CHAINS; k++)
                for (int l = 0; l < LANES_float64; l++)
                    CHECK((uint32_t)words[w][k][l] == out[w], "%s: word %d", golden_text(&golden, "case"), w);
        free(counter);
        free(key);
        free(out);
    }
}

int main(int count, char **arguments)
{
    if (count != 2) {
        fprintf(stderr, "lanes_test: the argument must be the directory of the golden files\n");
        return 2;
    }
    multiplication();
    philox(arguments[1]);
    every_check_float32(arguments[1]);
    every_check_float64(arguments[1]);
    return finish("lanes");
}
