"""One partition as the recorder keeps it: stored, gone on from, and trimmed behind."""

from collections.abc import AsyncIterator
from types import SimpleNamespace

import pytest

from bus.base import Batch, Checkpoint
from bus.errors import BusUnavailable
from bus.memory import MemoryBus
from bus.position import ordinal_of
from history import ledger as ledger_module
from history.ledger import Ledger
from session.delta import Delta
from session.state import detail
from tests.hub.made import event, plain, report, said, silence, tokens


class Clock:
    """The ledger's clock, which only the test moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 1_000.0
        told = SimpleNamespace(monotonic=lambda: self.now_s, perf_counter=lambda: self.now_s)
        monkeypatch.setattr(ledger_module, "time", told)
        monkeypatch.setattr(ledger_module, "KEEP_S", 60.0)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """It stands still."""
    return Clock(monkeypatch)


async def next_batch(tail: AsyncIterator[Batch]) -> Batch:
    """The next one."""
    return await anext(tail)


async def grow(bus: MemoryBus, ledger: Ledger, *deltas: Delta) -> str:
    """Append, and fold what is new; gives the position behind it."""
    await bus.append(deltas)
    batch = await next_batch(bus.tail(0, ledger.position))
    ledger.take_in(batch, is_first=ledger.position is None)
    return batch.position


async def oldest(bus: MemoryBus) -> int:
    """The ordinal of the oldest entry that the log still holds."""
    batch = await next_batch(bus.tail(0, None))
    return ordinal_of(batch.position) - len(batch.deltas) + 1


def told(ledger: Ledger) -> dict[str, object]:
    """What a checkpoint keeps of each session: all that is shown but the errors."""
    whole = {session.id: plain(detail(session)) for session in ledger.sessions}
    for each in whole.values():
        del each["errors_list"]
    return whole


async def test_what_is_stored_is_gone_on_from() -> None:
    """A ledger that loads it and folds the rest equals one that has folded everything."""
    bus, first, second = MemoryBus(), Ledger(0), Ledger(0)
    await grow(bus, first, event("prompt", "a"), report("b", calls=tokens(5), entries=said(3)))
    await first.store(bus)
    await second.load(bus)
    assert told(second) == told(first)
    assert (second.epoch, second.position) == (first.epoch, first.position)
    await grow(bus, first, event("stop", "a"), report("b", to=9, from_=1, calls=tokens(7)))
    second.take_in(await next_batch(bus.tail(0, second.position)), is_first=True)
    assert told(second) == told(first)
    assert [session.number for session in second.sessions] == [2, 2]


async def test_an_unchanged_ledger_is_not_stored_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once for each time that something came."""
    bus, ledger, stored = MemoryBus(), Ledger(0), []
    save = bus.save_checkpoint

    async def count(partition: int, checkpoint: Checkpoint) -> None:
        stored.append(ordinal_of(checkpoint.position))
        await save(partition, checkpoint)

    monkeypatch.setattr(bus, "save_checkpoint", count)
    await ledger.store(bus)
    assert stored == []  # nothing was ever heard
    for session in ("a", "b"):
        await grow(bus, ledger, event("prompt", session))
        await ledger.store(bus)
        await ledger.store(bus)
    assert stored == [1, 2]


async def test_the_log_is_trimmed_behind_an_old_checkpoint_alone(clock: Clock) -> None:
    """The newest one that is old enough: what came after it stays, however much that is."""
    bus, ledger = MemoryBus(), Ledger(0)
    await grow(bus, ledger, *(event("prompt", f"a{n}") for n in range(5)))
    await ledger.store(bus)  # up to 5
    clock.now_s += 30
    await grow(bus, ledger, *(event("prompt", f"b{n}") for n in range(5)))
    await ledger.store(bus)  # up to 10
    clock.now_s += 29.9
    await ledger.store(bus)
    assert await oldest(bus) == 1
    clock.now_s += 0.1
    await ledger.store(bus)
    assert await oldest(bus) == 6
    await grow(bus, ledger, *(event("prompt", f"c{n}") for n in range(5)))
    clock.now_s += 59  # the second one is old enough by now, the third is not stored yet
    await ledger.store(bus)
    assert await oldest(bus) == 11
    clock.now_s += 61
    await ledger.store(bus)
    assert ordinal_of(ledger.position or "") == 15
    assert len(bus._ring._deltas) == 0


async def test_what_is_not_durably_stored_is_never_trimmed(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long the log refuses the checkpoint, and however often it is tried."""
    bus, ledger = MemoryBus(), Ledger(0)
    await grow(bus, ledger, event("prompt", "a"))
    await ledger.store(bus)
    save = bus.save_checkpoint

    async def refuse(_partition: int, _checkpoint: Checkpoint) -> None:
        raise BusUnavailable("away")

    monkeypatch.setattr(bus, "save_checkpoint", refuse)
    await grow(bus, ledger, event("prompt", "b"), event("prompt", "c"))
    for _ in range(3):
        clock.now_s += 100
        with pytest.raises(BusUnavailable):
            await ledger.store(bus)
    monkeypatch.setattr(bus, "save_checkpoint", save)
    await ledger.store(bus)
    assert await oldest(bus) == 2
    stored = await bus.load_checkpoint(0)
    assert stored is not None
    assert ordinal_of(stored.position) == 3


async def test_a_session_that_cannot_be_packed_costs_no_other_its_place(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It alone is not in the checkpoint, and the log names it."""
    bus, ledger, again = MemoryBus(), Ledger(0), Ledger(0)
    await grow(bus, ledger, *(event("prompt", name) for name in ("a", "bad", "c")))
    bad = next(session for session in ledger.sessions if session.id == "bad")
    bad.sources["hooks"] = 2**70
    await ledger.store(bus)
    await again.load(bus)
    assert [session.id for session in again.sessions] == ["a", "c"]
    assert "'bad'" in caplog.text


@pytest.mark.parametrize("data", [b"", b"garbage", b"\x00\x01garbage", b"\xff" * 1_000])
async def test_a_checkpoint_that_cannot_be_read_is_left_aside(data: bytes) -> None:
    """Then the log is folded from its oldest entry."""
    bus, ledger = MemoryBus(), Ledger(0)
    position = await grow(bus, Ledger(0), event("prompt", "a"))
    await bus.save_checkpoint(0, Checkpoint(await bus.lineage(0), position, data))
    await ledger.load(bus)
    assert (list(ledger.sessions), ledger.position) == ([], None)


async def test_time_alone_makes_no_session() -> None:
    """A session that is gone does not come back because it is silent."""
    bus, ledger = MemoryBus(), Ledger(0)
    await grow(bus, ledger, silence("past", "gone", 5), event("prompt", "a"))
    assert [session.id for session in ledger.sessions] == ["a"]


async def test_a_delta_that_cannot_be_folded_stops_no_neighbour() -> None:
    """Those before and behind it are folded and stored."""
    bus, ledger, again = MemoryBus(), Ledger(0), Ledger(0)
    poison = [event("tool_start", "a"), report("b", buckets={"x": 1})]
    await grow(bus, ledger, event("prompt", "a"), *poison, event("stop", "a"), event("stop", "c"))
    await ledger.store(bus)
    await again.load(bus)
    assert {session.id: session.status for session in again.sessions}["a"] == "idle"
    assert "c" in {session.id for session in again.sessions}
