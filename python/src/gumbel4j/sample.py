"""Samples from a file of logits into another file: what `gumbel4j sample` does."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gumbel4j.generator import Generator
    from gumbel4j.session import Session

Kind = Literal["soft", "hard", "categorical"]

_NPY_MAGIC: Final = b"\x93NUMPY"


class SampleError(ValueError):
    """The logits file, the output file or an argument cannot be used; the message says which and why."""


def read_logits(path: Path) -> NDArray[Any]:
    """Return the array in a .npy file. Nothing in the file is executed: pickled objects are refused.

    Raises SampleError if the file cannot be read or is no complete .npy file of plain numbers.
    """
    try:
        with path.open("rb") as file:
            if file.read(len(_NPY_MAGIC)) != _NPY_MAGIC:
                raise SampleError(f"{path} is not a .npy file; write one with numpy.save(path, logits)")
            file.seek(0)
            array = np.load(file, allow_pickle=False)
    except OSError as error:
        raise SampleError(f"cannot read {path}: {error.strerror or error}") from error
    except SampleError:
        raise
    except (ValueError, EOFError) as error:
        raise SampleError(f"cannot read {path}: {error}") from error
    return np.asarray(array)


def write_array(path: Path, array: NDArray[Any]) -> None:
    """Write a .npy file whole or not at all.

    It is written under a temporary name in the same folder, then renamed over `path`.

    Raises SampleError if the folder cannot be written to or is full.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        try:
            with temporary.open("xb") as file:
                np.save(file, array, allow_pickle=False)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise SampleError(f"cannot write {path}: {error.strerror or error}") from error


def sample(
    session: Session,
    logits: NDArray[Any],
    kind: Kind,
    *,
    tau: float,
    axis: int,
    seed: int | Generator,
    stream: int | None,
) -> NDArray[Any]:
    """Draw one sample per row of `logits`: as `Session.gumbel_softmax` or, for "categorical", `.categorical`.

    Raises SampleError where these raise TypeError or ValueError.
    """
    try:
        if kind == "categorical":
            return session.categorical(logits, axis, seed=seed, stream=stream)
        return session.gumbel_softmax(logits, tau, kind == "hard", axis, seed=seed, stream=stream)
    except (TypeError, ValueError) as error:
        raise SampleError(str(error)) from error
