"""What is measured: operators at shapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

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
        How many of each.
    dtype
        "float32", "float64", "float16" or "bfloat16".
    inner
        If above 1, the classes are the middle axis of (rows / inner, classes, inner); else the last.
    """

    operator: Operator
    rows: int
    classes: int
    dtype: str = "float32"
    inner: int = 1

    @property
    def name(self) -> str:
        """Return the work in words, such as "soft 4096 x 1024"."""
        dtype = "" if self.dtype == "float32" else f" {self.dtype}"
        where = "" if self.inner == 1 else " axis 1"
        return f"{self.operator}{dtype} {' x '.join(map(str, self.shape))}{where}"

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the shape of the logits."""
        if self.inner == 1:
            return self.rows, self.classes
        return self.rows // self.inner, self.classes, self.inner

    @property
    def axis(self) -> int:
        """Return the axis of the classes."""
        return 1

    def in_rows(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return an array of `shape` as rows x classes; an index for each row stays what it is."""
        return (
            array if array.ndim == 1 else np.moveaxis(array, self.axis, -1).reshape(self.rows, self.classes)
        )

    @property
    def elements(self) -> int:
        """Return rows times classes."""
        return self.rows * self.classes

    @property
    def traffic(self) -> int:
        """Return the bytes that any implementation must read or write."""
        matrices = {"soft": 2, "hard": 2, "categorical": 1, "backward": 3, "noise": 1}[self.operator]
        return matrices * self.elements * {"float64": 8, "float32": 4}.get(self.dtype, 2)


DEFAULT: Final = (
    Work("soft", 4096, 1024),
    Work("soft", 64, 50257),
    Work("soft", 65536, 10),
    Work("hard", 4096, 1024),
    Work("categorical", 64, 50257),
    Work("categorical", 32, 128256),
    Work("soft", 4096, 1024, "float64"),
    Work("soft", 4096, 1024, "float16"),
    Work("soft", 4096, 1024, "bfloat16"),
    Work("soft", 4096, 1024, inner=256),
    Work("backward", 4096, 1024),
    Work("noise", 4096, 1024),
    Work("soft", 1, 1 << 20),
    Work("soft", 1, 4),
)
"""A training batch, the vocabularies of GPT-2 and Llama 3, ten classes of an image, the channels of a feature
map, one long row that threads share, one tiny call."""


def at_size(rows: int, classes: int) -> tuple[Work, ...]:
    """Return every operator at one shape."""
    operators: tuple[Operator, ...] = ("soft", "hard", "categorical", "backward", "noise")
    return (
        *(Work(operator, rows, classes) for operator in operators),
        *(Work("soft", rows, classes, dtype) for dtype in ("float64", "float16", "bfloat16")),
    )


def quick(works: Sequence[Work], elements: int = 1 << 14) -> tuple[Work, ...]:
    """Return the works with fewer rows, of about `elements` elements each: for tests, not for figures."""

    def small(work: Work) -> Work:
        inner = min(work.inner, 2)
        rows = max(1, min(work.rows, elements // work.classes) // inner) * inner
        return replace(work, rows=rows, inner=inner)

    return tuple(map(small, works))
