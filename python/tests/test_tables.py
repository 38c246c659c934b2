"""Arrow and Parquet files: columns of fixed-size lists into samples."""

from __future__ import annotations

import errno
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import feather, parquet

from gumbel4j import Session, arrow
from gumbel4j.files import FileError, SampleError, sample_file

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(size=(50, 7)).astype(np.float32)
MORE = RNG.normal(size=(50, 3))
TABLE = pa.table(
    {
        "id": pa.array([None, *range(1, 50)]),
        "logits": arrow.as_column(LOGITS),
        "word": pa.array(["one", "two", None, "four", "five"] * 10).dictionary_encode(),
        "more": arrow.as_column(MORE),
    }
)


def write(path: Path, table: Any = TABLE, rows: int = 13) -> Path:
    """Write a table in the format that the name tells, in record batches or row groups of some rows."""
    if path.suffix == ".parquet":
        parquet.write_table(table, path, row_group_size=rows)
    else:
        feather.write_feather(
            table, path, compression="lz4" if path.suffix == ".feather" else "uncompressed", chunksize=rows
        )
    return path


def read(path: Path) -> Any:
    """Read a table."""
    return parquet.read_table(path) if path.suffix == ".parquet" else feather.read_table(path)


@pytest.mark.parametrize("source", ["x.arrow", "x.feather", "x.parquet"])
@pytest.mark.parametrize("target", ["y.arrow", "y.feather", "y.parquet"])
@pytest.mark.parametrize("kind", ["soft", "hard", "categorical"])
def test_columns_of_a_file(session: Session, tmp_path: Path, source: str, target: str, kind: Any) -> None:
    """All columns of logits, each with its own stream; the others stay."""
    options: Any = {"seed": 5, "first_row": 9, "session": session, "slice_bytes": 300}
    drawn = sample_file(write(tmp_path / source), tmp_path / target, kind, tau=0.5, **options)
    assert [(one.name, one.seed, one.stream) for one in drawn] == [("logits", 5, 0), ("more", 5, 1)]
    table = read(tmp_path / target)
    assert table.num_rows == 50
    assert table.column("id").equals(TABLE.column("id"))
    assert table.column("word").to_pylist() == TABLE.column("word").to_pylist()
    for stream, (name, logits) in enumerate({"logits": LOGITS, "more": MORE}.items()):
        key = {"seed": 5, "stream": stream, "first_row": 9}
        if kind == "categorical":
            expected = session.categorical(logits, **key)
            samples = table.column(name).to_numpy()
        else:
            expected = session.gumbel_softmax(logits, 0.5, kind == "hard", **key)
            samples = arrow.as_array(table.column(name))
        assert samples.dtype == expected.dtype
        assert drawn[stream].shape == expected.shape
        np.testing.assert_array_equal(samples, expected)
    assert sorted(path.name for path in tmp_path.iterdir()) == [source, target]


def test_one_column_and_a_giant_record_batch(session: Session, tmp_path: Path) -> None:
    """The other columns of logits stay too."""
    source = write(tmp_path / "x.arrow", rows=1000)
    sample_file(source, tmp_path / "y.arrow", names=["more"], seed=5, session=session, slice_bytes=100)
    table = read(tmp_path / "y.arrow")
    np.testing.assert_array_equal(arrow.as_array(table.column("logits")), LOGITS)
    np.testing.assert_array_equal(arrow.as_array(table.column("more")), session.gumbel_softmax(MORE, seed=5))


@pytest.mark.parametrize("suffix", [".arrow", ".parquet"])
def test_equal_names_of_other_columns(session: Session, tmp_path: Path, suffix: str) -> None:
    """Each is copied; columns of logits with equal names are refused."""
    numbers = pa.array(range(50))
    columns = [numbers, arrow.as_column(LOGITS), pa.array(["word"] * 50)]
    source, target = tmp_path / f"x{suffix}", tmp_path / f"y{suffix}"

    def store(table: Any) -> None:
        if suffix == ".parquet":
            parquet.write_table(table, source)
        else:
            with pa.ipc.new_file(source, table.schema) as writer:
                writer.write_table(table)

    store(pa.table(columns, names=["same", "logits", "same"]))
    sample_file(source, target, "categorical", seed=5, session=session, slice_bytes=300)
    with target.open("rb") as file:
        y = parquet.ParquetFile(file).read() if suffix == ".parquet" else pa.ipc.open_file(file).read_all()
    assert y.schema.names == ["same", "logits", "same"]
    assert y.column(0).to_pylist() == list(range(50))
    assert y.column(2).to_pylist() == ["word"] * 50
    np.testing.assert_array_equal(y.column(1).to_numpy(), session.categorical(LOGITS, seed=5))
    store(pa.table(columns, names=["id", "same", "same"]))
    with pytest.raises(SampleError, match="has 2 columns 'same'"):
        sample_file(source, target, session=session)


def test_empty_table(session: Session, tmp_path: Path) -> None:
    """It stays empty."""
    for suffix in (".arrow", ".parquet"):
        source = write(tmp_path / f"x{suffix}", TABLE.slice(0, 0))
        sample_file(source, tmp_path / f"y{suffix}", "categorical", seed=1, session=session)
        assert read(tmp_path / f"y{suffix}").num_rows == 0


