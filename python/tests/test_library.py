"""The native library as users get it, inside the jar that the package carries."""

from __future__ import annotations

import importlib.resources
import re
import subprocess
import zipfile
from pathlib import Path

import pytest

HEADER = Path(__file__).resolve().parents[2] / "native/include/gumbel4j.h"


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """The library of this machine, taken out of the jar."""
    jar = importlib.resources.files("gumbel4j") / "java/gumbel4j.jar"
    with importlib.resources.as_file(jar) as path, zipfile.ZipFile(path) as entries:
        names = [name for name in entries.namelist() if name.endswith("/libgumbel4j.so")]
        if not names:
            pytest.skip("the jar was built without a C compiler and holds no library")
        return Path(entries.extract(names[0], tmp_path))


def test_it_exports_what_the_header_declares(library: Path) -> None:
    listed = subprocess.run(
        ["nm", "-D", "--defined-only", library], capture_output=True, text=True, check=True
    ).stdout
    exported = {line.split()[-1] for line in listed.splitlines()}
    declared = set(re.findall(r"^GUMBEL4J_API .*?(\w+)\(", HEADER.read_text(), re.MULTILINE))
    assert exported == declared
    assert len(declared) > 10


def test_what_runs_before_the_choice_of_a_tier_needs_no_avx(library: Path) -> None:
    """Not on load, and in no exported function."""
    listing = subprocess.run(
        ["objdump", "-d", "--no-show-raw-insn", library], capture_output=True, text=True, check=True
    ).stdout
    if "elf64-x86-64" not in listing:
        pytest.skip("only the instructions of x86-64 tell by their names which processor has them")
    functions = re.split(r"\n(?=[0-9a-f]+ <)", listing)
    before = [
        text
        for text in functions
        if re.search(r"<(_init|_fini|gumbel4j_(?!part_)\w+|_start|frame_dummy)>", text[:200])
    ]
    assert len(before) > 5
    for text in before:
        assert not re.search(r"^ *[0-9a-f]+:\s+v[a-z]", text, re.MULTILINE), text[:60]
