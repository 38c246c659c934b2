"""Work on files that is ended from outside: killed, interrupted, out of room; and what memory it takes."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shlex
import shutil
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

from gumbel4j import Session, arrow, cli
from gumbel4j.files import SampleError, sample_file

Python = Callable[[str], subprocess.Popen[str]]

SAMPLE = """
import time
from gumbel4j.files import partial_output, sample_file

partial_output.CHECKPOINT_SECONDS = 0
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
    for slices in (2, 4):
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
    assert 0 == starts[0] < starts[1]
    sample_file(source, target, seed=3, resume=True, session=session)
    assert target.read_bytes() == whole.read_bytes()
    assert sorted(path.name for path in tmp_path.glob(".y*")) == []


LOGITS = np.random.default_rng(1).normal(size=(50, 20)).astype(np.float32)


def written(path: Path) -> Path:
    """Write the logits as an array or a table, as the name tells."""
    if path.suffix == ".npy":
        np.save(path, LOGITS)
    else:
        feather.write_feather(pa.table({"x": arrow.as_column(LOGITS)}), path)
    return path


def stored(path: Path) -> Any:
    """Read what is in such a file."""
    return np.load(path) if path.suffix == ".npy" else arrow.as_array(feather.read_table(path).column("x"))


@pytest.mark.parametrize("suffix", [".npy", ".arrow"])
@pytest.mark.parametrize("kind", [KeyboardInterrupt, OSError])
def test_stopped_after_the_rename(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, kind: type[BaseException]
) -> None:
    """The output is whole: nothing else is left, and no word says that the call can be resumed."""
    path = written(tmp_path / f"x{suffix}")
    real = os.replace

    def replace(old: Path, new: Path) -> None:
        real(old, new)
        if new == path:
            raise kind

    with monkeypatch.context() as patched, pytest.raises(kind) as raised:
        patched.setattr(os, "replace", replace)
        sample_file(path, path, "hard", seed=3, session=session)
    assert raised.value.__notes__ == [f"{path} is whole"]
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    expected = session.gumbel_softmax(LOGITS, hard=True, seed=3)
    np.testing.assert_array_equal(stored(path), expected)


ENDING = """
import os
from pathlib import Path
from gumbel4j.files import sample_file

real = os.replace

def replace(old, new):
    real(old, new)
    if Path(new).name[0] == "x":
        os.kill(os.getpid(), 9)

os.replace = replace
sample_file({path!r}, {path!r}, "hard", seed=3)
"""


@pytest.mark.parametrize("suffix", [".npy", ".arrow"])
def test_killed_after_the_rename(session: Session, python: Python, tmp_path: Path, suffix: str) -> None:
    """Resuming does not draw samples from samples, however often it is tried; starting anew does."""
    path = written(tmp_path / f"x{suffix}")
    python(ENDING.format(path=str(path))).wait()
    assert (tmp_path / f".{path.name}.partial.json").exists()
    whole = path.read_bytes()
    gone = "only its notes are left, so .* may be whole; " if suffix == ".npy" else ""
    for _ in range(2):
        with pytest.raises(SampleError, match=f"{gone}it was made with file of logits"):
            sample_file(path, path, "hard", seed=3, resume=True, session=session)
        assert path.read_bytes() == whole
    sample_file(path, path, "hard", seed=3, session=session)
    assert list(tmp_path.glob(".*")) == []


def test_notes_without_their_output(session: Session, tmp_path: Path) -> None:
    """Resuming starts from the beginning with the seed that they name, and can be stopped again."""
    path = written(tmp_path / "x.npy")
    target = tmp_path / "y.npy"

    def stop(done: int, total: int) -> None:
        if done > total // 2:
            raise RuntimeError("stop")

    options: Any = {"session": session, "slice_bytes": 1000}
    with pytest.raises(RuntimeError, match="stop"):
        sample_file(path, target, seed=3, progress=stop, **options)
    (tmp_path / ".y.npy.partial").unlink()
    with pytest.raises(RuntimeError, match="stop"):
        sample_file(path, target, resume=True, progress=stop, **options)
    sample_file(path, target, resume=True, **options)
    np.testing.assert_array_equal(np.load(target), session.gumbel_softmax(LOGITS, seed=3))


def sparse(path: Path, shape: tuple[int, ...]) -> None:
    """Make a file of zeros that takes no room."""
    with path.open("wb") as file:
        npy_format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
        file.truncate(file.tell() + 4 * int(np.prod(shape)))


