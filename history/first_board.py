"""The board that a service on SQLite begins with, read in milliseconds by Python's own sqlite3.

The rest of history waits for its imports meanwhile. Reads and never writes, and only tables of
this very release. Called by ``tower up`` at its start.
"""

import contextlib
import logging
import sqlite3
from pathlib import Path

import msgspec

from history.migrations import HEAD
from session import checkpoint
from session.errors import InvalidCheckpoint
from session.state import Session

log = logging.getLogger(__name__)

PAST_MAX = 200
"""So many past sessions stay at hand, as a board shows them; others are read when they speak."""

_STATES = """
    SELECT state, errors_list FROM session_states
    JOIN sessions ON sessions.pk = session_states.session_pk
"""
_LIVE = f"{_STATES} WHERE NOT sessions.past"
_PAST = f"""
    {_STATES} WHERE sessions.pk IN
    (SELECT pk FROM sessions WHERE past ORDER BY updated_at DESC LIMIT ?)
"""  # noqa: S608 - put together of constants


def first_board(path: Path) -> list[Session] | None:
    """Every session that is not past and the latest of those that are, as a new log counts them.

    None where its tables are of another release, and must be brought up to date first.
    """
    if not path.is_file():
        return []
    try:
        uri = f"{path.absolute().as_uri()}?mode=ro"
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as connection:
            if not stands_at_head(connection):
                return None
            rows = [*connection.execute(_LIVE), *connection.execute(_PAST, (PAST_MAX,))]
    except sqlite3.Error as error:
        log.warning("the board cannot be read from %s: %s", path, error)
        return None
    return [session for row in rows if (session := _session(*row)) is not None]


def stands_at_head(connection: sqlite3.Connection) -> bool:
    """Whether its tables are those of this release."""
    try:
        found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError:
        return False
    return bool(found == (HEAD,))


def _session(state: bytes, errors_list: str) -> Session | None:
    """A session of which no delta of the new log is known."""
    try:
        session = checkpoint.unpack(state)[0].session
        session.errors = msgspec.json.decode(errors_list)
    except (InvalidCheckpoint, msgspec.MsgspecError) as error:
        log.warning("the state of a session cannot be read: %s", error)
        return None
    session.number = session.cursor_number = 0
    return session
