"""The arguments of the golden cases in float16 and bfloat16. `make_golden.py` works out the results."""

from __future__ import annotations

import math
from collections.abc import Sequence

import golden_cases
from exact_ieee import FLOAT16, FLOAT32, Format
from golden_cases import LogitsCase, Material, NoiseCall, SampleCase, VjpCase, beside, soft_sample

NOISE_CALLS = (
    "worked example",
    "zero key",
    "largest key",
    "block beyond 32 bits",
    "first row inside a group",
    "tail word 0x90",
    "tail word 0x01",
    "gumbel is minus zero",
)


def noise_calls() -> list[NoiseCall]:
    """Return some of the calls of float32, whose stream this is, and rows of 10 classes."""
    calls = {call[0]: call for call in golden_cases.noise_calls(FLOAT32)}
    return [calls[name] for name in NOISE_CALLS] + [("10 classes", 7, 4, 3, 5, 10)]


def values_to_round(fmt: Format) -> list[float]:
    """Return float32 values on and beside every kind of border between values of the type."""
    unit = math.ldexp(1.0, fmt.smallest_normal_exponent + 1 - fmt.precision)  # the smallest subnormal number
    step = math.ldexp(1.0, 1 - fmt.precision)  # from 1 to the next value
    beyond = math.ldexp(1.0, 2 - fmt.smallest_normal_exponent)  # the first power of two that is infinite
    ties = [1 + step / 2, 1 + 3 * step / 2, 2 - step / 2, 2 - 3 * step / 2]
    ties += [beyond * (1 - step / 4), beyond * (1 - 3 * step / 4)]
    if fmt is FLOAT16:  # float32 has room below the normal numbers of float16 alone
        ties += [unit * n / 2 for n in (1, 3, 5, 1023, 1025, 2045, 2047, 2049)]
    else:
        ties += [fmt.smallest_normal * (1 + step / 2)]
    near = [value for tie in ties for value in beside(FLOAT32, FLOAT32.bits(FLOAT32.convert(tie)))]
    exact = [0.0, 1.0, unit, 3 * unit, fmt.smallest_normal, fmt.largest]
    exact += [FLOAT32.smallest_normal, FLOAT32.largest]
    material = Material(8)
    positive = [x for x in exact + near if math.isfinite(x)] + [math.inf]
    return (
        positive
        + [-x for x in positive]
        + material.reals(FLOAT32, 12, 1)
        + material.reals(FLOAT32, 12, fmt.smallest_normal if fmt is FLOAT16 else 1e30)
        + [math.nan]
    )


