"""Measures the bridge between Python and Java: calls beyond their work, the start, batches, memory."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from gumbel4j._available import available_bytes
from gumbel4j.bench import checks, own
from gumbel4j.bench.compare import OWN, PYTHON
from gumbel4j.bench.plain_py4j import empty_round_trip
from gumbel4j.bench.timing import Pace, Timer, Times, measure, timed
from gumbel4j.bench.work import SEED, TAU, Work

if TYPE_CHECKING:
    from gumbel4j.bench.command import Sessions
    from gumbel4j.bench.peers import Peer
    from gumbel4j.session import Session

COPIED: Final = "copied in"
COLD: Final = "cold"

PLAIN: Final = "empty round trip of Py4J"
EMPTY: Final = "empty round trip of the bridge"
SMALL: Final = "small call"
SINGLE: Final = "1,000 calls"
BATCH: Final = "a batch of them"

_BATCHED: Final = 1000
_SMALL_CLASSES: Final = 10
_MOST_CLASSES: Final = 1024
_STARTS: Final = 5
_EARLY_CALLS: Final = 50
_WARM_CALLS: Final = 50
_MEMORY_OF_PEERS: Final = 10
"""A peer takes this many times the memory of its input, at most."""


@dataclass(frozen=True)
class Memory:
    """What a session takes when nothing happens, in bytes, and what warm calls of 4 MiB touch, in pages.

    Attributes
    ----------
    idle
        Resident memory of Java, without what it shares with Python; None where the system does not tell.
    python_faults, java_faults
        Pages that a call with a new result touches for the first time, in either process; likewise.
    """

    idle: int | None
    python_faults: float
    java_faults: float | None


@dataclass(frozen=True)
class Figures:
    """All that was measured.

    Attributes
    ----------
    starts
        Seconds from nothing to the first result, in sessions one after the other.
    early_calls
        The median of the 50 small calls that follow, in each of these sessions.
    first_call
        PLAIN, EMPTY and SMALL, in turn.
    batch
        SINGLE and BATCH, in turn.
    calls
        By work: inside Java (OWN), and whole calls: PYTHON on shared memory, COPIED, COLD, and peers.
    memory
        See Memory.
    remarks
        What was left out and why.
    """

    starts: Times
    early_calls: Times
    first_call: dict[str, Times]
    batch: dict[str, Times]
    calls: list[tuple[Work, dict[str, Times]]]
    memory: Memory
    remarks: list[str] = field(default_factory=list)


def works(is_quick: bool) -> list[Work]:
    """Return soft samples of arrays from 1 KiB to 1 GiB, in steps of 16."""
    sizes = [1 << power for power in range(10, 22 if is_quick else 31, 4)]
    return [Work("soft", max(1, size // 4 // _MOST_CLASSES), min(size // 4, _MOST_CLASSES)) for size in sizes]


def measure_bridge(
    sessions: Sessions,
    threads: int,
    peers: Sequence[Peer],
    pace: Pace,
    progress: Callable[[str], None],
    is_quick: bool,
) -> Figures:
    """Measure everything; see Figures.

    Raises
    ------
    WrongAnswerError
        If an answer is wrong.
    """
    progress("starts")
    starts, early_calls = Times(), Times()
    for _ in range(2 if is_quick else _STARTS):
        _start(sessions, threads, starts, early_calls)
    remarks: list[str] = []
    calls = []
    with sessions(threads=threads) as session:
        idle = _idle_bytes(session)
        for work in works(is_quick):
            progress(work.name)
            nbytes = 4 * work.elements
            if available_bytes() < _MEMORY_OF_PEERS * nbytes:
                remarks.append(f"{work.name} is left out: too little memory is free.")
                continue
            calls.append((work, measure(_timers(session, work, peers, remarks), pace)))
            session._runtime._pool.trim()
        progress("small calls")
        runtime = session._runtime
        with empty_round_trip(runtime._java.program, runtime._jars[-1]) as plain:
            first_call = measure({PLAIN: timed(plain), **_small_timers(session)}, pace)
        batch = measure(_batch_timers(session), pace)
        progress("page faults")
        python_faults, java_faults = _page_faults(session)
    memory = Memory(idle, python_faults, java_faults)
    return Figures(starts, early_calls, first_call, batch, calls, memory, remarks)


def _start(sessions: Sessions, threads: int, starts: Times, early_calls: Times) -> None:
    """Start a session; note how long its first result takes, and the calls after it."""
    began = time.perf_counter()
    with sessions(threads=threads) as session:
        x = session.gumbel((1, _SMALL_CLASSES), seed=SEED)
        starts.samples.append(time.perf_counter() - began)
        call = timed(lambda: session.gumbel_softmax(x, TAU, seed=SEED))
        early_calls.samples.append(Times([call(1) for _ in range(_EARLY_CALLS)]).median)


def _timers(session: Session, work: Work, peers: Sequence[Peer], remarks: list[str]) -> dict[str, Timer]:
    mine = own.Own(session, work)
    checks.check_own(work, mine.inputs, mine.answer())
    foreign = np.array(mine.inputs["logits"])

    def copied_in() -> object:
        return session.gumbel_softmax(foreign, TAU, seed=SEED)

    def cold() -> object:
        session._runtime._pool.trim()
        return session.gumbel_softmax(mine.inputs["logits"], TAU, seed=SEED)

    timers = {
        OWN: mine.inside_java(),
        PYTHON: mine.from_python(),
        COPIED: timed(copied_in),
        COLD: timed(cold),
    }
    for peer in peers:
        call = peer.call(work, {"logits": foreign})
        remark = checks.check_peer(peer.name, work, peer.as_numpy(call()), None)
        if remark is not None:
            remarks.append(remark)
        timers[peer.name] = timed(call)
    return timers


def _small_timers(session: Session) -> dict[str, Timer]:
    x = session.gumbel((1, _SMALL_CLASSES), seed=SEED)
    bridge = session._runtime._bridge
    return {
        EMPTY: timed(bridge.round_trip),
        SMALL: timed(lambda: session.gumbel_softmax(x, TAU, seed=SEED)),
    }


def _batch_timers(session: Session) -> dict[str, Timer]:
    random = np.random.default_rng(SEED)
    rows = list(random.standard_normal((_BATCHED, _SMALL_CLASSES), np.float32))

    def single() -> object:
        return [session.gumbel_softmax(row, TAU, seed=SEED, stream=i) for i, row in enumerate(rows)]

    def together() -> object:
        with session.batch() as batch:
            for i, row in enumerate(rows):
                batch.gumbel_softmax(row, TAU, seed=SEED, stream=i)
        return batch.results

    return {SINGLE: timed(single), BATCH: timed(together)}


def _page_faults(session: Session) -> tuple[float, float | None]:
    """Return how many pages a warm call touches for the first time, in Python and in Java."""
    x = session.gumbel((_MOST_CLASSES, _MOST_CLASSES), seed=SEED)

    def draw(calls: int) -> None:
        for stream in range(calls):
            session.gumbel_softmax(x, TAU, seed=SEED, stream=stream)[:, 0].sum()

    def mine() -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

    def javas() -> int | None:
        try:
            stat = Path(f"/proc/{session._runtime._bridge.process.pid}/stat").read_text()
        except OSError:
            return None
        return int(stat.rpartition(")")[2].split()[7])

    draw(_WARM_CALLS)
    python_before, java_before = mine(), javas()
    draw(_WARM_CALLS)
    python_after, java_after = mine(), javas()
    java = None if java_before is None or java_after is None else (java_after - java_before) / _WARM_CALLS
    return (python_after - python_before) / _WARM_CALLS, java


def _idle_bytes(session: Session) -> int | None:
    session.gumbel((2, 3), seed=SEED)
    try:
        lines = Path(f"/proc/{session._runtime._bridge.process.pid}/status").read_text().splitlines()
    except OSError:
        return None
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith(("RssAnon:", "RssFile:")))
