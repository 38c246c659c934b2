"""Batches: many small calls in one, with the numbers of the calls one by one."""

from __future__ import annotations

import time
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from gumbel4j import Generator, Session

random = np.random.default_rng(3)
LENGTHS = [1, 2, 3, 7, 16, 17, 65]


def logits(*shape: int, dtype: Any = np.float32) -> np.ndarray:
    """Return logits, some of them masked."""
    values = random.normal(size=shape)
    values[..., 1:][random.random((*shape[:-1], shape[-1] - 1)) < 0.1] = -np.inf
    return values.astype(dtype)


def test_batch_gives_the_numbers_of_single_calls(session: Session) -> None:
    """Operators, shapes, dtypes, temperatures and keys mixed; also those for which a single call is rare."""
    expected = []
    with session.batch() as batch:
        for step in range(150):
            dtype = (np.float32, np.float64, np.float16, ml_dtypes.bfloat16)[step % 4]
            x = logits(*((step % 3 + 1,) * (step % 5 // 2)), LENGTHS[step % 7], dtype=dtype)
            key: dict[str, Any] = {"seed": 2**64 - 1 - step, "stream": 2**63 - 1 - step}
            key["first_row"] = step % 2 * 1000
            tau = (0.5, 1, 0.0, np.float32(3), 1e-30)[step % 5]
            if step % 3 == 0:
                place = batch.gumbel_softmax(x, tau, **key)
                expected.append(session.gumbel_softmax(x, tau, **key))
            elif step % 3 == 1:
                place = batch.categorical(x, **key)
                expected.append(session.categorical(x, **key))
            elif step % 2:
                place = batch.gumbel_softmax(x, hard=True, **key)
                expected.append(session.gumbel_softmax(x, hard=True, **key))
            else:
                place = batch.gumbel(x.shape, dtype=dtype, **key)
                expected.append(session.gumbel(x.shape, dtype=dtype, **key))
            assert place == step
    assert len(batch) == len(batch.results) == len(expected)
    for mine, theirs in zip(batch.results, expected, strict=True):
        assert (mine.shape, mine.dtype) == (theirs.shape, theirs.dtype)
        assert mine.tobytes() == theirs.tobytes()


def test_operands_of_any_form(session: Session) -> None:
    """Lists, foreign byte order, transposed, of no rows; one array that is used again and again."""
    row = np.zeros(5, np.float32)
    given: list[Any] = [[0.0, 1.0], row.astype(">f4"), logits(4, 6).T, np.empty((0, 3), np.float32), row]
    with session.batch() as batch:
        for x in given:
            batch.gumbel_softmax(x, 0.5, seed=1, stream=2)
        for step in range(3):
            row[:] = random.normal(size=5)
            given.append(row.copy())
            batch.gumbel_softmax(row, 0.5, seed=1, stream=2)
            assert len(batch) == 6 + step
        row[:] = 0
    for mine, x in zip(batch.results, given, strict=True):
        np.testing.assert_array_equal(mine, session.gumbel_softmax(x, 0.5, seed=1, stream=2))
    with session.batch() as empty:
        pass
    assert empty.results == []
    for use in (empty.__enter__, lambda: empty.categorical(row, seed=1), lambda: empty.gumbel(3, seed=1)):
        with pytest.raises(RuntimeError, match="make another one"):
            use()


def test_generators_go_on_call_by_call(session: Session) -> None:
    """A generator gives the calls of a batch its next streams, in their order."""
    rng = Generator(7, stream=4)
    x = logits(9)
    with session.batch() as batch:
        for _ in range(3):
            batch.categorical(x, seed=rng)
            batch.gumbel_softmax(x, seed=rng)
    assert rng.stream == 10
    for place, stream in enumerate(range(4, 10)):
        call = session.gumbel_softmax if place % 2 else session.categorical
        np.testing.assert_array_equal(batch.results[place], call(x, seed=7, stream=stream))


def test_results_share_their_memory_and_return_it(session: Session) -> None:
    """One block for all, which is used again when the last of them is gone."""

    def run() -> list[np.ndarray]:
        with session.batch() as batch:
            for stream in range(50):
                batch.gumbel_softmax(np.zeros(100, np.float32), seed=1, stream=stream)
        return batch.results

    results = run()
    places = [session._runtime._pool.locate(result) for result in results]
    (segment,) = {place[0] for place in places if place is not None}
    free = len(segment.free)
    kept = results[7]
    expected = kept.copy()
    del results
    assert len(segment.free) == free
    run()
    np.testing.assert_array_equal(kept, expected)
    del kept
    run()
    session._runtime._pool._file_returned()
    assert len(segment.free) > free


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"tau": -1.0}, ValueError, r"call 1 of the batch: tau = -1.0: must be finite and not negative"),
        ({"tau": 1e39}, ValueError, r"call 1 of the batch: tau = 1e\+39"),
        ({"tau": "hot"}, TypeError, r"call 1 of the batch: tau must be a real number"),
        ({"tau": np.ones(3)}, ValueError, r"call 1 of the batch: tau has shape \(3,\)"),
        ({"seed": -1}, ValueError, r"call 1 of the batch: seed must be an integer in \[0, 2\*\*64\)"),
        ({"seed": 2**64}, ValueError, r"call 1 of the batch: seed"),
        ({"stream": 2**63}, ValueError, r"call 1 of the batch: stream"),
        ({"stream": 1.5}, TypeError, r"call 1 of the batch: stream"),
        ({"first_row": -1}, ValueError, r"call 1 of the batch: first_row = -1"),
        ({"first_row": 2**62}, ValueError, r"call 1 of the batch: first_row = 4611686018427387904"),
        ({"logits": np.full((2, 3), np.nan, np.float32)}, ValueError, r"call 1 .*NaN.*logits\[0, :\]"),
        ({"seed": True}, TypeError, r"seed must be an integer"),
        ({"logits": np.zeros(3, int)}, TypeError, r"logits has dtype int64"),
        ({"logits": np.zeros((), np.float32)}, ValueError, r"logits is a single number"),
        ({"logits": np.zeros((2, 0), np.float32)}, ValueError, r"at least 1 class"),
        ({"logits": np.ma.zeros(3)}, TypeError, r"masked array"),
    ],
)
def test_errors_name_the_call(
    session: Session, wrong: dict[str, Any], error: type[Exception], message: str
) -> None:
    """Nothing has a result then; the session goes on."""
    good: dict[str, Any] = {"logits": logits(3, 3), "tau": 0.5, "seed": 1, "stream": 2}
    with pytest.raises(error, match=f"(?s){message}"), session.batch() as batch:
        for arguments in (good, good | wrong, good):
            batch.gumbel_softmax(**arguments)
    with pytest.raises(RuntimeError, match="with block"):
        _ = batch.results
    assert session.gumbel((2, 3), seed=1).shape == (2, 3)


