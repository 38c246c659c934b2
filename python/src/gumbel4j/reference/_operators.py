"""The operators in NumPy, in float64, by the plain formulas (native/NOISE.md, section 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

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
)
from gumbel4j.reference._noise import gumbel_values

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from gumbel4j.generator import Generator

    Floats = NDArray[np.float64]


def gumbel_softmax(
    logits: ArrayLike,
    tau: ArrayLike = 1.0,
    hard: bool = False,
    axis: int = -1,
    *,
    seed: int | Generator | None = None,
    stream: int | None = None,
    first_row: int = 0,
) -> Floats:
    """Draw relaxed one-hot samples: softmax((logits + Gumbel noise) / tau) along `axis`.

    Parameters
    ----------
    logits
        float32, float64, float16 or bfloat16 of any shape with at least one axis: unnormalised
        log-probabilities. -inf masks a class.
    tau
        Temperature: a real number, or an array of them that broadcasts to the shape of logits with size 1
        along `axis`, such as (B, 1) for logits of shape (B, K): a value for each row. Rounded to float64 for
        logits of float64, else to float32; each value finite and not negative. 0 is the limit: exactly
        one-hot.
    hard
        If True, exact one-hot vectors (the largest noisy logit, the first of equals) instead of soft ones.
    axis
        The axis of the classes.
    seed
        An integer in [0, 2**64), a Generator, or None for the default Generator.
    stream
        The number of the draw, an integer in [0, 2**63), 0 if left out; only with an integer seed.
    first_row
        The row of a larger array at which `logits` starts.

    Returns
    -------
    numpy.ndarray
        float64, shape of logits: values in [0, 1] that sum to 1 along `axis`. Not rounded to the type of
        logits; values below the smallest normal number of float32 or float64 are kept here, where the kernels
        write 0.

    Raises
    ------
    TypeError
        If an argument has the wrong type, or logits another dtype.
    ValueError
        If an argument is out of its range (of several temperatures, the message names the first such), tau
        has a shape that does not broadcast, or a row holds NaN, +inf, or nothing above -inf (the message
        names the first such row).
    """
    x, kind, place = as_rows(logits, axis, "logits")
    temperatures = as_temperatures(tau, kind, place)
    start = first_element(first_row, *x.shape)
    check_rows(x)
    key = noise_key(seed, stream)
    out = np.empty(x.shape)
    for begin, end in spans(*x.shape):
        s = perturbed(kind, x[begin:end], key, start + begin * x.shape[1])
        one_hot = np.arange(x.shape[1]) == s.argmax(axis=1)[:, None]
        warm = (temperatures[begin:end] > 0) & (not hard)
        e = np.exp(over(below_top(kind, s), np.where(warm, temperatures[begin:end], 1.0)))
        out[begin:end] = np.where(warm, e / e.sum(axis=1, keepdims=True), one_hot)
    return place(out)


def categorical(
    logits: ArrayLike,
    axis: int = -1,
    *,
    seed: int | Generator | None = None,
    stream: int | None = None,
    first_row: int = 0,
) -> NDArray[np.int32]:
    """Draw one class per row: the index of the largest noisy logit, the first of equals.

    Parameters
    ----------
    logits, axis, seed, stream, first_row
        As in `gumbel_softmax`.

    Returns
    -------
    numpy.ndarray
        int32, shape of logits without `axis`.

    Raises
    ------
    TypeError, ValueError
        As in `gumbel_softmax`.
    """
    x, kind, place = as_rows(logits, axis, "logits")
    start = first_element(first_row, *x.shape)
    check_rows(x)
    key = noise_key(seed, stream)
    out = np.empty(x.shape[0], np.int32)
    for begin, end in spans(*x.shape):
        out[begin:end] = perturbed(kind, x[begin:end], key, start + begin * x.shape[1]).argmax(axis=1)
    return place.without_classes(out)


@overload
def vjp(
    sample: ArrayLike,
    upstream: ArrayLike,
    tau: ArrayLike = 1.0,
    axis: int = -1,
    *,
    tau_gradient: Literal[True] = True,
) -> tuple[Floats, Floats | np.float64]: ...


@overload
def vjp(
    sample: ArrayLike, upstream: ArrayLike, tau: ArrayLike = 1.0, axis: int = -1, *, tau_gradient: bool
) -> tuple[Floats, Floats | np.float64 | None]: ...


def vjp(
    sample: ArrayLike,
    upstream: ArrayLike,
    tau: ArrayLike = 1.0,
    axis: int = -1,
    *,
    tau_gradient: bool = True,
) -> tuple[Floats, Floats | np.float64 | None]:
    """Carry a gradient back through `gumbel_softmax`.

    With y the sample and v the upstream gradient, d logits = y (v - <y, v>) / tau and d tau = -<d logits, log
    y>. A class with y = 0 takes no part, whatever its v. For the straight-through estimator give the soft
    sample.

    Parameters
    ----------
    sample
        A soft sample, float32, float64, float16 or bfloat16.
    upstream
        Gradient with respect to the sample, of its shape and dtype; may hold NaN and infinities.
    tau
        The temperature of the sample, positive: a number, or an array that broadcasts, as for
        `gumbel_softmax`.
    axis
        The axis of the classes.
    tau_gradient
        Whether to work out the gradient with respect to tau.

    Returns
    -------
    tuple
        Gradient with respect to the logits (float64, shape of sample) and with respect to tau (shape of tau,
        a scalar for a number; rows that share a temperature add up), None if it was not asked for.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type or shape or is out of its range; the message names it.
    """
    y, v, kind, place = sample_and_upstream(sample, upstream, axis)
    temperatures = as_temperatures(tau, kind, place, positive=True)
    dlogits = np.empty(y.shape)
    dtau = np.empty(y.shape[0])
    for begin, end in spans(*y.shape):
        part, inner, log_y = vjp_terms(y[begin:end], v[begin:end])
        with np.errstate(over="ignore", invalid="ignore"):
            dlogits[begin:end] = over(part * inner, temperatures[begin:end])
            dtau[begin:end] = -(dlogits[begin:end] * log_y).sum(axis=1)
    return place(dlogits), place.summed_like(tau, dtau) if tau_gradient else None


def perturbed(kind: Kind, x: NDArray[Any], key: tuple[int, int], start: int) -> Floats:
    """Return s = x + g in float64 for whole rows, the first of which starts at element `start`."""
    return x.astype(np.float64) + gumbel_values(kind, *key, start, x.size).reshape(x.shape)


def below_top(kind: Kind, s: Floats) -> Floats:
    """Return s - max s of each row; -inf where it overflows in the type, as it does in the kernels."""
    with np.errstate(over="ignore"):
        d = s - s.max(axis=1, keepdims=True)
        return np.where(np.isinf(d.astype(kind.dtype)), -np.inf, d)


def vjp_terms(y: NDArray[Any], v: NDArray[Any]) -> tuple[Floats, Floats, Floats]:
    """Return y, v - <y, v> and log y in float64, with 0 for the last two where y = 0."""
    part = y.astype(np.float64)
    takes_part = part != 0
    gradient = np.where(takes_part, v.astype(np.float64), 0.0)
    with np.errstate(over="ignore", invalid="ignore"):
        inner = gradient - (part * gradient).sum(axis=1, keepdims=True)
        log_y = np.log(np.where(takes_part, part, 1.0))
    return part, np.where(takes_part, inner, 0.0), log_y


def over(numerator: Any, tau: Floats) -> Any:
    """Return numerator / tau; too large a quotient is infinite, as it should be."""
    with np.errstate(over="ignore"):
        return numerator / tau
