"""Drawing from arrays in files to arrays in a file, box by box.

While Java works on a box, one thread reads the next and another writes the last; four buffers, in memory that
Java shares, are all there is of an array at any time. Where rows lie scattered in the file, boxes are larger,
and two buffers must do.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gumbel4j.files import npy, npz, row_checks
from gumbel4j.files.box_io import write_box
from gumbel4j.files.errors import SampleError, reading, writing
from gumbel4j.files.grid import Grid, Ranges, divide, extent
from gumbel4j.files.npy import StoredArray
from gumbel4j.files.partial_output import FILE_OF, PartialOutput, identity
from gumbel4j.files.sampler import (
    Drawn,
    Key,
    Kind,
    Progress,
    Request,
    check_first_row,
    draw,
    result_dtype,
    result_shape,
)

if TYPE_CHECKING:
    from gumbel4j.session import Session


@dataclass(frozen=True)
class _Job:
    """One array to draw from, and where the samples go.

    Attributes
    ----------
    source, axis, grid
        The logits, the axis of the classes, and how they are divided.
    kind, tau, key, first_row
        What to draw; `tau` is a number, or a stored array of as many axes as the logits, 1 along `axis`.
    offset
        Where the elements of the result start in the output file.
    """

    source: StoredArray
    axis: int
    grid: Grid
    kind: Kind
    tau: float | StoredArray
    key: Key
    first_row: int
    offset: int

    @property
    def classes(self) -> int:
        """The number of classes."""
        return self.source.shape[self.axis]

    @property
    def rows(self) -> int:
        """The number of rows."""
        return math.prod(self.grid.sizes)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the result."""
        return result_shape(self.source.shape, self.axis, self.kind)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the result."""
        return result_dtype(self.source.dtype, self.kind)

    def whole(self, box: Ranges) -> Ranges:
        """Return a box with the axis of the classes in it."""
        return (*box[: self.axis], slice(0, self.classes), *box[self.axis :])

    def part_of_result(self, box: Ranges) -> Ranges:
        """Return the box of the result that belongs to a box of rows."""
        return box if self.kind == "categorical" else self.whole(box)


class _Buffers:
    """Memory for one job: a box of logits and a box of results, twice each where the work overlaps."""

    def __init__(self, session: Session, job: _Job) -> None:
        count = math.prod(job.grid.extents)
        per_row = 1 if job.kind == "categorical" else job.classes
        times = 1 if job.grid.is_scattered else 2
        native = job.source.dtype.newbyteorder("=")
        try:
            self.logits = [session.empty(count * job.classes, native) for _ in range(times)]
            self.results = [session.empty(count * per_row, job.dtype) for _ in range(times)]
        except TypeError as error:
            raise SampleError(f"{job.source.place}: {error}") from error


class ArraySampler:
    """From the arrays of a .npy or .npz file to another such file. See Sampler.

    Parameters
    ----------
    source, file
        The input, by name and open.
    target
        The output, whose name tells the format.
    request
        What to draw.
    files
        Closes what is opened here.

    Raises
    ------
    SampleError, FileError
        If the input or the request cannot be used.
    """

    def __init__(
        self, source: Path, file: IO[bytes], target: Path, request: Request, files: ExitStack
    ) -> None:
        self._request = request
        self._target = target
        self._arrays = _stored(source, file, request.names, target, files)
        self._axes = [npy.check_axis(array, request.axis) for array in self._arrays]
        if target.suffix == ".npy" and len(self._arrays) != 1:
            raise SampleError(
                f"cannot write {target}: {source} has {len(self._arrays)} members; name one, "
                "or write a .npz file"
            )
        self._tau: dict[str, Any]
        self._taus: list[float | StoredArray]
        if isinstance(request.tau, Path):
            with reading(request.tau):
                temperatures = files.enter_context(request.tau.open("rb"))
                status = os.fstat(temperatures.fileno())
            tau = npy.read_header(request.tau, "", temperatures.fileno(), 0, status.st_size)
            self._tau = {f"{FILE_OF}tau": identity(request.tau, status)}
            self._taus = [
                row_checks.aligned(tau, array, axis)
                for array, axis in zip(self._arrays, self._axes, strict=True)
            ]
        else:
            self._tau = {"tau": request.tau}
            self._taus = [request.tau] * len(self._arrays)
        results = {
            array.name or "samples": (
                result_shape(array.shape, axis, request.kind),
                result_dtype(array.dtype, request.kind),
            )
            for array, axis in zip(self._arrays, self._axes, strict=True)
        }
        self._layout: npy.Layout | npz.Layout
        self._layout = (
            npy.Layout(*next(iter(results.values()))) if target.suffix == ".npy" else npz.Layout(results)
        )
        self._jobs: list[_Job] = []

    @property
    def count(self) -> int:
        """How many arrays there are to draw from."""
        return len(self._arrays)

    @property
    def nbytes(self) -> int:
        """The size of the output."""
        return self._layout.nbytes

    @property
    def copies(self) -> int:
        """The unfinished output becomes the product."""
        return 1

    @property
    def parameters(self) -> dict[str, Any]:
        """What the output is made of."""
        layouts = [f"{array.name} {array.layout}".strip() for array in self._arrays]
        return {
            "format": self._target.suffix,
            **self._tau,
            "axis": self._request.axis,
            "arrays": layouts,  # before the keys, of which there are as many
            "keys": [list(job.key) for job in self._jobs],
        }

    @property
    def drawn(self) -> tuple[Drawn, ...]:
        """What will be written."""
        return tuple(Drawn(job.source.name, job.shape, job.dtype, *job.key) for job in self._jobs)

    def plan(self, keys: Sequence[Key], slice_bytes: int) -> None:
        """Divide the arrays into boxes."""
        request = self._request
        for array, axis in zip(self._arrays, self._axes, strict=True):
            rows = math.prod(array.shape[:axis] + array.shape[axis + 1 :])
            check_first_row(request.first_row, rows, array.shape[axis])
        self._jobs = [
            _Job(
                array,
                axis,
                divide(array.shape, axis, array.is_fortran, array.dtype.itemsize, slice_bytes),
                request.kind,
                tau,
                key,
                request.first_row,
                offset,
            )
            for array, axis, tau, key, offset in zip(
                self._arrays, self._axes, self._taus, keys, self._layout.offsets, strict=True
            )
        ]

    def run(self, session: Session, partial: PartialOutput, progress: Progress | None) -> None:
        """Draw all that is not done yet and write it into the unfinished output. See Sampler."""
        if partial.done == 0:
            with writing(self._target):
                self._layout.begin(partial.fd)
        _run(session, self._jobs, partial, progress)

    def finish(self, partial: PartialOutput) -> Path:
        """Write checksums and the directory of a .npz file."""
        with writing(self._target):
            self._layout.finish(partial.fd)
        return partial.path


def _stored(
    source: Path, file: IO[bytes], names: Sequence[str], target: Path, files: ExitStack
) -> list[StoredArray]:
    """Return the arrays in the file."""
    with reading(source):
        magic = os.pread(file.fileno(), len(npy.MAGIC), 0)
        nbytes = os.fstat(file.fileno()).st_size
    if magic.startswith(npz.MAGIC):
        return npz.members(source, file, names, target.parent, files)
    if magic != npy.MAGIC:
        raise SampleError(
            f"{source} is not a .npy file, nor a .npz, Arrow or Parquet file; write one with "
            "numpy.save(path, logits)"
        )
    if names:
        raise SampleError(f"{source} is a .npy file, which has no members; got the name {names[0]!r}")
    return [npy.read_header(source, "", file.fileno(), 0, nbytes)]


def _run(session: Session, jobs: Sequence[_Job], partial: PartialOutput, progress: Progress | None) -> None:
    """Draw what is not done yet: read the next box and write the last while Java works on one."""
    steps = [(job, number) for job in jobs for number in range(len(job.grid) if job.rows else 0)]
    start = partial.done
    total = sum(job.rows for job in jobs)
    drawn = sum(_rows(job.grid.box(number)) for job, number in steps[:start])
    buffers: dict[int, _Buffers] = {}

    def buffers_of(job: _Job) -> _Buffers:
        if id(job) not in buffers:
            buffers.clear()  # the last job's are used again where they fit
            buffers[id(job)] = _Buffers(session, job)
        return buffers[id(job)]

    def read(step: int) -> NDArray[Any]:
        job, number = steps[step]
        buffer = buffers_of(job).logits
        return job.source.read(job.whole(job.grid.box(number)), buffer[step % len(buffer)])

    def write(step: int, result: NDArray[Any]) -> None:
        job, number = steps[step]
        box = job.grid.box(number)
        with writing(partial.target):
            write_box(partial.fd, job.offset, job.shape, job.part_of_result(box), result)
            partial.advance(step + 1)

    if progress is not None:
        progress(drawn, total)
    with ThreadPoolExecutor(1, "read") as reader, ThreadPoolExecutor(1, "write") as writer:
        ahead: Future[NDArray[Any]] | None = None
        behind: Future[None] | None = None
        for step in range(start, len(steps)):
            job, number = steps[step]
            logits = (ahead or reader.submit(read, step)).result()
            overlaps = not job.grid.is_scattered
            buffer = buffers_of(job).results
            ahead = reader.submit(read, step + 1) if overlaps and step + 1 < len(steps) else None
            box = job.grid.box(number)
            result = _draw(session, job, box, logits, buffer[step % len(buffer)])
            if behind is not None:
                behind.result()
            behind = writer.submit(write, step, result)
            if not overlaps:
                behind.result()
            drawn += _rows(box)
            if progress is not None:
                progress(drawn, total)
        if behind is not None:
            behind.result()


def _rows(box: Ranges) -> int:
    return math.prod(extent(side) for side in box)


def _draw(
    session: Session, job: _Job, box: Ranges, logits: NDArray[Any], buffer: NDArray[Any]
) -> NDArray[Any]:
    """Return a box of samples, written into the buffer."""
    shape = result_shape(logits.shape, job.axis, job.kind)
    result = buffer[: math.prod(shape)].reshape(shape)
    temperatures = row_checks.temperatures(job.source, job.axis, job.tau, box)
    for run_box, first in job.grid.runs(box):
        part = job.whole(run_box)
        tau = temperatures
        if isinstance(tau, np.ndarray):
            tau = tau[tuple(side if n > 1 else slice(None) for side, n in zip(part, tau.shape, strict=True))]
        out = result[job.part_of_result(run_box)] if run_box else result
        try:
            draw(session, job.kind, logits[part], tau, job.axis, job.key, job.first_row + first, out)
        except (TypeError, ValueError) as error:
            row_checks.check(job.source, job.axis, box, logits)
            raise SampleError(f"{job.source.place}: {error}") from error
    return result
