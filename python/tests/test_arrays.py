"""Which arrays may be passed, in which layouts, and what is said about those that may not."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import golden
import ml_dtypes
import numpy as np
import pytest
from numpy.typing import NDArray

from gumbel4j import Generator, Session, _dtypes, _strides

HALVES = (np.float16, ml_dtypes.bfloat16)
DTYPES = (np.float32, np.float64, *HALVES)


def logits(shape: tuple[int, ...], dtype: Any = np.float32) -> NDArray[Any]:
    """Return some logits."""
    return np.random.default_rng(1).normal(size=shape).astype(dtype)


LAYOUTS: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "C": lambda x: x,
    "Fortran": np.asfortranarray,
    "reversed": lambda x: x[::-1, :, ::-1][::-1, :, ::-1],
    "negative strides": lambda x: np.ascontiguousarray(x[:, ::-1])[:, ::-1],
    "strided": lambda x: np.repeat(x, 2, axis=-1)[..., ::2],
    "big-endian": lambda x: x if _dtypes.is_bfloat16(x.dtype) else x.astype(x.dtype.newbyteorder(">")),
    "unaligned": lambda x: np.frombuffer(b"x" + x.tobytes(), np.uint8)[1:].view(x.dtype).reshape(x.shape),
    "transposed": lambda x: np.ascontiguousarray(x.transpose(2, 0, 1)).transpose(1, 2, 0),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(session: Session, layout: str, dtype: type) -> None:
    """Numbers depend on the values and their indices, not on where they stand in memory."""
    x = logits((3, 4, 5), dtype)
    laid_out = LAYOUTS[layout](x)
    laid_out.flags.writeable = False
    np.testing.assert_array_equal(laid_out, x)
    y = session.gumbel_softmax(laid_out, 0.5, seed=1)
    assert y.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(y, session.gumbel_softmax(x, 0.5, seed=1))
    dlogits, dtau = session.vjp(y, laid_out, 0.5)
    expected, expected_dtau = session.vjp(y.copy(), x, 0.5)
    np.testing.assert_array_equal(dlogits, expected)
    assert dtau == expected_dtau
    assert dtau.dtype == (np.float64 if dtype is np.float64 else np.float32)
    np.testing.assert_array_equal(laid_out, x)


@pytest.fixture
def no_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every copy between an array and an operand fail."""

    def refuse(*_arguments: object) -> None:
        raise AssertionError("an array was copied")

    monkeypatch.setattr(_strides.Copying, "copy", refuse)
    monkeypatch.setattr(_strides, "copy", refuse)


SHARED_VIEWS: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "whole": lambda x: x,
    "rows": lambda x: x[1:3],
    "every second of axis 1": lambda x: x[:, ::2],
    "every third class": lambda x: x[..., ::3],
    "transposed": lambda x: x.T,
    "axes 0 and 1 exchanged": lambda x: x.transpose(1, 0, 2),
    "one row": lambda x: x[2, 1],
    "column": lambda x: x[1, :, 2],
    "a row for all": lambda x: np.broadcast_to(x[0, 0], (7, x.shape[2])),
    "a class for all": lambda x: np.broadcast_to(x[..., :1], (*x.shape[:2], 9)),
    "axis 0 repeated": lambda x: np.broadcast_to(x[:1], (5, *x.shape[1:])),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("view", SHARED_VIEWS)
def test_views_of_shared_memory_are_not_copied(
    session: Session, view: str, dtype: type, request: pytest.FixtureRequest
) -> None:
    """Whatever the axis of the classes; `out` too, and the temperatures of rows that share one."""
    shared = session.empty((4, 6, 10), dtype)
    shared[...] = logits((4, 6, 10), dtype)
    x = SHARED_VIEWS[view](shared)
    assert np.shares_memory(x, shared)
    expected = []
    for axis in range(x.ndim):
        soft = session.gumbel_softmax(x.copy(), 0.5, axis=axis, seed=1)
        gradients = session.vjp(soft, x.copy(), 0.5, axis)
        expected.append((soft, session.categorical(x.copy(), axis, seed=1), *gradients))
    taus = session.empty((1,) * x.ndim, np.float32 if dtype in HALVES else dtype)
    taus[...] = 0.5
    request.getfixturevalue("no_copies")
    for axis, (soft, classes, dlogits, dtau) in enumerate(expected):
        sizes = tuple(1 if at == axis else size for at, size in enumerate(x.shape))
        spread = np.broadcast_to(taus, sizes)
        for y in (
            session.gumbel_softmax(x, 0.5, axis=axis, seed=1),
            session.gumbel_softmax(x, spread, axis=axis, seed=1),
        ):
            assert y.flags.c_contiguous
            assert golden.equal_bits(y, soft)
        out = session.empty((2, *x.shape), dtype)[1]
        assert session.gumbel_softmax(x, 0.5, axis=axis, seed=1, out=out) is out
        assert golden.equal_bits(out, soft)
        indices = session.empty((*classes.shape, 3), np.int32)[..., 1]
        assert session.categorical(x, axis, seed=1, out=indices) is indices
        np.testing.assert_array_equal(indices, classes)
        gradient, slope = session.vjp(out, x, 0.5, axis)
        assert gradient.flags.c_contiguous
        assert golden.equal_bits(gradient, dlogits)
        assert slope == dtau


