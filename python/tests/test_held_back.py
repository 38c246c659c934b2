"""Ctrl-C between any two lines of the pool: nothing is lost, and it is heard."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

import numpy as np
import pytest

from gumbel4j import _memory
from gumbel4j._interrupts import HeldBack
from gumbel4j.soak.remains import take_stock


def test_ctrl_c_waits_for_the_end() -> None:
    reached = []
    with pytest.raises(KeyboardInterrupt), HeldBack():
        signal.raise_signal(signal.SIGINT)
        reached.append("after the first")
        with HeldBack():
            signal.raise_signal(signal.SIGINT)
            reached.append("within")
        reached.append("after the second")  # which the inner one handed on to the outer
    assert reached == ["after the first", "within", "after the second"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_nothing_changes_elsewhere() -> None:
    """In other threads, and where Ctrl-C is ignored."""
    seen = []

    def look() -> None:
        with HeldBack():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    former = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        look()
    finally:
        signal.signal(signal.SIGINT, former)
    assert seen == [former, signal.SIG_IGN]


def interrupted_at(line: int, action: Any) -> bool:
    """Press Ctrl-C before the given line that an action runs of the pool; return whether it came so far."""
    count = 0

    def trace(frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal count
        if frame.f_code.co_filename != _memory.__file__:
            return None
        if event == "line":
            count += 1
            if count == line:
                signal.raise_signal(signal.SIGINT)
        return trace

    sys.settrace(trace)
    try:
        action()
        sys.settrace(None)
        time.sleep(0.05)  # from a finalizer it comes a moment later
    finally:
        sys.settrace(None)
    return count >= line


def interrupted_everywhere(action: Any, check: Callable[[str], None]) -> tuple[int, int]:
    """Press Ctrl-C before each line in turn, and check what is left; return how many, and how often heard."""
    lines = heard = 0
    while True:
        try:
            if not interrupted_at(lines + 1, action):
                return lines, heard
        except KeyboardInterrupt:
            heard += 1
        lines += 1
        check(f"line {lines}")


# Python cannot hand on what hits the very first line of a finalizer, and tells of it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("size", [100, 3 << 20], ids=["shared", "own"])
def test_ctrl_c_at_any_line(size: int) -> None:
    """An array comes and goes, or Ctrl-C is heard; then all memory can be had back."""
    pool = _memory.Pool(_memory.DATA_PLANES[0])
    pool.empty((size,), np.dtype(np.uint8))
    pool.trim()
    gc.collect()
    before = take_stock()

    def come_and_go() -> None:
        array = pool.empty((size,), np.dtype(np.uint8))
        array[:] = 1
        del array
        pool.trim()

    def nothing_is_left(where: str) -> None:
        pool.trim()
        more = take_stock().more_than(before)
        more.pop("files", None)  # those are of other sessions on this machine: this memory has no name
        assert more == {}, where

    lines, heard = interrupted_everywhere(come_and_go, nothing_is_left)
    assert lines > 50
    assert heard >= lines - 1


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_ctrl_c_at_any_line_of_a_fork() -> None:
    """No lock stays locked."""
    pool = _memory.Pool(_memory.DATA_PLANES[0])
    array = pool.empty((100,), np.dtype(np.uint8))

    def fork() -> None:
        if os.fork() == 0:
            os._exit(0)
        os.wait()

    def no_lock_is_held(where: str) -> None:
        assert not pool._lock.locked(), where
        assert not _memory._fork_lock.locked(), where

    lines, heard = interrupted_everywhere(fork, no_lock_is_held)
    assert array.size == 100
    assert lines > 10
    assert heard >= lines - 3  # but for what hits the first line of one of the three hooks


def test_a_forked_child_gives_nothing_back(python: Callable[[str], subprocess.Popen[str]]) -> None:
    """The memory that a child drops with its copy of a session is its parent's."""
    out, err = python("""
import gc, os
from gumbel4j import Session

s = Session(threads=1)
x = s.empty(1000)
del x  # unused memory, which the parent may take again
expected = s.gumbel(1000, seed=1).tolist()
if os.fork() == 0:
    del s
    gc.collect()
    os._exit(0)
y = s.gumbel(1000, seed=1)
os.wait()
print(y.tolist() == expected)
""").communicate(timeout=60)
    assert (out, err) == ("True\n", "")
