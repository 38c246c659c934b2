"""Finds the elements whose words lie on or beside a border of native/NOISE.md, for the golden files.

    python python/tools/find_words.py [--seed 7] [--elements 2147483648]

Prints one line per hit: type, border, element, word. Such words come up a few times in 2^32, so they are
looked for once and the finds are written into make_golden.py (RARE). The default takes a few minutes. Needs
the package gumbel4j, whose reference makes the words.
"""

from __future__ import annotations

import argparse

import numpy as np
from numpy.typing import NDArray

from gumbel4j import reference

CHUNK = 1 << 22

# Border, first and last word (for float64: upper half of the word). Gumbel is zero where E rounds to 1.
BORDERS32 = (
    ("tail", 0, 0xFF),
    ("beyond the tail", 0x100, 0x13F),
    ("end of log1p", 0x4AFB0CCC - 8, 0x4AFB0CCC + 8),
    ("half", 0x80000000 - 8, 0x80000000 + 8),
    ("end", 0xFFFFFFC0, 0xFFFFFFFF),
    ("gumbel is zero", 0xA1D2A6BF, 0xA1D2A7BE),
)
BORDERS64 = (
    ("smallest", 0, 7),
    ("end of log1p", 0x4AFB0CCC - 2, 0x4AFB0CCC + 2),
    ("half", 0x80000000 - 2, 0x80000000 + 2),
    ("end", 0xFFFFFFF8, 0xFFFFFFFF),
)


def report(
    name: str, start: int, words: NDArray[np.uint64], shift: int, borders: tuple[tuple[str, int, int], ...]
) -> None:
    upper = words >> np.uint64(shift)
    for border, first, last in borders:
        for at in np.flatnonzero((upper >= first) & (upper <= last)):
            print(f"{name}  {border:<16} element {start + int(at):>12}  word {int(words[at]):#x}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Find elements with rare words.")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--elements", type=int, default=1 << 31)
    arguments = parser.parse_args()
    for start in range(0, arguments.elements, CHUNK):
        count = min(CHUNK, arguments.elements - start)
        for name, dtype, shift, borders in (
            ("float32", np.uint32, 0, BORDERS32),
            ("float64", np.uint64, 32, BORDERS64),
        ):
            words = reference.words((count, 1), seed=arguments.seed, first_row=start, dtype=dtype)
            report(name, start, words.reshape(-1).astype(np.uint64), shift, borders)


if __name__ == "__main__":
    main()
