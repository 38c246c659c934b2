"""What arrays may be passed and how: checks of arguments, rows of an n-dimensional array, temperatures.

An operator works on rows: the axis of the classes is moved last, the other axes in C order count the rows.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.lib.array_utils import normalize_axis_index
from numpy.typing import ArrayLike, NDArray

from gumbel4j import _dtypes

_INDEX_LIMIT: Final = 1 << 63


class Rows(NamedTuple):
    """An array as rows of classes.

    Attributes
    ----------
    name
        The argument's name, for messages.
    array
        The array with the axis of the classes last; a view, any strides, any byte order.
    dtype
        Its dtype in native byte order.
    shape
        The shape as it was passed.
    axis
        Where the classes were, not negative.
    leading
        The shape without that axis.
    row_count
        The number of rows.
    classes
        The number of classes.
    """

    name: str
    array: NDArray[Any]
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    axis: int
    leading: tuple[int, ...]
    row_count: int
    classes: int

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
        If it has another dtype than float32, float64, float16 and bfloat16, or is a masked array.
    ValueError
        If it has no axis, no classes, or not the given axis.
    """
    if type(value) is not np.ndarray and isinstance(value, np.ma.MaskedArray):
        raise TypeError(
            f"{name} is a masked array, whose mask would be lost; fill it: {name}.filled(-np.inf)"
        )
    array = value if value.__class__ is np.ndarray else np.asarray(value)
    dtype = _dtypes.native_floating(array.dtype)
    if dtype is None:
        is_column = array.dtype.hasobject and (  # of lists
            hasattr(value, "__arrow_c_array__") or hasattr(value, "__arrow_c_stream__")
        )
        remedy = f"pass gumbel4j.arrow.as_array({name})" if is_column else "convert with .astype(np.float32)"
        raise TypeError(f"{name} has dtype {array.dtype}; it must be {_dtypes.FLOATING_NAMES}: {remedy}")
    shape = array.shape
    place = axis if axis.__class__ is int else operator.index(axis)
    axis, leading, row_count, classes = _counted(name, shape, place)
    last = array if axis == len(shape) - 1 else np.moveaxis(array, axis, -1)
    return Rows(name, last, dtype, shape, axis, leading, row_count, classes)


@functools.lru_cache(maxsize=1024)  # small calls repeat their shapes
def _counted(name: str, shape: tuple[int, ...], axis: int) -> tuple[int, tuple[int, ...], int, int]:
    """Return the axis, not negative, the shape without it, and the numbers of rows and of classes."""
    if not shape:
        raise ValueError(f"{name} is a single number; it must have an axis of classes")
    axis = normalize_axis_index(axis, len(shape), f"{name} and axis")
    if shape[axis] == 0:
        raise ValueError(f"{name} has shape {shape}: axis {axis} must have at least 1 class")
    leading = shape[:axis] + shape[axis + 1 :]
    return axis, leading, math.prod(leading), shape[axis]


def classes_last(array: NDArray[Any], axis: int | None) -> NDArray[Any]:
    """Return a result with the axis of the classes last: a new one where it has none."""
    if axis is None:
        return array[..., np.newaxis]
    return array if axis in (-1, array.ndim - 1) else np.moveaxis(array, axis, -1)


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


@dataclass(frozen=True)
class Temperature:
    """The argument `tau`: one temperature for all rows, or one for each.

    Attributes
    ----------
    given
        As it was passed: any shape that broadcasts, any strides, any dtype of real numbers.
    values
        The same shape, rounded to the dtype that the rows are computed in.
    rows
        One class a row, as an operator takes them; None where one value holds for all rows.
    leading
        The shape without the axis of the classes, and with 1 along every axis that shares its values.
    """

    given: NDArray[Any]
    values: NDArray[Any]
    rows: Rows | None
    leading: tuple[int, ...]

    def gradient(self, per_row: NDArray[Any]) -> NDArray[Any] | np.floating[Any]:
        """Return the gradient with respect to `given`, in its shape, from that with respect to each row's.

        Rows that share a value add up, in float64, rounded to the dtype once. A NumPy scalar for no axis.
        """
        shared = tuple(axis for axis, size in enumerate(self.leading) if size == 1)
        with np.errstate(over="ignore", invalid="ignore"):  # infinite or NaN then, as the gradients are
            total = np.asarray(np.sum(per_row, axis=shared, dtype=np.float64)).astype(self.values.dtype)
        shaped: NDArray[Any] | np.floating[Any] = total.reshape(self.given.shape)[()]
        return shaped


