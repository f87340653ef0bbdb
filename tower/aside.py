"""Recording aside: while much is read for the first time, another process writes it to history.

It has the processor that nobody else wants, and an interpreter that no hook waits for. When all is
written, or it fails, whoever called records from where it ended. Called by ``tower.records``.
"""

import asyncio
import contextlib
import logging
import socket
from asyncio.subprocess import Process
from collections.abc import Callable
from typing import Any

import msgspec

from bus.base import Bus
from bus.remote_server import serve
from history import metrics
from ingest import background

log = logging.getLogger(__name__)

DELETED, COUNTED = "recorder.deleted", "recorder.counted"
"""Signals of it: the key of a session that a person deleted; what it has counted, at its end."""

END_S = 10.0
Key = tuple[str, str]


class Order(msgspec.Struct):
    """What that process is to do: a line of JSON on its standard input."""

    database_url: str
    migrate: bool
    retain_days: int | None
    flush_s: float
    log_level: str


async def record(
    bus: Bus, order: Order, ended: asyncio.Event, on_deleted: Callable[[Key], None]
) -> None:
    """Have it record what is on the log until ``ended`` is set and all of it is written.

    Cancelled, it has that process write what is folded and end.
    """
    here, there = socket.socketpair()
    beside = [
        asyncio.create_task(serve(bus, *await asyncio.open_unix_connection(sock=here))),
        asyncio.create_task(_hear(bus, on_deleted)),
    ]
    try:
        with there:
            process = await background.start(
                "tower.first_recorder", str(there.fileno()), pass_fds=[there.fileno()]
            )
        try:
            await _work(process, order, ended)
        finally:
            await _end(process)
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
    if process.returncode != 0:
        log.error("the recorder of the first read ended early; what is left is recorded here")


async def _work(process: Process, order: Order, ended: asyncio.Event) -> None:
    if process.stdin is None:
        raise RuntimeError("the recorder of the first read has no pipe")
    with contextlib.suppress(OSError, RuntimeError):  # it is gone already
        process.stdin.write(msgspec.json.encode(order) + b"\n")
    waits: list[asyncio.Task[Any]] = [
        asyncio.create_task(each) for each in (process.wait(), ended.wait())
    ]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        process.stdin.close()
        await process.wait()
    finally:
        for task in waits:
            task.cancel()


async def _end(process: Process) -> None:
    """Let it write what it has, and see to it that it is gone."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(END_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


async def _hear(bus: Bus, on_deleted: Callable[[Key], None]) -> None:
    """What it tells besides."""
    async for signal in bus.listen(DELETED, COUNTED):
        if signal.topic == DELETED:
            on_deleted(msgspec.msgpack.decode(signal.data, type=Key))
        elif signal.topic == COUNTED:
            metrics.add(msgspec.msgpack.decode(signal.data, type=metrics.Counts))
