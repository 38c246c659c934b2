"""Computes the polynomial coefficients of native/NOISE.md (sections 3 to 5); prints them as C99 hex floats.

float32 polynomials are minimax fits weighted for the relative error of the whole function, then rounded;
float64 ones are Chebyshev interpolants, then rounded. Needs mpmath:

    python native/tools/polynomials.py
"""

import struct
from collections.abc import Callable

import mpmath as mp

mp.mp.prec = 150

Function = Callable[[mp.mpf], mp.mpf]


def round_to_float32(x: mp.mpf) -> float:
    return float(struct.unpack("<f", struct.pack("<f", float(x)))[0])


def minimax(function: Function, weight: Function, low: mp.mpf, high: mp.mpf, degree: int) -> list[mp.mpf]:
    """Remez exchange on a grid: the polynomial, highest power first, of least largest |weight * error|."""
    wanted = degree + 2
    middle, half = (low + high) / 2, (high - low) / 2
    # slightly off the Chebyshev points, so that none is 0, where the weight vanishes
    points = [middle - half * mp.cos(mp.pi * (k + mp.mpf("0.03")) / (wanted - 1)) for k in range(wanted)]
    grid = [low + (high - low) * mp.mpf(k) / 3000 for k in range(3001)]
    values = [(x, function(x), weight(x)) for x in grid]
    for _ in range(12):
        system, right = mp.matrix(wanted, wanted), mp.matrix(wanted, 1)
        for i, x in enumerate(points):
            for power in range(degree + 1):
                system[i, power] = x**power
            # at weight 0 any error will do: an equation that leaves this point free
            system[i, degree + 1] = (-1) ** i / weight(x) if weight(x) != 0 else mp.mpf(10) ** 12
            right[i] = function(x)
        solution = mp.lu_solve(system, right)
        coefficients = [solution[degree - k] for k in range(degree + 1)]
        errors = [(mp.polyval(coefficients, x) - value) * w for x, value, w in values]
        points = [grid[k] for k in alternating_extrema(errors, wanted)]
    return coefficients


def alternating_extrema(errors: list[mp.mpf], wanted: int) -> list[int]:
    """Places of the largest errors of alternating sign."""
    last = len(errors) - 1
    places: list[int] = []
    for k, error in enumerate(errors):
        if abs(error) < abs(errors[max(k - 1, 0)]) or abs(error) < abs(errors[min(k + 1, last)]):
            continue
        if places and mp.sign(errors[places[-1]]) == mp.sign(error):
            if abs(error) > abs(errors[places[-1]]):
                places[-1] = k
        else:
            places.append(k)
    while len(places) > wanted:
        places.pop(0 if abs(errors[places[0]]) < abs(errors[places[-1]]) else -1)
    if len(places) < wanted:
        raise ArithmeticError(f"only {len(places)} of {wanted} extrema: the fit has degenerated")
    return places


def chebyshev(function: Function, low: mp.mpf, high: mp.mpf, degree: int) -> list[mp.mpf]:
    return list(mp.chebyfit(function, [low, high], degree + 1))


def near_zero(function: Function, at_zero: Function) -> Function:
    """`function`, but its Taylor expansion `at_zero` where it would cancel."""
    return lambda x: function(x) if abs(x) > mp.mpf(10) ** -12 else at_zero(x)


# log(1 + f) = f + f^2 q(f);  exp(r) = 1 + r + r^2 q(r);
# log(1 + f) = 2 s + s t q(t) with s = f / (2 + f) and t = s^2
LOG = near_zero(lambda f: (mp.log1p(f) - f) / f**2, lambda f: -mp.mpf(1) / 2 + f / 3)
EXP = near_zero(lambda r: (mp.expm1(r) - r) / r**2, lambda r: mp.mpf(1) / 2 + r / 6)
ATANH = near_zero(
    lambda t: (2 * mp.atanh(mp.sqrt(t)) / mp.sqrt(t) - 2) / t, lambda t: mp.mpf(2) / 3 + 2 * t / 5
)

ROOT_HALF = mp.sqrt(mp.mpf(1) / 2)
HALF_LN2 = mp.log(2) / 2 * mp.mpf("1.0001")
LARGEST_T = mp.mpf("0.1716") ** 2


def print_coefficients(name: str, coefficients: list[mp.mpf], rounded: Callable[[mp.mpf], float]) -> None:
    for k, coefficient in enumerate(coefficients):
        print(f"{name}{k} = {rounded(coefficient).hex()}")


def main() -> None:
    log_weight = near_zero(lambda f: f**2 / mp.log1p(f), abs)
    print_coefficients("C", minimax(LOG, log_weight, ROOT_HALF - 1, 2 * ROOT_HALF - 1, 8), round_to_float32)
    print_coefficients("D", chebyshev(ATANH, mp.mpf(0), LARGEST_T, 6), float)
    exp_weight = near_zero(lambda r: r**2 / mp.exp(r), lambda r: r**2)
    print_coefficients("A", minimax(EXP, exp_weight, -HALF_LN2, HALF_LN2, 4), round_to_float32)
    print_coefficients("B", chebyshev(EXP, -HALF_LN2, HALF_LN2, 9), float)


if __name__ == "__main__":
    main()
