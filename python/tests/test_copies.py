"""The table in the docstring of Session, line by line: which calls copy, by `np.shares_memory`."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gumbel4j import Session
from gumbel4j._bridge import Bridge

Array = np.ndarray
SHAPE = (6, 8, 10)


def noted(session: Session, monkeypatch: pytest.MonkeyPatch) -> list[Array]:
    """Return a list that fills with the arrays that Java works on."""
    operands: list[Array] = []
    run = Bridge.run

    def note(self: Bridge, operator: str, arguments: str, in_use: Any, *rest: Any, **more: Any) -> None:
        operands.extend(in_use)
        run(self, operator, arguments, in_use, *rest, **more)

    monkeypatch.setattr(Bridge, "run", note)
    return operands


def shifted_by_a_byte(x: Array) -> Array:
    x[:] = 0
    shifted: Array = x.view(np.uint8).reshape(-1)[1:-3].view(np.float32)
    return shifted


@pytest.mark.parametrize(
    ("derive", "copied"),
    [
        (lambda x: x, False),
        (lambda x: x[1:4], False),
        (lambda x: x[::2, :, 1:7], False),
        (lambda x: x.transpose(0, 2, 1), False),
        (lambda x: np.broadcast_to(x[:1], SHAPE), False),
        (lambda x: np.from_dlpack(x), False),
        (lambda x: np.asarray(memoryview(x)), False),
        (lambda x: x.copy(), True),
        (lambda x: list(x), True),
        (lambda x: x[::-1], True),
        (lambda x: x.astype(">f4"), True),
        (shifted_by_a_byte, True),
        (lambda x: np.lib.stride_tricks.as_strided(x, (2, 2, 2, 10), (960, 40, 640, 4)), True),
    ],
    ids="itself slice steps transposed broadcast DLPack buffer other list reversed order odd axes".split(),
)
def test_inputs(
    session: Session, derive: Callable[[Array], Any], copied: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What lies in shared memory is used there, by its strides; all else is copied once."""
    x = session.gumbel(SHAPE, seed=1)
    given = derive(x)
    expected = session.gumbel_softmax(np.array(given, np.float32), 0.5, seed=2)
    operands = noted(session, monkeypatch)
    y = session.gumbel_softmax(given, 0.5, seed=2)
    np.testing.assert_array_equal(y, expected)
    assert len(operands) == 2
    assert [np.shares_memory(operand, x) for operand in operands] == [False, not copied]
    assert [np.shares_memory(operand, y) for operand in operands] == [True, False]


@pytest.mark.parametrize(
    ("derive", "copied"),
    [
        (lambda s: s.empty(SHAPE), False),
        (lambda s: s.gumbel(SHAPE, seed=3), False),
        (lambda s: s.empty((12, 8, 20))[::2, :, :10], False),
        (lambda s: s.empty((6, 10, 8)).transpose(0, 2, 1), False),
        (lambda s: np.empty(SHAPE, np.float32), True),
        (lambda s: s.empty(SHAPE)[:, :, ::-1], True),
    ],
    ids="empty result steps transposed other reversed".split(),
)
def test_outputs(
    session: Session, derive: Callable[[Session], Array], copied: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An `out` in shared memory is written where it is."""
    x = session.gumbel(SHAPE, seed=1)
    expected = session.gumbel_softmax(x, 0.5, seed=2)
    out = derive(session)
    operands = noted(session, monkeypatch)
    assert session.gumbel_softmax(x, 0.5, seed=2, out=out) is out
    np.testing.assert_array_equal(out, expected)
    assert [np.shares_memory(operand, out) for operand in operands] == [not copied, False]


def test_out_between_the_elements_of_an_input(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Halves of one array take turns without a copy, other interleaved strides cost one."""
    whole = session.empty((6, 20))
    whole[:] = 0
    x, beside = whole[:, :10], whole[:, 10:]
    wide = session.empty((6, 40))
    wide[:] = 0
    operands = noted(session, monkeypatch)
    session.gumbel_softmax(x, 0.5, seed=2, out=beside)
    assert np.shares_memory(operands[0], beside)
    operands.clear()
    session.gumbel_softmax(wide[:, ::4], 0.5, seed=2, out=wide[:, 1:21:2])
    assert not np.shares_memory(operands[0], wide)


def page_faults(pid: int) -> int:
    """Return how often a process touched a page for the first time."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[7])


def test_warm_results_need_no_page_faults(session: Session) -> None:
    """New results of 2,000 pages each lie in memory that both processes have touched before."""
    x = session.gumbel((1000, 2000), seed=1)
    pid = session.info()["pid"]

    def draw(stream: int) -> float:
        return float(session.gumbel_softmax(x, 0.5, seed=1, stream=stream)[:, 0].sum())

    for stream in range(20):
        draw(stream)
    mine, javas = resource.getrusage(resource.RUSAGE_SELF).ru_minflt, page_faults(pid)
    for stream in range(50):
        draw(stream)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_minflt - mine < 100
    assert page_faults(pid) - javas < 5000  # of 100,000; Java's own: compiled code, and its heap
    assert os.getpid() != pid
