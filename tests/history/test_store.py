"""One transaction of the recorder: all of it or nothing, and only by whom the log's place is."""

import asyncio
import math
from typing import Any

import msgspec
import pytest

from history import store as store_module
from history.change import Step
from history.database import Database
from history.errors import DatabaseUnavailable, Fenced
from history.ledger import Ledger
from history.store import Store
from session.delta import Delta, Entry, Usage
from tests.history.delivered import Log
from tests.history.looking import rows_of
from tests.hub.made import event, report, said, tokens


@pytest.fixture
def store(database: Database) -> Store:
    """A store on either system."""
    return Store(database)


def step_of(ledger: Ledger, log: Log, *deltas: Delta) -> Step:
    """What is to be written of these deltas."""
    for delivery in log.deliver(*deltas):
        ledger.take_in(delivery)
    return ledger.take()[0]


async def ledger_of(store: Store) -> Ledger:
    """A ledger that goes on from what is written."""
    ledger = Ledger(0, await store.position(0))
    ledger.adopt(await store.board(200))
    return ledger


async def failing(*_: Any) -> None:
    """The database goes away at the end of a transaction."""
    raise DatabaseUnavailable("made up")


async def test_a_step_whose_transaction_failed_is_written_whole_by_the_next_try(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The keys that it gave to sessions went with it, and another one's session may have them."""
    ledger, log = await ledger_of(store), Log()
    step = step_of(ledger, log, report("a", to=3, entries=said(3)), event("prompt", "b"))
    write_usage = store_module.write_usage
    monkeypatch.setattr(store_module, "write_usage", failing)
    with pytest.raises(DatabaseUnavailable):
        await store.commit(step)
    monkeypatch.setattr(store_module, "write_usage", write_usage)
    assert [change.pk for change in step.changes] == [None, None]
    assert await rows_of(store, "sessions") == []
    await store.commit(step)
    names = {row["pk"]: row["id"] for row in await rows_of(store, "sessions")}
    assert sorted(names.values()) == ["a", "b"]
    told = [(names[row["session_pk"]], row["entry_id"]) for row in await _events(store)]
    assert [entry for name, entry in told if name == "a"] == ["e1", "e2", "e3"]


async def _events(store: Store) -> list[dict[str, Any]]:
    return await rows_of(store, "session_events")


async def test_a_step_from_another_place_than_where_the_log_is_recorded_is_refused_whole(
    store: Store,
) -> None:
    """Of two that began at the same place, the one that writes second has written nothing."""
    first, second, log = await ledger_of(store), await ledger_of(store), Log()
    deliveries = log.deliver(event("prompt", "a"), event("prompt", "b"))
    first.take_in(deliveries[0])
    for delivery in deliveries:
        second.take_in(delivery)
    await store.commit(first.take()[0])
    with pytest.raises(Fenced):
        await store.commit(second.take()[0])
    assert [row["id"] for row in await rows_of(store, "sessions")] == ["a"]


async def test_a_step_that_was_written_unknown_to_its_writer_is_not_written_twice(
    store: Store,
) -> None:
    """The answer of a commit may be lost: the same step is then of another place."""
    ledger, log = await ledger_of(store), Log()
    step = step_of(ledger, log, report("a", to=3, entries=said(3)))
    await store.commit(step)
    before = await _events(store)
    with pytest.raises(Fenced):
        await store.commit(step)
    assert await _events(store) == before


async def test_a_step_that_moves_nothing_on_is_refused_as_well(store: Store) -> None:
    """When a step is taken apart, its parts are of the place where the whole began."""
    ledger, log = await ledger_of(store), Log()
    first = step_of(ledger, log, event("prompt", "a"))
    apart = Step(0, first.before, first.before, first.changes)
    await store.commit(apart)
    assert await store.position(0) == first.before
    await store.commit(first)
    for before in (first.before, first.after._replace(place="elsewhere")):
        with pytest.raises(Fenced):
            await store.commit(Step(0, before, before, first.changes))


HUGE = 2**64 - 1
HOSTILE = [
    report("nul", to=9, entries=[Entry(id="x\x00", kind="prompt", offset=1, text="a\x00b")],
           titles={"custom": "t\x00"}, tools={"B\x00": {"calls": 1, "errors": 0, "total_ms": 2}}),
    report("huge", to=HUGE, entries=[Entry(id="e", kind="tool", at=HUGE, offset=1, tokens=HUGE)],
           tools={"Bash": {"calls": HUGE, "errors": HUGE, "total_ms": HUGE}}, started_at=HUGE,
           context_tokens=HUGE, messages=HUGE, calls=tokens(HUGE, math.inf)),
    report("types", to=9, branch=["x"], model={"a": 1}, context_tokens="many", cwd="/\x00",
           messages=1.5),
    event("prompt", "lone", prompt="\ud800", cwd="/\ud800"),
    event("prompt", "na\x00me"),
    event("prompt", "times", at=HUGE),
    event("tool_start", "nan", tool="T\x00", call="c\x00", cost_usd=math.nan),
]  # fmt: skip
CALLS = [
    Usage(message_id=f"m\x00{count}{cost}", model="m\x00", input=count, output=count, cost_usd=cost)
    for count in (HUGE, 2**63 - 1, -5, 7)
    for cost in (math.nan, math.inf, -1.0, 0.5)
]


async def test_no_hostile_value_holds_up_the_transaction_that_it_stands_in(store: Store) -> None:
    """Whatever agents tell is written, or passed over, and their neighbours are written."""
    ledger, log = await ledger_of(store), Log()
    told = report("calls", to=9, calls=tokens(1))
    called = msgspec.structs.replace(told, usage=CALLS)
    step = step_of(ledger, log, event("prompt", "a"), *HOSTILE, called, event("prompt", "z"))
    await store.states(ledger.unknown(log.deliver(*HOSTILE)))
    await store.commit(step)
    names = {row["id"] for row in await rows_of(store, "sessions")}
    assert names == {"a", "z", "nul", "huge", "types", "times", "nan", "calls"}
    days = await rows_of(store, "usage_days")
    assert sum(row["calls"] for row in days) == len(CALLS)
    assert sum(row["input"] for row in days) == 4 * 7
    assert sum(row["cost_usd"] or 0 for row in days) == 4 * 0.5


async def test_a_tool_that_a_transcript_takes_back_is_gone(store: Store) -> None:
    """The file became another one, in which it was never called."""
    ledger, log = await ledger_of(store), Log()
    counts = {"calls": 3, "errors": 0, "total_ms": 30}
    for told in (
        report("a", to=5, tools={"Bash": counts, "Read": counts}),
        report("a", to=5, generation=1, tools={"Read": counts}),
    ):
        step = step_of(ledger, log, told)
        await store.commit(step)
        ledger.note_written(step)
    assert [row["tool"] for row in await rows_of(store, "session_tools")] == ["Read"]
    (block,) = await rows_of(store, "tool_blocks")
    assert block == {"block": 0, "workspace": "default", "tool": "Read", **counts, "sessions": 1}


async def test_tools_are_summed_up_by_blocks_of_each_workspace(store: Store) -> None:
    """However many sessions there are, and again when one of them is told anew."""
    ledger, log = await ledger_of(store), Log()
    counts = {"calls": 1, "errors": 1, "total_ms": 2}
    many = [report(f"s{at:03}", to=1, tools={"Bash": counts}) for at in range(100)]
    other = msgspec.structs.replace(many[7], workspace="other")
    again = report("s099", to=2, from_=1, tools={"Bash": {**counts, "calls": 10}})
    for told in ([*many, other], [again]):
        step = step_of(ledger, log, *told)
        await store.commit(step)
        ledger.note_written(step)
    rows = await rows_of(store, "tool_blocks")
    assert len({row["block"] for row in rows}) == 2
    sums = dict.fromkeys(("default", "other"), (0, 0, 0))
    for row in rows:
        held = zip(
            sums[row["workspace"]], (row["calls"], row["errors"], row["sessions"]), strict=True
        )
        sums[row["workspace"]] = tuple(map(sum, held))
    assert sums == {"default": (109, 100, 100), "other": (1, 1, 1)}


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_block_of_which_two_recorders_write_at_once_is_summed_up_whole(
    store: Store,
) -> None:
    """Neither has seen the other's session when it begins."""
    ledgers = [Ledger(partition, await store.position(partition)) for partition in range(2)]
    logs = [Log(), Log()]
    for round_ in range(1, 16):
        counts = {"calls": round_, "errors": 0, "total_ms": 0}
        steps = [
            step_of(ledger, log, report(name, to=round_, from_=0, tools={"Bash": counts}))
            for name, ledger, log in zip("ab", ledgers, logs, strict=True)
        ]
        await asyncio.gather(*map(store.commit, steps))
        for ledger, step in zip(ledgers, steps, strict=True):
            ledger.note_written(step)
        rows = await rows_of(store, "tool_blocks")
        assert sum(row["calls"] for row in rows) == 2 * round_
