"""Build hook: puts gumbel4j.jar and py4j.jar into the wheel as gumbel4j/java/*.jar.

The jars come from the folder that the environment variable GUMBEL4J_JARS names (the Maven build sets it);
without it, as in `pip install ./python`, the hook has Maven make them. Nothing is written outside the
repository's target folder.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
import zipfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class JarsHook(BuildHookInterface[Any]):
    """Adds the jars, and the platform to the wheel's tag when the native library is inside."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the files to add; `version` is hatchling's build version ("standard"), not the project's."""
        # Python has cached this file beside it, before a line of it ran; a build leaves only target/ behind.
        shutil.rmtree(Path(self.root) / "__pycache__", ignore_errors=True)
        named = os.environ.get("GUMBEL4J_JARS")
        folder = Path(named).resolve() if named else _jars_by_maven(Path(self.root).parent)
        for name in ("gumbel4j.jar", "py4j.jar"):
            jar = folder / name
            if not jar.is_file():
                raise SystemExit(
                    f"{jar} is missing: let GUMBEL4J_JARS name the folder of {name}, or unset it."
                )
            build_data["force_include"][str(jar)] = f"gumbel4j/java/{name}"
        native = _holds_native_library(folder / "gumbel4j.jar")
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_") if native else "any"
        build_data["pure_python"] = not native
        build_data["tag"] = f"py3-none-{platform}"


def _jars_by_maven(repository: Path) -> Path:
    """Return the folder of the jars after Maven has built them in the repository around this package."""
    if not (repository / "pom.xml").is_file():
        raise SystemExit(f"{repository}/pom.xml is missing: build gumbel4j from a clone of its repository.")
    maven = shutil.which("mvn")
    if maven is None:
        raise SystemExit("Building gumbel4j needs Maven 3.8 or newer, no mvn is on PATH: apt install maven")
    built = subprocess.run(
        [maven, "--quiet", "--batch-mode", "-Dmaven.test.skip=true", "package"], cwd=repository
    )
    if built.returncode != 0:
        raise SystemExit("Maven could not build gumbel4j.jar; its own lines above say why.")
    return repository / "target" / "jars"


def _holds_native_library(jar: Path) -> bool:
    """Return whether the jar carries a native library beside the Java backend."""
    with zipfile.ZipFile(jar) as archive:
        return any(
            name.startswith("META-INF/native/") and not name.endswith("/") for name in archive.namelist()
        )
