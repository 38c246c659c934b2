"""The golden files are what make_golden.py writes, and make_golden.py computes what it says."""

from __future__ import annotations

import math
import re
import sys
from fractions import Fraction
from pathlib import Path

import golden
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "python" / "tools"))

import exact_ieee  # noqa: E402
import golden_half_cases  # noqa: E402
import make_golden  # noqa: E402
import noise_text  # noqa: E402

FORMATS = [exact_ieee.FLOAT32, exact_ieee.FLOAT64]
TYPES = {"float32", "float64", "float16", "bfloat16"}


@pytest.fixture(scope="module")
def written() -> dict[str, bytes]:
    return {file.operator: file.content().encode("ascii") for file in make_golden.all_files()}


def test_the_committed_files_are_the_ones_that_make_golden_writes(written: dict[str, bytes]) -> None:
    committed = {path.stem: path.read_bytes() for path in golden.FOLDER.glob("*.txt")}
    assert sorted(committed) == sorted(written)
    different = [name for name, content in written.items() if committed[name] != content]
    assert not different, f"run python/tools/make_golden.py; {different} differ"


def test_the_files_stay_small(written: dict[str, bytes]) -> None:
    assert sum(map(len, written.values())) < 900_000


def test_every_operator_of_the_abi_has_cases_in_every_type() -> None:
    header = (ROOT / "native" / "include" / "gumbel4j.h").read_text(encoding="utf-8")
    operators = set(re.findall(r"GUMBEL4J_API int64_t gumbel4j_(?!part_)(\w+)\(", header))
    assert operators >= {"words", "uniform", "gumbel", "soft", "hard", "categorical", "vjp"}
    for operator in operators:
        types = {"float32", "float64"} if operator in ("words", "uniform") else TYPES
        assert {case.entries["type"] for case in golden.read(operator)} == types, operator


def test_case_names_are_unique() -> None:
    for operator in golden.operators():
        names = [case.name for case in golden.read(operator)]
        assert len(names) == len(set(names)), operator


# kat_vectors of Random123 1.14, typed in here a second time.
@pytest.mark.parametrize(
    ("counter", "key", "answer"),
    [
        ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
    ],
)
def test_philox_gives_the_known_answers(counter: str, key: str, answer: str) -> None:
    def words(text: str) -> tuple[int, ...]:
        return tuple(int(word, 16) for word in text.split())

    assert noise_text.philox4x32(words(counter), words(key)) == words(answer)
    (case,) = [
        case
        for case in golden.read("philox4x32")
        if tuple(case.words("counter", np.uint32)) == words(counter) and case.name.startswith("Random123")
    ]
    assert tuple(case.words("out", np.uint32)) == words(answer)


@pytest.mark.parametrize("fmt", FORMATS, ids=lambda fmt: fmt.name)
def test_exact_arithmetic_agrees_with_the_processor(fmt: exact_ieee.Format) -> None:
    rng = np.random.default_rng(2026)
    word = np.uint32 if fmt.width == 32 else np.uint64
    a, b = rng.integers(0, 1 << fmt.width, (2, 4000), word, endpoint=False).view(fmt.name)
    with np.errstate(all="ignore"):
        b[::2] = a[::2] * rng.uniform(-2, 2, 2000).astype(fmt.name)  # operands of like size, which cancel
        pairs = [
            (fmt.add, a + b),
            (fmt.subtract, a - b),
            (fmt.multiply, a * b),
            (fmt.divide, a / b),
        ]
    for operation, expected in pairs:
        actual = np.array([operation(float(x), float(y)) for x, y in zip(a, b, strict=True)])
        with np.errstate(over="ignore"):
            narrowed = actual.astype(fmt.name)
        nan = np.isnan(expected)
        assert np.array_equal(np.isnan(narrowed), nan)
        assert golden.equal_bits(narrowed[~nan], expected[~nan]), operation.__name__


def test_exact_rounding_to_halves_agrees_with_numpy_and_with_rounded_bits() -> None:
    (float16, bfloat16) = golden.read("round")
    values = golden_half_cases.values_to_round(exact_ieee.BFLOAT16)
    x = np.array(float16.floats("x", np.float64).tolist() + values).astype(np.float32)
    with np.errstate(over="ignore"):
        expected = x.astype(np.float16)
    actual = np.array([exact_ieee.FLOAT16.convert(float(value)) for value in x])
    assert golden.equal_bits(actual.astype(np.float16), expected)
    assert bfloat16.floats("x", np.float32).size == len(values)
    for value in x[np.isfinite(x)]:
        bits = int(value.view(np.uint32))
        kept = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16  # ties to even; a carry may go on to infinity
        rounded = np.float32(exact_ieee.BFLOAT16.convert(float(value)))
        assert int(rounded.view(np.uint32)) == kept << 16


def test_exact_fma_rounds_once() -> None:
    rng = np.random.default_rng(2027)
    for _ in range(2000):
        a, b = rng.uniform(-2, 2, 2)
        c = -a * b * rng.choice([1.0, 1.0 + 2.0**-52, 0.7, 2.0**40, 2.0**-60])  # the first two cancel
        exact = Fraction(a) * Fraction(b) + Fraction(c)
        assert exact_ieee.FLOAT64.fma(a, b, c) == exact.numerator / exact.denominator
    halfway = 1.0 + 2.0**-23
    assert exact_ieee.FLOAT32.fma(halfway, halfway, -1.0 - 2.0**-22) == 2.0**-46
    assert math.copysign(1, exact_ieee.FLOAT64.fma(-0.0, 1.0, -0.0)) == -1
    assert math.copysign(1, exact_ieee.FLOAT64.fma(2.0, 3.0, -6.0)) == 1
    assert math.isnan(exact_ieee.FLOAT64.fma(math.inf, 0.0, 1.0))


def errors_in_ulp(actual: np.ndarray, true: np.ndarray, least: float, precision: int) -> np.ndarray:
    """Errors in ulp of the type, of max(|true|, least)."""
    _, exponents = np.frexp(np.maximum(np.abs(true), least))
    return np.abs(actual.astype(np.float64) - true) / np.ldexp(1.0, exponents - precision)


@pytest.mark.parametrize("operator", ["log", "exp", "gumbel", "noise"])
def test_the_polynomials_are_close_to_the_true_values(operator: str) -> None:
    allowed = {"log": 1.2, "exp": 1.1, "gumbel": 2.5, "noise": 2.5}[operator]
    for case in golden.read(operator):
        if case.entries["type"] not in ("float32", "float64"):
            continue
        precision = 24 if case.dtype == np.float32 else 53
        # float64 has no room for the true value's 25 digits: half an ulp of the comparison is its own
        slack = 0.0 if precision == 24 else 0.5
        actual = case.floats("gumbel" if operator == "noise" else "out")
        least = 0.5 if operator in ("gumbel", "noise") else np.finfo(case.dtype).smallest_normal
        errors = errors_in_ulp(actual, case.decimals("true"), float(least), precision)
        kept = errors[actual != 0] if operator == "exp" else errors
        assert kept.max() <= allowed + slack, case.name
