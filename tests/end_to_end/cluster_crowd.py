"""A process full of watchers, for one could not read for hundreds of them.

Started by ``cluster`` and by faults, which tell it by words when to settle, to come to rest, to
look at its items and to save.
"""

import asyncio
import multiprocessing
import os
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import uvloop

from locustfiles import reference_client
from tests.end_to_end import namespaces
from tests.end_to_end.cluster_watchers import Watcher
from tests.tower.processes import TOKEN

READY_S = 120.0


class Spec(msgspec.Struct, frozen=True):
    """One watcher as it is to be: a name, its hubs in order, its hello and its seed."""

    name: str
    hubs: list[str]
    hello: dict[str, Any]
    seed: int


class Crowd:
    """Watchers in a process of their own."""

    def __init__(
        self, specs: list[Spec], sessions: list[str], folder: Path, core: int, machine: str = ""
    ) -> None:
        spawning = multiprocessing.get_context("spawn")
        self._orders, theirs = spawning.Pipe()
        arguments = (theirs, specs, sessions, folder, core, machine)
        self._process = spawning.Process(target=attend, args=arguments, daemon=True)
        self._process.start()

    def tell(self, order: str) -> None:
        """Give an order, and return when it is done."""
        self._orders.send(order)
        assert self._orders.poll(READY_S), f"nobody answers to {order}"
        assert self._orders.recv() == order

    def end(self) -> None:
        """Nobody is left behind; after ``save`` they go by themselves."""
        self._process.join(1)
        self._process.kill()
        self._process.join()


def attend(
    orders: Connection, specs: list[Spec], sessions: list[str], folder: Path, core: int,
    machine: str,
) -> None:  # fmt: skip
    """The process: watch until the last order, on a machine of their own if it has a name."""
    if machine:
        namespaces.join(machine)
    if core >= 0:
        os.sched_setaffinity(0, {core})
    # The same values, several times as fast.
    reference_client.json = SimpleNamespace(loads=msgspec.json.decode)  # type: ignore[assignment]
    watchers = [Watcher(each.name, each.hubs, TOKEN, each.hello, each.seed) for each in specs]
    for each in watchers:
        each.watch(sessions)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_attend(orders, watchers))
    for each in watchers:
        each.save(folder)
    orders.send("save")


async def _until(condition: Callable[[], bool]) -> None:
    """Whoever gave the order gives up in the end."""
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0.02)


async def _attend(orders: Connection, watchers: list[Watcher]) -> None:
    tasks = [asyncio.create_task(each.run()) for each in watchers]
    while (order := await asyncio.to_thread(orders.recv)) != "save":
        if order == "watch":
            await _until(lambda: all(each.reference.overview for each in watchers))
        elif order == "rest":
            await _until(lambda: all(each.is_at_rest for each in watchers))
        for each in watchers:
            if order == "settle":
                each.settle()
            elif order == "items":
                each.keep_items()
        orders.send(order)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
