"""The module-level functions and the session they share; what importing the package costs."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from conftest import said

import gumbel4j as gj
from gumbel4j import functions, reference
from gumbel4j.generator import Generator

LOGITS = np.random.default_rng(0).normal(size=(20, 7)).astype(np.float32)


def test_functions_are_the_session_methods(session):
    key = {"seed": 7, "stream": 3, "first_row": 5}
    equal = np.testing.assert_array_equal
    equal(gj.gumbel_softmax(LOGITS, 0.5, **key), session.gumbel_softmax(LOGITS, 0.5, **key))
    equal(gj.gumbel_softmax(LOGITS, 0.5, True, 0, **key), session.gumbel_softmax(LOGITS, 0.5, True, 0, **key))
    equal(gj.categorical(LOGITS, 0, **key), session.categorical(LOGITS, 0, **key))
    equal(gj.gumbel((3, 4), dtype=np.float64, **key), session.gumbel((3, 4), dtype=np.float64, **key))
    sample = gj.gumbel_softmax(LOGITS, 0.5, seed=7)
    for mine, theirs in zip(gj.vjp(sample, LOGITS, 0.5, 0), session.vjp(sample, LOGITS, 0.5, 0), strict=True):
        equal(mine, theirs)
    assert gj.vjp(sample, LOGITS, 0.5, tau_gradient=False)[1] is None


def test_out_is_passed_on():
    out = np.empty_like(LOGITS)
    assert gj.gumbel_softmax(LOGITS, 0.5, seed=7, out=out) is out
    assert gj.gumbel(LOGITS.shape, seed=7, out=out) is out
    classes = np.empty(20, np.int32)
    assert gj.categorical(LOGITS, seed=7, out=classes) is classes


def test_a_generator_numbers_its_draws():
    rng = Generator(7)
    first, second = (gj.gumbel_softmax(LOGITS, seed=rng) for _ in range(2))
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(first, gj.gumbel_softmax(LOGITS, seed=7, stream=0))
    np.testing.assert_array_equal(second, gj.gumbel_softmax(LOGITS, seed=7, stream=1))


def test_no_seed_draws_from_the_default_generator():
    gj.seed(11)
    one, other = gj.categorical(LOGITS), gj.gumbel((5, 5))
    np.testing.assert_array_equal(one, gj.categorical(LOGITS, seed=11, stream=0))
    np.testing.assert_array_equal(other, gj.gumbel((5, 5), seed=11, stream=1))
    gj.seed(11)
    np.testing.assert_array_equal(gj.reference.categorical(LOGITS), reference.categorical(LOGITS, seed=11))
    gj.seed()


def test_a_refused_call_uses_up_no_draw():
    rng = Generator(7)
    for refused in (
        lambda: gj.gumbel_softmax(LOGITS, tau=-1, seed=rng),
        lambda: gj.gumbel_softmax(LOGITS.astype(int), seed=rng),
        lambda: gj.gumbel((3, 0), seed=rng),
        lambda: gj.categorical(LOGITS, first_row=-1, seed=rng),
        lambda: gj.categorical(LOGITS, stream=1, seed=rng),
    ):
        with pytest.raises((TypeError, ValueError)):
            refused()
    assert rng.stream == 0


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"seed": 2**64}, ValueError, "seed"),
        ({"seed": -1}, ValueError, "seed"),
        ({"seed": 1.5}, TypeError, "seed"),
        ({"seed": True}, TypeError, "seed"),
        ({"seed": 1, "stream": -1}, ValueError, "stream"),
        ({"seed": 1, "stream": 2**63}, ValueError, "stream"),
        ({"stream": 1}, ValueError, "stream"),
        ({"seed": 1, "first_row": -1}, ValueError, "first_row"),
    ],
)
def test_bad_keys_are_refused_and_the_next_call_works(arguments, error, message):
    for call in (gj.gumbel_softmax, gj.categorical, lambda logits, **key: gj.gumbel(logits.shape, **key)):
        with pytest.raises(error, match=message):
            call(LOGITS, **arguments)
    assert gj.categorical(LOGITS, seed=7).shape == (20,)


def test_one_session_for_all_threads_and_another_after_close():
    functions.close_shared_session()
    with ThreadPoolExecutor(8) as pool:
        sessions = list(pool.map(lambda _: functions.shared_session(), range(16)))
        before = list(pool.map(lambda stream: gj.gumbel((9, 9), seed=7, stream=stream), range(50)))
    assert len(set(map(id, sessions))) == 1
    functions.close_shared_session()
    functions.close_shared_session()
    assert functions.shared_session() is not sessions[0]
    for stream, noise in enumerate(before):
        np.testing.assert_array_equal(gj.gumbel((9, 9), seed=7, stream=stream), noise)


def test_a_forked_child_starts_its_own_session():
    expected = gj.categorical(LOGITS, seed=7)
    mine = functions.shared_session().info()["pid"]
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            same = np.array_equal(gj.categorical(LOGITS, seed=7), expected)
            status = 0 if same and functions.shared_session().info()["pid"] != mine else 2
            functions.close_shared_session()
        finally:
            os.write(write, b"x")
            os._exit(status)
    os.close(write)
    assert os.read(read, 1) == b"x"
    os.close(read)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    np.testing.assert_array_equal(gj.categorical(LOGITS, seed=7), expected)
    assert functions.shared_session().info()["pid"] == mine


def run_python(code):
    """Run code in a fresh interpreter and return what it printed to standard output and to standard error."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    return done.stdout, done.stderr


def test_import_loads_no_bridge_and_starts_no_java():
    out, err = run_python(
        "import sys, os, gumbel4j\n"
        "print([name for name in ('py4j', 'matplotlib', 'gumbel4j.session') if name in sys.modules])\n"
        "print(gumbel4j.functions._shared)\n"
        "print(os.path.exists('/proc/self/task') and open(f'/proc/self/task/{os.getpid()}/children').read())"
    )
    assert out.split() == ["[]", "None"]
    assert err == ""


def test_import_is_cheap_beside_numpy():
    code = (
        "import time, numpy\nstart = time.perf_counter()\nimport gumbel4j\nprint(time.perf_counter() - start)"
    )
    assert min(float(run_python(code)[0]) for _ in range(3)) < 0.2


def test_end_of_python_is_silent_and_takes_java_along():
    out, err = run_python(
        "import gumbel4j\n"
        "gumbel4j.gumbel((2, 2), seed=7)\n"
        "print(gumbel4j.functions.shared_session().info()['pid'])"
    )
    assert said(err) == ""
    with pytest.raises(ProcessLookupError):
        os.kill(int(out), 0)


def test_public_names():
    names = {
        "gumbel_softmax",
        "gumbel",
        "categorical",
        "vjp",
        "seed",
        "Generator",
        "Session",
        "arrow",
        "call_async",
        "reference",
        "sample_file",
        "__version__",
    }
    assert set(gj.__all__) == names
    assert names <= set(dir(gj))
    assert all(getattr(gj, name) is not None for name in names)
    assert gj.Session is gj.session.Session
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = gj.nothing
