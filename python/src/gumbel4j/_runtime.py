"""Java as a session uses it: started when needed, again if it dies, with memory that both sides reach."""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import importlib.resources
import logging
import os
import secrets
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from gumbel4j import _dtypes, _java, _launcher, _start_cache, _strides
from gumbel4j._arrays import classes_last
from gumbel4j._bridge import Bridge, JavaEndedError
from gumbel4j._memory import DATA_PLANES, DataPlane, Pool, Segment
from gumbel4j._strides import Copying, Form, Layout

_log = logging.getLogger(__name__)

_DATA_PLANE_VARIABLE: Final = "GUMBEL4J_DATA_PLANE"
_MAIN_CLASS: Final = "org.gumbel4j.gateway.GatewayMain"
JVM_OPTIONS: Final = (
    "--enable-native-access=ALL-UNNAMED",
    "-XX:+UseSerialGC",  # the heap holds next to nothing: arrays are outside it
    "-XX:+UseCountedLoopSafepoints",  # a long loop must not hold off the end of the process
    "-XX:LoopStripMiningIter=1000",
    "-Xms16m",
    "-Xmx256m",
    "-XX:+ExitOnOutOfMemoryError",  # a Java without memory may hang; one that has ended is started again
    "-XX:-UsePerfData",  # leaves a file in the temporary folder when the process is killed
    "-XX:-CreateCoredumpOnCrash",
    f"-XX:ErrorFile={os.devnull}",  # a crash is reported in the error that Python raises
)


_SMALL_ELEMENTS: Final = 1 << 16
"""For an operator on more elements it is of no use to wait awake."""

T = TypeVar("T")


