"""Leases, secrets and signals over a real Redis that loses replies, hangs, dies and comes back."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from bus import redis_clients, redis_signals
from bus.errors import BusUnavailable
from bus.limits import REPLY_MS_MAX
from bus.redis import RedisBus
from bus.shared import SUBSCRIBED, Signal

pytestmark = pytest.mark.redis_server

DEADLINE_SECONDS = 12
ANSWER_SECONDS = REPLY_MS_MAX / 1_000 + 1  # the limit, and what a slow machine takes besides
LONG_MS = 60_000


async def hear(listening: AsyncIterator[Signal]) -> Signal:
    """The next one, which must come before the deadline."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        return await anext(listening)


async def publish_soon(bus: RedisBus, topic: str, data: bytes) -> None:
    """Publish again until Redis is back."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            try:
                return await bus.publish(topic, data)
            except BusUnavailable:
                continue


async def until(true: Callable[[], bool]) -> None:
    """Look often, until it is true."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not true():  # noqa: ASYNC110 - what a server has done has no event
            await asyncio.sleep(0.02)


def pings(server) -> int:
    """How many the server has answered."""
    line = server.ask("INFO", "commandstats").partition("cmdstat_ping:calls=")[2]
    return int(line.split(",")[0])


@pytest.mark.parametrize("times", [1, 3])
async def test_a_lease_whose_reply_is_lost_is_the_holders(wired: RedisBus, wire, times) -> None:
    """The repetition tells the same holder True, and another one False."""
    assert await wired.lease("warm-up", "any", LONG_MS)  # the server knows the script by now
    wire.lose_marked, wire.lose_count = b"the-holder", times
    assert await wired.lease("recorder", "the-holder", LONG_MS)
    assert wire.lost == times
    assert not await wired.lease("recorder", "another", LONG_MS)
    wire.lose_count = 1
    await wired.release("recorder", "the-holder")
    assert wire.lost == times + 1
    assert await wired.lease("recorder", "another", LONG_MS)


async def test_a_lease_without_an_answer_is_not_claimed(bus: RedisBus, server) -> None:
    """A hung server is an error, never a True; what it did in the end keeps nobody else out."""
    with server.hung():
        for asked in (bus.lease("recorder", "one", 1), bus.secret("cookies", "a")):
            async with asyncio.timeout(ANSWER_SECONDS):
                with pytest.raises(BusUnavailable):
                    await asked
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not await bus.lease("recorder", "two", LONG_MS):  # noqa: ASYNC110 - the same
            await asyncio.sleep(0.01)


async def test_a_secret_whose_reply_is_lost_is_the_kept_one(wired: RedisBus, wire) -> None:
    """The repetition gives what the first try has kept."""
    await wired.secret("warm-up", "any")
    wire.lose_marked, wire.lose_count = b"the-value", 1
    assert await wired.secret("cookies", "the-value") == "the-value"
    assert wire.lost == 1
    assert await wired.secret("cookies", "another") == "the-value"


async def test_of_two_processes_one_is_given_a_lease(bus: RedisBus, server) -> None:
    """Two that share nothing but the server never hold a lease at once; a secret is of both."""
    other = RedisBus(server.url, partitions=1)
    for number in range(50):
        name = f"lease-{number}"
        given = await asyncio.gather(
            bus.lease(name, "one", LONG_MS), other.lease(name, "two", LONG_MS)
        )
        assert sorted(given) == [False, True]
    kept = await asyncio.gather(bus.secret("cookies", "one"), other.secret("cookies", "two"))
    assert kept[0] == kept[1]
    await other.close()


async def test_a_listener_comes_back_with_the_server(bus: RedisBus, server) -> None:
    """After a restart it says that it may have missed something, and hears again."""
    listening = bus.listen("presence")
    assert await hear(listening) == SUBSCRIBED
    waiting = asyncio.create_task(hear(listening))
    server.kill()
    server.start()
    assert await waiting == SUBSCRIBED
    await publish_soon(bus, "presence", b"again")
    assert await hear(listening) == ("presence", b"again")


async def test_a_listener_may_begin_before_the_server(server) -> None:
    """It waits for the server as long as it takes."""
    server.kill()
    bus = RedisBus(server.url, partitions=1)
    waiting = asyncio.create_task(hear(bus.listen("presence")))
    with pytest.raises(BusUnavailable):
        await bus.publish("presence", b"lost")
    server.start()
    assert await waiting == SUBSCRIBED
    await bus.close()


async def test_a_cut_subscription_is_told(bus: RedisBus, server) -> None:
    """When the server drops the listener's connection the gap is not passed over."""
    listening = bus.listen("a", "b")
    assert await hear(listening) == SUBSCRIBED
    for number in range(3):
        assert server.ask("CLIENT", "KILL", "TYPE", "pubsub").startswith(":1")
        assert await hear(listening) == SUBSCRIBED
        await bus.publish("b", b"%d" % number)
        assert await hear(listening) == ("b", b"%d" % number)


async def test_a_hung_server_is_noticed_by_its_silence(
    bus: RedisBus, server, caplog: pytest.LogCaptureFixture
) -> None:
    """A ping without an answer ends the subscription, and the next one says so."""
    listening = bus.listen("presence")
    assert await hear(listening) == SUBSCRIBED
    waiting = asyncio.create_task(hear(listening))
    with server.hung():
        await until(lambda: "no signals are heard" in caplog.text)
    assert await waiting == SUBSCRIBED
    await publish_soon(bus, "presence", b"again")
    assert await hear(listening) == ("presence", b"again")


async def test_silence_does_not_end_a_subscription(server, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long nothing is published, pings keep it alive, and nothing is said to be missed."""
    monkeypatch.setattr(redis_clients, "READ_TIMEOUT_MS", 50)
    monkeypatch.setattr(redis_signals, "SIGNAL_SILENCE_MS", 200)
    made = RedisBus(server.url, partitions=1)
    listening = made.listen("presence")
    assert await hear(listening) == SUBSCRIBED
    waiting = asyncio.create_task(hear(listening))
    before = pings(server)
    await until(lambda: pings(server) >= before + 5)
    assert not waiting.done()
    await made.publish("presence", b"heard")
    assert await waiting == ("presence", b"heard")
    await made.close()


async def test_a_signal_to_a_hung_server_is_an_error_in_time(bus: RedisBus, server) -> None:
    """Whoever publishes learns within 3 s that nobody may have heard."""
    await bus.publish("presence", b"")
    with server.hung():
        async with asyncio.timeout(ANSWER_SECONDS):
            with pytest.raises(BusUnavailable):
                await bus.publish("presence", b"")
    await publish_soon(bus, "presence", b"")


async def test_listeners_of_a_hung_server_end_at_close(bus: RedisBus, server) -> None:
    """Neither one that waits for a signal nor one that waits for its connection holds up close."""
    waits, connects = bus.listen("a"), bus.listen("a")
    assert await hear(waits) == SUBSCRIBED
    with server.hung():
        ends = [asyncio.create_task(anext(each, None)) for each in (waits, connects)]
        await asyncio.sleep(0.05)
        assert not any(end.done() for end in ends)
        await bus.close()
        async with asyncio.timeout(1):
            assert await asyncio.gather(*ends) == [None, None]
