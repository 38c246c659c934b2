"""Calls that asyncio can await: they run on a thread, and Java ends them when the task is cancelled."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar

from gumbel4j.generator import resolve

P = ParamSpec("P")
T = TypeVar("T")


async def call_async(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function of this package, or a method of a Session, without holding up the event loop.

    As `asyncio.to_thread`, but cancelling the task ends the call in Java too, within milliseconds; the task
    is told when nothing is written any more, so an `out` may then be used again.

    Parameters
    ----------
    function
        Such as `session.gumbel_softmax` or `gumbel4j.categorical`, or a function of your own that calls them.
    args, kwargs
        Its arguments. Arrays must not be changed before the call has ended.

    Returns
    -------
    object
        What the function returns.

    Raises
    ------
    Exception
        What the function raises.
    asyncio.CancelledError
        If the task was cancelled. A second cancellation does not wait for Java.

    Notes
    -----
    A Generator gives calls their streams in the order in which they begin, so tasks that run at once get the
    numbers of calls one after the other. The calls take turns on the threads of the event loop's default
    executor.

    Examples
    --------
    >>> y, k = await asyncio.gather(
    ...     gumbel4j.call_async(session.gumbel_softmax, x, tau=0.5, seed=7),
    ...     gumbel4j.call_async(session.categorical, x, seed=8),
    ... )
    """
    from gumbel4j._bridge import Cancellation  # here, so that importing the package imports no Py4J

    named: dict[str, Any] = dict(kwargs)
    if _draws(function, named):
        named["seed"], named["stream"] = resolve(named.get("seed"), named.get("stream"))
    cancellation = Cancellation()
    call = functools.partial(cancellation.run, functools.partial(function, *args, **named))
    work = asyncio.get_running_loop().run_in_executor(None, call)
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        # Whatever comes of it, nobody asks any more.
        work.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        if cancellation.cancel():
            await asyncio.wait([work])
        raise


def _draws(function: Callable[..., Any], named: Mapping[str, Any]) -> bool:
    """Whether a function takes the key of a draw, so that the call can be given its key now."""
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):  # of a function in C
        return False
    takes_any = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters.values())
    if "seed" in named and takes_any:
        return True
    return "seed" in parameters and "stream" in parameters
