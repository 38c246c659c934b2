"""The unfinished output: a hidden file beside the target that takes its name only when it is whole.

Beside it lies a small JSON file that says what it is made of and how far it is; that is replaced, in one
step, only after the data it speaks of is on the disk. So whatever ends the process, or the machine, a later
run can go on from there.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import resource
import stat
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from gumbel4j.files.box_io import write_all
from gumbel4j.files.errors import FileError, SampleError, is_full, readable, writing

CHECKPOINT_SECONDS: Final = 2.0
"""How much work a killed process may lose, about."""

FILE_OF: Final = "file of "
"""How the names of parameters begin that are the identity of a file; see `identity`."""


class PartialOutput:
    """An unfinished output file that this process alone writes.

    Parameters
    ----------
    target
        The file it will be.
    resume
        Whether to go on with what an earlier run left, if it left anything; otherwise `begin` overwrites it.

    Raises
    ------
    FileError
        If the folder cannot be written to, or another process writes the same file.
    SampleError
        If what an earlier run left is damaged.
    """

    def __init__(self, target: Path, *, resume: bool) -> None:
        self.target = Path(os.path.realpath(target))
        self.path = self.target.with_name(f".{self.target.name}.partial")
        self.made = self.target.with_name(
            f".{self.target.name}.made"
        )  # if it does not become the target itself
        self._reserve = self.target.with_name(f".{self.target.name}.partial.reserve")
        self._notes = self.target.with_name(f".{self.target.name}.partial.json")
        self._saved_at = time.monotonic()
        self._whole: os.stat_result | None = None  # what takes the target's name
        with writing(target):
            if self.target.exists() and not stat.S_ISREG(self.target.stat().st_mode):
                raise FileError(f"cannot write {target}: it is not a regular file")
            self.fd = self._open()
        self._content: dict[str, Any] = {}
        self.done = 0  # steps
        self._length = 0  # of the file, when they were done: what is behind it may be torn
        try:
            self.made.unlink(missing_ok=True)
            if resume:
                self._take_up()
        except BaseException:
            self.abandon()
            raise

    @property
    def recorded(self) -> dict[str, Any] | None:
        """The parameters of the run that is gone on with, None if there is none."""
        parameters: dict[str, Any] | None = self._content.get("parameters")
        return parameters

    def begin(self, parameters: Mapping[str, Any]) -> None:
        """State what the output is made of.

        Raises SampleError if an earlier run, which is gone on with, was made of something else.
        """
        recorded = self.recorded
        if recorded is None:
            with writing(self.target):
                self._notes.unlink(missing_ok=True)
                os.ftruncate(self.fd, 0)
                self._content = {"parameters": dict(parameters)}
                try:
                    self.save()
                except BaseException:
                    self._notes.unlink(missing_ok=True)
                    self._reserve.unlink(missing_ok=True)
                    raise
            return
        is_gone = os.fstat(self.fd).st_size == 0
        for name, now in parameters.items():
            then = recorded.get(name)
            if then != now and name != "slice_bytes":  # which is that of the work that is resumed
                found = f"only its notes are left, so {self.target} may be whole; it" if is_gone else "it"
                advice = "a copied, moved or changed file is another; " if name.startswith(FILE_OF) else ""
                raise SampleError(
                    f"cannot go on with {self.path}: {found} was made with {name} = {_shown(then)}, this "
                    f"call has {name} = {_shown(now)}; {advice}give the same, or do not resume, to start anew"
                )
        if is_gone:
            with writing(self.target):
                self.save()  # that nothing is done

    def need(self, nbytes: int, copies: int = 1) -> None:
        """Raise FileError unless there is room for the file to grow to some size, and for copies of it."""
        status = os.fstat(self.fd)
        more = copies * nbytes - status.st_blocks * 512
        disk = os.statvfs(self.path.parent)
        free = disk.f_bavail * disk.f_frsize
        if more > free:
            raise FileError(
                f"cannot write {self.target}: it needs {readable(more)} more, but only {readable(free)} are "
                f"free in {self.path.parent}",
                errno.ENOSPC,
            )
        limit = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
        if limit != resource.RLIM_INFINITY and nbytes > limit:
            raise FileError(
                f"cannot write {self.target}: it needs {readable(nbytes)}, but files of this process are "
                f"limited to {readable(limit)} (ulimit -f)",
                errno.EFBIG,
            )

    def append_from_here(self) -> int:
        """Cut the file to the length it had when the steps that count were done, and return that."""
        os.ftruncate(self.fd, self._length)
        return self._length

    def advance(self, done: int) -> None:
        """Note that so many steps are done; on the disk, if the last time is some seconds ago."""
        self.done = done
        self._length = os.fstat(self.fd).st_size
        if time.monotonic() - self._saved_at >= CHECKPOINT_SECONDS:
            self.save()

    def save(self) -> None:
        """Bring the data to the disk, then note there how many steps are done."""
        os.fdatasync(self.fd)
        self._content["done"] = self.done
        self._content["bytes"] = self._length
        text = json.dumps(self._content, indent=1).encode()
        with _opened(self._reserve) as fd:
            write_all(fd, text, 0)
            os.ftruncate(fd, len(text))
            os.fsync(fd)
        os.replace(self._reserve, self._notes)
        _sync_folder(self.path.parent)
        # Room for the next notes, also when the disk is full by then; without it, they stay as they are now.
        with contextlib.suppress(OSError), _opened(self._reserve) as fd:
            os.posix_fallocate(fd, 0, len(text) + 64)
        self._saved_at = time.monotonic()

    def finish(self, whole: Path) -> None:
        """Give a file, this one or the one made from it, the target's name, once all of it is on the disk.

        A target that is there already passes its permissions on.
        """
        with writing(self.target):
            with whole.open("rb") as file:
                with contextlib.suppress(FileNotFoundError):
                    os.fchmod(file.fileno(), os.stat(self.target).st_mode & 0o777)
                os.fsync(file.fileno())
                self._whole = os.fstat(file.fileno())
            os.replace(whole, self.target)
            _sync_folder(self.path.parent)
            self._remove()
        self._close()

    @property
    def is_finished(self) -> bool:
        """Whether the target is whole; asked of the disk, for an interrupt may follow the rename."""
        if self._whole is None:
            return False
        try:
            return os.path.samestat(self._whole, os.stat(self.target))
        except FileNotFoundError:
            return False

    def discard(self) -> None:
        """Remove it: nobody can go on with it, or nobody needs to."""
        self._remove()
        self._close()

    def abandon(self) -> None:
        """Leave what an earlier run left as it is."""
        if os.fstat(self.fd).st_size == 0:  # made here; notes without it say what the target was made of
            self.path.unlink(missing_ok=True)
        self._close()

    def keep(self, error: BaseException) -> str:
        """Save what can be saved before it is left behind; return how to go on, for people."""
        with contextlib.suppress(OSError):  # of a broken disk: what was saved before still holds
            self.made.unlink(missing_ok=True)
            self.save()
            self._reserve.unlink(missing_ok=True)
        self._close()
        text = f"what is done so far is kept in {self.path}; the same call with resume goes on from there"
        if is_full(error):
            disk = os.statvfs(self.path.parent)
            text = f"{readable(disk.f_bavail * disk.f_frsize)} are free in {self.path.parent}; {text}"
        return text

    def _open(self) -> int:
        """Open or make the file and lock it."""
        while True:
            fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                with contextlib.suppress(FileNotFoundError):
                    if os.stat(self.path).st_ino == os.fstat(fd).st_ino:
                        return fd
            except BlockingIOError:
                os.close(fd)
                raise FileError(
                    f"cannot write {self.target}: another process is writing it (it has locked {self.path})"
                ) from None
            except BaseException:
                os.close(fd)
                raise
            os.close(fd)  # another process has just finished or removed it: its name is free again

    def _remove(self) -> None:
        """Remove all but the target; the notes last, for those alone still tell what a target was made of."""
        self._reserve.unlink(missing_ok=True)
        self.made.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)
        self._notes.unlink(missing_ok=True)

    def _close(self) -> None:
        """Close the file, which unlocks it; may be done twice."""
        fd, self.fd = self.fd, -1
        if fd >= 0:
            os.close(fd)

    def _take_up(self) -> None:
        """Go on where the notes of an earlier run say that it was, if it came so far as to write some."""
        try:
            content: dict[str, Any] = json.loads(self._notes.read_text())
            wanted = int(content["bytes"])
            _ = int(content["done"]), content["parameters"].items()
        except FileNotFoundError:
            return
        except OSError as error:
            raise FileError(f"cannot read {self._notes}: {error.strerror}", error.errno) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise SampleError(
                f"cannot go on with {self.path}: {self._notes} is damaged ({error!r}); do not resume, to "
                "start anew"
            ) from error
        there = os.fstat(self.fd).st_size
        if there == 0:  # it was finished or removed, its notes were not: from the start, but with the same
            self._content = content
            return
        if there < wanted:
            raise SampleError(
                f"cannot go on with {self.path}: it has {there} bytes, {wanted} were noted; do not resume, "
                "to start anew"
            )
        self._content = content
        self.done = int(content["done"])
        self._length = wanted


@contextlib.contextmanager
def _opened(path: Path, flags: int = os.O_WRONLY | os.O_CREAT) -> Iterator[int]:
    """Open a file as it is, or make it."""
    fd = os.open(path, flags, 0o666)
    try:
        yield fd
    finally:
        os.close(fd)


def identity(path: Path, status: os.stat_result) -> str:
    """Return what tells a file from any other, and from itself after a change, also after a restart.

    The time of the last change of any kind, which nobody can set, tells apart what sizes and times of writing
    do not. The numbers of devices and, in some file systems, of files are others after a restart.
    """
    return (
        f"{os.path.realpath(path)} of {status.st_size} bytes, written at {status.st_mtime_ns}, changed at "
        f"{status.st_ctime_ns}"
    )


def _sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    with _opened(folder, os.O_RDONLY) as fd:
        os.fsync(fd)


def _shown(value: Any) -> str:
    return "nothing" if value is None else f"{value}"
