"""Arrays in .npz files: their members as stored arrays, and the layout of a new file.

A new file is laid out in full before its elements are written, so that they can be written in any order and
an unfinished file can be gone on with. Members are not compressed. Sizes and places are of the 64-bit kind
throughout (ZIP64), for one way to write them; numpy.load and unzip read it.

Format: PKWARE, "APPNOTE.TXT - .ZIP File Format Specification", 4.3 and 4.5.3.
"""

from __future__ import annotations

import math
import os
import shutil
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import numpy as np

from gumbel4j.files import npy
from gumbel4j.files.box_io import write_all
from gumbel4j.files.errors import FileError, SampleError, reading, writing

MAGIC: Final = b"PK"
_AT_ONCE: Final = 1 << 20
_IS_ENCRYPTED: Final = 1

_LOCAL: Final = struct.Struct("<4s5H3I2H")
_LOCAL_EXTRA: Final = struct.Struct("<2H2Q")
_CENTRAL: Final = struct.Struct("<4s6H3I5H2I")
_CENTRAL_EXTRA: Final = struct.Struct("<2H3Q")
_END_64: Final = struct.Struct("<4sQ2H2I4Q")
_LOCATOR_64: Final = struct.Struct("<4sIQI")
_END: Final = struct.Struct("<4s4H2IH")
_VERSION: Final = 45  # the first that knows ZIP64
_UTF8: Final = 1 << 11
_DATE: Final = 1 << 5 | 1  # 1 January 1980, so that equal contents make equal files
_IN_EXTRA_16: Final = 0xFFFF
_IN_EXTRA: Final = 0xFFFFFFFF
_CRC_AT: Final = 14


def members(
    path: Path, file: IO[bytes], names: Sequence[str], scratch: Path, files: ExitStack
) -> list[npy.StoredArray]:
    """Return the named members of a .npz file, all if no name is given, after checking their checksums.

    Compressed members are expanded into a file without a name in the folder `scratch`, which `files` closes.

    Raises SampleError or FileError if the file or a member cannot be used.
    """
    try:
        with reading(path), zipfile.ZipFile(file) as archive:
            present: dict[str, zipfile.ZipInfo] = {}
            for info in archive.infolist():
                name = info.filename.removesuffix(".npy")
                if name in present:
                    raise SampleError(
                        f"{path} has two members {name!r}: {present[name].filename} and {info.filename}; "
                        "write it with different names"
                    )
                present[name] = info
            if not present:
                raise SampleError(f"{path} holds no array")
            for name in names:
                if name not in present:
                    raise SampleError(f"{path} has no member {name!r}; it has {', '.join(present)}")
            return [
                _member(path, file, archive, present[name], name, scratch, files) for name in names or present
            ]
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise FileError(f"cannot read {path}: {error or 'it ends too early'}") from error


def _member(
    path: Path,
    file: IO[bytes],
    archive: zipfile.ZipFile,
    info: zipfile.ZipInfo,
    name: str,
    scratch: Path,
    files: ExitStack,
) -> npy.StoredArray:
    if info.flag_bits & _IS_ENCRYPTED:
        raise SampleError(f"cannot read {path}: its member {info.filename} is encrypted")
    with archive.open(info) as content:
        if info.compress_type != zipfile.ZIP_STORED:
            with writing(scratch):
                expanded = tempfile.TemporaryFile(dir=scratch)  # noqa: SIM115  # open for as long as files
                files.enter_context(expanded)
                shutil.copyfileobj(content, expanded, _AT_ONCE)
                expanded.flush()
            return npy.read_header(path, name, expanded.fileno(), 0, info.file_size)
        while content.read(_AT_ONCE):
            pass  # reading to the end checks the checksum
    local = os.pread(file.fileno(), _LOCAL.size, info.header_offset)
    name_length, extra_length = _LOCAL.unpack(local)[-2:]
    offset = info.header_offset + _LOCAL.size + name_length + extra_length
    return npy.read_header(path, name, file.fileno(), offset, info.file_size)


@dataclass(frozen=True)
class _Member:
    """A member to be written: its place, that of its elements, and the length of its .npy image."""

    filename: bytes
    start: int
    header: bytes
    data: int
    nbytes: int


class Layout:
    """Where everything of a new .npz file goes.

    Parameters
    ----------
    arrays
        Shape and dtype of each member, by name.
    """

    def __init__(self, arrays: Mapping[str, tuple[tuple[int, ...], np.dtype[Any]]]) -> None:
        self._members: list[_Member] = []
        at = 0
        for name, (shape, dtype) in arrays.items():
            filename = f"{name}.npy".encode()
            header = npy.header(shape, dtype)
            nbytes = len(header) + math.prod(shape) * dtype.itemsize
            image = at + _LOCAL.size + len(filename) + _LOCAL_EXTRA.size
            self._members.append(_Member(filename, at, header, image + len(header), nbytes))
            at = image + nbytes
        self._central_at = at
        self._central_size = sum(
            _CENTRAL.size + len(member.filename) + _CENTRAL_EXTRA.size for member in self._members
        )

    @property
    def nbytes(self) -> int:
        """The size of the whole file."""
        return self._central_at + self._central_size + _END_64.size + _LOCATOR_64.size + _END.size

    @property
    def offsets(self) -> list[int]:
        """Where the elements of each member start."""
        return [member.data for member in self._members]

    def begin(self, fd: int) -> None:
        """Write the headers of all members; their checksums come at the end."""
        for member in self._members:
            local = _LOCAL.pack(
                b"PK\3\4", _VERSION, _UTF8, 0, 0, _DATE, 0, _IN_EXTRA, _IN_EXTRA,
                len(member.filename), _LOCAL_EXTRA.size,
            )  # fmt: skip
            extra = _LOCAL_EXTRA.pack(1, _LOCAL_EXTRA.size - 4, member.nbytes, member.nbytes)
            write_all(fd, local + member.filename + extra + member.header, member.start)

    def finish(self, fd: int) -> None:
        """Write checksums and the directory, once all elements are written."""
        central = b""
        for member in self._members:
            checksum = _checksum(fd, member.data - len(member.header), member.nbytes)
            write_all(fd, struct.pack("<I", checksum), member.start + _CRC_AT)
            central += _CENTRAL.pack(
                b"PK\1\2", _VERSION, _VERSION, _UTF8, 0, 0, _DATE, checksum, _IN_EXTRA, _IN_EXTRA,
                len(member.filename), _CENTRAL_EXTRA.size, 0, 0, 0, 0, _IN_EXTRA,
            )  # fmt: skip
            central += member.filename
            central += _CENTRAL_EXTRA.pack(
                1, _CENTRAL_EXTRA.size - 4, member.nbytes, member.nbytes, member.start
            )
        count = len(self._members)
        end_64 = _END_64.pack(
            b"PK\6\6", _END_64.size - 12, _VERSION, _VERSION, 0, 0, count, count,
            len(central), self._central_at,
        )  # fmt: skip
        locator = _LOCATOR_64.pack(b"PK\6\7", 0, self._central_at + len(central), 1)
        end = _END.pack(b"PK\5\6", 0, 0, _IN_EXTRA_16, _IN_EXTRA_16, _IN_EXTRA, _IN_EXTRA, 0)
        write_all(fd, central + end_64 + locator + end, self._central_at)


def _checksum(fd: int, at: int, nbytes: int) -> int:
    checksum = 0
    end = at + nbytes
    while at < end:
        data = os.pread(fd, min(_AT_ONCE, end - at), at)
        checksum = zlib.crc32(data, checksum)
        at += len(data)
    return checksum
