"""What is wrong with a row or its temperature, by its place in the whole file."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gumbel4j._dtypes import computed_in
from gumbel4j.files.errors import SampleError
from gumbel4j.files.grid import Ranges, extent
from gumbel4j.files.npy import StoredArray


def fault(logits: NDArray[Any]) -> tuple[int, str] | None:
    """Return the first row, of those with the classes last, that cannot be drawn from, and why; else None."""
    values = logits.reshape(-1, logits.shape[-1])
    top = values.max(-1)  # NaN if there is one
    bad = ~np.isfinite(top)
    if not bad.any():
        return None
    row = int(bad.argmax())
    if np.isnan(top[row]):
        return row, "holds NaN"
    return row, "holds +inf" if top[row] > 0 else "holds nothing above -inf"


def check(source: StoredArray, axis: int, box: Ranges, logits: NDArray[Any]) -> None:
    """Raise SampleError, which names the row of the whole array, if a row of a box cannot be drawn from."""
    found = fault(np.moveaxis(logits, axis, -1))
    if found is None:
        return
    at, what = found
    inside = np.unravel_index(at, tuple(map(extent, box))) if box else ()
    place = [side.start + int(n) for side, n in zip(box, inside, strict=True)]
    sizes = source.shape[:axis] + source.shape[axis + 1 :]
    row = int(np.ravel_multi_index(place, sizes)) if place else 0
    index = [str(n) for n in place]
    index.insert(axis, ":")
    raise SampleError(
        f"{source.place}: row {row}, which is [{', '.join(index)}], {what}; a row needs a finite logit, and "
        "all others finite or -inf"
    )


def aligned(tau: StoredArray, logits: StoredArray, axis: int) -> StoredArray:
    """Return stored temperatures with as many axes as the logits, or raise SampleError."""
    wanted = (*logits.shape[:axis], 1, *logits.shape[axis + 1 :])
    shape = (1,) * (len(wanted) - len(tau.shape)) + tau.shape
    if len(shape) != len(wanted) or any(n not in (1, m) for n, m in zip(shape, wanted, strict=True)):
        raise SampleError(
            f"{tau.place}, the temperatures, has shape {tau.shape} and {logits.place} has shape "
            f"{logits.shape}: it must broadcast to {wanted}, a value for each row"
        )
    return dataclasses.replace(tau, shape=shape)


def temperatures(
    source: StoredArray, axis: int, tau: float | StoredArray, box: Ranges
) -> float | NDArray[Any]:
    """Return the temperatures of a box of rows, checked.

    Raises SampleError, which names the place in the whole file, if one is negative or not finite.
    """
    if not isinstance(tau, StoredArray):
        return tau
    whole = (*box[:axis], slice(0, 1), *box[axis:])
    part = tuple(side if n > 1 else slice(0, 1) for side, n in zip(whole, tau.shape, strict=True))
    count = math.prod(map(extent, part))
    values = tau.read(part, np.empty(count, tau.dtype.newbyteorder("=")))
    dtype = computed_in(source.dtype.newbyteorder("="))
    with np.errstate(over="ignore"):
        allowed = (values >= 0) & np.isfinite(values.astype(dtype, copy=False))
    if not allowed.all():
        inside = np.unravel_index(int(np.argmin(allowed)), allowed.shape)
        place = ", ".join(str(side.start + int(n)) for side, n in zip(part, inside, strict=True))
        raise SampleError(
            f"{tau.place}: tau[{place}] = {values[inside]}: must be finite and not negative, also as {dtype}"
        )
    return values
