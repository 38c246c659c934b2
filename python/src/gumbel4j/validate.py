"""Java against NumPy, layer by layer: what `gumbel4j validate` runs.

Every layer is one function that yields one `Check` per element type. Where both sides compute the same
integers or exact values they must be equal; elsewhere the largest error counts in units of a bound, which
`gumbel4j.reference` works out for each value from the errors of single operations. The few other bounds are
stated here.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gumbel4j import _dtypes, reference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from gumbel4j.session import Session

CHI_SQUARE_CRITICAL: Final = {3: 30.66, 9: 44.81}
"""Chi-square values, by degrees of freedom, that chance alone exceeds once in a million."""

STREAMS: Final = (np.dtype(np.float32), np.dtype(np.float64))
"""The types that have a stream of noise and are computed in."""

KEYS: Final = ((0, 0, 0), (7, 1, 1000), (2**64 - 1, 2**63 - 1, 2**40))
"""(seed, stream, first row): the smallest, an everyday one, and the largest seed and stream."""

TAUS: Final = (0.1, 0.5, 1.0, 10.0)

_NOISE_SHAPE: Final = (128, 1024)
_SHAPE: Final = (128, 257)  # not a multiple of any vector's width
_MIDDLE_SHAPE: Final = (20, 67, 23)  # the classes in the middle
_WORDS: Final[dict[np.dtype[Any], np.dtype[Any]]] = {
    np.dtype(np.float32): np.dtype(np.uint32),
    np.dtype(np.float64): np.dtype(np.uint64),
}

# Philox4x32-10 of Random123 1.14 (kat_vectors) for the counter and key that the operator `words` can reach;
# the other two answers need a counter beyond every array and are checked where Philox itself is tested.
_KNOWN_ANSWER: Final = (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)


@dataclass(frozen=True)
class Check:
    """One row of the table.

    `worst` is the number of differences where `exact`, else the largest error in units of the bound. `passed`
    is True also where a comparison could not be made; then `note` says why and `count` is 0.
    """

    layer: str
    dtype: str
    compares: str
    count: int
    worst: float
    exact: bool
    passed: bool
    note: str = ""

    @property
    def verdict(self) -> str:
        """Return "ok", "FAIL" or "not compared"."""
        if not self.passed:
            return "FAIL"
        return "ok" if self.count else "not compared"

    def as_dict(self) -> dict[str, Any]:
        """Return the fields and the verdict, for JSON."""
        return {**asdict(self), "verdict": self.verdict}


def run(session: Session) -> list[Check]:
    """Run every layer on this session, and on a second one with the other backend.

    Takes seconds. Nothing is raised for a failed check: look at `Check.passed`.
    """
    checks = list(against_reference(session))
    for layer in (row_sums, masks, layouts, backends, frequencies, missing_types):
        checks += layer(session)
    return checks


def against_reference(session: Session) -> Iterator[Check]:
    """Compare every operator with Random123's answers, the NumPy reference, and central differences of it."""
    for layer in (
        known_answers,
        words,
        uniforms,
        gumbels,
        softs,
        hards,
        categoricals,
        vjps,
        middle_axes,
        differences,
    ):
        yield from layer(session)


def floats() -> tuple[np.dtype[Any], ...]:
    """Return the element types; bfloat16 only where the package that has it is installed."""
    types: tuple[np.dtype[Any], ...] = (*STREAMS, np.dtype(np.float16))
    with suppress(ImportError):
        types = (*types, _dtypes.floating("bfloat16"))
    return types


