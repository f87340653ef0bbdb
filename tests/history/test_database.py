"""A database that is away is told apart from a statement that it refuses."""

import asyncio
import contextlib

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from bus.unbroken import unbroken
from history.database import Database
from history.errors import DatabaseUnavailable


async def run(database: Database, *statements: str) -> None:
    """In one transaction."""
    async with database.write() as connection:
        for statement in statements:
            await connection.execute(text(statement))


async def test_a_statement_that_is_refused_is_no_database_that_is_away(database: Database) -> None:
    """Waiting would not help."""
    nowhere = "INSERT INTO session_states VALUES (7, 1, '', '', '[]', 0)"
    with pytest.raises(IntegrityError):
        await run(database, nowhere)
    with pytest.raises(DBAPIError):
        await run(database, "INSERT INTO budgets VALUES ('a', 'day', NULL)")


async def test_a_writer_that_waits_too_long_for_its_turn_waits_on(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has the connection may be waiting for a lock itself."""
    monkeypatch.setattr(database._writer.sync_engine.pool, "_timeout", 0.01)
    monkeypatch.setattr(database._writer.sync_engine.pool, "_max_overflow", 0)
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(database._writer.sync_engine.pool.size()):  # type: ignore[attr-defined]
            await stack.enter_async_context(database._writer.connect())
        with pytest.raises(DatabaseUnavailable):
            await run(database, "SELECT 1")


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_of_two_transactions_that_wait_for_each_other_one_is_tried_again(
    database: Database,
) -> None:
    """A deadlock is nobody's mistake."""
    await run(database, "INSERT INTO budgets VALUES ('a', 'day', 1), ('b', 'day', 1)")
    met = asyncio.Barrier(2)

    async def write(*names: str) -> None:
        async with database.write() as connection:
            for at, name in enumerate(names):
                await connection.execute(
                    text("UPDATE budgets SET limit_usd = 2 WHERE workspace = :name"), {"name": name}
                )
                if at == 0:
                    await met.wait()

    told = await asyncio.gather(write("a", "b"), write("b", "a"), return_exceptions=True)
    assert sorted(map(repr, map(type, told))) == [
        "<class 'NoneType'>", "<class 'history.errors.DatabaseUnavailable'>",
    ]  # fmt: skip


@pytest.mark.parametrize("turns", [1, 5, 20, 80])
async def test_whoever_is_cancelled_while_he_writes_leaves_no_lock_behind(
    database: Database, turns: int
) -> None:
    """The transaction goes on to its end, and the next one begins at once."""

    @unbroken
    async def write(*statements: str) -> None:
        await run(database, *statements)

    writing = asyncio.create_task(
        write(
            "INSERT INTO budgets VALUES ('a', 'day', 1)",
            "INSERT INTO budgets VALUES ('a', 'month', 1)",
            "INSERT INTO budgets VALUES ('a', 'session', 1)",
        )
    )
    for _ in range(turns):
        await asyncio.sleep(0)
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    await write("INSERT INTO budgets VALUES ('b', 'day', 1)")
    async with database.read() as connection:
        found = await connection.execute(text("SELECT count(*) FROM budgets WHERE workspace = 'a'"))
        assert found.scalar() == 3


async def test_a_write_that_fails_after_its_caller_was_cancelled_is_still_a_cancelled_one(
    database: Database,
) -> None:
    """Nobody is left to hear of the failure."""

    @unbroken
    async def write() -> None:
        await run(database, "INSERT INTO budgets VALUES ('a', 'day', NULL)")

    writing = asyncio.create_task(write())
    await asyncio.sleep(0)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
