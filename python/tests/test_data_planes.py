"""Ways to share memory: where one is missing the next is taken, with the same results, and `info` says so."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import confined
import numpy as np
import pytest

from gumbel4j import Session

PROGRAM = """
import hashlib, os, signal, time
import numpy as np
import gumbel4j
def kill():
    os.kill(s.info()["pid"], signal.SIGKILL)
    time.sleep(0.1)
with gumbel4j.Session() as s:
    print(s.info()["data_plane"])
    x = s.empty((300, 1000))
    x[:] = np.arange(1000, dtype=np.float32) / 1000
    digest = hashlib.sha256(s.gumbel_softmax(x, 0.5, seed=1))
    digest.update(s.gumbel_softmax(x.copy(), 0.5, seed=2))
    kill()  # its successor cannot reach all memory of before
    y = s.gumbel_softmax(x, 0.5, seed=3)
    digest.update(y)
    kill()
    digest.update(s.vjp(y, x, 0.5)[0])
    print(digest.hexdigest())
"""


@pytest.fixture(scope="module")
def expected(session: Session) -> str:
    """What the program computes, on the data plane of this machine."""
    x = np.broadcast_to(np.arange(1000, dtype=np.float32) / 1000, (300, 1000))
    digest = hashlib.sha256()
    for seed in (1, 2, 3):
        y = session.gumbel_softmax(x, 0.5, seed=seed)
        digest.update(y)
    digest.update(session.vjp(y, x, 0.5)[0])
    return digest.hexdigest()


@pytest.mark.parametrize(
    ("program", "mounts", "plane"),
    [
        (confined.WITHOUT_MEMFD, "", "shm: .*; not memfd: .*Function not implemented"),
        ("", confined.PROC_HIDDEN, "shm: .*; not memfd: .*"),
        (
            confined.WITHOUT_MEMFD,
            confined.SHM_MISSING,
            "file: .*; not memfd: .*Function not implemented; not shm: .*No such file or directory.*",
        ),
        ("", confined.PROC_HIDDEN + "\n" + confined.SHM_MISSING, "file: .*; not memfd: .*; not shm: .*"),
    ],
    ids=["no memfd", "no proc", "no memfd, no shm", "no proc, no shm"],
)
def test_what_is_missing_is_done_without(
    program: str, mounts: str, plane: str, expected: str, tmp_path: Path
) -> None:
    """Each condition made for real, by a filter of system calls and a mount namespace."""
    told, digest = confined.run(program + PROGRAM, tmp_path, mounts)
    assert re.fullmatch(plane, told), told
    assert digest == expected
