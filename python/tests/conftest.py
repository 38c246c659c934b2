"""What the tests share: one session, and Python programs to run in processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from gumbel4j import Session

# Started in the background of a shell, a run inherits that Ctrl-C is ignored, and would hand that on to the
# programs it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Tests write nothing into the user's home, and nothing runs beside them that they did not ask for.
os.environ["GUMBEL4J_START_CACHE"] = "off"


@pytest.fixture(scope="session")
def session() -> Iterator[Session]:
    """A session with the default settings, for all tests that leave it as it was."""
    with Session() as shared:
        yield shared


@pytest.fixture
def python(tmp_path: Path) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Start a program in a Python of its own; its standard output is a pipe."""
    started: list[subprocess.Popen[str]] = []

    def start(program: str) -> subprocess.Popen[str]:
        file = tmp_path / f"program_{len(started)}.py"
        file.write_text(program)
        started.append(
            subprocess.Popen(
                [sys.executable, str(file)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def said(stderr: str) -> str:
    """Return what a program said, but for the warning it owes the user where no C compiler was at hand."""
    lines = stderr.splitlines(keepends=True)
    return "".join(line for line in lines if "using the slower Java backend" not in line)


def process_exists(pid: int) -> bool:
    """Whether a process of this id runs (one that has ended and waits for its parent does not)."""
    try:
        return state(Path(f"/proc/{pid}")) not in "ZX"
    except FileNotFoundError:
        return False


def children() -> set[int]:
    """Return the process ids of the running children of all threads of this process."""
    pids: set[int] = set()
    for task in Path("/proc/self/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # the thread has ended
            pids.update(map(int, (task / "children").read_text().split()))
    return {pid for pid in pids if process_exists(pid)}


def state(process: Path) -> str:
    """Return the state of a process or thread by its folder in /proc, such as "R" (runs) or "T" (stopped)."""
    return (process / "stat").read_text().rpartition(")")[2].split()[0]


def gone_within(seconds: float, pid: int) -> bool:
    """Whether a process ends within some seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not process_exists(pid):
            return True
        time.sleep(0.02)
    return not process_exists(pid)
