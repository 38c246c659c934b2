"""native/NOISE.md written out word by word over exact arithmetic, for `make_golden.py`.

Slow on purpose: one Python call per rounded operation. Nothing here is shared with the C, the Java or the
NumPy implementation. Section numbers are those of NOISE.md. Rows and arrays are plain lists.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from exact_ieee import BFLOAT16, FLOAT16, FLOAT32, FLOAT64, Format

MASK32 = (1 << 32) - 1
MASK64 = (1 << 64) - 1


HALF_TYPES = (FLOAT16, BFLOAT16)


class RefusedRowError(Exception):
    """A row that cannot be sampled (section 7)."""


def _hex(text: str) -> list[float]:
    return [float.fromhex(word) for word in text.split()]


# Section 1: words


def philox4x32(counter: Sequence[int], key: Sequence[int]) -> tuple[int, int, int, int]:
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        p = 0xD2511F53 * c0
        q = 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (q >> 32) ^ c1 ^ k0, q & MASK32, (p >> 32) ^ c3 ^ k1, p & MASK32
        k0 = (k0 + 0x9E3779B9) & MASK32
        k1 = (k1 + 0xBB67AE85) & MASK32
    return c0, c1, c2, c3


def block_words(seed: int, stream: int, block: int) -> tuple[int, int, int, int]:
    counter = (block & MASK32, block >> 32, stream & MASK32, stream >> 32)
    return philox4x32(counter, (seed & MASK32, seed >> 32))


def compute_type(fmt: Format) -> Format:
    """The type that section 8 computes in."""
    return FLOAT32 if fmt in HALF_TYPES else fmt


def word(fmt: Format, seed: int, stream: int, i: int) -> int:
    """The word v of element i."""
    if compute_type(fmt) is FLOAT32:
        g, j = i >> 6, i & 63
        return block_words(seed, stream, 16 * g + (j & 15))[j >> 4]
    g, j = i >> 5, i & 31
    words = block_words(seed, stream, 16 * g + (j & 15))
    return words[2 * (j >> 4)] + (words[2 * (j >> 4) + 1] << 32)


def second_word(seed: int, stream: int, i: int) -> int:
    """The word w of section 2."""
    return word(FLOAT32, seed, stream | (1 << 63), i)


# Section 2: uniforms, as exact fractions numerator / 2^65


def exact_uniform(fmt: Format, v: int, w: int) -> int:
    """65-bit numerator of U = numerator / 2^65; `w` is used by the float32 tail only."""
    if fmt is FLOAT64:
        return 2 * v + 1
    if v >= 256:
        return (2 * v + 1) << 32
    return 2 * ((v << 32) + w) + 1


def uniform(fmt: Format, seed: int, stream: int, i: int) -> float:
    v = word(fmt, seed, stream, i)
    if fmt is FLOAT64:
        return m64(v)
    w = second_word(seed, stream, i) if v < 256 else 0
    return FLOAT64.round(exact_uniform(fmt, v, w), -65)


# Section 3: float32

LN2_32 = float.fromhex("0x1.62e43p-1")
C = _hex(
    "-0x1.39235ep-4 0x1.08a428p-3 -0x1.0f35fep-3 0x1.226424p-3 -0x1.5425ecp-3 "
    "0x1.99a48cp-3 -0x1.000430p-2 0x1.555550p-2 -0x1.fffff8p-2"
)
FIRST_BEYOND_LOG1P = 0x4AFB0CCC


def m(t: int) -> float:
    return FLOAT32.fma(FLOAT32.from_integer(t), 2.0**-32, 2.0**-33)


def log1p_polynomial32(f: float) -> float:
    fma = FLOAT32.fma
    f2 = FLOAT32.multiply(f, f)
    a = C[0]
    for c in (C[2], C[4], C[6], C[8]):
        a = fma(a, f2, c)
    b = C[1]
    for c in (C[3], C[5], C[7]):
        b = fma(b, f2, c)
    return fma(f2, fma(b, f, a), f)


def _signed(n: int, width: int) -> int:
    n &= (1 << width) - 1
    return n - (1 << width) if n >> (width - 1) else n


def log32(x: float) -> float:
    n = _signed(FLOAT32.bits(x) - 0x3F3504F3, 32)
    e = n >> 23
    f = FLOAT32.subtract(FLOAT32.value((n & 0x7FFFFF) + 0x3F3504F3), 1.0)
    return FLOAT32.fma(FLOAT32.from_integer(e), LN2_32, log1p_polynomial32(f))


def minus_exponential32(v: int, w: int) -> float:
    """L = log(1 - U)."""
    if v >= 1 << 31:
        return log32(m((1 << 32) - 1 - v))
    if v > FIRST_BEYOND_LOG1P:
        return FLOAT32.fma(-1.0, LN2_32, log1p_polynomial32(FLOAT32.multiply(2.0, m((1 << 31) - 1 - v))))
    if v >= 256:
        return log1p_polynomial32(-m(v))
    return -FLOAT32.round(exact_uniform(FLOAT32, v, w), -65)


# Section 4: float64

LN2_64 = float.fromhex("0x1.62e42fefa39efp-1")
D = _hex(
    "0x1.2b5a8aca255fdp-3 0x1.39fe31c77715cp-3 0x1.7462b61242bb4p-3 0x1.c71c62e0922bcp-3 "
    "0x1.2492492df5266p-2 0x1.99999999952bfp-2 0x1.5555555555558p-1"
)


def m64(t: int) -> float:
    high = FLOAT64.multiply(FLOAT64.from_integer(t >> 32), 2.0**-32)
    low = FLOAT64.multiply(FLOAT64.add(FLOAT64.from_integer(t & MASK32), 0.5), 2.0**-64)
    return FLOAT64.add(high, low)


def log1p_polynomial64(f: float) -> float:
    fma = FLOAT64.fma
    s = FLOAT64.divide(f, FLOAT64.add(2.0, f))
    t = FLOAT64.multiply(s, s)
    u = FLOAT64.multiply(t, t)
    a = D[0]
    for d in (D[2], D[4], D[6]):
        a = fma(a, u, d)
    b = D[1]
    for d in (D[3], D[5]):
        b = fma(b, u, d)
    return fma(-s, fma(-t, fma(b, t, a), f), f)


def log64(x: float) -> float:
    n = _signed(FLOAT64.bits(x) - 0x3FE6A09E667F3BCD, 64)
    e = n >> 52
    f = FLOAT64.subtract(FLOAT64.value((n & 0xFFFFFFFFFFFFF) + 0x3FE6A09E667F3BCD), 1.0)
    return FLOAT64.fma(FLOAT64.from_integer(e), LN2_64, log1p_polynomial64(f))


def minus_exponential64(v: int) -> float:
    """L = log(1 - U)."""
    h = v >> 32
    if h >= 1 << 31:
        return log64(m64(MASK64 - v))
    if h > FIRST_BEYOND_LOG1P:
        return FLOAT64.fma(-1.0, LN2_64, log1p_polynomial64(FLOAT64.multiply(2.0, m64((1 << 63) - 1 - v))))
    return log1p_polynomial64(-m64(v))


def log(fmt: Format, x: float) -> float:
    return log32(x) if fmt is FLOAT32 else log64(x)


def exponential_of_word(fmt: Format, v: int, w: int = 0) -> float:
    return -(minus_exponential32(v, w) if fmt is FLOAT32 else minus_exponential64(v))


def gumbel_of_word(fmt: Format, v: int, w: int = 0) -> float:
    return -log(fmt, exponential_of_word(fmt, v, w))


def noise(fmt: Format, seed: int, stream: int, i: int) -> float:
    """The value g of element i in the compute type."""
    v = word(fmt, seed, stream, i)
    w = second_word(seed, stream, i) if compute_type(fmt) is FLOAT32 and v < 256 else 0
    return gumbel_of_word(compute_type(fmt), v, w)


# Section 5: exponential

A = _hex("0x1.6a2436p-10 0x1.1239e2p-7 0x1.5558f2p-5 0x1.555492p-3 0x1.fffffcp-2")
B = _hex(
    "0x1.af38a9b0ec855p-26 0x1.289185613a3d6p-22 0x1.71de0dae63bb3p-19 0x1.a019b90d2ae7ap-16 "
    "0x1.a01a01a7c41d5p-13 0x1.6c16c1788bd90p-10 0x1.11111111109b3p-7 0x1.5555555553d63p-5 "
    "0x1.5555555555556p-3 0x1.0000000000001p-1"
)


def exp32(x: float) -> float:
    if x < float.fromhex("-0x1.5d5894p+6"):
        return 0.0
    fma = FLOAT32.fma
    t = fma(x, float.fromhex("0x1.715476p0"), float.fromhex("0x1.8p23"))
    n = FLOAT32.subtract(t, float.fromhex("0x1.8p23"))
    r = fma(n, float.fromhex("-0x1.62e4p-1"), x)
    r = fma(n, float.fromhex("-0x1.7f7d1cp-20"), r)
    q = FLOAT32.multiply(r, r)
    a = fma(fma(A[0], q, A[2]), q, A[4])
    b = fma(A[1], q, A[3])
    y = FLOAT32.add(fma(q, fma(b, r, a), r), 1.0)
    return FLOAT32.value(FLOAT32.bits(y) + (FLOAT32.bits(t) << 23))


def exp64(x: float) -> float:
    if x < float.fromhex("-0x1.6231eb851eb85p+9"):
        return 0.0
    fma = FLOAT64.fma
    t = fma(x, float.fromhex("0x1.71547652b82fep0"), float.fromhex("0x1.8p52"))
    n = FLOAT64.subtract(t, float.fromhex("0x1.8p52"))
    r = fma(n, float.fromhex("-0x1.62e42fee00000p-1"), x)
    r = fma(n, float.fromhex("-0x1.a39ef35793c76p-33"), r)
    q = FLOAT64.multiply(r, r)
    b = B[0]
    for c in (B[2], B[4], B[6], B[8]):
        b = fma(b, q, c)
    a = B[1]
    for c in (B[3], B[5], B[7], B[9]):
        a = fma(a, q, c)
    y = FLOAT64.add(fma(q, fma(b, r, a), r), 1.0)
    return FLOAT64.value(FLOAT64.bits(y) + (FLOAT64.bits(t) << 52))


def exp(fmt: Format, x: float) -> float:
    return exp32(x) if fmt is FLOAT32 else exp64(x)


# Section 6: sums


def _fold(fmt: Format, lanes: list[float]) -> float:
    for half in (8, 4, 2, 1):
        for lane in range(half):
            lanes[lane] = fmt.add(lanes[lane], lanes[lane + half])
    return lanes[0]


def row_sum(fmt: Format, terms: Sequence[float]) -> float:
    total = 0.0
    for start in range(0, len(terms), 1024):
        lanes = [0.0] * 16
        for c, term in enumerate(terms[start : start + 1024]):
            lanes[c & 15] = fmt.add(lanes[c & 15], term)
        total = fmt.add(total, _fold(fmt, lanes))
    return total


def row_sum_of_products(fmt: Format, pairs: Sequence[tuple[float, float] | None]) -> float:
    """`None` stands for a column that takes no part."""
    total = 0.0
    for start in range(0, len(pairs), 1024):
        lanes = [0.0] * 16
        for c, pair in enumerate(pairs[start : start + 1024]):
            if pair is not None:
                lanes[c & 15] = fmt.fma(pair[0], pair[1], lanes[c & 15])
        total = fmt.add(total, _fold(fmt, lanes))
    return total


# Sections 7 and 8: operators, one row at a time


@dataclass
class Steps:
    """What a soft sample passes through, for the worked examples."""

    s: list[float] = field(default_factory=list)
    top: float = math.nan
    e: list[float] = field(default_factory=list)
    total: float = math.nan
    r: float = math.nan


def gumbel(fmt: Format, seed: int, stream: int, i: int) -> float:
    """The operator's result: g of element i in the type."""
    return fmt.convert(noise(fmt, seed, stream, i))


