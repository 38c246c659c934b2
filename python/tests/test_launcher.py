"""Start and end of the Java process: clear errors, no secrets in view, nothing left behind."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import gone_within, process_exists

from gumbel4j import Session, _launcher

Python = Callable[[str], subprocess.Popen[str]]


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder that nobody else uses, for this process and its children."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


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


def test_interrupt_at_start_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while Java starts ends the process."""
    started: list[_launcher.JavaProcess] = []

    def interrupt(process: _launcher.JavaProcess, *_: object) -> None:
        started.append(process)
        raise KeyboardInterrupt

    monkeypatch.setattr(_launcher.JavaProcess, "_shake_hands", interrupt)
    with pytest.raises(KeyboardInterrupt):
        Session()
    assert not process_exists(started[0].pid)
