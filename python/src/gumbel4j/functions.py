"""The module-level functions: `Session`'s methods over one shared session that starts at the first call.

The session is made on first use, closed silently when Python ends, and made anew when a forked child asks for
it. It has the default settings: every core, the fastest backend, Java found in the usual places. Every
function here may be called from any thread.
"""

from __future__ import annotations

import atexit
import os
import threading
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, DTypeLike, NDArray

    from gumbel4j.generator import Generator
    from gumbel4j.session import Session

_lock = threading.Lock()
_shared: Session | None = None
_owner = 0  # the process that made _shared: a forked child must not use its parent's


def shared_session() -> Session:
    """Return the session behind the module-level functions, starting it if there is none in this process.

    Raises
    ------
    RuntimeError
        If Java cannot be found or started; the message says what was tried and what to do.
    """
    global _shared, _owner
    with _lock:
        if _shared is None or _owner != os.getpid():
            from gumbel4j.session import Session  # here, so that importing the package imports no Py4J

            _shared = Session()
            _owner = os.getpid()
        return _shared


def close_shared_session() -> None:
    """End the shared session and its JVM; the next call starts another. Returned arrays stay valid."""
    global _shared
    with _lock:
        session, _shared = _shared, None
        if session is not None and _owner == os.getpid():
            session.close()


atexit.register(close_shared_session)


def _new_lock_after_fork() -> None:
    """Give a forked child a lock of its own: another thread of the parent may have held this one."""
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_new_lock_after_fork)


