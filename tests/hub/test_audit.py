"""Who did what is written beside the live path: bounded, in order, and nothing twice."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

import pytest

from history.credentials import Act
from history.errors import DatabaseUnavailable
from hub import audit as module
from hub.audit import Audit
from hub.auth import OWNER, Grant
from hub.door_metrics import audit_dropped_total
from tests.hub.servers import until

VIEWER = Grant(role="viewer", workspace="shop", token="t-1", name="Ada")


class Database:
    """What is written, where it is there."""

    def __init__(self) -> None:
        self.acts: list[Act] = []
        self.is_away = False
        self.tries = 0

    async def write(self, acts: Sequence[Act]) -> None:
        """All or nothing."""
        self.tries += 1
        if self.is_away:
            raise DatabaseUnavailable("it is away")
        self.acts += acts


@contextlib.asynccontextmanager
async def writing(audit: Audit, database: Database) -> AsyncIterator[None]:
    """The task, ended in the end."""
    task = asyncio.create_task(audit.run(database.write))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def dropped() -> float:
    """So far."""
    return audit_dropped_total._value.get()


async def test_an_act_says_who_where_and_what() -> None:
    """And when, by the clock of the worker."""
    audit, database = Audit(10), Database()
    async with writing(audit, database):
        audit.note("patch", VIEWER, "192.0.2.7", "c41d", "title")
        audit.note_failure("192.0.2.8", "token")
        await until(lambda: len(database.acts) == 2)
    patched, failed = database.acts
    assert (patched.actor, patched.name, patched.workspace) == ("t-1", "Ada", "shop")
    assert (patched.action, patched.session, patched.detail) == ("patch", "c41d", "title")
    assert (patched.address, failed.address) == ("192.0.2.7", "192.0.2.8")
    assert (failed.action, failed.actor, failed.workspace) == ("sign_in_failed", "", "")
    assert patched.at > 1_700_000_000_000


async def test_opening_is_told_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each person and each session."""
    audit, database, now = Audit(10), Database(), 1_000_000
    monkeypatch.setattr(module, "now_ms", lambda: now)
    for grant, session in ((OWNER, "a"), (OWNER, "a"), (OWNER, "b"), (VIEWER, "a")):
        audit.note_opened(grant, "", session)
    now += 60_000
    audit.note_opened(OWNER, "", "a")
    async with writing(audit, database):
        await until(lambda: len(database.acts) == 4)
    told = [(act.actor, act.session) for act in database.acts]
    assert told == [("owner", "a"), ("owner", "b"), ("t-1", "a"), ("owner", "a")]


async def test_who_opened_what_fills_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """The longest ago is forgotten."""
    monkeypatch.setattr(module, "OPENED_MAX", 2)
    audit = Audit(10)
    for session in "abc":
        audit.note_opened(OWNER, "", session)
    assert len(audit._opened) == 2


async def test_a_database_that_is_away_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is lost, nothing comes twice, and the order is kept."""
    monkeypatch.setattr(module, "RETRY_S", 0)
    audit, database = Audit(10), Database()
    database.is_away = True
    async with writing(audit, database):
        for action in "abc":
            audit.note(action, OWNER, "")
        await until(lambda: database.tries > 2)
        database.is_away = False
        await until(lambda: len(database.acts) == 3)
    assert "".join(act.action for act in database.acts) == "abc"


async def test_beyond_its_bound_acts_are_counted_and_dropped() -> None:
    """Strangers have half of it: they push out nobody who did something."""
    audit, before = Audit(10), dropped()
    for _ in range(20):
        audit.note_failure("192.0.2.7", "token")
    assert dropped() - before == 15
    for _ in range(20):
        audit.note("end", OWNER, "")
    assert dropped() - before == 30
    database = Database()
    async with writing(audit, database):
        await until(lambda: len(database.acts) == 10)
    assert [act.action for act in database.acts] == ["sign_in_failed"] * 5 + ["end"] * 5


async def test_what_waits_at_the_end_is_still_written() -> None:
    """A worker that stops forgets nobody."""
    audit, database = Audit(10), Database()
    async with writing(audit, database):
        await asyncio.sleep(0)
        audit.note("end", OWNER, "")
    assert [act.action for act in database.acts] == ["end"]
