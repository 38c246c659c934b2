"""Arrays in .npy files, or in the members of .npz files: what the header says, checked, and new headers."""

from __future__ import annotations

import io
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from gumbel4j.files.box_io import read_box, write_all
from gumbel4j.files.errors import FileError, SampleError, reading
from gumbel4j.files.grid import Ranges, extent

MAGIC: Final = b"\x93NUMPY"
_LARGEST_HEADER: Final = 1 << 16


@dataclass(frozen=True)
class StoredArray:
    """An array in an open file.

    Attributes
    ----------
    path, name
        The file, and the member's name if the file holds several, else "".
    fd, offset
        The open file, and the byte where the elements start.
    shape, dtype, is_fortran
        What the header says; the dtype may be of either byte order.
    """

    path: Path
    name: str
    fd: int
    offset: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    is_fortran: bool

    @property
    def place(self) -> str:
        """The file, and the member if there are several, for messages."""
        return f"{self.path}[{self.name!r}]" if self.name else str(self.path)

    def read(self, box: Ranges, buffer: NDArray[Any]) -> NDArray[Any]:
        """Return a box of it, read into a flat buffer of its dtype in native byte order.

        Raises FileError if the file cannot be read or ends too early.
        """
        shape = self.shape
        if self.is_fortran:  # the same bytes as those of the transposed array in C order
            shape, box = shape[::-1], box[::-1]
        extents = tuple(map(extent, box))
        part = buffer[: math.prod(extents)].reshape(extents)
        read_box(self.path, self.fd, self.offset, shape, box, part)
        if not self.dtype.isnative:
            part.byteswap(inplace=True)
        return part.T if self.is_fortran else part

    @property
    def layout(self) -> str:
        """How it lies in the file."""
        return f"{self.dtype.str} {self.shape} {'Fortran' if self.is_fortran else 'C'} at {self.offset}"


def read_header(path: Path, name: str, fd: int, offset: int, nbytes: int) -> StoredArray:
    """Return the array whose .npy image takes `nbytes` of a file from `offset` on. Nothing is unpickled.

    Raises SampleError or FileError if that is no complete array of floating-point numbers.
    """
    place = f"{path}[{name!r}]" if name else str(path)
    with reading(path):
        file = io.BytesIO(os.pread(fd, min(nbytes, _LARGEST_HEADER), offset))
    if not file.getvalue().startswith(MAGIC):
        raise SampleError(f"{place} is not a .npy file; write one with numpy.save(path, logits)")
    try:
        version = npy_format.read_magic(file)
        read = {(1, 0): npy_format.read_array_header_1_0, (2, 0): npy_format.read_array_header_2_0}
        if version not in read:
            raise ValueError(f"its format has version {version[0]}.{version[1]}, which no plain array needs")
        shape, is_fortran, dtype = read[version](file)
    except (ValueError, EOFError) as error:
        raise SampleError(f"cannot read {place}: {error}") from error
    if dtype.hasobject:
        raise SampleError(f"cannot read {place}: it holds pickled Python objects, which are not unpickled")
    if dtype.kind != "f" or dtype.itemsize > 8:
        raise SampleError(
            f"{place} has dtype {dtype}; it must be float16, float32 or float64: convert with "
            ".astype(np.float32)"
        )
    wanted = math.prod(shape) * dtype.itemsize
    there = nbytes - file.tell()
    if there < wanted:
        raise FileError(
            f"cannot read {place}: it is cut short; shape {shape} of {dtype} takes {wanted} bytes, "
            f"{there} are there"
        )
    return StoredArray(path, name, fd, offset + file.tell(), tuple(shape), dtype, is_fortran)


def header(shape: tuple[int, ...], dtype: np.dtype[Any]) -> bytes:
    """Return the header of a .npy file of a C-ordered array, as numpy.save writes it."""
    file = io.BytesIO()
    content = {"descr": npy_format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    npy_format.write_array_header_1_0(file, content)
    return file.getvalue()


def check_axis(array: StoredArray, axis: int) -> int:
    """Return the axis of the classes, not negative, or raise SampleError."""
    if not array.shape:
        raise SampleError(f"{array.place} is a single number; it must have an axis of classes")
    if not -len(array.shape) <= axis < len(array.shape):
        raise SampleError(f"axis = {axis}: {array.place} has shape {array.shape}")
    axis %= len(array.shape)
    if array.shape[axis] == 0:
        raise SampleError(f"{array.place} has shape {array.shape}: axis {axis} must have at least 1 class")
    return axis


class Layout:
    """Where everything of a new .npy file goes.

    Parameters
    ----------
    shape, dtype
        Of the array that it will hold, in C order.
    """

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self._header = header(shape, dtype)
        self.nbytes = len(self._header) + math.prod(shape) * dtype.itemsize
        self.offsets = [len(self._header)]

    def begin(self, fd: int) -> None:
        """Write the header."""
        write_all(fd, self._header, 0)

    def finish(self, fd: int) -> None:
        """Do nothing: the file is whole when its elements are written."""
