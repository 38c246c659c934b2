"""The soak notices what it is there to notice; the build runs it for a minute besides."""

from __future__ import annotations

import dataclasses
import gc
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from gumbel4j import Session
from gumbel4j.soak.cases import LAYOUTS, OPERATORS, Case, Truth, lay_out, random_case
from gumbel4j.soak.remains import take_stock
from gumbel4j.soak.storm import Storm


def case_of(operator: str, dtype: str = "float32") -> Case:
    """Return a small case of an operator."""
    return Case(operator, (3, 40, 2), 1, dtype, 0.5, seed=5, stream=6, first_row=7, content=8)


def spoiled(results):
    """Return results with the last bit of one element turned."""
    first = np.array(results[0])
    first.view(np.uint8).reshape(-1)[0] ^= 1
    return (first, *results[1:])


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_one_wrong_bit_is_noticed(session: Session, operator: str, dtype: str) -> None:
    case = case_of(operator, dtype)
    if operator in ("words", "uniform", "gumbel"):
        case = dataclasses.replace(case, shape=(6, 40))
    matrices, truth = case.matrices(), Truth()
    results = case.call(session, matrices)
    for layout in LAYOUTS:
        laid_out = case.call(session, lay_out(session, matrices, layout))
        assert truth.fault(case, laid_out) is None
    assert truth.fault(case, spoiled(results)) == "other bits than the first time"


@pytest.mark.parametrize("operator", OPERATORS)
def test_a_wrong_first_result_is_noticed(session: Session, operator: str) -> None:
    case = case_of(operator)
    if operator in ("words", "uniform", "gumbel"):
        case = dataclasses.replace(case, shape=(6, 40))
    other = dataclasses.replace(case, seed=case.seed + 1, content=case.content + 3)
    assert case.fault(other.call(session, other.matrices())) is not None


def test_cases_cover_operators_types_and_axes() -> None:
    random = np.random.default_rng(1)
    cases = [random_case(random) for _ in range(500)]
    assert {case.operator for case in cases} == set(OPERATORS)
    assert {"float32", "float64", "float16"} <= {case.dtype for case in cases}
    assert {len(case.shape) for case in cases} == {2, 3}
    assert any(case.tau is None for case in cases)


def test_what_is_left_behind_is_noticed() -> None:
    before = take_stock()
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    opened = os.open(os.devnull, os.O_RDONLY)
    assert take_stock().more_than(before) == {"children": 1, "descriptors": 2}
    os.close(opened)
    child.communicate(b"\n")
    assert take_stock().more_than(before) == {}


def test_a_call_that_nothing_explains_is_lost() -> None:
    """Of a session that closed though no disturbance of the soak closed it, every call is counted."""
    storm = Storm(1)
    try:
        storm._disturbances = ((lambda: storm._session.close(), ()),)
        storm.round()
        assert storm.counters.lost >= 2
        assert not storm.counters.is_clean
        assert "the session is closed" in storm.counters.problems[-1]
    finally:
        storm.close()


def test_a_forgotten_session_leaves_nothing() -> None:
    """Also where its arrays live longer than it does."""
    Session().close()
    gc.collect()
    before = take_stock()
    sessions = [Session() for _ in range(2)]
    kept = [session.gumbel((100, 100), seed=1) for session in sessions]
    os.kill(sessions[0].info()["pid"], signal.SIGKILL)
    sessions[0].gumbel((2, 2), seed=1)
    del sessions
    gc.collect()
    np.testing.assert_array_equal(kept[0], kept[1])
    del kept
    assert take_stock().more_than(before) == {}
