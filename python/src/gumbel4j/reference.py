"""The same numbers from NumPy alone: a second implementation of the noise stream and of every operator.

It is written from the text of native/NOISE.md, independently of the Java and C kernels, so that the two can
be checked against each other. Integers (`words`) and uniforms are equal to the kernels' bit for bit.
Everything after a logarithm is computed in float64 by the plain formulas, with NumPy's `log`, `log1p` and
`exp` in place of the kernels' polynomials, and agrees within bounds that this module states: `gumbel_bound`,
`soft_bound`, `vjp_bound`, and `decided` for indices.

The dtype of `logits` (float32 or float64) chooses the noise stream, and `tau` is rounded to it, exactly as in
the session; results are float64 all the same. Arguments and refusals are those of `gumbel4j.Session`: rows
are counted in C order over the axes other than the axis of classes. No function changes its inputs, and all
are safe to call from any thread.

Sources: Salmon, Moraes, Dror, Shaw (2011), "Parallel random numbers: as easy as 1, 2, 3" (Philox); Jang, Gu,
Poole (2017), "Categorical Reparameterization with Gumbel-Softmax"; Maddison, Mnih, Teh (2017), "The Concrete
Distribution".
"""

from __future__ import annotations

import math
import operator
from numbers import Real
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import ArrayLike, DTypeLike, NDArray

    from gumbel4j.generator import Generator

    Floats = NDArray[np.float64]
    Words = NDArray[np.uint64]

__all__ = [
    "categorical",
    "decided",
    "gumbel",
    "gumbel_bound",
    "gumbel_softmax",
    "margin",
    "soft_bound",
    "uniform",
    "vjp",
    "vjp_bound",
    "words",
]

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

_CHUNK: Final = 1 << 18  # elements worked on at a time, so that temporary memory stays at some tens of MiB
_INDEX_LIMIT: Final = 1 << 63
_MASK: Final = np.uint64(0xFFFFFFFF)
_HALF_WORD: Final = np.uint64(32)


class _Kind:
    """What differs between the two streams and types."""

    def __init__(
        self, dtype: type[np.floating[Any]], word: type[np.unsignedinteger[Any]], parts: int
    ) -> None:
        self.dtype = np.dtype(dtype)
        self.word = np.dtype(word)
        self.parts = parts  # 32-bit words in an element's word
        self.group = 64 // parts  # elements that share sixteen blocks
        info = np.finfo(dtype)
        self.smallest_normal = float(info.smallest_normal)
        self.smallest_subnormal = float(info.smallest_subnormal)
        # Unit roundoff of a comparison: for float32 the kernel's plus one per cent, for float64 the kernel's
        # plus ours.
        self.roundoff = 1.01 * 2.0**-24 if parts == 1 else 2.0**-52


_KINDS: Final = (_Kind(np.float32, np.uint32, 1), _Kind(np.float64, np.uint64, 2))


# Words and uniforms


def words(
    shape: int | Sequence[int],
    *,
    seed: int | Generator | None = None,
    stream: int | None = None,
    first_row: int = 0,
    dtype: DTypeLike = np.uint32,
) -> NDArray[Any]:
    """Return the raw words of the noise stream (NOISE.md, section 1).

    Parameters
    ----------
    shape
        Shape of the result; its last axis counts as the classes.
    seed, stream, first_row
        As in `gumbel_softmax`.
    dtype
        numpy.uint32 for the words of the float32 stream, numpy.uint64 for those of the float64 stream.

    Returns
    -------
    numpy.ndarray
        Words of this shape and dtype.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type or is out of its range; the message names it.
    """
    kind = next((kind for kind in _KINDS if kind.word == np.dtype(dtype)), None)
    if kind is None:
        raise TypeError(
            "dtype must be uint32 (words of the float32 stream) or uint64 (of the float64 stream); "
            f"got {np.dtype(dtype)}"
        )
    full, rows, classes = _shape(shape)
    start = _first_element(first_row, rows, classes)
    key = _key(seed, stream)
    out = np.empty(rows * classes, kind.word)
    for begin, end in _spans(out.size, 1):
        out[begin:end] = _words(kind, *key, start + begin, end - begin)
    return out.reshape(full)


