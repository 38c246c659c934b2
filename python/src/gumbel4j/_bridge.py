"""Calls from Python to Java. All of Py4J is in this module.

We use Py4J's wire protocol and its connection (`ClientServerConnection`: a socket, a thread in Java for
each), but not its `GatewayClient`: that one binds connections to threads, logs to the root logger when a user
presses Ctrl-C, and polls in a thread of its own to collect remote objects, of which we have none. Here a call
takes an idle connection or opens one, and puts it back only if all went well; after any interruption the
connection is thrown away, so an answer can never be taken for another call's.

A call to an operator is a job with a number of its own. Java answers within a fifth of a second whether it
has ended, so that an interrupt is always noticed; it then gets cancelled, and the memory it uses stays out of
use until Java says that it has ended.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import threading
import weakref
from collections import deque
from typing import Any, Final

from py4j import protocol
from py4j.clientserver import ClientServerConnection, JavaParameters, PythonParameters
from py4j.java_gateway import GatewayProperty

from gumbel4j._launcher import JavaProcess

_log = logging.getLogger(__name__)

_SLICE_MILLIS: Final = 200
_ANSWER_TIMEOUT: Final = 60.0
"""Seconds until Java counts as hung; it answers every call within a fifth of a second."""

_CANCEL_TIMEOUT: Final = 0.2
"""Seconds that an interrupted call may spend on telling Java."""

_RUNNING: Final = "running"


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
    """A running Java process and the connections to it. Safe for use from several threads."""

    def __init__(self, process: JavaProcess) -> None:
        self.process = process
        self._owner = os.getpid()
        self._parameters = JavaParameters(
            address="127.0.0.1", port=process.port, read_timeout=_ANSWER_TIMEOUT
        )
        self._property = GatewayProperty(auto_field=False, pool=None, enable_memory_management=False)
        self._idle: deque[_Connection] = deque()
        self._job_numbers = itertools.count(1)
        self._in_use: dict[int, object] = {}
        self._abandoned: deque[int] = deque()
        self._closing = threading.Lock()
        _bridges.add(self)

    @property
    def alive(self) -> bool:
        """Whether the Java process runs."""
        return self.process.alive

    def describe(self) -> dict[str, str]:
        """Return what Java says about itself: version, backend, isa, reason, java, vendor, threads."""
        return dict(line.split("=", 1) for line in self._done(self._call("describe")).splitlines())

    def probe(self, path: str) -> int:
        """Return the first eight bytes of a file, as Java reads them: a signed number in native order."""
        return int(self._done(self._call("probe", path)))

    def map(self, segment: int, path: str, nbytes: int) -> None:
        """Let Java map a file of shared memory under a number."""
        self._done(self._call("map", segment, path, nbytes))

    def unmap(self, segments: list[int]) -> None:
        """Let Java give back mappings that no job uses."""
        self._done(self._call("unmap", ",".join(map(str, segments))))

    def run(self, operator: str, arguments: str, in_use: object) -> None:
        """Run an operator to its end.

        Parameters
        ----------
        operator, arguments
            As the Java classes Operators and Arguments define them.
        in_use
            What holds the memory that the arguments name. It is kept until Java no longer uses it, also when
            this call is interrupted.

        Raises
        ------
        ValueError, InvalidRowError, MemoryError, RuntimeError
            What went wrong in Java, or with Java.
        """
        self._job("submit", in_use, operator, arguments)

    def time(self, operator: str, arguments: str, in_use: object, calls: int) -> int:
        """Run an operator `calls` times in a row; return how long that took inside Java, in nanoseconds."""
        return int(self._job("time", in_use, operator, arguments, calls))

    def _job(self, method: str, in_use: object, *arguments: int | str) -> str:
        """Start a job by a method of the entry point, see it to its end and return its result."""
        self.settle()
        job = next(self._job_numbers)
        self._in_use[job] = in_use
        try:
            reply = self._call(method, job, *arguments)
            while reply == _RUNNING:
                reply = self._call("await", job, _SLICE_MILLIS)
        except BaseException:
            self._abandon(job)
            raise
        self._in_use.pop(job, None)
        return self._done(reply)

    def settle(self) -> None:
        """Let go of the memory of interrupted jobs that have ended since."""
        for _ in range(len(self._abandoned)):
            try:
                job = self._abandoned.popleft()
            except IndexError:  # another thread was quicker
                return
            ended = False
            try:
                ended = self._call("await", job, 0) != _RUNNING
            finally:
                if ended:
                    self._in_use.pop(job, None)
                else:
                    self._abandoned.append(job)

    def _abandon(self, job: int) -> None:
        """Ask Java to end a job whose caller went away; its memory stays in use until it has ended."""
        self._abandoned.append(job)
        if os.getpid() != self._owner or not self.alive:
            return
        try:
            self._send(_command("cancel", job), _CANCEL_TIMEOUT)
        except (protocol.Py4JNetworkError, OSError) as problem:
            # Why the call ended is the error to report; a job that cannot be reached just keeps its memory.
            _log.debug("job %d could not be cancelled: %s", job, problem)

    def close(self) -> None:
        """End the Java process. In a forked child this does nothing: the process is the parent's."""
        if os.getpid() != self._owner:
            return
        with self._closing:
            self._drop_idle()
            self.process.stop()
            # No job runs any more, so nothing uses memory either.
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

    def _call(self, method: str, *arguments: int | str) -> str:
        """Call a method of the entry point; send once more if the connection broke though Java lives.

        That is safe because every method of the entry point may be called twice.
        """
        if os.getpid() != self._owner:
            raise RuntimeError(
                f"this session's Java belongs to process {self._owner}, but this is its forked child "
                f"{os.getpid()}; make a new Session here, or start the child with the spawn method"
            )
        command = _command(method, *arguments)
        broken = None
        for _ in range(2):
            try:
                answer = self._send(command, _ANSWER_TIMEOUT)
            except (protocol.Py4JNetworkError, OSError) as problem:
                broken = problem
                self._refuse_if_hung(problem)
                self._drop_idle()
                if self.process.wait(1.0):
                    break
            else:
                return str(self._unwrap(answer, method))
        if self.alive:
            raise RuntimeError(f"lost the connection to Java, which still runs: {broken}") from broken
        raise RuntimeError(
            f"Java ended during the call; the next call starts it again. {self.process.last_words()}"
        ) from broken

    def _send(self, command: str, timeout: float) -> str:
        """Send over an idle connection or a new one; the connection is kept only if an answer came."""
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = _Connection(self)
            connection.connect_to_java_server()
        try:
            connection.socket.settimeout(timeout)
            answer: str = connection.send_command(command)
        except BaseException:
            connection.close(reset=True)
            raise
        self._idle.append(connection)
        return answer

    def _drop_idle(self) -> None:
        """Close the idle connections: what broke one may have broken them all."""
        while self._idle:
            with contextlib.suppress(IndexError):
                self._idle.pop().close(reset=True)

    def _refuse_if_hung(self, problem: Exception) -> None:
        cause = problem.cause if isinstance(problem, protocol.Py4JNetworkError) else problem
        if isinstance(cause, TimeoutError):
            self.process.stop()
            raise RuntimeError(
                f"Java gave no answer for {_ANSWER_TIMEOUT:g} seconds and was ended; "
                f"the next call starts it again. {self.process.last_words()}"
            ) from problem

    @staticmethod
    def _unwrap(answer: str, method: str) -> Any:
        try:
            return protocol.get_return_value(answer, None, protocol.ENTRY_POINT_OBJECT_ID, method)
        except protocol.Py4JError as refused:
            raise RuntimeError(f"Java refused the call of {method}: {refused}") from refused

    def _forget_after_fork(self) -> None:
        """In a forked child: let go of the parent's sockets without a word on them."""
        for connection in list(self._idle):
            connection.forget()
        self._idle.clear()