def gumbel_softmax(
    logits: ArrayLike,
    tau: ArrayLike = 1.0,
    hard: bool = False,
    axis: int = -1,
    *,
    seed: int | Generator | None = None,
    stream: int | None = None,
    first_row: int = 0,
    out: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """Draw relaxed one-hot samples: softmax((logits + Gumbel noise) / tau) along `axis`.

    Parameters
    ----------
    logits
        float32, float64, float16 or bfloat16 (of ml_dtypes) of any shape with at least one axis: unnormalised
        log-probabilities. -inf masks a class. The types of 16 bits are computed in float32, with its noise,
        and rounded once at the end.
    tau
        Temperature: a real number, or an array of them that broadcasts to the shape of logits with size 1
        along `axis`, such as (B, 1) for logits of shape (B, K): a value for each row. Rounded to float64 for
        logits of float64, else to float32; each value finite and not negative. 0 is the limit: exactly
        one-hot.
    hard
        If True, exact one-hot vectors (the largest noisy logit, the first of equals) instead of soft ones.
    axis
        The axis of the classes.
    seed
        An integer in [0, 2**64), a Generator, or None for the default Generator (see `gumbel4j.seed`).
    stream
        The number of the draw, an integer in [0, 2**63), 0 if left out; only with an integer seed.
    first_row
        The row of a larger array at which `logits` starts: parts drawn with their own first_row equal the
        whole. Rows are counted in C order over the axes other than `axis`.
    out
        Array of the shape and dtype of logits, in native byte order, for the result; it must not overlap
        logits or tau. Unchanged after an error, unless it lies in shared memory.

    Returns
    -------
    numpy.ndarray
        Shape and dtype of logits (native byte order): values in [0, 1] that sum to 1 along `axis`. `out` if
        given.

    Raises
    ------
    TypeError
        If an argument has the wrong type, or logits another dtype.
    ValueError
        If an argument is out of its range (of several temperatures, the message names the first such), tau
        has a shape that does not broadcast, or a row holds NaN, +inf, or nothing above -inf (the message
        names the first such row).

    Notes
    -----
    Jang, Gu, Poole (2017), "Categorical Reparameterization with Gumbel-Softmax"; Maddison, Mnih, Teh (2017),
    "The Concrete Distribution".
    """
    return shared_session().gumbel_softmax(
        logits, tau, hard, axis, seed=seed, stream=stream, first_row=first_row, out=out
    )


def gumbel(
    shape: int | Sequence[int],
    *,
    seed: int | Generator | None = None,
    stream: int | None = None,
    first_row: int = 0,
    dtype: DTypeLike = np.float32,
    out: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """Draw standard Gumbel noise, -log(-log(uniform)).

    Parameters
    ----------
    shape
        Shape of the result; its last axis counts as the classes.
    dtype
        float32, float64, float16 or bfloat16 (of ml_dtypes, also by the name "bfloat16").
    seed, stream, first_row, out
        As in `gumbel_softmax`, which adds this very noise to its logits.

    Returns
    -------
    numpy.ndarray
        Finite values between about -4 and 45. `out` if given.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type or is out of its range.
    """
    return shared_session().gumbel(shape, seed=seed, stream=stream, first_row=first_row, dtype=dtype, out=out)


def categorical(
    logits: ArrayLike,
    axis: int = -1,
    *,
    seed: int | Generator | None = None,
    stream: int | None = None,
    first_row: int = 0,
    out: NDArray[Any] | None = None,
) -> NDArray[np.int32]:
    """Draw classes with the probabilities softmax(logits): argmax of logits plus Gumbel noise along `axis`.

    Parameters
    ----------
    logits, axis, seed, stream, first_row
        As in `gumbel_softmax`; equal keys give the class where its hard sample has the one.
    out
        int32 array of the result's shape.

    Returns
    -------
    numpy.ndarray
        int32 indices, the shape of logits without `axis`. `out` if given.

    Raises
    ------
    TypeError, ValueError
        As `gumbel_softmax`.

    Notes
    -----
    The Gumbel-max trick: Gumbel (1954); Maddison, Tarlow, Minka (2014), "A* Sampling".
    """
    return shared_session().categorical(logits, axis, seed=seed, stream=stream, first_row=first_row, out=out)


@overload
def vjp(
    sample: ArrayLike,
    upstream: ArrayLike,
    tau: ArrayLike = 1.0,
    axis: int = -1,
    *,
    tau_gradient: Literal[True] = True,
) -> tuple[NDArray[Any], NDArray[Any] | np.floating[Any]]: ...


@overload
def vjp(
    sample: ArrayLike, upstream: ArrayLike, tau: ArrayLike = 1.0, axis: int = -1, *, tau_gradient: bool
) -> tuple[NDArray[Any], NDArray[Any] | np.floating[Any] | None]: ...


def vjp(
    sample: ArrayLike,
    upstream: ArrayLike,
    tau: ArrayLike = 1.0,
    axis: int = -1,
    *,
    tau_gradient: bool = True,
) -> tuple[NDArray[Any], NDArray[Any] | np.floating[Any] | None]:
    """Pull a gradient back through a soft sample: the vector-Jacobian product of `gumbel_softmax`.

    With y the sample and v the upstream gradient, dlogits = y (v - <y, v>) / tau, dtau = -<dlogits, log y>;
    classes with y = 0 take no part. Straight-through training passes the soft sample here too.

    Parameters
    ----------
    sample
        A soft sample that `gumbel_softmax` returned, of any dtype that it takes.
    upstream
        The loss's gradient with respect to the sample: same shape and dtype.
    tau
        The temperature of that sample, positive: a number, or an array that broadcasts, as for
        `gumbel_softmax`.
    axis
        The axis of the classes.
    tau_gradient
        Whether to work out the gradient with respect to tau, which costs a logarithm for each element.

    Returns
    -------
    dlogits : numpy.ndarray
        Gradient with respect to the logits: shape and dtype of sample.
    dtau : numpy floating scalar, numpy.ndarray, or None
        Gradient with respect to tau: shape of tau (a scalar for a number), float64 for a sample of float64,
        else float32. Rows that share a temperature add up, in float64, rounded to the dtype once. None if it
        was not asked for.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type or is out of its range, or the shapes or dtypes differ.
    """
    return shared_session().vjp(sample, upstream, tau, axis, tau_gradient=tau_gradient)
