"""What goes wrong with files: the errors, and how the operating system's become one of them."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path


class SampleError(ValueError):
    """What a file holds, or an argument, cannot be used; the message says which and why."""


class FileError(OSError):
    """A file cannot be read or written; the message says which and why, `errno` is the cause's."""

    def __init__(self, message: str, number: int | None = None) -> None:
        super().__init__(number, message)

    def __str__(self) -> str:
        return str(self.strerror)


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Name the file in what the operating system says of it."""
    try:
        yield
    except FileError:
        raise
    except OSError as error:
        raise FileError(f"cannot read {path}: {error.strerror or error}", error.errno) from error


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Name the file in what the operating system says of it."""
    try:
        yield
    except FileError:
        raise
    except OSError as error:
        raise FileError(f"cannot write {path}: {error.strerror or error}", error.errno) from error


def is_full(error: BaseException) -> bool:
    """Whether there is no room left: on the disk, in a quota, or under a limit on the size of files."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def readable(nbytes: int) -> str:
    """Return a number of bytes for people: "3.0 GiB"."""
    for size, unit in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if nbytes >= size:
            return f"{nbytes / size:,.1f} {unit}"
    return f"{nbytes} bytes"
