"""Gumbel-Softmax samples of NumPy arrays, drawn by a Java core over shared memory.

    >>> import gumbel4j as gj
    >>> y = gj.gumbel_softmax(logits, tau=0.5, seed=7)      # soft samples
    >>> k = gj.categorical(logits, seed=7)                  # the class each of them leans to

`gumbel_softmax`, `gumbel`, `categorical` and `vjp` share one Java session that starts at the first call;
`Session` gives one of your own; `call_async` is for asyncio. `Generator` and `seed` say where the noise comes
from. `sample_file` draws from files of any size, and the module `arrow` takes Arrow columns as logits.
`reference` computes the same numbers with NumPy alone. Importing this package starts no Java and imports
neither Py4J nor matplotlib.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from gumbel4j.functions import categorical, gumbel, gumbel_softmax, vjp
from gumbel4j.generator import Generator, seed

if TYPE_CHECKING:
    from gumbel4j import arrow, reference
    from gumbel4j.asynchronous import call_async
    from gumbel4j.files import sample_file
    from gumbel4j.session import Session

    __version__: str

__all__ = [
    "Generator",
    "Session",
    "__version__",
    "arrow",
    "call_async",
    "categorical",
    "gumbel",
    "gumbel_softmax",
    "reference",
    "sample_file",
    "seed",
    "vjp",
]


def __getattr__(name: str) -> Any:
    """Import what is costly only when it is asked for (PEP 562)."""
    value: Any
    if name == "Session":
        value = importlib.import_module("gumbel4j.session").Session
    elif name == "sample_file":
        value = importlib.import_module("gumbel4j.files").sample_file
    elif name == "call_async":
        value = importlib.import_module("gumbel4j.asynchronous").call_async
    elif name in ("arrow", "reference"):
        value = importlib.import_module(f"gumbel4j.{name}")
    elif name == "__version__":
        value = importlib.import_module("importlib.metadata").version("gumbel4j")
    else:
        raise AttributeError(f"module 'gumbel4j' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the lazy names beside those that are already there."""
    return sorted({*globals(), *__all__})
