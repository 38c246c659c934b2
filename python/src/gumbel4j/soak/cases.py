"""Calls drawn at random, and what they must return.

A case is a call down to the last bit of its arguments, however those lie in memory. Its first result is held
against the NumPy reference: words and uniform values must be equal, hard and categorical samples where
rounding cannot change the winner, and all else within the reference's bound. A checksum of these bytes is
kept, and every later result of the case, from whatever thread, process, backend and layout, must have it.
"""

from __future__ import annotations

import hashlib
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from gumbel4j import _dtypes, reference

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gumbel4j.session import Session

Operator = Literal["words", "uniform", "gumbel", "soft", "hard", "categorical", "vjp"]
Layout = Literal["own", "shared", "strided", "reversed"]

OPERATORS: Final[tuple[Operator, ...]] = (
    "words",
    "uniform",
    "gumbel",
    "soft",
    "hard",
    "categorical",
    "vjp",
)
LAYOUTS: Final[tuple[Layout, ...]] = ("own", "shared", "strided", "reversed")

_SHARE_OF_LARGE: Final = 0.03
_LARGE: Final = 1 << 20


@dataclass(frozen=True)
class Case:
    """One call.

    Attributes
    ----------
    operator
        A method of Session; "soft" and "hard" are `gumbel_softmax`.
    shape, axis
        Of the logits, and where their classes are: the last axis for words, uniform and gumbel.
    dtype
        Of the logits, or of the noise.
    tau
        The temperature; None for one in each row.
    seed, stream, first_row
        The key.
    content
        Seed of the logits' own values.
    """

    operator: Operator
    shape: tuple[int, ...]
    axis: int
    dtype: str
    tau: float | None
    seed: int
    stream: int
    first_row: int
    content: int

    def matrices(self) -> list[NDArray[Any]]:
        """Return the arguments that are arrays: the logits, or a sample and an upstream gradient."""
        if self.operator in ("words", "uniform", "gumbel"):
            return []
        random = np.random.default_rng(self.content)
        dtype = _dtypes.floating(self.dtype)
        logits = random.normal(0, 3, self.shape).astype(dtype)
        if self.operator == "vjp":
            sample = np.exp(logits.astype(np.float64))
            sample /= sample.sum(axis=self.axis, keepdims=True)
            return [sample.astype(dtype), random.normal(size=self.shape).astype(dtype)]
        if self.content % 3 == 0:  # masks, but never of the whole row
            masked = random.random(self.shape) < 0.5
            np.moveaxis(masked, self.axis, -1)[..., 0] = False
            logits[masked] = -np.inf
        return [logits]

    def temperatures(self) -> float | NDArray[np.float32]:
        """Return tau: a number, or one value for each row."""
        if self.tau is not None:
            return self.tau
        sizes = list(self.shape)
        sizes[self.axis] = 1
        return np.random.default_rng(self.content + 1).uniform(0.1, 2, sizes).astype(np.float32)

    def call(self, session: Any, matrices: list[NDArray[Any]]) -> tuple[NDArray[Any], ...]:
        """Make the call of a Session, or of the module `reference`, and return its results."""
        key = {"seed": self.seed, "stream": self.stream, "first_row": self.first_row}
        match self.operator:
            case "words":
                kind = np.uint64 if self.dtype == "float64" else np.uint32
                return (session.words(self.shape, dtype=kind, **key),)
            case "uniform" | "gumbel":
                dtype = _dtypes.floating(self.dtype)
                return (getattr(session, self.operator)(self.shape, dtype=dtype, **key),)
            case "soft":
                return (session.gumbel_softmax(matrices[0], self.temperatures(), axis=self.axis, **key),)
            case "hard":
                return (session.gumbel_softmax(matrices[0], hard=True, axis=self.axis, **key),)
            case "categorical":
                return (session.categorical(matrices[0], self.axis, **key),)
            case "vjp":
                return tuple(map(np.asarray, session.vjp(*matrices, self.temperatures(), self.axis)))

    def fault(self, results: tuple[NDArray[Any], ...]) -> str | None:
        """Return how results differ from what the reference allows; None if they do not."""
        matrices = self.matrices()
        expected = self.call(reference, matrices)
        key = {"seed": self.seed, "stream": self.stream, "first_row": self.first_row}
        bounds: tuple[NDArray[Any], ...]
        match self.operator:
            case "words" | "uniform":
                return None if np.array_equal(results[0], expected[0]) else "not the reference's bits"
            case "hard" | "categorical":
                decided = reference.decided(matrices[0], self.axis, **key)
                same = results[0] == expected[0]
                if self.operator == "hard":
                    same = same.all(axis=self.axis)
                return None if np.all(same | ~decided) else "not the reference's winner"
            case "gumbel":
                bounds = (reference.gumbel_bound(expected[0], _dtypes.floating(self.dtype)),)
            case "soft":
                bounds = (reference.soft_bound(matrices[0], self.temperatures(), self.axis, **key),)
            case "vjp":
                sample, upstream = matrices
                gradients = reference.vjp_bound(sample, upstream, self.temperatures(), self.axis)
                bounds = tuple(map(np.asarray, gradients))
        for result, value, bound in zip(results, expected, bounds, strict=True):
            if not np.all(np.abs(result.astype(np.float64) - value) <= bound):
                return "beyond the reference's bound"
        return None


