"""The numbers of the demo: computed here, printed by the command line, drawn by `pictures`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gumbel4j import validate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gumbel4j.session import Session

LOGITS: Final = np.array([1, 2, 3, 4], np.float32)
"""The example that every newcomer to Gumbel-Softmax starts from."""

TAU: Final = 0.5

# The first two are picked for their pictures: a sample well between uniform and one-hot, and draws with
# different winners. Any seed tells the same story; the frequencies below do not depend on a choice.
_EXAMPLE_SEED: Final = 21
_TEMPERATURE_SEED: Final = 105
_FREQUENCY_SEED: Final = 7

MEAN_OF: Final = 100_000
"""How many samples the example's mean is taken over."""

_TAUS: Final = (10.0, 3.0, 1.0, 0.5, 0.1)
_DRAWS: Final = 3
_CHOICES: Final = 200_000


def softmax(logits: NDArray[Any]) -> NDArray[np.float64]:
    """Return the plain softmax over the last axis, in float64."""
    e = np.exp(np.float64(logits) - np.max(logits, axis=-1, keepdims=True))
    return np.asarray(e / e.sum(axis=-1, keepdims=True), np.float64)


def _numbers(values: NDArray[Any]) -> str:
    return "  ".join(f"{value:6.3f}" for value in values)


@dataclass(frozen=True)
class Example:
    """Plain softmax, one soft sample, and the mean of many, for LOGITS at TAU: shape (classes,) each."""

    plain: NDArray[np.float64]
    sample: NDArray[np.float32]
    mean: NDArray[np.float64]

    def lines(self) -> list[str]:
        """Return the table."""
        return [
            f"softmax, no noise       {_numbers(self.plain)}",
            f"one sample              {_numbers(self.sample)}",
            f"mean of {MEAN_OF:,} samples {_numbers(self.mean)}",
        ]


def example(session: Session) -> Example:
    """Draw the classic example; its one sample is the first of the many."""
    many = session.gumbel_softmax(np.tile(LOGITS, (MEAN_OF, 1)), TAU, seed=_EXAMPLE_SEED)
    return Example(softmax(LOGITS), many[0], many.mean(axis=0, dtype=np.float64))


@dataclass(frozen=True)
class Temperatures:
    """Plain softmax (classes,), soft samples (draws, taus, classes), hard samples (draws, classes)."""

    plain: NDArray[np.float64]
    taus: tuple[float, ...]
    soft: NDArray[np.float32]
    hard: NDArray[np.float32]

    def lines(self) -> list[str]:
        """Return the table of the first draw."""
        return [
            f"softmax, no noise       {_numbers(self.plain)}",
            *(
                f"sample at tau = {tau:<7g} {_numbers(row)}"
                for tau, row in zip(self.taus, self.soft[0], strict=True)
            ),
            f"hard sample             {_numbers(self.hard[0])}",
        ]


def temperatures(session: Session) -> Temperatures:
    """Draw the same noise at every temperature."""
    logits = np.tile(LOGITS, (_DRAWS, 1))
    soft = [session.gumbel_softmax(logits, tau, seed=_TEMPERATURE_SEED, stream=1) for tau in _TAUS]
    hard = session.gumbel_softmax(logits, hard=True, seed=_TEMPERATURE_SEED, stream=1)
    return Temperatures(softmax(LOGITS), _TAUS, np.stack(soft, axis=1), hard)


@dataclass(frozen=True)
class Frequencies:
    """Softmax probabilities, and how often each class won under either noise: shape (classes,) each."""

    probabilities: NDArray[np.float64]
    draws: int
    gumbel: NDArray[np.int64]
    gaussian: NDArray[np.int64]
    gumbel_chi_square: float
    gaussian_chi_square: float
    critical: float

    def lines(self) -> list[str]:
        """Return the table."""
        gumbel, gaussian = self.verdict(self.gumbel_chi_square), self.verdict(self.gaussian_chi_square)
        return [
            f"softmax probabilities   {_numbers(self.probabilities)}",
            f"under Gumbel noise      {_numbers(self.gumbel / self.draws)}   {gumbel}",
            f"under Gaussian noise    {_numbers(self.gaussian / self.draws)}   {gaussian}",
            f"({self.draws:,} draws each, noise of equal variance; by chance alone, chi-square is above "
            f"{self.critical:.1f} once in a million times)",
        ]

    def verdict(self, chi_square: float) -> str:
        """Say in a few words what a chi-square means."""
        return f"chi-square {chi_square:,.1f} ({'agrees' if chi_square < self.critical else 'differs'})"


def frequencies(session: Session) -> Frequencies:
    """Count the winners of logits plus noise: Gumbel, and Gaussian with Gumbel's variance pi^2 / 6."""
    probabilities = softmax(LOGITS)
    gumbel = session.categorical(np.tile(LOGITS, (_CHOICES, 1)), seed=_FREQUENCY_SEED)
    noise = np.random.default_rng(_FREQUENCY_SEED).normal(
        0.0, math.pi / math.sqrt(6), (_CHOICES, LOGITS.size)
    )
    gumbel_counts = np.bincount(gumbel, minlength=LOGITS.size)
    gaussian_counts = np.bincount(np.argmax(LOGITS + noise, axis=1), minlength=LOGITS.size)
    return Frequencies(
        probabilities,
        _CHOICES,
        gumbel_counts,
        gaussian_counts,
        validate.chi_square(gumbel_counts, probabilities),
        validate.chi_square(gaussian_counts, probabilities),
        validate.CHI_SQUARE_CRITICAL[LOGITS.size - 1],
    )


@dataclass(frozen=True)
class Agreement:
    """The layers of `gumbel4j validate` that compare Java with NumPy."""

    checks: tuple[validate.Check, ...]

    def lines(self) -> list[str]:
        """Return the table."""
        return validate.table(self.checks).splitlines()


def agreement(session: Session) -> Agreement:
    """Compare this session with the NumPy reference."""
    return Agreement(tuple(validate.against_reference(session)))
