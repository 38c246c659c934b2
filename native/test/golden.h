/*
 * Reads the golden files (src/test/resources/golden; their heads describe them): one case at a time, arrays by the name of their key.
 * A file that cannot be read ends the program.
 */
#ifndef GUMBEL4J_TEST_GOLDEN_H
#define GUMBEL4J_TEST_GOLDEN_H

#include "gumbel4j.h"
#include "spec_half.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GOLDEN_KEYS = 32, GOLDEN_LINE = 1 << 17 };

struct golden {
    FILE *file;
    char path[1024];
    int32_t type; /* of the case */
    int keys;
    char *key[GOLDEN_KEYS], *value[GOLDEN_KEYS];
    char next[256]; /* the name of the next case, "" when there is none */
};

static inline void golden_fail(const struct golden *golden, const char *what, const char *which)
{
    fprintf(stderr, "%s: %s %s\n", golden->path, what, which);
    exit(1);
}

/* The next line that says something, as its key and value, which live until the next call; false at the end. */
static inline bool golden_line(struct golden *golden, char **key, char **value)
{
    static char line[GOLDEN_LINE];
    while (fgets(line, sizeof line, golden->file) != NULL) {
        size_t length = strlen(line);
        if (line[length - 1] != '\n')
            golden_fail(golden, "a line is too long:", "enlarge GOLDEN_LINE");
        line[length - 1] = '\0';
        if (line[0] == '#' || line[0] == '\0')
            continue;
        char *equals = strstr(line, " = ");
        if (equals == NULL)
            golden_fail(golden, "no 'key = value':", line);
        *equals = '\0';
        *key = line;
        *value = equals + 3;
        return true;
    }
    return false;
}

/* The value of a key of the case, or NULL. */
static inline const char *golden_value(const struct golden *golden, const char *key)
{
    for (int k = 0; k < golden->keys; k++)
        if (strcmp(golden->key[k], key) == 0)
            return golden->value[k];
    return NULL;
}

static inline const char *golden_text(const struct golden *golden, const char *key)
{
    const char *value = golden_value(golden, key);
    if (value == NULL)
        golden_fail(golden, "a case lacks the key", key);
    return value;
}

/* Goes to the next case; false after the last one, which closes the file. */
static inline bool golden_next(struct golden *golden)
{
    char *key, *value;
    for (int k = 0; k < golden->keys; k++) {
        free(golden->key[k]);
        free(golden->value[k]);
    }
    golden->keys = 0;
    if (golden->next[0] == '\0') {
        fclose(golden->file);
        return false;
    }
    golden->key[golden->keys] = strdup("case");
    golden->value[golden->keys++] = strdup(golden->next);
    golden->next[0] = '\0';
    while (golden_line(golden, &key, &value)) {
        if (strcmp(key, "case") == 0) {
            snprintf(golden->next, sizeof golden->next, "%s", value);
            break;
        }
        if (golden->keys == GOLDEN_KEYS)
            golden_fail(golden, "too many keys in", golden->value[0]);
        golden->key[golden->keys] = strdup(key);
        golden->value[golden->keys++] = strdup(value);
    }
    golden->type = GUMBEL4J_FLOAT32;
    const char *type = golden_value(golden, "type");
    static const struct {
        const char *name;
        int32_t type;
    } types[] = {{"float64", GUMBEL4J_FLOAT64}, {"float16", GUMBEL4J_FLOAT16}, {"bfloat16", GUMBEL4J_BFLOAT16}};
    for (size_t k = 0; type != NULL && k < sizeof types / sizeof *types; k++)
        if (strcmp(type, types[k].name) == 0)
            golden->type = types[k].type;
    return true;
}

/* Opens NAME.txt of a directory; golden_next goes to its first case. */
static inline struct golden open_golden(const char *directory, const char *name)
{
    struct golden golden = {.keys = 0};
    char *key, *value;
    snprintf(golden.path, sizeof golden.path, "%s/%s.txt", directory, name);
    golden.file = fopen(golden.path, "r");
    if (golden.file == NULL) {
        perror(golden.path);
        exit(1);
    }
    if (!golden_line(&golden, &key, &value) || strcmp(key, "case") != 0)
        golden_fail(&golden, "no case in the", "file");
    snprintf(golden.next, sizeof golden.next, "%s", value);
    return golden;
}

static inline uint64_t golden_integer(const struct golden *golden, const char *key)
{
    return strtoull(golden_text(golden, key), NULL, 0);
}

static inline double golden_tau(const struct golden *golden) { return strtod(golden_text(golden, "tau"), NULL); }

static inline int64_t golden_length(const struct golden *golden, const char *key)
{
    int64_t count = 1;
    for (const char *at = golden_text(golden, key); *at != '\0'; at++)
        count += *at == ' ';
    return count;
}

/* The values of a key as elements of a type, to be freed. */
static inline void *golden_array(const struct golden *golden, const char *key, int32_t type)
{
    int64_t count = golden_length(golden, key);
    const char *at = golden_text(golden, key);
    void *array = malloc((size_t)count * 8);
    for (int64_t i = 0; i < count; i++) {
        char *end = NULL;
        switch (type) {
        case GUMBEL4J_FLOAT32: ((float *)array)[i] = strtof(at, &end); break;
        case GUMBEL4J_FLOAT64: ((double *)array)[i] = strtod(at, &end); break;
        case GUMBEL4J_FLOAT16: ((uint16_t *)array)[i] = spec_to_float16(strtof(at, &end)); break;
        case GUMBEL4J_BFLOAT16: ((uint16_t *)array)[i] = spec_to_bfloat16(strtof(at, &end)); break;
        case GUMBEL4J_INT32: ((uint32_t *)array)[i] = (uint32_t)strtoull(at, &end, 0); break;
        default: ((uint64_t *)array)[i] = strtoull(at, &end, 0);
        }
        if (end == at || (*end != ' ' && *end != '\0'))
            golden_fail(golden, "not a number:", at);
        at = end + 1;
    }
    return array;
}

#endif
