"""The dtypes of arrays: how they are recognised, what they are computed in, and Java's names for them.

NumPy itself has no bfloat16. The package ml_dtypes adds it, and is imported here only where an array of that
dtype must be made and nobody has imported it before; everywhere else its name tells.
"""

from __future__ import annotations

import importlib
from typing import Any, Final

import numpy as np
from numpy.typing import DTypeLike

FLOAT32: Final = np.dtype(np.float32)
FLOAT64: Final = np.dtype(np.float64)
INT32: Final = np.dtype(np.int32)
UINT32: Final = np.dtype(np.uint32)
UINT64: Final = np.dtype(np.uint64)

_FLOATING: Final = ("float32", "float64", "float16", "bfloat16")
_JAVA_NAMES: Final = {name: name for name in (*_FLOATING, "int32")} | {"uint32": "int32", "uint64": "int64"}

FLOATING_NAMES: Final = f"{', '.join(_FLOATING[:-1])} or {_FLOATING[-1]}"
"""The dtypes of logits, for messages."""

_names: dict[np.dtype[Any], str] = {np.dtype(name): name for name in _JAVA_NAMES if name != "bfloat16"}
"""The names of the dtypes that arrays have here: NumPy works each one out anew, by an import."""


def name_of(dtype: np.dtype[Any]) -> str:
    """Return `dtype.name`, quickly for the dtypes that arrays have here."""
    known = _names.get(dtype)
    if known is None:
        known = dtype.name
        if known in _JAVA_NAMES:
            _names[dtype] = known
    return known


def native_floating(dtype: np.dtype[Any]) -> np.dtype[Any] | None:
    """Return the dtype of logits, of either byte order, in native byte order; None if it is another."""
    native = dtype if dtype.isnative else dtype.newbyteorder("=")
    return native if name_of(native) in _FLOATING else None


def is_bfloat16(dtype: np.dtype[Any]) -> bool:
    """Whether this is the bfloat16 of ml_dtypes."""
    return name_of(dtype) == "bfloat16"


def computed_in(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype of the arithmetic, the noise and the temperatures behind a floating dtype."""
    return FLOAT64 if name_of(dtype) == "float64" else FLOAT32


def java_name(dtype: np.dtype[Any]) -> str:
    """Return Java's name for a dtype that arrays in shared memory may have."""
    return _JAVA_NAMES[name_of(dtype)]


def floating(dtype: DTypeLike) -> np.dtype[Any]:
    """Return the argument `dtype` as a floating dtype in native byte order.

    Raises
    ------
    TypeError
        If it is another dtype.
    ImportError
        If it is the text "bfloat16" and the package that defines it is missing.
    """
    native = _parsed(dtype).newbyteorder("=")
    if name_of(native) not in _FLOATING:
        raise TypeError(f"dtype = {native}: must be {FLOATING_NAMES}")
    return native


def shareable(dtype: DTypeLike) -> np.dtype[Any]:
    """Return the argument `dtype` of an array in shared memory; TypeError or ImportError as `floating`."""
    kind = _parsed(dtype)
    if name_of(kind) not in _JAVA_NAMES or not kind.isnative:
        raise TypeError(f"dtype = {kind}: must be one of {', '.join(_JAVA_NAMES)}, in native byte order")
    return kind


def _parsed(dtype: DTypeLike) -> np.dtype[Any]:
    if isinstance(dtype, str) and dtype == "bfloat16":
        try:
            dtype = importlib.import_module("ml_dtypes").bfloat16
        except ImportError as missing:
            raise ImportError(
                "dtype = 'bfloat16': NumPy has it from the package ml_dtypes only, which is not installed: "
                "pip install 'gumbel4j[bfloat16]'"
            ) from missing
    return np.dtype(dtype)
