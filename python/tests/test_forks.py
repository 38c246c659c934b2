"""Forked and spawned processes: each has a session of its own, never its parent's, which goes on unharmed."""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
import subprocess
import threading
from collections.abc import Callable

import joblib
import numpy as np
import pytest
from conftest import gone_within

import gumbel4j
from gumbel4j import Generator, Session, functions

Python = Callable[[str], subprocess.Popen[str]]

LOGITS = np.linspace(-1, 1, 30, dtype=np.float32).reshape(3, 10)


def draw(stream: int) -> tuple[bytes, int, int]:
    """Return a sample by the shared session, and the processes that were at work, Python's and Java's."""
    y = gumbel4j.gumbel_softmax(LOGITS, 0.5, seed=1, stream=stream)
    return y.tobytes(), os.getpid(), functions.shared_session().info()["pid"]


@pytest.mark.parametrize("method", ["fork", "spawn", "loky"])
def test_workers_start_sessions_of_their_own(method: str) -> None:
    """Functions without a session simply work, in every kind of worker; their Javas end with them."""
    expected = [draw(stream)[0] for stream in range(6)]
    mine = functions.shared_session().info()["pid"]
    if method == "loky":
        with joblib.parallel_config("loky", n_jobs=2):
            drawn = joblib.Parallel()(joblib.delayed(draw)(stream) for stream in range(6))
        joblib.externals.loky.get_reusable_executor().shutdown()
    else:
        with multiprocessing.get_context(method).Pool(2) as workers:
            drawn = workers.map(draw, range(6), chunksize=1)
    assert [sample for sample, _, _ in drawn] == expected
    javas = {java for _, _, java in drawn}
    assert len(javas) == len({python for _, python, _ in drawn})
    assert mine not in javas
    assert os.getpid() not in {python for _, python, _ in drawn}
    assert all(gone_within(5, java) for java in javas)
    assert draw(0) == (expected[0], os.getpid(), mine)


def refused(session: Session, array: np.ndarray) -> list[str]:
    """Return what a forked child is told by each use of its parent's session."""
    told = []
    for use in (
        lambda: session.gumbel((2, 3), seed=1),
        lambda: session.empty((2, 3)),
        lambda: session.categorical(array, seed=1),
        lambda: session.info(),
        lambda: session.gumbel((2, 3), seed=1, out=array),
    ):
        try:
            use()
        except RuntimeError as error:
            told.append(str(error))
    session.close()
    session.close()
    return told


def test_a_forked_child_is_refused_its_parents_session(session: Session) -> None:
    """Every method says so and what to do, closing does nothing, and the parent's connections stay whole."""
    array = session.empty((2, 3))
    array[:] = 0
    receiver, sender = multiprocessing.Pipe(duplex=False)
    # A function that is not pickled: the child has the very objects of its parent.
    child = multiprocessing.get_context("fork").Process(
        target=lambda: sender.send(refused(session, array)), daemon=True
    )
    child.start()
    assert receiver.poll(30)
    told = receiver.recv()
    child.join()
    assert child.exitcode == 0
    assert len(told) == 5
    assert all("forked child" in text and "make a new Session here" in text for text in told)
    assert session.gumbel((2, 3), seed=1).shape == (2, 3)


def test_forks_while_other_threads_draw(session: Session) -> None:
    """Whatever a thread was doing at the fork, holding locks or sockets: the child does no harm."""
    expected = [session.gumbel((200, 100), seed=3, stream=stream).tobytes() for stream in range(4)]
    wrong: list[int] = []
    stop = threading.Event()
    rng = Generator(5)

    def use(stream: int) -> None:
        while not stop.is_set():
            rng.next()
            if session.gumbel((200, 100), seed=3, stream=stream).tobytes() != expected[stream]:
                wrong.append(stream)

    threads = [threading.Thread(target=use, args=(stream,)) for stream in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(15):
            child = os.fork()
            if child == 0:
                status = 1
                try:
                    session.close()
                    rng.next()
                    gumbel4j.reference.gumbel((2, 3))  # the default generator
                    del session
                    status = 0
                finally:
                    os._exit(status)
            ended, status = os.waitpid(child, 0)
            assert (ended, os.waitstatus_to_exitcode(status)) == (child, 0)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert wrong == []


def test_workers_of_a_data_loader(python: Python) -> None:
    """torch's DataLoader forks its workers: a dataset may draw, and one that holds a session is refused."""
    if importlib.util.find_spec("torch") is None:
        pytest.skip("torch is not installed")
    child = python("""
import torch
import numpy as np
import gumbel4j
from torch.utils.data import DataLoader, Dataset

class Samples(Dataset):
    def __init__(self, session=None):
        self.session = session
    def __len__(self):
        return 8
    def __getitem__(self, stream):
        x = torch.linspace(-1, 1, 10)
        return torch.from_numpy((self.session or gumbel4j).gumbel_softmax(x, 0.5, seed=1, stream=stream))

expected = torch.stack([Samples()[stream] for stream in range(8)])
for _ in range(2):
    drawn = torch.cat(list(DataLoader(Samples(), batch_size=2, num_workers=2)))
    print(torch.equal(drawn, expected))
with gumbel4j.Session() as session:
    for method in ("fork", "spawn"):
        try:
            list(DataLoader(Samples(session), num_workers=1, multiprocessing_context=method))
        except (RuntimeError, TypeError) as refused:
            print("make a new Session here" in str(refused) or "cannot be pickled" in str(refused))
    print(torch.equal(Samples(session)[3], expected[3]), torch.equal(Samples()[3], expected[3]))
""")
    out, err = child.communicate(timeout=120)
    assert out.splitlines() == ["True"] * 4 + ["True True"], err
    assert "Traceback" not in err
