"""Calls from Python to Java. All of Py4J is in this module, but for what the benchmarks compare it with.

We speak Py4J's wire protocol (a text request over a socket, a line in answer, a thread in Java for each
connection) over connections of our own, not through its `ClientServer`: that one binds connections to
threads, logs to the root logger when a user presses Ctrl-C, writes the token into its debug log, and polls in
a thread of its own to collect remote objects, of which we have none. Here a call takes an idle connection or
opens one, and puts it back only if all went well; after any interruption the connection is thrown away, so an
answer can never be taken for another call's.

A call to an operator is a job with a number of its own. Java answers within a fifth of a second whether it
has ended, so that an interrupt is always noticed; it then gets cancelled, and the memory it uses stays out of
use until Java says that it has ended.

While small calls follow one another, both sides look for what comes next for a moment before they sleep (see
the Java class AttentiveSocket): waking up would take longer than all the rest.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import select
import socket
import threading
import time as _time
import weakref
from collections import deque
from collections.abc import Callable
from typing import Final, TypeVar

from py4j import protocol

from gumbel4j._available import available_cores
from gumbel4j._launcher import JavaProcess

_log = logging.getLogger(__name__)

_SLICE_MILLIS: Final = 200

_CANCEL_TIMEOUT: Final = 0.1
"""Seconds that an interrupted call may wait for Java to let it in, and again to hear it. If that fails, the
next call tells it."""

_AWAKE: Final = 0.0002
"""Seconds that a small call waits awake, where there is a second processor for Java."""

_DEATH_TIMEOUT: Final = 5.0
"""Seconds until a process whose sockets are gone has an exit status; it is a matter of milliseconds."""

_CONNECT_ATTEMPTS: Final = 5

_RUNNING: Final = "running"

T = TypeVar("T")


class JavaEndedError(RuntimeError):
    """Java ended before it answered.

    Attributes
    ----------
    accepted
        Whether it had read the request; if not, the call can be made again of another Java.
    """

    def __init__(self, message: str, accepted: bool) -> None:
        super().__init__(message)
        self.accepted = accepted


class InvalidRowError(ValueError):
    """An argument is wrong in one row.

    Attributes
    ----------
    row
        The row's index in the matrix that was passed.
    """

    def __init__(self, message: str, row: int) -> None:
        super().__init__(message)
        self.row = row


class Bridge:
    """A running Java process and the connections to it. Safe for use from several threads.

    Parameters
    ----------
    process
        The process.
    answer_timeout
        Seconds until Java counts as hung and is ended. It answers every request within a fifth of a second,
        also when a call takes hours.

    Attributes
    ----------
    identity
        Stands for it where it must not be held on to.
    """

    def __init__(self, process: JavaProcess, answer_timeout: float) -> None:
        self.process = process
        self.answer_timeout = answer_timeout
        self.identity: Final = object()
        self._owner = os.getpid()
        self._awake = _AWAKE if available_cores() > 1 else 0.0
        self._idle: deque[_Connection] = deque()
        self._job_numbers = itertools.count(1)
        self._in_use: dict[int, object] = {}
        self._abandoned: deque[int] = deque()
        self._closing = threading.Lock()
        self._closed = False
        _bridges.add(self)

    @property
    def alive(self) -> bool:
        """Whether the Java process runs."""
        return self.process.alive

    @property
    def has_ended(self) -> bool:
        """Whether the Java process is known to have ended; unlike `alive`, this asks nobody."""
        return self.process.has_ended

    def describe(self) -> dict[str, str]:
        """Return what Java says about itself: version, backend, isa, reason, java, vendor, threads."""
        return dict(line.split("=", 1) for line in self._done(self._call("describe")).splitlines())

    def round_trip(self) -> None:
        """Ask Java for next to nothing: what is left of a call without its work."""
        self._call("cancel", 0, is_small=True)

    def probe(self, path: str) -> int:
        """Return the first eight bytes of a file, as Java reads them: a signed number in native order."""
        return int(self._done(self._call("probe", path)))

    def map(self, segment: int, path: str, nbytes: int) -> None:
        """Let Java map a file of shared memory under a number."""
        self._done(self._call("map", segment, path, nbytes))

    def unmap(self, segments: list[int]) -> None:
        """Let Java give back mappings that no job uses."""
        self._done(self._call("unmap", ",".join(map(str, segments))))

    def run(
        self,
        operator: str,
        arguments: str,
        in_use: object,
        timeout: float | None = None,
        *,
        is_small: bool = False,
    ) -> None:
        """Run an operator to its end.

        Parameters
        ----------
        operator, arguments
            As the Java classes Operators and Arguments define them.
        in_use
            What holds the memory that the arguments name. It is kept until Java no longer uses it, also when
            this call is interrupted.
        timeout
            Seconds that it may take, to a fifth of a second; None for any time.
        is_small
            Whether it takes no longer than waking up may.

        Raises
        ------
        ValueError, InvalidRowError, MemoryError, TimeoutError, RuntimeError
            What went wrong in Java, or with Java.
        """
        self._job("submit", in_use, timeout, operator, arguments, is_small=is_small)

    def time(self, operator: str, arguments: str, in_use: object, calls: int) -> int:
        """Run an operator `calls` times in a row; return how long that took inside Java, in nanoseconds."""
        return int(self._job("time", in_use, None, operator, arguments, calls))

    def _job(
        self,
        method: str,
        in_use: object,
        timeout: float | None,
        *arguments: int | str,
        is_small: bool = False,
    ) -> str:
        """Start a job by a method of the entry point, see it to its end and return its result."""
        if self._abandoned:
            self.settle()
        job = next(self._job_numbers)
        began = _time.monotonic()
        reply = ""
        cancellation = _of_thread.cancellation
        try:
            self._in_use[job] = in_use
            if cancellation is not None:
                cancellation.watch(self, job)
            reply = self._call(method, job, *arguments, is_small=is_small)
            while reply == _RUNNING:
                if timeout is not None and _time.monotonic() - began > timeout:
                    raise TimeoutError(f"the call took longer than call_timeout = {timeout:g} seconds")
                reply = self._call("await", job, _SLICE_MILLIS)
            self._in_use.pop(job, None)
        except BaseException as problem:
            if isinstance(problem, JavaEndedError) and reply == _RUNNING:
                problem.accepted = True
            self._abandon(job)
            raise
        return self._done(reply)

    def settle(self) -> None:
        """Let go of the memory of interrupted jobs that have ended since."""
        for job in list(self._abandoned):
            # Not await: one that Java has yet to read must not start any more. And in this order, so that an
            # interrupt at any moment loses none; twice does no harm.
            if self._call("cancel", job) != _RUNNING:
                self._in_use.pop(job, None)
                with contextlib.suppress(ValueError):  # another thread was quicker
                    self._abandoned.remove(job)

    def _abandon(self, job: int) -> None:
        """Ask Java to end a job whose caller went away; its memory stays in use until it has ended."""
        self._abandoned.append(job)
        self.cancel(job)
        if self._closed and self.has_ended:  # nobody settles it, and it may have come after close
            self._let_go()

    def cancel(self, job: int) -> None:
        """Ask Java to end a job, from any thread."""
        if os.getpid() != self._owner or not self.alive:
            return
        try:
            self._send(_command("cancel", job), _CANCEL_TIMEOUT)
        except (_BrokenError, OSError) as problem:
            # Why the call ended is the error to report; a job that cannot be reached just keeps its memory.
            _log.debug("job %d could not be cancelled: %s", job, problem)

    def close(self) -> None:
        """End the Java process. In a forked child this does nothing: the process is the parent's."""
        if os.getpid() != self._owner:
            return
        with self._closing:
            self._closed = True
            self._drop_idle()
            self.process.stop()
            self._let_go()

    def _let_go(self) -> None:
        """Forget all jobs: Java has ended, so nothing uses their memory."""
        self._abandoned.clear()
        self._in_use.clear()

    def _done(self, reply: str) -> str:
        """Return the result of a reply, or raise the exception it tells of (see the Java class Reply)."""
        state, _, rest = reply.partition("\t")
        if state == "done":
            return rest
        if state == "cancelled":
            raise RuntimeError("the call was cancelled")
        if state != "failed":
            raise RuntimeError(f"Java gave an answer of an unknown form: {reply!r}")
        kind, row, message = rest.split("\t", 2)
        if kind == "row":
            raise InvalidRowError(message, int(row))
        raise {"argument": ValueError, "memory": MemoryError}.get(kind, RuntimeError)(message)

    def _call(self, method: str, *arguments: int | str, is_small: bool = False) -> str:
        """Call a method of the entry point; send once more if the connection broke though Java lives.

        That is safe because every method of the entry point may be called twice. The answer to a small one is
        waited for awake for a moment, unless other threads wait too.
        """
        if os.getpid() != self._owner:
            raise RuntimeError(
                f"this session's Java belongs to process {self._owner}, but this is its forked child "
                f"{os.getpid()}; make a new Session here, or start the child with the spawn method"
            )
        command = _command(method, *arguments)
        accepted = False
        awake = self._awake if is_small and len(self._in_use) <= 1 else 0.0
        for last in (False, True):
            try:
                return self._result(self._send(command, self.answer_timeout, awake), method)
            except TimeoutError as problem:
                self.process.stop()
                raise RuntimeError(
                    f"Java gave no answer for {self.answer_timeout:g} seconds and was ended; "
                    f"the next call starts it again. {self.process.last_words()}"
                ) from problem
            except _BrokenError as problem:
                accepted = accepted or problem.accepted
                self._drop_idle()
                # Its sockets go a moment before its exit status comes. Where only the connection broke, which
                # hardly ever happens, that moment is all we lose.
                if self.process.wait(_DEATH_TIMEOUT if last else 0.05):
                    break
                broken = problem
        else:
            raise RuntimeError(f"lost the connection to Java, which still runs: {broken}") from broken
        raise JavaEndedError(
            f"Java ended during the call; the next call starts it again. {self.process.last_words()}",
            accepted,
        )

    def _send(self, command: bytes, timeout: float, awake: float = 0.0) -> bytes:
        """Send over an idle connection or a new one; the connection is kept only if an answer came."""
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._connect(timeout)
        try:
            answer = connection.ask(command, timeout, awake)
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)
        if self._closed:  # meanwhile, and nobody else will come for it
            self._drop_idle()
        return answer

    def _connect(self, timeout: float) -> _Connection:
        """Open a connection; again if strangers, who come in crowds, had it turned out before its turn."""
        for _ in range(_CONNECT_ATTEMPTS - 1):
            try:
                return _Connection(self.process.port, self.process.token, timeout)
            except _BrokenError:
                if not self.alive:
                    raise
        return _Connection(self.process.port, self.process.token, timeout)

    def _drop_idle(self) -> None:
        """Close the idle connections: what broke one may have broken them all."""
        while self._idle:
            with contextlib.suppress(IndexError):
                self._idle.pop().close()

    @staticmethod
    def _result(answer: bytes, method: str) -> str:
        """Return what a method of the entry point returned; they all return text."""
        text = answer[:-1].decode()
        if text.startswith(_TEXT):
            result = text[len(_TEXT) :]
            return protocol.unescape_new_line(result) if "\\" in result else result
        trouble = protocol.unescape_new_line(text[2:])
        raise RuntimeError(f"Java refused the call of {method}: {trouble}")

    def _forget_after_fork(self) -> None:
        """In a forked child: let go of the parent's sockets without a word on them."""
        for connection in list(self._idle):
            connection.close()
        self._idle.clear()


