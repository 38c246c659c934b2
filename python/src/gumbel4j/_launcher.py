"""Start the Java process, learn where it listens, and end it: nothing is left behind, whatever goes wrong.

The handshake: Python makes a private folder and passes its name; it writes a random token to the process's
standard input, so that neither the command line, the environment nor the disk ever holds it; Java answers
with a file in the folder, by an atomic rename. The end of standard input ends Java, so it ends however Python
ends.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
import weakref
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

_POLL: Final = 0.005
_GRACE: Final = 1.0  # how long an ending process may take before it is killed
_TAIL_BYTES: Final = 4000


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

    def __init__(self, popen: subprocess.Popen[bytes], log: IO[bytes]) -> None:
        assert popen.stdin is not None
        self._popen = popen
        self._input = popen.stdin
        self._log = log
        self._owner = os.getpid()
        self.pid = popen.pid
        self.token = secrets.token_hex(32)
        self.port = 0
        self.version = ""
        _processes.add(self)

    def send_token(self) -> None:
        """Write the token to the process's standard input, which then stays open and silent."""
        self._input.write(self.token.encode() + b"\n")
        self._input.flush()

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._popen.poll() is None

    def wait(self, timeout: float) -> bool:
        """Wait for the end of the process, at most `timeout` seconds; return whether it has ended."""
        with suppress(subprocess.TimeoutExpired):
            self._popen.wait(timeout)
        return not self.alive

    def stop(self) -> None:
        """End the process; harmless when it has ended or belongs to the parent of a forked process."""
        if os.getpid() != self._owner:
            return
        with suppress(OSError):  # a broken pipe means that it is gone already
            self._input.close()
        if not self.wait(_GRACE):
            self._popen.kill()
            self._popen.wait()

    def last_words(self) -> str:
        """Return how the process ended and the last lines that it wrote, for an error message."""
        status = self._popen.poll()
        if status is None:
            ending = "Java is still running"
        elif status < 0:
            ending = f"Java was ended by signal {-status} ({_signal_name(-status)})"
        else:
            ending = f"Java ended with exit status {status}"
        size = os.fstat(self._log.fileno()).st_size
        start = max(0, size - _TAIL_BYTES)
        tail = os.pread(self._log.fileno(), _TAIL_BYTES, start).decode(errors="replace").strip()
        return f"{ending}; it wrote nothing" if not tail else f"{ending}; its last output:\n{tail}"

    def _forget_after_fork(self) -> None:
        """In a forked child: let go of standard input, or the child would keep Java alive."""
        with suppress(OSError):
            self._input.close()


_processes: weakref.WeakSet[JavaProcess] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for process in _processes:
        process._forget_after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)


def start(command: Sequence[str | os.PathLike[str]], arguments: Sequence[str], timeout: float) -> JavaProcess:
    """Start Java and wait until it listens.

    Parameters
    ----------
    command
        The program, its options and the main class.
    arguments
        What the main class gets after the handshake folder.
    timeout
        Seconds that the start may take.

    Raises
    ------
    RuntimeError
        If the process cannot be started, ends, or does not answer in time; nothing is left running.
    """
    deadline = time.monotonic() + timeout
    try:
        folder = tempfile.mkdtemp(prefix="gumbel4j-")
    except OSError as problem:
        raise RuntimeError(
            f"cannot make a private folder to start Java: {problem}; point TMPDIR to a writable folder"
        ) from problem
    try:
        process = _spawn([*command, folder, *arguments])
        try:
            process.send_token()
            _await_answer(process, Path(folder, "ready"), deadline, timeout)
        except BrokenPipeError:
            process.wait(_GRACE)
            failure = f"Java did not start. {process.last_words()}"
            process.stop()
            raise RuntimeError(failure) from None
        except BaseException:  # an interrupt too must not leave it running
            process.stop()
            raise
        return process
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # Java may be removing it too


def _spawn(command: Sequence[str | os.PathLike[str]]) -> JavaProcess:
    # A file without a name: it takes what Java writes without a thread of ours, and goes when we go.
    log = tempfile.TemporaryFile(prefix="gumbel4j-")  # noqa: SIM115
    try:
        popen = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=os.path.abspath(os.sep),  # keeps no folder of the user busy
            start_new_session=True,  # Ctrl-C in the terminal is for Python alone
        )
    except OSError as problem:
        log.close()
        raise RuntimeError(f"cannot start Java: {problem}") from problem
    return JavaProcess(popen, log)


def _await_answer(process: JavaProcess, answer: Path, deadline: float, timeout: float) -> None:
    while not answer.exists():
        if not process.alive:
            raise RuntimeError(f"Java did not start. {process.last_words()}")
        if time.monotonic() > deadline:
            raise RuntimeError(
                f"Java did not answer within start_timeout = {timeout:g} seconds and was ended. "
                f"{process.last_words()}"
            )
        time.sleep(_POLL)
    facts = dict(line.split("=", 1) for line in answer.read_text().splitlines())
    process.port = int(facts["port"])
    process.version = facts["version"]


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"
