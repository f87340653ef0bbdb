"""What processes share besides the log, whichever engine they run on."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bus.base import Bus
from bus.errors import BusClosed
from bus.limits import NOTES_MAX
from bus.shared import SUBSCRIBED, Signal

DEADLINE_SECONDS = 8
LONG_MS = 60_000


async def hear(listening: AsyncIterator[Signal]) -> Signal:
    """The next one, which must come soon."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        return await anext(listening)


async def lease_soon(bus: Bus, name: str, holder: str) -> None:
    """Ask until it is given."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not await bus.lease(name, holder, LONG_MS):  # noqa: ASYNC110 - it runs out in silence
            await asyncio.sleep(0.01)


async def test_a_lease_has_one_holder(bus: Bus) -> None:
    """Another one is refused, the holder may renew it, and other leases are free."""
    assert await bus.lease("recorder", "one", LONG_MS)
    assert not await bus.lease("recorder", "two", LONG_MS)
    assert await bus.lease("recorder", "one", LONG_MS)
    assert await bus.lease("timer", "two", LONG_MS)


async def test_of_many_that_ask_at_once_one_is_given_a_lease(bus: Bus) -> None:
    """However many contend, exactly one holds it, and it is told so whenever it asks."""
    holders = [f"h{number}" for number in range(30)]
    given = await asyncio.gather(*(bus.lease("recorder", each, LONG_MS) for each in holders))
    assert given.count(True) == 1
    assert [await bus.lease("recorder", each, LONG_MS) for each in holders] == given


async def test_a_lease_that_is_given_up_is_free(bus: Bus) -> None:
    """Only its holder can give it up, and the next one has it at once."""
    await bus.lease("recorder", "one", LONG_MS)
    await bus.release("recorder", "two")
    assert not await bus.lease("recorder", "two", LONG_MS)
    await bus.release("recorder", "one")
    assert await bus.lease("recorder", "two", LONG_MS)
    await bus.release("recorder", "one")
    assert not await bus.lease("recorder", "one", LONG_MS)


async def test_the_lease_of_a_holder_that_is_gone_runs_out(bus: Bus) -> None:
    """Nobody renews it, so another one gets it; then the former holder is refused."""
    assert await bus.lease("recorder", "gone", 100)
    await lease_soon(bus, "recorder", "next")
    assert not await bus.lease("recorder", "gone", LONG_MS)


async def test_a_renewed_lease_outlives_its_first_term(bus: Bus) -> None:
    """A renewal counts from its own moment."""
    assert await bus.lease("recorder", "one", 200)
    assert await bus.lease("recorder", "one", LONG_MS)
    await bus.lease("clock", "gone", 200)  # begins later, so the first term ends before it does
    await lease_soon(bus, "clock", "next")
    assert not await bus.lease("recorder", "two", LONG_MS)


async def test_a_listener_is_told_when_it_hears(bus: Bus) -> None:
    """The first thing is that the subscription is in place; what is published then is heard."""
    await bus.publish("presence", b"too early")
    listening = bus.listen("presence")
    assert await hear(listening) == SUBSCRIBED
    data = bytes(range(256))
    await bus.publish("presence", data)
    assert await hear(listening) == ("presence", data)
    waiting = asyncio.create_task(hear(listening))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    await bus.publish("presence", b"")
    assert await waiting == ("presence", b"")


async def test_every_listener_hears_its_topics(bus: Bus) -> None:
    """Several topics arrive in order at one listener, and nobody hears what it did not ask for."""
    both, one = bus.listen("a", "ß:{0}"), bus.listen("a")
    for listening in (both, one):
        assert await hear(listening) == SUBSCRIBED
    for topic, data in (("a", b"1"), ("ß:{0}", b"2"), ("c", b"3"), ("a", b"4")):
        await bus.publish(topic, data)
    assert [await hear(both) for _ in range(3)] == [("a", b"1"), ("ß:{0}", b"2"), ("a", b"4")]
    assert [await hear(one) for _ in range(2)] == [("a", b"1"), ("a", b"4")]


async def test_a_listener_that_leaves_hurts_nobody(bus: Bus) -> None:
    """Publishing goes on when nobody listens, and to those who are left."""
    leaving, staying = bus.listen("a"), bus.listen("a")
    for listening in (leaving, staying):
        assert await hear(listening) == SUBSCRIBED
    await leaving.aclose()
    await bus.publish("a", b"1")
    assert await hear(staying) == ("a", b"1")
    await staying.aclose()
    await bus.publish("a", b"2")


async def test_a_secret_is_kept_once(bus: Bus) -> None:
    """The first value stays, also when many give one at the same moment; names are apart."""
    values = [f"välue-{number}" for number in range(20)]
    kept = set(await asyncio.gather(*(bus.secret("cookies", value) for value in values)))
    assert len(kept) == 1
    assert kept < set(values)
    assert {await bus.secret("cookies", "late")} == kept
    assert await bus.secret("other", "late") == "late"


async def test_a_table_is_kept_by_key(bus: Bus) -> None:
    """A value replaces another one, is added only where there is none, and can be taken away."""
    assert await bus.table("tokens") == {}
    await bus.put("tokens", "ä:{1}", bytes(range(256)))
    await bus.put("tokens", "b", b"1")
    await bus.put("tokens", "b", b"2")
    await bus.add("tokens", "b", b"3")
    await bus.add("tokens", "c", b"")
    await bus.put("other", "b", b"4")
    assert await bus.table("tokens") == {"ä:{1}": bytes(range(256)), "b": b"2", "c": b""}
    await bus.forget("tokens", "b")
    await bus.forget("tokens", "never there")
    assert await bus.table("tokens") == {"ä:{1}": bytes(range(256)), "c": b""}
    assert await bus.table("other") == {"b": b"4"}


async def test_what_is_given_of_a_table_is_a_copy(bus: Bus) -> None:
    """Whoever changes it changes nothing that is shared."""
    await bus.put("tokens", "a", b"1")
    (await bus.table("tokens")).clear()
    assert await bus.table("tokens") == {"a": b"1"}


async def test_a_closed_bus_shares_nothing(bus: Bus) -> None:
    """After close a waiting listener has ended, and everything else refuses."""
    listening = bus.listen("a")
    assert await hear(listening) == SUBSCRIBED
    waiting = asyncio.create_task(anext(listening, None))  # type: ignore[arg-type]
    await asyncio.sleep(0.02)
    assert not waiting.done()
    await bus.close()
    async with asyncio.timeout(DEADLINE_SECONDS):
        assert await waiting is None
    with pytest.raises(BusClosed):
        bus.listen("a")
    for refused in (
        bus.lease("a", "one", LONG_MS),
        bus.release("a", "one"),
        bus.publish("a", b""),
        bus.secret("a", "b"),
        bus.put("a", "b", b""),
        bus.add("a", "b", b""),
        bus.forget("a", "b"),
        bus.table("a"),
    ):
        with pytest.raises(BusClosed):
            await refused


async def test_the_latest_note_under_a_name_is_kept(bus: Bus) -> None:
    """Any bytes, as they were noted; topics do not see each other's, and nothing is nobody's."""
    assert await bus.notes("sources") == []
    await bus.note("sources", "laptop:3 ü", b"\x00:1", LONG_MS)
    await bus.note("sources", "laptop:3 ü", b"\xff\x00", LONG_MS)
    await bus.note("sources", "laptop-4", b"", LONG_MS)
    await bus.note("others", "laptop-5", b"x", LONG_MS)
    told = sorted(await bus.notes("sources"))
    assert [each[:2] for each in told] == [("laptop-4", b""), ("laptop:3 ü", b"\xff\x00")]
    assert all(0 <= each.age_ms < LONG_MS for each in told)


async def test_a_note_whose_time_is_over_is_forgotten(bus: Bus) -> None:
    """Its neighbour is not, and the name is free for another."""
    await bus.note("sources", "stays", b"", LONG_MS)
    await bus.note("sources", "goes", b"", 30)
    async with asyncio.timeout(DEADLINE_SECONDS):
        while len(await bus.notes("sources")) == 2:  # noqa: ASYNC110 - it ends in silence
            await asyncio.sleep(0.01)
    assert [each.name for each in await bus.notes("sources")] == ["stays"]
    await bus.note("sources", "goes", b"again", LONG_MS)
    assert len(await bus.notes("sources")) == 2


async def test_of_too_many_notes_the_one_that_would_end_first_is_forgotten(bus: Bus) -> None:
    """However many are noted, no more than the limit are kept."""
    await bus.note("sources", "first", b"", LONG_MS)
    for number in range(NOTES_MAX):
        await bus.note("sources", f"n{number}", b"", LONG_MS + 1_000)
    names = {each.name for each in await bus.notes("sources")}
    assert names == {f"n{number}" for number in range(NOTES_MAX)}
