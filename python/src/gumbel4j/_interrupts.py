"""Ctrl-C held back where it would cut in two what belongs together."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # signal makes enum members of all it is given
import _thread
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Final

_SIGINT: Final = int(signal.SIGINT)

_MOMENT: Final = 0.005
"""Seconds in which a finalizer has surely ended."""


class HeldBack:
    """A context in which Ctrl-C waits until its end. Only for steps that take no time.

    Python handles signals in its main thread alone, between any two steps of it: after memory was taken and
    before anything knows of it, for one. In other threads this does nothing.

    Parameters
    ----------
    in_finalizer
        Whether it is used where an exception goes nowhere: then Ctrl-C is pressed again a moment later.
    """

    __slots__ = ("_former", "_in_finalizer", "_pressed")

    def __init__(self, *, in_finalizer: bool = False) -> None:
        self._in_finalizer = in_finalizer
        self._former: Callable[[int, FrameType | None], Any] | None = None
        self._pressed: tuple[int, FrameType | None] | None = None

    def __enter__(self) -> None:
        if threading.get_ident() == threading.main_thread().ident:
            former = _signal.getsignal(_SIGINT)
            if callable(former):
                self._former = former
                _signal.signal(_SIGINT, self._hold)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        former = self._former
        if former is None:
            return
        _signal.signal(_SIGINT, former)
        pressed = self._pressed
        if pressed is None:
            return
        if self._in_finalizer:
            # Not a threading.Thread, whose start waits for the thread, and would be what is interrupted.
            _thread.start_new_thread(_press_soon, (threading.get_ident(),))
        else:
            former(*pressed)

    def _hold(self, number: int, frame: FrameType | None) -> None:
        self._pressed = number, frame


def _press_soon(thread: int) -> None:
    time.sleep(_MOMENT)
    signal.pthread_kill(thread, signal.SIGINT)  # also wakes a thread that waits
