"""Measures the errors of log, exp, E and g in native/src, and prints the table "Accuracy" of native/NOISE.md.

E = -log(1 - U) and g = -log E are compared with their exact values for the same word. Errors are in units in
the last place of the exact value; those of g in the last place of max(|g|, 1/2), since g passes through 0.
float32 is measured in C against double, at every value and word; float64 against mpmath, at 100,000 arguments
of each function. Needs mpmath and a C compiler:

    python native/tools/accuracy.py          some minutes
    python native/tools/accuracy.py 7        float32 at every 7th value only
"""

import ctypes
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import mpmath as mp

mp.mp.prec = 140
COUNT = 100_000
T = TypeVar("T", int, float)


def load_functions(directory: str) -> ctypes.CDLL:
    library = Path(directory) / "accuracy.so"
    # -w: not every function of src/ is used
    flags = "-O3 -march=native -std=c11 -ffp-contract=off -fno-math-errno -fno-trapping-math -w".split()
    source = Path(__file__).with_name("accuracy.c")
    subprocess.run(
        [os.environ.get("CC", "cc"), *flags, "-shared", "-fPIC", source, "-o", library, "-lm"], check=True
    )
    return ctypes.CDLL(str(library))


def evaluate(function: Callable[..., object], arguments: ctypes.Array[Any]) -> list[float]:
    """Calls void function(const T *arguments, int64_t count, double *out)."""
    out = (ctypes.c_double * len(arguments))()
    function(arguments, ctypes.c_int64(len(arguments)), out)
    return list(out)


def doubles(values: list[float]) -> ctypes.Array[ctypes.c_double]:
    return (ctypes.c_double * len(values))(*values)


def worst_ulps(got: list[float], exact: list[mp.mpf], least: float = 0.0) -> float:
    worst = mp.mpf(0)
    for value, truth in zip(got, exact, strict=True):
        if truth != 0:
            _, exponent = mp.frexp(max(abs(truth), least))
            worst = max(worst, abs(value - truth) / mp.mpf(2) ** (exponent - 53))
    return float(worst)


def spread(draws: list[Callable[[], T]]) -> list[T]:
    """COUNT values, each of the draws in turn."""
    return [draws[k % len(draws)]() for k in range(COUNT)]


def word_of_noise(g: float) -> int:
    """A word whose noise is close to g; words near g = 0 are rare among random ones."""
    return int(-mp.expm1(-mp.exp(-mp.mpf(g))) * 2**64)


def measure_float64(functions: ctypes.CDLL) -> list[float]:
    r = random.Random(1)
    # where 1 - U, U and E change their formula, and near the ends of the range
    edges = [0, 0x4AFB0CCC << 32, 0x4AFB0CCD << 32, 1 << 63, (1 << 64) - 1]
    x = spread(
        [
            lambda: r.uniform(0.5, 2),
            lambda: 2 ** r.uniform(-1022, 1023),
            lambda: 1 + r.uniform(-1, 1) * 2 ** r.uniform(-52, -1),
        ]
    )
    log = worst_ulps(evaluate(functions.log_all, doubles(x)), [mp.log(mp.mpf(value)) for value in x])
    x = spread([lambda: -r.uniform(0, 708.39), lambda: -r.uniform(0, 3), lambda: -(2 ** r.uniform(-60, 9.4))])
    exp = worst_ulps(evaluate(functions.exp_all, doubles(x)), [mp.exp(mp.mpf(value)) for value in x])
    words = spread(
        [
            lambda: r.getrandbits(64),
            lambda: r.getrandbits(64) >> r.randrange(64),
            lambda: (r.getrandbits(64) >> r.randrange(64)) ^ ((1 << 64) - 1),
            lambda: min(max(r.choice(edges) + r.randrange(-(1 << 40), 1 << 40), 0), (1 << 64) - 1),
            lambda: word_of_noise(r.uniform(-1, 1) * 2.0 ** -r.randrange(40)),
        ]
    )
    e = evaluate(functions.exponential_all, (ctypes.c_uint64 * COUNT)(*words))
    g = [-value for value in evaluate(functions.log_all, doubles(e))]
    exact_e = [-mp.log1p(-(2 * mp.mpf(v) + 1) / mp.mpf(2) ** 65) for v in words]
    exact_g = [-mp.log(value) for value in exact_e]
    return [log, exp, worst_ulps(e, exact_e), worst_ulps(g, exact_g, 0.5)]


def measure_float32(functions: ctypes.CDLL, step: int) -> list[float]:
    worst = (ctypes.c_double * 4)()
    functions.measure_float32(ctypes.c_uint32(step), worst)
    return list(worst)


def main() -> None:
    step = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    with tempfile.TemporaryDirectory() as directory:
        functions = load_functions(directory)
        columns = measure_float32(functions, step), measure_float64(functions)
    print("| largest error, ulp | float32 | float64 |\n| --- | --- | --- |")
    for name, *errors in zip(("log", "exp", "E", "g, of max(abs(g), 1/2)"), *columns, strict=True):
        print(f"| {name} | {errors[0]:.3f} | {errors[1]:.3f} |")


if __name__ == "__main__":
    main()
