"""``tower export``: sessions out of the database as CSV, JSON or a report, to a file or to stdout.

Reads the database itself, so it works beside a running tower and without one. Changes nothing.
"""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import BinaryIO

from history.database import Database
from history.errors import BadQuery, DatabaseUnavailable, WrongSchema
from history.history import History
from hub.exports.gather import Asked, Gathering, parse
from hub.exports.stream import pieces
from session.delta import DEFAULT_WORKSPACE
from tower.databases import make_database
from tower.settings import Settings


def read(format_: str, ids: list[str] | None, filters: dict[str, object]) -> Asked:
    """What the options ask for; raises BadQuery, which names the wrong one."""
    told = [("format", format_), ("ids", ",".join(ids or []))]
    for name, value in filters.items():
        values = value if isinstance(value, list) else [value]
        told += [(name, _word(each)) for each in values if each not in (None, False)]
    return parse(told)


def _word(value: object) -> str:
    return "true" if value is True else str(value)


def run(settings: Settings, asked: Asked, output: str) -> int:
    """Write the export; gives the exit code. Raises SettingsError."""
    database = make_database(settings)
    if (reason := _absent(database)) is not None:
        return _failed(reason)
    try:
        asyncio.run(_write(database, asked, output))
    except BrokenPipeError:
        _let_go_of_stdout()
        return 1
    except (BadQuery, DatabaseUnavailable, WrongSchema, OSError) as error:
        return _failed(str(error))
    return 0


def _failed(reason: str) -> int:
    print(f"tower export: {reason}", file=sys.stderr)
    return 1


def _absent(database: Database) -> str | None:
    """SQLite would make a file that is not there; this only reads."""
    path = database.url.database
    if database.is_sqlite and path and path != ":memory:" and not Path(path).is_file():
        return f"there is no history at {path} yet; it begins with the first `tower up`"
    return None


async def _write(database: Database, asked: Asked, output: str) -> None:
    try:
        await database.check()
        gathering = Gathering(History(database), DEFAULT_WORKSPACE, asked, {})
        told = pieces(gathering, time.time_ns() // 1_000_000)
        await _copy(told, output)
    finally:
        await database.close()


async def _copy(told: AsyncIterator[bytes], output: str) -> None:
    """The file appears when it is whole; whatever is refused leaves none."""
    first = await anext(told)
    with _opened(output) as out:
        out.write(first)
        async for piece in told:
            out.write(piece)


@contextlib.contextmanager
def _opened(output: str) -> Iterator[BinaryIO]:
    if output == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(output)
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as out:
            yield out
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _let_go_of_stdout() -> None:
    """Nobody reads any more: what is left unwritten must not fail at the end of the process."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
