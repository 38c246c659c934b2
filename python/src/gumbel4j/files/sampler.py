"""What samplers of arrays and of tables have in common: what is asked of them, and what comes out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from gumbel4j._arrays import row_number
from gumbel4j.files.errors import SampleError
from gumbel4j.files.partial_output import PartialOutput

if TYPE_CHECKING:
    from gumbel4j.session import Session

Kind = Literal["soft", "hard", "categorical"]
Key = tuple[int, int]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Drawn:
    """One array of samples in a file.

    Attributes
    ----------
    name
        The member of a .npz file or the column of a table; "" in a .npy file.
    shape, dtype
        The samples'.
    seed, stream
        The key of their noise.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    seed: int
    stream: int


@dataclass(frozen=True)
class Request:
    """What to draw: the arguments of `sample_file`, checked as far as they can be without the file."""

    kind: Kind
    tau: float | Path
    axis: int
    first_row: int
    names: Sequence[str]


class Sampler(Protocol):
    """The way from one file to another, in steps that can be resumed."""

    @property
    def count(self) -> int:
        """How many arrays there are to draw from."""
        ...

    def plan(self, keys: Sequence[Key], slice_bytes: int) -> None:
        """Divide the work into steps; a (seed, stream) for each array.

        Raises SampleError if there is no noise for so many rows from `first_row` on.
        """
        ...

    @property
    def parameters(self) -> dict[str, Any]:
        """What the output is made of, for a later run that goes on with it."""
        ...

    @property
    def nbytes(self) -> int:
        """The size of the unfinished output when all steps are done, about."""
        ...

    @property
    def copies(self) -> int:
        """How many times that is needed: 2 if the file is made from the unfinished output, else 1."""
        ...

    @property
    def drawn(self) -> tuple[Drawn, ...]:
        """What will be written."""
        ...

    def run(self, session: Session, partial: PartialOutput, progress: Progress | None) -> None:
        """Do all that is not done yet.

        Raises
        ------
        SampleError
            If a row or a temperature cannot be used.
        FileError, MemoryError, RuntimeError, KeyboardInterrupt
            If it was stopped; `partial.done` is right whatever happens.
        """
        ...

    def finish(self, partial: PartialOutput) -> Path:
        """Write what can be written only when all steps are done, and return the whole file.

        That is the unfinished output, or `partial.made`. May be done twice.
        """
        ...


def check_first_row(first_row: int, rows: int, classes: int) -> None:
    """Raise SampleError if there is no noise so far behind."""
    try:
        row_number(first_row, rows, classes)
    except ValueError as error:
        raise SampleError(str(error)) from error


def result_shape(shape: tuple[int, ...], axis: int, kind: Kind) -> tuple[int, ...]:
    """Return the shape of what is drawn from logits of some shape."""
    return shape[:axis] + shape[axis + 1 :] if kind == "categorical" else shape


def result_dtype(dtype: np.dtype[Any], kind: Kind) -> np.dtype[Any]:
    """Return the dtype of what is drawn from logits of some dtype."""
    return np.dtype(np.int32) if kind == "categorical" else dtype.newbyteorder("=")


def draw(
    session: Session,
    kind: Kind,
    logits: NDArray[Any],
    tau: float | NDArray[Any],
    axis: int,
    key: Key,
    first_row: int,
    out: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """Draw one sample for each row, as `Session` does."""
    seed, stream = key
    if kind == "categorical":
        return session.categorical(logits, axis, seed=seed, stream=stream, first_row=first_row, out=out)
    return session.gumbel_softmax(
        logits, tau, kind == "hard", axis, seed=seed, stream=stream, first_row=first_row, out=out
    )
