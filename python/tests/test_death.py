"""The death of Java or of Python, whenever it comes: no wrong number, nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import gone_within

from gumbel4j import Session
from gumbel4j._bridge import JavaEndedError, _Connection
from gumbel4j._launcher import JavaProcess

Python = Callable[[str], subprocess.Popen[str]]


def kill_in_a_call(session: Session, number: signal.Signals) -> threading.Thread:
    """Send a signal to a session's Java soon after an operator has begun to run there."""
    bridge = session._runtime._bridge

    def kill() -> None:
        while not bridge._in_use:
            time.sleep(0.01)
        time.sleep(0.1)
        os.kill(bridge.process.pid, number)

    thread = threading.Thread(target=kill)
    thread.start()
    return thread


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_death_in_a_call(number: signal.Signals, capfd: pytest.CaptureFixture[str]) -> None:
    """The call raises; what was returned stays; the next call starts another Java with the same numbers."""
    with Session(threads=1, backend="java") as s:
        kept = s.gumbel((300, 1000), seed=5)
        expected = kept.copy()
        pid = s.info()["pid"]
        killer = kill_in_a_call(s, number)
        with pytest.raises(RuntimeError, match=r"(?s)Java ended during the call.*(SIGKILL|SIGSEGV)"):
            s.gumbel((2000, 10000), seed=1, dtype=np.float64)
        killer.join()
        np.testing.assert_array_equal(kept, expected)
        np.testing.assert_array_equal(s.gumbel((300, 1000), seed=5), expected)
        assert s.info()["pid"] != pid
        soft = s.gumbel_softmax(kept, seed=6)
        np.testing.assert_array_equal(s.gumbel_softmax(kept.copy(), seed=6), soft)
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("plane", ["memfd", "shm", "file"])
def test_call_at_the_moment_of_death(plane: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Java that was killed a moment ago, and still looks alive, costs a new start and no error.

    Memory that its successor cannot reach is done without.
    """
    monkeypatch.setenv("GUMBEL4J_DATA_PLANE", plane)
    with Session(threads=1, backend="java") as s:
        x = s.empty((300, 1000))
        x[:] = 0
        out = s.empty((300, 1000))
        expected = s.gumbel_softmax(x, seed=5)
        calls: tuple[Callable[[], tuple[Any, ...]], ...] = (
            lambda: (s.gumbel_softmax(x, seed=5),),
            lambda: (s.gumbel_softmax(x, seed=5, out=out),),
            lambda: (s.categorical(x, seed=5),),
            lambda: s.vjp(expected, x, 0.5),
        )
        for delay, call in enumerate(calls):
            before = [np.array(result) for result in call()]
            out[:] = 7
            pid = s.info()["pid"]
            os.kill(pid, signal.SIGKILL)
            time.sleep(0.0005 * delay)
            for result, wanted in zip(call(), before, strict=True):
                np.testing.assert_array_equal(result, wanted)
            assert s.info()["pid"] != pid
        pid = s.info()["pid"]
        os.kill(pid, signal.SIGKILL)
        time.sleep(0.2)
        assert s.info()["pid"] != pid


def test_death_in_all_threads() -> None:
    """Calls of several threads either give their numbers or say that Java ended; one Java succeeds it."""
    with Session(threads=1, backend="java") as s:
        expected = s.gumbel((50, 100), seed=5)
        stop = threading.Event()
        wrong: list[object] = []

        def call() -> None:
            while not stop.is_set():
                try:
                    if not np.array_equal(s.gumbel((50, 100), seed=5), expected):
                        wrong.append("numbers")
                except RuntimeError as ended:
                    if "Java ended during the call" not in str(ended):
                        wrong.append(ended)

        threads = [threading.Thread(target=call) for _ in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(3):
            time.sleep(0.2)
            with suppress(ProcessLookupError):  # while its successor starts
                os.kill(s._runtime._bridge.process.pid, signal.SIGKILL)
        stop.set()
        for thread in threads:
            thread.join()
        assert wrong == []
        np.testing.assert_array_equal(s.gumbel((50, 100), seed=5), expected)


def test_calls_that_come_too_late_keep_nothing() -> None:
    """A thread may have been about to call when the session was closed: its arrays go."""
    with Session(threads=1, backend="java") as s:
        bridge = s._runtime._bridge
        array = s.gumbel((3, 4), seed=1)
        alive = weakref.ref(array)
    with pytest.raises(JavaEndedError):
        bridge.run("gumbel", "", [array])
    del array
    assert alive() is None
    assert not bridge._in_use


def test_connection_of_a_call_that_ends_with_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is closed, though its answer came after the others were."""
    ask = _Connection.ask
    with Session(threads=1, backend="java") as s:
        bridge = s._runtime._bridge

        def meanwhile(connection: _Connection, *arguments: Any) -> bytes:
            answer = ask(connection, *arguments)
            s.close()
            return answer

        with monkeypatch.context() as patch:
            patch.setattr(_Connection, "ask", meanwhile)
            bridge.round_trip()
    assert not bridge._idle


def test_ctrl_c_while_a_dead_java_is_put_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next call starts another all the same."""

    def interrupted(process: JavaProcess, grace: float = 0.0) -> None:
        raise KeyboardInterrupt

    with Session(threads=1, backend="java") as s:
        expected = s.gumbel((3, 4), seed=1)
        process = s._runtime._bridge.process
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait(60)
        with monkeypatch.context() as patch:
            patch.setattr(JavaProcess, "stop", interrupted)
            with pytest.raises(KeyboardInterrupt):
                s.gumbel((3, 4), seed=1)
        np.testing.assert_array_equal(s.gumbel((3, 4), seed=1), expected)


@pytest.mark.parametrize("plane", ["memfd", "shm", "file"])
def test_kill_9_of_python_leaves_nothing(
    plane: str, python: Python, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the middle of a long call: Java goes within two seconds, and no shared memory has a name."""
    monkeypatch.setenv("GUMBEL4J_DATA_PLANE", plane)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    child = python("""
import threading, time
import numpy as np
from gumbel4j import Session
s = Session(threads=1, backend="java")
def report():
    while not s._runtime._bridge._in_use:
        time.sleep(0.01)
    print(s._runtime._bridge.process.pid, flush=True)
threading.Thread(target=report).start()
s.gumbel((3000, 10000), seed=1, dtype="float64")
""")
    assert child.stdout is not None
    pid = int(child.stdout.readline())
    child.kill()
    assert gone_within(2, pid)
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith("gumbel4j")] == []
    assert [file for file in Path("/dev/shm").glob("gumbel4j-*") if file.stat().st_uid == os.getuid()] == []