def logits_cases(fmt: Format) -> dict[str, LogitsCase]:
    """name -> (name, seed, stream, first row, classes, logits)"""
    material = Material(16)
    inf, big = math.inf, fmt.largest
    # the smallest results: multiples of 2^-24 in float16; in bfloat16 the flush of float32
    smallest = [-c / 8 - 4 for c in range(95)] if fmt is FLOAT16 else [-c / 2 - 64 for c in range(95)]
    cases: list[LogitsCase] = [
        ("worked example", 7, 0, 0, 4, [1.0, 2.0, 3.0, 4.0]),
        ("1 class", 7, 0, 0, 1, material.reals(fmt, 2, 4)),
        ("10 classes", 0xFFFFFFFF00000001, 5, 3, 10, material.reals(fmt, 50, 6)),
        ("65 classes", 7, (1 << 63) - 1, 1 << 40, 65, material.reals(fmt, 130, 6)),
        ("1025 classes", 99, 0, 2, 1025, material.eighths(1025, 4)),
        (
            "masks",
            7,
            0,
            0,
            17,
            [-inf if c % 3 == 1 else x for c, x in enumerate(material.reals(fmt, 34, 4))],
        ),
        ("one open class", 7, 0, 0, 3, [-inf, -5.0, -inf, 2.0, -inf, -inf, -inf, -inf, -big]),
        ("huge logits", 7, 0, 0, 5, [big, -big, 0.0, big / 2, -inf, -big, -big, -inf, -big, -big]),
        ("smallest results", 7, 0, 0, 96, [2.0, *smallest]),
        ("tail word", 7, 0, golden_cases.RARE[FLOAT32]["tail word 0x90"] // 10, 10, material.eighths(10, 2)),
    ]
    if fmt is FLOAT16:
        # columns 7 and another have the largest s: 65504 + g is a multiple of 1/256 in float32
        cases.append(("ties", 7, 441, 0, 65, [big] * 65))
    else:
        cases.append(("ties", 7, 0, 0, 4, [-1e30, 1e30, 1e30, 1e30, 0.0, 1e20, -inf, 1e20]))
    return {
        name: (name, seed, stream, row, k, [fmt.convert(x) for x in xs])
        for name, seed, stream, row, k, xs in cases
    }


SOFT_TAUS: dict[str, Sequence[str]] = {
    "worked example": ("0.5",),
    "1 class": ("0", "0.5"),
    "10 classes": ("0", "1e-46", "1e-38", "0.1", "1", "1e30", "0 1e-38 0.1 7 1e30"),
    "65 classes": ("0.01", "0.5", "7 0"),
    "1025 classes": ("0.7",),
    "masks": ("0.5", "1e5"),
    "one open class": ("1", "1e-38"),
    "huge logits": ("0.5", "1e30"),
    "smallest results": ("1",),
    "tail word": ("0.5",),
    "ties": ("0", "0.1"),
}


def sample_cases(fmt: Format) -> list[SampleCase]:
    """Logits and the temperatures to try them with."""
    cases: list[SampleCase] = [(case, SOFT_TAUS[name]) for name, case in logits_cases(fmt).items()]
    return cases + [((name, 7, 0, 0, k, logits), ("0.5", "0")) for name, k, logits in golden_cases.REFUSED]


def vjp_cases(fmt: Format) -> list[VjpCase]:
    """(name, classes, tau, sample, upstream)"""
    inf, nan, big = math.inf, math.nan, fmt.largest
    material = Material(78)
    logits = logits_cases(fmt)
    unit = math.ldexp(1.0, fmt.smallest_normal_exponent + 1 - fmt.precision)  # the smallest subnormal number
    cases: list[VjpCase] = []
    for name, taus in (
        ("10 classes", ("0.1", "0.5", "1e30", "0.1 1e-38 0.5 7 1e30")),
        ("65 classes", ("0.5", "7 1e-3")),
        ("1025 classes", ("0.7",)),
        ("masks", ("0.5",)),
        ("smallest results", ("1",)),
    ):
        for tau in taus:
            sample = soft_sample(fmt, logits[name], tau)
            upstream = material.reals(fmt, len(sample), 3)
            cases.append((f"sample of {name}", logits[name][4], tau, sample, upstream))
    worked = soft_sample(fmt, logits["worked example"], "0.5")
    cases.append(("worked example", 4, "0.5", worked, [1.0, 0.0, -1.0, 2.0]))

    masked = [0.25, 0.0, 0.5, 0.25]
    strange = [1.0, nan, 2.0, 4.0, 1.0, inf, 2.0, 4.0, 1.0, -inf, 2.0, 4.0]
    cases += [
        ("one-hot sample", 3, "0.5", [0.0, 1.0, 0.0], [3.0, -2.0, 7.0]),
        ("NaN and infinity where y = 0", 4, "0.5", masked * 3, strange),
        ("NaN where y > 0", 4, "0.5", masked, [1.0, 5.0, nan, 4.0]),
        ("infinity where y > 0", 4, "0.5", masked * 2, [1.0, 5.0, inf, 4.0, -inf, 5.0, 1.0, 4.0]),
        ("constant upstream", 4, "0.5", masked, [3.0, 3.0, 3.0, 3.0]),
        ("overflow by a small tau", 2, "1e-38", [0.5, 0.5, 0.25, 0.75], [big, -1.0, 2.0**-20, 2.0**-19]),
        ("overflow of the result alone", 2, "0.25", [0.5, 0.5], [big, -big]),
        ("subnormal sample", 3, "1", [1.0, unit, 3 * unit], [1.0, 2.0, -3.0]),
        ("subnormal upstream", 2, "1", [0.5, 0.5], [4 * unit, -9 * unit]),
    ]
    # dx = -(a + b) / tau in the last column, added and divided without error: ties of the type
    step = math.ldexp(1.0, 1 - fmt.precision)
    ties = [(1.0, step / 2), (1 + step, step / 2), (-1.0, -step / 2), (1.0, 3 * step / 4), (1.0, step / 4)]
    upstream = [x for tie in ties for x in (*tie, 0.0)]
    tie_taus = {
        "ties": "1",
        "ties of the smallest normal results": "16384",
        "ties of subnormal results": "32768",
    }
    cases += [(name, 3, tau, [1.0, 1.0, 1.0] * len(ties), upstream) for name, tau in tie_taus.items()]
    return cases
