"""What one service records of itself: a database of its own, a recorder, and who reads from it.

All of that is imported once the port answers; what the board begins with is read before. Decides
nothing but the order of things. Called by ``tower up``.
"""

import asyncio
import contextlib
import fcntl
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, cast

from bus.base import Bus
from history.first_board import first_board
from session.delta import DEFAULT_WORKSPACE
from session.mark import Mark
from session.state import Session
from tower.late import Late, give
from tower.settings import Settings, SettingsError

if TYPE_CHECKING:
    from history.history import History
    from history.kept import Kept
    from history.recorder import Recorder
    from history.store import Store

log = logging.getLogger(__name__)

LOCK_NAME = "history.lock"
FLUSH_S = 0.2
Key = tuple[str, str]


class Records:
    """``history`` and ``kept`` are there from the start; who asks them early waits a moment."""

    def __init__(self, settings: Settings, bus: Bus) -> None:
        self.on_deleted: Callable[[Key], None] = _nobody
        self._settings = settings
        self._bus = bus
        self._history: Late[History] = Late()
        self._kept: Late[Kept] = Late()
        self._store: Late[Store] = Late()
        self._recorder: Recorder | None = None
        self._is_new = not settings["database_url"] and not settings.history_path.exists()

    @property
    def history(self) -> "History":
        """What people ask."""
        return cast("History", self._history)

    @contextlib.asynccontextmanager
    async def running(self, listening: asyncio.Event) -> AsyncIterator[None]:
        """Record, once the port answers; what has been told is written at exit.

        Raises SettingsError where another service keeps its history in the same folder.
        """
        with _locked(self._settings.data_dir):
            # From here on the log keeps what is told for the recorder, which comes a moment later.
            await self._bus.group("recorder", "start", 0)
            recording = asyncio.create_task(self._record(listening))
            try:
                yield
            finally:
                recording.cancel()
                await asyncio.gather(recording, return_exceptions=True)

    async def _record(self, listening: asyncio.Event) -> None:
        await listening.wait()  # the import takes the processor from the start
        databases = await asyncio.to_thread(_import)
        database = databases.make_database(self._settings)
        try:
            await databases.prepare(database, migrate=self._settings["auto_migrate"])
            opened = databases.Opened(database, self._bus, self._settings, FLUSH_S)
            self._recorder = opened.recorder
            self._recorder.on_deleted = self._tell_deleted
            recording = asyncio.create_task(opened.recorder.run())
            try:
                await opened.recorder.led.wait()
                give(self._store, opened.store)
                give(self._kept, opened.kept)
                give(self._history, opened.history)
                await recording
            finally:
                recording.cancel()
                await asyncio.gather(recording, return_exceptions=True)
        finally:
            await database.close()

    def _tell_deleted(self, key: Key) -> None:
        self.on_deleted(key)

    def collect(self) -> None:
        """Bring the gauges up to date."""
        if self._recorder is not None:
            self._recorder.collect()

    # What the reader goes on from.

    async def marks(self) -> list[Mark]:
        """Files as far as what they say is recorded; none of a history that is new."""
        if self._is_new:
            return []
        return await cast("Store", self._store).marks()

    async def keep_marks(self, marks: Iterable[Mark]) -> None:
        """Of files that say nothing that could be recorded."""
        await cast("Store", self._store).keep_marks(marks, DEFAULT_WORKSPACE)

    # What the worker brings back, as hub.kept asks.

    async def numbers(self, keys: Sequence[Key]) -> dict[Key, int]:
        """Up to which of the log's numbers these sessions are kept."""
        return await cast("Kept", self._kept).numbers(keys)

    async def restore(
        self, workspace: str, session_id: str, *, with_timeline: bool
    ) -> Session | None:
        """The session as far as it is kept, or None."""
        kept = cast("Kept", self._kept)
        return await kept.restore(workspace, session_id, with_timeline=with_timeline)

    async def board(self) -> list[Session]:
        """What the board begins with: at once, where the tables are as they should be."""
        if not self._settings["database_url"]:  # and then SQLite, here
            found = await asyncio.to_thread(first_board, self._settings.history_path)
            if found is not None:
                return found
        return await cast("Kept", self._kept).board()


def _import() -> "ModuleType":
    from tower import databases

    return databases


def _nobody(_key: Key) -> None:
    """Nobody needs to hear of it."""


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o600)) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SettingsError(
                f"data_dir: another tower keeps its history in {folder}; choose another --data-dir"
            ) from None
        yield
