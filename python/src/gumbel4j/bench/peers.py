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
        """Return a function that does the work once and returns what `as_numpy` takes."""
        ...

    def as_numpy(self, answer: Any) -> NDArray[Any]:
        """Return an answer as a NumPy array, of any type that holds its values."""
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
        x = self._tensor(inputs["logits"])
        if work.operator == "soft":
            return lambda: functional.gumbel_softmax(x, tau=TAU, dim=work.axis)
        if work.operator == "hard":
            return lambda: functional.gumbel_softmax(x, tau=TAU, hard=True, dim=work.axis)
        if work.operator == "categorical":
            return lambda: torch.multinomial(torch.softmax(x, -1), 1)
        if work.operator == "noise":
            # As gumbel_softmax makes it.
            return lambda: -torch.empty_like(x).exponential_().log()
        y, v = (self._tensor(inputs[name]) for name in ("sample", "upstream"))
        # The fused kernel that autograd calls for softmax.
        return lambda: torch.ops.aten._softmax_backward_data(v, y, work.axis, x.dtype)

    def as_numpy(self, answer: Any) -> NDArray[Any]:
        """Return a tensor as an array, bfloat16 as float32."""
        return np.asarray(answer.float() if answer.dtype == self._torch.bfloat16 else answer)

    def _tensor(self, array: NDArray[Any]) -> Any:
        """Return an array as a tensor; torch knows no bfloat16 of NumPy."""
        if array.dtype.name == "bfloat16":
            return self._torch.from_numpy(array.view(np.uint16)).view(self._torch.bfloat16)
        return self._torch.from_numpy(array)


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
        random, softmax, axis = jax.random, jax.nn.softmax, work.axis

        def perturbed(key: Any, x: Any) -> Any:
            return x + random.gumbel(key, x.shape, x.dtype)

        functions: dict[str, Callable[..., Any]] = {
            "soft": lambda key, x: softmax(perturbed(key, x) / TAU, axis),
            "hard": lambda key, x: jax.nn.one_hot(
                perturbed(key, x).argmax(axis), x.shape[axis], dtype=x.dtype, axis=axis
            ),
            "categorical": random.categorical,
            "noise": lambda key, x: random.gumbel(key, x.shape, x.dtype),
            "backward": lambda y, v: y * (v - (y * v).sum(axis, keepdims=True)),
        }
        names = ("sample", "upstream") if work.operator == "backward" else ("logits",)
        operands = [jax.numpy.asarray(inputs[name]) for name in names]
        if work.operator != "backward":
            operands.insert(0, random.key(SEED))
        compiled = jax.jit(functions[work.operator])
        return lambda: compiled(*operands).block_until_ready()

    def as_numpy(self, answer: Any) -> NDArray[Any]:
        """Return an array of JAX as one of NumPy."""
        return np.asarray(answer)


class Numpy:
    """NumPy with its own sampler, `Generator.gumbel`, which draws in float64."""

    name = "NumPy"

    def __init__(self) -> None:
        self.facts = f"{np.__version__}, threads 1"

    def call(self, work: Work, inputs: dict[str, NDArray[Any]]) -> Call:
        """Return the work as NumPy's users write it."""
        x, axis = inputs["logits"], work.axis
        random = np.random.default_rng(SEED)

        def softmax(z: NDArray[Any]) -> NDArray[Any]:
            e = np.exp(z - z.max(axis=axis, keepdims=True))
            return np.asarray(e / e.sum(axis=axis, keepdims=True))

        def winners() -> NDArray[Any]:
            return np.asarray((x + random.gumbel(size=x.shape)).argmax(axis=axis))

        def backward() -> NDArray[Any]:
            y, v = inputs["sample"], inputs["upstream"]
            return np.asarray(y * (v - (y * v).sum(axis=axis, keepdims=True)))

        functions = {
            "soft": lambda: softmax((x + random.gumbel(size=x.shape)) / TAU),
            "hard": lambda: one_hot(winners(), x, axis),
            "categorical": winners,
            "noise": lambda: random.gumbel(size=x.shape),
            "backward": backward,
        }
        return functions[work.operator]

    def as_numpy(self, answer: Any) -> NDArray[Any]:
        """Return the answer, an array already."""
        return np.asarray(answer)


class TunedNumpy(Numpy):
    """NumPy in the array's own type (16 bits: in float32), with an exponential sampler and no temporaries."""

    name = "NumPy, tuned"

    def __init__(self) -> None:
        self.facts = "float32 throughout, in place"

    def call(self, work: Work, inputs: dict[str, NDArray[Any]]) -> Call:
        """Return the work as it is fastest in NumPy."""
        x, axis = inputs["logits"], work.axis
        random = np.random.default_rng(SEED)
        kind: Any = np.float64 if work.dtype == "float64" else np.float32

        def noise() -> NDArray[Any]:
            g = random.standard_exponential(x.shape, kind)
            with np.errstate(divide="ignore"):  # now and then it is 0
                np.log(g, out=g)
            return np.negative(g, out=g)

        def soft() -> NDArray[Any]:
            z = noise()
            z += x
            with np.errstate(invalid="ignore"):
                z -= z.max(axis=axis, keepdims=True)
            z /= kind(TAU)
            np.exp(z, out=z)
            z /= z.sum(axis=axis, keepdims=True)
            return z.astype(x.dtype, copy=False)

        def winners() -> NDArray[Any]:
            z = noise()
            z += x
            return np.asarray(z.argmax(axis=axis))

        def backward() -> NDArray[Any]:
            y, v = (inputs[name].astype(kind, copy=False) for name in ("sample", "upstream"))
            d = np.asarray(v - np.expand_dims(np.einsum("rk...,rk...->r...", y, v), axis))
            d *= y
            return d.astype(x.dtype, copy=False)

        functions = {
            "soft": soft,
            "hard": lambda: one_hot(winners(), x, axis),
            "categorical": winners,
            "noise": noise,
            "backward": backward,
        }
        return functions[work.operator]


def one_hot(index: NDArray[Any], like: NDArray[Any], axis: int) -> NDArray[Any]:
    """Return an array like another, 1 at one index along an axis."""
    result = np.zeros_like(like)
    np.put_along_axis(result, np.expand_dims(index, axis), 1, axis=axis)
    return result
