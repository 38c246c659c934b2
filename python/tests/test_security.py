"""Who may talk to the Java process, what it lets them do, and what strangers can do to it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import resource
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from py4j.clientserver import ClientServer, JavaParameters, PythonParameters
from py4j.protocol import Py4JError, Py4JNetworkError

from gumbel4j import Session
from gumbel4j._bridge import _Connection
from gumbel4j._memory import DATA_PLANES, DataPlane


def connect(session: Session) -> socket.socket:
    """Open a connection as any process on this machine may."""
    return socket.create_connection(("127.0.0.1", session._runtime._bridge.process.port), timeout=5)


def closed_unanswered(stranger: socket.socket) -> bool:
    """Whether Java closes a connection, without a word, in time."""
    try:
        return stranger.recv(100) == b""
    except ConnectionResetError:
        return True


@pytest.fixture
def owner(session: Session) -> Iterator[Session]:
    """The session, after and before which the owner's calls are quick and right."""
    expected = session.gumbel((3, 4), seed=1)
    yield session
    began = time.monotonic()
    session._runtime._bridge._drop_idle()  # so that a new connection must be made
    np.testing.assert_array_equal(session.gumbel((3, 4), seed=1), expected)
    assert time.monotonic() - began < 2
    assert session._runtime._bridge.alive


def test_loopback_only(session: Session) -> None:
    """The server listens on 127.0.0.1 and nowhere else."""
    port = f"{session._runtime._bridge.process.port:04X}"
    listening = [
        line.split()[1]
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        for line in Path(table).read_text().splitlines()[1:]
        if line.split()[3] == "0A" and line.split()[1].endswith(":" + port)
    ]
    assert len(listening) == 1
    assert listening[0].rpartition(":")[0] in ("0100007F", "0000000000000000FFFF00000100007F")