class New(NamedTuple):
    """A result to be made.

    Attributes
    ----------
    shape, dtype
        Of the array.
    axis
        Where it has the classes; None if it has one element for each row.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    axis: int | None


@dataclass
class Clock:
    """What operators took inside Java while they were timed."""

    calls: int
    nanoseconds: int = 0


class Runtime:
    """A Java process, the memory shared with it, and operator calls on arrays. Thread-safe.

    Parameters
    ----------
    threads, backend, java_home, start_timeout, answer_timeout, call_timeout
        As in Session, which checks them.

    Raises
    ------
    RuntimeError
        If Java cannot be found or started.
    """

    def __init__(
        self,
        threads: int,
        backend: str,
        java_home: str | os.PathLike[str] | None,
        start_timeout: float,
        answer_timeout: float = 60.0,
        call_timeout: float | None = None,
    ) -> None:
        self._threads = threads
        self._backend = backend
        self._java_home = java_home
        self._start_timeout = start_timeout
        self._answer_timeout = answer_timeout
        self._call_timeout = call_timeout
        self._owner = os.getpid()
        self._lock = threading.RLock()
        self._closed = False
        self._facts: dict[str, Any] = {}
        self._clock: Clock | None = None
        self._end: weakref.finalize[..., Runtime] | None
        self._bridge, self._end = self._start()
        try:
            plane, self._passed_over = _choose_data_plane(self._bridge)
            self._pool = Pool(plane)
        except BaseException:
            self._end()
            raise
        # A session that nobody closes gives its memory back too, once the last array on it is gone.
        weakref.finalize(self, self._pool.close).atexit = False

    def close(self) -> None:
        """End the Java process; arrays stay valid."""
        if os.getpid() != self._owner:
            return  # before the lock, which a thread of the parent may have held at the fork
        with self._lock:
            if self._closed:
                return
            self._closed = True
            if self._end is not None:
                self._end()
            self._pool.close()

    def facts(self) -> dict[str, Any]:
        """Return what runs where; see Session.info."""
        bridge = self._running()
        if not bridge.alive:  # asked now, so that the next line knows
            bridge = self._running()
        plane = f"{self._pool.plane.name}: {self._pool.plane.description}"
        return {
            **self._facts,
            "data_plane": "; ".join((plane, *self._passed_over)),
            "java_options": " ".join(JVM_OPTIONS),
            "start_cache": self._cache.describe(bridge.process.pid),
            "pid": bridge.process.pid,
        }

    def empty(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        """Return an uninitialised array in shared memory; MemoryError if there is not enough."""
        return self._in_java(lambda bridge: self._empty(bridge, shape, dtype))

    def _empty(self, bridge: Bridge, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        """Return an array in memory that Java has mapped, so that no file of it keeps a name."""
        while True:
            array = self._pool.empty(shape, dtype)
            place = self._pool.locate(array) if array.size else None
            if place is None:
                return array
            segment, _ = place
            try:
                _map(segment, bridge)
                return array
            except _UnreachableError:
                if segment.mapped_by is None:
                    raise
                self._pool.give_up(segment)  # from before Java was started again; the next one may do

    def run_to_new(
        self,
        operator: str,
        inputs: Mapping[str, NDArray[Any]],
        results: Mapping[str, New],
        scalars: Sequence[str],
    ) -> list[NDArray[Any]]:
        """Run an operator to its end; return its results, in new arrays in shared memory.

        Parameters
        ----------
        operator, inputs, scalars
            As `run` takes them.
        results
            What to make, by argument name.

        Raises
        ------
        ValueError, InvalidRowError, MemoryError, RuntimeError
            What went wrong in Java, or with Java.
        """

        def run(bridge: Bridge) -> list[NDArray[Any]]:
            # In here, so that another Java gets memory that it can reach.
            made = [self._empty(bridge, result.shape, result.dtype) for result in results.values()]
            outputs = {
                name: classes_last(array, result.axis)
                for array, (name, result) in zip(made, results.items(), strict=True)
            }
            if not self._run(bridge, operator, inputs, outputs, scalars):
                raise RuntimeError("memory that was made for results does not take them; please report this")
            return made

        return self._in_java(run)

    def run(
        self,
        operator: str,
        inputs: Mapping[str, NDArray[Any]],
        outputs: Mapping[str, NDArray[Any]],
        scalars: Sequence[str],
    ) -> bool:
        """Run an operator to its end, if Java can write the results where they are to go.

        Arrays without rows need no run.

        Parameters
        ----------
        operator
            A name in the Java class Operators.
        inputs
            Arrays with the classes last and equal leading axes, by argument name. Those that Java cannot use
            where they are are copied into shared memory.
        outputs
            Such arrays for the results.
        scalars
            The other arguments, as the Java class Arguments reads them: "tau=0.5".

        Returns
        -------
        bool
            False, with nothing done, if an output is not in memory that Java can reach, or its elements do
            not lie as a result's may.

        Raises
        ------
        ValueError, InvalidRowError, MemoryError, RuntimeError
            What went wrong in Java, or with Java.
        """
        return self._in_java(lambda bridge: self._run(bridge, operator, inputs, outputs, scalars))

    def _run(
        self,
        bridge: Bridge,
        operator: str,
        inputs: Mapping[str, NDArray[Any]],
        outputs: Mapping[str, NDArray[Any]],
        scalars: Sequence[str],
    ) -> bool:
        if not any(array.size for array in outputs.values()):
            return True
        self._unmap_retired(bridge)
        arrays = [*outputs.values(), *inputs.values()]
        places: list[tuple[Segment, int] | None] = []
        forms: list[tuple[Form, bool]] = []
        for array in arrays:
            place = self._reach(array, bridge)
            if place is None and len(places) < len(outputs):
                return False
            places.append(place)
            forms.append((Form(array.dtype, array.shape, array.strides), place is not None))
        operands = _operands(tuple(forms), len(outputs))
        if operands is None:
            return False
        words = [*scalars]
        for at, (name, (copying, text)) in enumerate(zip((*outputs, *inputs), operands, strict=True)):
            if copying is not None:
                arrays[at] = copying.copy(arrays[at], functools.partial(self._empty, bridge))
                places[at] = self._place(arrays[at], bridge)
            words.append(f"{name}={_reference(places[at], text)}")
        arguments = " ".join(words)
        clock = self._clock
        if clock is None:
            is_small = max([array.size for array in arrays]) <= _SMALL_ELEMENTS
            bridge.run(operator, arguments, arrays, self._call_timeout, is_small=is_small)
        else:
            clock.nanoseconds += bridge.time(operator, arguments, arrays, clock.calls)
        return True

    def run_batch(
        self,
        operator: str,
        inputs: Mapping[str, NDArray[Any]],
        output: str,
        size: int,
        dtype: np.dtype[Any],
    ) -> NDArray[Any]:
        """Run an operator many times in one call, as the Java class Batch does.

        Parameters
        ----------
        operator
            A name in the Java class Operators.
        inputs
            Flat arrays, by argument name: copied into shared memory.
        output
            The argument name of the result.
        size, dtype
            How many elements it has, of which dtype.

        Returns
        -------
        numpy.ndarray
            The result: flat, in shared memory.

        Raises
        ------
        ValueError, InvalidRowError, MemoryError, RuntimeError
            What went wrong in Java, or with Java.
        """

        def run(bridge: Bridge) -> NDArray[Any]:
            self._unmap_retired(bridge)
            operands = {output: self._empty(bridge, (size,), dtype)}
            for name, array in inputs.items():
                operands[name] = self._empty(bridge, array.shape, array.dtype)
                np.copyto(operands[name], array)
            arguments = " ".join(
                f"{name}={_reference(self._place(array, bridge), _form(array.dtype, _flat(array.size)))}"
                for name, array in operands.items()
            )
            bridge.run(operator, arguments, list(operands.values()), self._call_timeout)
            return operands[output]

        return self._in_java(run)

    def _unmap_retired(self, bridge: Bridge) -> None:
        """Let Java give back what was given back here."""
        retired = self._pool.retired
        if retired:
            numbers = [segment.number for segment in retired if segment.mapped_by is bridge.identity]
            if numbers:
                bridge.unmap(numbers)
            self._pool.forget(retired)

    @contextlib.contextmanager
    def timed(self, calls: int = 1) -> Iterator[Clock]:
        """Within it each operator runs `calls` times for each call; the clock sums the time inside Java.

        The calls of all threads are counted together.
        """
        self._clock = Clock(calls)
        try:
            yield self._clock
        finally:
            self._clock = None

    def _place(self, array: NDArray[Any], bridge: Bridge) -> tuple[Segment, int] | None:
        """Return where an array is in memory of this session, mapped by Java.

        None if it lies elsewhere, or not aligned.
        """
        place = self._pool.locate(array)
        if place is None or place[1] % array.itemsize:
            return None
        _map(place[0], bridge)
        return place

    def _reach(self, array: NDArray[Any], bridge: Bridge) -> tuple[Segment, int] | None:
        """Return what `_place` does; None also if Java cannot open that memory."""
        try:
            return self._place(array, bridge)
        except _UnreachableError:
            return None  # from before Java was started again: its successor cannot open it

    def _running(self) -> Bridge:
        """Return the bridge to Java, starting Java again if it is known to have ended."""
        if os.getpid() != self._owner:
            raise RuntimeError(
                f"this Session belongs to process {self._owner}, but this is its forked child {os.getpid()}: "
                "make a new Session here, or start the child with the spawn method"
            )
        with self._lock:
            if self._closed:
                raise RuntimeError("the session is closed; make a new one")
            if self._end is not None and not self._end.alive:
                raise RuntimeError("the session has ended, since Python is ending")
            if self._end is None or self._bridge.has_ended:
                _log.warning("Java is started again. %s", self._bridge.process.last_words())
                end, self._end = self._end, None  # in case that it does not start, or of Ctrl-C
                if end is not None:
                    end()
                self._bridge, self._end = self._start()
            return self._bridge

    def _in_java(self, action: Callable[[Bridge], T]) -> T:
        """Do something with Java; again, once, if Java turns out to have died before it got the request."""
        try:
            return action(self._running())
        except JavaEndedError as ended:
            if ended.accepted:
                raise
            return action(self._running())

    def _start(self) -> tuple[Bridge, weakref.finalize[..., Runtime]]:
        """Start Java; return the bridge to it and what ends it, at the latest with this object or Python."""
        began = time.monotonic()
        timeout = self._start_timeout
        deadline = began + timeout
        self._java = _java.find_java(self._java_home, timeout)
        with ExitStack() as files:
            self._jars = _jars(files)
            cache = _start_cache.find(self._java, self._jars, JVM_OPTIONS)
            try:
                process = _launcher.start(self._command(cache.options), deadline, timeout)
            except _launcher.DiedError:
                if cache.path is None or not cache.options:
                    raise
                process = _launcher.start(self._command(()), deadline, timeout)
                cache.discard()  # the cause, since without it Java starts
                cache = _start_cache.StartCache(cache.path)
        try:
            bridge = Bridge(process, min(self._answer_timeout, max(0.1, deadline - time.monotonic())))
            end: weakref.finalize[..., Runtime] = weakref.finalize(self, bridge.close)
            self._facts = self._examine(bridge, self._java)
        except BaseException:
            process.stop()
            raise
        bridge.answer_timeout = self._answer_timeout
        self._cache = cache
        self._facts["start_seconds"] = round(time.monotonic() - began, 3)
        _start_cache.make_soon(cache, self._java, lambda: process.alive)
        return bridge, end

    def _command(self, more_options: tuple[str, ...]) -> list[str]:
        """Return the command line of the Java process."""
        options = [*JVM_OPTIONS, *more_options, f"-Dgumbel4j.backend={self._backend}"]
        with contextlib.suppress(OSError):  # there is none; Java may still find one
            options.append(f"-Djava.io.tmpdir={tempfile.gettempdir()}")
        class_path = os.pathsep.join(map(str, self._jars))
        return [str(self._java.program), *options, "-cp", class_path, _MAIN_CLASS, str(self._threads)]

    def _examine(self, bridge: Bridge, java: _java.Java) -> dict[str, Any]:
        """Return what Java says of itself, if it fits this package."""
        facts = bridge.describe()
        package = importlib.metadata.version("gumbel4j")
        if facts["version"] != package:
            raise RuntimeError(
                f"gumbel4j has version {package}, but its jar has {facts['version']}; install gumbel4j again"
            )
        if self._backend == "auto" and facts["backend"] == "java":
            _log.warning("using the slower Java backend: %s", facts["reason"])
        return {
            "package": package,
            "jar": facts["version"],
            "native": facts["version"] if facts["backend"] == "native" else None,
            "java": facts["java"],
            "java_vendor": facts["vendor"],
            "java_home": str(java.home),
            "java_found": java.found,
            "backend": facts["backend"],
            "isa": facts["isa"],
            "reason": facts["reason"],
            "threads": int(facts["threads"]),
        }


@functools.lru_cache(maxsize=1024)  # small calls repeat their forms
def _operands(
    forms: tuple[tuple[Form, bool], ...], results: int
) -> tuple[tuple[Copying | None, str], ...] | None:
    """Return how to copy each operand of a call first, or None, and the form of what Java sees.

    None altogether if one of the results cannot be written to.

    Parameters
    ----------
    forms
        Of the operands, results first, each with whether Java can reach it where it is.
    results
        How many results there are.
    """
    operands = _strides.operands([form for form, _ in forms[:results]], forms[results:])
    if operands is None:
        return None
    return tuple((operand.copying, _form(operand.form.dtype, operand.layout)) for operand in operands)


def _flat(size: int) -> Layout:
    """Return the layout of an array of one row."""
    return Layout(1, 1, size, 0, 0, 1)


def _form(dtype: np.dtype[Any], layout: Layout) -> str:
    """Return the type and layout of an array as the Java class Arguments reads them."""
    return ":".join((_dtypes.java_name(dtype), *map(str, layout)))


def _reference(place: tuple[Segment, int] | None, form: str) -> str:
    """Return an array in shared memory as the Java class Arguments reads it."""
    assert place is not None
    segment, offset = place
    return f"{segment.number}:{offset}:{form}"


class _UnreachableError(RuntimeError):
    """Java cannot open a segment."""


def _map(segment: Segment, bridge: Bridge) -> None:
    """Let Java map a segment, unless it has."""
    if segment.mapped_by is bridge.identity:
        return
    try:
        bridge.map(segment.number, segment.file, segment.nbytes)
    except RuntimeError as problem:
        if bridge.alive:
            raise _UnreachableError(f"Java cannot map {segment.file}: {problem}") from problem
        raise
    segment.mapped_by = bridge.identity
    segment.remove_name()


def _jars(files: ExitStack) -> list[Path]:
    """Return the class path: the jars that the package carries."""
    folder = importlib.resources.files("gumbel4j") / "java"
    jars = [
        files.enter_context(importlib.resources.as_file(folder / name))
        for name in ("gumbel4j.jar", "py4j.jar")
    ]
    for jar in jars:
        if not jar.is_file():
            raise RuntimeError(f"{jar} is missing: gumbel4j is not completely installed; install it again")
    return jars


def _choose_data_plane(bridge: Bridge) -> tuple[DataPlane, list[str]]:
    """Return the first way to share memory that Java really can use, and why others were passed over.

    The environment may name the only one to try.
    """
    wanted = os.environ.get(_DATA_PLANE_VARIABLE)
    names = [plane.name for plane in DATA_PLANES]
    if wanted and wanted not in names:
        raise ValueError(f"{_DATA_PLANE_VARIABLE} = {wanted!r}: must be one of {', '.join(names)}")
    passed_over: list[str] = []
    for plane in DATA_PLANES:
        if wanted in (None, "", plane.name):
            fault = _probe(plane, bridge)
            if fault is None:
                return plane, passed_over
            passed_over.append(f"not {plane.name}: {fault}")
    raise RuntimeError("Java can reach no memory of this process. Tried:\n  " + "\n  ".join(passed_over))


def _probe(plane: DataPlane, bridge: Bridge) -> str | None:
    """Write a number into shared memory and let Java read it; return what went wrong, if anything."""
    number = secrets.randbits(63)
    try:
        fd, path = plane.open(4096)
        try:
            os.pwrite(fd, number.to_bytes(8, sys.byteorder), 0)
            seen = bridge.probe(path or f"/proc/{os.getpid()}/fd/{fd}")
        finally:
            os.close(fd)
            if path is not None:
                os.unlink(path)
    except (OSError, AttributeError, RuntimeError, ValueError) as problem:
        return str(problem)  # an AttributeError: this system has no memfd
    return None if seen == number else "Java reads other bytes than were written"
