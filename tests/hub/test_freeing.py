"""What a connection held is free when it has ended, by counting references: nothing is left for a
collection of everything, which comes seldom and holds the loop up.
"""

import asyncio
import gc
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.hub.raw import HELLO, peer, said
from tests.hub.servers import Served, served, until

COUNT = 20
OURS = ("Client", "Connection", "HttpProtocol", "HubProtocol", "Outbox", "ServerProtocol")


@pytest.fixture(autouse=True)
def _uncollected() -> Iterator[None]:
    """The collector would hide what is looked for."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def held() -> Counter[str]:
    """How many there are of what makes up a connection."""
    names = (type(each).__name__ for each in gc.get_objects())
    return Counter(name for name in names if name in OURS)


async def watch(hub: Served) -> None:
    """Clients come, open a session, and go; whoever hears two heartbeats comes behind theirs."""
    for number in range(COUNT):
        async with peer(hub) as opened:
            await opened.send(HELLO)
            await opened.until("welcome")
            await opened.send(said("subscribe", session="nobody") + said("ping", id=number))
            await opened.until("pong")
    async with peer(hub) as last:
        await last.send(HELLO)
        for _ in range(2):
            await last.until("heartbeat")
    await until(lambda: not hub.hub.connections)


async def test_nothing_is_left_of_clients_that_are_gone() -> None:
    """Each would be some 30 KB; with hundreds of reconnects a minute that is megabytes."""
    async with served(heartbeat_ms=100) as hub:
        await watch(hub)  # what is made once
        before = held()
        await watch(hub)
        await until(lambda: not held() - before)


async def test_nothing_is_left_of_requests() -> None:
    """The same of connections that stay HTTP."""
    async with served() as hub:
        await asyncio.to_thread(hub.get_text, "/healthz")
        before = held()
        for _ in range(COUNT):
            await asyncio.to_thread(hub.get_text, "/healthz")
        await until(lambda: not held() - before)
