"""Exact arithmetic in the IEEE 754 formats and bfloat16 on Python integers, for `make_golden.py`.

Every operation is worked out without error in integers and then rounded once, to nearest, ties to even, with
gradual underflow: the arithmetic that native/NOISE.md is written in, free of any processor, compiler or
library. Numbers are held in Python floats, which contain every value of these formats exactly.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

_QUOTIENT_BITS = 128  # far more than any rounding looks at; what is left over goes into a sticky bit


def _parts(x: float) -> tuple[int, int]:
    """Return integers (n, e) with x = n 2^e, for a finite x."""
    fraction, exponent = math.frexp(x)
    return int(math.ldexp(fraction, 53)), exponent - 53


@dataclass(frozen=True)
class Format:
    """One binary interchange format and its operations."""

    name: str
    width: int
    precision: int
    smallest_normal_exponent: int
    float_code: str  # of the struct module, which has none for bfloat16
    integer_code: str

    @property
    def smallest_normal(self) -> float:
        return math.ldexp(1.0, self.smallest_normal_exponent)

    @property
    def largest(self) -> float:
        return math.ldexp(2.0 - math.ldexp(1.0, 1 - self.precision), -self.smallest_normal_exponent + 1)

    def round(self, n: int, e: int) -> float:
        """Round n 2^e (n not zero) to the format."""
        magnitude = abs(n)
        unit = max(magnitude.bit_length() + e, self.smallest_normal_exponent + 1) - self.precision
        shift = unit - e
        if shift > 0:
            kept = magnitude >> shift
            dropped = magnitude & ((1 << shift) - 1)
            half = 1 << (shift - 1)
            if dropped > half or (dropped == half and kept & 1):
                kept += 1
        else:
            kept = magnitude << -shift
        if kept.bit_length() + unit > 2 - self.smallest_normal_exponent:
            result = math.inf
        else:
            result = math.ldexp(kept, unit)
        return result if n > 0 else -result

    def convert(self, x: float) -> float:
        """Round a float64 to the format."""
        if x == 0 or not math.isfinite(x):
            return x
        return self.round(*_parts(x))

    def from_integer(self, n: int) -> float:
        return self.round(n, 0) if n else 0.0

    def multiply(self, a: float, b: float) -> float:
        if math.isnan(a) or math.isnan(b):
            return math.nan
        sign = math.copysign(1.0, a) * math.copysign(1.0, b)
        if math.isinf(a) or math.isinf(b):
            return math.nan if a == 0 or b == 0 else math.copysign(math.inf, sign)
        if a == 0 or b == 0:
            return math.copysign(0.0, sign)
        na, ea = _parts(a)
        nb, eb = _parts(b)
        return self.round(na * nb, ea + eb)

    def fma(self, a: float, b: float, c: float) -> float:
        if math.isnan(a) or math.isnan(b) or math.isnan(c):
            return math.nan
        sign = math.copysign(1.0, a) * math.copysign(1.0, b)
        if math.isinf(a) or math.isinf(b):
            if a == 0 or b == 0 or (math.isinf(c) and math.copysign(1.0, c) != sign):
                return math.nan
            return math.copysign(math.inf, sign)
        if math.isinf(c):
            return c
        if a == 0 or b == 0:
            if c != 0:
                return c
            return c if math.copysign(1.0, c) == sign else 0.0
        na, ea = _parts(a)
        nb, eb = _parts(b)
        n, e = na * nb, ea + eb
        if c != 0:
            nc, ec = _parts(c)
            if ec >= e:
                n += nc << (ec - e)
            else:
                n = (n << (e - ec)) + nc
                e = ec
            if n == 0:
                return 0.0
        return self.round(n, e)

    def add(self, a: float, b: float) -> float:
        return self.fma(1.0, a, b)

    def subtract(self, a: float, b: float) -> float:
        return self.fma(1.0, a, -b)

    def divide(self, a: float, b: float) -> float:
        if math.isnan(a) or math.isnan(b):
            return math.nan
        sign = math.copysign(1.0, a) * math.copysign(1.0, b)
        if math.isinf(a):
            return math.nan if math.isinf(b) else math.copysign(math.inf, sign)
        if b == 0:
            return math.nan if a == 0 else math.copysign(math.inf, sign)
        if a == 0 or math.isinf(b):
            return math.copysign(0.0, sign)
        na, ea = _parts(a)
        nb, eb = _parts(b)
        quotient, remainder = divmod(abs(na) << _QUOTIENT_BITS, abs(nb))
        n = (quotient << 1) | (remainder != 0)
        return self.round(n if sign > 0 else -n, ea - eb - _QUOTIENT_BITS - 1)

    def bits(self, x: float) -> int:
        """The bit pattern as a signed integer."""
        (n,) = struct.unpack("<" + self.integer_code, struct.pack("<" + self.float_code, x))
        return int(n)

    def value(self, n: int) -> float:
        """The float whose bit pattern is n modulo 2^width."""
        n &= (1 << self.width) - 1
        (x,) = struct.unpack("<" + self.float_code, n.to_bytes(self.width // 8, "little"))
        return float(x)


FLOAT16 = Format("float16", 16, 11, -14, "e", "h")
BFLOAT16 = Format("bfloat16", 16, 8, -126, "", "h")
FLOAT32 = Format("float32", 32, 24, -126, "f", "i")
FLOAT64 = Format("float64", 64, 53, -1022, "d", "q")
