"""The arguments of the golden cases in float32 and float64. `make_golden.py` works out the results."""

from __future__ import annotations

import math
from collections.abc import Sequence

import noise_text as text
from exact_ieee import FLOAT32, FLOAT64, Format

BIT63 = 1 << 63

# Elements of seed 7, stream 0 whose words lie on or beside a border of sections 2 to 4 (from find_words.py).
RARE = {
    FLOAT32: {
        "tail word 0x90": 24428773,
        "tail word 0x15": 52246487,
        "tail word 0x01": 1867118288,
        "tail word 0xfd": 1422765130,
        "word 0x106 beyond the tail": 761434968,
        "last log1p words": 1412968541,
        "first words beyond log1p": 53282322,
        "word 0x7fffffff": 1084894047,
        "word 0x80000003": 2091054103,
        "word 0xfffffffd": 1285625963,
        "gumbel is minus zero": 65582459,
    },
    FLOAT64: {
        "smallest words": 933559136,
        "last log1p words": 706484269,
        "last words of the lower half": 542447023,
        "largest words": 53445171,
    },
}


NoiseCall = tuple[str, int, int, int, int, int]


def noise_calls(fmt: Format) -> list[NoiseCall]:
    """(name, seed, stream, first row, rows, classes)"""
    fourth_block_word = 1 << (
        34 if fmt is FLOAT32 else 33
    )  # the first element whose block needs more than 32 bits
    calls = [
        ("worked example", 7, 0, 0, 1, 4),
        ("zero key", 0, 0, 0, 2, 17),
        ("groups crossed", 7, 0, 0, 2, 100),
        ("later draw", 7, 1, 0, 1, 33),
        ("seed with its high bit set", BIT63, 1, 0, 3, 3),
        ("largest key", (1 << 64) - 1, BIT63 - 1, BIT63 - 2, 1, 1),
        ("block beyond 32 bits", 0xDEADBEEFCAFEF00D, BIT63 - (1 << 31), fourth_block_word // 7 - 1, 3, 7),
        ("first row inside a group", 0x0123456789ABCDEF, (1 << 33) + 5, 5, 2, 65),
    ]
    for name, i in RARE[fmt].items():
        calls.append((name, 7, 0, i, 1, 1))
    tail = next(iter(RARE[fmt].values()))
    calls.append((next(iter(RARE[fmt])) + " within a row", 7, 0, tail // 100, 1, 100))
    return calls


class Material:
    """Deterministic numbers for logits and gradients, from the words of a seed of their own."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.used = 0

    def _word(self) -> int:
        self.used += 1
        return text.word(FLOAT64, self.seed, 0, self.used - 1)

    def eighths(self, count: int, bound: int) -> list[float]:
        """Multiples of 1/8 in [-bound, bound): short in hexadecimal."""
        return [(self._word() % (16 * bound) - 8 * bound) / 8 for _ in range(count)]

    def reals(self, fmt: Format, count: int, bound: float) -> list[float]:
        """Full-precision values in (-bound, bound)."""
        return [fmt.convert((self._word() / 2**63 - 1) * bound) for _ in range(count)]


LogitsCase = tuple[str, int, int, int, int, list[float]]


def logits_cases(fmt: Format) -> dict[str, LogitsCase]:
    """name -> (name, seed, stream, first row, classes, logits)"""
    material = Material(2024)
    inf = math.inf
    big = fmt.largest
    edge = -87.5 if fmt is FLOAT32 else -708.5
    cases: list[LogitsCase] = [
        ("worked example", 7, 0, 0, 4, [1.0, 2.0, 3.0, 4.0]),
        ("1 class", 7, 0, 0, 1, material.reals(fmt, 3, 4)),
        ("2 classes", 7, 3, 0, 2, material.reals(fmt, 6, 4)),
        ("3 classes", BIT63 + 1, 0, 11, 3, material.reals(fmt, 6, 4)),
        ("17 classes", 7, BIT63 - 1, 1 << 40, 17, material.reals(fmt, 34, 6)),
        ("100 classes", 0xFFFFFFFF00000001, 5, 3, 100, material.eighths(200, 6)),
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
        ("ties", 7, 0, 0, 4, [-1e30, 1e30, 1e30, 1e30, 0.0, fmt.convert(1e20), -inf, fmt.convert(1e20)]),
        ("zeros of both signs", 7, 8, 0, 4, [0.0, -0.0, -0.0, 0.0]),
        ("flush", 7, 0, 0, 96, [2.0] + [edge + (c - 48) / 8 for c in range(95)]),
        ("tail word", 7, 0, RARE[FLOAT32]["tail word 0x90"] // 10, 10, material.eighths(10, 2)),
        ("5 rows", 7, 2, 9, 17, material.eighths(85, 4)),
        ("19 rows", 7, 2, 1, 3, material.eighths(57, 4)),
    ]
    cases = [
        (name, seed, stream, row, k, [fmt.convert(x) for x in xs]) for name, seed, stream, row, k, xs in cases
    ]
    return {case[0]: case for case in cases}


REFUSED: list[tuple[str, int, list[float]]] = [
    ("refused: NaN", 3, [0.0, 1.0, 2.0, 3.0, math.nan, 4.0, math.nan, 0.0, 0.0]),
    ("refused: infinity", 3, [0.0, 1.0, 2.0, -1.0, -2.0, -3.0, 3.0, 4.0, math.inf]),
    ("refused: all masked", 2, [1.0, -math.inf, -math.inf, -math.inf, 0.0, 0.0]),
    ("refused: first row", 2, [math.inf, -math.inf, 0.0, 0.0]),
]

# One for all rows, or one for each.
ROW_TAUS = "0 1e-38 0.5 7 1e30"
SOFT_TAUS: dict[str, Sequence[str]] = {
    "worked example": ("0.5",),
    "1 class": ("0", "1e-38", "1", "1e30", "0 1e30 0.5"),
    "2 classes": ("0", "1e-46", "1e-38", "0.1", "0.5", "1", "1e30"),
    "3 classes": ("0", "1e-38", "0.1", "0.5", "1", "1e30"),
    "17 classes": ("0", "1e-38", "0.1", "0.5", "1", "1e30"),
    "100 classes": ("0.5", "1e30", "7 0"),
    "1025 classes": ("0.7",),
    "masks": ("0", "0.5", "1e30"),
    "one open class": ("1", "1e-38"),
    "huge logits": ("0.5", "1e-38", "1e30"),
    "ties": ("0", "0.1", "1e30"),
    "zeros of both signs": ("0.5",),
    "flush": ("1",),
    "tail word": ("0.5",),
    "5 rows": (ROW_TAUS,),
    "19 rows": (" ".join(([*ROW_TAUS.split(), "1e-46", "0.1"] * 3)[:19]),),
}


SampleCase = tuple[LogitsCase, Sequence[str]]


def sample_cases(fmt: Format) -> list[SampleCase]:
    """Logits and the temperatures to try them with."""
    cases: list[SampleCase] = [(case, SOFT_TAUS[name]) for name, case in logits_cases(fmt).items()]
    return cases + [
        ((name, 7, 0, 0, k, logits), ("0.5", "0", " ".join(["0", "7", "0.5"][: len(logits) // k])))
        for name, k, logits in REFUSED
    ]


def temperatures(tau: str, rows: int) -> list[float]:
    """Return the temperature of each row."""
    given = [float(word) for word in tau.split()]
    return given * rows if len(given) == 1 else given


def beside(fmt: Format, pattern: int) -> list[float]:
    return [fmt.value(pattern + step) for step in (-1, 0, 1)]


VjpCase = tuple[str, int, str, list[float], list[float]]


def soft_sample(fmt: Format, case: LogitsCase, tau: str) -> list[float]:
    """Return the rows of a soft sample, one after the other."""
    _, seed, stream, first_row, classes, logits = case
    out: list[float] = []
    for r, row_tau in enumerate(temperatures(tau, len(logits) // classes)):
        row = logits[r * classes : (r + 1) * classes]
        out += text.soft_row(fmt, row, row_tau, seed, stream, first_row + r)
    return out


def vjp_cases(fmt: Format) -> list[VjpCase]:
    """(name, classes, tau, sample, upstream)"""
    inf, nan = math.inf, math.nan
    material = Material(77)
    cases: list[VjpCase] = []

    def case(name: str, classes: int, tau: str, sample: list[float], upstream: list[float]) -> None:
        cases.append((name, classes, tau, sample, upstream))

    def soft(name: str, tau: str) -> tuple[int, list[float]]:
        logits = logits_cases(fmt)[name]
        return logits[4], soft_sample(fmt, logits, tau)

    for name, taus in (
        ("worked example", ("0.5",)),
        ("1 class", ("1",)),
        ("2 classes", ("0.1", "1", "1e30")),
        ("3 classes", ("0.1", "0.5", "1")),
        ("17 classes", ("0.1", "0.5", "1e30")),
        ("masks", ("0.5",)),
        ("flush", ("1",)),
    ):
        for tau in taus:
            classes, sample = soft(name, tau)
            case(f"sample of {name}", classes, tau, sample, material.reals(fmt, len(sample), 3))
    classes, sample = soft("worked example", "0.5")
    case("worked example", classes, "0.5", sample, [1.0, 0.0, -1.0, 2.0])
    for name, tau in (("100 classes", "0.5"), ("1025 classes", "0.7")):
        classes, sample = soft(name, tau)
        case(f"sample of {name}", classes, tau, sample, material.eighths(len(sample), 2))

    for name, tau in (
        ("5 rows", "0.1 1e-38 0.5 7 1e30"),
        ("19 rows", " ".join((["0.5", "7", "1e-38", "0.1", "1", "1e30"] * 4)[:19])),
    ):
        classes, sample = soft(name, tau)
        case(f"sample of {name}", classes, tau, sample, material.eighths(len(sample), 2))

    tiny = fmt.smallest_normal
    masked = [0.25, 0.0, 0.5, 0.25]
    case("one-hot sample", 3, "0.5", [0.0, 1.0, 0.0], [3.0, -2.0, 7.0])
    case(
        "NaN and infinity where y = 0",
        4,
        "0.5",
        masked * 3,
        [1.0, nan, 2.0, 4.0, 1.0, inf, 2.0, 4.0, 1.0, -inf, 2.0, 4.0],
    )
    case("NaN where y > 0", 4, "0.5", masked, [1.0, 5.0, nan, 4.0])
    case(
        "infinity where y > 0",
        4,
        "0.5",
        masked * 3,
        [1.0, 5.0, inf, 4.0, 1.0, 5.0, -inf, 4.0, inf, 5.0, -inf, 4.0],
    )
    case("constant upstream", 4, "0.5", masked, [3.0, 3.0, 3.0, 3.0])
    case("sample beside the smallest normal number", 3, "1", [1.0, tiny, 2 * tiny], [1.0, 2.0, -3.0])
    case(
        "gradients beside the smallest normal number",
        4,
        "1",
        [0.25, 0.25, 0.25, 0.25] * 2,
        [4 * tiny, -4 * tiny, 6 * tiny, 2 * tiny, 5 * tiny, -5 * tiny, 3 * tiny, -3 * tiny],
    )
    case("flush by a large tau", 2, "1e30", [0.5, 0.5] * 2, [tiny * 2.0**100, -tiny * 2.0**100, 1.0, -1.0])
    case(
        "overflow by a small tau",
        2,
        "1e-38",
        [0.5, 0.5, 0.25, 0.75],
        [fmt.largest, -1.0, 2.0**-20, 2.0**-19],
    )
    case("overflow of the difference", 2, "1", [0.5, 0.5], [fmt.largest, -fmt.largest])
    return cases