class Cancellation:
    """Lets another thread end the calls that a thread makes while it runs a function. For one use."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._begun = False
        self._cancelled = False
        self._job: tuple[Bridge, int] | None = None

    def run(self, function: Callable[[], T]) -> T:
        """Return what a function returns; RuntimeError if it was cancelled before."""
        with self._lock:
            if self._cancelled:
                raise RuntimeError("the call was cancelled")
            self._begun = True
        _of_thread.cancellation = self
        try:
            return function()
        finally:
            _of_thread.cancellation = None
            self._job = None

    def watch(self, bridge: Bridge, job: int) -> None:
        """Take note of the job that the function starts; RuntimeError if it was cancelled before."""
        with self._lock:
            if self._cancelled:
                raise RuntimeError("the call was cancelled")
            self._job = bridge, job

    def cancel(self) -> bool:
        """End the function's call in Java soon, and let no other begin; return whether it runs, or ran."""
        with self._lock:
            self._cancelled = True
            job = self._job
            begun = self._begun
        if job is not None:
            bridge, number = job
            bridge.cancel(number)
        return begun


class _OfThread(threading.local):
    """What a thread's calls look at."""

    cancellation: Cancellation | None = None


_of_thread = _OfThread()

_TEXT: Final = protocol.RETURN_MESSAGE + protocol.SUCCESS + protocol.STRING_TYPE
_CALL: Final = f"{protocol.CALL_COMMAND_NAME}{protocol.ENTRY_POINT_OBJECT_ID}\n"
_INT_MIN: Final = -(1 << 31)
_INT_MAX: Final = (1 << 31) - 1
_ADMITTED: Final = f"{protocol.RETURN_MESSAGE}{protocol.SUCCESS}{protocol.VOID_TYPE}\n".encode()


