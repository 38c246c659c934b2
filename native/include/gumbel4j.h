/*
 * gumbel4j: the whole ABI of libgumbel4j.
 *
 * Every function is a pure function of its arguments (no state, no allocation, safe from any thread) and gives the bits that
 * NOISE.md defines, on every instruction set.
 *
 * Matrices are row-major: `rows` rows of `classes` elements, consecutive within a row; row r starts at element r * stride, where
 * `stride` counts elements and is at least `classes` when rows > 1. Pointers are aligned to their element. Outputs overlap no input and no
 * other output.
 * `type` is a GUMBEL4J_* element type. `stream` is below 2^63; (first_row + rows) * classes is below 2^63.
 *
 * Operators return the number of rows written: `rows` when all went well; r < rows when row r cannot be sampled (it holds a NaN or
 * +inf, or no finite logit), rows from r on being unspecified; GUMBEL4J_BAD_ARGUMENT when an argument breaks a rule above, nothing
 * being written.
 */
#ifndef GUMBEL4J_H
#define GUMBEL4J_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Changes whenever a signature or the meaning of an argument changes. */
#define GUMBEL4J_ABI_VERSION 2

#define GUMBEL4J_FLOAT32 0
#define GUMBEL4J_FLOAT64 1
#define GUMBEL4J_INT32 2
#define GUMBEL4J_INT64 3

#define GUMBEL4J_BAD_ARGUMENT (-1)

#if defined(__GNUC__)
#define GUMBEL4J_API __attribute__((visibility("default")))
#else
#define GUMBEL4J_API
#endif

GUMBEL4J_API int32_t gumbel4j_abi_version(void);

/* The version of the project this library was built from, as "0.1.0". */
GUMBEL4J_API const char *gumbel4j_version(void);

/* The instruction-set tier in use: "base", "avx2", ... Chosen at the first call by CPU feature, capped by the environment variable
 * GUMBEL4J_MAX_ISA; a value that names no tier of this library caps at base. */
GUMBEL4J_API const char *gumbel4j_isa(void);

/* Raw words (NOISE.md, section 1). type GUMBEL4J_INT32: those of the float32 stream; GUMBEL4J_INT64: of the float64 stream. */
GUMBEL4J_API int64_t gumbel4j_words(int32_t type, int64_t rows, int64_t classes, uint64_t seed, uint64_t stream, uint64_t first_row,
                                    void *out, int64_t out_stride);

/* Uniforms as float64 (section 2). type GUMBEL4J_FLOAT32 or GUMBEL4J_FLOAT64 names the stream. */
GUMBEL4J_API int64_t gumbel4j_uniform(int32_t type, int64_t rows, int64_t classes, uint64_t seed, uint64_t stream, uint64_t first_row,
                                      double *out, int64_t out_stride);

/* Gumbel noise (sections 3 and 4). */
GUMBEL4J_API int64_t gumbel4j_gumbel(int32_t type, int64_t rows, int64_t classes, uint64_t seed, uint64_t stream, uint64_t first_row,
                                     void *out, int64_t out_stride);

/* Soft samples. `tau` holds for all rows where `row_tau` is null; else row r has the temperature row_tau[r * row_tau_stride], an element of
 * the type, and `tau` counts for nothing. A temperature is finite, not negative, and finite after rounding to the type. */
GUMBEL4J_API int64_t gumbel4j_soft(int32_t type, int64_t rows, int64_t classes, const void *logits, int64_t logits_stride, double tau,
                                   const void *row_tau, int64_t row_tau_stride, uint64_t seed, uint64_t stream, uint64_t first_row,
                                   void *out, int64_t out_stride);

/* One-hot samples. */
GUMBEL4J_API int64_t gumbel4j_hard(int32_t type, int64_t rows, int64_t classes, const void *logits, int64_t logits_stride,
                                   uint64_t seed, uint64_t stream, uint64_t first_row, void *out, int64_t out_stride);

/* Sampled indices, one int32 a row; classes <= INT32_MAX. */
GUMBEL4J_API int64_t gumbel4j_categorical(int32_t type, int64_t rows, int64_t classes, const void *logits, int64_t logits_stride,
                                          uint64_t seed, uint64_t stream, uint64_t first_row, int32_t *out, int64_t out_stride);

/* Backward of soft: dlogits like sample, dtau one element a row, or null where it is not wanted. Temperatures as for soft, but > 0 after
 * rounding to the type. Never refuses a row. */
GUMBEL4J_API int64_t gumbel4j_vjp(int32_t type, int64_t rows, int64_t classes, const void *sample, int64_t sample_stride,
                                  const void *upstream, int64_t upstream_stride, double tau, const void *row_tau,
                                  int64_t row_tau_stride, void *dlogits, int64_t dlogits_stride, void *dtau, int64_t dtau_stride);

#ifdef __cplusplus
}
#endif

#endif
