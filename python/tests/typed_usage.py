"""What type checkers see of the package: mypy and pyright check this file, nothing runs it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray

import gumbel4j as gj
from gumbel4j.files import Drawn, FileError, SampleError

logits = np.zeros((2, 3), np.float32)
rng = gj.Generator(7)

assert_type(gj.__version__, str)
assert_type(rng.next(), tuple[int, int])
assert_type(gj.gumbel_softmax(logits, tau=0.5, seed=rng), NDArray[Any])
assert_type(gj.gumbel_softmax([[1.0, 2.0]], tau=[[0.5]], hard=True, axis=0, seed=7, stream=1), NDArray[Any])
assert_type(gj.gumbel((2, 3), dtype="bfloat16"), NDArray[Any])
assert_type(gj.categorical(logits, seed=7), NDArray[np.int32])
assert_type(gj.vjp(logits, logits, tau=0.5), tuple[NDArray[Any], NDArray[Any] | np.floating[Any]])
assert_type(gj.reference.gumbel_softmax(logits, seed=7), NDArray[np.float64])

with gj.Session(threads=2, backend="native", java_home=Path("/jdk")) as session:
    assert_type(session, gj.Session)
    x = session.empty((2, 3), np.float16)
    assert_type(x, NDArray[Any])
    assert_type(session.gumbel_softmax(x, out=x), NDArray[Any])
    assert_type(session.categorical(x, out=np.zeros(2, np.int32)), NDArray[np.int32])
    assert_type(session.info(), dict[str, Any])
    with session.batch() as batch:
        assert_type(batch.gumbel_softmax(x, seed=7), int)
    assert_type(batch.results, list[NDArray[Any]])
    drawn = gj.sample_file(
        "x.npy", Path("y.npy"), "hard", tau="tau.npy", seed=rng, resume=True, session=session, progress=print
    )
    assert_type(drawn, tuple[Drawn, ...])
    assert_type(drawn[0].shape, tuple[int, ...])
    assert_type(gj.arrow.as_array(object()), NDArray[Any])


async def awaited() -> None:
    """Check that the types of arguments and results pass through."""
    assert_type(await gj.call_async(gj.categorical, logits, seed=7), NDArray[np.int32])
    await gj.call_async(gj.categorical, logits, sed=7)  # type: ignore[call-arg]


try:
    gj.sample_file("x.npy", "y.npy", session=lambda: gj.Session())
except SampleError as value_error:
    assert_type(value_error, SampleError)
except FileError as os_error:
    assert_type(os_error.errno, int | None)

gj.gumbel_softmax(logits, hard="yes")  # type: ignore[arg-type]
gj.gumbel((2, 3), seed=0.5)  # type: ignore[arg-type]
gj.sample_file("x.npy", "y.npy", "both")  # type: ignore[arg-type]
gj.Session(thread=2)  # type: ignore[call-arg]
