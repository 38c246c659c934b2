"""Where the elements of an array stand: which layouts Java uses as they are, and copies into such.

Java sees an array with the classes last as (outer, inner, classes) with one stride each, so its other axes
must fall into at most two groups along which the elements are evenly spaced. All operands of one call share
the place at which the groups meet.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

_COPY_BYTES: Final = 1 << 26  # copies pause here, so that Ctrl-C is noticed


class Layout(NamedTuple):
    """Rows in two groups of axes, and classes: sizes, and strides in elements. Row o * inner + i, class c."""

    outer: int
    inner: int
    classes: int
    outer_stride: int
    inner_stride: int
    class_stride: int


class RowGroups:
    """Finds, operand by operand, the two groups of axes into which the rows of a call fall.

    Parameters
    ----------
    leading
        The shape of every operand but for its last axis, the classes. No size is 0.
    """

    def __init__(self, leading: tuple[int, ...]) -> None:
        self._leading = leading
        self._axes = [axis for axis, size in enumerate(leading) if size != 1]
        self._meet: int | None = None  # the first of _axes in the inner group; None while one group will do

    def admit(self, shape: tuple[int, ...], strides: tuple[int, ...]) -> bool:
        """Take an operand's layout, if it and those that were admitted before have groups in common."""
        axes = self._axes
        meet = self._meet
        for at in range(1, len(axes)):
            before, axis = axes[at - 1], axes[at]
            if strides[before] != strides[axis] * shape[axis]:
                if meet not in (None, at):
                    return False
                meet = at
        self._meet = meet
        return True

    def layout(self, array: NDArray[Any]) -> Layout:
        """Return the layout of an operand that was admitted; call it when all of them are."""
        return _layout(self._leading, self._meet or 0, array.shape[-1], array.strides, array.itemsize)


@functools.lru_cache(maxsize=1024)  # small calls repeat their shapes
def _layout(
    leading: tuple[int, ...], meet: int, classes: int, strides: tuple[int, ...], itemsize: int
) -> Layout:
    axes = [axis for axis, size in enumerate(leading) if size != 1]
    return Layout(
        math.prod(leading[axis] for axis in axes[:meet]),
        math.prod(leading[axis] for axis in axes[meet:]),
        classes,
        strides[axes[meet - 1]] // itemsize if meet else 0,
        strides[axes[-1]] // itemsize if axes else 0,
        strides[-1] // itemsize if classes != 1 else 1,
    )


def is_plain(array: NDArray[Any]) -> bool:
    """Whether an array's elements are in native byte order and aligned, at strides of 0 or more elements."""
    flags = array.flags
    if not (flags.aligned and array.dtype.isnative):
        return False
    itemsize = array.itemsize
    return flags.c_contiguous or all(
        size == 1 or (stride >= 0 and stride % itemsize == 0)
        for size, stride in zip(array.shape, array.strides, strict=True)
    )


def takes_results(array: NDArray[Any]) -> bool:
    """Whether a call can write into an array where it is, if it is in shared memory.

    Its elements must have memory of their own: each axis steps over all that those of smaller strides span.
    """
    if array.size == 0 or not is_plain(array):
        return False
    return array.flags.c_contiguous or _steps_apart(array.shape, array.strides)


def _steps_apart(shape: tuple[int, ...], strides: tuple[int, ...]) -> bool:
    span = 0
    for stride, size in sorted(zip(strides, shape, strict=True)):
        if size != 1:
            if stride <= span:
                return False
            span += stride * (size - 1)
    return RowGroups(shape[:-1]).admit(shape, strides)


def take_turns(a: NDArray[Any], b: NDArray[Any]) -> bool:
    """Whether arrays that share no element, though their spans meet, may be operands of one call.

    Java can tell them apart if they step alike, and over all that the smaller steps span, as the left and
    right halves of a wider matrix do.
    """
    steps = []
    for size, other_size, stride, other_stride in zip(a.shape, b.shape, a.strides, b.strides, strict=True):
        if size > 1 and other_size > 1 and stride != other_stride:
            return False
        if size > 1 or other_size > 1:
            steps.append((stride if size > 1 else other_stride, max(size, other_size)))
    spanned = max(a.itemsize, b.itemsize)
    for stride, size in sorted(steps):
        if stride < spanned:
            return False
        spanned += (size - 1) * stride
    return True


def packed(
    array: NDArray[Any],
    groups: RowGroups,
    empty: Callable[[tuple[int, ...], np.dtype[Any]], NDArray[Any]],
) -> NDArray[Any]:
    """Return a copy of an operand that the groups admit, in native byte order.

    It keeps the order of the elements in memory, and repeats those that the array repeats, where the groups
    admit that; else it is in C order.

    Parameters
    ----------
    array
        The operand, any strides.
    groups
        What the copy must fit.
    empty
        Makes an uninitialised array of some shape and dtype, in C order.
    """
    dtype = array.dtype.newbyteorder("=")
    strides = _packed_strides(array.shape, array.strides, dtype.itemsize)
    if not groups.admit(array.shape, strides):
        in_c_order = empty(array.shape, dtype)
        groups.admit(in_c_order.shape, in_c_order.strides)
        copy(array, in_c_order)
        return in_c_order
    sizes = [1 if stride == 0 else size for size, stride in zip(array.shape, strides, strict=True)]
    memory = empty((math.prod(sizes) * dtype.itemsize,), np.dtype(np.uint8))
    result: NDArray[Any] = np.ndarray(array.shape, dtype, memory, strides=strides)
    distinct = tuple(map(slice, sizes))
    copy(array[distinct], result[distinct])
    return result


def _packed_strides(shape: tuple[int, ...], strides: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """Return strides without gaps, in the order of the given ones; 0 where those repeat elements."""
    result = [0] * len(shape)
    step = itemsize
    # Of equal strides the last is the smallest, as in C order.
    for axis in sorted(range(len(shape)), key=lambda axis: (abs(strides[axis]), -axis)):
        if strides[axis] != 0 and shape[axis] != 1:
            result[axis] = step
            step *= shape[axis]
    return tuple(result)


def copy(source: NDArray[Any], target: NDArray[Any]) -> None:
    """Copy between arrays of one shape, in parts, so that Ctrl-C is noticed in between."""
    if source.nbytes <= _COPY_BYTES:
        np.copyto(target, source)
        return
    # Parts of the slowest axis lie together.
    slowest = max(
        (axis for axis in range(source.ndim) if source.shape[axis] != 1),
        key=lambda axis: abs(source.strides[axis]),
    )
    source, target = np.moveaxis(source, slowest, 0), np.moveaxis(target, slowest, 0)
    step = max(1, len(source) * _COPY_BYTES // source.nbytes)
    for first in range(0, len(source), step):
        copy(source[first : first + step], target[first : first + step])