def checksum(results: tuple[NDArray[Any], ...]) -> bytes:
    """Return a checksum of the bits of results, in C order."""
    total = hashlib.blake2b(digest_size=16)
    for result in results:
        total.update(np.ascontiguousarray(result).view(np.uint8).data)
    return total.digest()


def random_case(random: np.random.Generator) -> Case:
    """Draw a case: mostly small, sometimes large enough for a disturbance to meet it half way."""
    elements = int(2 ** random.uniform(0, 13))
    if random.random() < _SHARE_OF_LARGE:
        elements = _LARGE
    classes = max(1, min(elements, int(2 ** random.uniform(0, np.log2(elements) + 1))))
    rows = max(1, elements // classes)
    inner = int(random.choice([n for n in (1, 2, 3, 5) if n <= rows]))
    operator = OPERATORS[random.integers(len(OPERATORS))]
    shape, axis = ((rows, classes), 1) if inner == 1 else ((rows // inner, classes, inner), 1)
    if operator in ("words", "uniform", "gumbel"):
        shape, axis = (rows, classes), 1
    return Case(
        operator,
        shape,
        axis,
        dtype=str(random.choice(_dtype_names())),
        tau=None if random.random() < 0.3 else float(random.choice([0.1, 0.5, 1.0, 10.0])),
        seed=int(random.integers(2**64, dtype=np.uint64)),
        stream=int(random.integers(2**63)),
        first_row=int(random.integers(2**20)),
        content=int(random.integers(2**31)),
    )


def lay_out(session: Session, matrices: list[NDArray[Any]], layout: Layout) -> list[NDArray[Any]]:
    """Return arrays of the same values that lie in memory in one of the ways users have them."""
    if layout == "own":
        return matrices
    if layout == "reversed":
        return [np.array(matrix[..., ::-1])[..., ::-1] for matrix in matrices]
    laid_out = []
    for matrix in matrices:
        if layout == "shared":
            room = session.empty(matrix.shape, matrix.dtype)
        else:
            room = session.empty((*matrix.shape[:-1], 2 * matrix.shape[-1]), matrix.dtype)[..., ::2]
        room[...] = matrix
        laid_out.append(room)
    return laid_out


class Truth:
    """Which checksum each case has. Thread-safe."""

    def __init__(self) -> None:
        self._checksums: dict[Case, bytes] = {}
        self._lock = threading.Lock()

    def fault(self, case: Case, results: tuple[NDArray[Any], ...]) -> str | None:
        """Return what is wrong with a result, if anything; remember it if it is the first of its case."""
        total = checksum(results)
        with self._lock:
            known = self._checksums.get(case)
        if known is not None:
            return None if total == known else "other bits than the first time"
        fault = case.fault(results)
        if fault is None:
            with self._lock:
                known = self._checksums.setdefault(case, total)
            if known != total:
                return "other bits than another thread's"
        return fault

    def known(self, case: Case) -> bytes | None:
        """Return the checksum of a case whose results have been seen."""
        with self._lock:
            return self._checksums.get(case)

    def forget(self, case: Case) -> None:
        """Make room."""
        with self._lock:
            self._checksums.pop(case, None)


def _dtype_names() -> tuple[str, ...]:
    names: tuple[str, ...] = ("float32", "float64", "float16")
    with suppress(ImportError):
        names = (*names, _dtypes.floating("bfloat16").name)
    return names