def uniform(
    shape: int | Sequence[int],
    *,
    seed: int | Generator | None = None,
    stream: int | None = None,
    first_row: int = 0,
    dtype: DTypeLike = np.float32,
) -> Floats:
    """Return the uniforms U behind the noise (NOISE.md, section 2).

    Parameters
    ----------
    shape, seed, stream, first_row
        As in `words`.
    dtype
        numpy.float32 or numpy.float64: the stream.

    Returns
    -------
    numpy.ndarray
        float64 of this shape: exact for the float32 stream, rounded once for the float64 stream (and so 1.0
        for the largest words).

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type or is out of its range; the message names it.
    """
    kind = _stream_kind(dtype)
    full, rows, classes = _shape(shape)
    start = _first_element(first_row, rows, classes)
    key = _key(seed, stream)
    out = np.empty(rows * classes)
    for begin, end in _spans(out.size, 1):
        out[begin:end] = _uniform_of_words(
            kind, _words(kind, *key, start + begin, end - begin), *key, start + begin
        )
    return out.reshape(full)


def _philox(seed: int, stream: int, blocks: Words) -> tuple[Words, Words, Words, Words]:
    """Return the four 32-bit words of each block, held in uint64, by Philox4x32-10."""
    c0 = blocks & _MASK
    c1 = blocks >> _HALF_WORD
    c2 = np.full_like(c0, stream & 0xFFFFFFFF)
    c3 = np.full_like(c0, stream >> 32)
    k0, k1 = seed & 0xFFFFFFFF, seed >> 32
    for _ in range(10):
        p = c0 * np.uint64(0xD2511F53)
        q = c2 * np.uint64(0xCD9E8D57)
        c0 = (q >> _HALF_WORD) ^ c1 ^ np.uint64(k0)
        c1 = q & _MASK
        c2 = (p >> _HALF_WORD) ^ c3 ^ np.uint64(k1)
        c3 = p & _MASK
        k0 = (k0 + 0x9E3779B9) & 0xFFFFFFFF
        k1 = (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return c0, c1, c2, c3


def _words(kind: _Kind, seed: int, stream: int, start: int, count: int) -> Words:
    """Return the words of the elements start .. start + count - 1, in uint64 for both streams."""
    first_group = start // kind.group
    groups = (start + count - 1) // kind.group - first_group + 1
    blocks = np.arange(16 * groups, dtype=np.uint64) + np.uint64(16 * first_group)
    four = _philox(seed, stream, blocks)
    if kind.parts == 2:
        lanes: tuple[Words, ...] = (four[0] | four[1] << _HALF_WORD, four[2] | four[3] << _HALF_WORD)
    else:
        lanes = four
    # Within a group the first sixteen elements take the first word of its sixteen blocks, the next sixteen
    # the second.
    in_order = np.stack([lane.reshape(groups, 16) for lane in lanes], axis=1).reshape(-1)
    begin = start - first_group * kind.group
    return in_order[begin : begin + count]


def _uniform_of_words(kind: _Kind, v: Words, seed: int, stream: int, start: int) -> Floats:
    """Return U for the words of the elements from `start` on."""
    if kind.parts == 2:
        return _upper(v) + _lower(v)
    u = (v.astype(np.float64) + 0.5) * 2.0**-32
    (tail,) = np.nonzero(v < 256)
    if tail.size:
        i = tail.astype(np.uint64) + np.uint64(start)
        blocks = (i >> np.uint64(6)) * np.uint64(16) + (i & np.uint64(15))
        four = _philox(seed, stream | 1 << 63, blocks)
        w = np.choose((i >> np.uint64(4) & np.uint64(3)).astype(np.intp), four)
        u[tail] = v[tail].astype(np.float64) * 2.0**-32 + (w.astype(np.float64) + 0.5) * 2.0**-64
    return u


def _upper(v: Words) -> Floats:
    return (v >> _HALF_WORD).astype(np.float64) * 2.0**-32


def _lower(v: Words) -> Floats:
    """Return what `_upper` leaves of (v + 1/2) / 2^64; the sum of both is the only rounding."""
    return ((v & _MASK).astype(np.float64) + 0.5) * 2.0**-64


# Gumbel noise


def gumbel(
    shape: int | Sequence[int],
    *,
    seed: int | Generator | None = None,
    stream: int | None = None,
    first_row: int = 0,
    dtype: DTypeLike = np.float32,
) -> Floats:
    """Return standard Gumbel noise g = -log E, E = -log(1 - U).

    Parameters
    ----------
    shape, seed, stream, first_row
        As in `words`.
    dtype
        numpy.float32 or numpy.float64: the stream.

    Returns
    -------
    numpy.ndarray
        float64 of this shape, whatever the stream.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type or is out of its range; the message names it.
    """
    kind = _stream_kind(dtype)
    full, rows, classes = _shape(shape)
    start = _first_element(first_row, rows, classes)
    return _gumbel(kind, *_key(seed, stream), start, rows * classes).reshape(full)


def gumbel_bound(values: ArrayLike, dtype: DTypeLike = np.float32) -> Floats:
    """Return how far a kernel's Gumbel values of this dtype may lie from `values`, the reference's own.

    Parameters
    ----------
    values
        Result of `gumbel`, any shape.
    dtype
        Type of the kernel's values: numpy.float32 or numpy.float64.

    Returns
    -------
    numpy.ndarray
        Absolute bounds, float64, shape of values: GUMBEL_ULPS ulp of max(|g|, 1/2).
    """
    kind = _stream_kind(dtype)
    _, exponents = np.frexp(np.maximum(np.abs(np.asarray(values, np.float64)), 0.5))
    bound: Floats = np.ldexp(GUMBEL_ULPS[kind.dtype], exponents - np.finfo(kind.dtype).nmant - 1)
    return bound


def _gumbel(kind: _Kind, seed: int, stream: int, start: int, count: int) -> Floats:
    """Return the noise of the elements start .. start + count - 1."""
    out = np.empty(count)
    for begin, end in _spans(count, 1):
        v = _words(kind, seed, stream, start + begin, end - begin)
        u = _uniform_of_words(kind, v, seed, stream, start + begin)
        # 1 - U is (complement + 1/2) / 2^32 (or 2^64) where complement has every bit of v turned: no
        # cancellation.
        complement = ~v if kind.parts == 2 else v ^ _MASK
        if kind.parts == 2:
            rest = _upper(complement) + _lower(complement)
        else:
            rest = (complement.astype(np.float64) + 0.5) * 2.0**-32
        low = u < 0.5
        exponential = -np.where(low, np.log1p(-np.where(low, u, 0.0)), np.log(rest))
        out[begin:end] = -np.log(exponential)
    return out


# Operators


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
        float32 or float64 of any shape with at least one axis: unnormalised log-probabilities. -inf masks a
        class.
    tau
        Temperature: a real number, or an array of them that broadcasts to the shape of logits with size 1
        along `axis`, such as (B, 1) for logits of shape (B, K): a value for each row. Rounded to the dtype of
        logits; each value finite and not negative. 0 is the limit: exactly one-hot.
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
        float64, shape of logits: values in [0, 1] that sum to 1 along `axis`. Values below the smallest
        normal number of the type of logits are kept here, where the kernels write 0.

    Raises
    ------
    TypeError
        If an argument has the wrong type, or logits another dtype.
    ValueError
        If an argument is out of its range (of several temperatures, the message names the first such), tau
        has a shape that does not broadcast, or a row holds NaN, +inf, or nothing above -inf (the message
        names the first such row).
    """
    x, kind, place = _rows(logits, axis, "logits")
    temperatures = _temperatures(tau, kind, place)
    start = _first_element(first_row, *x.shape)
    _check_rows(x)
    key = _key(seed, stream)
    out = np.empty(x.shape)
    for begin, end in _spans(*x.shape):
        s = _perturbed(kind, x[begin:end], key, start + begin * x.shape[1])
        one_hot = np.arange(x.shape[1]) == s.argmax(axis=1)[:, None]
        warm = (temperatures[begin:end] > 0) & (not hard)
        e = np.exp(_over(_below_top(kind, s), np.where(warm, temperatures[begin:end], 1.0)))
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
    x, kind, place = _rows(logits, axis, "logits")
    start = _first_element(first_row, *x.shape)
    _check_rows(x)
    key = _key(seed, stream)
    out = np.empty(x.shape[0], np.int32)
    for begin, end in _spans(*x.shape):
        out[begin:end] = _perturbed(kind, x[begin:end], key, start + begin * x.shape[1]).argmax(axis=1)
    return place.without_classes(out)


def vjp(
    sample: ArrayLike, upstream: ArrayLike, tau: ArrayLike = 1.0, axis: int = -1
) -> tuple[Floats, Floats | np.float64]:
    """Carry a gradient back through `gumbel_softmax`.

    With y the sample and v the upstream gradient, d logits = y (v - <y, v>) / tau and d tau = -<d logits, log
    y>. A class with y = 0 takes no part, whatever its v. For the straight-through estimator give the soft
    sample.

    Parameters
    ----------
    sample
        A soft sample, float32 or float64.
    upstream
        Gradient with respect to the sample, of its shape and dtype; may hold NaN and infinities.
    tau
        The temperature of the sample, positive: a number, or an array that broadcasts, as for
        `gumbel_softmax`.
    axis
        The axis of the classes.

    Returns
    -------
    tuple
        Gradient with respect to the logits (float64, shape of sample) and with respect to tau (shape of tau,
        a scalar for a number; rows that share a temperature add up).

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type or shape or is out of its range; the message names it.
    """
    y, v, kind, place = _sample_and_upstream(sample, upstream, axis)
    temperatures = _temperatures(tau, kind, place, positive=True)
    dlogits = np.empty(y.shape)
    dtau = np.empty(y.shape[0])
    for begin, end in _spans(*y.shape):
        part, inner, log_y = _vjp_terms(y[begin:end], v[begin:end])
        with np.errstate(over="ignore", invalid="ignore"):
            dlogits[begin:end] = _over(part * inner, temperatures[begin:end])
            dtau[begin:end] = -(dlogits[begin:end] * log_y).sum(axis=1)
    return place(dlogits), place.summed_like(tau, dtau)


# How far the kernels may be from this module


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
    reciprocal and the product. To this comes what is flushed to zero below the smallest normal number. Where
    eps is large (a small tau), the interval of all y that such exponents allow is used instead.

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
    x, kind, place = _rows(logits, axis, "logits")
    temperatures = _temperatures(tau, kind, place)
    start = _first_element(first_row, *x.shape)
    _check_rows(x)
    key = _key(seed, stream)
    out = np.empty(x.shape)
    for begin, end in _spans(*x.shape):
        s, error = _perturbed_with_error(kind, x[begin:end], key, start + begin * x.shape[1])
        could_win = _could_win(s, error)
        of_one_hot = could_win & (could_win.sum(axis=1, keepdims=True) > 1)
        warm = temperatures[begin:end] > 0
        of_soft = _soft_bound_of_rows(kind, s, error, np.where(warm, temperatures[begin:end], 1.0))
        out[begin:end] = np.where(warm, of_soft, of_one_hot)
    return place(out)


def _soft_bound_of_rows(kind: _Kind, s: Floats, error: Floats, tau: Floats) -> Floats:
    u = kind.roundoff
    d = _below_top(kind, s)
    masked = np.isneginf(d)  # exactly 0 on both sides
    d = np.where(masked, 0.0, d)
    error = np.where(masked, 0.0, error - 2 * u * d)
    common = 4 * EXP_ULPS * u + (_sum_depth(s.shape[1]) + 2) * u
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        e = np.where(masked, 0.0, np.exp(_over(d, tau)))
        y = e / e.sum(axis=1, keepdims=True)
        eps = _over(error, tau)
        log_error = eps + np.log1p((y * np.expm1(eps)).sum(axis=1, keepdims=True)) + common
        near = y * np.expm1(log_error)
        low, high = d - error, d + error
        best = np.arange(s.shape[1]) == s.argmax(axis=1)[:, None]
        largest = np.minimum(_share(high, low, masked, best, tau) * (1 + common), 1.0)
        smallest = _share(low, high, masked, best, tau) * (1 - common)
        far = np.maximum(largest - y, y - smallest)
    bound = np.where(log_error < 2.0**-10, near, far) + 3 * kind.smallest_normal
    return np.where(masked, 0.0, bound)


def _share(
    own: Floats, others: Floats, masked: NDArray[np.bool_], best: NDArray[np.bool_], tau: Floats
) -> Floats:
    """Return exp(own / tau) / sum exp(others / tau), without overflow in between.

    The best class of a row counts itself in the sum as `own`, as the error of its own exponent cancels. That
    holds for every class, but matters only where a class has nearly the whole sum.
    """
    top = np.where(masked, -np.inf, others).max(axis=1, keepdims=True)
    total = np.where(masked, 0.0, np.exp(_over(others - top, tau))).sum(axis=1, keepdims=True)
    share = np.exp(_over(own - top, tau) - np.log(total))
    own_of_best = own[best][:, None]
    rest = np.where(masked | best, 0.0, np.exp(_over(others - own_of_best, tau))).sum(axis=1, keepdims=True)
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
    x, kind, place = _rows(logits, axis, "logits")
    start = _first_element(first_row, *x.shape)
    _check_rows(x)
    key = _key(seed, stream)
    out = np.full(x.shape[0], np.inf)
    if x.shape[1] > 1:
        for begin, end in _spans(*x.shape):
            s = _perturbed(kind, x[begin:end], key, start + begin * x.shape[1])
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
    x, kind, place = _rows(logits, axis, "logits")
    start = _first_element(first_row, *x.shape)
    _check_rows(x)
    key = _key(seed, stream)
    out = np.empty(x.shape[0], np.bool_)
    for begin, end in _spans(*x.shape):
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
    y, v, kind, place = _sample_and_upstream(sample, upstream, axis)
    temperatures = _temperatures(tau, kind, place, positive=True)
    u = kind.roundoff
    depth = _sum_depth(y.shape[1])
    # A product below the smallest normal number may lose a smallest subnormal one before the division by tau.
    lost = np.float64((y.shape[1] + 1) * kind.smallest_subnormal)
    bounds = np.empty(y.shape)
    dtau_bound, dtau = np.empty(y.shape[0]), np.empty(y.shape[0])
    with np.errstate(over="ignore", invalid="ignore"):
        for begin, end in _spans(*y.shape):
            part, inner, log_y = _vjp_terms(y[begin:end], v[begin:end])
            takes_part = part != 0
            weight = np.abs(part * np.where(takes_part, v[begin:end], 0.0)).sum(axis=1, keepdims=True)
            divisor = temperatures[begin:end]
            dlogits = _over(part * inner, divisor)
            tiny = kind.smallest_normal + _over(lost, divisor)
            bound = _over(part * (depth * u * weight), divisor) + 3.1 * u * np.abs(dlogits) + tiny
            bounds[begin:end] = np.where(takes_part, bound, 0.0)
            terms = dlogits * log_y
            dtau[begin:end] = terms.sum(axis=1)
            dtau_bound[begin:end] = (
                (bounds[begin:end] * np.abs(log_y)).sum(axis=1) * (1 + 4 * LOG_ULPS * u)
                + (depth + 2 * LOG_ULPS) * u * np.abs(terms).sum(axis=1)
                + kind.smallest_normal
            )
        total, total_bound = place.summed_like(tau, dtau), place.summed_like(tau, dtau_bound)
        return place(bounds), total_bound + u * (np.abs(total) + total_bound)


def _sum_depth(classes: int) -> int:
    """Return how many roundings a term of a row's sum meets in the kernels (NOISE.md, section 6)."""
    return min(64, -(-classes // 16)) + 4 + -(-classes // 1024)


# Rows


def _perturbed(kind: _Kind, x: NDArray[Any], key: tuple[int, int], start: int) -> Floats:
    """Return s = x + g in float64 for whole rows, the first of which starts at element `start`."""
    return x.astype(np.float64) + _gumbel(kind, *key, start, x.size).reshape(x.shape)


def _perturbed_with_error(
    kind: _Kind, x: NDArray[Any], key: tuple[int, int], start: int
) -> tuple[Floats, Floats]:
    """Return s and how far the kernel's s may lie from it (0 for a masked class)."""
    g = _gumbel(kind, *key, start, x.size).reshape(x.shape)
    noise_error = gumbel_bound(g, kind.dtype)
    s = x.astype(np.float64) + g
    with np.errstate(invalid="ignore"):
        error = noise_error + kind.roundoff * (np.abs(s) + noise_error)
    return s, np.where(np.isneginf(s), 0.0, error)


def _below_top(kind: _Kind, s: Floats) -> Floats:
    """Return s - max s of each row; -inf where it overflows in the type, as it does in the kernels."""
    with np.errstate(over="ignore"):
        d = s - s.max(axis=1, keepdims=True)
        return np.where(np.isinf(d.astype(kind.dtype)), -np.inf, d)


def _could_win(s: Floats, error: Floats) -> NDArray[np.bool_]:
    """Return which classes could have the largest s in a kernel."""
    with np.errstate(over="ignore"):
        could: NDArray[np.bool_] = s + error >= (s - error).max(axis=1, keepdims=True)
    return could & np.isfinite(s)


def _vjp_terms(y: NDArray[Any], v: NDArray[Any]) -> tuple[Floats, Floats, Floats]:
    """Return y, v - <y, v> and log y in float64, with 0 for the last two where y = 0."""
    part = y.astype(np.float64)
    takes_part = part != 0
    gradient = np.where(takes_part, v.astype(np.float64), 0.0)
    with np.errstate(over="ignore", invalid="ignore"):
        inner = gradient - (part * gradient).sum(axis=1, keepdims=True)
        log_y = np.log(np.where(takes_part, part, 1.0))
    return part, np.where(takes_part, inner, 0.0), log_y


def _over(numerator: Any, tau: Floats) -> Any:
    """Return numerator / tau; too large a quotient is infinite, as it should be."""
    with np.errstate(over="ignore"):
        return numerator / tau


# Arguments


class _Place:
    """Puts rows x classes back into the shape in which the caller's array came."""

    def __init__(self, moved_shape: tuple[int, ...], axis: int) -> None:
        self.moved_shape = moved_shape
        self.axis = axis

    def __call__(self, rows: Floats) -> Floats:
        return np.ascontiguousarray(np.moveaxis(rows.reshape(self.moved_shape), -1, self.axis))

    def without_classes(self, per_row: NDArray[Any]) -> NDArray[Any]:
        return per_row.reshape(self.moved_shape[:-1])

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape in which the caller's array came."""
        return self._with_along_axis(self.moved_shape[-1])

    @property
    def one_per_row(self) -> tuple[int, ...]:
        """That shape with size 1 along the axis of the classes."""
        return self._with_along_axis(1)

    def _with_along_axis(self, size: int) -> tuple[int, ...]:
        rows = self.moved_shape[:-1]
        return (*rows[: self.axis], size, *rows[self.axis :])

    def per_row(self, values: NDArray[Any]) -> Floats:
        """Return values that broadcast to `one_per_row` as rows x 1."""
        spread = np.broadcast_to(values, self.one_per_row)
        return np.moveaxis(spread, self.axis, -1).reshape(-1, 1).astype(np.float64)

    def summed_like(self, value: ArrayLike, per_row: Floats) -> Floats | np.float64:
        """Return one number per row, added up where rows share an element of `value`, in its shape."""
        total = per_row.reshape(self.one_per_row)
        shape = np.shape(value)
        aligned = (1,) * (total.ndim - len(shape)) + shape
        shared = tuple(axis for axis, size in enumerate(aligned) if size == 1)
        with np.errstate(over="ignore", invalid="ignore"):
            result: Floats | np.float64 = np.asarray(total.sum(axis=shared)).reshape(shape)[()]
        return result


def _rows(array: ArrayLike, axis: int, name: str) -> tuple[NDArray[Any], _Kind, _Place]:
    """Return the array as rows x classes in its own type, the type, and the way back."""
    x = np.asarray(array)
    kind = next((kind for kind in _KINDS if x.dtype.newbyteorder("=") == kind.dtype), None)
    if kind is None:
        raise TypeError(
            f"{name} must be an array of float32 or float64; got dtype {x.dtype}; "
            "convert it with .astype(np.float32)"
        )
    if x.ndim == 0:
        raise ValueError(f"{name} must have at least one axis, the classes; got a single number")
    try:
        position = operator.index(axis)
    except TypeError:
        raise TypeError(f"axis must be an integer; got {axis!r}") from None
    if not -x.ndim <= position < x.ndim:
        raise ValueError(
            f"axis must be in [{-x.ndim}, {x.ndim}) for {name} of shape {x.shape}; got {position}"
        )
    moved = np.moveaxis(x, position, -1)
    classes = moved.shape[-1]
    if classes == 0:
        raise ValueError(
            f"{name} must have at least one class; its shape {x.shape} has none along axis {position}"
        )
    rows = math.prod(moved.shape[:-1])
    return moved.reshape(rows, classes), kind, _Place(moved.shape, position % x.ndim)


def _sample_and_upstream(
    sample: ArrayLike, upstream: ArrayLike, axis: int
) -> tuple[NDArray[Any], NDArray[Any], _Kind, _Place]:
    given, gradient = np.asarray(sample), np.asarray(upstream)
    y, kind, place = _rows(given, axis, "sample")
    if gradient.shape != given.shape:
        raise ValueError(f"upstream must have the shape of sample, {given.shape}; got {gradient.shape}")
    v, upstream_kind, _ = _rows(gradient, axis, "upstream")
    if upstream_kind is not kind:
        raise TypeError(f"upstream must have the dtype of sample, {kind.dtype}; got {upstream_kind.dtype}")
    return y, v, kind, place


def _check_rows(x: NDArray[Any]) -> None:
    """Refuse the first row that cannot be sampled."""
    for begin, end in _spans(*x.shape):
        best = x[begin:end].max(axis=1)  # NaN if the row holds one
        refused = ~np.isfinite(best)
        if not refused.any():
            continue
        at = int(refused.argmax())
        value = best[at]
        fault = "NaN" if np.isnan(value) else "+inf" if value > 0 else "nothing above -inf"
        raise ValueError(
            f"logits row {begin + at} holds {fault}; every logit must be finite, or -inf for a masked class, "
            "and every row must have a finite one"
        )


def _shape(shape: int | Sequence[int]) -> tuple[tuple[int, ...], int, int]:
    """Return the shape as a tuple, its rows and its classes."""
    try:
        full = (operator.index(shape),) if not np.iterable(shape) else tuple(map(operator.index, shape))
    except TypeError:
        raise TypeError(f"shape must be an integer or a sequence of integers; got {shape!r}") from None
    if not full or full[-1] < 1 or min(full) < 0:
        raise ValueError(f"shape must end in at least one class and hold no negative length; got {full}")
    return full, math.prod(full[:-1]), full[-1]


def _stream_kind(dtype: DTypeLike) -> _Kind:
    kind = next((kind for kind in _KINDS if kind.dtype == np.dtype(dtype)), None)
    if kind is None:
        raise TypeError(f"dtype must be float32 or float64; got {np.dtype(dtype)}")
    return kind


def _first_element(first_row: int, rows: int, classes: int) -> int:
    """Return the index of the first element, after a check that no index leaves its range."""
    row = _integer("first_row", first_row, _INDEX_LIMIT)
    if (row + rows) * classes >= _INDEX_LIMIT:
        raise ValueError(
            f"first_row must leave (first_row + rows) * classes below 2**63; got first_row={row} "
            f"with {rows} rows of {classes} classes"
        )
    return row * classes


def _temperatures(tau: ArrayLike, kind: _Kind, place: _Place, *, positive: bool = False) -> Floats:
    """Return tau, rounded to the type, as rows x 1."""
    given = np.asarray(tau)
    if given.dtype == object and isinstance(tau, Real):  # a fraction, or an integer of more than 64 bits
        try:
            given = np.asarray(float(tau))
        except OverflowError:
            given = np.asarray(np.inf)
    if isinstance(tau, np.ma.MaskedArray) or given.dtype.kind not in "fiu":
        what = repr(tau) if given.ndim == 0 else f"dtype {given.dtype}"
        raise TypeError(f"tau must be a real number or an array of real numbers; got {what}")
    with np.errstate(over="ignore"):
        rounded = given.astype(kind.dtype)
    try:
        temperatures = place.per_row(rounded)
    except ValueError:
        by_row = given.shape == place.moved_shape[:-1]
        raise ValueError(
            f"tau must be one number or broadcast to {place.one_per_row}, one for each row of the array of "
            f"shape {place.shape}; got shape {given.shape}"
            + (f": use np.expand_dims(tau, {place.axis})" if by_row else "")
        ) from None
    refused = ~(np.isfinite(rounded) & (given >= 0) & ((rounded > 0) | (not positive)))
    if refused.any():
        at = np.unravel_index(refused.argmax(), given.shape)
        name = f"tau[{', '.join(map(str, at))}]" if at else "tau"
        allowed = "positive, for a gradient to exist" if positive else "not negative"
        raise ValueError(
            f"{name} = {given[at]}: must be finite and {allowed}, also when rounded to {kind.dtype}"
        )
    return temperatures


def _key(seed: int | Generator | None, stream: int | None) -> tuple[int, int]:
    if isinstance(seed, (int, np.integer)) and not isinstance(seed, bool):
        return _integer("seed", seed, 1 << 64), 0 if stream is None else _integer("stream", stream, 1 << 63)
    from gumbel4j.generator import resolve  # only here, so that a key of integers needs nothing but NumPy

    return resolve(seed, stream)


def _integer(name: str, value: Any, limit: int) -> int:
    """Return value as an integer in [0, limit), `limit` being a power of two."""
    allowed = f"an integer in [0, 2**{limit.bit_length() - 1})"
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be {allowed}; got {value!r}")
    number = int(value)
    if not 0 <= number < limit:
        raise ValueError(f"{name} must be {allowed}; got {number}")
    return number


def _spans(rows: int, classes: int) -> Iterator[tuple[int, int]]:
    """Split rows into runs of about _CHUNK elements."""
    step = max(1, _CHUNK // classes)
    for begin in range(0, rows, step):
        yield begin, min(begin + step, rows)
