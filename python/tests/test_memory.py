"""Leases and the pool: arrays live as long as anyone holds them; then their memory is used again."""

from __future__ import annotations

import gc
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gumbel4j import Session, _memory
from gumbel4j._memory import DATA_PLANES, Pool

SHAPE = (512, 1024)
FLOAT32 = np.dtype(np.float32)


@pytest.fixture
def pool() -> Pool:
    """A pool without a Java."""
    return Pool(DATA_PLANES[0])


def address(array: np.ndarray) -> int:
    return int(array.__array_interface__["data"][0])


def test_memory_is_used_again(pool: Pool) -> None:
    """When the last array dies its memory serves the next one."""
    for shape in (SHAPE, (3, 4), (600, 1024)):
        array = pool.empty(shape, FLOAT32)
        first = address(array)
        other = pool.empty(shape, FLOAT32)
        assert not np.shares_memory(array, other)
        del array
        assert address(pool.empty(shape, FLOAT32)) == first


@pytest.mark.parametrize(
    "derive",
    [
        lambda array: array[3:5],
        lambda array: array.T,
        lambda array: array.reshape(-1)[::7],
        lambda array: array.view(np.uint32),
        lambda array: np.from_dlpack(array),
        lambda array: memoryview(array),
    ],
    ids=["slice", "transpose", "strided", "dtype", "dlpack", "memoryview"],
)
def test_views_keep_the_memory(pool: Pool, derive: Callable[[np.ndarray], object]) -> None:
    """Whatever is made from an array without a copy holds its lease."""
    array = pool.empty(SHAPE, FLOAT32)
    first = address(array)
    view = derive(array)
    del array
    assert address(pool.empty(SHAPE, FLOAT32)) != first
    del view
    gc.collect()
    assert address(pool.empty(SHAPE, FLOAT32)) == first


def test_small_arrays_share_segments(pool: Pool) -> None:
    """Thousands of small arrays need few open files, and none overlaps another."""
    arrays = [pool.empty((10,), FLOAT32) for _ in range(3000)]
    for number, array in enumerate(arrays):
        array[:] = number
    assert all((array == number).all() for number, array in enumerate(arrays))
    assert len(pool._segments) <= 12


def test_location(pool: Pool) -> None:
    """The pool knows its arrays by address, and nothing else."""
    arrays = [pool.empty(shape, FLOAT32) for shape in ((10,), SHAPE, (10,), (2000, 1024))]
    for array in arrays:
        place = pool.locate(array)
        assert place is not None
        segment, offset = place
        inside = pool.locate(array.reshape(-1)[3:])
        assert inside == (segment, offset + 12)
    assert pool.locate(np.empty(10)) is None
    assert Pool(DATA_PLANES[0]).locate(arrays[0]) is None


