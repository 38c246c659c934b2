"""Which layouts Java uses as they are, and what copies look like in memory."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from gumbel4j import _strides
from gumbel4j._strides import Form, RowGroups

X = np.arange(4 * 6 * 8, dtype=np.float32).reshape(4, 6, 8)

# What an operator sees: sizes and strides of (outer, inner, classes), in elements; None for what is copied.
LAYOUTS: dict[str, tuple[NDArray[Any], tuple[int, ...] | None]] = {
    "whole": (X, (1, 24, 8, 0, 8, 1)),
    "one row": (X[1, 2], (1, 1, 8, 0, 0, 1)),
    "one class": (X[..., :1], (1, 24, 1, 0, 8, 1)),
    "columns": (X[..., :3], (1, 24, 3, 0, 8, 1)),
    "every second row": (X[:, ::2], (1, 12, 8, 0, 16, 1)),
    "uneven rows": (X[:, ::5], (4, 2, 8, 48, 40, 1)),
    "every third class": (X[..., ::3], (1, 24, 3, 0, 8, 3)),
    "axis 1": (np.moveaxis(X, 1, -1), (4, 8, 6, 48, 1, 8)),
    "axis 0": (np.moveaxis(X, 0, -1), (1, 48, 4, 0, 1, 48)),
    "Fortran": (X.T, (8, 6, 4, 1, 8, 48)),
    "rows transposed": (X.transpose(1, 0, 2), (6, 4, 8, 8, 48, 1)),
    "one row repeated": (np.broadcast_to(X[0, 0], (5, 7, 8)), (1, 35, 8, 0, 0, 1)),
    "rows repeated": (np.broadcast_to(X[0], (5, 6, 8)), (5, 6, 8, 0, 8, 1)),
    "one class repeated": (np.broadcast_to(X[0, :, :1], (6, 9)), (1, 6, 9, 0, 8, 0)),
    "sliding windows": (as_strided(X, (5, 3), (4, 4)), (1, 5, 3, 0, 1, 1)),
    "several axes in a group": (X.reshape(4, 3, 2, 2, 4)[::2], (2, 12, 4, 96, 4, 1)),
    "axes of size 1": (X[::2, :1, None, ::2], (1, 2, 4, 0, 96, 2)),
    "three groups": (X.reshape(4, 6, 2, 2, 2)[:, ::5, :, 0], None),
    "backwards": (X[::-1], None),
    "classes backwards": (X[..., ::-1], None),
    "big-endian": (X.astype(">f4"), None),
}


def form(array: NDArray[Any]) -> Form:
    return Form(array.dtype, array.shape, array.strides)


@pytest.mark.parametrize(("array", "expected"), LAYOUTS.values(), ids=LAYOUTS)
def test_layouts(array: NDArray[Any], expected: tuple[int, ...] | None) -> None:
    groups = RowGroups(array.shape[:-1])
    used = form(array).is_plain and groups.admit(form(array))
    assert (groups.layout(form(array)) if used else None) == expected


def elements(array: NDArray[Any], layout: _strides.Layout) -> NDArray[Any]:
    """Return rows x classes as an operator reads them."""
    sizes = layout.outer, layout.inner, layout.classes
    strides = layout.outer_stride, layout.inner_stride, layout.class_stride
    view = as_strided(array, sizes, tuple(stride * array.itemsize for stride in strides))
    return view.reshape(-1, layout.classes)


VIEWS: tuple[Callable[[NDArray[Any]], NDArray[Any]], ...] = (
    lambda x: x,
    np.asfortranarray,
    lambda x: x[::-1],
    lambda x: np.repeat(x, 2, axis=0)[::2],
    lambda x: np.repeat(x, 3, axis=-1)[..., ::3],
    lambda x: np.repeat(x, 2, axis=-2)[..., ::2, :] if x.ndim > 1 else x,
    lambda x: np.broadcast_to(x[:1], x.shape),
    lambda x: np.broadcast_to(x[..., :1, :], x.shape) if x.ndim > 1 else x,
    lambda x: np.broadcast_to(x[..., :1], x.shape),
    lambda x: x.astype(x.dtype.newbyteorder(">")),
)


@settings(max_examples=300, derandomize=True, deadline=None, database=None)
@given(
    shape=st.lists(st.integers(1, 3), min_size=1, max_size=5).map(tuple),
    views=st.lists(st.sampled_from(VIEWS), min_size=1, max_size=3),
    order=st.randoms(use_true_random=False),
)
def test_operands_are_read_as_numpy_reads_them(shape: tuple[int, ...], views: list[Any], order: Any) -> None:
    """Whatever the layouts, all operands of a call agree on the groups, and each on its elements."""
    arrays = []
    for view in views:
        axes = order.sample(range(len(shape)), len(shape))
        plain = np.arange(np.prod(shape), dtype=np.float32).reshape([shape[axis] for axis in axes])
        arrays.append(view(plain).transpose(np.argsort(axes)))
    out = np.empty(shape, np.float32)
    operands = _strides.operands([form(out)], [(form(array), order.random() < 0.8) for array in arrays])
    assert operands is not None
    assert operands[0].copying is None
    assert len({operand.layout[:2] for operand in operands}) == 1
    for array, (copying, _, layout) in zip(arrays, operands[1:], strict=True):
        operand = array if copying is None else copying.copy(array, np.empty)
        np.testing.assert_array_equal(operand, array)
        np.testing.assert_array_equal(elements(operand, layout), array.reshape(-1, shape[-1]))


def test_an_operand_out_of_reach_is_copied() -> None:
    operands = _strides.operands([form(X)], [(form(X), False), (form(X), True)])
    assert operands is not None
    assert [operand.copying is None for operand in operands] == [True, False, True]


@pytest.mark.parametrize("axes", list(itertools.permutations(range(3))), ids=str)
def test_copies_of_dense_arrays_keep_their_order_in_memory(axes: tuple[int, ...]) -> None:
    array = X.transpose(axes)
    copied = _strides.copying(form(array), RowGroups(array.shape[:-1])).copy(array, np.empty)
    assert copied.strides == array.strides
    np.testing.assert_array_equal(copied, array)


def test_copies_leave_out_gaps_and_what_is_repeated() -> None:
    sizes = []

    def empty(shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        sizes.append(np.empty(shape, dtype).nbytes)
        return np.empty(shape, dtype)

    for array, strides in (
        (X[:, ::2, ::2], (48, 16, 4)),
        (X[::-1, :, ::-2], (96, 16, 4)),
        (np.broadcast_to(X[0], (1000, 6, 8)), (0, 32, 4)),
        (np.broadcast_to(X[:, :1], (4, 1000, 8)), (32, 0, 4)),
        (np.broadcast_to(X[:, 0, :1], (1000, 4, 1000)), (0, 4, 0)),
    ):
        copied = _strides.copying(form(array), RowGroups(array.shape[:-1])).copy(array, empty)
        assert copied.strides == strides
        assert sizes.pop() == len(np.unique(array)) * 4
        np.testing.assert_array_equal(copied, array)


def test_an_operand_that_disagrees_on_the_groups_is_copied_to_agree() -> None:
    groups = RowGroups((2, 3, 4))
    first = np.zeros((2, 3, 5, 4)).transpose(0, 1, 3, 2)  # the groups meet before its third axis
    assert groups.admit(form(first))
    other = np.arange(120.0).reshape(3, 2, 4, 5).transpose(1, 0, 2, 3)  # before its second
    assert not groups.admit(form(other))
    copied = _strides.copying(form(other), groups).copy(other, np.empty)
    assert copied.flags.c_contiguous
    np.testing.assert_array_equal(elements(copied, groups.layout(form(copied))), other.reshape(24, 5))


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (X, True),
        (X.T, True),
        (X[:, ::5, ::2], True),
        (X[1, 2], True),
        (np.broadcast_to(X[0, 0], (1, 8)), True),
        (np.broadcast_to(X[0, 0], (2, 8)), False),
        (as_strided(X, (5, 3), (4, 4)), False),
        (as_strided(X, (2, 3), (12, 8)), False),  # distinct elements, but woven
        (X[::-1], False),
        (X.reshape(4, 6, 2, 2, 2)[:, ::5, :, 0], False),
    ],
)
def test_results_are_written_where_each_element_has_its_own_place(
    array: NDArray[Any], expected: bool
) -> None:
    assert (_strides.operands([form(array)], []) is not None) == expected


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (X[..., :4], X[..., 4:], True),
        (X[..., :1], X[..., 4:], True),
        (X[:, ::2], X[:, 1::2], True),
        (X[..., ::2], X[..., 1::2], True),
        (X[:2, :, :4], X[::2, :, 4:], False),
        (X[::2, :, :4], np.broadcast_to(X[1, :, 4:], (2, 6, 4)), False),
        (X[::-1, :, :4], X[::-1, :, 4:], False),
    ],
)
def test_arrays_that_step_alike_take_turns(a: NDArray[Any], b: NDArray[Any], expected: bool) -> None:
    assert np.may_share_memory(a, b)
    assert not np.shares_memory(a, b)
    assert _strides.take_turns(a, b) == _strides.take_turns(b, a) == expected


def test_copies_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Large copies are made piece by piece, and complete."""
    monkeypatch.setattr(_strides, "_COPY_BYTES", 100)
    parts = []
    monkeypatch.setattr(_strides, "np", Counting(parts))
    for source in (X.T, X[::2], X[0, :1], np.broadcast_to(X[0], (9, 6, 8))):
        target = np.zeros_like(source)
        _strides.copy(source, target)
        np.testing.assert_array_equal(target, source)
        assert max(parts) <= 100
        parts.clear()


class Counting:
    """NumPy, with a record of the bytes that each `copyto` copies."""

    moveaxis = staticmethod(np.moveaxis)

    def __init__(self, parts: list[int]) -> None:
        self._parts = parts

    def copyto(self, target: NDArray[Any], source: NDArray[Any]) -> None:
        self._parts.append(source.nbytes)
        np.copyto(target, source)
