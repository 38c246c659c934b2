"""Work on files that is ended from outside: killed, interrupted, out of room; and what memory it takes."""

from __future__ import annotations

import contextlib
import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from conftest import said
from numpy.lib import format as npy_format
from pyarrow import feather

from gumbel4j import Session, arrow
from gumbel4j.files import sample_file

Python = Callable[[str], subprocess.Popen[str]]

SAMPLE = """
import time
from gumbel4j.files import partial, sample_file

partial.CHECKPOINT_SECONDS = 0
slices = 0

def show(done, total):
    global slices
    print(done, flush=True)
    if slices == {slices}:
        time.sleep(60)  # until it is killed, at the latest; its threads go on
    slices += 1

sample_file({source!r}, {target!r}, seed=3, slice_bytes=40_000, resume=True, progress=show)
"""


@pytest.mark.parametrize("names", [("x.npy", "y.npy"), ("x.npz", "y.npz"), ("x.arrow", "y.parquet")])
def test_killed_at_random_moments(
    session: Session, python: Python, tmp_path: Path, names: tuple[str, str]
) -> None:
    """Every run goes on where the last one was, and the file is the one that an uninterrupted run makes."""
    logits = np.random.default_rng(1).normal(size=(2000, 50)).astype(np.float32)
    source, target = (tmp_path / name for name in names)
    if source.suffix == ".npy":
        np.save(source, logits)
    elif source.suffix == ".npz":
        np.savez(source, a=logits[:500], b=np.asfortranarray(logits))
    else:
        feather.write_feather(pa.table({"x": arrow.as_column(logits)}), source)
    whole = tmp_path / f"whole{target.suffix}"
    sample_file(source, whole, seed=3, slice_bytes=40_000, session=session)
    moments = random.Random(4)
    starts = []
    done = 0
    for slices in (2, 4, 3):
        child = python(SAMPLE.format(source=str(source), target=str(target), slices=slices))
        assert child.stdout is not None
        starts.append(int(child.stdout.readline()))
        wanted, deadline = done + moments.randint(1, slices - 1), time.monotonic() + 30
        while done < wanted and time.monotonic() < deadline:
            with contextlib.suppress(FileNotFoundError):  # it has not begun
                done = json.loads((tmp_path / f".{target.name}.partial.json").read_text())["done"]
        time.sleep(moments.uniform(0, 0.01))
        child.kill()
        child.wait()
        assert not target.exists()
    assert 0 == starts[0] < starts[1] < starts[2]
    sample_file(source, target, seed=3, resume=True, session=session)
    assert target.read_bytes() == whole.read_bytes()
    assert sorted(path.name for path in tmp_path.glob(".y*")) == []


def sparse(path: Path, shape: tuple[int, ...]) -> None:
    """Make a file of zeros that takes no room."""
    with path.open("wb") as file:
        npy_format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
        file.truncate(file.tell() + 4 * int(np.prod(shape)))


def test_ctrl_c_keeps_what_is_done(tmp_path: Path) -> None:
    """The command ends with status 130 and says how to go on, and it does."""
    sparse(tmp_path / "x.npy", (200_000, 1000))
    command = [sys.executable, "-m", "gumbel4j", "sample", "x.npy", "-o", "y.npy", "--threads", "1"]
    child = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    partial = tmp_path / ".y.npy.partial"
    while not partial.exists() or partial.stat().st_size < 50_000_000:
        assert child.poll() is None
        time.sleep(0.01)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=30)
    assert child.returncode == 130
    assert out == ""
    assert said(err) == (
        f"gumbel4j sample: interrupted; what is done so far is kept in {partial}; the same call with resume "
        "goes on from there\n"
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == [partial.name, f"{partial.name}.json", "x.npy"]


LIMITED = """
import resource
from pathlib import Path
from gumbel4j import Session, arrow
from gumbel4j.files import sample_file

session = Session(backend="java", threads=1)
session.categorical([[0.0]], seed=1)
limit = (3 << 20, resource.RLIM_INFINITY)
try:
    resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    sample_file("{folder}/x.npy", "{folder}/y.npy", seed=1, session=session, slice_bytes=1 << 18)
except OSError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))

def reach(done, total):
    if done:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)

try:
    sample_file(
        "{folder}/x.npy", "{folder}/y.npy", seed=1, session=session, slice_bytes=1 << 18, progress=reach
    )
except OSError as error:
    print(error, *error.__notes__, sep="; ")
resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))
first = []
note = lambda done, _: first.append(done)
sample_file("{folder}/x.npy", "{folder}/y.npy", session=session, resume=True, progress=note)
print(first[0])
"""


def test_limit_on_the_size_of_files(session: Session, python: Python, tmp_path: Path) -> None:
    """Said before the start, or, if it comes later, what is done is kept."""
    sparse(tmp_path / "x.npy", (2000, 1000))
    child = python(LIMITED.format(folder=tmp_path))
    out, err = child.communicate(timeout=60)
    assert said(err) == ""
    before, later, first = out.splitlines()
    assert before == (
        f"cannot write {tmp_path}/y.npy: it needs 7.6 MiB, but files of this process are limited to 3.0 MiB "
        "(ulimit -f)"
    )
    assert later.startswith(f"cannot write {tmp_path}/y.npy: File too large; ")
    assert later.endswith("the same call with resume goes on from there")
    assert int(first) > 0
    np.testing.assert_array_equal(
        np.load(tmp_path / "y.npy"), session.gumbel_softmax(np.zeros((2000, 1000), np.float32), seed=1)
    )


MEASURED = """
import re
from gumbel4j import Session, arrow
from gumbel4j.files import sample_file

def kibibytes(pid, name):
    return int(re.search(name + r":\\s*(\\d+)", open(f"/proc/{{pid}}/status").read())[1])

def peak():
    return kibibytes("self", "VmHWM") + kibibytes(session.info()["pid"], "RssAnon")

session = Session()
sample_file("{folder}/small.npy", "{folder}/y.npy", "{kind}", axis={axis}, seed=1, session=session)
idle = peak()
sample_file("{folder}/x.npy", "{folder}/y.npy", "{kind}", axis={axis}, seed=1, session=session)
print((peak() - idle) * 1024)
"""


@pytest.mark.parametrize(("kind", "axis"), [("categorical", 1), ("hard", 0)])
def test_memory_is_that_of_the_slices(python: Python, tmp_path: Path, kind: Any, axis: int) -> None:
    """What Python ever held, with all that it shares with Java, and what Java holds of its own."""
    sparse(tmp_path / "x.npy", (200_000, 1000) if axis else (20_000, 5_000))
    sparse(tmp_path / "small.npy", (10, 10))
    child = python(MEASURED.format(folder=tmp_path, kind=kind, axis=axis))
    out, err = child.communicate(timeout=60)
    assert said(err) == ""
    assert int(out) < 300 << 20
