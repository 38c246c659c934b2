"""Reading and writing a box of an array in a file: as many bytes at a time as lie side by side.

With plain reads and writes, not a mapping: pages of a mapping count as this process's memory, and touching
one that the disk has no room for, or that is gone, would end the process.
"""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gumbel4j.files.errors import FileError, reading
from gumbel4j.files.grid import Ranges, extent

_AT_ONCE: Final = 1 << 26  # bytes of one system call


def read_box(
    path: Path, fd: int, offset: int, shape: tuple[int, ...], box: Ranges, out: NDArray[Any]
) -> None:
    """Fill the C-contiguous `out`, of the box's shape, with a box of a C-ordered array in a file.

    Raises FileError if the file cannot be read or ends too early.
    """

    def read(part: memoryview, at: int) -> int:
        count = os.preadv(fd, [part], at)
        if count == 0:
            raise FileError(
                f"cannot read {path}: it ends before byte {at + 1}; was it cut while it was read?"
            )
        return count

    with reading(path):
        _each_run(offset, shape, box, out, read)


def write_box(fd: int, offset: int, shape: tuple[int, ...], box: Ranges, values: NDArray[Any]) -> None:
    """Write the C-contiguous `values`, of the box's shape, to a box of a C-ordered array in a file.

    Raises OSError as the operating system does.
    """
    _each_run(offset, shape, box, values, lambda part, at: os.pwritev(fd, [part], at))


def write_all(fd: int, data: bytes | memoryview, at: int) -> None:
    """Write all of the bytes to a place in a file."""
    _whole(memoryview(data), at, lambda part, place: os.pwritev(fd, [part], place))


def _each_run(
    offset: int,
    shape: tuple[int, ...],
    box: Ranges,
    array: NDArray[Any],
    move: Callable[[memoryview, int], int],
) -> None:
    """Move each stretch of bytes that lies side by side in the file."""
    if array.size == 0:
        return
    data = array.reshape(-1).view(np.uint8).data
    length, starts = _runs(shape, box)
    nbytes = length * array.itemsize
    for number, start in enumerate(starts):
        _whole(data[number * nbytes : (number + 1) * nbytes], offset + start * array.itemsize, move)


def _whole(data: memoryview, at: int, move: Callable[[memoryview, int], int]) -> None:
    """Move all bytes, though a call may move only some of them."""
    done = 0
    while done < len(data):
        done += move(data[done : done + _AT_ONCE], at + done)


def _runs(shape: tuple[int, ...], box: Ranges) -> tuple[int, Iterator[int]]:
    """Return how many elements of the box lie side by side, and the index where each such run starts."""
    inner = len(shape)
    while inner > 0 and extent(box[inner - 1]) == shape[inner - 1]:
        inner -= 1
    inner = max(inner - 1, 0)
    length = math.prod(extent(side) for side in box[inner:])
    steps = [math.prod(shape[at + 1 :]) for at in range(len(shape))]
    within = sum(side.start * step for side, step in zip(box[inner:], steps[inner:], strict=True))
    places = [
        range(side.start * step, side.stop * step, step)
        for side, step in zip(box[:inner], steps[:inner], strict=True)
    ]
    return length, (within + sum(outer) for outer in itertools.product(*places))
