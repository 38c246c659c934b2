"""What takes many gigabytes or minutes: run with `pytest -m large`; the rest of the tests leave it out."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import numpy as np
import pytest

from gumbel4j import Session
from gumbel4j._available import available_bytes

pytestmark = pytest.mark.large

CLASSES = 1 << 15


def require(gibibytes: int) -> None:
    """Skip where less memory is free."""
    if available_bytes() < gibibytes << 30:
        pytest.skip(f"needs {gibibytes} GiB of free memory, but {available_bytes() / 2**30:.1f} are there")


@pytest.mark.parametrize(
    ("dtype", "rows", "gibibytes"),
    [(np.float32, 3 << 13, 10), (np.float16, (1 << 16) + 3, 14)],
    ids=["3 GiB", "more than 2**31 elements"],
)
def test_arrays_beyond_31_bits(session: Session, dtype: type, rows: int, gibibytes: int) -> None:
    """Soft samples and classes of the whole are those of its parts, the last row among them."""
    require(gibibytes)
    x = session.empty((rows, CLASSES), dtype)
    assert x.nbytes >= 3 << 30
    x[:] = np.linspace(-1, 1, CLASSES, dtype=dtype)
    y = session.gumbel_softmax(x, 0.5, seed=1)
    classes = session.categorical(x, seed=1)
    for first in (0, rows // 3, rows - 2):
        part = np.array(x[first : first + 2])
        np.testing.assert_array_equal(
            y[first : first + 2], session.gumbel_softmax(part, 0.5, seed=1, first_row=first)
        )
        np.testing.assert_array_equal(
            classes[first : first + 2], session.categorical(part, seed=1, first_row=first)
        )


def test_foreign_array_of_3_gib(session: Session) -> None:
    """It is copied in and out; the result is larger than what the pool keeps, and the pool lets it go."""
    require(16)
    noise = np.empty((3 << 13, CLASSES), np.float32)
    session.gumbel(noise.shape, seed=1, out=noise)
    y = session.gumbel_softmax(noise, 0.5, seed=2)
    np.testing.assert_array_equal(
        y[-1:], session.gumbel_softmax(noise[-1:], 0.5, seed=2, first_row=len(noise) - 1)
    )
    del y
    session.gumbel((2, 3), seed=1)
    assert session._runtime._pool._unused_bytes <= 1 << 30


def test_hundred_starts_leave_nothing() -> None:
    """Files, mappings, threads and resident memory (within 2 %) are after 100 sessions what they were."""

    def use(count: int) -> None:
        for seed in range(count):
            with Session(threads=1) as s:
                s.gumbel((300, 1000), seed=seed)

    def held() -> tuple[int, int, int]:
        gc.collect()
        maps = Path("/proc/self/maps").read_text().splitlines()
        return (
            len(os.listdir("/proc/self/fd")),
            sum("gumbel4j" in line for line in maps),
            len(os.listdir("/proc/self/task")),
        )

    def resident() -> int:
        status = Path("/proc/self/status").read_text().splitlines()
        return sum(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

    use(10)
    before, memory = held(), resident()
    use(100)
    assert held() == before
    assert abs(resident() - memory) < 0.02 * memory
