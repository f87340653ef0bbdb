"""What a connection held is free when it has ended, by counting references: nothing is left for a
collection of everything, which comes seldom and holds the loop up.
"""

import asyncio
import gc
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.hub.made import permission, report
from tests.hub.made import said as entries
from tests.hub.raw import HELLO, peer, said
from tests.hub.servers import Served, served, until

COUNT = 20
STALLED_COUNT = 2
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


async def stall(hub: Served) -> None:
    """Clients that read nothing: their heartbeats wait until the hub lets go of them."""
    for number in range(STALLED_COUNT):
        async with peer(hub, receive_bytes=8 * 1024) as opened:
            await opened.send(HELLO + said("subscribe", session="a"))
            await until(lambda: hub.board.clients)
            (client,) = hub.board.clients.values()
            for turn in range(150):
                await hub.log(permission(f"s{number}-{turn}", "c", summary="x" * 900))
            await until(lambda c=client: len(c.outbox._answers) >= 2)  # type: ignore[misc]
            await until(lambda: not hub.hub.connections)


async def test_nothing_is_left_of_clients_that_were_let_go() -> None:
    """What waited for them knows them, and would keep them and all the rest that waited."""
    limits = {"in_flight_bytes_max": 48 * 1024, "heartbeat_ms": 100, "behind_abort_ms": 1_000}
    async with served(**limits) as hub:
        await hub.log(report("a", to=500, entries=entries(250, text="x" * 900)))
        await stall(hub)  # what is made once
        await until(lambda: not held())
        await stall(hub)
        await until(lambda: not held())


async def test_nothing_is_left_of_requests() -> None:
    """The same of connections that stay HTTP."""
    async with served() as hub:
        await asyncio.to_thread(hub.get_text, "/healthz")
        before = held()
        for _ in range(COUNT):
            await asyncio.to_thread(hub.get_text, "/healthz")
        await until(lambda: not held() - before)
