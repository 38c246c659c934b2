"""torch, JAX and NumPy as contenders: the same work as their users write it.

For the backward, peers leave out the division by tau; that is in their favour.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gumbel4j.bench.work import SEED, TAU, Work

Call = Callable[[], Any]


class Peer(Protocol):
    """Another library. `name` is its name, `facts` tells its version and settings."""

    name: str
    facts: str

    def call(self, work: Work, inputs: dict[str, NDArray[Any]]) -> Call:
        """Return a function that does the work once and returns what `numpy.asarray` takes."""
        ...


def installed(threads: int) -> list[Peer]:
    """Return the peers that are installed, set to a number of threads.

    JAX reads its number of threads when it starts, so it must not have been imported before.
    """
    peers: list[Peer] = []
    if importlib.util.find_spec("torch"):
        peers.append(Torch(threads))
    if importlib.util.find_spec("jax"):
        peers.append(Jax(threads))
    peers += [Numpy(), TunedNumpy()]
    return peers


class Torch:
    """PyTorch on the CPU."""

    name = "torch"

    def __init__(self, threads: int) -> None:
        self._torch: Any = importlib.import_module("torch")
        self._torch.set_num_threads(threads)
        capability = self._torch.backends.cpu.get_cpu_capability()
        self.facts = f"{self._torch.__version__}, {capability}, threads {self._torch.get_num_threads()}"

    def call(self, work: Work, inputs: dict[str, NDArray[Any]]) -> Call:
        """Return the work as torch's users write it."""
        torch = self._torch
        functional = torch.nn.functional
        x = torch.from_numpy(inputs["logits"])
        if work.operator == "soft":
            return lambda: functional.gumbel_softmax(x, tau=TAU)
        if work.operator == "hard":
            return lambda: functional.gumbel_softmax(x, tau=TAU, hard=True)
        if work.operator == "categorical":
            return lambda: torch.multinomial(torch.softmax(x, -1), 1)
        if work.operator == "noise":
            # As gumbel_softmax makes it.
            return lambda: -torch.empty_like(x).exponential_().log()
        y, v = (torch.from_numpy(inputs[name]) for name in ("sample", "upstream"))
        # The fused kernel that autograd calls for softmax.
        return lambda: torch.ops.aten._softmax_backward_data(v, y, -1, x.dtype)


class Jax:
    """JAX on the CPU, jit-compiled."""

    name = "JAX"

    def __init__(self, threads: int) -> None:
        os.environ["PJRT_NPROC"] = str(threads)  # the size of its pool
        os.environ.setdefault("JAX_PLATFORMS", "cpu")
        self._jax: Any = importlib.import_module("jax")
        # So that float64 means float64; float32 arrays stay what they are.
        self._jax.config.update("jax_enable_x64", True)
        self.facts = f"{self._jax.__version__}, threads {threads}"

    def call(self, work: Work, inputs: dict[str, NDArray[Any]]) -> Call:
        """Return the work as JAX's users write it."""
        jax = self._jax
        random, softmax = jax.random, jax.nn.softmax

        def perturbed(key: Any, x: Any) -> Any:
            return x + random.gumbel(key, x.shape, x.dtype)

        functions: dict[str, Callable[..., Any]] = {
            "soft": lambda key, x: softmax(perturbed(key, x) / TAU),
            "hard": lambda key, x: jax.nn.one_hot(perturbed(key, x).argmax(-1), x.shape[-1], dtype=x.dtype),
            "categorical": random.categorical,
            "noise": lambda key, x: random.gumbel(key, x.shape, x.dtype),
            "backward": lambda y, v: y * (v - (y * v).sum(-1, keepdims=True)),
        }
        names = ("sample", "upstream") if work.operator == "backward" else ("logits",)
        operands = [jax.numpy.asarray(inputs[name]) for name in names]
        if work.operator != "backward":
            operands.insert(0, random.key(SEED))
        compiled = jax.jit(functions[work.operator])
        return lambda: compiled(*operands).block_until_ready()


class Numpy:
    """NumPy with its own sampler, `Generator.gumbel`, which draws in float64."""

    name = "NumPy"

    def __init__(self) -> None:
        self.facts = f"{np.__version__}, threads 1"

    def call(self, work: Work, inputs: dict[str, NDArray[Any]]) -> Call:
        """Return the work as NumPy's users write it."""
        x = inputs["logits"]
        random = np.random.default_rng(SEED)

        def softmax(z: NDArray[Any]) -> NDArray[Any]:
            e = np.exp(z - z.max(axis=-1, keepdims=True))
            return np.asarray(e / e.sum(axis=-1, keepdims=True))

        def winners() -> NDArray[Any]:
            return np.asarray((x + random.gumbel(size=x.shape)).argmax(axis=-1))

        def backward() -> NDArray[Any]:
            y, v = inputs["sample"], inputs["upstream"]
            return np.asarray(y * (v - (y * v).sum(axis=-1, keepdims=True)))

        functions = {
            "soft": lambda: softmax((x + random.gumbel(size=x.shape)) / TAU),
            "hard": lambda: one_hot(winners(), x),
            "categorical": winners,
            "noise": lambda: random.gumbel(size=x.shape),
            "backward": backward,
        }
        return functions[work.operator]


class TunedNumpy:
    """NumPy in the array's own type, with an exponential sampler and without temporaries."""

    name = "NumPy, tuned"

    def __init__(self) -> None:
        self.facts = "float32 throughout, in place"

    def call(self, work: Work, inputs: dict[str, NDArray[Any]]) -> Call:
        """Return the work as it is fastest in NumPy."""
        x = inputs["logits"]
        random = np.random.default_rng(SEED)
        kind: Any = x.dtype.type

        def noise() -> NDArray[Any]:
            g = random.standard_exponential(x.shape, kind)
            np.log(g, out=g)
            return np.negative(g, out=g)

        def soft() -> NDArray[Any]:
            z = noise()
            z += x
            z -= z.max(axis=-1, keepdims=True)
            z /= kind(TAU)
            np.exp(z, out=z)
            z /= z.sum(axis=-1, keepdims=True)
            return z

        def winners() -> NDArray[Any]:
            z = noise()
            z += x
            return np.asarray(z.argmax(axis=-1))

        def backward() -> NDArray[Any]:
            y, v = inputs["sample"], inputs["upstream"]
            d = np.asarray(v - np.einsum("rk,rk->r", y, v)[:, np.newaxis])
            d *= y
            return d

        functions = {
            "soft": soft,
            "hard": lambda: one_hot(winners(), x),
            "categorical": winners,
            "noise": noise,
            "backward": backward,
        }
        return functions[work.operator]


def one_hot(index: NDArray[Any], like: NDArray[Any]) -> NDArray[Any]:
    """Return an array like another, 1 at one index in each row."""
    result = np.zeros_like(like)
    np.put_along_axis(result, index[:, np.newaxis], 1, axis=-1)
    return result
