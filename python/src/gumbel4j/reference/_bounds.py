"""How far the kernels may be from the reference, and where rounding cannot change what they choose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gumbel4j.reference._arguments import (
    Kind,
    as_rows,
    as_temperatures,
    check_rows,
    first_element,
    noise_key,
    sample_and_upstream,
    spans,
    stream_kind,
)
from gumbel4j.reference._noise import gumbel_values
from gumbel4j.reference._operators import below_top, over, perturbed, vjp_terms

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike, NDArray

    Floats = NDArray[np.float64]

GUMBEL_ULPS: Final = {np.dtype(np.float32): 2.5, np.dtype(np.float64): 8.0}
"""How far a kernel's Gumbel value g may lie from this module's, in ulp of max(|g|, 1/2) in the kernel's type.

float32: the kernel's error, found by trying every word, is at most 2.29 ulp; this module's is below 1e-7 ulp.
float64: the kernel's E has a relative error of at most 2 ulp (rounding of U, polynomial), which -log turns
into an absolute one, and its own logarithm adds 1.2 ulp: below 4 ulp together (2.1 seen). NumPy's logarithms
are good to 1 ulp, so that the same sum bounds this module's error.
"""

EXP_ULPS: Final = 1.1
"""Largest error of the kernels' exponential, in ulp (float32: 1.04, every argument tried; float64: 0.98)."""

LOG_ULPS: Final = 1.2
"""Largest error of the kernels' logarithm, in ulp (float32: 0.96, every argument tried; float64: 1.2)."""


def gumbel_bound(values: ArrayLike, dtype: DTypeLike = np.float32) -> Floats:
    """Return how far a kernel's Gumbel values of this dtype may lie from `values`, the reference's own.

    Parameters
    ----------
    values
        Result of `gumbel`, any shape.
    dtype
        Type of the kernel's values: numpy.float32, numpy.float64, numpy.float16 or bfloat16.

    Returns
    -------
    numpy.ndarray
        Absolute bounds, float64, shape of values: GUMBEL_ULPS ulp of max(|g|, 1/2), and for the types of 16
        bits half an ulp of theirs.
    """
    kind = stream_kind(dtype)
    noise = np.asarray(values, np.float64)
    return kind.rounded_bound(noise, _noise_bound(kind, noise))


def _noise_bound(kind: Kind, noise: Floats) -> Floats:
    """Return the bound of noise in the type that is computed in."""
    _, exponents = np.frexp(np.maximum(np.abs(noise), 0.5))
    bound: Floats = np.ldexp(GUMBEL_ULPS[kind.dtype], exponents - np.finfo(kind.dtype).nmant - 1)
    return bound


def soft_bound(
    logits: ArrayLike,
    tau: ArrayLike = 1.0,
    axis: int = -1,
    *,
    seed: int,
    stream: int = 0,
    first_row: int = 0,
) -> Floats:
    """Return how far a kernel's soft samples may lie from `gumbel_softmax` of the same arguments.

    With B(i) the error of s(i) = x(i) + g(i) (the noise's, and one rounding), top the largest s, d(i) = s(i)
    - top and u the unit roundoff, the kernel's exponent d(i) / tau is off by at most

        eps(i) = (B(i) + 2 u |d(i)|) / tau

    An error that all classes share cancels, so log y(i) is off by at most eps(i) + log(sum y(j) exp(eps(j)))
    + c, where c counts the exponential twice, the sum of n positive terms in the kernels' order, the
    reciprocal and the product. To this comes what is flushed to zero below the smallest normal number, and
    for float16 and bfloat16, computed in float32, half an ulp of the rounded result. Where eps is large (a
    small tau), the interval of all y that such exponents allow is used instead.

    Parameters
    ----------
    logits, tau, axis, seed, stream, first_row
        As in `gumbel_softmax`; seed and stream are integers, so that both sides can draw the same noise.

    Returns
    -------
    numpy.ndarray
        Absolute bounds, float64, shape of logits; 0 where a class is masked.

    Raises
    ------
    TypeError, ValueError
        As in `gumbel_softmax`.
    """
    x, kind, place = as_rows(logits, axis, "logits")
    temperatures = as_temperatures(tau, kind, place)
    start = first_element(first_row, *x.shape)
    check_rows(x)
    key = noise_key(seed, stream)
    out = np.empty(x.shape)
    for begin, end in spans(*x.shape):
        s, error = _perturbed_with_error(kind, x[begin:end], key, start + begin * x.shape[1])
        could_win = _could_win(s, error)
        of_one_hot = could_win & (could_win.sum(axis=1, keepdims=True) > 1)
        warm = temperatures[begin:end] > 0
        of_soft = _soft_bound_of_rows(kind, s, error, np.where(warm, temperatures[begin:end], 1.0))
        out[begin:end] = np.where(warm, of_soft, of_one_hot)
    return place(out)


