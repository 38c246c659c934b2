"""What a session costs when nothing happens, and what it leaves when it ends."""

from __future__ import annotations

import gc
import os
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

from conftest import said

from gumbel4j import Session

Python = Callable[[str], subprocess.Popen[str]]


def cpu_nanoseconds(pid: int) -> int:
    """Return the processor time that the threads of a process have taken."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)


def test_idle_session_takes_no_processor(session: Session) -> None:
    """Neither process polls: both together take less than 0.1 % of a core, once Java's compilers are done."""
    session.gumbel((3, 4), seed=1)
    pid = session.info()["pid"]
    for _ in range(10):
        java = cpu_nanoseconds(pid)
        python = time.process_time_ns()
        time.sleep(1)
        taken = time.process_time_ns() - python + cpu_nanoseconds(pid) - java
        if taken < 1_000_000:
            return
    raise AssertionError(f"{taken} ns of a second")


def test_idle_java_is_small(session: Session) -> None:
    """At most 100 MiB resident, apart from memory that it shares with Python."""
    with Session() as s:
        s.gumbel((3, 4), seed=1)
        status = Path(f"/proc/{s.info()['pid']}/status").read_text()
    kibibytes = {line.split(":")[0]: line.split()[1] for line in status.splitlines() if "kB" in line}
    assert int(kibibytes["RssAnon"]) + int(kibibytes["RssFile"]) < 100 << 10


def test_many_starts_leave_nothing() -> None:
    """Sessions one after another end with as many files, mappings and threads as one."""

    def use() -> None:
        with Session(threads=1, backend="java") as s:
            s.gumbel((300, 1000), seed=1)

    def held() -> tuple[int, int, int]:
        gc.collect()
        return len(os.listdir("/proc/self/fd")), maps(), threading.active_count()

    def maps() -> int:
        return sum("gumbel4j" in line for line in Path("/proc/self/maps").read_text().splitlines())

    use()
    before = held()
    for _ in range(5):
        use()
    assert held() == before


def test_exit_is_silent_whatever_is_left(python: Python) -> None:
    """Open sessions, reference cycles, finalizers that raise, threads in calls: no traceback at exit."""
    child = python("""
import gc, threading
import numpy as np
from gumbel4j import Session
import gumbel4j

class Cycle:
    def __init__(self, session, array):
        self.session, self.array, self.me = session, array, self

class Last:
    def __init__(self, session):
        self.session = session
    def __del__(self):
        try:
            self.session.gumbel((2, 3), seed=1)
        except RuntimeError:
            pass  # too late for a call is a plain error

s = Session(backend="java")
Cycle(s, s.gumbel((300, 1000), seed=1))
last = Last(s)
gumbel4j.gumbel((2, 3), seed=1)
keep = gumbel4j.gumbel((2, 3), seed=1)
def forever(session):
    try:
        while True:
            session.gumbel((300, 1000), seed=2)
    except RuntimeError:
        pass  # its Java ended with Python
threading.Thread(target=forever, args=(s,), daemon=True).start()
del s
gc.collect()
print("done")
""")
    out, err = child.communicate(timeout=60)
    assert (out, said(err), child.returncode) == ("done\n", "", 0)
