"""The life of a session: threads, death of Java, fork, info, arguments."""

from __future__ import annotations

import os
import pickle
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pytest

from gumbel4j import Generator, Session
from gumbel4j._bridge import Bridge


def test_info(session: Session) -> None:
    """What the documentation promises, with sensible values."""
    info = session.info()
    assert set(info) == {
        "package", "jar", "native", "python", "numpy", "py4j", "java", "java_vendor", "java_home",
        "java_found", "backend", "isa", "reason", "data_plane", "threads", "pid",
        "java_options", "start_cache", "start_seconds",
    }  # fmt: skip
    assert info["package"] == info["jar"]
    assert int(info["java"].split(".")[0].split("-")[0]) >= 25
    assert info["backend"] in ("java", "native")
    assert (info["native"] is None) == (info["backend"] == "java")
    assert info["threads"] >= 1


def test_backends_give_the_same_bits(session: Session) -> None:
    """Java's own kernels, on one thread, against the default ones on all."""
    x = session.gumbel((257, 1000), seed=1)
    with Session(threads=1, backend="java") as java:
        assert (java.info()["backend"], java.info()["isa"], java.info()["threads"]) == ("java", "jvm", 1)
        np.testing.assert_array_equal(
            java.gumbel_softmax(x, 0.5, seed=2), session.gumbel_softmax(x, 0.5, seed=2)
        )


def test_death_of_java_between_calls(session: Session) -> None:
    """Nobody notices but for a warning in the log."""
    with Session() as s:
        pid = s.info()["pid"]
        os.kill(pid, signal.SIGKILL)
        assert s._runtime._bridge.process.wait(2)
        np.testing.assert_array_equal(s.gumbel((2, 3), seed=5), session.gumbel((2, 3), seed=5))


def test_forked_child_is_refused(python: Callable[[str], subprocess.Popen[str]]) -> None:
    """It gets a clear error, may make a session of its own, and does its parent no harm."""
    child = python("""
import os, sys
from gumbel4j import Session
s = Session(backend="java")
expected = s.gumbel((2, 3), seed=1).tolist()
sys.stdout.flush()
pid = os.fork()
if pid == 0:
    try:
        s.gumbel((2, 3), seed=1)
    except RuntimeError as refused:
        print(refused)
    with Session(backend="java") as own:
        print(own.gumbel((2, 3), seed=1).tolist() == expected)
    s.close()
    del s
    sys.exit(0)  # with all of Python's clean-up
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
print(s.gumbel((2, 3), seed=1).tolist() == expected, s._runtime._bridge.alive)
""")
    out, err = child.communicate(timeout=60)
    lines = out.splitlines()
    assert err == ""
    assert "belongs to process" in lines[0]
    assert "make a new Session here" in lines[0]
    assert lines[1:] == ["True", "0", "True True"]


def test_close_during_a_call() -> None:
    """Whoever is in a call gets an error, not a hang."""
    s = Session(threads=1, backend="java")
    out = s.empty((6000, 10000), np.float64)
    threading.Timer(0.3, s.close).start()
    began = time.monotonic()
    with pytest.raises(RuntimeError, match="Java ended"):
        s.gumbel(out.shape, seed=1, dtype=np.float64, out=out)
    assert time.monotonic() - began < 5


def test_pickling_is_refused(session: Session) -> None:
    """A running process cannot travel."""
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(session)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"threads": 0}, ValueError, "threads = 0"),
        ({"threads": 1.5}, TypeError, "threads must be an integer or None; got 1.5"),
        ({"backend": "cuda"}, ValueError, "backend = 'cuda': must be one of auto, java, native"),
        ({"start_timeout": 0}, ValueError, "start_timeout = 0"),
    ],
)
def test_arguments_of_a_session(arguments: dict[str, object], error: type[Exception], message: str) -> None:
    """Refused before anything is started."""
    with pytest.raises(error, match=message):
        Session(**arguments)  # type: ignore[arg-type]


def test_generators_advance(session: Session) -> None:
    """Each call takes the next stream; a call that is refused takes none."""
    rng = Generator(7)
    first = session.gumbel((2, 3), seed=rng)
    with pytest.raises(TypeError):
        session.gumbel((2, 3), seed=rng, dtype=np.int32)
    second = session.gumbel((2, 3), seed=rng)
    np.testing.assert_array_equal(first, session.gumbel((2, 3), seed=7, stream=0))
    np.testing.assert_array_equal(second, session.gumbel((2, 3), seed=7, stream=1))


def test_strangers_are_kept_out(session: Session) -> None:
    """No token, a wrong one, or another command than a call of the entry point: refused, and no harm done."""
    bridge = session._runtime._bridge
    token = bridge.process.token
    call = "c\nt\ndescribe\ne\n"
    reach_the_jvm = "r\nu\njava.lang.Runtime\nrj\ne\n"
    other_object = "c\nGATEWAY_SERVER\nshutdown\ne\n"
    for text in (
        call,
        f"A\n{'0' * 64}\n{call}",
        f"A\n{token}\n{reach_the_jvm}",
        f"A\n{token}\n{other_object}",
    ):
        with socket.create_connection(("127.0.0.1", bridge.process.port), timeout=5) as stranger:
            answer = b""
            with suppress(OSError):  # Java breaks off at any moment
                stranger.sendall(text.encode())
                stranger.shutdown(socket.SHUT_WR)
                while part := stranger.recv(4096):
                    answer += part
        assert b"version=" not in answer
        assert b"!yro" not in answer  # Py4J's way to hand out an object
    assert session.gumbel((2, 3), seed=1).shape == (2, 3)


@pytest.mark.parametrize("elements", [4, 1 << 14])
def test_small_results_take_one_round_trip(
    session: Session, elements: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Up to 64 KiB, from the second call on: the first lets Java map the memory."""
    x = np.zeros(elements, np.float32)
    session.gumbel_softmax(x, seed=1)
    requests = []
    send = Bridge._send

    def noted(self: Bridge, command: bytes, *rest: Any) -> bytes:
        requests.append(command)
        return send(self, command, *rest)

    monkeypatch.setattr(Bridge, "_send", noted)
    for stream in range(3):
        session.gumbel_softmax(x, seed=1, stream=stream)
        session.categorical(x, seed=1, stream=stream)
    assert len(requests) == 6
