"""How the cost grows: with the classes at constant work, with the rows, with the threads.

Only gumbel4j is measured, inside Java. Points take turns, as contenders do. Beside threads stand as many
processes that work at once and share nothing: what they gain is what the machine gives.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from gumbel4j.bench import checks, own
from gumbel4j.bench.timing import Pace, Timer, Times, measure
from gumbel4j.bench.work import Operator, Work

if TYPE_CHECKING:
    from gumbel4j.bench.command import Sessions
    from gumbel4j.session import Session

OPERATORS: Final[tuple[Operator, ...]] = ("soft", "categorical")
THREADED: Final = (
    Work("soft", 4096, 1024),
    Work("soft", 64, 50257),
    Work("categorical", 64, 50257),
    Work("soft", 1, 1 << 22),
)
ROW_CLASSES: Final = 16
_ELEMENTS: Final = 1 << 22
_QUICK_ELEMENTS: Final = 1 << 12


@dataclass(frozen=True)
class Point:
    """The times by operator at one value of what grows."""

    value: int
    elements: int
    times: dict[str, Times]


@dataclass(frozen=True)
class Series:
    """What one axis showed; `axis` is "classes" or "rows"."""

    title: str
    axis: str
    operators: tuple[str, ...]
    points: list[Point]


@dataclass(frozen=True)
class Team:
    """The times of works on some threads, and in as many processes of one thread.

    Attributes
    ----------
    threads
        How many.
    times
        By work, for one call.
    apart
        By work, for a call's share of each process: its time for a call of its own, divided by `threads`.
    """

    threads: int
    times: dict[str, Times]
    apart: dict[str, Times]


@dataclass(frozen=True)
class Scaling:
    """All that was measured. `threads` has a team for each number of threads, the first for one."""

    series: list[Series]
    threads: list[Team]

    def gains(self, times: dict[str, Times]) -> list[float]:
        """Return how many times faster than one thread each work was."""
        return [self.threads[0].times[name].times_slower_than(of_team) for name, of_team in times.items()]


def scale(
    sessions: Sessions,
    most_threads: int,
    pace: Pace,
    progress: Callable[[str], None],
    quick: bool = False,
) -> Scaling:
    """Measure.

    Parameters
    ----------
    sessions
        Makes a session of so many threads.
    most_threads
        One to so many threads are tried.
    pace
        How long each operator is measured, over all points together.
    progress
        Gets one line of text when something begins.
    quick
        Whether to stay small: for tests, not for figures.

    Raises
    ------
    WrongAnswerError
        If an answer is wrong.
    """
    elements = _QUICK_ELEMENTS if quick else _ELEMENTS
    classes = [2**power for power in range(1, elements.bit_length() - 2)]
    rows = [10**power for power in range(3 if quick else 7)]
    with sessions(threads=1) as session:
        series = [
            _series(
                session,
                f"Classes, {elements:,} elements in all",
                "classes",
                {count: (elements // count, count) for count in classes},
                pace,
                progress,
            ),
            _series(
                session,
                f"Rows of {ROW_CLASSES} classes",
                "rows",
                {count: (count, ROW_CLASSES) for count in rows},
                pace,
                progress,
            ),
        ]
    works = [replace(work, rows=min(work.rows, 16), classes=1024) for work in THREADED] if quick else THREADED
    return Scaling(series, _threads(sessions, most_threads, list(dict.fromkeys(works)), pace, progress))


def _series(
    session: Session,
    title: str,
    axis: str,
    shapes: dict[int, tuple[int, int]],
    pace: Pace,
    progress: Callable[[str], None],
) -> Series:
    times: dict[Operator, dict[str, Times]] = {}
    for operator in OPERATORS:
        progress(f"{title}: {operator}")
        works = {str(value): Work(operator, *shape) for value, shape in shapes.items()}
        timers = {value: _checked(session, work) for value, work in works.items()}
        times[operator] = measure(timers, pace)
    points = [
        Point(value, rows * count, {operator: times[operator][str(value)] for operator in OPERATORS})
        for value, (rows, count) in shapes.items()
    ]
    return Series(title, axis, OPERATORS, points)


def _threads(
    sessions: Sessions,
    most: int,
    works: Sequence[Work],
    pace: Pace,
    progress: Callable[[str], None],
) -> list[Team]:
    teams = [Team(count, {}, {}) for count in range(1, most + 1)]
    with ExitStack() as stack:
        threaded = [stack.enter_context(sessions(threads=team.threads)) for team in teams]
        single = [threaded[0], *(stack.enter_context(sessions(threads=1)) for _ in teams[1:])]
        for work in works:
            progress(f"Threads, 1 to {most}: {work.name}")
            alone = [_checked(session, work) for session in single]
            timers = {
                **{
                    f"together {team.threads}": _checked(session, work)
                    for team, session in zip(teams, threaded, strict=True)
                },
                **{f"apart {team.threads}": _at_once(alone[: team.threads]) for team in teams},
            }
            times = measure(timers, pace)
            for team in teams:
                team.times[work.name] = times[f"together {team.threads}"]
                team.apart[work.name] = times[f"apart {team.threads}"]
    return teams


def _at_once(timers: Sequence[Timer]) -> Timer:
    """Return the timer of several that run at the same time, for a share of each in a call."""

    def run(calls: int) -> float:
        with ThreadPoolExecutor(len(timers)) as pool:
            seconds: list[float] = list(pool.map(lambda timer: timer(calls), timers))
        return max(seconds) / len(timers)

    return run


def _checked(session: Session, work: Work) -> Timer:
    mine = own.Own(session, work)
    checks.check_own(work, mine.inputs, mine.answer())
    return mine.inside_java()
