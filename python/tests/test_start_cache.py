"""The cache that makes Java start faster: used when it fits, harmless when it does not."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from gumbel4j import Session, _start_cache


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own for the cache."""
    place = tmp_path / "cache"
    monkeypatch.setenv("GUMBEL4J_START_CACHE", str(place))
    return place


def test_life_of_a_cache(folder: Path, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first session has it made, the second uses it; rubbish in its place is passed over."""
    monkeypatch.setattr(_start_cache, "_DELAY", 0.0)
    expected = session.gumbel((3, 4), seed=1)
    with Session() as s:
        assert s.info()["start_cache"].startswith(f"none yet: {folder}")
        deadline = time.monotonic() + 60
        while not list(folder.glob("*.aot")) and time.monotonic() < deadline:
            time.sleep(0.05)
    (cache,) = folder.glob("*.aot")
    assert {file.name for file in folder.iterdir()} == {cache.name, "lock"}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert cache.stat().st_mode & 0o777 == 0o600
    with Session() as s:
        assert s.info()["start_cache"] == f"in use: {cache}"
        np.testing.assert_array_equal(s.gumbel((3, 4), seed=1), expected)

    whole = cache.read_bytes()
    for content in (b"", b"rubbish", whole[: len(whole) // 2]):
        cache.write_bytes(content)
        with Session() as s:
            assert not s.info()["start_cache"].startswith("in use")
            np.testing.assert_array_equal(s.gumbel((3, 4), seed=1), expected)
        assert "cache" not in s._runtime._bridge.process.last_words()


def test_file_that_others_may_write(folder: Path) -> None:
    """Java would trust what is in it, so it is not given to Java."""
    folder.mkdir(mode=0o700)
    file = folder / "x.aot"
    file.write_bytes(b"x")
    file.chmod(0o600)
    assert _start_cache._is_ours(file)
    file.chmod(0o620)
    assert not _start_cache._is_ours(file)
    file.chmod(0o600)
    folder.chmod(0o777)
    assert not _start_cache._is_ours(file)


def test_folder_that_cannot_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session works without."""
    monkeypatch.setenv("GUMBEL4J_START_CACHE", "/proc/none")
    with Session() as s:
        assert s.info()["start_cache"].startswith("none yet: /proc/none")


def test_folder_of_a_user_that_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name is taken as it stands."""
    monkeypatch.setenv("GUMBEL4J_START_CACHE", "~no-such-user/cache")
    with Session(threads=1, backend="java") as s:
        assert "~no-such-user/cache" in s.info()["start_cache"]


def test_bad_file_that_cannot_be_removed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = _start_cache.StartCache(folder / "bad.aot")

    def refuse(*_arguments: object, **_more: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "unlink", refuse)
    cache.discard()


def test_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is looked for."""
    monkeypatch.setenv("GUMBEL4J_START_CACHE", "off")
    with Session() as s:
        assert s.info()["start_cache"] == "off"
