"""Each API call once, at the session that owns it; sums by day that are always its calls'."""

import asyncio
from typing import Any

import msgspec
import pytest

from history.database import Database
from history.ledger import Ledger
from history.store import Store
from session.delta import Report, Usage
from tests.history.calls import Said, check
from tests.history.delivered import Log
from tests.hub.made import NOW, report, tokens


@pytest.fixture
def store(database: Database) -> Store:
    """A store on either system."""
    return Store(database)


def telling(name: str, to: int, said: list[Said], generation: int = 0, **values: Any) -> Report:
    """A report of these calls."""
    told = report(name, to=to, from_=0, generation=generation, calls=tokens(1), **values)
    rows = [
        Usage(
            message_id=each.call, model=each.model, at=each.at, cost_usd=each.cost_usd,
            forked=each.forked, **dict(zip(("input", "output", "cache_read", "cache_write"),
            each.counts, strict=True)),
        )
        for each in said
    ]  # fmt: skip
    return msgspec.structs.replace(told, usage=rows)


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_forks_that_are_recorded_at_the_same_time_count_once(store: Store) -> None:
    """By two partitions, each of which has not seen the other's rows when it begins."""
    ledgers = [Ledger(partition, await store.position(partition)) for partition in range(2)]
    logs, said = [Log(), Log()], []
    for round_ in range(1, 16):
        steps = []
        for partition, name in enumerate(("a", "b")):
            calls = [
                Said(name, f"m{round_}-{n}", "opus", NOW, (1, 2, 3, 4), 0.5, forked=False)
                for n in range(3)
            ]
            said += calls
            ordered = calls if partition else calls[::-1]
            (delivery,) = logs[partition].deliver(telling(name, round_, ordered))
            ledgers[partition].take_in(delivery)
            steps.append(ledgers[partition].take()[0])
        await asyncio.gather(*map(store.commit, steps))
        for ledger, step in zip(ledgers, steps, strict=True):
            ledger.note_written(step)
    await check(store, said)
