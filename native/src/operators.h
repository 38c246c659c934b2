/*
 * The operators of NOISE.md, section 7, on rows of consecutive elements, written once and included by tier.h once per compute type, with
 * these names defined:
 *
 *   T(name)            name_float32 or name_float64: the functions on lanes of lanes_<tier>.h, philox.h, float32.h and float64.h
 *   real, word         the element and its random word, of one size
 *   lanes, word_lanes  vectors of T(LANES) elements, and of their words
 *   mask_lanes         what comparing lanes gives
 *
 * To add an operator: its kernel on rows in a file below, on views in views.h and staged.h, a line in kernels.h and tier.h, its entry in
 * gumbel4j.c.
 *
 * Steps named "..._columns" handle one vector, or the 16 columns of one step of a sum; the loops call them with a constant count for
 * whole steps and with what is left for the last, so each is written once and compiled twice.
 */
#include "window.h"

#include "noise.h"

#include "sums.h"

#include "perturb.h"

#include "short_rows.h"

#include "short_argmax.h"

#include "argmax.h"

#include "soft.h"

#include "vjp.h"

#include "lone_row.h"

#include "tiling.h"
