"""Py4J as it comes, with a client and a Java process of its own: the yardstick of the bridge's round trip."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from py4j.java_gateway import GatewayParameters, JavaGateway, launch_gateway


@contextlib.contextmanager
def empty_round_trip(java: Path, jar: Path) -> Iterator[Callable[[], object]]:
    """Yield a call that does next to nothing in Java: `hashCode` of an object.

    Parameters
    ----------
    java
        The program that starts Java.
    jar
        That of Py4J.
    """
    port, token, process = launch_gateway(
        jarpath=str(jar), java_path=str(java), die_on_exit=True, enable_auth=True, return_proc=True
    )
    try:
        gateway = JavaGateway(gateway_parameters=GatewayParameters(port=port, auth_token=token))
        try:
            yield gateway.jvm.java.lang.Object().hashCode
        finally:
            gateway.shutdown()
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait()
