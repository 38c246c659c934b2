"""Rounds of calls from several threads, each with one disturbance, until the time is over.

A round starts a few threads that make calls, and meanwhile does to the session what users and systems do:
press Ctrl-C, kill Java, fork, start processes, close it, forget it. Whatever happens, a call returns the
right bits or raises an error that its disturbance explains, and the next round finds everything in order.
"""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import multiprocessing.resource_tracker
import os
import random
import signal
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gumbel4j.session import Session
from gumbel4j.soak.cases import LAYOUTS, Case, Truth, checksum, lay_out, random_case
from gumbel4j.soak.remains import Remains, is_running, take_stock

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CASES: Final = 200
"""How many cases are in use at a time; some are replaced in each round."""

_KEPT: Final = 30
"""How many results are held on to, to be looked at again much later."""

_DEADLINE: Final = 60.0
"""Seconds after which a call, a child or an end counts as hung, however slow the machine."""

_SIGNALS: Final = (signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT, signal.SIGTERM)

_JAVA_ENDED: Final = ("Java ended", "the connection to Java")
_CLOSED: Final = (*_JAVA_ENDED, "the session is closed", "was cancelled")


@dataclass
class Counters:
    """What happened. `wrong`, `lost`, `hung` and `left_behind` must stay 0; `problems` tells of them.

    Attributes
    ----------
    calls, elements
        Results that came, and were right, and their elements.
    excused
        Calls that raised what a kill or a close explains.
    interrupts, longest_interrupt
        Ctrl-C, and the longest time in seconds until it was heard.
    kills, closes, forgotten
        Ends of Java, of a session, and of sessions that nobody closed.
    forks, spawns
        Child processes, which made calls of their own.
    sessions
        How many were started here.
    looked_at_again
        Results that were held for long and still had their bits.
    wrong
        Results with wrong bits.
    lost
        Calls that raised what nothing explains.
    hung
        Calls, children and ends that took longer than a minute.
    left_behind
        Processes, descriptors, mappings, threads and files that should be gone.
    """

    rounds: int = 0
    calls: int = 0
    elements: int = 0
    excused: int = 0
    interrupts: int = 0
    longest_interrupt: float = 0.0
    kills: int = 0
    closes: int = 0
    forgotten: int = 0
    forks: int = 0
    spawns: int = 0
    sessions: int = 0
    looked_at_again: int = 0
    wrong: int = 0
    lost: int = 0
    hung: int = 0
    left_behind: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether nothing was wrong, lost, hung or left behind."""
        return not (self.wrong or self.lost or self.hung or self.left_behind)

    def as_dict(self) -> dict[str, Any]:
        """Return all of them, for JSON."""
        return {**asdict(self), "is_clean": self.is_clean}


def soak(minutes: float, seed: int, progress: Callable[[Counters], None]) -> Counters:
    """Disturb sessions for some minutes, and count.

    Call it from the main thread of a process that does nothing else: it sends SIGINT to this process.

    Parameters
    ----------
    minutes
        How long, above 0.
    seed
        Chooses the cases and the order of disturbances; when exactly they strike, chance does.
    progress
        Gets the counters after each round.
    """
    with Session() as warm_up:  # what a first session loads stays
        warm_up.gumbel((2, 2), seed=0)
    del warm_up
    multiprocessing.resource_tracker.ensure_running()  # a process that the first spawn would leave
    before = take_stock()
    # Started in the background of a shell, this process inherits that Ctrl-C is ignored.
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    end = time.monotonic() + 60 * minutes
    storm = Storm(seed)
    try:
        while time.monotonic() < end:
            storm.round()
            progress(storm.counters)
    finally:
        storm.close()
        signal.signal(signal.SIGINT, former)
    _look_for_remains(storm.counters, before)
    return storm.counters


class Storm:
    """Sessions and what befalls them.

    Parameters
    ----------
    seed
        As in `soak`.
    """

    def __init__(self, seed: int) -> None:
        self.counters = Counters()
        self._lock = threading.Lock()
        self._choice = random.Random(seed)
        self._random = np.random.default_rng(seed)
        self._truth = Truth()
        self._cases = [random_case(self._random) for _ in range(_CASES)]
        self._kept: list[tuple[bytes, tuple[NDArray[Any], ...]]] = []
        self._session = self._new_session()
        self._disturbances: tuple[tuple[Callable[[], None], tuple[str, ...]], ...] = (
            (self._none, ()),
            (self._interrupt, ()),
            (self._interrupt, ()),
            (self._kill, _JAVA_ENDED),
            (self._fork, ()),
            (self._spawn, ()),
            (self._close, _CLOSED),
            (self._forget, ()),
        )

    def round(self) -> None:
        """Make calls from several threads and disturb them once."""
        for _ in range(3):
            place = self._choice.randrange(_CASES)
            self._truth.forget(self._cases[place])
            self._cases[place] = random_case(self._random)
        disturb, excuses = self._choice.choice(self._disturbances)
        callers = [
            threading.Thread(
                target=self._make_calls,
                args=(self._session, self._choice.randrange(2**32), excuses),
                daemon=True,
            )
            for _ in range(self._choice.randint(0, 4))
        ]
        for caller in callers:
            caller.start()
        try:
            disturb()
        except Exception as problem:
            self._report("lost", f"{disturb.__name__}: {problem!r}")
        deadline = time.monotonic() + _DEADLINE
        for caller in callers:
            caller.join(max(0.0, deadline - time.monotonic()))
            if caller.is_alive():
                self._report("hung", f"a call during {disturb.__name__}")
        self._make_calls(self._session, self._choice.randrange(2**32), (), count=2)
        self._look_again()
        self.counters.rounds += 1

    def close(self) -> None:
        """End the session."""
        self._session.close()
        self._kept.clear()

    def _make_calls(self, session: Session, seed: int, excuses: tuple[str, ...], count: int = 6) -> None:
        """Make a few calls and check them; an error is excused if its message holds one of these texts."""
        choice = random.Random(seed)
        for _ in range(count):
            case = choice.choice(self._cases)
            try:
                matrices = lay_out(session, case.matrices(), choice.choice(LAYOUTS))
                results = case.call(session, matrices)
            except Exception as problem:
                if any(text in str(problem) for text in excuses):
                    self._add("excused")
                    continue
                self._report("lost", f"{case}: {problem!r}")
                continue
            self._check(case, results)
            if choice.random() < 0.1:
                with self._lock:
                    self._kept.append((checksum(results), results))

    def _check(self, case: Case, results: tuple[NDArray[Any], ...]) -> None:
        fault = self._truth.fault(case, results)
        if fault is not None:
            self._report("wrong", f"{case}: {fault}")
            return
        with self._lock:
            self.counters.calls += 1
            self.counters.elements += sum(result.size for result in results)

    def _look_again(self) -> None:
        """Look at results that were kept; let go of some."""
        with self._lock:
            kept, self._kept = self._kept, []
        for total, results in kept:
            if checksum(results) != total:
                self._report("wrong", f"a result of shape {results[0].shape} has changed since it came")
        self.counters.looked_at_again += len(kept)
        self._choice.shuffle(kept)
        del kept[_KEPT:]
        with self._lock:
            self._kept += kept

    def _none(self) -> None:
        """Leave them alone."""

    def _interrupt(self) -> None:
        """Press Ctrl-C in the middle of calls."""
        moment = 0.0
        delay = self._choice.expovariate(1 / 0.02)

        def press() -> None:
            nonlocal moment
            time.sleep(delay)
            moment = time.monotonic()
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

        presser = threading.Thread(target=press)
        seed = self._choice.randrange(2**32)
        deadline = time.monotonic() + _DEADLINE
        try:
            presser.start()
            while time.monotonic() < deadline:
                case = self._cases[seed % _CASES]
                case.call(self._session, case.matrices())
        except KeyboardInterrupt:
            heard = time.monotonic()
        else:
            self._report("hung", "Ctrl-C was not heard")
            heard = moment
        presser.join()
        self.counters.interrupts += 1
        self.counters.longest_interrupt = max(self.counters.longest_interrupt, heard - moment)

    def _kill(self) -> None:
        """Kill Java."""
        pid = self._session.info()["pid"]
        time.sleep(self._choice.expovariate(1 / 0.02))
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, self._choice.choice(_SIGNALS))
        self.counters.kills += 1
        self._expect_end(pid, "a killed Java")

    def _fork(self) -> None:
        """Fork: the child may not use the parent's session, and gets the same bits from its own."""
        self._child("fork", self._session)
        self.counters.forks += 1

    def _spawn(self) -> None:
        """Start a fresh Python."""
        self._child("spawn", None)
        self.counters.spawns += 1

    def _child(self, method: str, parents: Session | None) -> None:
        """Let a child process make a call, and hold it to the bits that the case has here."""
        case = random_case(self._random)
        self._check(case, case.call(self._session, case.matrices()))
        known = self._truth.known(case)
        self._truth.forget(case)
        if known is None:
            return
        processes: Any = multiprocessing.get_context(method)
        child = processes.Process(target=_in_child, args=(case, known, parents))
        child.start()
        child.join(_DEADLINE)
        if child.exitcode is None:
            self._report("hung", f"a child by {method}")
            child.kill()
            child.join()
        elif child.exitcode:
            kind = "wrong" if child.exitcode == _WRONG_BITS else "lost"
            self._report(kind, f"{case}: in a child by {method}, exit code {child.exitcode}")
        child.close()

    def _close(self) -> None:
        """Close the session under its callers, and go on with a new one."""
        pid = self._session.info()["pid"]
        time.sleep(self._choice.expovariate(1 / 0.02))
        self._session.close()
        self.counters.closes += 1
        self._expect_end(pid, "the Java of a closed session")
        self._session = self._new_session()

    def _forget(self) -> None:
        """Drop another session without closing it."""
        other = self._new_session()
        pid = other.info()["pid"]
        case = self._choice.choice(self._cases)
        self._check(case, case.call(other, case.matrices()))
        if self._choice.random() < 0.5:
            cycle: list[Any] = [other]
            cycle.append(cycle)
            del cycle
        gone = weakref.ref(other)
        del other
        gc.collect()
        if gone() is not None:
            self._report("left_behind", "a session that nobody refers to")
        self.counters.forgotten += 1
        self._expect_end(pid, "the Java of a forgotten session")

    def _new_session(self) -> Session:
        """Start a session with settings drawn at random."""
        self.counters.sessions += 1
        os.environ["GUMBEL4J_DATA_PLANE"] = self._choice.choice(("", "memfd", "shm", "file"))
        try:
            return Session(
                threads=self._choice.choice((None, 1, 2, 3, 7)), backend=self._choice.choice(("auto", "java"))
            )
        finally:
            del os.environ["GUMBEL4J_DATA_PLANE"]

    def _expect_end(self, pid: int, what: str) -> None:
        deadline = time.monotonic() + _DEADLINE
        while is_running(pid):
            if time.monotonic() > deadline:
                self._report("left_behind", what)
                return
            time.sleep(0.01)

    def _add(self, counter: str) -> None:
        with self._lock:
            setattr(self.counters, counter, getattr(self.counters, counter) + 1)

    def _report(self, counter: str, problem: str) -> None:
        self._add(counter)
        self.counters.problems.append(f"{counter.replace('_', ' ')}: {problem}")


_WRONG_BITS: Final = 3


def _in_child(case: Case, known: bytes, parents: Session | None) -> None:
    """Make a call in a child process; its exit code tells how that went."""
    if parents is not None:
        try:
            parents.gumbel((2, 2), seed=0)
        except RuntimeError as refused:
            assert "belongs to process" in str(refused), refused
        else:
            raise AssertionError("a forked child could use its parent's session")
    with Session(threads=1) as own:
        results = case.call(own, case.matrices())
    if checksum(results) != known:
        raise SystemExit(_WRONG_BITS)


def _look_for_remains(counters: Counters, before: Remains) -> None:
    """Count what is still there; what is on its way out gets a moment."""
    deadline = time.monotonic() + 5
    while True:
        gc.collect()
        more = take_stock().more_than(before)
        if not more or time.monotonic() > deadline:
            break
        time.sleep(0.05)
    for name, count in more.items():
        counters.left_behind += count
        counters.problems.append(f"left behind: {count} {name}")