@pytest.mark.parametrize("suffix", [".arrow", ".parquet"])
def test_resume_makes_the_same_file(session: Session, tmp_path: Path, suffix: str) -> None:
    """Also after the last row, before the file had its name."""
    source = write(tmp_path / f"x{suffix}")
    whole, target = tmp_path / f"whole{suffix}", tmp_path / f"y{suffix}"
    options: Any = {"seed": 5, "session": session, "slice_bytes": 300}
    sample_file(source, whole, **options)
    seen: list[int] = []
    for rows in (11, 50):

        def stop(done: int, total: int, at: int = rows) -> None:
            if done >= at:
                raise RuntimeError("stop")

        with pytest.raises(RuntimeError, match="stop"):
            sample_file(source, target, progress=stop, **options)
        with open(tmp_path / f".{target.name}.partial", "ab") as torn:
            torn.write(b"torn")
        seen.clear()
        sample_file(source, target, resume=True, progress=lambda done, _: seen.append(done), **options)
        assert rows <= seen[0] <= 50
        assert target.read_bytes() == whole.read_bytes()
        target.unlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == [whole.name, source.name]


def test_full_disk_when_only_the_end_is_missing(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All samples are kept, what was made of them is not, and resuming makes it."""
    source, target = write(tmp_path / "x.arrow"), tmp_path / "y.arrow"

    real = pa.ipc.new_file

    def full(path: Any, schema: Any) -> Any:
        if not isinstance(path, Path):  # to see what the format can hold
            return real(path, schema)
        path.write_bytes(b"torn")
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched, pytest.raises(FileError, match="No space left") as error:
        patched.setattr(pa.ipc, "new_file", full)
        sample_file(source, target, seed=5, session=session)
    assert "goes on from there" in error.value.__notes__[0]
    partial = ".y.arrow.partial"
    assert sorted(path.name for path in tmp_path.iterdir()) == [partial, f"{partial}.json", "x.arrow"]
    seen: list[int] = []
    sample_file(source, target, resume=True, session=session, progress=lambda done, _: seen.append(done))
    assert seen == [50]
    samples = arrow.as_array(read(target).column("logits"))
    np.testing.assert_array_equal(samples, session.gumbel_softmax(LOGITS, seed=5))


def test_what_is_refused(session: Session, tmp_path: Path) -> None:
    """By column and by row in the whole file."""

    def refused(
        message: str, table: Any = TABLE, kind: type[Exception] = SampleError, **options: Any
    ) -> None:
        with pytest.raises(kind, match=message):
            sample_file(
                write(tmp_path / "x.parquet", table), tmp_path / "y.parquet", session=session, **options
            )

    def column(values: Any) -> Any:
        return pa.table({"x": pa.array(values, pa.list_(pa.float32(), 2))})

    good = [[0.0, 1.0]] * 40
    options: Any = {"slice_bytes": 100}
    refused("names = .*'more' is there twice", names=["more", "more"])
    refused("column 'x', row 33 is null or holds a null", column([*good[:33], None, *good]), **options)
    refused("column 'x', row 33 is null or holds a null", column([*good[:33], [None, 1], *good]), **options)
    refused("column 'x', row 33 holds NaN", column([*good[:33], [np.nan, 1], *good]), **options)
    refused("has no single column 'z'; it has id, logits, word, more", names=["z"])
    refused("column 'id' has type int64; it must be a fixed-size list", names=["id"])
    refused("has no column of fixed-size lists .*; it has id: int64", TABLE.select(["id"]))
    refused("tau = t.npy: must be a number where the logits are a table", tau="t.npy")
    refused("axis = 0: must be -1 where the logits are a table", axis=0)
    with pytest.raises(SampleError, match=r"holds a table, so its name must end in \.arrow or \.feather or"):
        sample_file(tmp_path / "x.parquet", tmp_path / "y.npy", session=session)
    for name in ("x.parquet", "x.arrow"):
        data = write(tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(data[:-20])
        with pytest.raises(FileError, match=f"cannot read .*{name}"):
            sample_file(tmp_path / name, tmp_path / "y.parquet", session=session)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.arrow", "x.parquet"]


def test_what_the_target_cannot_hold(session: Session, tmp_path: Path) -> None:
    """Is refused before any work, by file and column."""
    word = pa.dictionary(pa.int32(), pa.string())
    interval = pa.month_day_nano_interval()
    kinds = [
        (word.value_type, {".arrow", ".parquet"}),
        (word, {".arrow", ".parquet"}),
        (pa.list_(word), set()),
        (pa.map_(pa.string(), pa.struct([("in", word)])), set()),
        (pa.dictionary(pa.int32(), pa.list_(word)), set()),
        (interval, {".arrow"}),
        (pa.list_(interval), {".arrow"}),
        (pa.struct([]), {".arrow"}),
    ]
    source = tmp_path / "x.arrow"
    for kind, allowed in kinds:
        table = pa.table({"logits": arrow.as_column(LOGITS), "other": pa.nulls(50, kind)})
        with pa.ipc.new_file(source, table.schema) as writer:
            writer.write_table(table)
        for suffix in (".arrow", ".parquet"):
            target = tmp_path / f"y{suffix}"
            if suffix in allowed:
                sample_file(source, target, session=session)
                assert read(target).column("other").null_count == 50
                target.unlink()
                continue
            with pytest.raises(FileError, match=f"cannot write .*y{suffix}: column 'other' of .*x.arrow has"):
                sample_file(source, target, session=lambda: pytest.fail("it is refused too late"))
    assert [path.name for path in tmp_path.iterdir()] == ["x.arrow"]


def test_without_pyarrow(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to install."""
    source = write(tmp_path / "x.arrow")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r"need the package pyarrow .*: pip install gumbel4j\[arrow\]"):
        sample_file(source, tmp_path / "y.arrow", session=session)
