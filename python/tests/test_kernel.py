"""A real Jupyter kernel: its interrupt, its restart and its end, as the buttons of a notebook make them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import gone_within
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

SESSION = """
import time
import numpy as np
from gumbel4j import Session
s = Session(threads=1, backend="java")
expected = s.gumbel((300, 1000), seed=5)
"""

LONG_CALL = """
try:
    print("calling", flush=True)
    with s._runtime.timed(100_000):  # takes minutes, and little memory
        s.gumbel((300, 1000), seed=1)
except KeyboardInterrupt:
    noticed = time.monotonic()  # the kernel may take longer to show the traceback
    raise
"""


@pytest.fixture
def kernel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[KernelManager, BlockingKernelClient]]:
    """A kernel and a client that can talk to it."""
    for variable in ("JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(tmp_path))
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    yield manager, client
    client.stop_channels()
    if manager.is_alive():
        manager.shutdown_kernel(now=True)


def run(client: BlockingKernelClient, cell: str, expression: str = "None") -> str:
    """Run a cell to its end; return what an expression is after it, as text."""
    reply = client.execute_interactive(cell, user_expressions={"value": expression}, timeout=60)["content"]
    assert reply["status"] == "ok", reply
    return str(reply["user_expressions"]["value"]["data"]["text/plain"])


def test_interrupt_restart_and_end(kernel: tuple[KernelManager, BlockingKernelClient]) -> None:
    """KeyboardInterrupt within half a second and right results after it; no Java outlives its kernel."""
    manager, client = kernel
    pid = int(run(client, SESSION, "s.info()['pid']"))
    for _ in range(3):
        client.execute(LONG_CALL, stop_on_error=False)  # else the kernel drops what is sent soon after
        while client.get_iopub_msg(timeout=60)["content"].get("text") != "calling\n":
            pass
        time.sleep(0.2)
        sent = time.monotonic()
        manager.interrupt_kernel()
        assert client.get_shell_msg(timeout=60)["content"].get("ename") == "KeyboardInterrupt"
        assert float(run(client, "", "noticed")) - sent < 0.5
        assert run(client, "", "np.array_equal(s.gumbel((300, 1000), seed=5), expected)") == "True"
    assert run(client, "", "s.info()['pid']") == str(pid)
    manager.restart_kernel(now=True)
    assert gone_within(2, pid)
    client.wait_for_ready(timeout=60)
    pid = int(run(client, SESSION, "s.info()['pid']"))
    manager.shutdown_kernel()
    assert gone_within(2, pid)