def test_the_refused_row_is_counted_in_its_own_call(session: Session) -> None:
    """Calls of other dtypes and operators before it do not count."""
    bad = logits(2, 2, 3)
    bad[1, 0, 2] = np.nan
    given = (logits(4, 5), logits(3, dtype=np.float64), logits(7), logits(0, 3), bad)
    message = r"call 4 of the batch: .*That row is logits\[1, 0, :\]"
    with pytest.raises(ValueError, match=message), session.batch() as batch:
        for x in given:
            batch.categorical(x, seed=1)


def test_a_block_that_fails_runs_nothing(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error of the block is what one sees."""
    monkeypatch.setattr(session._runtime, "run_batch", None)
    with pytest.raises(KeyError, match="mine"), session.batch() as batch:
        batch.categorical(logits(3), seed=1)
        raise KeyError("mine")
    with pytest.raises(RuntimeError, match="with block"):
        _ = batch.results


def test_large_calls_are_batched_too(session: Session) -> None:
    """A batch is as good as its calls, also where they are not small."""
    x = logits(300, 1000)
    with session.batch() as batch:
        for stream in range(3):
            batch.gumbel_softmax(x, 0.5, seed=1, stream=stream)
    for stream, y in enumerate(batch.results):
        np.testing.assert_array_equal(y, session.gumbel_softmax(x, 0.5, seed=1, stream=stream))


def test_a_long_batch_gives_signs_of_life() -> None:
    """Many tiny calls take long though their elements are few: Java neither looks hung nor ends too late."""
    with Session(threads=1, backend="java", answer_timeout=1.0, call_timeout=0.3) as s:
        expected = s.gumbel((3,), seed=1)
        began = time.monotonic()
        with pytest.raises(TimeoutError, match="call_timeout = 0.3 seconds"), s.batch() as batch:
            for _ in range(400_000):
                batch.gumbel((1,), seed=1)
        assert time.monotonic() - began < 30
        np.testing.assert_array_equal(s.gumbel((3,), seed=1), expected)


def test_results_beyond_all_memory(session: Session) -> None:
    with pytest.raises(MemoryError), session.batch() as batch:
        for _ in range(4):
            batch.gumbel((1 << 61,), seed=1)
    with pytest.raises(ValueError, match="must be below 2"), session.batch() as batch:
        batch.gumbel((1 << 62, 4), seed=1)
