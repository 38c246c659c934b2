"""What arrays may be passed and how: checks, rows of an n-dimensional array, strides, copies.

An operator works on rows: the axis of the classes is moved last, the other axes in C order count the rows.
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.lib.array_utils import normalize_axis_index
from numpy.typing import ArrayLike, DTypeLike, NDArray

FLOAT32: Final = np.dtype(np.float32)
FLOAT64: Final = np.dtype(np.float64)

_INDEX_LIMIT: Final = 1 << 63
_COPY_BYTES: Final = 1 << 26  # copies pause here, so that Ctrl-C is noticed


@dataclass(frozen=True)
class Rows:
    """An array as rows of classes.

    Attributes
    ----------
    name
        The argument's name, for messages.
    array
        The array with the axis of the classes last; a view, any strides, any byte order.
    axis
        Where that axis was, not negative.
    dtype
        float32 or float64 in native byte order.
    """

    name: str
    array: NDArray[Any]
    axis: int
    dtype: np.dtype[Any]

    @property
    def leading(self) -> tuple[int, ...]:
        """The shape without the axis of the classes."""
        return self.array.shape[:-1]

    @property
    def count(self) -> int:
        """The number of rows."""
        return math.prod(self.leading)

    @property
    def classes(self) -> int:
        """The number of classes."""
        return int(self.array.shape[-1])

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape as it was passed."""
        return (*self.leading[: self.axis], self.classes, *self.leading[self.axis :])

    def place(self, row: int) -> str:
        """Return how NumPy users write a row: "logits[2, :, 0]"."""
        index = [str(number) for number in np.unravel_index(row, self.leading)] if self.leading else []
        index.insert(self.axis, ":")
        return f"{self.name}[{', '.join(index)}]"


def rows(name: str, value: ArrayLike, axis: int) -> Rows:
    """Take an argument as rows of classes.

    Raises
    ------
    TypeError
        If it is neither float32 nor float64, or a masked array.
    ValueError
        If it has no axis, no classes, or not the given axis.
    """
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(
            f"{name} is a masked array, whose mask would be lost; fill it: {name}.filled(-np.inf)"
        )
    array = np.asarray(value)
    dtype = array.dtype.newbyteorder("=")
    if dtype not in (FLOAT32, FLOAT64):
        raise TypeError(
            f"{name} has dtype {array.dtype}; it must be float32 or float64: convert with .astype(np.float32)"
        )
    if array.ndim == 0:
        raise ValueError(f"{name} is a single number; it must have an axis of classes")
    axis = normalize_axis_index(axis, array.ndim, f"{name} and axis")
    if array.shape[axis] == 0:
        raise ValueError(f"{name} has shape {array.shape}: axis {axis} must have at least 1 class")
    return Rows(name, np.moveaxis(array, axis, -1), axis, dtype)


def floating(dtype: DTypeLike) -> np.dtype[Any]:
    """Return the argument `dtype` as float32 or float64 in native byte order, or raise TypeError."""
    native = np.dtype(dtype).newbyteorder("=")
    if native not in (FLOAT32, FLOAT64):
        raise TypeError(f"dtype = {native}: must be float32 or float64")
    return native


def dimensions(shape: int | Sequence[int]) -> tuple[int, ...]:
    """Return a shape as a tuple of sizes, or raise TypeError or ValueError."""
    try:
        sizes = tuple(map(operator.index, shape)) if isinstance(shape, Iterable) else (operator.index(shape),)
    except TypeError:
        raise TypeError(f"shape must be an integer or a sequence of integers; got {shape!r}") from None
    if any(size < 0 for size in sizes):
        raise ValueError(f"shape = {sizes}: sizes must not be negative")
    return sizes


def drawn(shape: int | Sequence[int]) -> tuple[int, ...]:
    """Return the shape of an array to draw; its last axis is the classes. Raises TypeError or ValueError."""
    sizes = dimensions(shape)
    if not sizes or sizes[-1] == 0:
        raise ValueError(f"shape = {sizes}: the last axis is the classes and must have at least 1")
    return sizes


