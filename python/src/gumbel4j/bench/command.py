"""The three things that `gumbel4j bench` can do, each from its options to a report."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from gumbel4j import _dtypes
from gumbel4j._available import available_cores
from gumbel4j.bench import machine, peers, report
from gumbel4j.bench.compare import compare
from gumbel4j.bench.overhead import measure_bridge
from gumbel4j.bench.scaling import scale
from gumbel4j.bench.timing import QUICK, Pace
from gumbel4j.bench.work import DEFAULT, at_size, quick

if TYPE_CHECKING:
    from gumbel4j.session import Session

Progress = Callable[[str], None]

_CONTENDERS: Final = 9
_SERIES: Final = 7
_BRIDGE_MEASUREMENTS: Final = 8
_BRIDGE_CONTENDERS: Final = 5
_QUICK_NOTE: Final = "a quick try: sizes and times too small, the figures mean nothing"


class Sessions(Protocol):
    """Makes the sessions that are measured."""

    def __call__(self, *, threads: int, backend: str | None = None) -> Session:
        """Return a session of so many threads; `backend` None for the one that the user asked for."""
        ...


@dataclass(frozen=True)
class Report:
    """What was measured: a text to print, data for a JSON file, and a function that draws it to a file."""

    text: str
    data: dict[str, Any]
    draw: Callable[[Path], None]


def comparison(
    sessions: Sessions,
    progress: Progress,
    *,
    seconds: float,
    threads: int | None = None,
    size: tuple[int, int] | None = None,
    only: str = "",
    is_quick: bool = False,
) -> Report:
    """Compare with the peers that are installed.

    Parameters
    ----------
    sessions
        Makes sessions.
    progress
        Gets a line of text now and then.
    seconds
        About how long to measure in all.
    threads
        For gumbel4j and peers alike; None for one.
    size
        Rows and classes at which every operator is measured; None for the default works.
    only
        Only works whose name holds this text are measured.
    is_quick
        Whether to stay small: for tests.

    Raises
    ------
    ValueError
        If no work is left, or the number of threads is out of its range.
    WrongAnswerError
        If an answer is wrong.
    """
    works = [work for work in (at_size(*size) if size else DEFAULT) if only in work.name]
    without_bfloat16 = _missing_bfloat16() if any(work.dtype == "bfloat16" for work in works) else None
    if without_bfloat16 is not None:
        works = [work for work in works if work.dtype != "bfloat16"]
    if not works:
        raise ValueError(f"only = {only!r}: is in the name of none of the works")
    pace = _pace(seconds / len(works), _CONTENDERS)
    if is_quick:
        works, pace = list(quick(works)), QUICK
    threads = 1 if threads is None else threads
    with ExitStack() as stack:
        own = stack.enter_context(sessions(threads=threads))
        plain_java = None
        if own.info()["backend"] != "java":
            plain_java = stack.enter_context(sessions(threads=threads, backend="java"))
        others = peers.installed(threads)
        facts = machine.facts(own, others)
        if is_quick:
            facts["note"] = _QUICK_NOTE
        if without_bfloat16 is not None:
            facts["left out"] = without_bfloat16
        comparisons = compare(works, own, plain_java, others, pace, progress)

    def draw(path: Path) -> None:
        from gumbel4j.bench import pictures  # here: it imports matplotlib

        pictures.draw_comparison(comparisons, facts, path)

    text = f"{report.header(facts)}\n\n{report.comparison_table(comparisons)}"
    return Report(text, report.comparison_json(facts, comparisons), draw)


def scaling(
    sessions: Sessions,
    progress: Progress,
    *,
    seconds: float,
    threads: int | None = None,
    is_quick: bool = False,
) -> Report:
    """Measure how the cost grows with classes, rows and threads.

    Parameters
    ----------
    sessions, progress, seconds, is_quick
        As in `comparison`.
    threads
        The largest number of threads to try; None for the number of cores.

    Raises
    ------
    WrongAnswerError
        If an answer is wrong.
    """
    most = available_cores() if threads is None else threads
    pace = QUICK if is_quick else Pace(seconds / _SERIES, warm_up=0.05)
    with sessions(threads=most) as session:
        facts = machine.facts(session, ())
    if is_quick:
        facts["note"] = _QUICK_NOTE
    result = scale(sessions, most, pace, progress, is_quick)

    def draw(path: Path) -> None:
        from gumbel4j.bench import pictures

        pictures.draw_scaling(result, facts, path)

    text = f"{report.header(facts)}\n\n{report.scaling_table(result)}"
    return Report(text, report.scaling_json(facts, result), draw)


def bridge(
    sessions: Sessions,
    progress: Progress,
    *,
    seconds: float,
    threads: int | None = None,
    is_quick: bool = False,
) -> Report:
    """Measure what calls cost beyond their work, beside torch in the same process; start, batches, memory.

    Parameters
    ----------
    sessions, progress, seconds, threads, is_quick
        As in `comparison`.

    Raises
    ------
    WrongAnswerError
        If an answer is wrong.
    """
    threads = 1 if threads is None else threads
    torch = [peer for peer in peers.installed(threads) if peer.name == "torch"]
    pace = QUICK if is_quick else _pace(seconds / _BRIDGE_MEASUREMENTS, _BRIDGE_CONTENDERS)
    with sessions(threads=threads) as session:
        facts = machine.facts(session, torch)
        info = session.info()
        facts |= {name.replace("_", " "): str(info[name]) for name in ("data_plane", "start_cache")}
    if is_quick:
        facts["note"] = _QUICK_NOTE
    figures = measure_bridge(sessions, threads, torch, pace, progress, is_quick)

    def draw(path: Path) -> None:
        from gumbel4j.bench import pictures

        pictures.draw_bridge(figures, facts, path)

    text = f"{report.header(facts)}\n\n{report.bridge_table(figures)}"
    return Report(text, report.bridge_json(facts, figures), draw)


def _missing_bfloat16() -> str | None:
    """Return why there is no bfloat16; None if there is."""
    try:
        _dtypes.floating("bfloat16")
    except ImportError as missing:
        return str(missing)
    return None


def _pace(seconds: float, contenders: int) -> Pace:
    """Return the pace of a work that may take so long: a third of it to warm up."""
    return Pace(seconds * 2 / 3, warm_up=seconds / 3 / contenders)
