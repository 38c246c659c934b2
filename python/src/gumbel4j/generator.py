"""Where `seed` and `stream` come from: Generator, the default one, and how arguments become a key.

Every noise value is a pure function of (seed, stream, element index), so a generator holds no random state:
it only remembers a seed and counts draws, giving each draw its own stream.
"""

from __future__ import annotations

import operator
import os
import secrets
import threading
from typing import Any, Final

SEED_LIMIT: Final = 1 << 64
"""Seeds are integers in [0, SEED_LIMIT)."""

STREAM_LIMIT: Final = 1 << 63
"""Streams are integers in [0, STREAM_LIMIT); the top bit of the 64 is reserved by the noise stream."""


def _integer(name: str, value: Any, limit: int, limit_text: str, also: str = "") -> int:
    """Return value as an int in [0, limit), or raise an error that names the argument."""
    allowed = f"an integer in [0, {limit_text})" + (f", {also}" if also else "")
    try:
        if isinstance(value, bool):
            raise TypeError("a bool is no number here")
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be {allowed}; got {value!r} of type {type(value).__name__}") from None
    if not 0 <= number < limit:
        raise ValueError(f"{name} must be {allowed}; got {number}")
    return number


_lock = threading.Lock()
"""For all generators: it is held for a moment only, and one lock can be kept free while the process forks."""


class Generator:
    """A seed and a count of draws: each call of `next` hands out the next stream of the seed.

    Parameters
    ----------
    seed
        An integer in [0, 2**64), or None for 64 bits from the operating system.
    stream
        The stream of the first draw, an integer in [0, 2**63).

    Raises
    ------
    TypeError
        If `seed` or `stream` is not an integer (bool and float are refused).
    ValueError
        If `seed` or `stream` is out of its range.

    Notes
    -----
    Safe to share between threads: no two calls of `next` get the same stream. Two generators are equal when
    they would hand out the same keys from now on. A copy or an unpickled generator goes on where the original
    stood.

    Examples
    --------
    >>> rng = Generator(7)
    >>> rng.next(), rng.next()
    ((7, 0), (7, 1))
    >>> rng
    Generator(7, stream=2)
    """

    __slots__ = ("_seed", "_stream")

    def __init__(self, seed: int | None = None, *, stream: int = 0) -> None:
        self._seed = secrets.randbits(64) if seed is None else _integer("seed", seed, SEED_LIMIT, "2**64")
        self._stream = _integer("stream", stream, STREAM_LIMIT, "2**63")

    @property
    def seed(self) -> int:
        """The seed, an integer in [0, 2**64)."""
        return self._seed

    @property
    def stream(self) -> int:
        """The stream that the next draw will get."""
        return self._stream

    def next(self) -> tuple[int, int]:
        """Return (seed, stream) for one draw and advance the stream.

        Raises
        ------
        ValueError
            If all 2**63 streams of the seed are used up.
        """
        with _lock:
            stream = self._stream
            if stream >= STREAM_LIMIT:
                raise ValueError(
                    f"all 2**63 streams of seed {self._seed} are used up; make a Generator with another seed"
                )
            self._stream = stream + 1
            return self._seed, stream

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Generator):
            return NotImplemented
        return (self._seed, self._stream) == (other._seed, other._stream)

    __hash__ = None  # type: ignore[assignment]  # equality changes with every draw

    def __repr__(self) -> str:
        return f"Generator({self._seed}, stream={self._stream})"

    def __getstate__(self) -> tuple[int, int]:
        return self._seed, self._stream

    def __setstate__(self, state: tuple[int, int]) -> None:
        self._seed, self._stream = state


_default = Generator()
_default_seeded_by_user = False


def default_generator() -> Generator:
    """Return the generator that is used where no seed is given."""
    return _default


def seed(seed: int | None = None) -> None:
    """Restart the default generator: with this seed, or with 64 bits from the operating system if None.

    Raises TypeError or ValueError as Generator does.
    """
    global _default, _default_seeded_by_user
    _default = Generator(seed)
    _default_seeded_by_user = seed is not None


def resolve(seed: int | Generator | None, stream: int | None) -> tuple[int, int]:
    """Turn the arguments `seed` and `stream` of a draw into the key (seed, stream).

    An integer seed is used with `stream` (0 if None). A Generator, or None for the default one, chooses the
    stream itself and is advanced, so `stream` must then be left out.

    Raises
    ------
    TypeError
        If `seed` is neither an integer, a Generator nor None, or `stream` neither an integer nor None.
    ValueError
        If `seed` or `stream` is out of its range, or `stream` comes with a Generator or with no seed.
    """
    if seed is None or isinstance(seed, Generator):
        if stream is not None:
            given = "no seed" if seed is None else "a Generator as seed"
            raise ValueError(
                f"stream={stream!r} was given with {given}, but a generator chooses the stream of each draw "
                "itself; leave stream out, or give an integer seed"
            )
        return (default_generator() if seed is None else seed).next()
    key = _integer("seed", seed, SEED_LIMIT, "2**64", also="a Generator or None")
    return key, 0 if stream is None else _integer("stream", stream, STREAM_LIMIT, "2**63")


def _after_fork_in_child() -> None:
    """Keep a forked child from repeating its parent's draws, unless the user chose the seed."""
    global _default
    _lock.release()
    _default = Generator(_default.seed, stream=_default.stream) if _default_seeded_by_user else Generator()


if hasattr(os, "register_at_fork"):
    # No other thread can then be in the middle of a draw, and leave the child a lock that nobody releases.
    os.register_at_fork(
        before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_after_fork_in_child
    )
