"""What every server of the benchmarks does: announce itself, and stop after its time.

A server prints ``{"pid", "port"}`` once it may be connected to and ``{"cpu_seconds"}`` at its end.
"""

import asyncio
import json
import os
import resource
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import uvloop


def listen() -> socket.socket:
    """A listening socket on a free port of loopback."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 0))
    listener.setblocking(False)
    return listener


def announce(port: int) -> None:
    """Tell whoever started this process where it listens."""
    print(json.dumps({"pid": os.getpid(), "port": port}), flush=True)


def run(serve: Callable[[], Coroutine[Any, Any, None]], seconds: float) -> None:
    """Run a server for so long, with as many descriptors as there may be."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

    async def bounded() -> None:
        try:
            async with asyncio.timeout(seconds):
                await serve()
        except TimeoutError:
            pass

    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(bounded())
    finally:
        used = resource.getrusage(resource.RUSAGE_SELF)
        print(json.dumps({"cpu_seconds": used.ru_utime + used.ru_stime}), flush=True)
