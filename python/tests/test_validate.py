"""validate: every layer holds, and every layer notices an error planted into it."""

import math
import sys

import numpy as np
import pytest

from gumbel4j import validate


class Tampered:
    """A session in which one operator's results are changed."""

    def __init__(self, session, operator, change):
        self._session = session
        self._operator = operator
        self._change = change

    def __getattr__(self, name):
        method = getattr(self._session, name)
        if name != self._operator:
            return method
        return lambda *args, **kwargs: self._change(method(*args, **kwargs))


def in_one_element(change):
    """Return a change of a result in its middle element only."""

    def changed(result):
        result = result.copy()
        result.flat[result.size // 2] = change(result.flat[result.size // 2])
        return result

    return changed


def in_first(change):
    """Return the same change for the first of two results."""
    return lambda results: (change(results[0]), *results[1:])


def steps_up(count):
    """Return the change of a value by so many units in the last place."""

    def changed(value):
        for _ in range(count):
            value = np.nextafter(value, value.dtype.type(np.inf))
        return value

    return changed


class AtCall:
    """A change of the result of one call, the others stay."""

    def __init__(self, number, change):
        self._number = number
        self._change = change
        self._calls = 0

    def __call__(self, result):
        self._calls += 1
        return self._change(result) if self._calls == self._number else result


def gaussian(_result):
    """Return classes drawn with Gaussian noise of Gumbel's variance, from the logits of `frequencies`."""
    logits = np.random.default_rng(3).normal(0, 1, 10)
    noise = np.random.default_rng(7).normal(0, math.pi / math.sqrt(6), (200_000, 10))
    return (logits + noise).argmax(axis=1)


def test_every_layer_holds(session):
    checks = validate.run(session)
    assert [check for check in checks if not check.passed] == []
    assert {check.layer for check in checks} == {
        "known answers",
        "raw words",
        "uniforms",
        "Gumbel values",
        "soft samples",
        "hard samples",
        "categorical",
        "backward, logits",
        "backward, tau",
        "axis 1, tau per row",
        "backward, slopes",
        "row sums",
        "masks",
        "layouts",
        "same bits",
        "frequencies",
    }
    types = {check.dtype for check in checks if check.layer == "soft samples"}
    assert types == {"float32", "float64", "float16", "bfloat16"}
    alone = session.info()["backend"] == "java"  # no C compiler was at hand: no second backend to compare
    compared = [check for check in checks if not (alone and check.layer == "same bits")]
    assert all(check.verdict == "ok" and check.count > 0 for check in compared)


PLANTED = [
    ("one bit of a known word", validate.known_answers, "words", lambda words: words ^ np.uint32(1)),
    ("one bit of one word", validate.words, "words", in_one_element(lambda word: word ^ type(word)(1))),
    ("one step of one uniform", validate.uniforms, "uniform", in_one_element(steps_up(1))),
    ("nine steps of one Gumbel value", validate.gumbels, "gumbel", in_one_element(steps_up(9))),
    ("soft samples at another tau", validate.softs, "gumbel_softmax", lambda y: y ** y.dtype.type(1.001)),
    ("one soft value", validate.softs, "gumbel_softmax", in_one_element(lambda y: y + y.dtype.type(1e-3))),
    ("one hard value", validate.hards, "gumbel_softmax", in_one_element(lambda one: 1 - one)),
    ("one class", validate.categoricals, "categorical", in_one_element(lambda k: (k + 1) % 257)),
    (
        "one slope",
        validate.vjps,
        "vjp",
        in_first(in_one_element(lambda slope: slope + slope.dtype.type(1e-3))),
    ),
    (
        "the slope of tau",
        validate.vjps,
        "vjp",
        lambda result: (result[0], result[1] * result[1].dtype.type(1.1)),
    ),
    ("slopes with the wrong sign", validate.differences, "vjp", in_first(np.negative)),
    ("rows that sum to less", validate.row_sums, "gumbel_softmax", lambda y: y * y.dtype.type(0.9999)),
    ("masked classes that get a little", validate.masks, "gumbel_softmax", lambda y: y + y.dtype.type(1e-30)),
    ("masked classes that are drawn", validate.masks, "categorical", lambda k: np.full_like(k, 3)),
    (
        "one soft value of many temperatures",
        validate.middle_axes,
        "gumbel_softmax",
        in_one_element(steps_up(99)),
    ),
    ("one slope in the middle", validate.middle_axes, "vjp", in_first(in_one_element(lambda slope: -slope))),
    (
        "one hard value of a layout",
        validate.layouts,
        "gumbel_softmax",
        AtCall(4, in_one_element(steps_up(1))),
    ),
    ("one bit of one backend", validate.backends, "gumbel", in_one_element(steps_up(1))),
    ("Gaussian noise of equal variance", validate.frequencies, "categorical", gaussian),
    ("not a number", validate.softs, "gumbel_softmax", in_one_element(lambda y: y.dtype.type(np.nan))),
]


@pytest.mark.parametrize(
    ("layer", "operator", "change"), [case[1:] for case in PLANTED], ids=[case[0] for case in PLANTED]
)
def test_planted_errors_are_found(session, layer, operator, change):
    if layer is validate.backends and session.info()["backend"] == "java":
        pytest.skip("built without a C compiler: no second backend to compare")
    assert all(check.passed for check in layer(session))
    checks = list(layer(Tampered(session, operator, change)))
    assert not all(check.passed for check in checks)
    assert "FAIL" in validate.table(checks)


def test_bfloat16_is_not_compared_where_numpy_does_not_have_it(session, monkeypatch):
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    assert [dtype.name for dtype in validate.floats()] == ["float32", "float64", "float16"]
    (check,) = validate.missing_types(session)
    assert (check.dtype, check.verdict, check.passed) == ("bfloat16", "not compared", True)
    assert "pip install 'gumbel4j[bfloat16]'" in check.note


def test_a_backend_that_does_not_load_is_not_passed_off_as_equal(session, monkeypatch):
    class Unavailable:
        def __init__(self, *_args, **_kwargs):
            raise RuntimeError("backend native cannot be used: no library\nand more")

    monkeypatch.setattr("gumbel4j.session.Session", Unavailable)
    (check,) = validate.backends(session)
    assert (check.verdict, check.passed, check.count) == ("not compared", True, 0)
    assert "not compared (backend native cannot be used: no library)" in validate.table([check])
