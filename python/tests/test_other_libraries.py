"""Arrays handed to and taken from other libraries: what they hold is the same memory, which nobody copies.

torch is looked at where it is installed; the package does not need it.
"""

from __future__ import annotations

import importlib.util
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from gumbel4j import Generator, Session, arrow

LOGITS = np.random.default_rng(0).normal(size=(50, 7)).astype(np.float32)


def is_shared_with_java(session: Session, array: np.ndarray) -> bool:
    """Whether calls take an array where it is, as `empty` promises."""
    return session._runtime._pool.locate(array) is not None


COLUMNS: dict[str, Callable[[Any], Any]] = {
    "array of pyarrow": lambda column: column,
    "chunks of pyarrow": lambda column: pa.chunked_array([column]),
    "column of pyarrow": lambda column: pa.table({"x": column})["x"],
    "slice of pyarrow": lambda column: column.slice(0, 49),
    "series of pandas": lambda column: pd.Series(column, dtype=pd.ArrowDtype(column.type)),
    "column of pandas": lambda column: pa.table({"x": column}).to_pandas(types_mapper=pd.ArrowDtype)["x"],
    "series of polars": pl.Series,
    "column of polars": lambda column: pl.from_arrow(pa.table({"x": column}))["x"],
}


@pytest.mark.parametrize("library", COLUMNS)
def test_columns_are_taken_without_a_copy(session: Session, library: str) -> None:
    """Samples into a column of a library, and back as logits: the same shared memory all the way."""
    samples = session.gumbel_softmax(LOGITS, seed=1)
    logits = arrow.as_array(COLUMNS[library](arrow.as_column(samples)))
    assert np.shares_memory(logits, samples)
    assert is_shared_with_java(session, logits)
    again = session.gumbel_softmax(logits, seed=2)
    np.testing.assert_array_equal(again, session.gumbel_softmax(samples[: len(logits)], seed=2))


def test_polars_needs_no_help(session: Session) -> None:
    """Its series of arrays are NumPy arrays to NumPy, and so to every call."""
    samples = session.gumbel_softmax(LOGITS, seed=1)
    series = pl.Series(arrow.as_column(samples))
    assert is_shared_with_java(session, np.asarray(series))
    np.testing.assert_array_equal(session.categorical(series, seed=2), session.categorical(samples, seed=2))


def test_columns_of_several_chunks_are_joined(session: Session) -> None:
    """Which is the one case that copies."""
    column = arrow.as_column(LOGITS)
    np.testing.assert_array_equal(
        arrow.as_array(pa.chunked_array([column, column])), np.vstack([LOGITS, LOGITS])
    )


def test_arrays_become_columns(session: Session) -> None:
    """A list for each row; indices and other arrays of one axis as they are."""
    assert arrow.as_column(session.gumbel_softmax(LOGITS)).type == pa.list_(pa.float32(), 7)
    assert arrow.as_column(np.zeros((2, 3, 4))).type == pa.list_(pa.list_(pa.float64(), 4), 3)
    index = session.categorical(LOGITS, seed=1)
    assert np.shares_memory(arrow.as_column(index).to_numpy(), index)


def test_columns_that_are_refused(session: Session) -> None:
    """With what is allowed."""
    column = arrow.as_column(LOGITS)
    for form in (column, pd.Series(column, dtype=pd.ArrowDtype(column.type))):
        with pytest.raises(
            TypeError, match=r"has dtype object; .*: pass gumbel4j\.arrow\.as_array\(logits\)"
        ):
            session.categorical(form)
    with pytest.raises(TypeError, match="column must be an Arrow array or export one; got list"):
        arrow.as_array([[1.0]])
    with pytest.raises(TypeError, match=r"column has type list<.*: float>; it must be a fixed-size list"):
        arrow.as_array(pa.array([[1.0]], pa.list_(pa.float32())))
    with pytest.raises(ValueError, match="row 1 of the column is null or holds a null; fill or drop it"):
        arrow.as_array(pa.array([[1.0], None], pa.list_(pa.float32(), 1)))
    with pytest.raises(ValueError, match="array is a single number"):
        arrow.as_column(np.array(1.0))
    with pytest.raises(TypeError, match="array has dtype complex128, which Arrow has no type for"):
        arrow.as_column(np.zeros(3, complex))


def views() -> dict[str, Callable[[Any], Any]]:
    """Return the ways to pass an array on that share its memory, each of them there and back."""
    ways: dict[str, Callable[[Any], Any]] = {
        "DLPack": np.from_dlpack,
        "buffer": lambda array: np.asarray(memoryview(array)),
        "__array__": lambda array: np.asarray(pd.DataFrame(array, copy=False)),
    }
    if importlib.util.find_spec("torch"):
        import torch

        ways["torch"] = lambda array: torch.from_dlpack(array).numpy()
        ways["DLPack of torch"] = lambda array: np.from_dlpack(torch.from_numpy(array))
    return ways


@pytest.mark.parametrize("way", views())
def test_views_share_memory_and_keep_it(session: Session, way: str) -> None:
    """Results and arrays from `empty` alike; what is only held by the view is not used again."""
    for array in (session.gumbel_softmax(LOGITS, seed=1), session.empty((3, 4))):
        view = views()[way](array)
        assert np.shares_memory(view, array)
        assert is_shared_with_java(session, view)
    expected = session.gumbel_softmax(LOGITS, seed=1).copy()
    kept = views()[way](session.gumbel_softmax(LOGITS, seed=1))
    for seed in range(2, 40):
        session.gumbel_softmax(LOGITS, seed=seed)
    np.testing.assert_array_equal(kept, expected)


def test_columns_keep_their_memory(session: Session) -> None:
    """As views do."""
    expected = session.gumbel_softmax(LOGITS, seed=1).copy()
    kept = arrow.as_column(session.gumbel_softmax(LOGITS, seed=1))
    for seed in range(2, 40):
        session.gumbel_softmax(LOGITS, seed=seed)
    np.testing.assert_array_equal(arrow.as_array(kept), expected)


def test_empty_is_where_others_write(session: Session) -> None:
    """What NumPy writes and a pandas frame holds are logits that no call copies."""
    x = session.empty((50, 3))
    product = np.matmul(LOGITS, np.ones((7, 3), np.float32), out=x)
    assert is_shared_with_java(session, product)
    frame = pd.DataFrame(x, columns=["a", "b", "c"], copy=False)
    assert is_shared_with_java(session, frame.to_numpy())
    y = session.gumbel_softmax(frame, seed=1)
    np.testing.assert_array_equal(y, session.gumbel_softmax(LOGITS @ np.ones((7, 3), np.float32), seed=1))


def test_pickles(session: Session) -> None:
    """A generator goes on with the same numbers, a result is a plain array, and a session is refused."""
    rng = Generator(7)
    session.gumbel((5,), seed=rng)
    other = pickle.loads(pickle.dumps(rng))
    for _ in range(2):
        expected = session.gumbel((5,), seed=rng)
        np.testing.assert_array_equal(session.gumbel((5,), seed=other), expected)
    copied = pickle.loads(pickle.dumps(expected))
    np.testing.assert_array_equal(copied, expected)
    assert not is_shared_with_java(session, copied)
    with pytest.raises(TypeError, match="a Session cannot be pickled: .*; make one where it is needed"):
        pickle.dumps(session)
