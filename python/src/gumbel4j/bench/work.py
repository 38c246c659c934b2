"""What is measured: operators at shapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

Operator = Literal["soft", "hard", "categorical", "backward", "noise"]

TAU: Final = 0.5
SEED: Final = 7


@dataclass(frozen=True)
class Work:
    """One operator at one shape.

    Attributes
    ----------
    operator
        "soft" and "hard" samples, "categorical" indices, "backward": the gradient with respect to the logits
        from a soft sample and an upstream gradient, "noise" alone.
    rows, classes
        The shape.
    dtype
        "float32" or "float64".
    """

    operator: Operator
    rows: int
    classes: int
    dtype: str = "float32"

    @property
    def name(self) -> str:
        """Return the work in words, such as "soft 4096 x 1024"."""
        dtype = "" if self.dtype == "float32" else f" {self.dtype}"
        return f"{self.operator}{dtype} {self.rows} x {self.classes}"

    @property
    def shape(self) -> tuple[int, int]:
        """Return (rows, classes)."""
        return self.rows, self.classes

    @property
    def elements(self) -> int:
        """Return rows times classes."""
        return self.rows * self.classes

    @property
    def traffic(self) -> int:
        """Return the bytes that any implementation must read or write."""
        matrices = {"soft": 2, "hard": 2, "categorical": 1, "backward": 3, "noise": 1}[self.operator]
        return matrices * self.elements * np.dtype(self.dtype).itemsize


DEFAULT: Final = (
    Work("soft", 4096, 1024),
    Work("soft", 64, 50257),
    Work("soft", 65536, 10),
    Work("hard", 4096, 1024),
    Work("categorical", 64, 50257),
    Work("categorical", 32, 128256),
    Work("soft", 4096, 1024, "float64"),
    Work("backward", 4096, 1024),
    Work("noise", 4096, 1024),
    Work("soft", 1, 4),
)
"""A training batch, the vocabularies of GPT-2 and Llama 3, ten classes of an image, one tiny call."""


def at_size(rows: int, classes: int) -> tuple[Work, ...]:
    """Return every operator at one shape."""
    operators: tuple[Operator, ...] = ("soft", "hard", "categorical", "backward", "noise")
    return (
        *(Work(operator, rows, classes) for operator in operators),
        Work("soft", rows, classes, "float64"),
    )


def quick(works: Sequence[Work], elements: int = 1 << 14) -> tuple[Work, ...]:
    """Return the works with fewer rows, of about `elements` elements each: for tests, not for figures."""
    return tuple(replace(work, rows=max(1, min(work.rows, elements // work.classes))) for work in works)