@pytest.mark.parametrize("backend", ["auto", "java"])
def test_memory_that_is_taken_away(backend: str, python: Python, monkeypatch: pytest.MonkeyPatch) -> None:
    """Someone empties a file of shared memory under a call: an exception, and Python goes on."""
    monkeypatch.setenv("GUMBEL4J_DATA_PLANE", "file")  # files cannot be sealed
    child = python(f"""
import os
from gumbel4j import Session
s = Session(backend={backend!r})
expected = s.gumbel((300, 1000), seed=5).tolist()
x = s.empty((1000, 1000))
os.ftruncate(s._runtime._pool.locate(x)[0].fd, 0)
try:
    s.gumbel_softmax(x, seed=1)
except RuntimeError as fault:
    print("ended during the call" in str(fault) or "cut short" in str(fault))
print(s.gumbel((300, 1000), seed=5).tolist() == expected)
""")
    out, err = child.communicate(timeout=60)
    assert out.splitlines() == ["True", "True"], err


def test_call_timeout() -> None:
    """A call that takes too long raises, is ended in Java, and the next one works."""
    with Session(threads=1, backend="java", call_timeout=0.3) as s:
        expected = s.gumbel((3, 4), seed=1)
        out = s.empty((3000, 10000), np.float64)
        began = time.monotonic()
        with pytest.raises(TimeoutError, match="call_timeout = 0.3 seconds"):
            s.gumbel(out.shape, seed=1, dtype=np.float64, out=out)
        assert time.monotonic() - began < 2
        np.testing.assert_array_equal(s.gumbel((3, 4), seed=1), expected)


@pytest.mark.parametrize("name", ["start_timeout", "answer_timeout", "call_timeout"])
@pytest.mark.parametrize("seconds", [0, -1.0, float("nan"), float("inf")])
def test_deadlines_are_checked(name: str, seconds: float) -> None:
    """Nothing waits for ever, unless it is a call that may."""
    with pytest.raises(ValueError, match=f"{name} = .*positive number of seconds"):
        Session(**{name: seconds})  # type: ignore[arg-type]
