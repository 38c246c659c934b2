"""The same numbers from NumPy alone: a second implementation of the noise stream and of every operator.

It is written from the text of native/NOISE.md, independently of the Java and C kernels, so that the two can
be checked against each other. Integers (`words`) and uniforms are equal to the kernels' bit for bit.
Everything after a logarithm is computed in float64 by the plain formulas, with NumPy's `log`, `log1p` and
`exp` in place of the kernels' polynomials, and agrees within bounds that this module states: `gumbel_bound`,
`soft_bound`, `vjp_bound`, and `decided` for indices.

The dtype of `logits` chooses the noise stream, and `tau` is rounded to that stream's type, exactly as in the
session: float64 has its own; float32, float16 and bfloat16 (known by its name, without the package ml_dtypes)
share that of float32. Results are float64 all the same, not rounded to the dtype. Arguments and refusals are
those of `gumbel4j.Session`: rows are counted in C order over the axes other than the axis of classes. No
function changes its inputs, and all are safe to call from any thread.

Sources: Salmon, Moraes, Dror, Shaw (2011), "Parallel random numbers: as easy as 1, 2, 3" (Philox); Jang, Gu,
Poole (2017), "Categorical Reparameterization with Gumbel-Softmax"; Maddison, Mnih, Teh (2017), "The Concrete
Distribution".
"""

from __future__ import annotations

from gumbel4j.reference._bounds import (
    EXP_ULPS,
    GUMBEL_ULPS,
    LOG_ULPS,
    decided,
    gumbel_bound,
    margin,
    soft_bound,
    vjp_bound,
)
from gumbel4j.reference._noise import gumbel, uniform, words
from gumbel4j.reference._operators import categorical, gumbel_softmax, vjp

__all__ = [
    "EXP_ULPS",
    "GUMBEL_ULPS",
    "LOG_ULPS",
    "categorical",
    "decided",
    "gumbel",
    "gumbel_bound",
    "gumbel_softmax",
    "margin",
    "soft_bound",
    "uniform",
    "vjp",
    "vjp_bound",
    "words",
]