def test_ctrl_c_keeps_what_is_done(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command ends with status 130 and says how to go on, and with --resume it does."""
    sparse(tmp_path / "x.npy", (80_000, 1000))
    sample = ["sample", str(tmp_path / "x.npy"), "-o", str(tmp_path / "y.npy"), "--seed", "3"]
    command = [sys.executable, "-m", "gumbel4j", *sample, "--threads", "1", "--backend", "java"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    partial = tmp_path / ".y.npy.partial"
    while not partial.exists() or partial.stat().st_size < 20_000_000:
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
    node = partial.stat().st_ino
    monkeypatch.setattr(cli, "_session", lambda args: contextlib.nullcontext(session))
    assert cli.main([*sample, "--resume", "--quiet"]) == 0
    assert (tmp_path / "y.npy").stat().st_ino == node
    y = np.load(tmp_path / "y.npy", mmap_mode="r")
    for first in (0, 40_000, 79_990):
        expected = session.gumbel_softmax(np.zeros((10, 1000), np.float32), seed=3, first_row=first)
        np.testing.assert_array_equal(y[first : first + 10], expected)


FULL = """
import os
import resource
import numpy as np
from gumbel4j import Session
from gumbel4j.files import sample_file

session = Session(backend="java", threads=1)
session.categorical([[0.0]], seed=1)

def fill_disk():
    with open("{folder}/filler", "ab", buffering=0) as filler:
        try:
            while filler.write(bytes(1 << 12)):
                pass
        except OSError:
            pass

def free_disk():
    os.unlink("{folder}/filler")

def fill_limit():
    resource.setrlimit(resource.RLIMIT_FSIZE, (3 << 20, -1))

def free_limit():
    resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))

def run(**options):
    try:
        sample_file("{source}", "{folder}/y.npy", session=session, slice_bytes=1 << 18, **options)
    except OSError as error:
        print(error, *getattr(error, "__notes__", ()), sep="; ")
        free_{place}()

fill_{place}()
run(seed=1)
run(seed=1, progress=lambda done, _: fill_{place}() if done else None)
first = []
run(resume=True, progress=lambda done, _: first.append(done))
expected = session.gumbel_softmax(np.zeros((2000, 1000), np.float32), seed=1)
print(first[0] > 0, np.array_equal(np.load("{folder}/y.npy"), expected), os.listdir("{folder}"))
"""


@pytest.mark.parametrize("place", ["disk", "limit"])
def test_full_disk_and_limit_on_files(tmp_path: Path, place: str) -> None:
    """Said before the start, or, if it comes later, what is done is kept and gone on with."""
    sparse(tmp_path / "x.npy", (2000, 1000))
    folder = tmp_path / "small"
    folder.mkdir()
    program = tmp_path / "program.py"
    program.write_text(FULL.format(source=tmp_path / "x.npy", folder=folder, place=place))
    command = [sys.executable, str(program)]
    if place == "disk":
        inside = f"mount -t tmpfs -o size=12m tmpfs {folder} && exec {shlex.join(command)}"
        command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", inside]
        is_allowed = shutil.which("unshare") and not subprocess.call([*command[:4], "true"])
        if not is_allowed:
            pytest.skip("this system lets no user make a mount namespace")
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert said(done.stderr) == ""
    refused, stopped, resumed = done.stdout.splitlines()
    before, during = {
        "disk": (f"needs 7.6 MiB more, but only 0 bytes are free in {folder}", "No space left on device"),
        "limit": (
            "needs 7.6 MiB, but files of this process are limited to 3.0 MiB (ulimit -f)",
            "File too large",
        ),
    }[place]
    assert refused == f"cannot write {folder}/y.npy: it {before}"
    assert stopped.startswith(f"cannot write {folder}/y.npy: {during}; ")
    assert stopped.endswith("the same call with resume goes on from there")
    assert resumed == "True True ['y.npy']"


MEASURED = """
import re
from gumbel4j import Session
from gumbel4j.files import sample_file

def kibibytes(pid, name):
    return int(re.search(name + r":\\s*(\\d+)", open(f"/proc/{{pid}}/status").read())[1])

def held():
    return kibibytes("self", "VmHWM") + kibibytes(session.info()["pid"], "RssAnon")

session = Session()
sample_file("{folder}/small.npy", "{folder}/y.npy", "{kind}", axis={axis}, seed=1, session=session)
idle = held()
sample_file("{folder}/x.npy", "{folder}/y.npy", "{kind}", axis={axis}, seed=1, session=session)
print((held() - idle) / 1024)
"""


@pytest.mark.parametrize(("kind", "axis"), [("categorical", 1), ("hard", 0)])
def test_memory_is_that_of_the_slices(python: Python, tmp_path: Path, kind: str, axis: int) -> None:
    """Less than 300 MiB above idle: all that Python ever held, shared with Java or not, and Java's own.

    The files are small; GUMBEL4J_TEST_FILE_MIB=3072 makes them as large as one is patient.
    """
    rows = int(os.environ.get("GUMBEL4J_TEST_FILE_MIB", 320)) << 8
    sparse(tmp_path / "x.npy", (rows, 1024) if axis else (1024, rows))
    sparse(tmp_path / "small.npy", (10, 10))
    child = python(MEASURED.format(folder=tmp_path, kind=kind, axis=axis))
    out, err = child.communicate()
    assert said(err) == ""
    sys.stdout.write(f"{kind}: {float(out):.0f} MiB above idle\n")
    assert float(out) < 300