def temperature(value: float, dtype: np.dtype[Any], *, positive: bool = False) -> float:
    """Return tau, checked for arrays of a dtype, or raise TypeError or ValueError."""
    try:
        tau = float(value)
    except (TypeError, ValueError, OverflowError):
        raise TypeError(f"tau must be a real number; got {value!r} of type {type(value).__name__}") from None
    with np.errstate(over="ignore"):
        rounded = float(dtype.type(tau))
    if not 0 <= rounded < math.inf:
        raise ValueError(f"tau = {tau}: must be finite and not negative, also as {dtype}")
    if tau < 0:
        raise ValueError(f"tau = {tau}: must not be negative")
    if positive and rounded == 0:
        raise ValueError(f"tau = {tau}: must be positive, also as {dtype}, for a gradient to exist")
    return tau


def row_number(value: int, rows: int, classes: int) -> int:
    """Return first_row, checked against the size of the array, or raise TypeError or ValueError."""
    try:
        first_row = operator.index(value)
    except TypeError:
        raise TypeError(
            f"first_row must be an integer; got {value!r} of type {type(value).__name__}"
        ) from None
    if first_row < 0:
        raise ValueError(f"first_row = {first_row}: must not be negative")
    if (first_row + rows) * classes >= _INDEX_LIMIT:
        raise ValueError(
            f"first_row = {first_row} with {rows} rows of {classes} classes: "
            "(first_row + rows) * classes must be below 2**63"
        )
    return first_row


def check_out(
    out: NDArray[Any], shape: tuple[int, ...], dtype: np.dtype[Any], inputs: Iterable[Rows] = ()
) -> None:
    """Refuse an `out` that cannot take the result: TypeError for its type or dtype, else ValueError."""
    if not isinstance(out, np.ndarray):
        raise TypeError(f"out must be a NumPy array; got {type(out).__name__}")
    if out.dtype != dtype:
        raise TypeError(f"out has dtype {out.dtype}; it must be {dtype}, in native byte order")
    if out.shape != shape:
        raise ValueError(f"out has shape {out.shape}; it must be {shape}")
    if not out.flags.writeable:
        raise ValueError("out is read-only; it must be writable")
    if out.size and any(step == 0 and size > 1 for step, size in zip(out.strides, out.shape, strict=True)):
        raise ValueError(f"out has strides {out.strides}: several of its elements share memory")
    for given in inputs:
        if _overlap(out, given.array):
            raise ValueError(f"out overlaps {given.name}; it must have memory of its own")


def _overlap(a: NDArray[Any], b: NDArray[Any]) -> bool:
    try:
        return np.shares_memory(a, b, max_work=10_000)  # type: ignore[arg-type]  # any int is allowed
    except np.exceptions.TooHardError:  # tangled strides: take the careful answer
        return True


def row_stride(array: NDArray[Any]) -> int | None:
    """Return the distance between rows in elements, or None if the layout is no matrix.

    A matrix has neighbouring classes side by side, evenly spaced rows, and aligned elements in native order.
    """
    itemsize = array.itemsize
    classes = int(array.shape[-1])
    if not array.flags.aligned or not array.dtype.isnative or (classes > 1 and array.strides[-1] != itemsize):
        return None
    axes = [(n, s) for n, s in zip(array.shape[:-1], array.strides[:-1], strict=True) if n != 1]
    if not axes:
        return classes
    for (_, outer), (inner_size, inner) in itertools.pairwise(axes):
        if outer != inner * inner_size:
            return None
    stride, rest = divmod(int(axes[-1][1]), itemsize)
    return stride if rest == 0 and stride >= classes else None


def copy(source: NDArray[Any], target: NDArray[Any]) -> None:
    """Copy between arrays of one shape, in parts, so that Ctrl-C is noticed in between."""
    if source.nbytes <= _COPY_BYTES or source.ndim == 0:
        np.copyto(target, source)
        return
    longest = max(range(source.ndim), key=lambda axis: source.shape[axis])
    source, target = np.moveaxis(source, longest, 0), np.moveaxis(target, longest, 0)
    step = max(1, len(source) * _COPY_BYTES // source.nbytes)
    for first in range(0, len(source), step):
        np.copyto(target[first : first + step], source[first : first + step])
