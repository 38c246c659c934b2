"""Shared memory for arrays: Python owns it, Java maps it, and it is reused when the last array on it dies.

Memory comes in segments. Small arrays share a segment, a large one has its own. Every array is a NumPy array
over a ctypes buffer, its lease: slices, views and DLPack exports keep the lease alive, and when it dies its
block returns to the pool. So an array stays valid for as long as anyone holds it, also after its session was
closed and after Java has died.
"""

from __future__ import annotations

import atexit
import bisect
import ctypes
import errno
import fcntl
import math
import mmap
import os
import sys
import tempfile
import threading
import weakref
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gumbel4j._available import available_bytes
from gumbel4j._interrupts import HeldBack

_SMALLEST_BLOCK: Final = 1 << 12
_LARGEST_SHARED_BLOCK: Final = 1 << 20  # larger ones have a segment of their own
_SMALLEST_SEGMENT: Final = 1 << 20
_BLOCKS_OF_A_SEGMENT: Final = 16
_MOST_RETURNED: Final = 64  # blocks of a shared segment that lie about
_KEPT_BYTES: Final = 1 << 30  # unused memory that is kept for the next arrays, at most


@dataclass(frozen=True)
class DataPlane:
    """One way to make shared memory.

    Attributes
    ----------
    name
        "memfd", "shm" or "file".
    description
        For people.
    open
        Makes a segment of some size: its file descriptor, and its path if it has a name on disk.
    """

    name: str
    description: str
    open: Callable[[int], tuple[int, str | None]]


