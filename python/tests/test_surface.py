"""Every operator of the session against the NumPy reference, over shapes, strides, axes, masks and dtypes."""

from dataclasses import dataclass

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gumbel4j import reference

quickly = settings(max_examples=60, derandomize=True, deadline=None, database=None)

STREAMS = (np.float32, np.float64)
FLOATS = (*STREAMS, np.float16, ml_dtypes.bfloat16)
LAYOUTS = ("C", "Fortran", "reversed", "every second", "read-only", "big-endian", "transposed")
KEYS = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 2**64 - 1),
        "stream": st.integers(0, 2**63 - 1),
        "first_row": st.integers(0, 2**50),
    }
)


def laid_out(array, layout):
    """Return the same values with other strides, flags or byte order."""
    if layout == "Fortran":
        return np.asfortranarray(array)
    if layout == "reversed":
        return np.ascontiguousarray(array[..., ::-1])[..., ::-1]
    if layout == "every second":
        wide = np.full((*array.shape[:-1], 2 * array.shape[-1]), np.nan, array.dtype)
        wide[..., ::2] = array
        return wide[..., ::2]
    if layout == "read-only":
        array = array.copy()
        array.flags.writeable = False
        return array
    if layout == "big-endian" and array.dtype != ml_dtypes.bfloat16:
        return array.astype(array.dtype.newbyteorder(">"))
    if layout == "transposed":
        return np.ascontiguousarray(array.T).T
    return np.ascontiguousarray(array)


@dataclass
class Case:
    """An array of logits, the axis of its classes, and a temperature, one or an array that broadcasts."""

    logits: np.ndarray
    axis: int
    tau: float | np.ndarray


TAUS = [0.0, 0.05, 0.5, 1.0, 30.0]


@st.composite
def temperatures(draw, shape, axis):
    """Draw a number, or an array that broadcasts to `shape` with size 1 along `axis`."""
    if draw(st.booleans()):
        return draw(st.sampled_from(TAUS))
    sizes = [size if draw(st.booleans()) else 1 for size in shape]
    sizes[axis] = 1
    leading = next((at for at, size in enumerate(sizes) if size != 1), len(sizes))
    sizes = sizes[draw(st.integers(0, leading)) :]
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    values = rng.choice([*TAUS, 1e-38, 7.0], sizes).astype(draw(st.sampled_from(FLOATS)))
    return laid_out(values, draw(st.sampled_from(LAYOUTS))) if sizes else values


@st.composite
def cases(draw):
    """Draw a Case; at least one class of every row is open."""
    shape = draw(st.lists(st.integers(1, 6), min_size=1, max_size=4))
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    shape[axis] = draw(st.sampled_from([1, 2, 3, 7, 16, 17, 65]))
    if len(shape) > 1 and draw(st.integers(0, 9)) == 0:
        shape[(axis - 1) % len(shape)] = 0  # no rows
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    logits = rng.normal(0, draw(st.sampled_from([0.1, 3.0, 100.0])), shape)
    if draw(st.booleans()):
        masked = rng.random(shape) < 0.5
        np.moveaxis(masked, axis, 0)[rng.integers(shape[axis])] = False
        logits[masked] = -np.inf
    logits = laid_out(logits.astype(draw(st.sampled_from(FLOATS))), draw(st.sampled_from(LAYOUTS)))
    return Case(logits, axis, draw(temperatures(tuple(shape), axis)))


def assert_within(actual, expected, bound):
    """Fail where an actual value is further from the expected one than its bound."""
    assert np.shape(actual) == np.shape(expected)
    error = np.abs(np.asarray(actual, np.float64) - expected)
    assert (error <= bound).all(), f"largest error {np.max(error)}, in bounds {np.max(error / bound)}"


def native(dtype):
    """Return the dtype in this machine's byte order."""
    return np.dtype(dtype).newbyteorder("=")


def computed_in(dtype):
    """Return the dtype of temperatures and their gradients."""
    return np.float64 if dtype == np.float64 else np.float32


