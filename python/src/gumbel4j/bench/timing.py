"""How contenders are timed: warmed up, then in turn, each sample long enough for the clock."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

Timer = Callable[[int], float]
"""Does the work a number of times in a row; returns how many seconds that took."""

_SAMPLE_SECONDS: Final = 0.004
"""A sample takes at least so long, thousands of ticks of any clock."""

_FEWEST_ROUNDS: Final = 3
_MOST_ROUNDS: Final = 41


@dataclass(frozen=True)
class Pace:
    """How long to measure.

    Attributes
    ----------
    seconds
        For all contenders of one work together; at least three rounds are made.
    warm_up
        Seconds that each contender runs before; the Java compiler needs about one.
    """

    seconds: float
    warm_up: float


QUICK: Final = Pace(seconds=0, warm_up=0)
"""As little as possible, for tests."""


@dataclass(frozen=True)
class Times:
    """The samples of one contender, in seconds for one call."""

    samples: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """Return the median."""
        return statistics.median(self.samples)

    @property
    def lowest(self) -> float:
        """Return the shortest time."""
        return min(self.samples)

    @property
    def spread(self) -> float:
        """Return half the distance between the quartiles, as a share of the median."""
        low, _, high = statistics.quantiles(self.samples, n=4, method="inclusive")
        return (high - low) / 2 / self.median

    def times_slower_than(self, other: Times) -> float:
        """Return the median of the ratios within each round, so that a slow spell of the machine cancels."""
        return statistics.median(
            mine / theirs for mine, theirs in zip(self.samples, other.samples, strict=True)
        )


def timed(call: Callable[[], object]) -> Timer:
    """Return the timer of a Python function."""

    def run(calls: int) -> float:
        begin = time.perf_counter()
        for _ in range(calls):
            call()
        return time.perf_counter() - begin

    return run


def measure(timers: Mapping[str, Timer], pace: Pace) -> dict[str, Times]:
    """Warm the contenders up, then let them run in turn; return the times of each."""
    calls = {name: _warm_up(timer, pace) for name, timer in timers.items()}
    times = {name: Times() for name in timers}
    begin = time.perf_counter()
    for done in range(_MOST_ROUNDS):
        if done >= _FEWEST_ROUNDS and time.perf_counter() - begin > pace.seconds:
            break
        for name, timer in timers.items():
            times[name].samples.append(timer(calls[name]) / calls[name])
    return times


def _warm_up(timer: Timer, pace: Pace) -> int:
    """Run for a while; return how many calls make a sample."""
    calls = 1
    begin = time.perf_counter()
    while True:
        seconds = timer(calls)
        if seconds < _SAMPLE_SECONDS:
            # At most tenfold at a time: the first calls are the slow ones.
            calls = min(10 * calls, int(calls * 1.5 * _SAMPLE_SECONDS / max(seconds, 1e-9)) + 1)
        elif time.perf_counter() - begin >= pace.warm_up:
            return calls