@pytest.mark.parametrize(
    "view",
    [lambda x: x[::2, :, ::3], lambda x: x[:, 1:4], lambda x: x.transpose(2, 0, 1)[:, :, ::2]],
    ids=["spread", "part", "transposed"],
)
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_views_of_shared_memory_are_written_where_they_are(
    session: Session, view: Callable[[NDArray[Any]], NDArray[Any]], axis: int, request: pytest.FixtureRequest
) -> None:
    """And nothing between their elements changes."""
    whole = session.empty((4, 6, 10))
    whole[...] = 7
    out = view(whole)
    x = session.empty(out.shape)
    x[...] = logits(out.shape)
    expected, noise = np.full_like(whole, 7), np.full_like(whole, 7)
    view(expected)[...] = session.gumbel_softmax(x, 0.5, axis=axis, seed=1)
    view(noise)[...] = session.gumbel(out.shape, seed=1)
    request.getfixturevalue("no_copies")
    assert session.gumbel_softmax(x, 0.5, axis=axis, seed=1, out=out) is out
    np.testing.assert_array_equal(whole, expected)
    assert session.gumbel(out.shape, seed=1, out=out) is out
    np.testing.assert_array_equal(whole, noise)


def test_what_no_two_groups_of_axes_can_tell_is_copied(session: Session) -> None:
    """Inputs and outputs, alone or together with others."""
    whole = session.empty((4, 5, 6, 7))
    whole[...] = logits(whole.shape)
    three_groups = whole[:, ::2, ::3]
    expected = session.gumbel_softmax(three_groups.copy(), 0.5, seed=1)
    np.testing.assert_array_equal(session.gumbel_softmax(three_groups, 0.5, seed=1), expected)
    spread = session.empty((4, 5, 6, 7))[:, ::2, ::3]
    session.gumbel_softmax(three_groups, 0.5, seed=1, out=spread)
    np.testing.assert_array_equal(spread, expected)
    # Each has two groups, but they meet at different axes.
    x, v, taus = whole[:, ::2], whole[:, :3, :, ::-1].transpose(0, 1, 2, 3), np.ones((1, 3, 1, 1))
    y = session.gumbel_softmax(x, taus, seed=1)
    np.testing.assert_array_equal(y, session.gumbel_softmax(x.copy(), 1.0, seed=1))
    for mine, theirs in zip(session.vjp(y, v, 0.5), session.vjp(y.copy(), v.copy(), 0.5), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_foreign_arrays_are_copied_as_they_lie_in_memory(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, without what is repeated."""
    sizes: list[int] = []
    empty = session._runtime._pool.empty

    def counted(shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        array = empty(shape, dtype)
        sizes.append(array.nbytes)
        return array

    monkeypatch.setattr(session._runtime._pool, "empty", counted)
    x = logits((3, 4, 5))
    for array, axis, copied in (
        (x, 1, 240),
        (x.T, 0, 240),
        (np.broadcast_to(x[0], (1000, 4, 5)), 2, 80),
        (np.broadcast_to(x[..., :1], (3, 4, 1000)), 2, 48),
        (x[:, ::2, ::-1], 2, 120),
    ):
        sizes.clear()
        session.categorical(array, axis, seed=1)
        assert sizes == [4 * array.size // array.shape[axis], copied]


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("shape", [(300, 1), (300, 7), (40, 64), (3, 3000), (5, 33, 70)], ids=str)
def test_half_types_are_float32_rounded_once(session: Session, dtype: type, shape: tuple[int, ...]) -> None:
    """Equal bits: noise, soft, hard, classes, gradients; at every axis; temperatures are float32."""
    x, v = logits((2, *shape), dtype)
    x[0] = logits(shape[1:], dtype) * 10  # some soft values are subnormal, some vanish
    wide, wide_v = x.astype(np.float32), v.astype(np.float32)
    noise = session.gumbel(shape, seed=1, dtype=dtype)
    assert golden.equal_bits(noise, session.gumbel(shape, seed=1).astype(dtype))
    uniform = session.uniform(shape, seed=1, dtype=dtype)
    assert golden.equal_bits(uniform, session.uniform(shape, seed=1))
    for axis in range(len(shape)):
        sizes = tuple(1 if at == axis else size for at, size in enumerate(shape))
        for tau in (0.1, np.random.default_rng(3).uniform(0.1, 2, sizes)):
            y = session.gumbel_softmax(x, tau, axis=axis, seed=1)
            expected = session.gumbel_softmax(wide, tau, axis=axis, seed=1)
            assert golden.equal_bits(y, expected.astype(dtype))
            dlogits, dtau = session.vjp(y, v, tau, axis)
            expected, expected_dtau = session.vjp(y.astype(np.float32), wide_v, tau, axis)
            assert golden.equal_bits(dlogits, expected.astype(dtype))
            assert golden.equal_bits(np.asarray(dtau), np.asarray(expected_dtau))
        hard = session.gumbel_softmax(x, hard=True, axis=axis, seed=1)
        assert golden.equal_bits(
            hard, session.gumbel_softmax(wide, hard=True, axis=axis, seed=1).astype(dtype)
        )
        classes = session.categorical(x, axis, seed=1)
        assert golden.equal_bits(classes, session.categorical(wide, axis, seed=1))


def test_gradients_of_float16_overflow_to_infinity(session: Session) -> None:
    """As a rounding to float16 does; float32 in between has room."""
    sample, upstream = np.array([[0.5, 0.5]], np.float16), np.array([[6e4, -6e4]], np.float16)
    dlogits, dtau = session.vjp(sample, upstream, 0.1)
    np.testing.assert_array_equal(dlogits, [[np.inf, -np.inf]])
    assert np.isfinite(dtau)


def test_bfloat16_by_name(session: Session) -> None:
    """Where an array is made; a temperature may be of any dtype of 16 bits."""
    x = session.empty((3, 4), "bfloat16")
    assert x.dtype == ml_dtypes.bfloat16
    x[...] = logits((3, 4))
    taus = np.full((3, 1), 0.5, ml_dtypes.bfloat16)
    expected = session.gumbel_softmax(x, 0.5, seed=1)
    np.testing.assert_array_equal(session.gumbel_softmax(x, taus, seed=1), expected)
    assert session.gumbel((3, 4), seed=1, dtype="bfloat16", out=x) is x


def test_the_gradient_of_tau_can_be_left_out(session: Session) -> None:
    """With one temperature or many."""
    x = logits((3, 4))
    y = session.gumbel_softmax(x, 0.5, seed=1)
    for tau in (0.5, [[0.5], [1.0], [2.0]]):
        dlogits, dtau = session.vjp(y, x, tau, tau_gradient=False)
        assert dtau is None
        np.testing.assert_array_equal(dlogits, session.vjp(y, x, tau)[0])


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
def test_axes(session: Session, axis: int) -> None:
    """Rows count in C order over the other axes."""
    x = logits((3, 4, 5))
    moved = np.ascontiguousarray(np.moveaxis(x, axis, -1))
    soft = session.gumbel_softmax(x, 0.5, axis=axis, seed=1)
    expected = np.moveaxis(session.gumbel_softmax(moved, 0.5, seed=1), -1, axis)
    np.testing.assert_array_equal(soft, expected)
    hard = session.gumbel_softmax(x, hard=True, axis=axis, seed=1)
    drawn = session.categorical(x, axis, seed=1)
    assert drawn.dtype == np.int32
    np.testing.assert_array_equal(drawn, session.categorical(moved, seed=1))
    np.testing.assert_array_equal(hard.argmax(axis), drawn)
    for out in (np.empty_like(x), session.empty(x.shape), session.empty(moved.shape)):
        out = out if out.shape == x.shape else np.moveaxis(out, -1, axis)
        assert session.gumbel_softmax(x, 0.5, axis=axis, seed=1, out=out) is out
        np.testing.assert_array_equal(out, expected)
    for out in (np.empty(drawn.shape, np.int32), session.empty(drawn.shape, np.int32)):
        assert session.categorical(x, axis, seed=1, out=out) is out
        np.testing.assert_array_equal(out, drawn)
    dlogits, _ = session.vjp(soft, x, 0.5, axis)
    np.testing.assert_array_equal(
        dlogits, np.moveaxis(session.vjp(np.moveaxis(soft, axis, -1), moved, 0.5)[0], -1, axis)
    )


def test_one_axis_and_lists(session: Session) -> None:
    """A single row is enough; its index has shape ()."""
    y = session.gumbel_softmax([1.0, 2.0, 3.0, 4.0], 0.5, seed=7)
    assert (y.shape, y.dtype) == ((4,), np.float64)
    k = session.categorical(np.array([1, 2, 3, 4], np.float32), seed=7)
    assert (k.shape, k.dtype) == ((), np.int32)
    out = session.empty((), np.int32)
    assert session.categorical(np.array([1, 2, 3, 4], np.float32), seed=7, out=out) is out
    assert out == k


def test_no_rows(session: Session) -> None:
    """Nothing in, nothing out, and arguments are checked all the same."""
    x = np.empty((0, 4, 5), np.float32)
    assert session.gumbel_softmax(x, seed=1).shape == (0, 4, 5)
    assert session.gumbel_softmax(x, axis=1, seed=1).shape == (0, 4, 5)
    assert session.categorical(x, axis=1, seed=1).shape == (0, 5)
    assert session.gumbel((0, 5), seed=1).shape == (0, 5)
    dlogits, dtau = session.vjp(x, x)
    assert (dlogits.shape, dtau) == ((0, 4, 5), 0)
    out = np.empty_like(x)
    assert session.gumbel_softmax(x, seed=1, out=out) is out
    with pytest.raises(ValueError, match="tau = -1"):
        session.gumbel_softmax(x, -1, seed=1)


def test_splits(session: Session) -> None:
    """Parts with their own first_row equal the whole."""
    whole = session.gumbel((100, 7), seed=1)
    parts = [session.gumbel((n, 7), seed=1, first_row=first) for first, n in ((0, 33), (33, 1), (34, 66))]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_seeds_use_all_64_bits(session: Session) -> None:
    """Seeds of 2**63 and more are others than the small ones."""
    seeds = [0, 1, 2**63 - 1, 2**63, 2**64 - 1]
    words = {session.words((1, 4), seed=seed).tobytes() for seed in seeds}
    assert len(words) == len(seeds)
    assert session.words((1, 4), seed=1, dtype=np.uint64).dtype == np.uint64
    assert session.uniform((1, 4), seed=1, dtype=np.float64).dtype == np.float64


@pytest.mark.parametrize("tau", [0.0, 1e-38, 1e-3, 1.0, 1e30])
def test_extreme_temperatures(session: Session, tau: float) -> None:
    """Rows are finite and sum to 1; tau = 0 is one-hot."""
    y = session.gumbel_softmax(logits((50, 10)), tau, seed=1)
    np.testing.assert_allclose(y.sum(-1), 1, rtol=1e-6)
    if tau == 0:
        np.testing.assert_array_equal(y, session.gumbel_softmax(logits((50, 10)), hard=True, seed=1))


@pytest.mark.parametrize("case", golden.read("soft"), ids=lambda case: case.name)
def test_soft_samples_are_the_golden_ones(session: Session, case: golden.Case) -> None:
    """One temperature or one for each row: the bits of the definition."""
    if case.integer("returns") < case.integer("rows"):
        with pytest.raises(ValueError, match=f"logits row {case.integer('returns')} "):
            session.gumbel_softmax(case.rows("logits"), case.tau, **case.key)
    else:
        y = session.gumbel_softmax(case.rows("logits"), case.tau, **case.key)
        assert golden.equal_bits(y, case.rows("out"))


@pytest.mark.parametrize("case", golden.read("vjp"), ids=lambda case: case.name)
def test_gradients_are_the_golden_ones(session: Session, case: golden.Case) -> None:
    """Each row's gradient with respect to its temperature too."""
    taus = np.broadcast_to(case.tau, (case.integer("rows"), 1))
    dlogits, dtau = session.vjp(case.rows("sample"), case.rows("upstream"), taus)
    assert golden.equal_bits(dlogits, case.rows("dlogits"))
    assert isinstance(dtau, np.ndarray)
    assert golden.equal_bits(dtau[:, 0], case.floats("dtau", case.compute_dtype))


TAUS = np.array([0.0, 1e-38, 0.5, 7.0, 1e30])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("classes", [1, 3, 10, 64, 1000])
def test_a_temperature_for_each_row(session: Session, classes: int, dtype: type) -> None:
    """Row by row the bits of calls with one temperature, wherever the temperatures lie."""
    x, v = logits((40, classes), dtype), logits((41, classes), dtype)[1:]
    taus = np.tile(TAUS, 8)[:, np.newaxis]
    y = session.gumbel_softmax(x, taus, seed=1)
    shared = session.empty((40, 1), np.float64 if dtype is np.float64 else np.float32)
    shared[:] = taus
    column = session.empty((40, 7), shared.dtype)[:, 3:4]
    column[:] = taus
    for same in (shared, column, taus.astype(">f4"), taus.tolist(), -np.negative(taus)):
        np.testing.assert_array_equal(session.gumbel_softmax(x, same, seed=1), y)
    positive = np.where(taus == 0, 0.1, taus)
    dlogits, dtau = session.vjp(y, v, positive)
    assert isinstance(dtau, np.ndarray)
    assert (dtau.shape, dtau.dtype) == ((40, 1), shared.dtype)
    for row in range(40):
        tau, one = taus[row, 0], slice(row, row + 1)
        np.testing.assert_array_equal(session.gumbel_softmax(x[one], tau, seed=1, first_row=row), y[one])
        expected, expected_dtau = session.vjp(y[one], v[one], positive[row, 0])
        np.testing.assert_array_equal(dlogits[one], expected)
        assert golden.equal_bits(dtau[row], np.atleast_1d(expected_dtau))
    np.testing.assert_array_equal(
        session.gumbel_softmax(x, taus, hard=True, seed=1), session.gumbel_softmax(x, 0, seed=1)
    )


@pytest.mark.parametrize(
    ("axis", "shape"),
    [
        (-1, (3, 4, 1)),
        (-1, (3, 1, 1)),
        (-1, (4, 1)),
        (-1, (1, 1)),
        (-1, ()),
        (1, (3, 1, 5)),
        (1, (3, 1, 1)),
        (1, (1, 1, 5)),
        (1, (1, 5)),
        (1, (5,)),
        (0, (4, 5)),
        (0, (1, 4, 1)),
        (0, (1, 1, 1)),
    ],
)
def test_temperatures_broadcast(session: Session, axis: int, shape: tuple[int, ...]) -> None:
    """As NumPy does; gradients add up, in float64, over the rows that share a temperature."""
    x = logits((3, 4, 5))
    tau = np.random.default_rng(2).uniform(0.5, 2, shape).astype(np.float32)
    each = np.broadcast_to(tau, np.expand_dims(x.max(axis), axis).shape)
    y = session.gumbel_softmax(x, tau, axis=axis, seed=1)
    np.testing.assert_array_equal(y, session.gumbel_softmax(x, each, axis=axis, seed=1))
    dlogits, dtau = session.vjp(y, x, tau, axis)
    expected, dtau_of_each = session.vjp(y, x, each, axis)
    np.testing.assert_array_equal(dlogits, expected)
    assert (dtau.shape, dtau.dtype) == (shape, np.float32)
    assert isinstance(dtau, np.ndarray if shape else np.float32)
    shared = tuple(at for at, size in enumerate((1,) * (3 - len(shape)) + shape) if size == 1)
    total = dtau_of_each.sum(axis=shared, dtype=np.float64).reshape(shape)
    np.testing.assert_allclose(dtau, total, rtol=1.01 * 2**-24)


def test_temperatures_of_no_rows(session: Session) -> None:
    """Nothing to sample; gradients with respect to what no row uses are 0."""
    x = np.empty((0, 4, 5), np.float32)
    for shape in ((0, 4, 1), (4, 1), (1, 4, 1), (1, 1), ()):
        tau = np.ones(shape)
        assert session.gumbel_softmax(x, tau, seed=1).shape == x.shape
        dlogits, dtau = session.vjp(x, x, tau)
        assert (dlogits.shape, dtau.shape) == (x.shape, shape)
        assert not dtau.any()


def test_infinite_and_undefined_gradients_add_up_without_a_warning(session: Session) -> None:
    """They are results, as they are in each row's gradient."""
    sample = np.array([[0.25, 0.75], [0.25, 0.75]], np.float32)
    upstream = np.array([[2e38, -2e38], [1, np.nan]], np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _, each = session.vjp(sample, upstream, [[4], [4]])
        assert np.array_equal(np.isfinite(each), [[True], [False]])
        _, undefined = session.vjp(sample, upstream, 4)
        assert np.isnan(undefined)
        _, overflown = session.vjp(sample[:1].repeat(99, 0), upstream[:1].repeat(99, 0), 4)
        assert np.isposinf(overflown)


def test_real_numbers_of_every_kind_are_temperatures(session: Session) -> None:
    """They are rounded to the dtype of the logits, once."""
    x = logits((3, 4))
    expected = session.gumbel_softmax(x, 0.5, seed=1)
    halves = (Fraction(1, 2), np.float16(0.5), np.longdouble(0.5), np.array([0.5]), [[0.5]], np.float64(0.5))
    for tau in halves:
        np.testing.assert_array_equal(session.gumbel_softmax(x, tau, seed=1), expected)
    for two in (2, np.uint8(2), [[2], [2], [2]], 2.0):
        np.testing.assert_array_equal(
            session.gumbel_softmax(x, two, seed=1), session.gumbel_softmax(x, 2.0, seed=1)
        )
    uneven = np.array([[0.1], [1 / 3], [0.7]])
    np.testing.assert_array_equal(
        session.gumbel_softmax(x, uneven, seed=1),
        session.gumbel_softmax(x, uneven.astype(np.float32), seed=1),
    )
    np.testing.assert_array_equal(
        session.gumbel_softmax(x.astype(float), 10**25, seed=1),
        session.gumbel_softmax(x.astype(float), 1e25, seed=1),
    )


def test_a_refused_out_uses_up_no_draw(session: Session) -> None:
    """Whatever is wrong is found before the Generator moves on."""
    rng = Generator(7)
    wide = np.empty((3, 5), np.float32)
    for refused in (
        lambda: session.gumbel_softmax(X, seed=rng, out=X),
        lambda: session.gumbel_softmax(wide[:, 1:], wide[:, :1], seed=rng, out=wide[:, :4]),
        lambda: session.gumbel_softmax(X, np.ones(3), seed=rng),
        lambda: session.categorical(X, seed=rng, out=np.empty(3)),
        lambda: session.gumbel((3, 4), seed=rng, out=wide),
    ):
        with pytest.raises((TypeError, ValueError)):
            refused()
    assert rng.stream == 0


def test_one_class_and_masks(session: Session) -> None:
    """A row of one class is 1; a masked class is exactly 0 and never drawn."""
    assert (session.gumbel_softmax(logits((5, 1)), seed=1) == 1).all()
    x = logits((1000, 4))
    x[:, 2] = -np.inf
    assert (session.gumbel_softmax(x, seed=1)[:, 2] == 0).all()
    assert (session.categorical(x, seed=1) != 2).all()


X = logits((3, 4))
WIDE = np.ones((3, 5), np.float32)
READ_ONLY = np.empty((3, 4), np.float32)
READ_ONLY.flags.writeable = False
REPEATED = np.lib.stride_tricks.as_strided(X, (3, 4), (0, 4))

REFUSED: list[tuple[str, Callable[[Session], object], type[Exception], str]] = [
    ("tau negative", lambda s: s.gumbel_softmax(X, -0.5, seed=1), ValueError, r"tau = -0\.5: must"),
    ("tau tiny negative", lambda s: s.gumbel_softmax(X, -1e-300, seed=1), ValueError, "tau = -1e-300"),
    ("tau nan", lambda s: s.gumbel_softmax(X, float("nan"), seed=1), ValueError, "tau = nan: must"),
    ("tau inf", lambda s: s.gumbel_softmax(X, float("inf"), seed=1), ValueError, "tau = inf: must"),
    ("tau over", lambda s: s.gumbel_softmax(X, 1e39, seed=1), ValueError, r"tau = 1e\+39: .*float32"),
    ("tau text", lambda s: s.gumbel_softmax(X, "warm", seed=1), TypeError, "tau must be a real.* 'warm'"),
    ("tau none", lambda s: s.gumbel_softmax(X, None, seed=1), TypeError, "tau must be a real.*got None of"),
    ("tau bool", lambda s: s.gumbel_softmax(X, True, seed=1), TypeError, "tau must be a real.*got True of"),
    ("tau bools", lambda s: s.gumbel_softmax(X, X[:, :1] > 0, seed=1), TypeError, "real.*got dtype bool"),
    ("tau complex", lambda s: s.gumbel_softmax(X, 1j, seed=1), TypeError, "tau must be a real number"),
    ("tau huge", lambda s: s.gumbel_softmax(X, 10**400, seed=1), ValueError, "tau = inf: must be finite"),
    ("tau masked", lambda s: s.gumbel_softmax(X, np.ma.ones((3, 1)), seed=1), TypeError, r"filled\(1\.0"),
    ("tau zero in vjp", lambda s: s.vjp(X, X, 0), ValueError, "tau = 0: must be finite and positive"),
    ("tau tiny in vjp", lambda s: s.vjp(X, X, 1e-46), ValueError, "tau = 1e-46: .*positive, also as float32"),
    ("taus flat", lambda s: s.gumbel_softmax(X, [1, 2, 3], seed=1), ValueError,
     r"tau has shape \(3,\) and logits has shape \(3, 4\): .*\(3, 1\), .* axis 1: use tau\[:, np\.newaxis\]"),
    ("taus of rows", lambda s: s.gumbel_softmax(np.ones((2, 4, 3)), np.ones((2, 3)), axis=1, seed=1),
     ValueError, r"\(2, 1, 3\), .* axis 1: use tau\[:, np\.newaxis, :\]"),
    ("taus of classes", lambda s: s.gumbel_softmax(X, np.ones((3, 4)), seed=1), ValueError,
     r"tau has shape \(3, 4\) and .*\(3, 1\), the shape of logits with size 1 along axis 1$"),
    ("taus of more axes", lambda s: s.vjp(X, X, np.ones((1, 3, 1))), ValueError, "and sample has shape"),
    ("taus empty", lambda s: s.gumbel_softmax(X, [], seed=1), ValueError, r"tau has shape \(0,\)"),
    ("taus negative", lambda s: s.gumbel_softmax(X, [[1], [0], [-1.0]], seed=1), ValueError,
     r"tau\[2, 0\] = -1\.0: must be finite and not negative"),
    ("taus nan", lambda s: s.gumbel_softmax(X, [[1], [np.nan], [-1]], hard=True, seed=1), ValueError,
     r"tau\[1, 0\] = nan: must"),
    ("taus over", lambda s: s.gumbel_softmax(X, [[1], [1e39], [1]], seed=1), ValueError,
     r"tau\[1, 0\] = 1e\+39: .*float32"),
    ("taus zero in vjp", lambda s: s.vjp(X, X, [[1.5], [0], [0]]), ValueError,
     r"tau\[1, 0\] = 0\.0: must be finite and positive"),
    ("out is tau", lambda s: s.gumbel_softmax(X, WIDE[:, :1], seed=1, out=WIDE[:, :4]), ValueError,
     "out overlaps tau"),
    ("out is tau of hard", lambda s: s.gumbel_softmax(X, WIDE[0, 0:1], hard=True, seed=1, out=WIDE[:, :4]),
     ValueError, "out overlaps tau"),
    ("int32", lambda s: s.gumbel_softmax(X.astype(int), seed=1), TypeError, r"int64.*astype\(np\.float32"),
    ("longdouble", lambda s: s.gumbel_softmax(X.astype(np.longdouble), seed=1), TypeError,
     r"must be float32, float64, float16 or bfloat16: convert with \.astype\(np\.float32\)"),
    ("float8", lambda s: s.categorical(X.astype(ml_dtypes.float8_e5m2), seed=1), TypeError, "dtype float8"),
    ("tau over float32", lambda s: s.gumbel_softmax(X.astype(np.float16), 1e39, seed=1), ValueError,
     r"tau = 1e\+39: .*float32"),
    ("out of half", lambda s: s.gumbel_softmax(X.astype(np.float16), seed=1, out=X.copy()), TypeError,
     "out has dtype float32; it must be float16"),
    ("complex", lambda s: s.categorical(X.astype(complex), seed=1), TypeError, "complex128"),
    ("bool", lambda s: s.categorical(X > 0, seed=1), TypeError, "logits has dtype bool"),
    ("object", lambda s: s.categorical(X.astype(object), seed=1), TypeError, "logits has dtype object"),
    ("masked", lambda s: s.categorical(np.ma.masked_array(X), seed=1), TypeError, r"filled\(-np\.inf\)"),
    ("no axis", lambda s: s.gumbel_softmax(np.float32(1), seed=1), ValueError, "is a single number"),
    ("no classes", lambda s: s.gumbel_softmax(X[:, :0], seed=1), ValueError, r"\(3, 0\): axis 1 must"),
    ("axis", lambda s: s.gumbel_softmax(X, axis=2, seed=1), ValueError, "axis.* 2 is out of bounds"),
    ("shape empty", lambda s: s.gumbel((), seed=1), ValueError, r"shape = \(\)"),
    ("shape no classes", lambda s: s.gumbel((3, 0), seed=1), ValueError, r"shape = \(3, 0\): the last axis"),
    ("shape negative", lambda s: s.gumbel((-3, 2), seed=1), ValueError, r"shape = \(-3, 2\)"),
    ("shape float", lambda s: s.gumbel((3.5, 2), seed=1), TypeError, "shape must be an integer or"),
    ("shape overflows", lambda s: s.gumbel((2**40, 2**40), seed=1), ValueError, r"must be below 2\*\*63"),
    ("seed large", lambda s: s.gumbel((2, 2), seed=2**64), ValueError, "seed.*18446744073709551616"),
    ("seed negative", lambda s: s.gumbel((2, 2), seed=-1), ValueError, "seed.*-1"),
    ("stream negative", lambda s: s.gumbel((2, 2), seed=1, stream=-1), ValueError, "stream.*-1"),
    ("stream large", lambda s: s.gumbel((2, 2), seed=1, stream=2**63), ValueError, "stream.*922337203685"),
    ("first_row", lambda s: s.gumbel((2, 2), seed=1, first_row=-1), ValueError, "first_row = -1"),
    ("first_row large", lambda s: s.gumbel((2, 2), seed=1, first_row=2**62), ValueError, "first_row = 46"),
    ("first_row float", lambda s: s.gumbel((2, 2), seed=1, first_row=0.5), TypeError, "first_row must be an"),
    ("gumbel dtype", lambda s: s.gumbel((2, 2), seed=1, dtype=int), TypeError, "dtype = int64: must be"),
    ("words dtype", lambda s: s.words((2, 2), seed=1, dtype=np.int8), TypeError, "int8: must be uint32"),
    ("empty dtype", lambda s: s.empty((2, 2), np.int8), TypeError, "int8: must be one"),
    ("vjp shapes", lambda s: s.vjp(X, X[:2]), ValueError, r"upstream has shape \(2, 4\)"),
    ("vjp dtypes", lambda s: s.vjp(X, X.astype(float)), TypeError, "upstream has dtype float64"),
    ("out list", lambda s: s.gumbel((3, 4), seed=1, out=[]), TypeError, "out must be a.*got list"),
    ("out shape", lambda s: s.gumbel((3, 5), seed=1, out=X), ValueError, r"out has shape \(3, 4\); .*5\)"),
    ("out dtype", lambda s: s.categorical(X, seed=1, out=np.empty(3)), TypeError, "float64; .* int32"),
    ("out order", lambda s: s.gumbel((3, 4), seed=1, out=X.astype(">f4")), TypeError, "out has dtype >f4"),
    ("out read-only", lambda s: s.gumbel_softmax(X, seed=1, out=READ_ONLY), ValueError, "out is read-only"),
    ("out is logits", lambda s: s.gumbel_softmax(X, seed=1, out=X), ValueError, "out overlaps logits"),
    ("out reversed", lambda s: s.gumbel_softmax(X, seed=1, out=X[::-1]), ValueError, "out overlaps"),
    ("out repeats", lambda s: s.gumbel((3, 4), seed=1, out=REPEATED), ValueError, "elements share memory"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "error", "message"), [case[1:] for case in REFUSED], ids=[c[0] for c in REFUSED]
)
def test_refused(
    session: Session, call: Callable[[Session], object], error: type[Exception], message: str
) -> None:
    """The error names argument, value and what is allowed; inputs stay as they are; the session goes on."""
    before = X.copy()
    with pytest.raises(error, match=message):
        call(session)
    np.testing.assert_array_equal(X, before)
    assert session.gumbel((1, 2), seed=1).shape == (1, 2)


@pytest.mark.parametrize("value", [np.nan, np.inf, None], ids=["nan", "inf", "all -inf"])
@pytest.mark.parametrize("operator", ["soft", "hard", "categorical"])
def test_rows_that_cannot_be_sampled(session: Session, value: float | None, operator: str) -> None:
    """The first one is named by its indices; an ordinary `out` is unchanged."""
    x = logits((3, 4, 5))
    x[2, :, 1] = x[1, :, 3] = -np.inf
    if value is not None:
        x[:, 1:, :][[2, 1], 1, [1, 3]] = value
    before = x.copy()
    out: NDArray[Any]
    for given in (x, np.ascontiguousarray(x)):
        with pytest.raises(ValueError, match=r"logits row 8 .*That row is logits\[1, :, 3\]"):
            if operator == "categorical":
                out = np.full((3, 5), 7, np.int32)
                session.categorical(given, axis=1, seed=1, out=out)
            else:
                out = np.full((3, 4, 5), 7, np.float32)
                session.gumbel_softmax(given, hard=operator == "hard", axis=1, seed=1, out=out)
        assert (out == 7).all()
        np.testing.assert_array_equal(x, before)
    with pytest.raises(ValueError, match=r"That row is logits\[:\]"):
        session.gumbel_softmax(np.full(4, np.nan, np.float32), seed=1)


def test_interleaved_memory_is_no_overlap(session: Session) -> None:
    """Columns of one array may be input and output of one call, where they are if they step alike."""
    whole = session.empty((20, 10))
    whole[:] = logits((20, 10))
    whole[:, :1] = 0.5
    x, taus, v = whole[:, 1:5], whole[:, :1], whole[:, 5:9]
    expected = session.gumbel_softmax(x.copy(), taus.copy(), seed=1)
    shared = session.empty((6, 20, 10))
    shared[:] = logits((6, 20, 10))
    even, odd = shared[:, ::2], shared[:, 1::2]
    expected_odd = session.gumbel_softmax(even.copy(), 0.5, axis=1, seed=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_strides.Copying, "copy", None)
        patch.setattr(_strides, "copy", None)
        session.gumbel_softmax(x, taus, seed=1, out=v)
        np.testing.assert_array_equal(v, expected)
        session.gumbel_softmax(even, 0.5, axis=1, seed=1, out=odd)
        np.testing.assert_array_equal(odd, expected_odd)
    # These step otherwise, so the result is copied.
    x, out = whole[:10, 1:5], whole[::2, 5:9]
    expected = session.gumbel_softmax(x.copy(), 0.5, seed=1)
    assert session.gumbel_softmax(x, 0.5, seed=1, out=out) is out
    np.testing.assert_array_equal(out, expected)
