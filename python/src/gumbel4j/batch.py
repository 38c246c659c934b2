"""Batch: many small calls that go to Java as one: a round trip costs far more than their work."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from gumbel4j import _arrays, _dtypes
from gumbel4j._bridge import InvalidRowError
from gumbel4j.generator import Generator, resolve

if TYPE_CHECKING:
    from gumbel4j._runtime import Runtime

_Noted = tuple[int, bytes, tuple[int, ...], Any, Any, Any, Any]
"""A call: its place in the batch, the bytes and shape of its logits, tau, seed, stream, first_row."""

_COLUMNS: Final = 6
"""Of the table of calls, as the Java class Batch reads it: rows, classes, seed, stream, first_row, tau."""


_ENDED: Final = "the batch has ended with its with block; make another one with Session.batch"


class Batch:
    """Collects small calls and makes them all when its `with` block ends; `Session.batch` makes one.

    Each method takes what the method of Session of its name takes, with the classes on the last axis and one
    number as `tau`. It returns the place of its result in `results`. The results are those of the calls one
    by one, to the bit. Calls of a batch may differ in operator, shape, dtype, tau, seed and stream; those of
    one operator and dtype share one round trip, and each costs a few microseconds and its work.

    The logits are copied when a method is called, so a loop may use one array again and again. The results of
    a round trip lie side by side in shared memory, which is used again when the last of them dies.

    A batch is for one thread at a time; a session may have several under way. If its block ends with an error
    of its own, nothing is run. If one call fails, none has a result: the ValueError names the call, counted
    from 0, and the argument.

    Examples
    --------
    >>> with session.batch() as batch:
    ...     for step, logits in enumerate(rows):  # of different lengths
    ...         batch.gumbel_softmax(logits, tau=0.5, seed=7, stream=step)
    >>> samples = batch.results
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._noted: dict[str, dict[np.dtype[Any], list[_Noted]]] = {
            operator: {} for operator in ("soft", "hard", "categorical", "gumbel")
        }
        self._count = 0
        self._results: list[NDArray[Any]] | None = None

    def __len__(self) -> int:
        return self._count

    @property
    def results(self) -> list[NDArray[Any]]:
        """The results, in the order of the calls; RuntimeError before the block has ended well."""
        if self._results is None:
            raise RuntimeError("a batch has results once its with block has ended without an error")
        return self._results

    def gumbel_softmax(
        self,
        logits: ArrayLike,
        tau: float = 1.0,
        hard: bool = False,
        *,
        seed: int | Generator | None = None,
        stream: int | None = None,
        first_row: int = 0,
    ) -> int:
        """Note a call of `Session.gumbel_softmax` on the last axis; return the place of its result.

        Raises
        ------
        TypeError, ValueError
            If logits, or a key with a Generator, cannot be used. What else is wrong is found when the block
            ends.
        """
        return self._note("hard" if hard else "soft", logits, tau, seed, stream, first_row)

    def categorical(
        self,
        logits: ArrayLike,
        *,
        seed: int | Generator | None = None,
        stream: int | None = None,
        first_row: int = 0,
    ) -> int:
        """Note a call of `Session.categorical` on the last axis; return the place of its result.

        Raises
        ------
        TypeError, ValueError
            As `gumbel_softmax`.
        """
        return self._note("categorical", logits, 1.0, seed, stream, first_row)

    def gumbel(
        self,
        shape: int | Sequence[int],
        *,
        seed: int | Generator | None = None,
        stream: int | None = None,
        first_row: int = 0,
        dtype: DTypeLike = np.float32,
    ) -> int:
        """Note a call of `Session.gumbel`; return the place of its result.

        Raises
        ------
        TypeError, ValueError, ImportError
            As `Session.gumbel`, for shape and dtype, and as `gumbel_softmax`.
        """
        sizes, kind = _arrays.drawn(shape), _dtypes.floating(dtype)
        if not self._noted:
            raise RuntimeError(_ENDED)
        first_row = _arrays.row_number(first_row, math.prod(sizes[:-1]), sizes[-1])
        key = resolve(seed, stream)
        self._noted["gumbel"].setdefault(kind, []).append((self._count, b"", sizes, 1.0, *key, first_row))
        self._count += 1
        return self._count - 1

    def __enter__(self) -> Self:
        if not self._noted:
            raise RuntimeError(_ENDED)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        noted_calls, self._noted = self._noted, {}
        if kind is not None:
            return
        columns = [
            _Columns(operator, dtype, noted)
            for operator, of_dtype in noted_calls.items()
            for dtype, noted in of_dtype.items()
            if noted
        ]
        if len(columns) == 1:
            self._results = columns[0].run(self._runtime)
            return
        results: list[Any] = [None] * self._count
        for of_one in columns:
            for place, result in zip(of_one.places, of_one.run(self._runtime), strict=True):
                results[place] = result
        self._results = results

    def _note(
        self, operator: str, logits: Any, tau: Any, seed: int | Generator | None, stream: Any, first_row: Any
    ) -> int:
        try:
            of_dtype = self._noted[operator]
        except KeyError:
            raise RuntimeError(_ENDED) from None
        # The usual case takes well under a microsecond: that is what a batch is for.
        if logits.__class__ is not np.ndarray or logits.dtype not in of_dtype or not logits.size:
            logits = _arrays.rows("logits", logits, -1).array
            logits = logits.astype(logits.dtype.newbyteorder("="), copy=False)
            of_dtype.setdefault(logits.dtype, [])
        elif not logits.shape:
            _arrays.rows("logits", logits, -1)  # raises
        if stream is None or seed.__class__ is not int:
            seed, stream = resolve(seed, stream)
        place = self._count
        of_dtype[logits.dtype].append((place, logits.tobytes(), logits.shape, tau, seed, stream, first_row))
        self._count = place + 1
        return place


