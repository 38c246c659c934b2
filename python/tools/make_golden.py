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

import golden_cases
import golden_half_cases
import mpmath  # type: ignore[import-untyped]  # it ships no types
import noise_text as text
from exact_ieee import BFLOAT16, FLOAT16, FLOAT32, FLOAT64, Format
from golden_cases import Material, beside, temperatures

GOLDEN = Path(__file__).resolve().parents[2] / "src" / "test" / "resources" / "golden"
FORMATS = (FLOAT32, FLOAT64)
HALF_TYPES = (FLOAT16, BFLOAT16)
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
#                     canonical NaN, 0x7fc00000, 0x7ff8000000000000, 0x7e00 (float16) or 0x7fc0 (bfloat16)
#   operator, type    operator of gumbel4j.h without its prefix, or a function of NOISE.md; float32, float64,
#                     float16 or bfloat16. The compute type is float32 for the last two, else the type.
# All comparisons are for equality of bits.
"""

CALL_KEYS = """\
#   rows, classes     shape; arrays are given row by row, packed
#   seed, stream, first_row    the noise key
#   tau               one float64 for all rows or `rows` of them, rounded to the compute type
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
    "round": (
        "the one rounding of section 8",
        "#   x                 float32\n#   out               x in the type\n",
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
        + "#   step_*            worked example only: s, top, e, sum and r of section 7 (compute type)\n",
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
        "#   tau               one float64 for all rows or `rows` of them, rounded to the compute type\n"
        "#   sample, upstream, dlogits    in the type\n"
        "#   dtau              one value a row, in the compute type\n",
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


def key_entries(seed: int, stream: int, first_row: int) -> dict[str, str]:
    return {"seed": f"0x{seed:016x}", "stream": f"0x{stream:016x}", "first_row": f"0x{first_row:016x}"}


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


def round_file() -> GoldenFile:
    file = GoldenFile("round")
    for fmt in HALF_TYPES:
        xs = golden_half_cases.values_to_round(fmt)
        file.case(
            f"{fmt.name} values", type=fmt.name, x=floats_text(xs), out=floats_text(map(fmt.convert, xs))
        )
    return file


def stream_files() -> list[GoldenFile]:
    words_file, uniform_file, gumbel_file = map(GoldenFile, ("words", "uniform", "gumbel"))
    for fmt in FORMATS + HALF_TYPES:
        half = fmt in HALF_TYPES
        calls = golden_half_cases.noise_calls() if half else golden_cases.noise_calls(fmt)
        for name, seed, stream, first_row, rows, classes in calls:
            head: dict[str, str | int] = {
                "type": fmt.name,
                "rows": rows,
                "classes": classes,
                **key_entries(seed, stream, first_row),
            }
            elements = range(first_row * classes, (first_row + rows) * classes)
            words = [text.word(fmt, seed, stream, i) for i in elements]
            label = f"{fmt.name}, {name}"
            if not half:  # whose words and uniforms are those of float32
                words_file.case(label, **head, out=words_text(fmt, words))
                uniform_file.case(
                    label, **head, out=floats_text(text.uniform(fmt, seed, stream, i) for i in elements)
                )
            compute = text.compute_type(fmt)
            seconds = [text.second_word(seed, stream, i) if compute is FLOAT32 else 0 for i in elements]
            gumbel_file.case(
                label,
                **head,
                out=floats_text(text.gumbel(fmt, seed, stream, i) for i in elements),
                true=true_text(true_gumbel(compute, v, w) for v, w in zip(words, seconds, strict=True)),
            )
    return [words_file, uniform_file, gumbel_file]


def sample_files() -> list[GoldenFile]:
    soft_file, hard_file, categorical_file = map(GoldenFile, ("soft", "hard", "categorical"))
    for fmt in FORMATS + HALF_TYPES:
        cases = (golden_half_cases if fmt in HALF_TYPES else golden_cases).sample_cases(fmt)
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
    for fmt in FORMATS + HALF_TYPES:
        cases = (golden_half_cases if fmt in HALF_TYPES else golden_cases).vjp_cases(fmt)
        for name, classes, tau, sample, upstream in cases:
            dlogits: list[float] = []
            dtau: list[float] = []
            taus = temperatures(tau, len(sample) // classes)
            for start, row_tau in zip(range(0, len(sample), classes), taus, strict=True):
                end = start + classes
                dx, dt = text.vjp_row(fmt, sample[start:end], upstream[start:end], row_tau)
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
    return file


def all_files() -> list[GoldenFile]:
    functions = [philox_file(), log_file(), exp_file(), noise_file(), round_file()]
    return functions + stream_files() + sample_files() + [vjp_file()]


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