def perturbed(fmt: Format, logits: Sequence[float], seed: int, stream: int, row: int) -> list[float]:
    """s = x + g in the compute type, `row` counting from the start of the whole array."""
    if any(math.isnan(x) or x == math.inf for x in logits) or all(x == -math.inf for x in logits):
        raise RefusedRowError
    first = row * len(logits)
    add = compute_type(fmt).add
    return [add(x, noise(fmt, seed, stream, first + c)) for c, x in enumerate(logits)]


def categorical_row(fmt: Format, logits: Sequence[float], seed: int, stream: int, row: int) -> int:
    s = perturbed(fmt, logits, seed, stream, row)
    return s.index(max(s))


def hard_row(fmt: Format, logits: Sequence[float], seed: int, stream: int, row: int) -> list[float]:
    winner = categorical_row(fmt, logits, seed, stream, row)
    return [1.0 if c == winner else 0.0 for c in range(len(logits))]


def soft_row(
    fmt: Format,
    logits: Sequence[float],
    tau: float,
    seed: int,
    stream: int,
    row: int,
    steps: Steps | None = None,
) -> list[float]:
    """Return y in the type; `steps` are in the compute type."""
    stored, fmt = fmt, compute_type(fmt)
    tau = fmt.convert(tau)
    if tau == 0:
        return hard_row(fmt, logits, seed, stream, row)
    s = perturbed(fmt, logits, seed, stream, row)
    top = max(s)
    e = [exp(fmt, fmt.divide(fmt.subtract(z, top), tau)) for z in s]
    total = row_sum(fmt, e)
    r = fmt.divide(1.0, total)
    if steps is not None:
        steps.s, steps.top, steps.e, steps.total, steps.r = s, top, e, total, r
    products = [fmt.multiply(term, r) for term in e]
    return [0.0 if y < fmt.smallest_normal else stored.convert(y) for y in products]


def clean(fmt: Format, a: float) -> float:
    if math.isnan(a):
        return math.nan
    return 0.0 if abs(a) < fmt.smallest_normal else a


def vjp_row(
    fmt: Format, sample: Sequence[float], upstream: Sequence[float], tau: float
) -> tuple[list[float], float]:
    """Return dx in the type and dtau in the compute type."""
    stored, fmt = fmt, compute_type(fmt)
    tau = fmt.convert(tau)
    dot = row_sum_of_products(
        fmt, [None if y == 0 else (y, v) for y, v in zip(sample, upstream, strict=True)]
    )
    dx = [
        0.0 if y == 0 else clean(fmt, fmt.divide(fmt.multiply(y, fmt.subtract(v, dot)), tau))
        for y, v in zip(sample, upstream, strict=True)
    ]
    total = row_sum_of_products(
        fmt, [None if y == 0 else (d, log(fmt, y)) for y, d in zip(sample, dx, strict=True)]
    )
    return [stored.convert(d) for d in dx], clean(fmt, -total)
