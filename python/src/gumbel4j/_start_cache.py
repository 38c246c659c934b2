"""The start-up cache: what Java keeps of one start so that the next is quicker.

It is the JDK's own ahead-of-time cache (JEP 483, 514 and 515: classes loaded and linked, profiles of
methods), a file of about 16 MB for one JDK and one installation of this package. The first session that lives
for more than a moment has it made, in a process of its own at the lowest priority that ends with this one;
every later start on this machine uses it. A file that does not fit is never used: its name is a hash of all
that it depends on, and Java compares the same again. The file appears by an atomic rename, so nobody sees
half of it.

The environment variable GUMBEL4J_START_CACHE names the folder (default: gumbel4j in $XDG_CACHE_HOME or
~/.cache), or is "off".
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import hashlib
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gumbel4j._java import Java

_log = logging.getLogger(__name__)

_VARIABLE: Final = "GUMBEL4J_START_CACHE"
_OFF: Final = "off"
_DELAY: Final = 1.0  # seconds that a session lives before its cache is worth making
_MAKING_TIMEOUT: Final = 120
_NEEDED_BYTES: Final = 200 << 20  # free on the disk, or we leave it alone
_KEPT_SECONDS: Final = 30 * 86400.0
_NOTED_CALLS: Final = 500  # Java begins to note the profile of a method after some two hundred
_PR_SET_PDEATHSIG: Final = 1

_recording: Path | None = None
"""In the process that makes a cache: where Java notes what it loads."""

_begun: set[Path] = set()


@dataclass(frozen=True)
class StartCache:
    """The cache for one Java and one class path.

    Attributes
    ----------
    path
        Its file, whether it exists or not; None if there is to be none.
    options
        What makes Java use it: none if it does not exist.
    """

    path: Path | None
    options: tuple[str, ...] = ()

    def discard(self) -> None:
        """Remove a file that Java cannot start with, or leave it to be passed over each time."""
        if self.path is not None:
            with contextlib.suppress(OSError):
                self.path.unlink(missing_ok=True)

    def describe(self, pid: int) -> str:
        """Return a word for Session.info on what the process of this id makes of it."""
        if self.path is None:
            return _OFF
        if not self.options:
            return f"{'not used, as others can write it' if self.path.exists() else 'none yet'}: {self.path}"
        try:
            mapped = str(self.path) in Path(f"/proc/{pid}/maps").read_text()
        except OSError:
            return f"offered: {self.path}"
        return f"{'in use' if mapped else 'passed over by Java'}: {self.path}"


def find(java: Java, jars: Sequence[Path], jvm_options: Sequence[str]) -> StartCache:
    """Return the cache for a Java, jars and options; never an error."""
    if _recording is not None:
        return StartCache(None, ("-XX:AOTMode=record", f"-XX:AOTConfiguration={_recording}"))
    folder = _folder()
    if folder is None:
        return StartCache(None)
    try:
        parts = [(str(file), file.stat().st_mtime_ns, file.stat().st_size) for file in (java.program, *jars)]
    except OSError:
        return StartCache(None)
    depends_on = repr((parts, java.version, tuple(jvm_options)))
    path = folder / f"{hashlib.sha256(depends_on.encode()).hexdigest()[:32]}.aot"
    if not _is_ours(path):
        return StartCache(path)
    with contextlib.suppress(OSError):
        if time.time() - path.stat().st_mtime > 86400:
            os.utime(path)  # for whoever tidies up: it is used
    # Without the log options Java would complain on its standard output of a file that it passes over.
    return StartCache(path, (f"-XX:AOTCache={path}", "-Xlog:aot=off", "-Xlog:cds=off"))


def make_soon(cache: StartCache, java: Java, wanted: Callable[[], bool]) -> None:
    """Have the cache made in the background, unless it exists.

    Parameters
    ----------
    cache, java
        The cache, and the Java it is for.
    wanted
        Is asked a moment later whether it is still worth making.
    """
    program = sys.executable
    if cache.path is None or cache.path.exists() or cache.path in _begun or not program:
        return
    _begun.add(cache.path)
    path = cache.path

    def make() -> None:
        time.sleep(_DELAY)
        if not wanted():
            _begun.discard(path)
            return
        # The kernel ends this process with the thread that started it, so the thread waits for its end.
        with subprocess.Popen(
            [program, "-P", "-m", __name__, str(path), str(java.home), str(os.getpid())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as maker:
            maker.wait()
        _log.debug("the start-up cache %s was made: %s", path, path.exists())

    threading.Thread(target=make, name="gumbel4j-start-cache", daemon=True).start()


def _folder() -> Path | None:
    named = os.environ.get(_VARIABLE)
    if named == _OFF:
        return None
    if named:
        return Path(os.path.expanduser(named)).absolute()
    try:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError:  # a user without a home
        return None
    return Path(base).absolute() / "gumbel4j"


def _is_ours(path: Path) -> bool:
    """Whether a file is there that only this user can have written: Java trusts what is in it."""
    try:
        return all(
            found.st_uid == os.getuid() and not found.st_mode & 0o022
            for found in (path.stat(follow_symlinks=False), path.parent.stat())
        )
    except OSError:
        return False


def _make(path: Path, java_home: str) -> None:
    """Make the cache file: let a session record what Java loads, and Java turn that into the file."""
    from gumbel4j import _runtime  # they need this module to start Java
    from gumbel4j.session import Session

    global _recording
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(path.parent / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    _tidy(path.parent)
    if path.exists() or shutil.disk_usage(path.parent).free < _NEEDED_BYTES:
        return
    notes, unfinished = path.with_suffix(".notes"), path.with_suffix(".part")
    try:
        _recording = notes
        with Session(java_home=java_home, start_timeout=_MAKING_TIMEOUT) as session:
            _exercise(session)
            session._runtime._bridge.process.stop(grace=_MAKING_TIMEOUT)  # it writes its notes at the end
        _recording = None
        java, jars = session._runtime._java, session._runtime._jars
        subprocess.run(
            [
                java.program,
                *_runtime.JVM_OPTIONS,
                "-XX:AOTMode=create",
                f"-XX:AOTConfiguration={notes}",
                f"-XX:AOTCache={unfinished}",
                "-cp",
                os.pathsep.join(map(str, jars)),
            ],
            check=True,
            preexec_fn=_end_with_parent,  # allowed here: this process has no other thread
        )
        unfinished.chmod(0o600)
        unfinished.rename(path)
    finally:
        notes.unlink(missing_ok=True)
        unfinished.unlink(missing_ok=True)


def _exercise(session: object) -> None:
    """Call what users call, so that Java loads what they will need and soon compiles what a call runs."""
    import numpy as np

    from gumbel4j.session import Session

    assert isinstance(session, Session)
    for dtype in (np.float32, np.float64):
        for rows in (3, 3000):
            logits = session.gumbel((rows, 50), seed=1, dtype=dtype)
            soft = session.gumbel_softmax(logits, 0.5, seed=2)
            session.gumbel_softmax(logits, hard=True, seed=2)
            session.categorical(logits, seed=2)
            session.vjp(soft, logits, 0.5)
    few = session.empty((1, 4), np.float32)
    few[...] = 0
    for _ in range(_NOTED_CALLS):
        session.gumbel_softmax(few, 0.5, seed=2)
        session.gumbel_softmax(few, hard=True, seed=2)
        session.categorical(few, seed=2)
        session.vjp(few, few, 0.5)
    session.info()


def _tidy(folder: Path) -> None:
    """Remove what nobody has used for long, and what a maker that was killed has left."""
    for file in folder.iterdir():
        age = time.time() - file.stat().st_mtime
        if file.suffix in (".notes", ".part") or (file.suffix == ".aot" and age > _KEPT_SECONDS):
            file.unlink(missing_ok=True)


def _end_with_parent() -> None:
    """Have the kernel end this process with the one that started it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _main(path: str, java_home: str, parent: str) -> None:
    _end_with_parent()
    if os.getppid() != int(parent):
        return  # it has ended already
    signal.alarm(_MAKING_TIMEOUT)
    os.nice(19)
    _make(Path(path), java_home)


if __name__ == "__main__":
    # As the module that _runtime imports, not as a second copy of it named __main__.
    from gumbel4j import _start_cache

    _start_cache._main(*sys.argv[1:])