def test_unused_memory_is_bounded(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit it goes back to the system, the oldest first."""
    monkeypatch.setattr(_memory, "_KEPT_BYTES", 5 << 20)
    arrays = [pool.empty(SHAPE, FLOAT32) for _ in range(4)]
    descriptors = len(os.listdir("/proc/self/fd"))
    last = address(arrays[-1])
    while arrays:
        arrays.pop(0)
    assert pool._unused_bytes <= 5 << 20
    assert len(os.listdir("/proc/self/fd")) < descriptors
    assert address(pool.empty(SHAPE, FLOAT32)) == last


def test_dead_memory_is_freed_at_once(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also while Java still maps it."""
    monkeypatch.setattr(_memory, "_KEPT_BYTES", 0)
    array = pool.empty(SHAPE, FLOAT32)
    (segment,) = pool._segments
    java = os.open(segment.file, os.O_RDWR)
    try:
        assert os.fstat(java).st_blocks * 512 >= array.nbytes
        del array
        assert os.fstat(java).st_blocks == 0
    finally:
        os.close(java)


def test_arrays_that_die_while_a_pool_is_closed_leave_nothing(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They cannot give their memory back then and there, and no call comes later that would."""
    arrays = [pool.empty((3 << 20,), np.dtype(np.uint8)), pool.empty((100,), np.dtype(np.uint8))]
    pool.empty((3 << 20,), np.dtype(np.uint8))
    retire = Pool._retire

    def meanwhile(self: Pool, segment: _memory.Segment) -> None:
        arrays.clear()
        retire(self, segment)

    monkeypatch.setattr(Pool, "_retire", meanwhile)
    pool.close()
    assert not arrays
    assert not pool._segments
    assert not pool._returned


def test_arrays_that_die_while_a_closed_pool_refuses_another_leave_nothing(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call that was refused held the lock meanwhile, and is the last one."""
    arrays = [pool.empty((100,), np.dtype(np.uint8))]
    new_segment = Pool._new_segment

    def meanwhile(self: Pool, block_size: int) -> _memory.Segment:
        arrays.clear()
        return new_segment(self, block_size)

    monkeypatch.setattr(Pool, "_new_segment", meanwhile)
    pool.close()
    assert pool._segments
    with pytest.raises(RuntimeError, match="closed"):
        pool.empty((3 << 20,), np.dtype(np.uint8))
    assert not arrays
    assert not pool._segments
    assert not pool._returned


def test_java_gives_memory_back_though_the_request_was_interrupted(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = session._runtime
    session.gumbel((3 << 20,), seed=1)
    runtime._pool.trim()
    retired = runtime._pool.retired
    assert retired

    def interrupted(_numbers: list[int]) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(runtime._bridge, "unmap", interrupted)
        session.gumbel((3,), seed=1)
    assert runtime._pool.retired == retired
    session.gumbel((3,), seed=1)
    assert not runtime._pool.retired


def test_segments_are_private_and_sealed(pool: Pool) -> None:
    """Nobody can shrink one under our feet."""
    array = pool.empty(SHAPE, FLOAT32)
    (segment,) = pool._segments
    with pytest.raises(PermissionError):
        os.ftruncate(segment.fd, 0)
    assert array.nbytes <= segment.nbytes


def test_too_large_is_a_memory_error(session: Session) -> None:
    """With sizes, before anything is allocated; the session goes on."""
    with pytest.raises(
        MemoryError, match=r"needs 4,194,304.0 MiB of shared memory, but only .* MiB of memory"
    ):
        session.gumbel((1 << 10, 1 << 30), seed=1)
    assert session.gumbel((2, 3), seed=1).shape == (2, 3)


def test_full_data_plane_is_a_memory_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """No space and no descriptors are told apart."""

    def full(nbytes: int) -> tuple[int, str | None]:
        raise OSError(28, "No space left on device")

    with pytest.raises(MemoryError, match=r"no 2.0 MiB of memory: No space left on device \(a test\)"):
        Pool(_memory.DataPlane("test", "a test", full)).empty(SHAPE, FLOAT32)

    def none_left(nbytes: int) -> tuple[int, str | None]:
        raise OSError(24, "Too many open files")

    with pytest.raises(MemoryError, match=r"Too many open files.*ulimit -n"):
        Pool(_memory.DataPlane("test", "a test", none_left)).empty(SHAPE, FLOAT32)


def test_results_outlive_the_session() -> None:
    """Close ends Java and leaves arrays alone, also slices and columns of them."""
    with Session() as s:
        expected = s.gumbel(SHAPE, seed=1).copy()
        y = s.gumbel(SHAPE, seed=1)
        x = s.empty(SHAPE)
    np.testing.assert_array_equal(y, expected)
    x[:] = 1
    part = y[5:7, 3]
    del y, s
    gc.collect()
    np.testing.assert_array_equal(part, expected[5:7, 3])


def test_results_are_used_in_place(session: Session) -> None:
    """A result, and rows or columns of one, go in without a copy."""
    x = session.gumbel((64, 100), seed=1)
    copies: list[object] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gumbel4j._strides.copy", lambda source, target: copies.append(source))
        for part in (x, x[3:40], x[::3], x[:, 10:20], x.reshape(8, 8, 100), x[7]):
            session.categorical(part, seed=1)
    assert copies == []


def test_out_is_written_in_place(session: Session) -> None:
    """Memory from `empty` is written directly; other memory gets one copy; both are returned."""
    expected = session.gumbel((20, 30), seed=1)
    for out in (session.empty((20, 30)), session.empty((40, 60))[::2, :30], np.empty((20, 30), np.float32)):
        out[:] = 7
        assert session.gumbel((20, 30), seed=1, out=out) is out
        np.testing.assert_array_equal(out, expected)


def test_nothing_around_out_is_touched(session: Session) -> None:
    """Rows that are apart leave what is between them as it was."""
    whole = session.empty((41, 64))
    whole[:] = 7
    session.gumbel((20, 30), seed=1, out=whole[1::2, 10:40])
    whole[1::2, 10:40] = 7
    assert (whole == 7).all()


@pytest.mark.parametrize("plane", ["memfd", "shm", "file"])
def test_data_planes(plane: str, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every way to share memory gives the same numbers, survives a new Java, and leaves no name on disk."""
    monkeypatch.setenv("GUMBEL4J_DATA_PLANE", plane)
    folders = [Path("/dev/shm"), Path(_memory.tempfile.gettempdir())]
    with Session() as s:
        assert s.info()["data_plane"].startswith(f"{plane}: ")
        x = s.empty((50, 1000))
        np.copyto(x, session.gumbel((50, 1000), seed=1))
        expected = session.gumbel_softmax(x, 0.5, seed=2)
        np.testing.assert_array_equal(s.gumbel_softmax(x, 0.5, seed=2), expected)
        paths = {Path(segment.file).resolve() for segment in s._runtime._pool._segments}
        assert not any(path.parent in folders and path.exists() for path in paths)
        s._runtime._bridge.process.stop()
        np.testing.assert_array_equal(s.gumbel_softmax(x, 0.5, seed=2), expected)


def test_unknown_data_plane(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the variable, its value and what is allowed."""
    monkeypatch.setenv("GUMBEL4J_DATA_PLANE", "pigeon")
    with pytest.raises(ValueError, match="GUMBEL4J_DATA_PLANE = 'pigeon': must be one of memfd, shm, file"):
        Session()


def test_fork_keeps_what_the_child_sees(python: Callable[[str], subprocess.Popen[str]]) -> None:
    """The parent does not reuse memory that a forked child may still read, and the child frees nothing."""
    program = """
import os
import numpy as np
from gumbel4j import Session
s = Session()
y = s.gumbel((512, 1024), seed=1)
expected = y.copy()
wait, go = os.pipe()
pid = os.fork()
if pid == 0:
    os.read(wait, 1)
    same = bool((y == expected).all())
    del y
    os._exit(0 if same else 1)
segment = s._runtime._pool.locate(y)[0].number
del y
z = s.empty((512, 1024))
z[:] = 7
print(s._runtime._pool.locate(z)[0].number != segment)
os.write(go, b"x")
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
print(bool((z == 7).all()), np.array_equal(s.gumbel((512, 1024), seed=1), expected))
"""
    child = python(program)
    out, err = child.communicate(timeout=60)
    assert out.split() == ["True", "0", "True", "True"], err
