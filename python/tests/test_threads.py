"""Many at once: threads on one session, processes with a session each, and tasks of asyncio."""

from __future__ import annotations

import asyncio
import hashlib
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import gumbel4j
from gumbel4j import Generator, Session, call_async

Python = Callable[[str], subprocess.Popen[str]]


def test_32_threads_get_the_sequential_results(session: Session) -> None:
    """On one session, all operators, small and large calls mixed, each thread at its own pace."""

    def draw(number: int) -> bytes:
        rows = (3, 3000, 40)[number % 3]
        noise = session.gumbel((rows, 100), seed=1, stream=number)
        soft = session.gumbel_softmax(noise, 0.5, seed=2, stream=number)
        gradient, _ = session.vjp(soft, noise, 0.5)
        with session.batch() as batch:
            batch.categorical(noise[:2], seed=3, stream=number)
        classes = session.categorical(noise, seed=3, stream=number)
        return b"".join(map(np.ndarray.tobytes, (noise, soft, gradient, classes, *batch.results)))

    everyone = threading.Barrier(32)

    def at_once(number: int) -> list[bytes]:
        everyone.wait()
        return [draw(number), draw(number + 32)]

    with ThreadPoolExecutor(32) as threads:
        concurrent = list(threads.map(at_once, range(32)))
    assert concurrent == [[draw(number), draw(number + 32)] for number in range(32)]


def test_8_processes_get_the_sequential_results(session: Session, python: Python) -> None:
    """Each with a session of its own, at once."""
    program = """
import hashlib
from gumbel4j import Session
with Session(threads=1) as s:
    digest = hashlib.sha256()
    for stream in range(20):
        x = s.gumbel((30 if stream % 2 else 1000, 100), seed=1, stream=stream)
        digest.update(s.gumbel_softmax(x, 0.5, seed=2, stream=stream))
    print(digest.hexdigest())
"""
    children = [python(program) for _ in range(8)]
    ended = [child.communicate(timeout=60) for child in children]
    assert len({out for out, _ in ended}) == 1, ended
    digest = hashlib.sha256()
    for stream in range(20):
        x = session.gumbel((30 if stream % 2 else 1000, 100), seed=1, stream=stream)
        digest.update(session.gumbel_softmax(x, 0.5, seed=2, stream=stream))
    assert ended[0][0] == digest.hexdigest() + "\n"


def test_tasks_get_the_sequential_results(session: Session) -> None:
    """Streams of a generator go to the calls in their order, however they overlap."""
    x = session.gumbel((300, 100), seed=1)

    async def draw() -> list[np.ndarray]:
        rng = Generator(7)
        soft = [call_async(session.gumbel_softmax, x, 0.5, seed=rng) for _ in range(20)]
        return await asyncio.gather(*soft, call_async(gumbel4j.categorical, x, seed=rng))

    *soft, classes = asyncio.run(draw())
    for stream, y in enumerate(soft):
        np.testing.assert_array_equal(y, session.gumbel_softmax(x, 0.5, seed=7, stream=stream))
    np.testing.assert_array_equal(classes, session.categorical(x, seed=7, stream=20))


def test_functions_of_ones_own_are_awaited(session: Session) -> None:
    """Those that take a seed alone, a seed and a stream, or whatever they hand on."""

    def seed_alone(shape: tuple[int, ...], *, seed: int) -> bytes:
        return session.gumbel(shape, seed=seed).tobytes()

    def handed_on(*args: Any, **kwargs: Any) -> bytes:
        return session.gumbel(*args, **kwargs).tobytes()

    async def both() -> list[bytes]:
        return [await call_async(function, (2, 3), seed=7) for function in (seed_alone, handed_on)]

    expected = session.gumbel((2, 3), seed=7).tobytes()
    assert asyncio.run(both()) == [expected, expected]


def test_calls_that_are_awaited_do_not_hold_up_the_loop(session: Session) -> None:
    """Errors come through; calls without a seed, or without any, work too."""

    async def use() -> None:
        with pytest.raises(ValueError, match="tau = -1"):
            await call_async(session.gumbel_softmax, [1.0, 2.0], -1, seed=1)
        with pytest.raises(TypeError, match="seed"):
            await call_async(session.categorical, np.zeros(3, np.float32), seed="seven")
        assert (await call_async(session.gumbel, (2, 3))).shape == (2, 3)
        assert (await call_async(session.info))["threads"] >= 1
        x = np.zeros((2, 3), np.float32)
        dlogits, _ = await call_async(session.vjp, x, x, tau_gradient=False)
        np.testing.assert_array_equal(dlogits, x)

    asyncio.run(use())


def test_cancelled_task_ends_the_call_in_java() -> None:
    """When the task is told, nothing is written any more, and `out` and the session can be used again."""
    with Session(threads=1, backend="java") as s:
        out = s.empty((6000, 10000))
        expected = s.gumbel((2, 3), seed=1)

        async def cancel() -> None:
            task = asyncio.create_task(call_async(s.gumbel, out.shape, seed=1, out=out))
            while not s._runtime._bridge._in_use:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.2)
            began = time.monotonic()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert time.monotonic() - began < 2
            out[:] = 7

        asyncio.run(cancel())
        s.gumbel((2, 3), seed=1)
        assert not s._runtime._bridge._in_use
        assert (out == 7).all()
        np.testing.assert_array_equal(s.gumbel((2, 3), seed=1), expected)


def test_tasks_that_are_cancelled_before_their_turn_never_run(session: Session) -> None:
    """A timeout of asyncio on many calls: those under way end, those in the queue do not begin."""
    ran: list[int] = []

    def slow(number: int) -> None:
        ran.append(number)
        time.sleep(0.1)
        session.gumbel((2, 3), seed=number)

    async def hurry() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await asyncio.gather(*(call_async(slow, number) for number in range(100)))

    asyncio.run(hurry())
    assert len(ran) <= 32
    assert session.gumbel((2, 3), seed=1).shape == (2, 3)
