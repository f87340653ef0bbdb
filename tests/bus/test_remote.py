"""A log that is served to another process: what becomes of it when one of the two is gone."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest

from bus.errors import BusUnavailable
from bus.limits import REMOTE_READ_BYTES_MAX
from bus.memory import MemoryBus
from bus.remote import RemoteBus
from bus.remote_calls import TYPES, Call, packed, send
from bus.remote_server import serve
from session import codec
from session.delta import Event
from session.errors import InvalidDelta
from tests.hub.servers import until

DEADLINE_S = 5


class Pair(NamedTuple):
    """A log, its reader elsewhere, and what serves it."""

    log: MemoryBus
    remote: RemoteBus
    served: asyncio.Task[None]


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    """Both ends of a socket."""
    here, there = socket.socketpair()
    log = MemoryBus()
    await log.open()
    served = asyncio.create_task(serve(log, *await asyncio.open_unix_connection(sock=there)))
    remote = RemoteBus(*await asyncio.open_unix_connection(sock=here))
    await remote.open()
    yield Pair(log, remote, served)
    await remote.close()
    served.cancel()
    await asyncio.gather(served, return_exceptions=True)
    await log.close()


def event(number: int, text: str = "") -> Event:
    """A small delta."""
    return Event(id=f"e{number}", session="s", kind="note", received_at=1, fields={"text": text})


async def test_a_lease_is_given_up_when_its_holder_is_gone(pair: Pair) -> None:
    """Who waits for it need not wait until it runs out."""
    assert await pair.remote.lease("recorder", "there", 60_000)
    assert not await pair.log.lease("recorder", "here", 60_000)
    await pair.remote.close()
    async with asyncio.timeout(DEADLINE_S):
        await pair.served
    assert await pair.log.lease("recorder", "here", 60_000)


@pytest.mark.parametrize("turns", range(12))
async def test_a_lease_is_given_up_by_a_server_that_is_cancelled_while_it_ends(
    pair: Pair, turns: int
) -> None:
    """However far the end has come when whoever started the process hears of it as well."""
    assert await pair.remote.lease("recorder", "there", 60_000)
    group = await pair.remote.group("recorder", "there", 0)
    waiting = asyncio.create_task(group.read(1, 60_000))
    await pair.remote.position(0)
    closing = asyncio.create_task(pair.remote.close())
    for _ in range(turns):
        await asyncio.sleep(0)
    pair.served.cancel()
    await asyncio.gather(pair.served, closing, waiting, return_exceptions=True)
    assert await pair.log.lease("recorder", "here", 60_000)


async def test_a_process_that_is_gone_is_a_log_that_is_away(pair: Pair) -> None:
    """For whoever waits, and for whoever asks later."""
    group = await pair.remote.group("recorder", "one", 0)
    waiting = asyncio.create_task(group.read(1, 2_000))
    await asyncio.sleep(0)
    pair.served.cancel()
    async with asyncio.timeout(DEADLINE_S):
        with pytest.raises(BusUnavailable):
            await waiting
        with pytest.raises(BusUnavailable):
            await pair.remote.position(0)
        await pair.remote.gone.wait()


async def test_what_a_reader_was_given_and_did_not_ack_is_there_for_the_next(pair: Pair) -> None:
    """As on any log."""
    await pair.log.append([event(1), event(2)])
    group = await pair.remote.group("recorder", "there", 0)
    first, _ = await group.read(10, 0)
    await group.ack([first.position])
    await pair.remote.close()
    here = await pair.log.group("recorder", "here", 0)
    assert [each.delta.id for each in await here.reclaim(0, 10)] == ["e2"]


async def test_no_more_is_packed_at_once_than_the_loop_can_bear(pair: Pair) -> None:
    """But one delta always comes, whatever its size."""
    large = [event(number, "x" * REMOTE_READ_BYTES_MAX) for number in range(3)]
    await pair.log.append([*large, *(event(number) for number in range(3, 40))])
    group = await pair.remote.group("recorder", "one", 0)
    counts = [len(await group.read(500, 0)) for _ in range(4)]
    assert counts == [1, 1, 1, 37]


async def test_a_stream_that_is_left_while_it_waits_leaves_nothing_behind(pair: Pair) -> None:
    """Its tail would hold the ring back for ever."""
    tail = pair.remote.tail(0, None)
    waiting = asyncio.ensure_future(anext(tail))
    await until(lambda: pair.log._ring._readers)
    waiting.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await waiting
    await until(lambda: not pair.log._ring._readers)


async def test_what_cannot_be_packed_is_refused_before_it_is_sent(pair: Pair) -> None:
    """As the log itself would."""
    with pytest.raises(InvalidDelta):
        await pair.remote.append([event(1, "\ud800")])
    assert [each.number for each in await pair.remote.append([event(1)])] == [1]


async def test_a_call_that_nobody_knows_is_answered_and_told(
    pair: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    """The peer may be of another release: it must not wait for ever."""
    TYPES["nonsense"] = TYPES["lineage"]
    try:
        with pytest.raises(BusUnavailable):
            await pair.remote.ask("nonsense", 0)
    finally:
        del TYPES["nonsense"]
    assert "nonsense" in caplog.text


async def test_answers_find_their_calls_in_any_order(pair: Pair) -> None:
    """A read that waits holds up nobody else."""
    group = await pair.remote.group("recorder", "one", 0)
    reading = asyncio.create_task(group.read(1, 2_000))
    async with asyncio.timeout(DEADLINE_S):
        assert await pair.remote.position(0) == await pair.log.position(0)
        await pair.remote.append([event(1)])
        [delivery] = await reading
    assert codec.pack(delivery.delta) == codec.pack(codec.numbered(event(1), 1))


async def test_a_drop_of_what_is_not_open_harms_nobody(pair: Pair) -> None:
    """It is answered, and the next call as well."""
    send(pair.remote._writer, Call(0, "drop", packed((77,))))
    assert await pair.remote.lineage(0) == await pair.log.lineage(0)