def _command(method: str, *arguments: int | str) -> bytes:
    """Return a call of the entry point in Py4J's wire format."""
    return f"{_CALL}{method}\n{''.join(map(_command_part, arguments))}{protocol.END_COMMAND_PART}".encode()


def _command_part(argument: int | str) -> str:
    """Return an argument as Py4J's `get_command_part` does, which looks for eight other types first."""
    if isinstance(argument, str):
        if "\\" in argument or "\n" in argument or "\r" in argument:
            argument = protocol.escape_new_line(argument)
        return f"{protocol.STRING_TYPE}{argument}\n"
    kind = protocol.INTEGER_TYPE if _INT_MIN <= argument <= _INT_MAX else protocol.LONG_TYPE
    return f"{kind}{argument}\n"


class _BrokenError(Exception):
    """A connection ended before the answer came.

    Attributes
    ----------
    accepted
        Whether Java had read the request. When a process dies, Linux says so: a connection on which something
        is unread is reset, any other is closed in order.
    """

    def __init__(self, message: str, accepted: bool) -> None:
        super().__init__(message)
        self.accepted = accepted


class _Connection:
    """A connection that Java has accepted the token on. For one thread at a time."""

    def __init__(self, port: int, token: str, timeout: float) -> None:
        self._timeout = timeout
        try:
            self._socket = socket.create_connection(("127.0.0.1", port), timeout)
        except TimeoutError:
            raise
        except OSError as problem:
            raise _BrokenError(f"cannot connect: {problem}", accepted=False) from problem
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._poll = select.poll()
            self._poll.register(self._socket, select.POLLIN)
            try:
                answer = self.ask(f"{protocol.AUTH_COMMAND_NAME}\n{token}\n".encode(), timeout)
            except _BrokenError as problem:
                raise _BrokenError(f"the token was not accepted: {problem}", accepted=False) from None
            if answer != _ADMITTED:
                raise _BrokenError(f"the token was not accepted: {answer!r}", accepted=False)
        except BaseException:
            self.close()
            raise

    def ask(self, request: bytes, timeout: float, awake: float = 0.0) -> bytes:
        """Send a request and return the line that answers it.

        Parameters
        ----------
        request
            A command in Py4J's wire format.
        timeout
            Seconds until a silent other end counts as hung.
        awake
            Seconds to look for the answer before going to sleep: on many machines waking up takes longer than
            a small call.

        Raises
        ------
        TimeoutError
            If nothing comes for `timeout` seconds.
        _BrokenError
            If the connection ended.
        """
        if timeout != self._timeout:
            self._socket.settimeout(timeout)
            self._timeout = timeout
        answer = b""
        try:
            if self._poll.poll(0):  # there is nothing to read but the end
                raise _BrokenError("the other end is closed", accepted=False)
            self._socket.sendall(request)
            if awake:
                end = _time.perf_counter() + awake
                while not self._poll.poll(0) and _time.perf_counter() < end:
                    os.sched_yield()
            while answer[-1:] != b"\n":
                part = self._socket.recv(1 << 16)
                if not part:
                    raise _BrokenError("the other end was closed", accepted=True)
                answer += part
        except TimeoutError:
            raise
        except OSError as problem:
            raise _BrokenError(str(problem), accepted=bool(answer)) from problem
        return answer

    def close(self) -> None:
        """Close this process's copy of the socket; a copy in the parent of a forked process lives on."""
        self._socket.close()


_bridges: weakref.WeakSet[Bridge] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for bridge in _bridges:
        bridge._forget_after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
