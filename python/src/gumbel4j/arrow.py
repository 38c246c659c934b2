"""Arrow columns of fixed-size lists as arrays of logits, and samples as such columns, without a copy.

For pyarrow, pandas and polars, through the Arrow PyCapsule interface. Needs pyarrow:
`pip install gumbel4j[arrow]`.

    >>> from gumbel4j import arrow
    >>> y = gj.gumbel_softmax(arrow.as_array(table["logits"]), tau=0.5, seed=7)
    >>> table = table.append_column("samples", arrow.as_column(y))
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["as_array", "as_column"]


def as_array(column: Any) -> NDArray[Any]:
    """Return a column of fixed-size lists of numbers as an array, a row for each list.

    Parameters
    ----------
    column
        A `pyarrow.FixedSizeListArray` or `ChunkedArray` of them, or anything that exports one through the
        Arrow PyCapsule interface, such as a polars Series of type Array or a pandas Series of an ArrowDtype.

    Returns
    -------
    numpy.ndarray
        Shape (rows, list size), read-only, over the column's own memory, which it keeps; a copy only if the
        column consists of several chunks. A column that `as_column` made of an array in shared memory is
        still there: calls take it without a copy.

    Raises
    ------
    TypeError
        If it is no such column.
    ValueError
        If a list or a value is null; the message names the first such row.
    ImportError
        If pyarrow is missing.
    """
    pa = pyarrow()
    if not isinstance(column, pa.Array | pa.ChunkedArray):
        if hasattr(column, "__arrow_c_stream__"):
            column = pa.chunked_array(column)
        elif hasattr(column, "__arrow_c_array__"):
            column = pa.array(column)
        else:
            raise TypeError(
                f"column must be an Arrow array or export one; got {type(column).__name__}, which has "
                "neither __arrow_c_array__ nor __arrow_c_stream__"
            )
    if isinstance(column, pa.ChunkedArray):
        column = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    if not is_logits(column.type, pa):
        raise TypeError(
            f"column has type {column.type}; it must be a fixed-size list of float, halffloat or double: "
            "cast it, as in column.cast(pyarrow.list_(pyarrow.float32(), size))"
        )
    size = column.type.list_size
    if column.null_count:
        raise NullError(int(np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False))[0]))
    values = column.flatten()
    if values.null_count:
        first = int(np.flatnonzero(values.is_null().to_numpy(zero_copy_only=False))[0])
        raise NullError(first // size)
    array: NDArray[Any] = values.to_numpy(zero_copy_only=True).reshape(len(column), size)
    return array


def as_column(array: NDArray[Any]) -> Any:
    """Return an array as a `pyarrow.FixedSizeListArray`, a list for each row, over the same memory.

    Parameters
    ----------
    array
        Two axes or more, the last becoming the lists; or one axis, which becomes a plain column. C-contiguous
        and in native byte order, as results are; anything else is copied.

    Returns
    -------
    pyarrow.Array
        It keeps the memory. Do not write into the array any more: Arrow's data never change.

    Raises
    ------
    TypeError
        If Arrow has no such type of values.
    ValueError
        If the array has no axis.
    ImportError
        If pyarrow is missing.
    """
    pa = pyarrow()
    if array.ndim == 0:
        raise ValueError("array is a single number; it must have at least one axis")
    native = np.ascontiguousarray(array, array.dtype.newbyteorder("="))
    try:
        kind = pa.from_numpy_dtype(native.dtype)
    except (pa.ArrowException, NotImplementedError) as error:
        raise TypeError(f"array has dtype {array.dtype}, which Arrow has no type for") from error
    column = pa.Array.from_buffers(kind, native.size, [None, pa.py_buffer(native)])
    for size in reversed(native.shape[1:]):
        column = pa.FixedSizeListArray.from_arrays(column, size)
    return column


class NullError(ValueError):
    """A row is null, or a value in it.

    Attributes
    ----------
    row
        Its number in the column.
    """

    def __init__(self, row: int) -> None:
        super().__init__(f"row {row} of the column is null or holds a null; fill or drop it")
        self.row = row


def is_logits(kind: Any, pa: Any) -> bool:
    """Whether an Arrow type is that of fixed-size lists, not empty ones, of floating-point numbers."""
    return bool(
        pa.types.is_fixed_size_list(kind) and pa.types.is_floating(kind.value_type) and kind.list_size > 0
    )


def pyarrow() -> Any:
    """Return the package pyarrow, or raise ImportError that says how to get it."""
    try:
        import pyarrow
    except ImportError as error:
        raise ImportError(
            f"Arrow and Parquet need the package pyarrow ({error}): pip install gumbel4j[arrow]"
        ) from error
    return pyarrow
