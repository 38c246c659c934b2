"""Memory that runs out or goes away, for real: an exception, never a signal, and the session goes on."""

from __future__ import annotations

import errno
import gc
import mmap
import os
import resource
import subprocess
from collections.abc import Callable
from pathlib import Path

import confined
import numpy as np
import pytest

from gumbel4j import Session, _available

Python = Callable[[str], subprocess.Popen[str]]

FULL = """
import numpy as np
from gumbel4j import Session
with Session(backend="java") as s:
    expected = s.gumbel((20, 30), seed=1).copy()
    kept = []
    try:
        while len(kept) < 1000:
            kept.append(s.gumbel((20, 30), seed=1))
    except MemoryError as full:
        print(full)
    try:
        s.gumbel((1000, 1000), seed=1)
    except MemoryError as full:
        print(full)
    print(len(kept))
    print(all(np.array_equal(array, expected) for array in kept))
    del kept
    y = s.gumbel((100, 1000), seed=1)  # takes the memory of what is gone, though in other pieces
    print(np.array_equal(y, s.gumbel((100, 1000), seed=1, out=np.empty((100, 1000), np.float32))))
"""


def test_shared_memory_of_1_mib(tmp_path: Path) -> None:
    """As in a container with a small /dev/shm: MemoryErrors with sizes; what was returned stays right."""
    first, large, kept, *rest = confined.run(FULL, tmp_path, confined.SHM_OF_1_MIB, GUMBEL4J_DATA_PLANE="shm")
    for message, size in ((first, "4,096 bytes"), (large, "4.0 MiB")):
        assert message.startswith(f"no {size} of memory: No space left on device: /dev/shm has")
        assert "free of 1.0 MiB" in message
        assert "pass them in parts" in message
    assert int(kept) > 100
    assert rest == ["True", "True"]


def test_address_space_runs_out(python: Python) -> None:
    """Where Python may map no more (ulimit -v): a MemoryError that says how much it was about."""
    child = python("""
import resource
import numpy as np
from gumbel4j import Session
with Session(threads=1, backend="java") as s:
    expected = s.gumbel((20, 30), seed=1)
    with open("/proc/self/statm") as sizes:
        used = int(sizes.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + (96 << 20), resource.RLIM_INFINITY))
    try:
        s.empty((256, 1 << 20), np.uint32)
    except MemoryError as full:
        print(full)
    print(np.array_equal(s.gumbel((20, 30), seed=1), expected))
""")
    out, err = child.communicate(timeout=60)
    message, works = out.splitlines()
    assert message.startswith("no 1,024.0 MiB of memory: Cannot allocate memory (anonymous memory"), err
    assert works == "True"


def test_java_cannot_map_more() -> None:
    """Where Java's address space runs out the error is a MemoryError too, and smaller arrays still work."""
    with Session(threads=1, backend="java") as s:
        expected = s.gumbel((20, 30), seed=1)
        pid = s.info()["pid"]
        used = int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()
        resource.prlimit(pid, resource.RLIMIT_AS, (used + (64 << 20), resource.RLIM_INFINITY))
        with pytest.raises(MemoryError, match="Java cannot map shared memory: Map failed"):
            s.empty((1 << 17, 1 << 10))
        assert s.info()["pid"] == pid
        np.testing.assert_array_equal(s.gumbel((20, 30), seed=1), expected)
        assert s.empty((1 << 10, 1 << 10)).shape == (1 << 10, 1 << 10)


def test_files_run_out(python: Python) -> None:
    """Each large array takes a file descriptor in Python before 3.13; unused ones give theirs back."""
    child = python("""
import os, resource
from gumbel4j import Session
with Session(threads=1, backend="java") as s:
    unused = [s.empty((600, 1000)) for _ in range(20)]
    held = len(os.listdir("/proc/self/fd")) - 1
    resource.setrlimit(resource.RLIMIT_NOFILE, (held + 2, held + 2))
    del unused
    arrays = []
    try:
        while len(arrays) < 1000:
            arrays.append(s.empty((700, 1000)))
    except MemoryError as full:
        print(full)
    print(10 < len(arrays) < 1000)
    del arrays
    print(s.gumbel((20, 30), seed=1).shape)
""")
    out, err = child.communicate(timeout=60)
    message, *rest = out.splitlines()
    assert "Too many open files" in message, err
    assert "ulimit -n" in message
    assert rest == ["True", "(20, 30)"]


