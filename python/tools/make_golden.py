"""Writes the golden files in src/test/resources/golden that every test of every language reads.

    python python/tools/make_golden.py            write all files
    python python/tools/make_golden.py --check    write nothing; exit status 1 if a file would change

The values come from `noise_text` (native/NOISE.md literally, over exact arithmetic) and, where a case carries
true values, from mpmath. The same bytes come out on every run.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import mpmath  # type: ignore[import-untyped]  # it ships no types
import noise_text as text
from exact_ieee import FLOAT32, FLOAT64, Format

GOLDEN = Path(__file__).resolve().parents[2] / "src" / "test" / "resources" / "golden"
FORMATS = (FLOAT32, FLOAT64)
TRUE_DIGITS = 25

LEAST_WRITTEN = mpmath.mpf("1e-400")

mpmath.mp.dps = 60

PREAMBLE = """\
# gumbel4j golden values: {title}
# Written by python/tools/make_golden.py from native/NOISE.md; do not edit.
#
# Lines that start with '#' and empty lines are comments. Every other line is "key = value"; a value is one
# token, or several with one space between them. "case = NAME" opens a case, which ends where the next one
# begins. Skip keys you do not use.
#   integers          decimal; those that start with 0x are unsigned hexadecimal
#   floats            C99 hexadecimal, exact (Java's Float.parseFloat and Double.parseDouble, C's strtof and
#                     strtod and Python's float.fromhex read them); -0x0p0 is minus zero; NaN stands for the
#                     canonical NaN, 0x7fc00000 or 0x7ff8000000000000
#   operator, type    operator of gumbel4j.h without its prefix, or a function of NOISE.md; float32 or float64
# All comparisons are for equality of bits.
"""

CALL_KEYS = """\
#   rows, classes     shape; arrays are given row by row, packed
#   seed, stream, first_row    the noise key
#   tau               one float64 for all rows or `rows` of them, to be rounded to the type
"""

HEADS = {
    "philox4x32": (
        "the block function",
        "#   counter, key, out    words; Random123's three known answers, then two of our own\n",
    ),
    "log": (
        "the logarithm of sections 3 and 4",
        "#   x, out            arguments and results, in the type\n"
        "#   true              the real logarithm of x, 25 digits (not a bound: it shows the error)\n",
    ),
    "exp": (
        "the exponential of section 5",
        "#   x, out            arguments and results, in the type\n"
        "#   true              the real exponential of x, 25 digits (out is 0 below normal numbers)\n",
    ),
    "noise": (
        "from a word to Gumbel noise, sections 2 to 4",
        "#   v                 words of the stream (32 or 64 bits)\n"
        "#   w                 float32 only: the second words (section 2), used where v < 256\n"
        "#   uniform           U as a float64, in both types\n"
        "#   exponential, gumbel    E = -L and g, in the type\n"
        "#   true              the real Gumbel value of v (and w), 25 digits\n",
    ),
    "words": (
        "raw words",
        CALL_KEYS
        + "#   out               32-bit words for type float32 (ABI: INT32), 64-bit for float64 (INT64)\n",
    ),
    "uniform": ("uniforms", CALL_KEYS + "#   out               float64 in both types\n"),
    "gumbel": (
        "Gumbel noise",
        CALL_KEYS
        + "#   out               in the type\n"
        + "#   true              the real Gumbel values of the same words, 25 digits\n",
    ),
    "soft": (
        "soft samples",
        CALL_KEYS
        + "#   logits            in the type\n"
        + "#   returns           rows written: `rows`, or the number r of the first row that is refused\n"
        + "#   out               the rows that were written, in the type; absent if there are none\n"
        + "#   step_*            worked example only: s, top, e, sum and r of section 7\n",
    ),
    "hard": (
        "one-hot samples",
        CALL_KEYS
        + "#   logits            in the type\n"
        + "#   returns           rows written: `rows`, or the number r of the first row that is refused\n"
        + "#   out               the rows that were written, in the type; absent if there are none\n",
    ),
    "categorical": (
        "sampled indices",
        CALL_KEYS
        + "#   logits            in the type\n"
        + "#   returns           rows written: `rows`, or the number r of the first row that is refused\n"
        + "#   out               one index a row, for the rows that were written; absent if there are none\n",
    ),
    "vjp": (
        "backward of soft",
        "#   rows, classes     shape; arrays are given row by row, packed\n"
        "#   tau               one float64 for all rows or `rows` of them, to be rounded to the type\n"
        "#   sample, upstream, dlogits    in the type\n"
        "#   dtau              one value a row, in the type\n",
    ),
}


# Writing


def float_text(x: float) -> str:
    if math.isnan(x):
        return "NaN"
    if math.isinf(x):
        return "Infinity" if x > 0 else "-Infinity"
    mantissa, exponent = x.hex().split("p")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa}p{int(exponent)}"


def floats_text(values: Iterable[float]) -> str:
    return " ".join(map(float_text, values))


def word_text(fmt: Format, v: int) -> str:
    return f"0x{v:0{fmt.width // 4}x}"


def words_text(fmt: Format, values: Iterable[int]) -> str:
    return " ".join(word_text(fmt, v) for v in values)


def true_text(values: Iterable[mpmath.mpf]) -> str:
    """25 digits of each value; what is below every float64 is written as 0."""
    return " ".join(
        mpmath.nstr(value, TRUE_DIGITS, strip_zeros=False) if abs(value) > LEAST_WRITTEN else "0.0"
        for value in values
    )


class GoldenFile:
    """The text of one golden file in the making."""

    def __init__(self, operator: str) -> None:
        self.operator = operator
        title, keys = HEADS[operator]
        self.lines = [PREAMBLE.format(title=title).rstrip("\n"), keys.rstrip("\n")]

    def case(self, name: str, **entries: str | int) -> None:
        self.lines += ["", f"case = {name}", f"operator = {self.operator}"]
        self.lines += [f"{key} = {value}" for key, value in entries.items()]

    def content(self) -> str:
        return "\n".join(self.lines) + "\n"


# Real values


def true_gumbel(fmt: Format, v: int, w: int) -> mpmath.mpf:
    u = mpmath.mpf(text.exact_uniform(fmt, v, w)) / mpmath.mpf(2) ** 65
    return -mpmath.log(-mpmath.log1p(-u))


# Material for the cases

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


def noise_calls(fmt: Format) -> list[tuple[str, int, int, int, int, int]]:
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


def key_entries(seed: int, stream: int, first_row: int) -> dict[str, str]:
    return {"seed": f"0x{seed:016x}", "stream": f"0x{stream:016x}", "first_row": f"0x{first_row:016x}"}


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


def temperatures(tau: str, rows: int) -> list[float]:
    """Return the temperature of each row."""
    given = [float(word) for word in tau.split()]
    return given * rows if len(given) == 1 else given


def tau_label(tau: str) -> str:
    return "a tau for each row" if " " in tau else f"tau {tau}"


# The files


def philox_file() -> GoldenFile:
    file = GoldenFile("philox4x32")
    ones = 0xFFFFFFFF
    known = [
        ("Random123, zeros", (0, 0, 0, 0), (0, 0)),
        ("Random123, ones", (ones, ones, ones, ones), (ones, ones)),
        (
            "Random123, digits of pi",
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
        ),
        ("first block of seed 7", (0, 0, 0, 0), (7, 0)),
        ("halves in order", (1, 2, 3, 4), (5, 6)),
    ]
    for name, counter, key in known:
        file.case(
            name,
            counter=words_text(FLOAT32, counter),
            key=words_text(FLOAT32, key),
            out=words_text(FLOAT32, text.philox4x32(counter, key)),
        )
    return file


def beside(fmt: Format, pattern: int) -> list[float]:
    return [fmt.value(pattern + step) for step in (-1, 0, 1)]


def log_file() -> GoldenFile:
    file = GoldenFile("log")
    for fmt in FORMATS:
        root = 0x3F3504F3 if fmt is FLOAT32 else 0x3FE6A09E667F3BCD
        one_exponent = 1 << (fmt.precision - 1)
        xs = [fmt.smallest_normal, fmt.largest, 2.0**-65, 2.0**-33, 0.5, 2.0, 45.0]
        xs += beside(fmt, root) + beside(fmt, root + one_exponent) + beside(fmt, root - one_exponent)
        xs += beside(fmt, fmt.bits(1.0))
        material = Material(1)
        xs += [abs(x) for x in material.reals(fmt, 20, 45)] + [abs(x) for x in material.reals(fmt, 10, 1e-9)]
        file.case(
            f"{fmt.name} values",
            type=fmt.name,
            x=floats_text(xs),
            out=floats_text(text.log(fmt, x) for x in xs),
            true=true_text(mpmath.log(mpmath.mpf(x)) for x in xs),
        )
    return file


def exp_file() -> GoldenFile:
    file = GoldenFile("exp")
    for fmt in FORMATS:
        bound = float.fromhex("-0x1.5d5894p+6" if fmt is FLOAT32 else "-0x1.6231eb851eb85p+9")
        subnormal = fmt.value(1)
        xs = [0.0, -0.0, -subnormal, -fmt.smallest_normal, -fmt.largest, -math.inf, -1.0]
        xs += beside(fmt, fmt.bits(bound)) + beside(fmt, fmt.bits(fmt.convert(-math.log(2) / 2)))
        xs += beside(fmt, fmt.bits(fmt.convert(-math.log(2) * 7.5)))
        material = Material(2)
        xs += [-abs(x) for x in material.reals(fmt, 15, 1)] + [
            -abs(x) for x in material.reals(fmt, 20, -bound)
        ]
        file.case(
            f"{fmt.name} values",
            type=fmt.name,
            x=floats_text(xs),
            out=floats_text(text.exp(fmt, x) for x in xs),
            true=true_text(mpmath.exp(mpmath.mpf(x)) for x in xs),
        )
    return file


def noise_file() -> GoldenFile:
    file = GoldenFile("noise")
    for fmt in FORMATS:
        spare = fmt.width - 32
        top = (1 << fmt.width) - 1
        edge = 0x4AFB0CCC
        words = [0, 1, 15, 254 << spare, 255 << spare, 256 << spare, 257 << spare]
        for border in (edge << spare, ((edge + 1) << spare) - 1, 1 << (fmt.width - 1), top):
            words += [v for v in (border - 1, border, border + 1) if v <= top]
        words += [text.word(fmt, 3, 0, i) for i in range(20)]
        words += [text.word(fmt, 3, 0, i) >> (i * fmt.width // 24) for i in range(20)]
        words = list(dict.fromkeys(words))
        pairs = [(v, text.word(FLOAT32, 4, 0, n)) for n, v in enumerate(words)]
        if fmt is FLOAT32:
            pairs += [(0, 0), (0, 1), (0, top), (255, top), (255, top - 128)]
        seconds = {"w": words_text(FLOAT32, (w for _, w in pairs))} if fmt is FLOAT32 else {}
        file.case(
            f"{fmt.name} words",
            type=fmt.name,
            v=words_text(fmt, (v for v, _ in pairs)),
            **seconds,
            uniform=floats_text(FLOAT64.round(text.exact_uniform(fmt, v, w), -65) for v, w in pairs),
            exponential=floats_text(text.exponential_of_word(fmt, v, w) for v, w in pairs),
            gumbel=floats_text(text.gumbel_of_word(fmt, v, w) for v, w in pairs),
            true=true_text(true_gumbel(fmt, v, w) for v, w in pairs),
        )
    return file


def stream_files() -> list[GoldenFile]:
    words_file, uniform_file, gumbel_file = map(GoldenFile, ("words", "uniform", "gumbel"))
    for fmt in FORMATS:
        for name, seed, stream, first_row, rows, classes in noise_calls(fmt):
            head: dict[str, str | int] = {
                "type": fmt.name,
                "rows": rows,
                "classes": classes,
                **key_entries(seed, stream, first_row),
            }
            elements = range(first_row * classes, (first_row + rows) * classes)
            words = [text.word(fmt, seed, stream, i) for i in elements]
            seconds = [text.second_word(seed, stream, i) if fmt is FLOAT32 else 0 for i in elements]
            label = f"{fmt.name}, {name}"
            words_file.case(label, **head, out=words_text(fmt, words))
            uniform_file.case(
                label, **head, out=floats_text(text.uniform(fmt, seed, stream, i) for i in elements)
            )
            gumbel_file.case(
                label,
                **head,
                out=floats_text(text.gumbel(fmt, seed, stream, i) for i in elements),
                true=true_text(true_gumbel(fmt, v, w) for v, w in zip(words, seconds, strict=True)),
            )
    return [words_file, uniform_file, gumbel_file]


def sample_files() -> list[GoldenFile]:
    soft_file, hard_file, categorical_file = map(GoldenFile, ("soft", "hard", "categorical"))
    for fmt in FORMATS:
        cases: list[tuple[LogitsCase, Sequence[str]]] = [
            (case, SOFT_TAUS[name]) for name, case in logits_cases(fmt).items()
        ]
        cases += [
            ((name, 7, 0, 0, k, logits), ("0.5", "0", " ".join(["0", "7", "0.5"][: len(logits) // k])))
            for name, k, logits in REFUSED
        ]
        for (name, seed, stream, first_row, classes, logits), taus in cases:
            rows = [logits[start : start + classes] for start in range(0, len(logits), classes)]
            head: dict[str, str | int] = {
                "type": fmt.name,
                "rows": len(rows),
                "classes": classes,
                **key_entries(seed, stream, first_row),
            }
            label = f"{fmt.name}, {name}"
            for tau in taus:
                steps = text.Steps()
                out: list[float] = []
                returns = 0
                for r, (row, row_tau) in enumerate(zip(rows, temperatures(tau, len(rows)), strict=True)):
                    try:
                        out += text.soft_row(fmt, row, row_tau, seed, stream, first_row + r, steps)
                    except text.RefusedRowError:
                        break
                    returns = r + 1
                worked = {}
                if name == "worked example":
                    worked = {
                        "step_s": floats_text(steps.s),
                        "step_top": float_text(steps.top),
                        "step_e": floats_text(steps.e),
                        "step_sum": float_text(steps.total),
                        "step_r": float_text(steps.r),
                    }
                soft_file.case(
                    f"{label}, {tau_label(tau)}",
                    **head,
                    tau=floats_text(map(float, tau.split())),
                    logits=floats_text(logits),
                    returns=returns,
                    **({"out": floats_text(out)} if out else {}),
                    **worked,
                )
            indices: list[int] = []
            for r, row in enumerate(rows):
                try:
                    indices.append(text.categorical_row(fmt, row, seed, stream, first_row + r))
                except text.RefusedRowError:
                    break
            given: dict[str, str | int] = {"logits": floats_text(logits), "returns": len(indices)}
            one_hot = [1.0 if c == index else 0.0 for index in indices for c in range(classes)]
            hard_file.case(label, **head, **given, **({"out": floats_text(one_hot)} if indices else {}))
            categorical_file.case(
                label, **head, **given, **({"out": " ".join(map(str, indices))} if indices else {})
            )
    return [soft_file, hard_file, categorical_file]


def vjp_file() -> GoldenFile:
    file = GoldenFile("vjp")
    for fmt in FORMATS:
        add_vjp_cases(file, fmt)
    return file


def add_vjp_cases(file: GoldenFile, fmt: Format) -> None:
    inf, nan = math.inf, math.nan
    material = Material(77)

    def case(name: str, classes: int, tau: str, sample: list[float], upstream: list[float]) -> None:
        dlogits: list[float] = []
        dtau: list[float] = []
        taus = temperatures(tau, len(sample) // classes)
        for start, row_tau in zip(range(0, len(sample), classes), taus, strict=True):
            dx, dt = text.vjp_row(
                fmt, sample[start : start + classes], upstream[start : start + classes], row_tau
            )
            dlogits += dx
            dtau.append(dt)
        file.case(
            f"{fmt.name}, {name}, {tau_label(tau)}",
            type=fmt.name,
            rows=len(dtau),
            classes=classes,
            tau=floats_text(map(float, tau.split())),
            sample=floats_text(sample),
            upstream=floats_text(upstream),
            dlogits=floats_text(dlogits),
            dtau=floats_text(dtau),
        )

    def soft(name: str, tau: str) -> tuple[int, list[float]]:
        _, seed, stream, first_row, classes, logits = logits_cases(fmt)[name]
        out: list[float] = []
        for r, row_tau in enumerate(temperatures(tau, len(logits) // classes)):
            row = logits[r * classes : (r + 1) * classes]
            out += text.soft_row(fmt, row, row_tau, seed, stream, first_row + r)
        return classes, out

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


def all_files() -> list[GoldenFile]:
    return [philox_file(), log_file(), exp_file(), noise_file(), *stream_files(), *sample_files(), vjp_file()]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Write the golden files.")
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    check = parser.parse_args(arguments).check
    GOLDEN.mkdir(parents=True, exist_ok=True)
    different = 0
    for file in all_files():
        path = GOLDEN / f"{file.operator}.txt"
        content = file.content().encode("ascii")
        if not check:
            path.write_bytes(content)
        elif not path.is_file() or path.read_bytes() != content:
            print(f"{path} differs from what make_golden.py writes")
            different += 1
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
