"""The noise stream in NumPy: words, uniforms and Gumbel values (native/NOISE.md, sections 1 to 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gumbel4j.reference._arguments import (
    KINDS,
    Kind,
    first_element,
    full_shape,
    noise_key,
    spans,
    stream_kind,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import DTypeLike, NDArray

    from gumbel4j.generator import Generator

    Floats = NDArray[np.float64]
    Words = NDArray[np.uint64]

_MASK: Final = np.uint64(0xFFFFFFFF)
_HALF_WORD: Final = np.uint64(32)


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
    kind = next((kind for kind in KINDS if kind.word == np.dtype(dtype)), None)
    if kind is None:
        raise TypeError(
            "dtype must be uint32 (words of the float32 stream) or uint64 (of the float64 stream); "
            f"got {np.dtype(dtype)}"
        )
    full, rows, classes = full_shape(shape)
    start = first_element(first_row, rows, classes)
    key = noise_key(seed, stream)
    out = np.empty(rows * classes, kind.word)
    for begin, end in spans(out.size, 1):
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
        numpy.float64 for its stream; numpy.float32, numpy.float16 or bfloat16 for that of float32.

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
    kind = stream_kind(dtype)
    full, rows, classes = full_shape(shape)
    start = first_element(first_row, rows, classes)
    key = noise_key(seed, stream)
    out = np.empty(rows * classes)
    for begin, end in spans(out.size, 1):
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


def _words(kind: Kind, seed: int, stream: int, start: int, count: int) -> Words:
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


def _uniform_of_words(kind: Kind, v: Words, seed: int, stream: int, start: int) -> Floats:
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
        numpy.float64 for its stream; numpy.float32, numpy.float16 or bfloat16 for that of float32.

    Returns
    -------
    numpy.ndarray
        float64 of this shape, whatever the dtype.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type or is out of its range; the message names it.
    """
    kind = stream_kind(dtype)
    full, rows, classes = full_shape(shape)
    start = first_element(first_row, rows, classes)
    return gumbel_values(kind, *noise_key(seed, stream), start, rows * classes).reshape(full)


def gumbel_values(kind: Kind, seed: int, stream: int, start: int, count: int) -> Floats:
    """Return the noise of the elements start .. start + count - 1."""
    out = np.empty(count)
    for begin, end in spans(count, 1):
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
