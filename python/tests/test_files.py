"""Files into files: the same samples as in memory, whatever the layout, and clear refusals."""

from __future__ import annotations

import errno
import itertools
import json
import os
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gumbel4j import Session
from gumbel4j.files import FileError, SampleError, sample_file
from gumbel4j.files.grid import divide, extent

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(size=(40, 7)).astype(np.float32)


def expected(session: Session, kind: str, logits: Any, tau: Any = 1.0, axis: int = -1, **key: int) -> Any:
    """Draw the whole array in memory."""
    if kind == "categorical":
        return session.categorical(logits, axis, **key)
    return session.gumbel_softmax(logits, tau, kind == "hard", axis, **key)


def only(folder: Path, *names: str) -> None:
    """Check that there is nothing else in a folder."""
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize(
    ("dtype", "shape"),
    [("<f4", shape) for shape in ((40, 7), (300,), (2, 3, 4, 5), (4, 0, 3))]
    + [(dtype, (3, 5, 8)) for dtype in ("<f4", ">f4", "<f8", ">f8", "<f2", ">f2")],
)
def test_samples_are_those_of_the_whole_array(
    session: Session, tmp_path: Path, dtype: str, order: str, shape: tuple[int, ...]
) -> None:
    """In slices of a few rows, along every axis, in every byte order."""
    logits = RNG.normal(size=shape).astype(dtype, order=order)
    np.save(tmp_path / "x.npy", logits)
    for axis, kind in itertools.product(range(len(shape)), ("soft", "categorical")):
        if shape[axis] == 0:
            continue
        key = {"seed": 7, "stream": 2, "first_row": 1000}
        options: Any = {"axis": axis, "slice_bytes": 256, "session": session} | key
        sample_file(tmp_path / "x.npy", tmp_path / "y.npy", kind, tau=0.5, **options)
        y = np.load(tmp_path / "y.npy")
        whole = expected(session, kind, logits, 0.5, axis, **key)
        assert y.dtype == whole.dtype
        np.testing.assert_array_equal(y, whole)
    only(tmp_path, "x.npy", "y.npy")


def test_file_is_what_numpy_would_save(session: Session, tmp_path: Path) -> None:
    """To the last byte."""
    np.save(tmp_path / "x.npy", LOGITS)
    sample_file(tmp_path / "x.npy", tmp_path / "y.npy", seed=1, session=session, slice_bytes=100)
    np.save(tmp_path / "z.npy", session.gumbel_softmax(LOGITS, seed=1))
    assert (tmp_path / "y.npy").read_bytes() == (tmp_path / "z.npy").read_bytes()


@settings(max_examples=100, derandomize=True, deadline=None, database=None)
@given(
    shape=st.lists(st.integers(1, 9), min_size=1, max_size=4).map(tuple),
    axis=st.integers(0, 3),
    is_fortran=st.booleans(),
    budget=st.integers(1, 5000),
)
def test_boxes_hold_each_row_once(shape: tuple[int, ...], axis: int, is_fortran: bool, budget: int) -> None:
    """Within the budget, and their runs name every row by its number."""
    axis %= len(shape)
    grid = divide(shape, axis, is_fortran, 4, budget)
    sizes = shape[:axis] + shape[axis + 1 :]
    numbers = np.arange(np.prod(sizes, dtype=int)).reshape(sizes)
    seen = []
    for at in range(len(grid)):
        box = grid.box(at)
        rows = numbers[box]
        assert rows.size == 1 or rows.size * shape[axis] * 4 <= (2 * budget if grid.is_scattered else budget)
        assert rows.shape == tuple(map(extent, box))
        for part, first in grid.runs(box):
            run = rows[part].ravel()
            assert list(run) == list(range(first, first + run.size))
            seen += list(run)
    assert sorted(seen) == list(range(numbers.size))


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("shape", [(6, 5, 1), (5, 1), (1, 1, 1), (6, 1, 1), ()])
def test_temperatures_from_a_file(
    session: Session, tmp_path: Path, order: str, shape: tuple[int, ...]
) -> None:
    """One for each row, or shared, as they broadcast in memory."""
    logits = RNG.normal(size=(6, 5, 8)).astype(np.float32)
    tau = np.asarray(RNG.uniform(0.1, 3, shape), order=order)
    np.save(tmp_path / "x.npy", logits)
    np.save(tmp_path / "tau.npy", tau)
    options: Any = {"tau": tmp_path / "tau.npy", "seed": 1, "slice_bytes": 200}
    sample_file(tmp_path / "x.npy", tmp_path / "y.npy", session=session, **options)
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), session.gumbel_softmax(logits, tau, seed=1))


