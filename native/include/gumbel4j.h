/*
 * gumbel4j: the whole ABI of libgumbel4j.
 *
 * Every function is a pure function of its arguments (no state that outlives the call, no allocation that grows with them, safe from any
 * thread) and gives the bits that NOISE.md defines, on every instruction set.
 *
 * A call works on outer * inner rows of `classes` elements; rows are counted in that order, row o * inner + i. An operand is an address
 * and three strides: class c of that row stands at element o * outer_stride + i * inner_stride + c * class_stride. Strides count elements
 * and are not negative; an input may repeat (stride 0), the elements of an output have distinct addresses: ordered by stride, the
 * dimensions of more than one element each step over all that the ones before it span. Addresses are aligned to their element. An
 * output shares no memory with any other operand: their spans, from first to last byte, have nothing in common, or both have the same
 * strides (in dimensions of more than one element) and take turns within them, as the left and right halves of a wider matrix do.
 *
 * So an array with its class axis in the middle is (outer, classes, inner) with strides (classes * inner, 1, inner), and a packed matrix is
 * (1, rows, classes) with strides (0, classes, 1).
 *
 * `type` is a GUMBEL4J_* element type. FLOAT16 and BFLOAT16 are computed in FLOAT32, from its stream, and rounded once at the end; their
 * temperatures, and the gradients of these, are FLOAT32 ("the compute type", which for the others is the type itself).
 * `stream` is below 2^63. Row r draws the elements from first_element + r * classes on of the noise; first_element + outer * inner * classes
 * is below 2^63.
 *
 * Operators return the number of rows written: outer * inner when all went well; r < outer * inner when row r cannot be sampled (it holds
 * a NaN or +inf, or no finite logit), rows from r on being unspecified; GUMBEL4J_BAD_ARGUMENT when an argument breaks a rule above,
 * nothing being written.
 */
#ifndef GUMBEL4J_H
#define GUMBEL4J_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Changes whenever a signature or the meaning of an argument changes. */
#define GUMBEL4J_ABI_VERSION 3

#define GUMBEL4J_FLOAT32 0
#define GUMBEL4J_FLOAT64 1
#define GUMBEL4J_INT32 2
#define GUMBEL4J_INT64 3
#define GUMBEL4J_FLOAT16 4
#define GUMBEL4J_BFLOAT16 5

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
GUMBEL4J_API int64_t gumbel4j_words(int32_t type, int64_t outer, int64_t inner, int64_t classes, uint64_t seed, uint64_t stream,
                                    uint64_t first_element, void *out, int64_t out_outer_stride, int64_t out_inner_stride,
                                    int64_t out_class_stride);

/* Uniforms as float64 (section 2). type GUMBEL4J_FLOAT32 or GUMBEL4J_FLOAT64 names the stream. */
GUMBEL4J_API int64_t gumbel4j_uniform(int32_t type, int64_t outer, int64_t inner, int64_t classes, uint64_t seed, uint64_t stream,
                                      uint64_t first_element, double *out, int64_t out_outer_stride, int64_t out_inner_stride,
                                      int64_t out_class_stride);

/* Gumbel noise (sections 3 and 4). */
GUMBEL4J_API int64_t gumbel4j_gumbel(int32_t type, int64_t outer, int64_t inner, int64_t classes, uint64_t seed, uint64_t stream,
                                     uint64_t first_element, void *out, int64_t out_outer_stride, int64_t out_inner_stride,
                                     int64_t out_class_stride);

/* Soft samples. `tau` holds for all rows where `row_tau` is null; else each row has its own, of the compute type, at element
 * o * row_tau_outer_stride + i * row_tau_inner_stride, and `tau` counts for nothing. A temperature is finite, not negative, and finite
 * after rounding to the compute type. */
GUMBEL4J_API int64_t gumbel4j_soft(int32_t type, int64_t outer, int64_t inner, int64_t classes, const void *logits,
                                   int64_t logits_outer_stride, int64_t logits_inner_stride, int64_t logits_class_stride, double tau,
                                   const void *row_tau, int64_t row_tau_outer_stride, int64_t row_tau_inner_stride, uint64_t seed,
                                   uint64_t stream, uint64_t first_element, void *out, int64_t out_outer_stride, int64_t out_inner_stride,
                                   int64_t out_class_stride);

/* One-hot samples. */
GUMBEL4J_API int64_t gumbel4j_hard(int32_t type, int64_t outer, int64_t inner, int64_t classes, const void *logits,
                                   int64_t logits_outer_stride, int64_t logits_inner_stride, int64_t logits_class_stride, uint64_t seed,
                                   uint64_t stream, uint64_t first_element, void *out, int64_t out_outer_stride, int64_t out_inner_stride,
                                   int64_t out_class_stride);