@quickly
@given(case=cases(), key=KEYS)
def test_soft_samples(session, case, key):
    before = case.logits.copy()
    y = session.gumbel_softmax(case.logits, case.tau, axis=case.axis, **key)
    assert y.dtype == native(case.logits.dtype)
    assert y.dtype.isnative
    expected = reference.gumbel_softmax(case.logits, case.tau, axis=case.axis, **key)
    assert_within(y, expected, reference.soft_bound(case.logits, case.tau, case.axis, **key))
    np.testing.assert_array_equal(case.logits, before)
    assert not y[np.isneginf(case.logits)].any()


@quickly
@given(case=cases(), key=KEYS)
def test_hard_samples_and_classes(session, case, key):
    decided = reference.decided(case.logits, case.axis, **key)
    hard = session.gumbel_softmax(case.logits, hard=True, axis=case.axis, **key)
    assert hard.shape == case.logits.shape
    assert hard.dtype == native(case.logits.dtype)
    assert set(np.unique(hard)) <= {0, 1}
    assert (hard.sum(axis=case.axis) == 1).all()
    assert not hard[np.isneginf(case.logits)].any()
    classes = session.categorical(case.logits, case.axis, **key)
    assert classes.dtype == np.int32
    np.testing.assert_array_equal(classes, hard.argmax(axis=case.axis))
    np.testing.assert_array_equal(
        classes[decided], reference.categorical(case.logits, case.axis, **key)[decided]
    )
    at_zero = session.gumbel_softmax(case.logits, 0.0, axis=case.axis, **key)
    np.testing.assert_array_equal(at_zero, hard)


@quickly
@given(case=cases(), key=KEYS)
def test_layout_changes_no_bit(session, case, key):
    plain = np.ascontiguousarray(case.logits.astype(native(case.logits.dtype)))
    np.testing.assert_array_equal(
        session.gumbel_softmax(case.logits, case.tau, axis=case.axis, **key),
        session.gumbel_softmax(plain, case.tau, axis=case.axis, **key),
    )
    moved, moved_tau = np.moveaxis(plain, case.axis, -1), case.tau
    if np.ndim(case.tau):
        spread = np.reshape(case.tau, (1,) * (plain.ndim - np.ndim(case.tau)) + np.shape(case.tau))
        moved_tau = np.moveaxis(spread, case.axis, -1)
    np.testing.assert_array_equal(
        np.moveaxis(session.gumbel_softmax(plain, case.tau, axis=case.axis, **key), case.axis, -1),
        session.gumbel_softmax(moved, moved_tau, **key),
    )


@quickly
@given(case=cases(), key=KEYS)
def test_out_gets_the_result(session, case, key):
    shape, dtype = case.logits.shape, native(case.logits.dtype)
    out = np.full(shape, np.nan, dtype)
    y = session.gumbel_softmax(case.logits, case.tau, axis=case.axis, out=out, **key)
    assert y is out
    np.testing.assert_array_equal(out, session.gumbel_softmax(case.logits, case.tau, axis=case.axis, **key))
    classes = session.categorical(case.logits, case.axis, **key)
    out = np.full(classes.shape, -1, np.int32)
    assert session.categorical(case.logits, case.axis, out=out, **key) is out
    np.testing.assert_array_equal(out, classes)


@quickly
@given(
    shape=st.lists(st.integers(0, 5), max_size=3).map(tuple),
    classes=st.sampled_from([1, 2, 15, 64, 100]),
    dtype=st.sampled_from(FLOATS),
    key=KEYS,
)
def test_noise(session, shape, classes, dtype, key):
    shape = (*shape, classes)
    g = session.gumbel(shape, dtype=dtype, **key)
    assert g.dtype == dtype
    expected = reference.gumbel(shape, dtype=dtype, **key)
    assert_within(g, expected, reference.gumbel_bound(expected, dtype))
    np.testing.assert_array_equal(
        session.uniform(shape, dtype=dtype, **key), reference.uniform(shape, dtype=dtype, **key)
    )
    word = np.uint64 if dtype == np.float64 else np.uint32
    words = session.words(shape, dtype=word, **key)
    assert words.dtype == word
    np.testing.assert_array_equal(words, reference.words(shape, dtype=word, **key))
    out = np.empty(shape, dtype)
    assert session.gumbel(shape, dtype=dtype, out=out, **key) is out
    np.testing.assert_array_equal(out, g)


