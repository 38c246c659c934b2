"""Arguments of the reference: checks, arrays as rows of classes and the way back, runs of rows."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import ArrayLike, DTypeLike, NDArray

    from gumbel4j.generator import Generator

    Floats = NDArray[np.float64]

_CHUNK: Final = 1 << 18  # elements worked on at a time, so that temporary memory stays at some tens of MiB
_INDEX_LIMIT: Final = 1 << 63


@dataclass(frozen=True)
class Half:
    """A type of 16 bits: how a float32 result is rounded to it, once, at the end."""

    precision: int  # significant bits, the hidden one included
    lowest: int  # exponent of the smallest normal number
    highest: int  # exponent of the largest finite ones

    def widened(self, values: Floats, bound: Floats) -> Floats:
        """Return how far rounded results may lie from `values`, from how far unrounded ones may.

        Adds half a unit in the last place of the largest result; infinite where that may overflow.
        """
        largest = np.abs(values) + bound
        _, exponents = np.frexp(np.maximum(largest, 2.0**self.lowest))  # subnormal numbers share one exponent
        half_ulp = np.ldexp(1.0, exponents - 1 - self.precision)
        overflow = np.ldexp(2 - 2.0**-self.precision, self.highest)
        return np.where(largest < overflow, bound + half_ulp, np.inf)


class Kind:
    """An element type by name, and what differs between the types.

    `dtype` is the type that its kernels compute in: it has the noise stream and the temperatures.
    """

    def __init__(
        self,
        name: str,
        dtype: type[np.floating[Any]],
        word: type[np.unsignedinteger[Any]],
        parts: int,
        half: Half | None = None,
    ) -> None:
        self.name = name
        self.dtype = np.dtype(dtype)
        self.word = np.dtype(word)
        self.parts = parts  # 32-bit words in an element's word
        self.half = half
        self.group = 64 // parts  # elements that share sixteen blocks
        info = np.finfo(dtype)
        self.smallest_normal = float(info.smallest_normal)
        self.smallest_subnormal = float(info.smallest_subnormal)
        # Unit roundoff of a comparison: for float32 the kernel's plus one per cent, for float64 the kernel's
        # plus ours.
        self.roundoff = 1.01 * 2.0**-24 if parts == 1 else 2.0**-52

    def rounded_bound(self, values: Floats, bound: Floats) -> Floats:
        """Return the bound of results from the bound before they are rounded from `dtype`."""
        return bound if self.half is None else self.half.widened(values, bound)


# The first of each stream is the one that is named by its words.
KINDS: Final = (
    Kind("float32", np.float32, np.uint32, 1),
    Kind("float64", np.float64, np.uint64, 2),
    Kind("float16", np.float32, np.uint32, 1, Half(precision=11, lowest=-14, highest=15)),
    Kind("bfloat16", np.float32, np.uint32, 1, Half(precision=8, lowest=-126, highest=127)),
)
_NAMES: Final = "float32, float64, float16 or bfloat16"


class _Place:
    """The shape in which the caller's array came, and the ways between it and rows."""

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


def as_rows(array: ArrayLike, axis: int, name: str) -> tuple[NDArray[Any], Kind, _Place]:
    """Return the array as rows x classes in the type to compute in, its own type, and the way back."""
    x = np.asarray(array)
    kind = _kind_of(x.dtype)
    if kind is None:
        raise TypeError(
            f"{name} must be an array of {_NAMES}; got dtype {x.dtype}; convert it with .astype(np.float32)"
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
    # Exact: every number of 16 bits is one of float32.
    in_rows = moved.reshape(rows, classes).astype(kind.dtype, copy=False)
    return in_rows, kind, _Place(moved.shape, position % x.ndim)


def _kind_of(dtype: np.dtype[Any]) -> Kind | None:
    """Return the element type of an array; by name, as NumPy itself does not know bfloat16."""
    name = dtype.newbyteorder("=").name
    return next((kind for kind in KINDS if kind.name == name), None)


def sample_and_upstream(
    sample: ArrayLike, upstream: ArrayLike, axis: int
) -> tuple[NDArray[Any], NDArray[Any], Kind, _Place]:
    given, gradient = np.asarray(sample), np.asarray(upstream)
    y, kind, place = as_rows(given, axis, "sample")
    if gradient.shape != given.shape:
        raise ValueError(f"upstream must have the shape of sample, {given.shape}; got {gradient.shape}")
    v, upstream_kind, _ = as_rows(gradient, axis, "upstream")
    if upstream_kind is not kind:
        raise TypeError(f"upstream must have the dtype of sample, {kind.name}; got {upstream_kind.name}")
    return y, v, kind, place


def check_rows(x: NDArray[Any]) -> None:
    """Refuse the first row that cannot be sampled."""
    for begin, end in spans(*x.shape):
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


def full_shape(shape: int | Sequence[int]) -> tuple[tuple[int, ...], int, int]:
    """Return the shape as a tuple, its rows and its classes."""
    try:
        full = (operator.index(shape),) if not np.iterable(shape) else tuple(map(operator.index, shape))
    except TypeError:
        raise TypeError(f"shape must be an integer or a sequence of integers; got {shape!r}") from None
    if not full or full[-1] < 1 or min(full) < 0:
        raise ValueError(f"shape must end in at least one class and hold no negative length; got {full}")
    return full, math.prod(full[:-1]), full[-1]


def stream_kind(dtype: DTypeLike) -> Kind:
    # A text names bfloat16 also where the package that defines it for NumPy is missing.
    named = next((kind for kind in KINDS if isinstance(dtype, str) and kind.name == dtype), None)
    kind = named or _kind_of(np.dtype(dtype))
    if kind is None:
        raise TypeError(f"dtype must be {_NAMES}; got {np.dtype(dtype)}")
    return kind


def first_element(first_row: int, rows: int, classes: int) -> int:
    """Return the index of the first element, after a check that no index leaves its range."""
    row = _integer("first_row", first_row, _INDEX_LIMIT)
    if (row + rows) * classes >= _INDEX_LIMIT:
        raise ValueError(
            f"first_row must leave (first_row + rows) * classes below 2**63; got first_row={row} "
            f"with {rows} rows of {classes} classes"
        )
    return row * classes


def as_temperatures(tau: ArrayLike, kind: Kind, place: _Place, *, positive: bool = False) -> Floats:
    """Return tau, rounded to the type that is computed in, as rows x 1."""
    given = np.asarray(tau)
    if given.dtype == object and isinstance(tau, Real):  # a fraction, or an integer of more than 64 bits
        try:
            given = np.asarray(float(tau))
        except OverflowError:
            given = np.asarray(np.inf)
    if given.dtype.name == "bfloat16":
        given = given.astype(np.float32)
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


def noise_key(seed: int | Generator | None, stream: int | None) -> tuple[int, int]:
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


def spans(rows: int, classes: int) -> Iterator[tuple[int, int]]:
    """Split rows into runs of about _CHUNK elements."""
    step = max(1, _CHUNK // classes)
    for begin in range(0, rows, step):
        yield begin, min(begin + step, rows)