def temperature(value: ArrayLike, given: Rows, *, positive: bool = False) -> Temperature:
    """Take the argument `tau` of a call on rows.

    Raises
    ------
    TypeError
        If it is no real number and no array of them, or a masked array.
    ValueError
        If it broadcasts to no value for each row, or a value, rounded to the dtype that the rows are computed
        in, is not finite, or negative, or, where it must be `positive`, 0.
    """
    dtype = _dtypes.computed_in(given.dtype)
    if type(value) is float and value > 0:  # nearly every call: from the second time on this is known
        return _one_temperature(value, dtype, given.array.ndim, positive)
    tau = _real_numbers("tau", value)
    with np.errstate(over="ignore"):
        values = tau.astype(dtype, copy=False)
    sizes = (*given.leading[: given.axis], 1, *given.leading[given.axis :])
    try:
        for_rows = np.broadcast_to(values, sizes)
    except ValueError:
        raise ValueError(_no_broadcast(tau.shape, given, sizes)) from None
    _check_temperatures(tau, values, positive)
    rows = None
    if tau.size != 1:
        rows = Rows(
            "tau", np.moveaxis(for_rows, given.axis, -1), dtype, sizes, *_counted("tau", sizes, given.axis)
        )
    aligned = (1,) * (len(sizes) - tau.ndim) + tau.shape
    leading = (*aligned[: given.axis], *aligned[given.axis + 1 :])
    return Temperature(tau, values, rows, leading)


@functools.lru_cache(maxsize=256)
def _one_temperature(value: float, dtype: np.dtype[Any], axes: int, positive: bool) -> Temperature:
    """Return what `temperature` makes of a number above 0, for rows of an array with so many axes."""
    tau = np.asarray(value)
    with np.errstate(over="ignore"):
        values = tau.astype(dtype, copy=False)
    _check_temperatures(tau, values, positive)
    return Temperature(tau, values, None, (1,) * (axes - 1))


def _check_temperatures(tau: NDArray[Any], values: NDArray[Any], positive: bool) -> None:
    """Raise ValueError if temperatures as given, or rounded to the dtype of `values`, are not allowed."""
    allowed = (tau >= 0) & np.isfinite(values) & ((values > 0) | (not positive))
    if not allowed.all():
        at = np.unravel_index(int(np.argmin(allowed)), tau.shape)
        place = f"[{', '.join(map(str, at))}]" if at else ""
        wanted = "positive, also as {}, for a gradient to exist" if positive else "not negative, also as {}"
        raise ValueError(f"tau{place} = {tau[at]}: must be finite and {wanted.format(values.dtype)}")


def _real_numbers(name: str, value: ArrayLike) -> NDArray[Any]:
    """Return an argument as an array of a floating or integer dtype, or raise TypeError."""
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"{name} is a masked array, whose mask would be lost; fill it: {name}.filled(1.0)")
    array = np.asarray(value)
    if array.dtype == object and isinstance(value, Real):  # a fraction, or an integer of more than 64 bits
        try:
            array = np.asarray(float(value))
        except OverflowError:
            array = np.asarray(math.inf)
    if array.dtype.kind not in "fiu" and not _dtypes.is_bfloat16(array.dtype):
        got = f"{value!r} of type {type(value).__name__}" if array.ndim == 0 else f"dtype {array.dtype}"
        raise TypeError(f"{name} must be a real number or an array of real numbers; got {got}")
    return array


def _no_broadcast(shape: tuple[int, ...], given: Rows, sizes: tuple[int, ...]) -> str:
    index = [":"] * len(given.leading)
    index.insert(given.axis, "np.newaxis")
    hint = f": use tau[{', '.join(index)}]" if shape == given.leading else ""
    return (
        f"tau has shape {shape} and {given.name} has shape {given.shape}: tau must be one number, or "
        f"broadcast to {sizes}, the shape of {given.name} with size 1 along axis {given.axis}{hint}"
    )


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
    out: NDArray[Any],
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    inputs: Mapping[str, NDArray[Any]] | None = None,
) -> None:
    """Refuse an `out` that cannot take the result: TypeError for its type or dtype, else ValueError.

    It must not share memory with the inputs, which are given by name.
    """
    if not isinstance(out, np.ndarray):
        raise TypeError(f"out must be a NumPy array; got {type(out).__name__}")
    if out.dtype != dtype:
        raise TypeError(f"out has dtype {out.dtype}; it must be {dtype}, in native byte order")
    if out.shape != shape:
        raise ValueError(f"out has shape {out.shape}; it must be {shape}")
    if not out.flags.writeable:
        raise ValueError("out is read-only; it must be writable")
    if (
        not out.flags.c_contiguous
        and out.size
        and any(step == 0 and size > 1 for step, size in zip(out.strides, out.shape, strict=True))
    ):
        raise ValueError(f"out has strides {out.strides}: several of its elements share memory")
    for name, array in (inputs or {}).items():
        if _overlap(out, array):
            raise ValueError(f"out overlaps {name}; it must have memory of its own")


def _overlap(a: NDArray[Any], b: NDArray[Any]) -> bool:
    if not np.may_share_memory(a, b):  # the bounds alone, which nearly always tell
        return False
    try:
        return np.shares_memory(a, b, max_work=10_000)  # type: ignore[arg-type]  # any int is allowed
    except np.exceptions.TooHardError:  # tangled strides: take the careful answer
        return True
