"""Is an answer right? Asked before anything is timed."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gumbel4j import reference
from gumbel4j.bench.work import SEED, TAU, Work

_CLOSE: Final = {"rtol": 1e-3, "atol": 1e-6}


class WrongAnswerError(RuntimeError):
    """A contender does not do the work that it is to be timed for."""


def check_own(work: Work, inputs: dict[str, NDArray[Any]], answer: NDArray[Any]) -> None:
    """Compare our answer with the NumPy reference in the first, middle and last row.

    Raises
    ------
    WrongAnswerError
        If a value is outside the reference's error bound, or an index that the bound decides differs.
    """
    answers = work.in_rows(answer)
    given = {name: work.in_rows(array) for name, array in inputs.items()}
    for row in sorted({0, work.rows // 2, work.rows - 1}):
        part = slice(row, row + 1)
        mine = answers[part].astype(np.float64)
        key: dict[str, Any] = {"seed": SEED, "first_row": row}
        logits = given["logits"][part]
        if work.operator == "noise":
            expected = reference.gumbel((1, work.classes), dtype=work.dtype, **key)
            right = np.abs(mine - expected) <= reference.gumbel_bound(expected, work.dtype)
        elif work.operator == "soft":
            expected = reference.gumbel_softmax(logits, TAU, **key)
            right = np.abs(mine - expected) <= reference.soft_bound(logits, TAU, **key)
        elif work.operator == "hard":
            expected = reference.gumbel_softmax(logits, hard=True, **key)
            right = (mine == expected) | ~reference.decided(logits, **key)[..., np.newaxis]
        elif work.operator == "categorical":
            right = (mine == reference.categorical(logits, **key)) | ~reference.decided(logits, **key)
        else:
            sample, upstream = given["sample"][part], given["upstream"][part]
            expected, _ = reference.vjp(sample, upstream, TAU)
            bound, _ = reference.vjp_bound(sample, upstream, TAU)
            right = np.abs(mine - expected) <= bound
        if not np.all(right):
            raise WrongAnswerError(
                f"gumbel4j's {work.name} is wrong in row {row}: run gumbel4j validate to find out more"
            )


def check_peer(name: str, work: Work, answer: NDArray[Any], gradient: NDArray[Any] | None) -> str | None:
    """Check that a peer's answer is of the kind that the work asks for; `gradient` is ours, times tau.

    Rows of NaN or infinity pass in types of 16 bits, where peers' noise can be infinite; the text that is
    returned then tells how many there are.

    Raises
    ------
    WrongAnswerError
        If it is not.
    """
    shape = (work.rows,) if work.operator == "categorical" else work.shape
    right = answer.size == int(np.prod(shape))
    remark = None
    if right:
        values = work.in_rows(answer.reshape(shape)).astype(np.float64)
        is_half = work.dtype in ("float16", "bfloat16")
        lost = ~np.isfinite(values).all(axis=-1) if is_half and values.ndim == 2 else np.zeros(1, np.bool_)
        if lost.any():
            remark = f"{name} gives NaN or infinity in {lost.sum():,} of {work.rows:,} rows of {work.name}."
            values = values[~lost]
        if work.operator == "noise":
            # A standard deviation is 1.28; the bound is seven of the mean's.
            right = bool(abs(values.mean() - np.euler_gamma) < 9 / np.sqrt(values.size) + 0.01 * is_half)
        elif work.operator == "categorical":
            right = bool((values >= 0).all() and (values < work.classes).all())
        elif work.operator == "backward":
            assert gradient is not None
            close: dict[str, Any] = (
                {"rtol": 0.05, "atol": 0.05 * np.abs(gradient).max()} if is_half else _CLOSE
            )
            right = bool(np.allclose(values, work.in_rows(gradient), **close))
        else:
            right = bool(np.allclose(values.sum(axis=-1), 1, atol=2e-2 if is_half else 1e-4))
            if work.operator == "hard":
                right = right and bool(((values == 0) | (values == 1)).all())
    if not right:
        raise WrongAnswerError(f"{name} does something else than {work.name}")
    return remark