def test_bad_temperatures_are_refused_by_their_place(session: Session, tmp_path: Path) -> None:
    """In the whole file."""
    np.save(tmp_path / "x.npy", LOGITS)
    tau = np.ones((40, 1))
    tau[33] = -2
    np.save(tmp_path / "tau.npy", tau)
    with pytest.raises(SampleError, match=r"tau\.npy: tau\[33, 0\] = -2\.0: must be finite and not negative"):
        sample_file(
            tmp_path / "x.npy", tmp_path / "y.npy", tau=tmp_path / "tau.npy", session=session, slice_bytes=100
        )
    np.save(tmp_path / "tau.npy", np.ones(40))
    with pytest.raises(SampleError, match=r"has shape \(40,\) .* must broadcast to \(40, 1\)"):
        sample_file(tmp_path / "x.npy", tmp_path / "y.npy", tau=tmp_path / "tau.npy", session=session)
    only(tmp_path, "x.npy", "tau.npy")


@pytest.mark.parametrize(
    ("value", "what"),
    [(np.nan, "holds NaN"), (np.inf, r"holds \+inf"), (-np.inf, "holds nothing above -inf")],
)
def test_bad_rows_are_refused_by_their_place(
    session: Session, tmp_path: Path, value: float, what: str
) -> None:
    """In the whole file, by number and by index; nothing is left behind, and an older output stays."""
    logits = RNG.normal(size=(6, 8, 5)).astype(np.float32)
    logits[4, :, 3] = value
    np.save(tmp_path / "x.npy", logits)
    (tmp_path / "y.npy").write_text("older")
    with pytest.raises(SampleError, match=rf"x\.npy: row 23, which is \[4, :, 3\], {what}"):
        sample_file(tmp_path / "x.npy", tmp_path / "y.npy", axis=1, session=session, slice_bytes=300)
    only(tmp_path, "x.npy", "y.npy")
    assert (tmp_path / "y.npy").read_text() == "older"


def test_several_members_of_an_archive(session: Session, tmp_path: Path) -> None:
    """Each gets its own stream; they may be compressed, and the result is an archive that NumPy reads."""
    more = RNG.normal(size=(3, 4, 5))
    np.savez(tmp_path / "x.npz", logits=LOGITS, more=np.asfortranarray(more))
    np.savez_compressed(tmp_path / "small.npz", logits=LOGITS, more=more)
    for name in ("x.npz", "small.npz"):
        drawn = sample_file(
            tmp_path / name, tmp_path / "y.npz", "hard", axis=0, seed=3, session=session, slice_bytes=64
        )
        assert [(one.name, one.seed, one.stream) for one in drawn] == [("logits", 3, 0), ("more", 3, 1)]
        with np.load(tmp_path / "y.npz") as y:
            assert list(y) == ["logits", "more"]
            np.testing.assert_array_equal(y["logits"], expected(session, "hard", LOGITS, axis=0, seed=3))
            np.testing.assert_array_equal(
                y["more"], expected(session, "hard", more, axis=0, seed=3, stream=1)
            )
        with zipfile.ZipFile(tmp_path / "y.npz") as archive:
            assert archive.testzip() is None
        sample_file(tmp_path / name, tmp_path / "y.npy", seed=3, session=session, names=["more"])
        np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), session.gumbel_softmax(more, seed=3))
    only(tmp_path, "x.npz", "small.npz", "y.npz", "y.npy")


