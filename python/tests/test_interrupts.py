"""Ctrl-C in a call: a quick KeyboardInterrupt, and right results afterwards."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import children, state
from numpy.typing import NDArray

from gumbel4j import Session

Python = Callable[[str], subprocess.Popen[str]]

LONG_CALL = """
import time
import numpy as np
from gumbel4j import Session

s = Session(threads=1, backend="java")
expected = s.gumbel((300, 1000), seed=5)
s.gumbel((2, 3), seed=1)
print("calling", flush=True)
try:
    s.gumbel((6000, 10000), seed=1, dtype="float64")
    print("ended too early", flush=True)
except KeyboardInterrupt:
    print("interrupted", time.monotonic(), flush=True)
# Java may still be writing: memory that is handed out now must be other memory.
mine = s.empty((6000, 10000), np.float64)
mine[:] = 7
began = time.monotonic()
print(np.array_equal(s.gumbel((300, 1000), seed=5), expected), flush=True)
while s._runtime._bridge._in_use and time.monotonic() - began < 5:
    s.gumbel((2, 3), seed=1)
print(bool((mine == 7).all()), len(s._runtime._bridge._in_use), flush=True)
"""


def test_ctrl_c_in_a_long_call(python: Python) -> None:
    """KeyboardInterrupt within half a second; the next call works; memory in use is not handed out."""
    child = python(LONG_CALL)
    assert child.stdout is not None
    assert child.stdout.readline() == "calling\n"
    time.sleep(0.5)
    sent = time.monotonic()
    child.send_signal(signal.SIGINT)
    word, _, moment = child.stdout.readline().partition(" ")
    assert word == "interrupted"
    assert float(moment) - sent < 0.5
    out, err = child.communicate(timeout=60)
    assert out.splitlines() == ["True", "True 0"]
    assert err == ""


def test_two_hundred_interrupts_at_random_moments(session: Session) -> None:
    """Wherever one strikes (copy, call, result): KeyboardInterrupt at once, and later results are right."""
    logits = np.zeros((500, 1000), np.float32)  # not in shared memory: copied first
    expected = session.gumbel_softmax(logits, seed=3)
    small = session.gumbel((2, 3), seed=3)
    moments = random.Random(1)
    slowest = 0.0
    for _ in range(200):
        sent = [0.0]

        def interrupt(sent: list[float] = sent) -> None:
            sent[0] = time.monotonic()
            os.kill(os.getpid(), signal.SIGINT)

        timer = threading.Timer(moments.uniform(0, 0.01), interrupt)
        with pytest.raises(KeyboardInterrupt):
            timer.start()
            while True:
                session.gumbel_softmax(logits, seed=4)
                session.gumbel((2, 3), seed=4)
        slowest = max(slowest, time.monotonic() - sent[0])
        timer.join()
        np.testing.assert_array_equal(session.gumbel_softmax(logits, seed=3), expected)
        np.testing.assert_array_equal(session.gumbel((2, 3), seed=3), small)
    assert slowest < 0.5
    bridge = session._runtime._bridge
    while bridge._abandoned:
        bridge.settle()
    assert bridge._in_use == {}


def test_interrupts_at_start() -> None:
    """Wherever one strikes while Java is found, started and asked: nothing is left running."""
    moments = random.Random(2)
    before = children()
    problems = []  # with their tracebacks, as a notebook keeps them: no clean-up may wait for their end
    for _ in range(10):
        timer = threading.Timer(moments.uniform(0, 0.4), os.kill, (os.getpid(), signal.SIGINT))
        with pytest.raises(KeyboardInterrupt) as problem:
            timer.start()
            while True:
                Session(backend="java").close()
        problems.append(problem)
        ended = time.monotonic()
        while children() - before and time.monotonic() - ended < 0.5:
            time.sleep(0.01)
        assert children() - before == set()


def test_ctrl_c_while_java_hangs(python: Python) -> None:
    """Java cannot be told any more that nobody waits: Python does not wait for that."""
    child = python("""
import os, pathlib, signal, time
from gumbel4j import Session
s = Session(backend="java")
expected = s.gumbel((2, 3), seed=1).tolist()
pid = s.info()["pid"]
os.kill(pid, signal.SIGSTOP)
threads = pathlib.Path(f"/proc/{pid}/task")
while any(") T " not in (thread / "stat").read_text() for thread in threads.iterdir()):
    time.sleep(0.01)
print("calling", flush=True)
try:
    s.gumbel((2, 3), seed=1)
except KeyboardInterrupt:
    print("interrupted", time.monotonic(), flush=True)
os.kill(pid, signal.SIGCONT)
print(s.gumbel((2, 3), seed=1).tolist() == expected)
""")
    assert child.stdout is not None
    assert child.stdout.readline() == "calling\n"
    time.sleep(0.3)
    sent = time.monotonic()
    child.send_signal(signal.SIGINT)
    word, _, moment = child.stdout.readline().partition(" ")
    assert word == "interrupted"
    assert float(moment) - sent < 0.5
    assert child.communicate(timeout=60) == ("True\n", "")


def place(session: Session, out: NDArray[Any]) -> str:
    """Return where a matrix of float32 is, as Java is told."""
    found = session._runtime._pool.locate(out)
    assert found is not None
    rows, classes = out.shape
    return f"{found[0].number}:{found[1]}:float32:1:{rows}:{classes}:0:{classes}:1"


def test_job_that_is_cancelled_before_it_comes(session: Session) -> None:
    """Java may see the cancellation first; the job then never starts."""
    bridge = session._runtime._bridge
    job = next(bridge._job_numbers)
    bridge._call("cancel", job)
    out = session.empty((2, 3))
    out[:] = 7
    reference = place(session, out)
    reply = bridge._call("submit", job, "gumbel", f"out={reference} seed=1 stream=0 first_row=0")
    assert reply == "cancelled"
    assert (out == 7).all()


def test_request_that_is_sent_twice_runs_once(session: Session) -> None:
    """A repeated submit answers with the first one's outcome."""
    bridge = session._runtime._bridge
    job = next(bridge._job_numbers)
    out = session.empty((2, 3))
    arguments = f"out={place(session, out)} seed=1 stream=0 first_row=0"
    assert bridge._call("submit", job, "gumbel", arguments) == "done\t"
    out[:] = 7
    assert bridge._call("submit", job, "gumbel", arguments) == "done\t"
    assert (out == 7).all()


def test_broken_connections_are_replaced(session: Session) -> None:
    """A connection that broke while Java lives costs nothing but a new one."""
    bridge = session._runtime._bridge
    expected = session.gumbel((2, 3), seed=1)
    for connection in bridge._idle:
        connection._socket.shutdown(2)
    np.testing.assert_array_equal(session.gumbel((2, 3), seed=1), expected)
    assert session._runtime._bridge is bridge


def test_java_that_gives_no_answer() -> None:
    """A Java that hangs is ended, the call raises, and the next call starts another."""
    with Session() as s:
        expected = s.gumbel((2, 3), seed=1)
        pid = s.info()["pid"]
        os.kill(pid, signal.SIGSTOP)
        while {state(task) for task in Path(f"/proc/{pid}/task").iterdir()} != {"T"}:
            time.sleep(0.01)
        s._runtime._bridge.answer_timeout = 0.3
        with pytest.raises(RuntimeError, match=r"no answer for 0.3 seconds and was ended"):
            s.gumbel((2, 3), seed=1)
        np.testing.assert_array_equal(s.gumbel((2, 3), seed=1), expected)
        assert s.info()["pid"] != pid
