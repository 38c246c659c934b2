"""Where the elements of an array stand: which layouts Java uses as they are, and copies into such.

Java sees an array with the classes last as (outer, inner, classes) with one stride each, so its other axes
must fall into at most two groups along which the elements are evenly spaced. All operands of one call share
the place at which the groups meet.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

_BYTE: Final = np.dtype(np.uint8)
_COPY_BYTES: Final = 1 << 26  # copies pause here, so that Ctrl-C is noticed


class Form(NamedTuple):
    """All of an array but its place in memory."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def is_plain(self) -> bool:
        """Whether the elements are in native byte order, at strides of 0 or more elements."""
        itemsize = self.dtype.itemsize
        return self.dtype.isnative and all(
            size == 1 or (stride >= 0 and stride % itemsize == 0)
            for size, stride in zip(self.shape, self.strides, strict=True)
        )

    @property
    def takes_results(self) -> bool:
        """Whether a call can write into such an array where it is, if RowGroups admits it.

        Its elements must have memory of their own: each axis steps over all that those of smaller strides
        span.
        """
        span = 0
        for stride, size in sorted(zip(self.strides, self.shape, strict=True)):
            if size != 1:
                if stride <= span:
                    return False
                span += stride * (size - 1)
        return self.is_plain


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

    def admit(self, form: Form) -> bool:
        """Take an operand, if it and those that were admitted before have groups in common."""
        axes = self._axes
        meet = self._meet
        for at in range(1, len(axes)):
            before, axis = axes[at - 1], axes[at]
            if form.strides[before] != form.strides[axis] * form.shape[axis]:
                if meet not in (None, at):
                    return False
                meet = at
        self._meet = meet
        return True

    def layout(self, form: Form) -> Layout:
        """Return the layout of an operand that was admitted; call it when all of them are."""
        sizes, strides, itemsize = self._leading, form.strides, form.dtype.itemsize
        axes, meet = self._axes, self._meet or 0
        classes = form.shape[-1]
        return Layout(
            math.prod(sizes[axis] for axis in axes[:meet]),
            math.prod(sizes[axis] for axis in axes[meet:]),
            classes,
            strides[axes[meet - 1]] // itemsize if meet else 0,
            strides[axes[-1]] // itemsize if axes else 0,
            strides[-1] // itemsize if classes != 1 else 1,
        )


class Copying(NamedTuple):
    """How to copy an operand into memory without gaps.

    Attributes
    ----------
    form
        The copy's form.
    sizes
        Its shape with 1 along the axes of stride 0, which repeat elements.
    """

    form: Form
    sizes: tuple[int, ...]

    def copy(
        self, array: NDArray[Any], empty: Callable[[tuple[int, ...], np.dtype[Any]], NDArray[Any]]
    ) -> NDArray[Any]:
        """Return a copy of an array, in memory that `empty` makes for some shape and dtype, in C order."""
        dtype, shape, strides = self.form
        memory = empty((math.prod(self.sizes) * dtype.itemsize,), _BYTE)
        result: NDArray[Any] = np.ndarray(shape, dtype, memory, strides=strides)
        if self.sizes == shape:
            copy(array, result)
        else:
            distinct = tuple(map(slice, self.sizes))
            copy(array[distinct], result[distinct])
        return result


def copying(form: Form, groups: RowGroups) -> Copying:
    """Return how to copy an operand so that the groups admit it, in native byte order; they do then.

    The copy keeps the order of the elements in memory, and repeats those that the array repeats, where the
    groups admit that; else it is in C order.
    """
    dtype, shape, strides = form
    dtype = dtype.newbyteorder("=")
    packed = Form(dtype, shape, _packed_strides(shape, strides, dtype.itemsize))
    if not groups.admit(packed):
        packed = Form(dtype, shape, _packed_strides(shape, (1,) * len(shape), dtype.itemsize))
        groups.admit(packed)
    sizes = tuple(1 if step == 0 else size for size, step in zip(shape, packed.strides, strict=True))
    return Copying(packed, sizes)


class Operand(NamedTuple):
    """What becomes of one operand of a call: how to copy it first, or None, and what Java then sees."""

    copying: Copying | None
    form: Form
    layout: Layout


def operands(outputs: Sequence[Form], inputs: Sequence[tuple[Form, bool]]) -> list[Operand] | None:
    """Return what becomes of the operands of a call, outputs first; None if an output cannot be written to.

    Parameters
    ----------
    outputs
        Forms with the same axes but for the last, the classes, and no axis of size 0.
    inputs
        Such forms, each with whether Java can read it where it is.
    """
    groups = RowGroups(outputs[0].shape[:-1])
    if not all(form.takes_results and groups.admit(form) for form in outputs):
        return None
    seen: list[tuple[Copying | None, Form]] = [(None, form) for form in outputs]
    for form, is_in_reach in inputs:
        if is_in_reach and form.is_plain and groups.admit(form):
            seen.append((None, form))
        else:
            copied = copying(form, groups)
            seen.append((copied, copied.form))
    return [Operand(copied, form, groups.layout(form)) for copied, form in seen]


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