def test_damaged_archives_are_refused(session: Session, tmp_path: Path) -> None:
    """By name, before anything is written."""
    np.savez(tmp_path / "x.npz", logits=LOGITS)
    data = bytearray((tmp_path / "x.npz").read_bytes())

    def refused(changed: bytes, message: str, kind: type[Exception] = FileError, **options: Any) -> None:
        (tmp_path / "bad.npz").write_bytes(changed)
        with pytest.raises(kind, match=message):
            sample_file(tmp_path / "bad.npz", tmp_path / "y.npz", session=session, **options)

    refused(bytes(data), "has no member 'other'; it has logits", SampleError, names=["other"])
    with zipfile.ZipFile(tmp_path / "x.npz", "a") as archive:
        archive.writestr("logits", b"")
    twice = (tmp_path / "x.npz").read_bytes()
    refused(twice, "has two members 'logits': logits.npy and logits;", SampleError)
    refused(data[: len(data) // 2], "cannot read .*bad.npz: File is not a zip file")
    data[400] ^= 1
    refused(bytes(data), "cannot read .*bad.npz: Bad CRC-32")
    np.savez(tmp_path / "two.npz", a=LOGITS, b=LOGITS)
    with pytest.raises(SampleError, match=r"has 2 members; name one, or write a \.npz"):
        sample_file(tmp_path / "two.npz", tmp_path / "y.npy", session=session)
    only(tmp_path, "x.npz", "bad.npz", "two.npz")


def test_arguments_are_refused(session: Session, tmp_path: Path) -> None:
    """With what is allowed."""
    np.save(tmp_path / "x.npy", LOGITS)

    def refused(message: str, target: str = "y.npy", **options: Any) -> None:
        with pytest.raises(SampleError, match=message):
            sample_file(tmp_path / "x.npy", tmp_path / target, session=session, **options)

    refused("its name must end in one of .npy, .npz", "y.txt")
    refused(r"holds arrays, so its name must end in \.npy or \.npz", "y.parquet")
    refused("kind = 'both': must be one of soft, hard, categorical", kind="both")
    refused("has no members; got the name 'a'", names=["a"])
    refused(r"names = 'ab': must be a list of different names, such as \['ab'\]", names="ab")
    refused(r"names = \['a', 'b', 'a'\]: .*; 'a' is there twice", names=["a", "b", "a"])
    refused(r"names = \[1\]: .*; 1 is no string", names=[1])
    refused("names = 1: must be a list", names=1)
    refused("slice_bytes = 0: must be an integer, 1 or more", slice_bytes=0)
    refused("slice_bytes = '1': must be an integer", slice_bytes="1")
    refused("slice_bytes = 1000.0: must be an integer", slice_bytes=1e3)
    refused("tau = -1.0: must be finite", tau=-1)
    refused("tau = None: must be a number or the path", tau=None)
    refused("first_row = -1: must be an integer, 0 or more", first_row=-1)
    refused("first_row = 'x': must be an integer, 0 or more", first_row="x")
    refused("axis = 2", axis=2)
    refused("axis = 'x': must be an integer", axis="x")
    refused("axis = 1.0: must be an integer", axis=1.0)
    refused("axis = True: must be an integer", axis=True)
    only(tmp_path, "x.npy")


def test_no_room_is_said_before_the_start(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what is needed and what is free."""
    np.save(tmp_path / "x.npy", LOGITS)
    real = os.statvfs(tmp_path)

    class Full:
        f_bavail = 1
        f_frsize = 1024

    monkeypatch.setattr(os, "statvfs", lambda path: Full if Path(path) == tmp_path else real)
    with pytest.raises(FileError, match=r"it needs 1\.2 KiB more, but only 1\.0 KiB are free in"):
        sample_file(tmp_path / "x.npy", tmp_path / "y.npy", session=session)
    only(tmp_path, "x.npy")


def test_changed_input_is_refused(session: Session, tmp_path: Path) -> None:
    """Rather than made into samples of two files."""
    np.save(tmp_path / "x.npy", LOGITS)

    def change(done: int, total: int) -> None:
        if done > total // 2:
            os.utime(tmp_path / "x.npy", (1, 1))

    with pytest.raises(SampleError, match=r"x\.npy was changed while it was read"):
        sample_file(tmp_path / "x.npy", tmp_path / "y.npy", session=session, slice_bytes=100, progress=change)

    def cut(done: int, total: int) -> None:
        if done > total // 2:
            os.truncate(tmp_path / "x.npy", 200)

    with pytest.raises(FileError, match=r"x\.npy: it ends before byte \d+; was it cut while it was read"):
        sample_file(tmp_path / "x.npy", tmp_path / "y.npy", session=session, slice_bytes=100, progress=cut)


class StoppedError(RuntimeError):
    """What stops the work in a test."""


def stop_at(rows: int) -> Any:
    """Return a callback that stops the work after so many rows."""

    def progress(done: int, total: int) -> None:
        if done >= rows:
            raise StoppedError

    return progress


def at_least(rows: int) -> Any:
    """Return a callback that checks that so many rows are done already."""

    def progress(done: int, total: int) -> None:
        assert done >= rows

    return progress


def test_resume_goes_on_and_makes_the_same_file(session: Session, tmp_path: Path) -> None:
    """With what is given again, or with the seed that was used; what is done is not done again."""
    np.save(tmp_path / "x.npy", LOGITS)
    paths = tmp_path / "x.npy", tmp_path / "y.npy"
    options: Any = {"session": session, "slice_bytes": 100}
    seen: list[int] = []
    for seed in (9, None):
        seen.clear()
        with pytest.raises(StoppedError) as stopped:
            sample_file(*paths, seed=seed, progress=stop_at(20), **options)
        assert "the same call with resume goes on from there" in stopped.value.__notes__[0]
        only(tmp_path, "x.npy", ".y.npy.partial", ".y.npy.partial.json")
        drawn = sample_file(
            *paths, seed=seed, resume=True, progress=lambda done, _: seen.append(done), session=session
        )
        assert 15 < seen[0] < 40
        assert seen[-1] == 40
        y = session.gumbel_softmax(LOGITS, seed=drawn[0].seed, stream=drawn[0].stream)
        np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), y)
        only(tmp_path, "x.npy", "y.npy")
        (tmp_path / "y.npy").unlink()
    sample_file(*paths, seed=9, resume=True, **options)
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), session.gumbel_softmax(LOGITS, seed=9))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed": 8}, r"with keys = \[\[9, 0\]\], this call has keys = \[\[8, 0\]\]"),
        ({"tau": 0.5}, r"with tau = 1\.0, this call has tau = 0\.5"),
        ({"kind": "hard"}, "with kind = soft, this call has kind = hard"),
        ({"axis": 0}, "with axis = -1, this call has axis = 0"),
        ({"first_row": 1}, "with first_row = 0, this call has first_row = 1"),
    ],
)
def test_resume_of_something_else_is_refused(
    session: Session, tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    """With both values, and what is done stays."""
    np.save(tmp_path / "x.npy", LOGITS)
    paths = tmp_path / "x.npy", tmp_path / "y.npy"
    with pytest.raises(StoppedError):
        sample_file(*paths, seed=9, progress=stop_at(20), session=session, slice_bytes=100)
    before = (tmp_path / ".y.npy.partial.json").read_text()
    with pytest.raises(SampleError, match=message):
        sample_file(*paths, resume=True, session=session, **{"seed": 9} | options)
    assert (tmp_path / ".y.npy.partial.json").read_text() == before
    os.utime(tmp_path / "x.npy", ns=(1, 1))
    with pytest.raises(SampleError, match="file of logits = .*; a copied, moved or changed file is another"):
        sample_file(*paths, seed=9, resume=True, session=session)


def test_resume_with_another_file_of_equal_size_and_time_is_refused(session: Session, tmp_path: Path) -> None:
    """The logits or the temperatures; nothing is drawn from two files, and what is done stays."""
    for name, values in (("x.npy", LOGITS), ("tau.npy", np.ones((40, 1)))):
        np.save(tmp_path / name, values)
        np.save(tmp_path / f"other {name}", values + 1)
        for path in (tmp_path / name, tmp_path / f"other {name}"):
            os.utime(path, ns=(1, 1))
    paths = tmp_path / "x.npy", tmp_path / "y.npy"
    options: Any = {"tau": tmp_path / "tau.npy", "seed": 9, "session": session}
    with pytest.raises(StoppedError):
        sample_file(*paths, progress=stop_at(20), slice_bytes=100, **options)
    before = (tmp_path / ".y.npy.partial").read_bytes()
    for name, what in (("tau.npy", "tau"), ("x.npy", "logits")):
        time.sleep(0.02)  # more than a step of the clock of the file system
        os.replace(tmp_path / f"other {name}", tmp_path / name)
        with pytest.raises(SampleError, match=f"made with file of {what} = .*{name} of .* start anew"):
            sample_file(*paths, resume=True, **options)
    assert (tmp_path / ".y.npy.partial").read_bytes() == before


def test_resume_with_other_names_is_refused(session: Session, tmp_path: Path) -> None:
    """Also where no seed is given, and there are as many keys as there were names."""
    np.savez(tmp_path / "x.npz", a=LOGITS, b=LOGITS)
    paths = tmp_path / "x.npz", tmp_path / "y.npz"
    with pytest.raises(StoppedError):
        sample_file(*paths, names=["a"], progress=stop_at(20), session=session, slice_bytes=100)
    for names in ([], ["b"]):
        with pytest.raises(SampleError, match=r"it was made with arrays = \['a <f4"):
            sample_file(*paths, names=names, resume=True, session=session)


def test_a_refused_call_leaves_unfinished_output_as_it_is(session: Session, tmp_path: Path) -> None:
    """Also one that would start anew."""
    np.save(tmp_path / "x.npy", LOGITS)
    paths = tmp_path / "x.npy", tmp_path / "y.npy"
    with pytest.raises(StoppedError):
        sample_file(*paths, seed=9, progress=stop_at(20), session=session, slice_bytes=100)
    refused: tuple[dict[str, Any], ...] = (
        {"seed": -1},
        {"seed": 1, "stream": -1},
        {"first_row": -1},
        {"first_row": 1 << 63},
    )
    for options in refused:
        with pytest.raises(SampleError):
            sample_file(*paths, session=session, **options)
    sample_file(*paths, seed=9, resume=True, session=session, progress=at_least(15))
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), session.gumbel_softmax(LOGITS, seed=9))
    only(tmp_path, "x.npy", "y.npy")


def test_a_replaced_file_keeps_its_permissions(session: Session, tmp_path: Path) -> None:
    """And no others are given to it."""
    np.save(tmp_path / "x.npy", LOGITS)
    os.chmod(tmp_path / "x.npy", 0o600)
    sample_file(tmp_path / "x.npy", tmp_path / "x.npy", session=session)
    assert (tmp_path / "x.npy").stat().st_mode & 0o777 == 0o600


def test_resume_of_damaged_work_is_refused(session: Session, tmp_path: Path) -> None:
    """A call without `resume` starts anew."""
    np.save(tmp_path / "x.npy", LOGITS)
    paths = tmp_path / "x.npy", tmp_path / "y.npy"
    with pytest.raises(StoppedError):
        sample_file(*paths, seed=9, progress=stop_at(20), session=session, slice_bytes=100)
    notes = tmp_path / ".y.npy.partial.json"
    done = json.loads(notes.read_text())["bytes"]
    os.truncate(tmp_path / ".y.npy.partial", done - 1)
    with pytest.raises(SampleError, match=f"it has {done - 1} bytes, {done} were noted"):
        sample_file(*paths, seed=9, resume=True, session=session)
    notes.write_text("{")
    with pytest.raises(SampleError, match="partial.json is damaged"):
        sample_file(*paths, seed=9, resume=True, session=session)
    sample_file(*paths, seed=9, session=session)
    only(tmp_path, "x.npy", "y.npy")


def test_two_writers_of_one_file(session: Session, tmp_path: Path) -> None:
    """The second is refused while the first works."""
    np.save(tmp_path / "x.npy", LOGITS)
    paths = tmp_path / "x.npy", tmp_path / "y.npy"

    def second(done: int, total: int) -> None:
        with pytest.raises(FileError, match="another process is writing it"):
            sample_file(*paths, seed=9, session=session)

    sample_file(*paths, seed=9, session=session, progress=second)
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), session.gumbel_softmax(LOGITS, seed=9))


def test_full_disk_keeps_what_is_done(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error has the cause's number and says how to go on."""
    np.save(tmp_path / "x.npy", LOGITS)
    paths = tmp_path / "x.npy", tmp_path / "y.npy"
    real = os.pwritev

    def full(fd: int, parts: list[Any], at: int) -> int:
        if at > 700:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(fd, parts, at)

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwritev", full)
        with pytest.raises(FileError, match=r"cannot write .*y\.npy: No space left on device") as error:
            sample_file(*paths, seed=9, session=session, slice_bytes=100)
    assert error.value.errno == errno.ENOSPC
    assert "are free in" in error.value.__notes__[0]
    sample_file(*paths, seed=9, resume=True, session=session)
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), session.gumbel_softmax(LOGITS, seed=9))
