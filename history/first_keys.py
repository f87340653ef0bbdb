"""Tokens and ended sign-ins that a service on SQLite begins with, read by Python's own sqlite3.

So that a browser that comes back knocks at no closed door while history's imports take their time.
Reads and never writes, and only tables of this very release. Called by ``tower up`` at its start.
"""

import contextlib
import logging
import sqlite3
from pathlib import Path

from history.credentials import Logout, Token
from history.first_board import stands_at_head

log = logging.getLogger(__name__)


def first_keys(path: Path) -> tuple[list[Token], list[Logout]] | None:
    """All of them; None where the tables are of another release, and must be brought up to date."""
    if not path.is_file():
        return [], []
    try:
        uri = f"{path.absolute().as_uri()}?mode=ro"
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as connection:
            if not stands_at_head(connection):
                return None
            columns = ", ".join(Token.__struct_fields__)
            tokens = connection.execute(f"SELECT {columns} FROM tokens").fetchall()  # noqa: S608
            ended = connection.execute("SELECT id, token, expires_at FROM logouts").fetchall()
    except sqlite3.Error as error:
        log.warning("the tokens cannot be read from %s: %s", path, error)
        return None
    named = (dict(zip(Token.__struct_fields__, row, strict=True)) for row in tokens)
    return [Token(**row) for row in named], [Logout(*row) for row in ended]