class _Columns:
    """The calls of one operator and dtype, argument by argument."""

    def __init__(self, operator: str, dtype: np.dtype[Any], noted: list[_Noted]) -> None:
        self._operator = operator
        self._dtype = dtype
        self.places, self._logits, self._shapes, *self._others = zip(*noted, strict=True)
        self._is_uniform = len(set(self._shapes)) == 1
        shapes = self._shapes[:1] if self._is_uniform else self._shapes
        one_each = np.ones(len(noted), np.int64)
        self._sizes = one_each * np.array(list(map(math.prod, shapes)), np.int64)
        self._classes = one_each * np.array([shape[-1] for shape in shapes], np.int64)
        self._rows = self._sizes // self._classes

    def run(self, runtime: Runtime) -> list[NDArray[Any]]:
        """Run the calls; return their results."""
        takes_logits = self._operator != "gumbel"
        dtype = _dtypes.INT32 if self._operator == "categorical" else self._dtype
        counts = self._rows if self._operator == "categorical" else self._sizes
        count = sum(counts.tolist())  # of Python's integers, which do not wrap
        table = self._table()
        if not count:
            out = np.empty(0, dtype)
        else:
            inputs = {"logits": np.frombuffer(b"".join(self._logits), self._dtype)} if takes_logits else {}
            try:
                out = runtime.run_batch(
                    self._operator, inputs | {"calls": table.reshape(-1)}, "out", count, dtype
                )
            except InvalidRowError as invalid:
                raise ValueError(self._at(invalid)) from None
        return self._divided(out, counts)

    def _divided(self, out: NDArray[Any], counts: NDArray[np.int64]) -> list[NDArray[Any]]:
        """Return the results of the calls, given how many elements each has."""
        has_classes = self._operator != "categorical"
        shapes = self._shapes if has_classes else [shape[:-1] for shape in self._shapes]
        if self._is_uniform and shapes[0]:
            return list(out.reshape((len(shapes), *shapes[0])))
        ends = itertools.accumulate(counts.tolist(), initial=0)
        return [
            out[begin:end].reshape(shape)
            for (begin, end), shape in zip(itertools.pairwise(ends), shapes, strict=True)
        ]

    def _table(self) -> NDArray[np.uint64]:
        """Check the arguments; return them as the Java class Batch reads them."""
        taus, seeds, streams, first_rows = self._others
        table = np.empty((len(self.places), _COLUMNS), np.uint64)
        table[:, 0] = self._rows
        table[:, 1] = self._classes
        table[:, 2:4] = self._keys(seeds, streams)
        table[:, 4] = self._first_rows(first_rows)
        table[:, 5] = self._temperatures(taus).view(np.uint64)
        return table

    def _keys(self, seeds: tuple[Any, ...], streams: tuple[Any, ...]) -> NDArray[np.uint64]:
        if set(map(type, streams)) == {int}:
            try:
                keys = np.array((seeds, streams), np.uint64)
                if not (keys[1] >> np.uint64(63)).any():
                    return keys.T
            except OverflowError:
                pass  # found below
        return np.array(self._each(resolve, seeds, streams), np.uint64)

    def _first_rows(self, values: tuple[Any, ...]) -> Any:
        if set(map(type, values)) == {int} and set(values) == {0}:
            return 0
        return self._each(_arrays.row_number, values, self._rows.tolist(), self._classes.tolist())

    def _temperatures(self, values: tuple[Any, ...]) -> NDArray[np.float64]:
        """Return what the operator computes with: the values rounded to its dtype."""
        kind = _dtypes.computed_in(self._dtype)
        if set(map(type, values)) == {float}:
            given = np.array(values)
            with np.errstate(over="ignore"):
                rounded = given.astype(kind).astype(np.float64)
            if (given >= 0).all() and np.isfinite(rounded).all():
                return rounded

        def one(value: Any) -> float:
            row = _arrays.rows("logits", np.zeros(1, self._dtype), -1)
            tau = _arrays.temperature(value, row)
            if tau.rows is not None or tau.given.ndim:
                raise ValueError(f"tau has shape {tau.given.shape}: in a batch it must be one number")
            return float(tau.values.item())

        return np.array(self._each(one, values), np.float64)

    def _each(self, check: Callable[..., Any], *columns: Sequence[Any]) -> list[Any]:
        """Apply a check to the arguments of one call after the other; an error names the call."""
        checked = []
        for place, arguments in zip(self.places, zip(*columns, strict=True), strict=True):
            try:
                checked.append(check(*arguments))
            except (TypeError, ValueError) as wrong:
                raise type(wrong)(f"call {place} of the batch: {wrong}") from None
        return checked

    def _at(self, invalid: InvalidRowError) -> str:
        """Return what to say of a row that was refused, counted over all calls."""
        ends = np.cumsum(self._rows)
        index = int(np.searchsorted(ends, invalid.row, side="right"))
        row = invalid.row - int(ends[index] - self._rows[index])
        logits = np.broadcast_to(np.zeros((), self._dtype), self._shapes[index])
        place = _arrays.rows("logits", logits, -1).place(row)
        return f"call {self.places[index]} of the batch: {invalid}. That row is {place}"
