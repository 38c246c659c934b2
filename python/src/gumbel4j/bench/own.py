"""gumbel4j as a contender: timed inside Java and from Python; and the floors below which nothing can get."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gumbel4j.bench.timing import Timer, timed
from gumbel4j.bench.work import SEED, TAU, Work
from gumbel4j.session import Session


class Own:
    """One session's operators on inputs that lie in its shared memory.

    Parameters
    ----------
    session
        Where the work runs. No other thread may use it meanwhile.
    work
        What is to be done.
    """

    def __init__(self, session: Session, work: Work) -> None:
        self._session = session
        self._work = work
        random = np.random.default_rng(SEED)
        self.inputs = {"logits": self._normal(random, 2.0)}
        if work.operator == "backward":
            logits = self.inputs["logits"]
            self.inputs["sample"] = session.gumbel_softmax(logits, TAU, axis=work.axis, seed=SEED)
            self.inputs["upstream"] = self._normal(random, 1.0)
        shape = (work.rows,) if work.operator == "categorical" else work.shape
        dtype = "int32" if work.operator == "categorical" else work.dtype
        self._out = None if work.operator == "backward" else session.empty(shape, dtype)

    def answer(self) -> NDArray[Any]:
        """Do the work once and return the result."""
        return self._call(self._out)

    def inside_java(self) -> Timer:
        """Return the timer of the operator alone, into an array that exists, or is made anew (backward)."""

        def run(calls: int) -> float:
            with self._session._runtime.timed(calls) as clock:
                self._call(self._out)
            return clock.nanoseconds * 1e-9

        return run

    def from_python(self) -> Timer:
        """Return the timer of a whole call with a new result."""
        return timed(lambda: self._call(None))

    def words(self) -> Timer:
        """Return the timer of the noise's raw words alone: the floor of everything that draws."""
        dtype = np.uint64 if self._work.dtype == "float64" else np.uint32
        shape = self._work.rows, self._work.classes

        def run(calls: int) -> float:
            with self._session._runtime.timed(calls) as clock:
                self._session.words(shape, seed=SEED, dtype=dtype)
            return clock.nanoseconds * 1e-9

        return run

    def _call(self, out: NDArray[Any] | None) -> NDArray[Any]:
        work, inputs, session = self._work, self.inputs, self._session
        if work.operator == "noise":
            return session.gumbel(work.shape, seed=SEED, dtype=work.dtype, out=out)
        if work.operator == "categorical":
            return session.categorical(inputs["logits"], work.axis, seed=SEED, out=out)
        if work.operator == "backward":
            return session.vjp(inputs["sample"], inputs["upstream"], TAU, work.axis, tau_gradient=False)[0]
        hard = work.operator == "hard"
        return session.gumbel_softmax(inputs["logits"], TAU, hard, work.axis, seed=SEED, out=out)

    def _normal(self, random: np.random.Generator, deviation: float) -> NDArray[Any]:
        array = self._session.empty(self._work.shape, self._work.dtype)
        array[...] = deviation * random.standard_normal(self._work.shape, np.float32)
        return array


def warm_calls(session: Session, seconds: float) -> None:
    """Make small calls of every operator, for so many seconds each.

    Java compiles what a call runs after some hundreds of them: more than there are of a work that takes long.
    """
    small = np.zeros((1, 4), np.float32)
    calls: tuple[Callable[[], object], ...] = (
        lambda: session.gumbel(small.shape, seed=SEED),
        lambda: session.gumbel_softmax(small, TAU, seed=SEED),
        lambda: session.gumbel_softmax(small, hard=True, seed=SEED),
        lambda: session.categorical(small, seed=SEED),
        lambda: session.vjp(small, small, TAU),
    )
    for call in calls:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            call()


def memcpy(work: Work) -> Timer:
    """Return the timer of copying, on one thread, as many bytes as the work must read and write together."""
    source = np.ones(work.traffic // 2, np.uint8)
    target = np.empty_like(source)

    def run(calls: int) -> float:
        begin = time.perf_counter()
        for _ in range(calls):
            np.copyto(target, source)
        return time.perf_counter() - begin

    return run
