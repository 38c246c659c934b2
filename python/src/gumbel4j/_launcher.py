"""Start the Java process, learn where it listens, and end it: nothing is left behind, whatever goes wrong.

The handshake: Java's standard input is one end of a pair of sockets. Python writes a random token to it, so
that neither the command line, the environment nor the disk ever holds it; Java answers there with one line
when it listens. No file is involved, so neither a full disk nor an unwritable folder matters, and nothing
polls. The end of standard input ends Java, so it ends however Python ends.
"""

from __future__ import annotations

import os
import re
import secrets
import signal
import socket
import subprocess
import tempfile
import threading
import time
import weakref
from collections.abc import Sequence
from contextlib import suppress
from typing import IO, Final

_GRACE: Final = 1.0  # how long an ending process may take before it is killed
_TAIL_BYTES: Final = 4000
_OPTION_VARIABLES: Final = ("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS")


class JavaProcess:
    """A running Java process of ours.

    Attributes
    ----------
    pid
        Its process id.
    port
        Where it listens on 127.0.0.1.
    version
        The version of the jar it runs.
    token
        What every connection must present.
    """

    def __init__(self, popen: subprocess.Popen[bytes], channel: socket.socket, log: IO[bytes]) -> None:
        self._popen = popen
        self._channel = channel
        self._log: IO[bytes] | None = log
        self._last_lines = ""
        self._reading = threading.Lock()
        self._owner = os.getpid()
        self.pid = popen.pid
        self.token = secrets.token_hex(32)
        self.port = 0
        self.version = ""
        _processes.add(self)

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._popen.poll() is None

    @property
    def has_ended(self) -> bool:
        """Whether the process is known to have ended, without asking the operating system."""
        return self._popen.returncode is not None

    def wait(self, timeout: float) -> bool:
        """Wait for the end of the process, at most `timeout` seconds; return whether it has ended."""
        with suppress(subprocess.TimeoutExpired):
            self._popen.wait(timeout)
        return not self.alive

    def stop(self, grace: float = _GRACE) -> None:
        """End the process; harmless when it has ended or belongs to the parent of a forked process."""
        if os.getpid() != self._owner:
            return
        with suppress(OSError):
            self._channel.close()
        if not self.wait(grace):
            # With what it may have started: some `java` programs are scripts around the real one.
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            self._popen.wait()
        self._read_log(close=True)  # nothing more will come, and a file costs a descriptor

    def last_words(self) -> str:
        """Return how the process ended and the last lines that it wrote, for an error message."""
        status = self._popen.poll()
        if status is None:
            ending = "Java is still running"
        elif status < 0:
            ending = f"Java was ended by signal {-status} ({_signal_name(-status)})"
        else:
            ending = f"Java ended with exit status {status}"
        tail = self._read_log()
        return f"{ending}; it wrote nothing" if not tail else f"{ending}; its last output:\n{tail}"

    def _read_log(self, *, close: bool = False) -> str:
        """Return the last lines that the process wrote."""
        with self._reading:
            if self._log is not None:
                size = os.fstat(self._log.fileno()).st_size
                start = max(0, size - _TAIL_BYTES)
                tail = os.pread(self._log.fileno(), _TAIL_BYTES, start)
                self._last_lines = tail.decode(errors="replace").strip()
                if close:
                    self._log.close()
                    self._log = None
            return self._last_lines

    def _shake_hands(self, deadline: float) -> None:
        """Write the token to the process's standard input, and read there where it listens."""
        answer = b""
        try:
            self._channel.sendall(self.token.encode() + b"\n")
            while not answer.endswith(b"\n"):
                self._channel.settimeout(max(0.001, deadline - time.monotonic()))
                part = self._channel.recv(4096)
                if not part:
                    break
                answer += part
        except ConnectionError:  # reset, or a broken pipe
            answer = b""
        if not answer:  # it ends, or has closed its standard input for reasons of its own
            if self.wait(max(0.0, deadline - time.monotonic())):
                raise _NotStartedError
            raise TimeoutError
        facts = re.fullmatch(rb"port=(\d+) version=(\S+)\n", answer)
        if facts is None:
            raise _NotStartedError(f" It answered {answer.decode(errors='replace')!r}.")
        self.port = int(facts[1])
        self.version = facts[2].decode()

    def _forget_after_fork(self) -> None:
        """In a forked child: let go of standard input, or the child would keep Java alive."""
        with suppress(OSError):
            self._channel.close()


class DiedError(RuntimeError):
    """Java ended before it listened; the message holds its last words."""


class _NotStartedError(Exception):
    """The process has ended before it listened, or gave an answer that is none."""


_processes: weakref.WeakSet[JavaProcess] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for process in _processes:
        process._forget_after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)


def start(command: Sequence[str | os.PathLike[str]], deadline: float, timeout: float) -> JavaProcess:
    """Start Java and wait until it listens.

    Parameters
    ----------
    command
        The program, its options, the main class and its arguments.
    deadline
        When it must listen, by `time.monotonic`.
    timeout
        How many seconds that is from the beginning, for the message of an error.

    Raises
    ------
    DiedError, RuntimeError
        If the process cannot be started, ends, or does not answer in time; nothing is left running.
    """
    process = _spawn(command)
    try:
        process._shake_hands(deadline)
    except _NotStartedError as what:
        process.stop(grace=0)
        raise DiedError(f"Java did not start.{what} {process.last_words()}{_meddling_variables()}") from None
    except TimeoutError:
        process.stop(grace=0)
        raise RuntimeError(
            f"Java did not answer within start_timeout = {timeout:g} seconds and was ended; on a slow "
            f"machine pass a larger one. {process.last_words()}{_meddling_variables()}"
        ) from None
    except BaseException:  # an interrupt too must not leave it running
        process.stop(grace=0)
        raise
    return process


def _spawn(command: Sequence[str | os.PathLike[str]]) -> JavaProcess:
    log = _open_log()
    ours, theirs = socket.socketpair()
    try:
        with theirs:
            popen = subprocess.Popen(
                command,
                stdin=theirs.fileno(),
                stdout=log,
                stderr=log,
                cwd=os.path.abspath(os.sep),  # keeps no folder of the user busy
                start_new_session=True,  # Ctrl-C in the terminal is for Python alone
            )
        return JavaProcess(popen, ours, log)
    except BaseException as problem:
        # Ends what may have been started at the moment of an interrupt: it reads the end of its input.
        ours.close()
        log.close()
        if not isinstance(problem, OSError):
            raise
        raise RuntimeError(
            f"cannot start Java: {problem}; let java_home or GUMBEL4J_JAVA_HOME name another JDK"
        ) from problem


def _open_log() -> IO[bytes]:
    """Return a file without a name: it takes what Java writes without a thread of ours, and goes with us."""
    if hasattr(os, "memfd_create"):
        with suppress(OSError):  # forbidden here: the next way may work
            return open(os.memfd_create("gumbel4j-log", os.MFD_CLOEXEC), "w+b", buffering=0)
    try:
        return tempfile.TemporaryFile(prefix="gumbel4j-")
    except OSError as problem:
        raise RuntimeError(
            f"no file to take what Java writes: {problem}; point TMPDIR to a writable folder"
        ) from problem


def _meddling_variables() -> str:
    """Return a hint at the environment variables that change what Java does, if any is set."""
    found = [f"{name}={os.environ[name]}" for name in _OPTION_VARIABLES if os.environ.get(name)]
    return "" if not found else f"\nThese environment variables give Java options: {', '.join(found)}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"
