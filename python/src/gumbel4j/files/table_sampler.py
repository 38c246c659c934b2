"""Drawing from columns of fixed-size lists in Arrow IPC and Parquet files to columns of a table.

The unfinished output is an Arrow IPC stream: the schema and record batches, which can be appended to, while
Arrow and Parquet files end with a table of what is where. When all is done, the file is made from the stream.
"""

from __future__ import annotations

import contextlib
import math
import mmap
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gumbel4j import arrow
from gumbel4j.files import row_checks
from gumbel4j.files.box_io import write_all
from gumbel4j.files.errors import FileError, SampleError, reading, writing
from gumbel4j.files.partial_output import PartialOutput
from gumbel4j.files.sampler import Drawn, Key, Progress, Request, check_first_row, draw, result_dtype

if TYPE_CHECKING:
    from gumbel4j.session import Session

MAGICS: Final = (b"ARROW1", b"PAR1")
"""How tables begin: Arrow IPC files, Parquet files."""


class TableSampler:
    """From the columns of an Arrow IPC or Parquet file to another such file. See Sampler.

    Parameters
    ----------
    source
        The input.
    target
        The output, whose name tells the format.
    request
        What to draw.
    files
        Closes what is opened here.

    Raises
    ------
    SampleError, FileError, ImportError
        If the input or the request cannot be used, or pyarrow is missing.
    """

    def __init__(self, source: Path, target: Path, request: Request, files: ExitStack) -> None:
        self._pa = arrow.pyarrow()
        self._source = source
        self._target = target
        if isinstance(request.tau, Path):
            raise SampleError(f"tau = {request.tau}: must be a number where the logits are a table")
        if request.axis != -1:
            raise SampleError(f"axis = {request.axis}: must be -1 where the logits are a table: the lists")
        self._tau = request.tau
        self._request = request
        with _arrow_reading(source, self._pa):
            self._table = _open(source, files, self._pa)
        self._names = self._chosen()
        self._schema = self._result_schema()
        self._check_target()
        self._keys: Sequence[Key] = ()
        self._slice_rows = 0

    @property
    def count(self) -> int:
        """How many columns there are to draw from."""
        return len(self._names)

    @property
    def nbytes(self) -> int:
        """The size of the samples; other columns are not counted."""
        return sum(math.prod(drawn.shape) * drawn.dtype.itemsize for drawn in self.drawn)

    @property
    def copies(self) -> int:
        """The stream, and the file that is made from it."""
        return 2

    @property
    def parameters(self) -> dict[str, Any]:
        """What the output is made of."""
        return {
            "format": self._target.suffix,
            "tau": self._tau,
            "columns": self._names,  # before the keys, of which there are as many
            "keys": [list(key) for key in self._keys],
            "pyarrow": self._pa.__version__,
        }

    @property
    def drawn(self) -> tuple[Drawn, ...]:
        """What will be written."""
        result = []
        for name, key in zip(self._names, self._keys, strict=True):
            kind = self._table.schema.field(name).type
            dtype = result_dtype(np.dtype(kind.value_type.to_pandas_dtype()), self._request.kind)
            shape = (self._table.rows, kind.list_size)
            result.append(Drawn(name, shape[: 1 if self._is_index else 2], dtype, *key))
        return tuple(result)

    def plan(self, keys: Sequence[Key], slice_bytes: int) -> None:
        """Choose how many rows are worked on at a time."""
        self._keys = keys
        kinds = [self._table.schema.field(name).type for name in self._names]
        for kind in kinds:
            check_first_row(self._request.first_row, self._table.rows, kind.list_size)
        row = sum(kind.list_size * kind.value_type.bit_width // 8 for kind in kinds)
        self._slice_rows = max(1, slice_bytes // row)

    def run(self, session: Session, partial: PartialOutput, progress: Progress | None) -> None:
        """Draw all that is not done yet and append it to the unfinished output. See Sampler."""
        at = partial.append_from_here()
        if at == 0:
            with writing(self._target):
                at = _append(partial.fd, at, self._schema.serialize())
                partial.advance(0)
        first = min(partial.done * self._slice_rows, self._table.rows)
        if progress is not None:
            progress(first, self._table.rows)
        slices = self._table.slices(first, self._slice_rows)
        while True:
            with _arrow_reading(self._source, self._pa):
                part = next(slices, None)
            if part is None:
                return
            columns = [self._column(session, part, number, first) for number in range(len(self._schema))]
            batch = self._pa.RecordBatch.from_arrays(columns, schema=self._schema)
            with writing(self._target):
                at = _append(partial.fd, at, batch.serialize())
                partial.advance(partial.done + 1)
            first += part.num_rows
            if progress is not None:
                progress(first, self._table.rows)

    def finish(self, partial: PartialOutput) -> Path:
        """Make the file from the stream."""
        partial.append_from_here()
        with writing(self._target):
            with partial.path.open("rb") as stream:
                memory = _map(stream)
            batches = _dropping(self._pa.ipc.open_stream(self._pa.py_buffer(memory)), memory)
            with self._writer(partial.made, self._schema) as writer:
                for batch in batches:
                    writer.write_batch(batch)
        return partial.made

    @property
    def _is_index(self) -> bool:
        return self._request.kind == "categorical"

    def _chosen(self) -> list[str]:
        """Return the names of the columns to draw from."""
        schema = self._table.schema
        names = list(self._request.names)
        for name in names:
            if schema.names.count(name) != 1:
                raise SampleError(
                    f"{self._source} has no single column {name!r}; it has {', '.join(schema.names)}"
                )
            if not arrow.is_logits(schema.field(name).type, self._pa):
                raise SampleError(
                    f"{self._source}: column {name!r} has type {schema.field(name).type}; it must be a "
                    "fixed-size list of halffloat, float or double"
                )
        names = names or [field.name for field in schema if arrow.is_logits(field.type, self._pa)]
        if not names:
            raise SampleError(
                f"{self._source} has no column of fixed-size lists of floating-point numbers; it has "
                + ", ".join(f"{field.name}: {field.type}" for field in schema)
            )
        for name in names:
            if schema.names.count(name) > 1:
                raise SampleError(
                    f"{self._source} has {schema.names.count(name)} columns {name!r}, logits among "
                    "them, which cannot be told apart; rename them, or name the columns to draw from"
                )
        return names

    def _result_schema(self) -> Any:
        """Return the schema of the output: samples in place of logits, dictionaries written out."""
        fields = []
        for field in self._table.schema:
            kind = field.type
            if field.name in self._names:
                kind = self._pa.int32() if self._is_index else self._pa.list_(kind.value_type, kind.list_size)
            elif self._pa.types.is_dictionary(kind):
                kind = kind.value_type
            fields.append(self._pa.field(field.name, kind, field.nullable, field.metadata))
        return self._pa.schema(fields, self._table.schema.metadata)

    def _check_target(self) -> None:
        """Refuse what the output cannot hold now, rather than when all work is done."""
        for field in self._schema:
            column = f"column {field.name!r} of {self._source} has type {field.type}"
            if _holds_dictionary(field.type, self._pa):
                raise FileError(
                    f"cannot write {self._target}: {column}; dictionaries inside of other types are not "
                    "copied: convert or drop it"
                )
            try:
                with self._writer(self._pa.BufferOutputStream(), self._pa.schema([field])):
                    pass
            except self._pa.ArrowException as error:
                raise FileError(
                    f"cannot write {self._target}: {column}: {error}; convert or drop it"
                ) from error

    def _column(self, session: Session, part: Any, number: int, first: int) -> Any:
        """Return a column of the output, for a slice that starts at a row."""
        column = part.column(number)  # by number: names of columns that are copied may be equal
        name = self._schema.field(number).name
        if name not in self._names:
            is_dictionary = self._pa.types.is_dictionary(column.type)
            return column.dictionary_decode() if is_dictionary else column
        place = f"{self._source}: column {name!r}"
        try:
            logits = arrow.as_array(column)
        except arrow.NullError as error:
            raise SampleError(
                f"{place}, row {first + error.row} is null or holds a null; fill or drop it"
            ) from None
        key = self._keys[self._names.index(name)]
        try:
            samples = draw(
                session, self._request.kind, logits, self._tau, -1, key, self._request.first_row + first
            )
        except (TypeError, ValueError) as error:
            found = row_checks.fault(logits)
            if found is None:
                raise SampleError(f"{place}: {error}") from error
            raise SampleError(f"{place}, row {first + found[0]} {found[1]}") from None
        return arrow.as_column(samples).cast(self._schema.field(number).type)

    def _writer(self, place: Any, schema: Any) -> Any:
        """Return a writer of record batches into a new file, or into a stream of pyarrow's."""
        if self._target.suffix != ".parquet":
            return self._pa.ipc.new_file(place, schema)
        from pyarrow import parquet

        repeating: Any = [name for name in schema.names if name not in self._names] or False
        return parquet.ParquetWriter(place, schema, use_dictionary=repeating)


class _IpcTable:
    """An Arrow IPC file, mapped: record batches that are not compressed are not copied."""

    def __init__(self, path: Path, pa: Any) -> None:
        self._pa = pa
        with path.open("rb") as file:
            self._memory = _map(file)
        self._reader = pa.ipc.open_file(pa.py_buffer(self._memory))
        self.schema = self._reader.schema
        self.rows = int(self._reader.count_rows())

    def slices(self, first: int, count: int) -> Iterator[Any]:
        """Return slices of so many rows, from a row on."""
        return _dropping(_slices(self._batches(), first, count, self._pa), self._memory)

    def _batches(self) -> Iterator[Any]:
        return (self._reader.get_batch(number) for number in range(self._reader.num_record_batches))


class _ParquetTable:
    """A Parquet file, read in parts of row groups."""

    def __init__(self, path: Path, files: ExitStack, pa: Any) -> None:
        from pyarrow import parquet

        self._pa = pa
        self._file = files.enter_context(
            parquet.ParquetFile(path, buffer_size=1 << 20, pre_buffer=False)  # by the page
        )
        self.schema = self._file.schema_arrow
        self.rows = int(self._file.metadata.num_rows)

    def slices(self, first: int, count: int) -> Iterator[Any]:
        """Return slices of so many rows, from a row on."""
        group, groups = 0, self._file.metadata.num_row_groups
        while group < groups and self._file.metadata.row_group(group).num_rows <= first:
            first -= self._file.metadata.row_group(group).num_rows
            group += 1
        batches = self._file.iter_batches(count, row_groups=list(range(group, groups)))
        yield from _slices(batches, first, count, self._pa)


def _open(path: Path, files: ExitStack, pa: Any) -> _IpcTable | _ParquetTable:
    with path.open("rb") as file:
        is_parquet = file.read(4) == b"PAR1"
    return _ParquetTable(path, files, pa) if is_parquet else _IpcTable(path, pa)


def _holds_dictionary(kind: Any, pa: Any) -> bool:
    """Whether a type is a dictionary or has one inside: the unfinished output would lose its values."""
    if isinstance(kind, pa.BaseExtensionType):
        return _holds_dictionary(kind.storage_type, pa)
    return bool(pa.types.is_dictionary(kind)) or any(
        _holds_dictionary(kind.field(number).type, pa) for number in range(kind.num_fields)
    )


def _slices(batches: Iterator[Any], skip: int, count: int, pa: Any) -> Iterator[Any]:
    """Skip rows, then divide record batches into such of `count` rows; the last may be shorter."""
    waiting: list[Any] = []
    there = 0
    for batch in batches:
        skipped = min(skip, batch.num_rows)
        skip -= skipped
        while skipped < batch.num_rows:
            part = batch.slice(skipped, count - there)
            skipped += part.num_rows
            there += part.num_rows
            waiting.append(part)
            if there == count:
                yield _joined(waiting, pa)
                waiting, there = [], 0
    if waiting:
        yield _joined(waiting, pa)


def _joined(batches: list[Any], pa: Any) -> Any:
    if len(batches) == 1:
        return batches[0]
    return pa.Table.from_batches(batches).combine_chunks().to_batches()[0]


def _map(file: Any) -> mmap.mmap:
    """Map a file; the mapping goes with the last array on it."""
    return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _dropping(batches: Iterator[Any], memory: mmap.mmap) -> Iterator[Any]:
    """Return record batches on a mapped file, whose pages stop counting as this process's after each."""
    for batch in batches:
        yield batch
        memory.madvise(mmap.MADV_DONTNEED)


def _append(fd: int, at: int, data: Any) -> int:
    """Write bytes to a place and return the one behind them."""
    write_all(fd, memoryview(data), at)
    return at + len(memoryview(data))


@contextlib.contextmanager
def _arrow_reading(path: Path, pa: Any) -> Iterator[None]:
    """Name the file in what Arrow says of it."""
    with reading(path):
        try:
            yield
        except pa.ArrowException as error:
            raise FileError(f"cannot read {path}: {error}") from error
