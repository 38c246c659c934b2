"""Runs the comparison: every work by every contender, in turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from gumbel4j.bench import checks, own
from gumbel4j.bench.timing import Pace, Timer, Times, measure, timed
from gumbel4j.bench.work import TAU, Work

if TYPE_CHECKING:
    from gumbel4j.bench.peers import Peer
    from gumbel4j.session import Session

OWN: Final = "gumbel4j"
PYTHON: Final = "from Python"
PLAIN_JAVA: Final = "plain Java"
MEMCPY: Final = "memcpy"
WORDS: Final = "raw words"

FLOORS: Final = (MEMCPY, WORDS)
"""What no contender can beat: copying the work's bytes on one thread; making the random words alone."""


@dataclass(frozen=True)
class Comparison:
    """The times of one work by contender, and what is to be said of contenders' answers."""

    work: Work
    times: dict[str, Times]
    remarks: list[str] = field(default_factory=list)

    def ratio(self, contender: str) -> float | None:
        """Return how many times slower than gumbel4j a contender is; None if it took no part."""
        times = self.times.get(contender)
        return None if times is None else times.times_slower_than(self.times[OWN])


def compare(
    works: Sequence[Work],
    session: Session,
    plain_java: Session | None,
    peers: Sequence[Peer],
    pace: Pace,
    progress: Callable[[str], None],
) -> list[Comparison]:
    """Measure every work.

    Parameters
    ----------
    works
        What is measured.
    session
        The contender that the others are compared with.
    plain_java
        A session with the Java backend, to be one more contender.
    peers
        Other libraries.
    pace
        How long each work is measured.
    progress
        Gets one line of text when a work begins.

    Raises
    ------
    WrongAnswerError
        If a contender's answer is wrong; nothing is timed then.
    """
    comparisons = []
    own.warm_calls(session, pace.warm_up)
    for number, work in enumerate(works, 1):
        progress(f"{number}/{len(works)}  {work.name}")
        timers, remarks = _timers(work, session, plain_java, peers)
        comparisons.append(Comparison(work, measure(timers, pace), remarks))
    return comparisons


def _timers(
    work: Work, session: Session, plain_java: Session | None, peers: Sequence[Peer]
) -> tuple[dict[str, Timer], list[str]]:
    """Return a timer for each contender, after a look at its answer, and what that look showed."""
    timers: dict[str, Timer] = {}
    remarks = []
    mine = own.Own(session, work)
    answer = mine.answer()
    checks.check_own(work, mine.inputs, answer)
    timers[OWN] = mine.inside_java()
    timers[PYTHON] = mine.from_python()
    # In memory of their own, as their users' arrays are.
    inputs = {name: np.array(array) for name, array in mine.inputs.items()}
    gradient = answer.astype(np.float64) * TAU if work.operator == "backward" else None
    for peer in peers:
        call = peer.call(work, inputs)
        remark = checks.check_peer(peer.name, work, peer.as_numpy(call()), gradient)
        if remark is not None:
            remarks.append(remark)
        timers[peer.name] = timed(call)
    if plain_java is not None:
        plain = own.Own(plain_java, work)
        checks.check_own(work, plain.inputs, plain.answer())
        timers[PLAIN_JAVA] = plain.inside_java()
    timers[MEMCPY] = own.memcpy(work)
    if work.operator != "backward":
        timers[WORDS] = mine.words()
    return timers, remarks