def _soft_bound_of_rows(kind: Kind, s: Floats, error: Floats, tau: Floats) -> Floats:
    u = kind.roundoff
    d = below_top(kind, s)
    masked = np.isneginf(d)  # exactly 0 on both sides
    d = np.where(masked, 0.0, d)
    error = np.where(masked, 0.0, error - 2 * u * d)
    common = 4 * EXP_ULPS * u + (_sum_depth(s.shape[1]) + 2) * u
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        e = np.where(masked, 0.0, np.exp(over(d, tau)))
        y = e / e.sum(axis=1, keepdims=True)
        eps = over(error, tau)
        log_error = eps + np.log1p((y * np.expm1(eps)).sum(axis=1, keepdims=True)) + common
        near = y * np.expm1(log_error)
        low, high = d - error, d + error
        best = np.arange(s.shape[1]) == s.argmax(axis=1)[:, None]
        largest = np.minimum(_share(high, low, masked, best, tau) * (1 + common), 1.0)
        smallest = _share(low, high, masked, best, tau) * (1 - common)
        far = np.maximum(largest - y, y - smallest)
    bound = np.where(log_error < 2.0**-10, near, far) + 3 * kind.smallest_normal
    return np.where(masked, 0.0, kind.rounded_bound(y, bound))


def _share(
    own: Floats, others: Floats, masked: NDArray[np.bool_], best: NDArray[np.bool_], tau: Floats
) -> Floats:
    """Return exp(own / tau) / sum exp(others / tau), without overflow in between.

    The best class of a row counts itself in the sum as `own`, as the error of its own exponent cancels. That
    holds for every class, but matters only where a class has nearly the whole sum.
    """
    top = np.where(masked, -np.inf, others).max(axis=1, keepdims=True)
    total = np.where(masked, 0.0, np.exp(over(others - top, tau))).sum(axis=1, keepdims=True)
    share = np.exp(over(own - top, tau) - np.log(total))
    own_of_best = own[best][:, None]
    rest = np.where(masked | best, 0.0, np.exp(over(others - own_of_best, tau))).sum(axis=1, keepdims=True)
    result: Floats = np.where(best, 1 / (1 + rest), share)
    return result


def margin(
    logits: ArrayLike,
    axis: int = -1,
    *,
    seed: int,
    stream: int = 0,
    first_row: int = 0,
) -> Floats:
    """Return the gap between the best two noisy logits of each row: how clear the choice of `categorical` is.

    Parameters
    ----------
    logits, axis, seed, stream, first_row
        As in `soft_bound`.

    Returns
    -------
    numpy.ndarray
        float64, shape of logits without `axis`; infinite where a row has one open class.

    Raises
    ------
    TypeError, ValueError
        As in `gumbel_softmax`.
    """
    x, kind, place = as_rows(logits, axis, "logits")
    start = first_element(first_row, *x.shape)
    check_rows(x)
    key = noise_key(seed, stream)
    out = np.full(x.shape[0], np.inf)
    if x.shape[1] > 1:
        for begin, end in spans(*x.shape):
            s = perturbed(kind, x[begin:end], key, start + begin * x.shape[1])
            best = np.partition(s, -2, axis=1)[:, -2:]
            with np.errstate(over="ignore"):
                out[begin:end] = best[:, 1] - best[:, 0]
    return place.without_classes(out)


def decided(
    logits: ArrayLike,
    axis: int = -1,
    *,
    seed: int,
    stream: int = 0,
    first_row: int = 0,
) -> NDArray[np.bool_]:
    """Return where rounding cannot change the chosen class: there the kernels must agree with `categorical`.

    Parameters
    ----------
    logits, axis, seed, stream, first_row
        As in `soft_bound`.

    Returns
    -------
    numpy.ndarray
        bool, shape of logits without `axis`: True where the best noisy logit, less its error bound, is above
        every other, plus its own.

    Raises
    ------
    TypeError, ValueError
        As in `gumbel_softmax`.
    """
    x, kind, place = as_rows(logits, axis, "logits")
    start = first_element(first_row, *x.shape)
    check_rows(x)
    key = noise_key(seed, stream)
    out = np.empty(x.shape[0], np.bool_)
    for begin, end in spans(*x.shape):
        s, error = _perturbed_with_error(kind, x[begin:end], key, start + begin * x.shape[1])
        out[begin:end] = _could_win(s, error).sum(axis=1) == 1
    return place.without_classes(out)


