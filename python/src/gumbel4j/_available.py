"""What this process can still get: memory, from the machine and from its control groups, and processors.

Linux promises more than it has, and then kills a process rather than refuse it memory. So whoever needs much
asks here first.
"""

from __future__ import annotations

import math
import os
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
_CGROUP = Path("/sys/fs/cgroup")


def available_bytes() -> float:
    """Return how many bytes are left; inf where nothing tells."""
    return min(_of_machine(), _of_groups())


def available_cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _of_machine() -> float:
    with suppress(OSError, ValueError, KeyError, IndexError):
        kibibytes = _numbers(_PROC / "meminfo")
        return 1024.0 * (kibibytes["MemAvailable:"] + kibibytes["SwapFree:"])
    return math.inf


def _of_groups() -> float:
    """Return what the tightest control group leaves: of version 2, version 1, and all groups above."""
    available = math.inf
    with suppress(OSError):
        for line in (_PROC / "self/cgroup").read_text().splitlines():
            number, controllers, group = line.split(":", 2)
            if number == "0":
                root, limit, used = _CGROUP, "memory.max", "memory.current"
                cached, shared = "file", "shmem"
            elif "memory" in controllers.split(","):
                root, limit, used = _CGROUP / "memory", "memory.limit_in_bytes", "memory.usage_in_bytes"
                cached, shared = "total_cache", "total_shmem"
            else:
                continue
            inside = root / group.lstrip("/")
            # In a container some of these do not exist: its own group is then mounted as the root.
            for folder in (inside, *(above for above in inside.parents if above.is_relative_to(root))):
                # No such folder, or no limit ("max").
                with suppress(OSError, ValueError, KeyError, IndexError):
                    left = int((folder / limit).read_text()) - int((folder / used).read_text())
                    of = _numbers(folder / "memory.stat")
                    # Cached files make room when it is needed.
                    available = min(available, float(left + of[cached] - of[shared]))
    return available


def _numbers(file: Path) -> dict[str, int]:
    """Read lines of a name and a number."""
    return {words[0]: int(words[1]) for words in map(str.split, file.read_text().splitlines())}