@pytest.mark.parametrize("backend", ["java", "native"])
def test_segment_is_cut_short_under_java(
    backend: str, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mapping fault in a worker: an exception, whether Java survives it or not; the next call is right.

    Memory from memfd is sealed against this; a file is not, though its name is gone.
    """
    if session.info()["backend"] != "native" and backend == "native":
        pytest.skip("the native library is not there")
    monkeypatch.setenv("GUMBEL4J_DATA_PLANE", "file")
    with Session(threads=2, backend=backend) as s:
        expected = s.gumbel((500, 1000), seed=1).copy()
        out = s.empty((500, 1000))
        place = s._runtime._pool.locate(out)
        assert place is not None
        os.ftruncate(place[0].fd, mmap.PAGESIZE)
        told = "could not reach shared memory" if backend == "java" else "Java ended during the call.*SIGBUS"
        with pytest.raises(RuntimeError, match=f"(?s){told}"):
            s.gumbel((500, 1000), seed=1, out=out)
        np.testing.assert_array_equal(s.gumbel((500, 1000), seed=1), expected)
        os.ftruncate(place[0].fd, place[0].nbytes)  # so that whoever looks at the array gets no signal


@pytest.mark.parametrize(
    ("line", "files"),
    [
        ("0::/a/b", {"a/b": ("memory.max", "memory.current", "file 300\nshmem 200")}),
        ("0::/a/b", {"a": ("memory.max", "memory.current", "file 300\nshmem 200")}),
        ("0::/host/path", {".": ("memory.max", "memory.current", "file 300\nshmem 200")}),
        (
            "4:cpu,memory:/a",
            {
                "memory/a": (
                    "memory.limit_in_bytes",
                    "memory.usage_in_bytes",
                    "total_cache 300\ntotal_shmem 200",
                )
            },
        ),
    ],
    ids=["version 2", "a group above", "in a container", "version 1"],
)
def test_limits_of_control_groups(
    line: str, files: dict[str, tuple[str, str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tightest counts; what cached files take can be had."""
    (tmp_path / "self").mkdir()
    (tmp_path / "self/cgroup").write_text(f"7:pids:/x\n{line}\n")
    for folder, (limit, used, stat) in files.items():
        group = tmp_path / folder
        group.mkdir(parents=True, exist_ok=True)
        (group / limit).write_text("1000\n")
        (group / used).write_text("700\n")
        (group / "memory.stat").write_text(stat + "\nother 5\n")
    monkeypatch.setattr(_available, "_PROC", tmp_path)
    monkeypatch.setattr(_available, "_CGROUP", tmp_path)
    assert _available.available_bytes() == 400


def test_full_control_group(tmp_path: Path) -> None:
    """In a group of 256 MiB an array of 512 MiB is a MemoryError, and no process is killed."""
    group = _memory_group()
    program = f"""
import os
open({str(group / "cgroup.procs")!r}, "w").write(str(os.getpid()))
from gumbel4j import Session
with Session(threads=1, backend="java") as s:
    expected = s.gumbel((20, 30), seed=1).tolist()
    kept = []
    try:
        while True:
            kept.append(s.gumbel((1 << 12, 1 << 12), seed=1))
    except MemoryError as full:
        print(full)
    print(len(kept) < 4, s.gumbel((20, 30), seed=1).tolist() == expected)
"""
    try:
        message, rest = confined.run(program, tmp_path)
    finally:
        group.rmdir()
    assert message.startswith("an array needs 64.0 MiB of shared memory, but only ")
    assert rest == "True True"


def _memory_group() -> Path:
    """Make a control group of 256 MiB below this process's own; skip where one may not."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        number, controllers, path = line.split(":", 2)
        if number == "0" and not controllers:
            root, limit = Path("/sys/fs/cgroup"), "memory.max"
        elif "memory" in controllers.split(","):
            root, limit = Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes"
        else:
            continue
        group = root / path.lstrip("/") / f"gumbel4j-test-{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            (group / limit).write_text(str(256 << 20))
            return group
        except OSError:
            group.rmdir()
    pytest.skip("cannot make a control group with a limit of memory: not root, or none is delegated")


def test_thousand_allocations_leave_nothing(session: Session) -> None:
    """Arrays and results of many sizes, made and dropped: the same files, mappings, threads and memory."""

    def cycle(count: int) -> None:
        sizes = np.random.default_rng(0).integers(1, 400_000, count)
        for size in sizes.tolist():
            x = session.empty(size)
            x[:] = 0
            session.categorical(x, seed=size)

    def held() -> dict[str, int]:
        gc.collect()
        pid = session.info()["pid"]
        held: dict[str, int] = {}
        for name, process in (("python", "self"), ("java", str(pid))):
            folder = Path("/proc") / process
            held[f"files of {name}"] = len(os.listdir(folder / "fd"))
            maps = (folder / "maps").read_text().splitlines()
            held[f"mappings of {name}"] = sum("gumbel4j" in line for line in maps)
            threads = [(task / "comm").read_text() for task in (folder / "task").iterdir()]
            # Java's compilers and the workers for long calls come and go.
            passing = ("C1 ", "C2 ", "gumbel4j-job")
            held[f"threads of {name}"] = sum(not thread.startswith(passing) for thread in threads)
        return held

    def resident() -> int:
        status = Path("/proc/self/status").read_text().splitlines()
        return sum(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

    cycle(1000)
    before, memory = held(), resident()
    cycle(1000)
    assert held() == before
    assert abs(resident() - memory) < 0.02 * memory


def test_what_went_wrong_otherwise_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what has run out is a MemoryError."""
    from gumbel4j._memory import DataPlane, Pool

    def broken(nbytes: int) -> tuple[int, str | None]:
        raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(OSError, match="Input/output error"):
        Pool(DataPlane("test", "a test", broken)).empty((3, 4), np.dtype(np.float32))
