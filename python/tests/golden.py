"""Reads the golden files in src/test/resources/golden (their own heads tell the format)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ml_dtypes  # noqa: F401  # so that NumPy knows bfloat16
import numpy as np
from numpy.typing import NDArray

FOLDER = Path(__file__).resolve().parents[2] / "src" / "test" / "resources" / "golden"


@dataclass(frozen=True)
class Case:
    """One case: its name and the text behind each key."""

    name: str
    entries: dict[str, str]

    def __contains__(self, key: str) -> bool:
        return key in self.entries

    @property
    def dtype(self) -> np.dtype[Any]:
        """The element type."""
        return np.dtype(self.entries["type"])

    @property
    def compute_dtype(self) -> np.dtype[Any]:
        """The type of its temperatures and their gradients."""
        return np.dtype(np.float32) if self.dtype.itemsize == 2 else self.dtype

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and classes."""
        return self.integer("rows"), self.integer("classes")

    @property
    def key(self) -> dict[str, int]:
        """The noise key, as keyword arguments."""
        return {name: self.integer(name) for name in ("seed", "stream", "first_row")}

    def integer(self, key: str) -> int:
        return int(self.entries[key], 0)

    @property
    def tau(self) -> float | NDArray[np.float64]:
        """One number, or one for each row, rows x 1."""
        values = self.floats("tau", np.float64)
        return float(values[0]) if values.size == 1 else values[:, np.newaxis]

    def floats(self, key: str, dtype: Any = None) -> NDArray[Any]:
        """One dimension, in the type of the case if no other is given."""
        values = [float.fromhex(token) for token in self.entries[key].split()]
        return np.array(values, np.float64).astype(self.dtype if dtype is None else dtype)

    def words(self, key: str, dtype: Any) -> NDArray[Any]:
        return np.array([int(token, 16) for token in self.entries[key].split()], dtype)

    def decimals(self, key: str) -> NDArray[np.float64]:
        return np.array(self.entries[key].split(), np.float64)

    def rows(self, key: str, dtype: Any = None) -> NDArray[Any]:
        """Rows x classes; only the rows that were written, for an output."""
        return self.floats(key, dtype).reshape(-1, self.integer("classes"))


def operators() -> list[str]:
    """Every operator and function that has a file."""
    return sorted(path.stem for path in FOLDER.glob("*.txt"))


def read(operator: str) -> list[Case]:
    """Return the cases of one operator's file."""
    cases: list[Case] = []
    for line in (FOLDER / f"{operator}.txt").read_text(encoding="ascii").splitlines():
        if not line or line.startswith("#"):
            continue
        key, value = line.split(" = ", 1)
        if key == "case":
            cases.append(Case(value, {}))
        else:
            cases[-1].entries[key] = value
    return cases


def equal_bits(actual: NDArray[Any], expected: NDArray[Any]) -> bool:
    """True where shape, type and every bit agree (NaN and signed zeros included)."""
    return (
        actual.dtype == expected.dtype
        and actual.shape == expected.shape
        and actual.tobytes() == expected.tobytes()
    )
