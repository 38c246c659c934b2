"""What a process holds that sessions could leave behind: descriptors, mappings, threads, children, files."""

from __future__ import annotations

import os
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PREFIX: Final = "gumbel4j"


@dataclass(frozen=True)
class Remains:
    """A count of each, and the resident memory in bytes.

    Attributes
    ----------
    descriptors
        Open file descriptors.
    mappings
        Mappings of shared memory.
    threads
        Python's threads.
    children
        Processes that this one has started and that have not been waited for.
    files
        Files of ours that have a name, in /dev/shm and the temporary folder.
    resident
        Bytes of memory in use by this process.
    """

    descriptors: int
    mappings: int
    threads: int
    children: int
    files: frozenset[str]
    resident: int

    def more_than(self, before: Remains) -> dict[str, int]:
        """Return what there is more of than before; of memory, nothing: the allocator keeps some."""
        names = ("descriptors", "mappings", "threads", "children")
        more = {name: getattr(self, name) - getattr(before, name) for name in names}
        more["files"] = len(self.files - before.files)
        return {name: count for name, count in more.items() if count > 0}


def take_stock() -> Remains:
    """Count what this process holds; Linux tells it in /proc."""
    with open("/proc/self/maps") as lines:
        mappings = sum(_PREFIX in line for line in lines)
    children = sum(len(task.read_text().split()) for task in Path("/proc/self/task").glob("*/children"))
    folders = {Path("/dev/shm"), Path(tempfile.gettempdir())}
    return Remains(
        descriptors=len(os.listdir("/proc/self/fd")),
        mappings=mappings,
        threads=threading.active_count(),
        children=children,
        files=frozenset(str(file) for folder in folders for file in folder.glob(f"{_PREFIX}-*")),
        resident=int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"),
    )


def is_running(pid: int) -> bool:
    """Whether a process runs; one that has ended and only waits for its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False