def _command(method: str, *arguments: int | str) -> str:
    """Return a call of the entry point in Py4J's wire format."""
    return "".join(
        (
            protocol.CALL_COMMAND_NAME,
            protocol.ENTRY_POINT_OBJECT_ID,
            f"\n{method}\n",
            *map(protocol.get_command_part, arguments),
            protocol.END_COMMAND_PART,
        )
    )


class _Connection(ClientServerConnection):  # type: ignore[misc]  # Py4J has no types
    """A connection that presents the token without passing it through Py4J's debug log."""

    socket: Any
    stream: Any

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge._parameters, PythonParameters(), bridge._property, None)
        self._token = bridge.process.token

    def _authenticate_connection(self) -> None:
        self.socket.sendall(f"{protocol.AUTH_COMMAND_NAME}\n{self._token}\n".encode())
        answer = self.stream.readline().decode().strip()
        if answer != f"{protocol.RETURN_MESSAGE}{protocol.SUCCESS}{protocol.VOID_TYPE}":
            raise protocol.Py4JNetworkError("Java did not accept the token")

    def forget(self) -> None:
        """Close this process's copy of the socket; unlike close, leave the connection itself alone."""
        sock, self.socket, self.stream = self.socket, None, None
        if sock is not None:
            sock.close()


_bridges: weakref.WeakSet[Bridge] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for bridge in _bridges:
        bridge._forget_after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
