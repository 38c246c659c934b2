"""The NumPy reference: against the golden files and its own bounds, and at the edges of its arguments."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Any

import golden
import ml_dtypes
import numpy as np
import pytest

import gumbel4j
from gumbel4j import reference
from gumbel4j.reference import _arguments

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))

import exact_ieee
import noise_text

DTYPES = [np.float32, np.float64]
HALVES = [np.float16, ml_dtypes.bfloat16]
FORMATS = [exact_ieee.FLOAT32, exact_ieee.FLOAT64]


def ids(case: Any) -> str:
    return case.name if isinstance(case, golden.Case) else str(case)


# Against the golden files


@pytest.mark.parametrize("case", golden.read("words"), ids=ids)
def test_words_are_the_golden_ones(case: golden.Case) -> None:
    dtype = np.uint64 if case.dtype == np.float64 else np.uint32
    expected = case.words("out", dtype).reshape(case.shape)
    assert golden.equal_bits(reference.words(case.shape, **case.key, dtype=dtype), expected)


@pytest.mark.parametrize("case", golden.read("uniform"), ids=ids)
def test_uniforms_are_the_golden_ones(case: golden.Case) -> None:
    actual = reference.uniform(case.shape, **case.key, dtype=case.dtype)
    assert golden.equal_bits(actual, case.rows("out", np.float64))


@pytest.mark.parametrize("case", golden.read("gumbel"), ids=ids)
def test_gumbel_values_are_true_and_near_the_golden_ones(case: golden.Case) -> None:
    g = reference.gumbel(case.shape, **case.key, dtype=case.dtype)
    true = case.decimals("true").reshape(case.shape)
    assert np.all(np.abs(g - true) <= 4 * np.spacing(np.maximum(np.abs(true), 0.5)))
    assert np.all(np.abs(g - case.rows("out", np.float64)) <= reference.gumbel_bound(g, case.dtype))


@pytest.mark.parametrize("case", [c for c in golden.read("soft") if not c.name.count("refused")], ids=ids)
def test_soft_samples_are_within_their_bound_of_the_golden_ones(case: golden.Case) -> None:
    logits, tau = case.rows("logits"), case.tau
    y = reference.gumbel_softmax(logits, tau, **case.key)
    bound = reference.soft_bound(logits, tau, **case.key)
    assert np.all(np.abs(y - case.rows("out", np.float64)) <= bound)
    assert y.dtype == np.float64
    assert np.allclose(y.sum(axis=1), 1, rtol=0, atol=1e-14)
    assert np.all(y[np.isneginf(logits)] == 0)
    assert np.all(bound[np.isneginf(logits)] == 0)


@pytest.mark.parametrize("operator", ["hard", "categorical"])
def test_chosen_classes_are_the_golden_ones_where_rounding_cannot_change_them(operator: str) -> None:
    rows, undecided = 0, 0
    for case in golden.read(operator):
        if case.integer("returns") < case.integer("rows"):
            continue
        logits = case.rows("logits")
        clear = reference.decided(logits, **case.key)
        if operator == "hard":
            actual = reference.gumbel_softmax(logits, hard=True, **case.key)
            expected = case.rows("out", np.float64)
        else:
            actual = reference.categorical(logits, **case.key)
            expected = np.array(case.entries["out"].split(), np.int32)
            assert actual.dtype == np.int32
        assert np.array_equal(actual[clear], expected[clear]), case.name
        rows += len(logits)
        undecided += int((~clear).sum())
    assert rows >= 40
    assert undecided == 10  # the cases "ties" and "huge logits", whose rows hold equal logits


@pytest.mark.parametrize("case", [c for c in golden.read("hard") if c.name.count("refused")], ids=ids)
def test_the_first_refused_row_is_the_golden_one(case: golden.Case) -> None:
    row = case.integer("returns")
    for call in (reference.gumbel_softmax, reference.categorical, reference.soft_bound, reference.margin):
        with pytest.raises(ValueError, match=rf"logits row {row} holds (NaN|\+inf|nothing above -inf);"):
            call(case.rows("logits"), **case.key)  # type: ignore[operator]


@pytest.mark.parametrize("case", golden.read("vjp"), ids=ids)
def test_gradients_are_within_their_bound_of_the_golden_ones(case: golden.Case) -> None:
    sample, upstream, tau = case.rows("sample"), case.rows("upstream"), case.tau
    dlogits, dtau = reference.vjp(sample, upstream, tau)
    bound, dtau_bound = reference.vjp_bound(sample, upstream, tau)
    expected = case.rows("dlogits")
    with np.errstate(over="ignore"):
        narrowed = dlogits.astype(case.dtype)
    finite = np.isfinite(expected)
    lost = [array[~finite].astype(np.float64) for array in (narrowed, expected)]
    assert np.array_equal(*lost, equal_nan=True)
    assert np.all(np.abs(dlogits[finite] - expected[finite].astype(np.float64)) <= bound[finite])
    assert np.all(dlogits[sample == 0] == 0)
    rows = case.floats("dtau", np.float64)
    if np.ndim(dtau):
        assert dtau.shape == dtau_bound.shape == (len(sample), 1)
        assert np.all(np.abs(dtau[:, 0] - rows) <= dtau_bound[:, 0])
    elif np.isfinite(rows).all():
        assert abs(dtau - rows.sum()) <= dtau_bound
    elif finite.all():
        assert np.isnan(dtau)


# The bounds


@pytest.mark.parametrize("fmt", FORMATS, ids=lambda fmt: fmt.name)
@pytest.mark.parametrize("tau", [1e-38, 1e-6, 1e-3, 0.1, 0.5, 1.0, 10.0, 1e30])
def test_soft_bound_holds_for_random_rows_and_is_no_idle_one(fmt: exact_ieee.Format, tau: float) -> None:
    rng = np.random.default_rng(int(1000 * tau) % 997)
    logits = (rng.normal(size=(12, 24)) * rng.choice([0.1, 3, 300, 1e6], (12, 1))).astype(fmt.name)
    logits[rng.random(logits.shape) < 0.1] = -np.inf
    logits[:, 5] = 0
    exact = np.array([noise_text.soft_row(fmt, x, tau, 3, 1, r) for r, x in enumerate(logits.tolist())])
    y = reference.gumbel_softmax(logits, tau, seed=3, stream=1)
    bound = reference.soft_bound(logits, tau, seed=3, stream=1)
    assert np.all(np.abs(exact - y) <= bound)
    # A bound that allows everything shows nothing: at everyday temperatures it is near the roundoff.
    if 0.1 <= tau <= 10:
        scale = 1 + np.abs(logits[np.isfinite(logits)]).max() / tau
        assert bound.max() <= 100 * np.finfo(fmt.name).eps * scale


@pytest.mark.parametrize("dtype", DTYPES)
def test_soft_bound_sees_a_wrong_temperature(dtype: type) -> None:
    logits = np.random.default_rng(5).normal(size=(40, 30)).astype(dtype)
    y = reference.gumbel_softmax(logits, 0.5, seed=3)
    wrong = reference.gumbel_softmax(logits, 0.5 * (1 + 1e-4), seed=3)
    beyond = np.abs(wrong - y) > reference.soft_bound(logits, 0.5, seed=3)
    assert beyond.any(axis=1).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_gumbel_bound_counts_in_ulp(dtype: type) -> None:
    ulps = reference.GUMBEL_ULPS[np.dtype(dtype)]
    values = np.array([0.0, 0.5, -0.75, 1.0, 3.0, -3.9, 40.0])
    expected = ulps * np.spacing(np.array([0.5, 0.5, 0.75, 1.0, 3.0, 3.9, 40.0], dtype)).astype(np.float64)
    assert np.array_equal(reference.gumbel_bound(values, dtype), expected)


def test_margin_is_the_gap_between_the_best_two() -> None:
    logits = np.random.default_rng(6).normal(size=(3, 7, 5))
    s = np.sort(logits + reference.gumbel((3, 7, 5), seed=9, dtype=np.float64), axis=-1)
    assert np.array_equal(reference.margin(logits, seed=9), s[..., -1] - s[..., -2])
    assert np.array_equal(reference.margin(np.zeros((2, 1)), seed=9), [np.inf, np.inf])


def test_decided_is_false_where_rounding_decides() -> None:
    logits = np.zeros((1, 4), np.float32)
    s = reference.gumbel((1, 4), seed=1)
    close = logits + (s.max() - s).astype(np.float32)  # all four within a rounding of each other
    assert not reference.decided(close, seed=1).any()
    assert reference.decided(logits, seed=1).all()
    assert reference.decided(np.array([[-np.inf, 0.0]]), seed=1).all()


# Layout: rows, axes, strides, chunks


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_split_of_the_rows_gives_the_same_numbers(dtype: type) -> None:
    logits = np.random.default_rng(1).normal(size=(9, 37)).astype(dtype)
    whole = reference.gumbel_softmax(logits, 0.3, seed=4, stream=2, first_row=5)
    for at in range(10):
        parts = [
            reference.gumbel_softmax(part, 0.3, seed=4, stream=2, first_row=first)
            for part, first in ((logits[:at], 5), (logits[at:], 5 + at))
        ]
        assert golden.equal_bits(np.concatenate(parts), whole)


@pytest.mark.parametrize("dtype", DTYPES)
def test_chunks_do_not_show(dtype: type, monkeypatch: pytest.MonkeyPatch) -> None:
    logits = np.random.default_rng(1).normal(size=(50, 70)).astype(dtype)
    word = np.uint32 if dtype is np.float32 else np.uint64

    def everything() -> list[np.ndarray]:
        return [
            reference.gumbel_softmax(logits, 0.3, seed=4),
            reference.categorical(logits, seed=4),
            reference.words((50, 70), seed=4, dtype=word),
            reference.uniform((50, 70), seed=4, dtype=dtype),
            reference.soft_bound(logits, 0.3, seed=4),
            *reference.vjp(np.abs(logits), logits),
        ]

    whole = everything()
    monkeypatch.setattr(_arguments, "_CHUNK", 301)
    for actual, expected in zip(everything(), whole, strict=True):
        assert np.array_equal(actual, expected)


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
def test_rows_are_counted_in_c_order_over_the_other_axes(axis: int) -> None:
    logits = np.random.default_rng(2).normal(size=(3, 4, 5)).astype(np.float32)
    moved = np.ascontiguousarray(np.moveaxis(logits, axis, -1))
    rows = moved.reshape(-1, moved.shape[-1])
    expected = np.moveaxis(reference.gumbel_softmax(rows, seed=1).reshape(moved.shape), -1, axis)
    assert np.array_equal(reference.gumbel_softmax(logits, axis=axis, seed=1), expected)
    indices = reference.categorical(logits, axis, seed=1)
    assert np.array_equal(indices, reference.categorical(rows, seed=1).reshape(moved.shape[:-1]))
    assert indices.shape == reference.margin(logits, axis, seed=1).shape
    y = logits**2
    dlogits, dtau = reference.vjp(y, logits, 0.5, axis)
    row_dlogits, row_dtau = reference.vjp(np.moveaxis(y, axis, -1), np.moveaxis(logits, axis, -1), 0.5)
    assert np.array_equal(np.moveaxis(dlogits, axis, -1), row_dlogits)
    assert dtau == row_dtau


def test_strides_byte_order_and_read_only_arrays_do_not_matter() -> None:
    logits = np.random.default_rng(3).normal(size=(6, 8)).astype(np.float32)
    expected = reference.gumbel_softmax(logits, seed=1)
    read_only = logits.copy()
    read_only.flags.writeable = False
    wide = np.repeat(logits, 2, axis=1)[:, ::2]
    for same in (
        np.asfortranarray(logits),
        logits.astype(">f4"),
        read_only,
        wide,
        wide[::-1][::-1],
    ):
        assert golden.equal_bits(reference.gumbel_softmax(same, seed=1), expected)


def test_one_axis_is_one_row_and_no_rows_are_no_numbers() -> None:
    one = np.array([1.0, 2.0, 3.0], np.float32)
    assert np.array_equal(
        reference.gumbel_softmax(one, seed=1), reference.gumbel_softmax(one[None], seed=1)[0]
    )
    assert reference.categorical(one, seed=1).shape == ()
    assert np.array_equal(reference.gumbel(3, seed=1), reference.gumbel((1, 3), seed=1)[0])
    none = np.empty((0, 3), np.float32)
    assert reference.gumbel_softmax(none, seed=1).shape == (0, 3)
    assert reference.categorical(none, seed=1).shape == (0,)
    assert reference.soft_bound(none, seed=1).shape == (0, 3)
    assert reference.words((2, 0, 3), seed=1).shape == (2, 0, 3)
    dlogits, dtau = reference.vjp(none, none)
    assert dlogits.shape == (0, 3)
    assert dtau == 0


def test_inputs_are_not_changed() -> None:
    logits = np.random.default_rng(3).normal(size=(6, 8))
    upstream = logits[::-1].copy()
    before = logits.copy(), upstream.copy()
    reference.gumbel_softmax(logits, seed=1)
    reference.categorical(logits, seed=1)
    reference.vjp(logits, upstream)
    assert np.array_equal(logits, before[0])
    assert np.array_equal(upstream, before[1])


# What the numbers mean


@pytest.mark.parametrize("dtype", DTYPES)
def test_tau_zero_is_the_hard_sample_and_small_or_large_ones_are_finite(dtype: type) -> None:
    logits = np.random.default_rng(4).normal(size=(20, 6)).astype(dtype)
    hard = reference.gumbel_softmax(logits, hard=True, seed=2)
    assert np.array_equal(hard.sum(axis=1), np.ones(20))
    assert np.array_equal(hard.argmax(axis=1), reference.categorical(logits, seed=2))
    assert np.array_equal(reference.gumbel_softmax(logits, 0.0, seed=2), hard)
    assert np.array_equal(reference.gumbel_softmax(logits, 1e-38, seed=2), hard)
    assert np.allclose(reference.gumbel_softmax(logits, 1e30, seed=2), 1 / 6, rtol=1e-15, atol=0)
    assert np.array_equal(reference.gumbel_softmax(logits[:, :1], 0.5, seed=2), np.ones((20, 1)))


def test_tau_is_rounded_to_the_type_of_the_logits() -> None:
    logits = np.zeros((4, 3), np.float32)
    same = reference.gumbel_softmax(logits, float(np.float32(0.1)), seed=2)
    assert np.array_equal(reference.gumbel_softmax(logits, 0.1, seed=2), same)
    hard = reference.gumbel_softmax(logits, hard=True, seed=2)
    assert np.array_equal(reference.gumbel_softmax(logits, 1e-46, seed=2), hard)
    with pytest.raises(ValueError, match=r"tau = 1e\+39: must be finite .* rounded to float32"):
        reference.gumbel_softmax(logits, 1e39, seed=2)
    with pytest.raises(ValueError, match="tau = 1e-46: must be finite and positive"):
        reference.vjp(logits, logits, 1e-46)


TAUS = [0.0, 1e-38, 0.5, 7.0, 1e30]


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_temperature_for_each_row_gives_the_numbers_of_calls_on_single_rows(dtype: type) -> None:
    logits = np.random.default_rng(4).normal(size=(5, 9)).astype(dtype)
    taus = np.array(TAUS)[:, None]
    y = reference.gumbel_softmax(logits, taus, seed=2)
    bound = reference.soft_bound(logits, taus, seed=2)
    for row, tau in enumerate(TAUS):
        one, key = logits[row : row + 1], {"seed": 2, "first_row": row}
        assert golden.equal_bits(y[row : row + 1], reference.gumbel_softmax(one, tau, **key))
        assert golden.equal_bits(bound[row : row + 1], reference.soft_bound(one, tau, **key))
    assert golden.equal_bits(
        reference.gumbel_softmax(logits, taus, hard=True, seed=2),
        reference.gumbel_softmax(logits, hard=True, seed=2),
    )
    sample, upstream, taus = np.abs(logits), logits[::-1], taus + 0.1
    gradients = reference.vjp(sample, upstream, taus)
    bounds = reference.vjp_bound(sample, upstream, taus)
    for row, tau in enumerate(taus[:, 0]):
        one, other = sample[row : row + 1], upstream[row : row + 1]
        for actual, (expected, expected_dtau) in (
            (gradients, reference.vjp(one, other, tau)),
            (bounds, reference.vjp_bound(one, other, tau)),
        ):
            assert golden.equal_bits(actual[0][row : row + 1], expected)
            assert np.asarray(actual[1])[row, 0] == expected_dtau


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_temperatures_broadcast_along_every_axis_and_gradients_add_up_along_them(axis: int) -> None:
    rng = np.random.default_rng(4)
    logits, upstream = rng.normal(size=(2, 3, 4, 5))
    each = [1 if at == axis else size for at, size in enumerate(logits.shape)]
    for shared in np.ndindex(2, 2, 2):
        shape = [1 if one else size for one, size in zip(shared, each, strict=True)]
        taus = rng.uniform(0.5, 2, shape)
        spread = np.broadcast_to(taus, each)
        y = reference.gumbel_softmax(logits, taus, axis=axis, seed=2)
        assert np.array_equal(y, reference.gumbel_softmax(logits, spread, axis=axis, seed=2))
        dlogits, dtau = reference.vjp(y, upstream, taus, axis)
        expected, dtau_of_each = reference.vjp(y, upstream, spread, axis)
        assert np.array_equal(dlogits, expected)
        assert np.shape(dtau) == taus.shape
        over = tuple(np.flatnonzero(shared))
        assert np.allclose(dtau, dtau_of_each.sum(axis=over, keepdims=True), rtol=1e-13, atol=1e-13)


def chi_square_of_argmax(noise: np.ndarray, logits: np.ndarray) -> float:
    counts = np.bincount((logits + noise).argmax(axis=1), minlength=logits.size)
    expected = np.exp(logits) / np.exp(logits).sum() * len(noise)
    return float(((counts - expected) ** 2 / expected).sum())


@pytest.mark.parametrize("dtype", DTYPES)
def test_classes_come_up_as_often_as_softmax_says_and_gaussian_noise_would_be_caught(dtype: type) -> None:
    logits = np.array([-1.0, 0.0, 0.5, 1.0, 2.0, -3.0])
    noise = reference.gumbel((200_000, 6), seed=11, dtype=dtype)
    critical = 35.9  # chance alone exceeds it once in a million, with 5 degrees of freedom
    assert chi_square_of_argmax(noise, logits) < critical
    gaussian = np.random.default_rng(11).normal(scale=np.pi / np.sqrt(6), size=noise.shape)
    assert chi_square_of_argmax(gaussian, logits) > critical


def test_gradients_agree_with_central_differences() -> None:
    logits = np.random.default_rng(8).normal(size=(4, 5))
    upstream = np.random.default_rng(9).normal(size=(4, 5))
    step = 1e-5

    def objective(x: np.ndarray, temperature: Any) -> float:
        return float((upstream * reference.gumbel_softmax(x, temperature, seed=3)).sum())

    for tau in (np.float64(0.7), np.array([[0.7], [0.4], [1.0], [3.0]])):
        dlogits, dtau = reference.vjp(reference.gumbel_softmax(logits, tau, seed=3), upstream, tau)
        assert np.shape(dtau) == tau.shape
        for at in np.ndindex(logits.shape):
            shift = np.zeros_like(logits)
            shift[at] = step
            slope = (objective(logits + shift, tau) - objective(logits - shift, tau)) / (2 * step)
            assert abs(slope - dlogits[at]) < 1e-8
        for at in np.ndindex(tau.shape):
            tau_shift = np.zeros_like(tau)
            tau_shift[at] = step
            slope = (objective(logits, tau + tau_shift) - objective(logits, tau - tau_shift)) / (2 * step)
            assert abs(slope - dtau[at]) < 1e-8


# Types of 16 bits


@pytest.mark.parametrize("dtype", HALVES)
def test_half_types_are_computed_as_float32(dtype: type) -> None:
    logits = np.random.default_rng(1).normal(0, 5, (30, 9)).astype(dtype)
    upstream = logits[::-1]
    wide = logits.astype(np.float32)
    taus = np.linspace(0.3, 2, 30)[:, None]
    for actual, expected in (
        (reference.gumbel_softmax(logits, taus, seed=4), reference.gumbel_softmax(wide, taus, seed=4)),
        (reference.gumbel_softmax(logits, taus.astype(dtype), seed=4),
         reference.gumbel_softmax(wide, taus.astype(dtype).astype(float), seed=4)),
        (reference.categorical(logits, seed=4), reference.categorical(wide, seed=4)),
        (reference.decided(logits, seed=4), reference.decided(wide, seed=4)),
        (reference.uniform((3, 70), seed=4, dtype=dtype), reference.uniform((3, 70), seed=4)),
        (reference.gumbel((3, 70), seed=4, dtype=dtype), reference.gumbel((3, 70), seed=4)),
        *zip(reference.vjp(logits, upstream, taus), reference.vjp(wide, wide[::-1], taus), strict=True),
    ):  # fmt: skip
        assert golden.equal_bits(actual, expected)  # type: ignore[arg-type]


def test_bfloat16_is_known_by_its_name() -> None:
    by_name = reference.gumbel((3, 4), seed=1, dtype="bfloat16")
    assert golden.equal_bits(by_name, reference.gumbel((3, 4), seed=1, dtype=ml_dtypes.bfloat16))


@pytest.mark.parametrize("dtype", HALVES)
def test_half_types_add_half_a_unit_to_the_bound(dtype: type) -> None:
    info = ml_dtypes.finfo(dtype)
    eps, tiny, largest = (float(x) for x in (info.eps, info.smallest_normal, info.max))
    half = _arguments.stream_kind(dtype).half
    assert half is not None
    values = np.array([0.0, tiny / 4, tiny, 1.0, 1.5, -2.0, largest, largest * (1 + eps), np.inf])
    units = [eps * tiny] * 3 + [eps, eps, 2 * eps, largest / (2 - eps) * eps, np.inf, np.inf]
    assert np.array_equal(half.widened(values, np.zeros_like(values)), np.array(units) / 2)
    # The unit of the result, also where the true value is just below a power of two.
    assert half.widened(np.array([2 - 1e-12]), np.array([1e-9])) == 1e-9 + eps
    assert half.widened(np.array([largest]), np.array([largest * eps])) == np.inf


@pytest.mark.parametrize("dtype", HALVES)
def test_bounds_of_half_types_hold_for_the_rounded_reference_and_are_no_idle_ones(dtype: type) -> None:
    logits = np.random.default_rng(1).normal(0, 3, (400, 33)).astype(dtype)
    y = reference.gumbel_softmax(logits, 0.2, seed=4)  # some values are subnormal in float16, some vanish
    errors = np.abs(y.astype(dtype).astype(float) - y) / reference.soft_bound(logits, 0.2, seed=4)
    assert 0.9 < errors.max() <= 1
    g = reference.gumbel((400, 33), seed=4, dtype=dtype)
    errors = np.abs(g.astype(dtype).astype(float) - g) / reference.gumbel_bound(g, dtype)
    assert 0.9 < errors.max() <= 1
    upstream = np.random.default_rng(2).normal(0, 1, y.shape).astype(dtype)
    dlogits, dtau = reference.vjp(y.astype(dtype), upstream, 0.2)
    bound, dtau_bound = reference.vjp_bound(y.astype(dtype), upstream, 0.2)
    errors = np.abs(dlogits.astype(dtype).astype(float) - dlogits)
    assert np.all(errors <= bound)
    assert errors.max() > 0.3 * bound.max()
    assert dtau_bound < 1e-4 * np.abs(dtau)  # of float32: not rounded to half


def test_gradients_of_float16_that_overflow_have_no_bound() -> None:
    sample, upstream = np.array([[0.5, 0.5]], np.float16), np.array([[6e4, -6e4]], np.float16)
    dlogits, _ = reference.vjp(sample, upstream, 0.1)
    assert np.array_equal(dlogits.round(), [[300_000, -300_000]])
    assert np.isinf(reference.vjp_bound(sample, upstream, 0.1)[0]).all()


def test_the_gradient_of_tau_can_be_left_out() -> None:
    sample, upstream = np.array([[0.25, 0.75]]), np.array([[1.0, 2.0]])
    dlogits, dtau = reference.vjp(sample, upstream, tau_gradient=False)
    assert dtau is None
    assert np.array_equal(dlogits, reference.vjp(sample, upstream)[0])


# The key


def test_no_seed_draws_from_the_default_generator() -> None:
    logits = np.zeros((3, 4), np.float32)
    gumbel4j.seed(17)
    first, second = reference.gumbel_softmax(logits), reference.gumbel_softmax(logits)
    assert np.array_equal(first, reference.gumbel_softmax(logits, seed=17))
    assert np.array_equal(second, reference.gumbel_softmax(logits, seed=17, stream=1))
    generator = gumbel4j.Generator(17)
    assert np.array_equal(reference.categorical(logits, seed=generator), first.argmax(axis=1))
    with pytest.raises(ValueError, match="stream"):
        reference.gumbel_softmax(logits, seed=generator, stream=3)


def test_a_refused_call_takes_nothing_from_the_generator() -> None:
    generator = gumbel4j.Generator(5)
    with pytest.raises(ValueError, match="tau"):
        reference.gumbel_softmax(np.zeros((1, 2)), -1.0, seed=generator)
    with pytest.raises(ValueError, match="row 0"):
        reference.gumbel_softmax(np.full((1, 2), np.nan), seed=generator)
    assert generator.stream == 0


def test_the_reference_stands_on_numpy_alone() -> None:
    modules = set()
    for file in Path(reference.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                modules.add(str(node.module))
    others = {name for name in modules if not name.startswith("gumbel4j.reference.")}
    ours = {name for name in others if name.startswith("gumbel4j")}
    assert ours <= {"gumbel4j.generator"}  # seeds only
    assert others - ours - set(sys.stdlib_module_names) <= {"numpy", "numpy.typing", "collections.abc"}


# Refusals

ZEROS = np.zeros((2, 3), np.float32)


@pytest.mark.parametrize(
    ("error", "message", "call"),
    [
        (
            TypeError,
            "logits must be an array of float32, float64, float16 or bfloat16; got dtype int64",
            lambda: soft(np.zeros((2, 3), int)),
        ),
        (TypeError, "convert it with .astype", lambda: soft(np.zeros((2, 3), np.longdouble))),
        (TypeError, "got dtype complex128", lambda: soft(np.zeros((2, 3), complex))),
        (TypeError, "got dtype object", lambda: soft(np.zeros((2, 3), object))),
        (ValueError, "logits must have at least one axis", lambda: soft(np.float32(1))),
        (ValueError, "at least one class; its shape", lambda: soft(np.zeros((2, 0)))),
        (ValueError, "axis must be in", lambda: soft(ZEROS, axis=2)),
        (TypeError, "axis must be an integer; got 0.5", lambda: soft(ZEROS, axis=0.5)),
        (ValueError, "tau = -1.0: must be finite and not negative", lambda: soft(ZEROS, tau=-1.0)),
        (ValueError, "tau = nan: must be finite and not negative", lambda: soft(ZEROS, tau=np.nan)),
        (ValueError, "tau = inf: must be finite and not negative", lambda: soft(ZEROS, tau=np.inf)),
        (
            ValueError,
            "tau = -1.0: must be finite and not negative",
            lambda: soft(ZEROS, tau=-1.0, hard=True),
        ),
        (
            TypeError,
            "tau must be a real number or an array of real numbers; got '1'",
            lambda: soft(ZEROS, tau="1"),
        ),
        (
            TypeError,
            "tau must be a real number or an array of real numbers; got None",
            lambda: soft(ZEROS, tau=None),
        ),
        (ValueError, r"seed must be an integer in \[0, 2\*\*64\); got -1", lambda: soft(ZEROS, seed=-1)),
        (ValueError, "seed must be", lambda: soft(ZEROS, seed=2**64)),
        (TypeError, "seed must be", lambda: soft(ZEROS, seed=1.5)),
        (ValueError, "stream must be an integer in", lambda: soft(ZEROS, stream=2**63)),
        (TypeError, "stream must be an integer in", lambda: soft(ZEROS, stream=0.0)),
        (ValueError, "first_row must be an integer in", lambda: soft(ZEROS, first_row=-1)),
        (TypeError, "first_row must be an integer in", lambda: soft(ZEROS, first_row=True)),
        (ValueError, "first_row must leave", lambda: soft(ZEROS, first_row=2**62)),
        (ValueError, "shape must end in at least one class", lambda: reference.gumbel((), seed=1)),
        (ValueError, "shape must end in at least one class", lambda: reference.gumbel((3, 0), seed=1)),
        (ValueError, "shape must end in at least one class", lambda: reference.gumbel((-1, 3), seed=1)),
        (TypeError, "shape must be an integer or", lambda: reference.gumbel((2.5, 3), seed=1)),
        (
            TypeError,
            "dtype must be float32, float64, float16 or bfloat16; got int32",
            lambda: reference.gumbel(3, seed=1, dtype=np.int32),
        ),
        (TypeError, "dtype must be uint32", lambda: reference.words(3, seed=1, dtype=np.float32)),
        (ValueError, "upstream must have the shape of sample", lambda: reference.vjp(ZEROS, ZEROS[:1])),
        (
            TypeError,
            "upstream must have the dtype of sample",
            lambda: reference.vjp(ZEROS, ZEROS.astype(float)),
        ),
        (
            TypeError,
            "must have the dtype of sample, float32; got float16",
            lambda: reference.vjp(ZEROS, ZEROS.astype(np.float16)),
        ),
        (TypeError, "upstream must be an array of float32", lambda: reference.vjp(ZEROS, ZEROS.astype(int))),
        (TypeError, "tau must be a real number.*got True", lambda: soft(ZEROS, tau=True)),
        (TypeError, "tau must be a real number.*dtype complex128", lambda: soft(ZEROS, tau=[[1j], [1]])),
        (ValueError, "tau = inf: must be finite", lambda: soft(ZEROS, tau=10**400)),
        (ValueError, r"tau\[1, 0\] = -2: must be finite", lambda: soft(ZEROS, tau=[[1], [-2]])),
        (
            ValueError,
            r"broadcast to \(2, 1\), .*shape \(2, 3\); got shape \(2,\): use np.expand_dims\(tau, 1\)",
            lambda: soft(ZEROS, tau=[1, 2]),
        ),
        (ValueError, r"\(2, 1\), .*got shape \(2, 3\)$", lambda: soft(ZEROS, tau=ZEROS)),
        (ValueError, "tau = 0.0: must be finite and positive", lambda: reference.vjp(ZEROS, ZEROS, 0.0)),
        (ValueError, r"tau\[0, 0\] = 0:", lambda: reference.vjp(ZEROS, ZEROS, [[0], [1]])),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(error: type[Exception], message: str, call: Any) -> None:
    with pytest.raises(error, match=message):
        call()


def soft(logits: Any, **arguments: Any) -> Any:
    return reference.gumbel_softmax(logits, **{"seed": 1, **arguments})


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_refused_row_is_counted_over_all_other_axes(dtype: type) -> None:
    logits = np.zeros((2, 3, 4), dtype)
    logits[1, :, 2] = -np.inf  # with axis 1, row 1 * 4 + 2
    with pytest.raises(ValueError, match="logits row 6 holds nothing above -inf"):
        reference.gumbel_softmax(logits, axis=1, seed=1)
    logits[0, 1, 3] = np.nan
    with pytest.raises(ValueError, match="logits row 3 holds NaN"):
        reference.gumbel_softmax(logits, axis=1, seed=1)