def table(checks: Sequence[Check]) -> str:
    """Lay the checks out as a table of plain text."""
    head = ("layer", "type", "compares", "count", "largest error", "verdict")
    lines: list[tuple[str, ...]] = [head]
    for check in checks:
        error = f"{check.worst:.0f} differ" if check.exact else f"{check.worst:.2f} of bound"
        verdict = f"{check.verdict} ({check.note})" if check.note else check.verdict
        lines.append((check.layer, check.dtype, check.compares, f"{check.count:,}", error, verdict))
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    texts = []
    for line in lines:
        cells = [
            cell.rjust(width) if column in (3, 4) else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        texts.append("  ".join(cells).rstrip())
    return "\n".join(texts)


def chi_square(counts: NDArray[Any], probabilities: NDArray[np.float64]) -> float:
    """Return Pearson's chi-square of observed counts against the probabilities of their classes."""
    expected = counts.sum() * probabilities
    return float(((counts - expected) ** 2 / expected).sum())


def known_answers(session: Session) -> Iterator[Check]:
    """Compare the first block of seed 0 with Random123."""
    first_block = session.words((1, 64), seed=0)[0, ::16]
    yield _equal("known answers", "", "Random123", first_block, np.array(_KNOWN_ANSWER, np.uint32))


def words(session: Session) -> Iterator[Check]:
    """Compare raw words: equal."""
    for dtype in STREAMS:
        yield _equal(
            "raw words",
            dtype.name,
            "reference, equal",
            *_both(session, "words", _NOISE_SHAPE, dtype=_WORDS[dtype]),
        )


def uniforms(session: Session) -> Iterator[Check]:
    """Compare uniforms: equal."""
    for dtype in floats():
        yield _equal(
            "uniforms", dtype.name, "reference, equal", *_both(session, "uniform", _NOISE_SHAPE, dtype=dtype)
        )


def gumbels(session: Session) -> Iterator[Check]:
    """Compare Gumbel values within the reference's bound."""
    for dtype in floats():
        java, numpy = _both(session, "gumbel", _NOISE_SHAPE, dtype=dtype)
        errors = _difference(java, numpy) / reference.gumbel_bound(numpy, dtype)
        yield _bounded("Gumbel values", dtype.name, "reference", errors)


def softs(session: Session) -> Iterator[Check]:
    """Compare soft samples within the reference's bound, at several temperatures."""
    for dtype in floats():
        logits = _logits(dtype)
        errors = []
        for tau in TAUS:
            java, numpy = _both(session, "gumbel_softmax", logits, tau)
            errors.append(_in_units(_difference(java, numpy), _of_reference("soft_bound", logits, tau)))
        yield _bounded("soft samples", dtype.name, "reference", np.stack(errors))


def hards(session: Session) -> Iterator[Check]:
    """Compare one-hot samples in the rows where rounding cannot change the winner."""
    for dtype in floats():
        logits = _logits(dtype)
        java, numpy = _both(session, "gumbel_softmax", logits, hard=True)
        yield _decided("hard samples", logits, (java.astype(np.float64) == numpy).all(axis=-1))


def categoricals(session: Session) -> Iterator[Check]:
    """Compare sampled classes in the rows where rounding cannot change the winner."""
    for dtype in floats():
        logits = _logits(dtype)
        java, numpy = _both(session, "categorical", logits)
        yield _decided("categorical", logits, java == numpy)


def vjps(session: Session) -> Iterator[Check]:
    """Compare the backward pass with the reference's, on the same sample, within the reference's bound."""
    for dtype in floats():
        sample, upstream = _sample_and_upstream(dtype)
        errors, tau_errors = [], []
        for tau in TAUS:
            dlogits, dtau = session.vjp(sample, upstream, tau)
            expected, expected_dtau = reference.vjp(sample, upstream, tau)
            bound, tau_bound = reference.vjp_bound(sample, upstream, tau)
            errors.append(_in_units(_difference(dlogits, expected), bound))
            tau_errors.append(abs(float(dtau) - float(expected_dtau)) / float(tau_bound))
        yield _bounded("backward, logits", dtype.name, "reference", np.stack(errors))
        yield _bounded("backward, tau", dtype.name, "reference", np.array(tau_errors))


def middle_axes(session: Session) -> Iterator[Check]:
    """Compare with the classes' axis in the middle and a temperature for each row: soft and backward."""
    outer, _, inner = _MIDDLE_SHAPE
    random = np.random.default_rng(4)
    taus = random.uniform(0.1, 2, (outer, 1, inner)).astype(np.float32)
    for dtype in floats():
        logits, upstream = random.normal(0, 2, (2, *_MIDDLE_SHAPE)).astype(dtype)
        y = session.gumbel_softmax(logits, taus, axis=1, seed=7)
        expected = reference.gumbel_softmax(logits, taus, axis=1, seed=7)
        bound = reference.soft_bound(logits, taus, axis=1, seed=7)
        gradients = session.vjp(y, upstream, taus, 1)
        expected_gradients = reference.vjp(y, upstream, taus, 1)
        bounds = reference.vjp_bound(y, upstream, taus, 1)
        errors = [
            _in_units(_difference(java, numpy), within).ravel()
            for java, numpy, within in zip(
                (y, *gradients), (expected, *expected_gradients), (bound, *bounds), strict=True
            )
        ]
        yield _bounded("axis 1, tau per row", dtype.name, "reference", np.concatenate(errors))


def differences(session: Session) -> Iterator[Check]:
    """Compare the backward pass with central differences of the soft sample, taken in float64 with NumPy.

    To the reference's bound comes what the step itself is off: step**2 / tau**3 of the largest upstream value
    for each difference, and for tau's as many times the distance of a row's noisy logits over tau.
    """
    step, tau = 1e-4, 0.5
    for dtype in STREAMS:
        logits = _logits(dtype)[:64, :17].astype(np.float64)
        noisy = logits + reference.gumbel(logits.shape, seed=7, dtype=dtype)
        upstream = np.random.default_rng(1).normal(size=logits.shape).astype(dtype)

        def loss(
            noisy: NDArray[np.float64], tau: float, upstream: NDArray[Any] = upstream
        ) -> NDArray[np.float64]:
            return np.asarray((_softmax(noisy / tau) * upstream).sum(axis=-1))

        slopes = np.empty_like(noisy)
        for column in range(noisy.shape[1]):
            shift = np.zeros(noisy.shape[1])
            shift[column] = step
            slopes[:, column] = (loss(noisy + shift, tau) - loss(noisy - shift, tau)) / (2 * step)
        tau_slope = ((loss(noisy, tau + step) - loss(noisy, tau - step)) / (2 * step)).sum()

        sample = _softmax(noisy / tau).astype(dtype)
        dlogits, dtau = session.vjp(sample, upstream, tau)
        bound, tau_bound = reference.vjp_bound(sample, upstream, tau)
        largest = float(np.abs(upstream).max())
        # The sample is rounded to its type: one rounding more for every term.
        unit = (step**2 / tau**2 + 4 * float(np.finfo(dtype).eps)) * largest / tau
        spread = float((noisy.max(axis=-1) - noisy.min(axis=-1)).sum()) / tau
        errors = np.append(
            (np.abs(dlogits - slopes) / (bound + unit)).ravel(),
            abs(float(dtau) - tau_slope) / (float(tau_bound) + unit * spread),
        )
        yield _bounded("backward, slopes", dtype.name, "central differences", errors)


def row_sums(session: Session) -> Iterator[Check]:
    """Check that soft samples sum to 1.

    The bound counts the roundings of the longest chain of additions in the sum, plus two for each quotient.
    To a type of 16 bits each value is rounded once more: a relative error, or an absolute one if subnormal.
    """
    for dtype in floats():
        logits = _logits(dtype)
        classes = logits.shape[-1]
        bound = (2 + -(-classes // 16) + 4) * _rounding(_dtypes.computed_in(dtype))
        if dtype not in STREAMS:
            bound += _rounding(dtype) * (1 + classes * _smallest_normal(dtype))
        errors = [
            np.abs(session.gumbel_softmax(logits, tau, seed=7).astype(np.float64).sum(axis=-1) - 1) / bound
            for tau in TAUS
        ]
        yield _bounded("row sums", dtype.name, "1", np.stack(errors))


def masks(session: Session) -> Iterator[Check]:
    """Check that a class of logit -inf gets 0 and is never drawn, and that a class left alone gets 1."""
    for dtype in floats():
        logits = _logits(dtype)
        masked = np.random.default_rng(2).random(logits.shape) < 0.9
        masked[:, 0] = False
        masked[::8, 1:] = True  # every eighth row keeps one class only
        logits[masked] = -np.inf
        drawn = session.categorical(logits, seed=7)
        wrong = int(np.take_along_axis(masked, drawn[:, None], axis=-1).sum())
        for sample in (
            session.gumbel_softmax(logits, 0.5, seed=7),
            session.gumbel_softmax(logits, hard=True, seed=7),
        ):
            wrong += int((sample[masked] != 0).sum() + (sample[::8, 0] != 1).sum())
        yield _counted("masks", dtype.name, "0, never drawn", int(masked.sum()), wrong)


def layouts(session: Session) -> Iterator[Check]:
    """Compare every layout in memory with C order: equal bits, whichever axis the classes have."""
    outer, classes, inner = _MIDDLE_SHAPE
    for dtype in floats():
        plain = np.random.default_rng(5).normal(0, 2, (2, outer, inner, classes)).astype(dtype)
        shared = session.empty((2, outer, 2 * classes, inner), dtype)[:, :, ::2]
        shared[...] = np.moveaxis(plain, -1, 2)
        laid_out = (
            (shared, 1),
            (np.moveaxis(shared, 2, 1), 0),
            (np.array(np.moveaxis(plain, -1, 1)), 0),
            (np.array(plain[..., ::-1])[..., ::-1], -1),
        )
        expected = _soft_and_back(session, plain, -1)
        wrong = count = 0
        for logits_and_upstream, axis in laid_out:
            results = _soft_and_back(session, logits_and_upstream, axis)
            for mine, theirs in zip(results, expected, strict=True):
                wrong += int((np.moveaxis(mine, axis, -1) != theirs).sum())
                count += theirs.size
        yield _counted("layouts", dtype.name, "C order, equal", count, wrong)


def backends(session: Session) -> Iterator[Check]:
    """Compare every operator on this session's backend with the other backend: equal bits."""
    from gumbel4j.session import Session  # at run time only: this module is imported where no Java is wanted

    info = session.info()
    mine = str(info["backend"])
    theirs = "native" if mine == "java" else "java"
    compares = f"{mine} = {theirs}"
    try:
        other = Session(info["threads"], theirs, info["java_home"])
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        yield Check("same bits", "", compares, 0, 0.0, exact=True, passed=True, note=reason)
        return
    with other:
        for dtype in floats():
            results = [_everything(one, dtype) for one in (session, other)]
            yield _equal("same bits", dtype.name, compares, *results)


def frequencies(session: Session) -> Iterator[Check]:
    """Check by chi-square that classes are drawn as often as softmax says."""
    draws = 200_000
    for dtype in floats():
        logits = np.random.default_rng(3).normal(0, 1, 10).astype(dtype)
        drawn = session.categorical(np.tile(logits, (draws, 1)), seed=7)
        value = chi_square(np.bincount(drawn, minlength=10), _softmax(logits.astype(np.float64)))
        worst = value / CHI_SQUARE_CRITICAL[9]
        yield Check(
            "frequencies", dtype.name, "softmax, chi-square", draws, worst, exact=False, passed=worst <= 1
        )


def missing_types(_session: Session) -> Iterator[Check]:
    """Tell of a type that no layer compared."""
    try:
        _dtypes.floating("bfloat16")
    except ImportError as missing:
        note = str(missing)
        yield Check("every layer", "bfloat16", "", 0, 0.0, exact=True, passed=True, note=note)


def _logits(dtype: np.dtype[Any]) -> NDArray[Any]:
    return np.random.default_rng(0).normal(0, 3, _SHAPE).astype(dtype)


def _sample_and_upstream(dtype: np.dtype[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    sample = reference.gumbel_softmax(_logits(dtype), 0.5, seed=7).astype(dtype)
    return sample, np.random.default_rng(1).normal(size=_SHAPE).astype(dtype)


def _soft_and_back(
    session: Session, logits_and_upstream: NDArray[Any], axis: int
) -> tuple[NDArray[Any], ...]:
    """Return a soft sample, a hard one, and the gradient behind the soft one."""
    logits, upstream = logits_and_upstream
    soft = session.gumbel_softmax(logits, 0.5, axis=axis, seed=7)
    hard = session.gumbel_softmax(logits, hard=True, axis=axis, seed=7)
    return soft, hard, session.vjp(soft, upstream, 0.5, axis, tau_gradient=False)[0]


def _softmax(x: NDArray[np.float64]) -> NDArray[np.float64]:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return np.asarray(e / e.sum(axis=-1, keepdims=True))


def _rounding(dtype: np.dtype[Any]) -> float:
    """Return the largest relative error of one rounding."""
    return {"float32": 2.0**-24, "float64": 2.0**-53, "float16": 2.0**-11, "bfloat16": 2.0**-8}[dtype.name]


def _smallest_normal(dtype: np.dtype[Any]) -> float:
    """Return the smallest normal number of a type of 16 bits."""
    return 2.0**-14 if dtype.name == "float16" else 2.0**-126


def _difference(java: Any, numpy: Any) -> NDArray[np.float64]:
    """Return how far results are from the reference's."""
    return np.asarray(np.abs(np.asarray(java).astype(np.float64) - numpy))


def _both(session: Session, operator: str, *args: Any, **kwargs: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """Call one operator on the session and on the reference, with each of KEYS; stack each one's results."""
    return _with_keys(getattr(session, operator), *args, **kwargs), _of_reference(operator, *args, **kwargs)


def _of_reference(function: str, *args: Any, **kwargs: Any) -> NDArray[Any]:
    return _with_keys(getattr(reference, function), *args, **kwargs)


def _with_keys(function: Callable[..., NDArray[Any]], *args: Any, **kwargs: Any) -> NDArray[Any]:
    return np.stack(
        [function(*args, seed=seed, stream=stream, first_row=row, **kwargs) for seed, stream, row in KEYS]
    )


def _in_units(errors: NDArray[Any], bounds: NDArray[Any] | np.float64) -> NDArray[np.float64]:
    """Return errors / bounds, 0 where both are 0: there the values must be equal, and are."""
    exact = (errors == 0) & (bounds == 0)
    with np.errstate(divide="ignore"):
        return np.asarray(errors / np.where(exact, 1, bounds), np.float64)


def _everything(session: Session, dtype: np.dtype[Any]) -> NDArray[np.uint8]:
    """Return the bytes of every operator's result, one after the other."""
    logits = _logits(dtype)
    sample, upstream = _sample_and_upstream(dtype)
    results = (
        session.words(_SHAPE, seed=7, dtype=_WORDS[_dtypes.computed_in(dtype)]),
        session.uniform(_SHAPE, seed=7, dtype=dtype),
        session.gumbel(_SHAPE, seed=7, dtype=dtype),
        session.gumbel_softmax(logits, 0.5, seed=7),
        session.gumbel_softmax(logits, hard=True, seed=7),
        session.categorical(logits, seed=7),
        *session.vjp(sample, upstream, 0.5),
    )
    return np.frombuffer(b"".join(np.asarray(result).tobytes() for result in results), np.uint8)


def _equal(layer: str, dtype: str, compares: str, java: NDArray[Any], other: NDArray[Any]) -> Check:
    return _counted(layer, dtype, compares, java.size, int((java != other).sum()))


def _counted(layer: str, dtype: str, compares: str, count: int, wrong: int) -> Check:
    return Check(layer, dtype, compares, count, float(wrong), exact=True, passed=wrong == 0)


def _bounded(layer: str, dtype: str, compares: str, errors: NDArray[np.float64]) -> Check:
    """Make a check of errors in units of their bounds; NaN fails."""
    worst = float(errors.max())
    return Check(layer, dtype, compares, errors.size, worst, exact=False, passed=worst <= 1)


def _decided(layer: str, logits: NDArray[Any], same: NDArray[np.bool_]) -> Check:
    """Make a check of the rows where rounding cannot change the winner; count the others."""
    decided = _of_reference("decided", logits)
    check = _counted(layer, logits.dtype.name, "reference", int(decided.sum()), int((decided & ~same).sum()))
    close = int((~decided).sum())
    return replace(check, note=f"{close} too close to call") if close else check