@quickly
@given(case=cases(), layout=st.sampled_from(LAYOUTS), seed=st.integers(0, 2**32))
def test_backward(session, case, layout, seed):
    tau = np.where(np.asarray(case.tau) == 0, 0.5, case.tau)
    y = session.gumbel_softmax(case.logits, tau, axis=case.axis, seed=seed)
    upstream = np.random.default_rng(seed).normal(size=y.shape).astype(y.dtype)
    sample, upstream = laid_out(y, layout), laid_out(upstream, layout)
    dlogits, dtau = session.vjp(sample, upstream, tau, case.axis)
    assert (dlogits.dtype, dtau.dtype) == (y.dtype, computed_in(y.dtype))
    assert dtau.shape == np.shape(case.tau)
    expected, expected_dtau = reference.vjp(sample, upstream, tau, case.axis)
    bound, tau_bound = reference.vjp_bound(sample, upstream, tau, case.axis)
    assert_within(dlogits, expected, bound)
    assert_within(dtau, expected_dtau, tau_bound)


@pytest.mark.parametrize("dtype", FLOATS)
def test_rows_are_counted_over_the_other_axes(session, dtype):
    logits = np.random.default_rng(0).normal(size=(4, 5, 7)).astype(dtype)
    whole = session.gumbel_softmax(logits, 0.5, seed=7)
    for first in range(4):
        part = session.gumbel_softmax(logits[first], 0.5, seed=7, first_row=5 * first)
        np.testing.assert_array_equal(part, whole[first])


@pytest.mark.parametrize("dtype", STREAMS)
def test_samples_add_the_very_noise(session, dtype):
    logits = np.random.default_rng(0).normal(size=(100, 9)).astype(dtype)
    noise = session.gumbel(logits.shape, seed=7, stream=3, dtype=dtype)
    classes = session.categorical(logits, seed=7, stream=3)
    np.testing.assert_array_equal(classes, (logits + noise).argmax(axis=-1))


@pytest.mark.parametrize("dtype", FLOATS)
def test_the_classic_example(session, dtype):
    logits = np.array([1, 2, 3, 4], dtype)
    y = session.gumbel_softmax(logits, tau=0.5, seed=7)
    assert y.shape == (4,)
    assert y.astype(np.float64).sum() == pytest.approx(1, abs=4 * float(ml_dtypes.finfo(dtype).eps))
    expected = reference.gumbel_softmax(logits, 0.5, seed=7)
    assert_within(y, expected, reference.soft_bound(logits, 0.5, seed=7))
    many = session.categorical(np.tile(logits, (100_000, 1)), seed=7)
    softmax = np.exp(np.arange(1, 5)) / np.exp(np.arange(1, 5)).sum()
    np.testing.assert_allclose(np.bincount(many) / many.size, softmax, atol=0.01)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("tau", [1e-38, 1e-3, 1e30])
def test_extreme_temperatures_give_finite_rows(session, dtype, tau):
    logits = np.random.default_rng(0).normal(0, 10, (1000, 11)).astype(dtype)
    y = session.gumbel_softmax(logits, tau, seed=7)
    assert np.isfinite(y).all()
    atol = 16 * float(ml_dtypes.finfo(dtype).eps)
    np.testing.assert_allclose(y.astype(np.float64).sum(axis=-1), 1, rtol=0, atol=atol)


@pytest.mark.parametrize("dtype", FLOATS)
def test_one_class_is_certain(session, dtype):
    logits = np.random.default_rng(0).normal(size=(50, 1)).astype(dtype)
    assert (session.gumbel_softmax(logits, 0.5, seed=7) == 1).all()
    assert (session.categorical(logits, seed=7) == 0).all()