/* Sampled indices, one int32 a row; classes <= INT32_MAX. */
GUMBEL4J_API int64_t gumbel4j_categorical(int32_t type, int64_t outer, int64_t inner, int64_t classes, const void *logits,
                                          int64_t logits_outer_stride, int64_t logits_inner_stride, int64_t logits_class_stride,
                                          uint64_t seed, uint64_t stream, uint64_t first_element, int32_t *out, int64_t out_outer_stride,
                                          int64_t out_inner_stride);

/* Backward of soft: dlogits like sample, dtau one element of the compute type a row, or null where it is not wanted. Temperatures as for
 * soft, but > 0 after rounding to the compute type. Never refuses a row. */
GUMBEL4J_API int64_t gumbel4j_vjp(int32_t type, int64_t outer, int64_t inner, int64_t classes, const void *sample,
                                  int64_t sample_outer_stride, int64_t sample_inner_stride, int64_t sample_class_stride,
                                  const void *upstream, int64_t upstream_outer_stride, int64_t upstream_inner_stride,
                                  int64_t upstream_class_stride, double tau, const void *row_tau, int64_t row_tau_outer_stride,
                                  int64_t row_tau_inner_stride, void *dlogits, int64_t dlogits_outer_stride, int64_t dlogits_inner_stride,
                                  int64_t dlogits_class_stride, void *dtau, int64_t dtau_outer_stride, int64_t dtau_inner_stride);

/*
 * Parts of one row, for a row that several threads share. A part is `columns` consecutive columns, at least one; its first column is a
 * multiple of 1024, so that the blocks of the sums (NOISE.md, section 6) are those of the row, and its noise starts at first_element = that
 * of the row + first column. Each operand is an address (of the part's first element) and its class stride. Return 1 when all went well, 0
 * when the row must be refused (perturb, argmax: a NaN or +inf in this part), GUMBEL4J_BAD_ARGUMENT as above.
 *
 * A soft row: perturb every part, take the largest top (none above -inf: refused); exp every part; add the sums of all blocks in order in
 * the compute type, factor = 1 / total in it; scale every part. In between, `out` is the kernels' own, and is not to be touched. tau > 0
 * after rounding to the compute type: a row with tau = 0 is a hard one.
 * A hard row: argmax of every part, the largest s, of equals the first; one_hot.
 * A backward row: dot, add the blocks, gradient, add the blocks (dtau is the sum negated, a NaN being the canonical one, and +0 where its
 * magnitude is below the smallest normal number).
 */
GUMBEL4J_API int64_t gumbel4j_part_perturb(int32_t type, int64_t columns, const void *logits, int64_t logits_stride, uint64_t seed,
                                           uint64_t stream, uint64_t first_element, void *out, int64_t out_stride, double *top);

/* `sums`: elements of the compute type, one a block. */
GUMBEL4J_API int64_t gumbel4j_part_exp(int32_t type, int64_t columns, const void *logits, int64_t logits_stride, double tau, double top,
                                       uint64_t seed, uint64_t stream, uint64_t first_element, void *out, int64_t out_stride, void *sums);

GUMBEL4J_API int64_t gumbel4j_part_scale(int32_t type, int64_t columns, const void *logits, int64_t logits_stride, double tau, double top,
                                         double factor, uint64_t seed, uint64_t stream, uint64_t first_element, void *out,
                                         int64_t out_stride);

/* The largest s and its first column within the part; -inf and -1 where all are masked. */
GUMBEL4J_API int64_t gumbel4j_part_argmax(int32_t type, int64_t columns, const void *logits, int64_t logits_stride, uint64_t seed,
                                          uint64_t stream, uint64_t first_element, double *s, int64_t *column);

/* 1 at `column` of the part, 0 elsewhere; -1 for none. */
GUMBEL4J_API int64_t gumbel4j_part_one_hot(int32_t type, int64_t columns, int64_t column, void *out, int64_t out_stride);

/* `sums`: elements of the compute type, one a block. */
GUMBEL4J_API int64_t gumbel4j_part_dot(int32_t type, int64_t columns, const void *sample, int64_t sample_stride, const void *upstream,
                                       int64_t upstream_stride, void *sums);

/* `sums`: those of dx log(y), one a block, or null where they are not wanted. */
GUMBEL4J_API int64_t gumbel4j_part_gradient(int32_t type, int64_t columns, const void *sample, int64_t sample_stride, const void *upstream,
                                            int64_t upstream_stride, double tau, double dot, void *dlogits, int64_t dlogits_stride,
                                            void *sums);

#ifdef __cplusplus
}
#endif

#endif
