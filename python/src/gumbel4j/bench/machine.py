"""What ran where: the lines above every table."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gumbel4j._available import available_cores

if TYPE_CHECKING:
    from gumbel4j.bench.peers import Peer
    from gumbel4j.session import Session

CAPS: Final = {"GUMBEL4J_MAX_ISA": "gumbel4j", "ATEN_CPU_CAPABILITY": "torch", "XLA_FLAGS": "JAX"}
"""Environment variables that cap the instruction set, and whose."""

_CAP_VALUES: Final = {
    "avx2": {
        "GUMBEL4J_MAX_ISA": "avx2",
        "ATEN_CPU_CAPABILITY": "avx2",
        "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",
    },
    "avx512": {
        "GUMBEL4J_MAX_ISA": "avx512",
        "ATEN_CPU_CAPABILITY": "avx512",
        "XLA_FLAGS": "--xla_cpu_max_isa=AVX512",
    },
}

MAX_ISAS: Final = tuple(_CAP_VALUES)
"""What `cap` takes."""


def cap(max_isa: str) -> None:
    """Cap the instruction set of gumbel4j, torch and JAX alike; must come before any of them starts."""
    for name, value in _CAP_VALUES[max_isa].items():
        before = os.environ.get(name, "") if name == "XLA_FLAGS" else ""
        os.environ[name] = f"{before} {value}".strip()


def facts(session: Session, peers: Sequence[Peer]) -> dict[str, str]:
    """Return what ran, by name, each in one line."""
    info = session.info()
    caps = [f"{name}={os.environ[name]}" for name in CAPS if os.environ.get(name)]
    lines = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": f"{_processor()}, {available_cores()} cores, {platform.system()} {platform.machine()}",
        "load": f"{os.getloadavg()[0]:.1f} when this began (0: nothing else ran)",
        "gumbel4j": f"{info['package']}, {info['backend']}, {info['isa']}, threads {info['threads']}",
        "java": f"{info['java']}, {info['java_vendor']}",
        "python": str(info["python"]),
    }
    lines |= {peer.name: peer.facts for peer in peers}
    lines["capped by"] = ", ".join(caps) or "nothing"
    return lines


def _processor() -> str:
    """Return the processor's name."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass  # no Linux
    return platform.processor() or platform.machine()