def test_token_is_nowhere_in_view(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not in the command line, not in the environment, not on disk, not in what Java logs."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with Session() as s:
        process = s._runtime._bridge.process
        assert len(process.token) == 64
        for view in ("cmdline", "environ"):
            assert process.token not in Path(f"/proc/{process.pid}/{view}").read_text(errors="replace")
        assert process.token not in process.last_words()
        assert list(tmp_path.iterdir()) == []


def test_token_is_not_logged(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    """Also when everything logs all it has to say, Py4J included."""
    with caplog.at_level("DEBUG"), caplog.at_level("DEBUG", "py4j"), Session() as s:
        token = s._runtime._bridge.process.token
        s.gumbel((2, 2), seed=1)
        with pytest.raises(RuntimeError, match="refused"):
            s._runtime._bridge._call("none")
        os.kill(s.info()["pid"], 9)
        s.gumbel((2, 2), seed=1)
    assert token not in caplog.text
    assert token not in "".join(capfd.readouterr())


@pytest.mark.parametrize("plane", DATA_PLANES, ids=lambda plane: plane.name)
def test_segments_are_private(plane: DataPlane) -> None:
    """No other user can open shared memory, also not by the entry of a descriptor in /proc."""
    fd, path = plane.open(4096)
    try:
        assert stat.S_IMODE(os.fstat(fd).st_mode) == 0o600
        assert os.fstat(fd).st_uid == os.getuid()
    finally:
        os.close(fd)
        if path is not None:
            os.unlink(path)


def test_segments_are_sealed() -> None:
    """Anonymous memory can be neither shrunk under a reader nor grown, and nobody can take the seals off."""
    fd, _ = DATA_PLANES[0].open(4096)
    seals = fcntl.fcntl(fd, fcntl.F_GET_SEALS)
    for wanted in (fcntl.F_SEAL_SHRINK, fcntl.F_SEAL_GROW, fcntl.F_SEAL_SEAL):
        assert seals & wanted
    for size in (0, 8192):
        with pytest.raises(PermissionError):
            os.ftruncate(fd, size)
    os.close(fd)


@pytest.mark.parametrize(
    "words",
    [
        b"c\nt\ndescribe\ne\n",  # a request without a token
        b"A\n" + b"0" * 64 + b"\n",  # a wrong token
        b"A\n\n" + b"c\nt\ndescribe\ne\n" * 5,
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\nUser-Agent: a browser led astray\r\n\r\n",
    ],
)
def test_strangers_are_turned_out(owner: Session, words: bytes) -> None:
    """Without the token there is no answer, only the end of the connection."""
    with connect(owner) as stranger:
        stranger.sendall(words)
        assert closed_unanswered(stranger)


def test_stranger_who_knows_most_of_the_token(owner: Session) -> None:
    """All but the last character is as wrong as anything."""
    token = owner._runtime._bridge.process.token
    with connect(owner) as stranger:
        stranger.sendall(f"A\n{token[:-1]}{'0' if token[-1] != '0' else '1'}\n".encode())
        assert closed_unanswered(stranger)


def test_ten_mebibytes_of_rubbish(owner: Session) -> None:
    """They are not read."""
    with connect(owner) as stranger, contextlib.suppress(ConnectionError):
        stranger.sendall(os.urandom(10 << 20))
        assert closed_unanswered(stranger)


def test_slow_stranger(owner: Session) -> None:
    """A byte now and then does not buy time: a second is all there is."""
    with connect(owner) as stranger:
        began = time.monotonic()
        with pytest.raises(ConnectionError):
            while time.monotonic() - began < 5:
                stranger.sendall(b"A")
                time.sleep(0.2)
        assert time.monotonic() - began < 3


def test_a_thousand_idle_strangers(owner: Session) -> None:
    """The owner gets in at once, Java keeps few of them, and none for long."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < 1200:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(2000, hard), hard))
    bridge = owner._runtime._bridge
    pid = bridge.process.pid
    with contextlib.ExitStack() as crowd:
        strangers = [crowd.enter_context(connect(owner)) for _ in range(1000)]
        began = time.monotonic()
        newcomer = _Connection(bridge.process.port, bridge.process.token, 5)
        assert time.monotonic() - began < 2
        newcomer.close()
        assert owner.gumbel((3, 4), seed=1).shape == (3, 4)
        assert len(os.listdir(f"/proc/{pid}/task")) < 200
        assert all(map(closed_unanswered, strangers))
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_java_without_file_descriptors(owner: Session) -> None:
    """A connection that Java cannot take waits until it can; none is lost, and others come after it."""
    bridge = owner._runtime._bridge
    pid = bridge.process.pid
    expected = owner.gumbel((3, 4), seed=1)
    limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (1, limits[1]))
    _Connection(bridge.process.port, bridge.process.token, 10).close()  # Linux had a descriptor ready for it
    restored = threading.Timer(0.5, resource.prlimit, (pid, resource.RLIMIT_NOFILE, limits))
    restored.start()
    began = time.monotonic()
    _Connection(bridge.process.port, bridge.process.token, 10).close()
    assert time.monotonic() - began > 0.4
    restored.join()
    _Connection(bridge.process.port, bridge.process.token, 10).close()
    np.testing.assert_array_equal(owner.gumbel((3, 4), seed=1), expected)


def test_the_entry_point_is_all_there_is(owner: Session) -> None:
    """With the token, Py4J's own client reaches neither classes nor objects nor what every object can do."""
    process = owner._runtime._bridge.process

    def client() -> ClientServer:
        return ClientServer(
            JavaParameters(port=process.port, auth_token=process.token, read_timeout=5),
            PythonParameters(port=0),
        )

    refused = (Py4JError, Py4JNetworkError)
    attempts: list[Callable[[ClientServer], object]] = [
        lambda gateway: gateway.jvm.java.lang.Runtime.getRuntime(),
        lambda gateway: gateway.jvm.java.lang.System.exit(0),
        lambda gateway: gateway.new_array(gateway.jvm.int, 1),
        lambda gateway: gateway.entry_point.getClass(),
        lambda gateway: gateway.entry_point.notifyAll(),
        lambda gateway: gateway.entry_point.describe(1),
        lambda gateway: gateway.entry_point.probe(1.5),
        lambda gateway: gateway.entry_point.probe(None),
        lambda gateway: gateway.help(gateway.entry_point),
    ]
    for attempt in attempts:
        gateway = client()
        assert gateway.entry_point.describe().startswith("done\t")
        with pytest.raises(refused):
            attempt(gateway)
        gateway.close()
    with contextlib.suppress(*refused):
        client().shutdown()