def _open_memfd(nbytes: int) -> tuple[int, str | None]:
    """Make anonymous memory that nobody can shrink, so that no access to it can fail (mode 0600)."""
    fd = os.memfd_create("gumbel4j", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.fchmod(fd, 0o600)  # the descriptor can be opened again by its entry in /proc
        _allocate(fd, nbytes)
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
    except BaseException:
        os.close(fd)
        raise
    return fd, None


def _open_file(folder: str | None, nbytes: int) -> tuple[int, str | None]:
    """Make a file that only this user can read (mode 0600)."""
    fd, path = tempfile.mkstemp(prefix="gumbel4j-", dir=folder)
    try:
        _allocate(fd, nbytes)
    except BaseException as problem:
        os.close(fd)
        os.unlink(path)
        if isinstance(problem, OSError) and problem.errno == errno.ENOSPC:
            where = os.path.dirname(path)
            system = os.statvfs(where)
            free, whole = (_readable(count * system.f_frsize) for count in (system.f_bavail, system.f_blocks))
            raise OSError(problem.errno, f"{problem.strerror}: {where} has {free} free of {whole}") from None
        raise
    return fd, path


def _allocate(fd: int, nbytes: int) -> None:
    """Give the file its size and its memory: what is not there now could be missing at the first access."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(fd, 0, nbytes)
    else:
        os.ftruncate(fd, nbytes)


DATA_PLANES: Final = (
    DataPlane("memfd", "anonymous memory (memfd)", _open_memfd),
    DataPlane(
        "shm", "a file in /dev/shm, removed as soon as it is mapped", lambda n: _open_file("/dev/shm", n)
    ),
    DataPlane(
        "file",
        "a file in the temporary folder, removed as soon as it is mapped",
        lambda n: _open_file(None, n),
    ),
)
"""In the order in which they are tried."""


@dataclass(eq=False)
class Segment:
    """A piece of shared memory, divided into blocks of one size.

    Attributes
    ----------
    number
        Its name in calls to Java.
    nbytes
        Its size.
    mapped_by
        The identity of the bridge whose Java has mapped it, if any. Not the bridge itself, which holds arrays
        while calls use them, and so would never be let go of.
    """

    number: int
    nbytes: int
    block_size: int
    fd: int
    path: str | None
    memory: mmap.mmap = field(repr=False)
    address: int
    free: list[int] = field(default_factory=list)
    reusable: bool = True
    mapped_by: object = None

    @property
    def file(self) -> str:
        """The path under which Java can open it."""
        return self.path or f"/proc/{os.getpid()}/fd/{self.fd}"

    @property
    def is_shared(self) -> bool:
        """Whether it has room for several arrays."""
        return self.block_size < self.nbytes

    @property
    def unused(self) -> bool:
        """Whether no array is on it."""
        return len(self.free) * self.block_size == self.nbytes

    def remove_name(self) -> None:
        """Remove its name on disk, if it has one; what has mapped or opened it keeps it."""
        if self.path is not None:
            path, self.path = self.path, None
            os.unlink(path)


class _Lease(weakref.ref[Any]):
    """Notes the block of an array that has died, without a step of Python that Ctrl-C could cut off."""

    __slots__ = ("end", "offset", "segment")
    segment: Segment
    offset: int
    end: weakref.ref[Any]
    """Takes back what was noted."""


_leases: dict[int, _Lease] = {}
"""Of all living arrays, by id: what they refer to has no hash. They keep their pools."""

atexit.register(_leases.clear)  # what dies after that may find half of Python gone


class Pool:
    """Hands out arrays over shared memory and takes the memory back. Safe for use from several threads.

    Parameters
    ----------
    plane
        How to make segments.
    """

    def __init__(self, plane: DataPlane) -> None:
        self.plane = plane
        self._owner = os.getpid()
        self._lock = threading.Lock()
        self._closed = False
        self._count = 0
        self._segments: list[Segment] = []  # by address
        # The same to look things up without the lock: replaced whole when a segment comes or goes.
        self._index: tuple[list[int], list[Segment]] = ([], [])
        self._open: dict[int, dict[int, Segment]] = {}  # block size -> the segments that have a free block
        self._unused: dict[int, Segment] = {}  # oldest first
        self._unused_bytes = 0
        # An array may die while this very thread holds the lock, so its lease is only left here.
        self._returned: deque[weakref.ref[Any]] = deque()
        self._retired: dict[int, Segment] = {}  # by number
        for pool in list(_pools):
            pool._file_returned()  # Python may have lost Ctrl-C, and with it a finalizer of a closed one
        _pools.add(self)

    def empty(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        """Return an uninitialised array in shared memory, in C order.

        Raises
        ------
        MemoryError
            If the memory is not there; the message gives the sizes.
        """
        nbytes = math.prod(shape) * dtype.itemsize
        if nbytes == 0:
            return np.empty(shape, dtype)
        size = _block_size(nbytes)
        with HeldBack():
            self._file_returned()
            try:
                with self._lock:
                    segment, offset = self._take(size)
                    # A type for each block size, not for each array's size: ctypes keeps them for ever.
                    buffer = (ctypes.c_char * size).from_buffer(segment.memory, offset)
                    end = weakref.ref(buffer, self._release if segment.is_shared else self._release_now)
                    lease = _Lease(buffer, self._returned.append)  # the later is called first
                    lease.segment, lease.offset, lease.end = segment, offset, end
                    _leases[id(lease)] = lease
            finally:
                if self._closed:  # there may be no next call
                    self._file_returned()
        return np.ndarray(shape, dtype, buffer)  # type: ignore[arg-type]  # any buffer is allowed

    def locate(self, array: NDArray[Any]) -> tuple[Segment, int] | None:
        """Return the segment and byte offset of the array's first element, or None if it lies elsewhere."""
        address = _address(array)
        addresses, segments = self._index
        at = bisect.bisect_right(addresses, address) - 1
        if at < 0:
            return None
        offset = address - addresses[at]
        return (segments[at], offset) if offset < segments[at].nbytes else None

    @property
    def retired(self) -> list[Segment]:
        """The segments that are gone here, so that Java can give them back too, until `forget`."""
        return list(self._retired.values()) if self._retired else []

    def forget(self, retired: list[Segment]) -> None:
        """Take note that Java has given segments back."""
        for segment in retired:
            self._retired.pop(segment.number, None)  # another thread may have been quicker

    def give_up(self, segment: Segment) -> None:
        """Let no new array be put into a segment; it goes when the arrays on it have died."""
        with HeldBack(), self._lock:
            segment.reusable = False
            self._open.get(segment.block_size, {}).pop(segment.number, None)

    def trim(self) -> None:
        """Give back all unused memory now; in a forked child nothing, since it is the parent's."""
        if os.getpid() != self._owner:
            return
        with HeldBack():
            self._file_returned()
            with self._lock:
                for segment in list(self._unused.values()):
                    self._retire(segment)
            self._file_returned()  # what has died meanwhile: there may be no next call

    def close(self) -> None:
        """Give back all unused memory now and the rest as its arrays die."""
        self._closed = True
        self.trim()

    def before_fork(self) -> None:
        """Keep memory that a child will see from being used for other arrays, and hold the lock."""
        self._file_returned()
        self._lock.acquire()
        for segment in self._segments:
            if not segment.unused:
                segment.reusable = False
                self._open.get(segment.block_size, {}).pop(segment.number, None)

    def after_fork(self) -> None:
        """Let go of the lock, in parent and child."""
        self._lock.release()
        self._file_returned()

    def _take(self, size: int) -> tuple[Segment, int]:
        open_segments = self._open.get(size)
        # The segment used last is the warmest.
        segment = next(reversed(open_segments.values())) if open_segments else self._new_segment(size)
        if segment.unused:
            del self._unused[segment.number]
            self._unused_bytes -= segment.nbytes
        offset = segment.free.pop()
        if not segment.free:
            del self._open[size][segment.number]
        return segment, offset

    def _new_segment(self, block_size: int) -> Segment:
        if self._closed:
            raise RuntimeError("the session is closed")
        if block_size > _LARGEST_SHARED_BLOCK:
            nbytes = block_size
        else:
            nbytes = max(_SMALLEST_SEGMENT, _BLOCKS_OF_A_SEGMENT * block_size)
        while True:
            try:
                self._make_room(nbytes)
                fd, path, memory = self._open_and_map(nbytes)
                break
            except MemoryError:
                if nbytes == block_size:
                    raise
                nbytes = max(block_size, nbytes // 4)  # where little is left, room for fewer blocks may be
        address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        self._count += 1
        segment = Segment(self._count, nbytes, block_size, fd, path, memory, address)
        segment.free.extend(range(nbytes - block_size, -1, -block_size))
        bisect.insort(self._segments, segment, key=lambda other: other.address)
        self._index = [other.address for other in self._segments], list(self._segments)
        self._open.setdefault(block_size, {})[segment.number] = segment
        self._unused[segment.number] = segment
        self._unused_bytes += nbytes
        return segment

    def _open_and_map(self, nbytes: int) -> tuple[int, str | None, mmap.mmap]:
        """Make shared memory; where something has run out, at the cost of unused memory, oldest first."""
        while True:
            try:
                fd, path = self.plane.open(nbytes)
                try:
                    return fd, path, _map(fd, nbytes)
                except BaseException:
                    os.close(fd)
                    if path is not None:
                        os.unlink(path)
                    raise
            except OSError as problem:
                if problem.errno not in _EXHAUSTED:
                    raise
                if not self._unused:
                    raise _as_memory_error(problem, nbytes, self.plane) from problem
                self._retire(next(iter(self._unused.values())))

    def _make_room(self, nbytes: int) -> None:
        """Refuse what the machine cannot give: Linux would rather kill a process than say no."""
        for segment in list(self._unused.values()):
            if nbytes <= available_bytes():
                return
            self._retire(segment)
        available = available_bytes()
        if nbytes > available:
            raise MemoryError(
                f"an array needs {_readable(nbytes)} of shared memory, but only {_readable(available)} of "
                "memory are free; pass it in parts (first_row keeps the noise the same)"
            )

    def _release(self, dead: weakref.ref[Any]) -> None:
        """Take back the memory of small arrays when several have died; the next call does it too."""
        if self._closed or len(self._returned) >= _MOST_RETURNED:
            self._release_now(dead)

    def _release_now(self, _dead: weakref.ref[Any]) -> None:
        """Take back the memory of dead arrays. Runs as a finalizer, in any thread, at any time."""
        with HeldBack(in_finalizer=True):
            self._file_returned()

    def _file_returned(self) -> None:
        if os.getpid() != self._owner:  # a forked child's copy of an array is not the last one
            return
        while self._returned:
            if not self._lock.acquire(blocking=False):
                return  # whoever holds it comes here next, or the next call does
            try:
                while self._returned:
                    lease = self._returned.popleft()
                    assert isinstance(lease, _Lease)
                    _leases.pop(id(lease), None)  # they are let go of before the last session is closed
                    self._file(lease.segment, lease.offset)
            finally:
                self._lock.release()

    def _file(self, segment: Segment, offset: int) -> None:
        segment.free.append(offset)
        if segment.reusable:
            self._open.setdefault(segment.block_size, {})[segment.number] = segment
        if segment.unused:
            self._unused[segment.number] = segment
            self._unused_bytes += segment.nbytes
            if self._closed or not segment.reusable:
                self._retire(segment)
        while self._unused_bytes > _KEPT_BYTES:
            self._retire(next(iter(self._unused.values())))

    def _retire(self, segment: Segment) -> None:
        """Give an unused segment back to the operating system."""
        del self._unused[segment.number]
        self._unused_bytes -= segment.nbytes
        self._open.get(segment.block_size, {}).pop(segment.number, None)
        self._segments.remove(segment)
        self._index = [other.address for other in self._segments], list(self._segments)
        if segment.reusable and hasattr(mmap, "MADV_REMOVE"):
            # Frees the memory though Java still maps it. Not where a forked child may still read it.
            with suppress(OSError):  # some file systems cannot; then it goes when Java unmaps it
                segment.memory.madvise(mmap.MADV_REMOVE)
        with suppress(OSError):
            segment.remove_name()
        os.close(segment.fd)
        del segment.memory  # the mapping goes with the last array on it
        if segment.mapped_by is not None:
            self._retired[segment.number] = segment


def _map(fd: int, nbytes: int) -> mmap.mmap:
    if sys.version_info >= (3, 13):
        return mmap.mmap(fd, nbytes, trackfd=False)  # saves a file descriptor
    return mmap.mmap(fd, nbytes)


class _ArrayStruct(ctypes.Structure):
    """PyArrayInterface, as NumPy documents it for `__array_struct__`."""

    _fields_ = (
        ("two", ctypes.c_int),
        ("nd", ctypes.c_int),
        ("typekind", ctypes.c_char),
        ("itemsize", ctypes.c_int),
        ("flags", ctypes.c_int),
        ("shape", ctypes.c_void_p),
        ("strides", ctypes.c_void_p),
        ("data", ctypes.c_void_p),
        ("descr", ctypes.c_void_p),
    )


_capsule_pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
    ("PyCapsule_GetPointer", ctypes.pythonapi)
)


def _address(array: NDArray[Any]) -> int:
    """Return where an array's first element is; a fifth of the time of `__array_interface__`."""
    capsule = array.__array_struct__
    address: int | None = _ArrayStruct.from_address(_capsule_pointer(capsule, None)).data
    return address or 0


def _block_size(nbytes: int) -> int:
    """Round up to a power of two, above a megabyte to an eighth of one, so that blocks fit later arrays."""
    if nbytes <= _LARGEST_SHARED_BLOCK:
        return max(_SMALLEST_BLOCK, 1 << (nbytes - 1).bit_length())
    step = 1 << ((nbytes - 1).bit_length() - 4)
    return -(-nbytes // step) * step


_TOO_MANY_FILES: Final = (errno.EMFILE, errno.ENFILE)
_EXHAUSTED: Final = (
    *_TOO_MANY_FILES, errno.ENOSPC, errno.ENOMEM, errno.EFBIG, errno.EDQUOT, errno.EOVERFLOW
)  # fmt: skip


def _as_memory_error(problem: OSError, nbytes: int, plane: DataPlane) -> MemoryError:
    if problem.errno in _TOO_MANY_FILES:
        return MemoryError(
            f"no {_readable(nbytes)} of memory: {problem.strerror}. Each array above 1 MiB needs one; "
            "let go of some, or raise the limit (ulimit -n)"
        )
    return MemoryError(
        f"no {_readable(nbytes)} of memory: {problem.strerror} ({plane.description}). Let go of arrays, or "
        "pass them in parts (first_row keeps the noise the same)"
    )


def _readable(nbytes: float) -> str:
    return f"{nbytes / 2**20:,.1f} MiB" if nbytes >= 2**20 else f"{nbytes:,.0f} bytes"


_pools: weakref.WeakSet[Pool] = weakref.WeakSet()
_fork_lock = threading.Lock()  # two threads may fork at once
_held: dict[int, list[Callable[[], None]]] = {}  # by thread: what lets go of its locks


def _before_fork() -> None:
    with HeldBack(in_finalizer=True):  # Python tells of an exception here, and forks all the same
        held = _held.setdefault(threading.get_ident(), [])
        _fork_lock.acquire()
        held.append(_fork_lock.release)
        for pool in list(_pools):
            pool.before_fork()
            held.append(pool.after_fork)


def _after_fork() -> None:
    with HeldBack(in_finalizer=True):
        held = _held.pop(threading.get_ident(), [])
        while held:
            held.pop()()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)
    # Once more, for Ctrl-C may hit the very first step of the one above.
    os.register_at_fork(after_in_parent=_after_fork, after_in_child=_after_fork)