def vjp_bound(
    sample: ArrayLike, upstream: ArrayLike, tau: ArrayLike = 1.0, axis: int = -1
) -> tuple[Floats, Floats | np.float64]:
    """Return how far a kernel's gradients may lie from `vjp` of the same arguments.

    With u the unit roundoff, the sum of n products is off by at most (depth of the kernels' sum) u sum
    |product|; the difference, the product and the quotient of d logits add one rounding each, d tau adds the
    error of the kernels' logarithm. To this comes what is flushed to zero below the smallest normal number.
    float16 and bfloat16 are computed in float32, and d logits is rounded once more at the end.

    Parameters
    ----------
    sample, upstream, tau, axis
        As in `vjp`.

    Returns
    -------
    tuple
        Absolute bounds for d logits (float64, shape of sample) and d tau (shape of tau). They say nothing
        (NaN or infinity) where the gradient itself is NaN or infinite.

    Raises
    ------
    TypeError, ValueError
        As in `vjp`.
    """
    y, v, kind, place = sample_and_upstream(sample, upstream, axis)
    temperatures = as_temperatures(tau, kind, place, positive=True)
    u = kind.roundoff
    depth = _sum_depth(y.shape[1])
    # A product below the smallest normal number may lose a smallest subnormal one before the division by tau.
    lost = np.float64((y.shape[1] + 1) * kind.smallest_subnormal)
    bounds = np.empty(y.shape)
    dtau_bound, dtau = np.empty(y.shape[0]), np.empty(y.shape[0])
    with np.errstate(over="ignore", invalid="ignore"):
        for begin, end in spans(*y.shape):
            part, inner, log_y = vjp_terms(y[begin:end], v[begin:end])
            takes_part = part != 0
            weight = np.abs(part * np.where(takes_part, v[begin:end], 0.0)).sum(axis=1, keepdims=True)
            divisor = temperatures[begin:end]
            dlogits = over(part * inner, divisor)
            tiny = kind.smallest_normal + over(lost, divisor)
            bound = over(part * (depth * u * weight), divisor) + 3.1 * u * np.abs(dlogits) + tiny
            bound = np.where(takes_part, bound, 0.0)
            bounds[begin:end] = np.where(takes_part, kind.rounded_bound(dlogits, bound), 0.0)
            terms = dlogits * log_y
            dtau[begin:end] = terms.sum(axis=1)
            dtau_bound[begin:end] = (
                (bound * np.abs(log_y)).sum(axis=1) * (1 + 4 * LOG_ULPS * u)
                + (depth + 2 * LOG_ULPS) * u * np.abs(terms).sum(axis=1)
                + kind.smallest_normal
            )
        total, total_bound = place.summed_like(tau, dtau), place.summed_like(tau, dtau_bound)
        return place(bounds), total_bound + u * (np.abs(total) + total_bound)


def _sum_depth(classes: int) -> int:
    """Return how many roundings a term of a row's sum meets in the kernels (NOISE.md, section 6)."""
    return min(64, -(-classes // 16)) + 4 + -(-classes // 1024)


def _perturbed_with_error(
    kind: Kind, x: NDArray[Any], key: tuple[int, int], start: int
) -> tuple[Floats, Floats]:
    """Return s and how far the kernel's s may lie from it (0 for a masked class)."""
    g = gumbel_values(kind, *key, start, x.size).reshape(x.shape)
    noise_error = _noise_bound(kind, g)
    s = x.astype(np.float64) + g
    with np.errstate(invalid="ignore"):
        error = noise_error + kind.roundoff * (np.abs(s) + noise_error)
    return s, np.where(np.isneginf(s), 0.0, error)


def _could_win(s: Floats, error: Floats) -> NDArray[np.bool_]:
    """Return which classes could have the largest s in a kernel."""
    with np.errstate(over="ignore"):
        could: NDArray[np.bool_] = s + error >= (s - error).max(axis=1, keepdims=True)
    return could & np.isfinite(s)
