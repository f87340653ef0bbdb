"""How far each transcript is on the tower's log: the one thing that a shipper keeps.

A small SQLite file that only its owner reads, one for each tower. Never holds a word of a
transcript. Used by the shipper; one process at a time may have it.
"""

import hashlib
import os
import sqlite3
from collections.abc import Iterable
from pathlib import Path

import msgspec

from session.mark import Mark

_TABLE = "CREATE TABLE IF NOT EXISTS marks (path TEXT PRIMARY KEY, mark BLOB) WITHOUT ROWID"
_PUT = "INSERT OR REPLACE INTO marks VALUES (?, ?)"


class Taken(Exception):
    """Another process ships to this tower from here."""


def path_for(state_dir: Path, target: str) -> Path:
    """The file of one tower."""
    digest = hashlib.blake2b(target.encode(), digest_size=8).hexdigest()
    return state_dir / "ship" / f"{digest}.db"


class Offsets:
    """An open file. Its methods may be called in any thread, one at a time."""

    def __init__(self, path: Path) -> None:
        """Open or make it; raises Taken, OSError or sqlite3.Error."""
        self.path = path
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
        self._connection = sqlite3.connect(path, timeout=0, check_same_thread=False)
        try:
            self._prepare()
        except sqlite3.OperationalError as error:
            self._connection.close()
            if error.sqlite_errorname == "SQLITE_BUSY":
                raise Taken(str(path)) from error
            raise
        except sqlite3.Error:
            self._connection.close()
            raise

    def _prepare(self) -> None:
        """Durable at each commit, and this process's alone until it is closed."""
        self._connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._connection.execute("PRAGMA synchronous = FULL")
        with self._connection as changing:
            changing.execute("BEGIN EXCLUSIVE")
            changing.execute(_TABLE)

    def load(self) -> list[Mark]:
        """All of them; one that cannot be read is none, and its file is told again."""
        marks = []
        for (data,) in self._connection.execute("SELECT mark FROM marks"):
            try:
                marks.append(msgspec.msgpack.decode(data, type=Mark))
            except (msgspec.MsgspecError, UnicodeDecodeError):
                continue
        return marks

    def save(self, marks: Iterable[Mark]) -> None:
        """All of them or none, on disk when this returns; raises sqlite3.Error."""
        rows = [(mark.path, msgspec.msgpack.encode(mark)) for mark in marks]
        with self._connection as changing:
            changing.executemany(_PUT, rows)

    def close(self) -> None:
        """Let another process have it."""
        self._connection.close()


def opened(path: Path) -> tuple[Offsets, bool]:
    """The file, and whether it had to be begun anew because it was broken.

    Then everything is told again, which changes nothing on the board. Raises as Offsets does.
    """
    try:
        offsets = Offsets(path)
        offsets.load()
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorname not in ("SQLITE_NOTADB", "SQLITE_CORRUPT"):
            raise
        for name in (path, *path.parent.glob(f"{path.name}-*")):
            name.unlink(missing_ok=True)
        return Offsets(path), True
    return offsets, False
