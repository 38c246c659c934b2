"""Start and end of the Java process: clear errors, no secrets in view, nothing left behind."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import gone_within, process_exists

from gumbel4j import Session, _launcher

Python = Callable[[str], subprocess.Popen[str]]

LONG_CALL = """
import sys, threading
from gumbel4j import Session
s = Session(threads=1, backend="java")
print(s.info()["pid"], flush=True)
threading.Timer(0.3, lambda: print("under way", flush=True)).start()
s.gumbel((6000, 10000), seed=1, dtype="float64")
print("ended too early", flush=True)
"""


def fake_java(folder: Path, script: str) -> Path:
    """Make a JDK 25 whose java is a shell script."""
    (folder / "bin").mkdir(parents=True)
    (folder / "release").write_text('JAVA_VERSION="25"\n')
    program = folder / "bin" / "java"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return folder


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder that nobody else uses, for this process and its children."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def test_java_that_dies_with_rubbish(tmp_path: Path) -> None:
    """The error holds exit status and last output."""
    home = fake_java(tmp_path, "echo 'Unrecognized rubbish' >&2; exit 7")
    with pytest.raises(RuntimeError, match=r"(?s)did not start.*exit status 7.*Unrecognized rubbish"):
        Session(java_home=home)


def test_java_that_hangs(tmp_path: Path) -> None:
    """The deadline holds, and the process is ended."""
    pid_file = tmp_path / "pid"
    home = fake_java(tmp_path / "home", f"echo $$ > {pid_file}; exec sleep 60")
    began = time.monotonic()
    with pytest.raises(RuntimeError, match=r"within start_timeout = 0.5 seconds"):
        Session(java_home=home, start_timeout=0.5)
    assert time.monotonic() - began < 5
    assert not process_exists(int(pid_file.read_text()))


def test_java_that_cannot_be_run(tmp_path: Path) -> None:
    """A program that the system refuses to run is named."""
    home = fake_java(tmp_path, "")
    (home / "bin" / "java").write_bytes(b"\x7fELF rubbish")
    with pytest.raises(RuntimeError, match=r"cannot start Java.*bin/java"):
        Session(java_home=home)


def test_unwritable_temporary_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """The remedy is named."""
    monkeypatch.setattr(tempfile, "tempdir", "/proc/none")
    with pytest.raises(RuntimeError, match="point TMPDIR to a writable folder"):
        Session()


def test_forced_backend_that_cannot_load(monkeypatch: pytest.MonkeyPatch) -> None:
    """An argument of the JVM that makes the start fail is reported, not passed over."""
    monkeypatch.setenv("JDK_JAVA_OPTIONS", "-XX:NoSuchOption=1")
    with pytest.raises(RuntimeError, match=r"(?s)did not start.*NoSuchOption"):
        Session()


def test_token_is_nowhere_in_view(temporary: Path) -> None:
    """Not in the command line, not in the environment, not on disk."""
    with Session() as s:
        token = s._runtime._bridge.process.token
        assert len(token) == 64
        for view in ("cmdline", "environ"):
            assert token not in Path(f"/proc/{s.info()['pid']}/{view}").read_text(errors="replace")
        assert list(temporary.iterdir()) == []


def test_token_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Also when Py4J logs everything it sends."""
    with caplog.at_level("DEBUG"), Session() as s:
        token = s._runtime._bridge.process.token
        s.gumbel((2, 2), seed=1)
    assert any(record.name.startswith("py4j") for record in caplog.records)
    assert token not in caplog.text


def test_close_leaves_nothing(temporary: Path) -> None:
    """No process, no file, no open descriptor; what was returned stays valid."""
    descriptors = len(os.listdir("/proc/self/fd"))
    s = Session()
    pid = s.info()["pid"]
    kept = s.gumbel((300, 1000), seed=1)
    s.close()
    s.close()
    assert not process_exists(pid)
    assert list(temporary.iterdir()) == []
    assert not list(Path("/tmp").glob(f"hsperfdata_*/{pid}"))
    np.testing.assert_array_equal(np.isfinite(kept), True)
    del kept, s
    assert len(os.listdir("/proc/self/fd")) == descriptors
    with pytest.raises(RuntimeError, match="closed"):
        with Session() as s:
            pass
        s.gumbel((2, 2), seed=1)


def test_garbage_collection_ends_java() -> None:
    """A session that nobody holds is closed."""
    s = Session()
    pid = s.info()["pid"]
    del s
    assert gone_within(2, pid)


def test_normal_exit_ends_java(python: Python) -> None:
    """Without close, and without a word on standard error."""
    child = python(
        "from gumbel4j import Session\ns = Session(backend='java')\n"
        "y = s.gumbel((3, 4), seed=1)\nprint(s.info()['pid'])"
    )
    out, err = child.communicate(timeout=30)
    assert err == ""
    assert child.returncode == 0
    assert gone_within(2, int(out))


def test_kill_9_ends_java(python: Python) -> None:
    """A Python that is killed while nothing is going on takes Java with it."""
    child = python(
        "import time\nfrom gumbel4j import Session\ns = Session()\n"
        "print(s.info()['pid'], flush=True)\ntime.sleep(60)"
    )
    assert child.stdout is not None
    pid = int(child.stdout.readline())
    child.kill()
    assert gone_within(2, pid)


def test_kill_9_in_a_call_ends_java(python: Python, temporary: Path) -> None:
    """Also in the middle of a long call, and no file stays."""
    child = python(LONG_CALL)
    assert child.stdout is not None
    pid = int(child.stdout.readline())
    assert child.stdout.readline() == "under way\n"
    child.kill()
    assert gone_within(2, pid)
    assert list(temporary.iterdir()) == []


def test_kill_9_while_a_forked_child_lives(python: Python) -> None:
    """A child that was forked off must not keep its parent's Java alive."""
    child = python(
        "import os, time\nfrom gumbel4j import Session\ns = Session()\n"
        "if os.fork() == 0:\n    os.close(1)\n    os.close(2)\n    time.sleep(5)\n    os._exit(0)\n"
        "print(s.info()['pid'], flush=True)\ntime.sleep(60)"
    )
    assert child.stdout is not None
    pid = int(child.stdout.readline())
    child.kill()
    assert gone_within(2, pid)


def test_handshake_folder_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Java gets a folder that only this user can enter."""
    seen = tmp_path / "seen"
    home = fake_java(tmp_path / "home", f'for a; do b=$c; c=$a; done; stat -c %a "$b" > {seen}; exit 1')
    with pytest.raises(RuntimeError, match="did not start"):
        Session(java_home=home)
    assert seen.read_text().strip() == "700"


def test_interrupt_at_start_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while Java starts ends the process."""
    started: list[_launcher.JavaProcess] = []

    def interrupt(process: _launcher.JavaProcess, *_: object) -> None:
        started.append(process)
        raise KeyboardInterrupt

    monkeypatch.setattr(_launcher, "_await_answer", interrupt)
    with pytest.raises(KeyboardInterrupt):
        Session()
    assert not process_exists(started[0].pid)
