"""``tower db``: bring the tables of history up to date, or say where they stand.

For clusters, where no process changes them at its start (TOWER_AUTO_MIGRATE=0).
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable

from history.database import Database
from history.errors import DatabaseUnavailable, HistoryError, WrongSchema
from history.migrations import HEAD
from tower.databases import make_database
from tower.settings import Settings, as_json


def upgrade(settings: Settings) -> int:
    """Bring them up to date; gives the exit code."""
    error = _asked(settings, lambda database: database.upgrade())
    if error is not None:
        print(f"tower db upgrade: {error}", file=sys.stderr)
        return 1
    print(f"The tables are at {HEAD}.")
    return 0


def check(settings: Settings, *, json_output: bool) -> int:
    """Tell whether they are up to date; gives the exit code."""
    error = _asked(settings, lambda database: database.check())
    if json_output:
        found = error.found if isinstance(error, WrongSchema) else None
        told = {"found": HEAD if error is None else found, "wanted": HEAD, "ok": error is None}
        print(as_json({**told, "error": None if error is None else str(error)}))
    elif error is None:
        print(f"The tables are at {HEAD}.")
    else:
        print(f"tower db check: {error}", file=sys.stderr)
    return int(error is not None)


def _asked(settings: Settings, ask: Callable[[Database], Awaitable[None]]) -> HistoryError | None:
    """What went wrong, or None."""

    async def run() -> None:
        database = make_database(settings)
        try:
            await ask(database)
        finally:
            await database.close()

    try:
        asyncio.run(run())
    except DatabaseUnavailable as error:
        return DatabaseUnavailable(f"the database does not answer: {error}")
    except HistoryError as error:
        return error
    return None
