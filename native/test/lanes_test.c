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

/* Of all lanes at once: halves come in an order of the tier, whose order is the one before. */
static void products_of_lanes(void)
{
    uint32_lanes number = {0};
    for (int l = 0; l < LANES_float32; l++)
        number[l] = (uint32_t)l;
    uint32_lanes order = low_halves(products(number, broadcast_uint32(1))), again = low_halves(products(order, broadcast_uint32(1)));
    for (int n = 0; n < 100; n++) {
        uint32_lanes a = {0}, b = broadcast_uint32((uint32_t)random_bits());
        for (int l = 0; l < LANES_float32; l++)
            a[l] = (uint32_t)random_bits();
        uint32_lanes low = low_halves(products(a, b)), high = high_halves(products(a, b));
        uint64_lanes first = interleave_first(a, number), second = interleave_second(a, number);
        for (int l = 0; l < LANES_float32; l++) {
            uint64_t product = (uint64_t)a[order[l]] * b[0];
            CHECK(again[l] == (uint32_t)l && low[l] == (uint32_t)product && high[l] == product >> 32, "lane %d", l);
            uint64_lanes joined = l % 4 < 2 ? first : second;
            CHECK(joined[l / 4 * 2 + l % 2] == (a[l] | (uint64_t)l << 32), "lane %d", l);
        }
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
        uint32_lanes block[VECTORS_AT_ONCE], words[4][VECTORS_AT_ONCE];
        for (int k = 0; k < VECTORS_AT_ONCE; k++)
            block[k] = broadcast_uint32(counter[0]);
        philox_blocks(&generator, &group, VECTORS_AT_ONCE, block, words);
        for (int w = 0; w < 4; w++)
            for (int k = 0; k < VECTORS_AT_ONCE; k++)
                for (int l = 0; l < LANES_float32; l++)
                    CHECK(words[w][k][l] == out[w], "%s: word %d", golden_text(&golden, "case"), w);
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
    products_of_lanes();
    philox(arguments[1]);
    every_check_float32(arguments[1]);
    every_check_float64(arguments[1]);
    return finish("lanes");
}
