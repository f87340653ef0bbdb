"""What one service records of itself: a database of its own, a recorder, and who reads from it.

All of that is imported once the port answers and somebody needs it; what the board begins with is
read before. Decides nothing but the order of things. Called by ``tower up``.
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
from bus.memory import MemoryBus
from history import metrics
from history.credentials import Logout, Token
from history.first_board import first_board
from history.first_keys import first_keys
from history.standing import Standing
from session.delta import DEFAULT_WORKSPACE
from session.mark import Mark
from session.state import Session
from tower import aside
from tower.late import Late, give
from tower.setting import SettingsError
from tower.settings import Settings

if TYPE_CHECKING:
    from history.history import History
    from history.kept import Kept
    from history.recorder import Recorder
    from history.store import Store
    from ingest.reader import Reader
    from tower.databases import Opened

log = logging.getLogger(__name__)

LOCK_NAME = "history.lock"
ADDRESS_NAME = "address"
FLUSH_S = 0.2
GROUP = "recorder"  # history.scribe, which is imported late
REST_S, REST_LOOK_S = 5.0, 0.02
ASIDE_BYTES_MIN = 16 * 1024 * 1024
"""So much to read is worth a process of its own, which takes half a second to start."""

Key = tuple[str, str]


class Records:
    """``history`` and ``kept`` are there from the start; who asks them early waits a moment."""

    def __init__(self, settings: Settings, bus: Bus) -> None:
        self.on_deleted: Callable[[Key], None] = _nobody
        self._settings = settings
        self._bus = bus
        self._wanted = asyncio.Event()
        self.opened = asyncio.Event()  # history answers at once from here on
        self._history: Late[History] = Late(self._wanted)
        self._kept: Late[Kept] = Late(self._wanted)
        self._store: Late[Store] = Late(self._wanted)
        self._recorder: Recorder | None = None
        self._is_aside = False  # another process records
        self._beside: asyncio.Task[None] | None = None
        self._reader: Reader | None = None
        self._is_followed = asyncio.Event()
        self.begins_empty = not settings["database_url"] and not settings.history_path.exists()

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
            await self._bus.group(GROUP, "start", 0)
            recording = asyncio.create_task(self._record(listening))
            try:
                yield
            finally:
                await self._write_the_rest(recording)
                recording.cancel()
                await asyncio.gather(recording, return_exceptions=True)

    async def _write_the_rest(self, recording: "asyncio.Task[None]") -> None:
        """Whoever ends right after a start has no database yet, and has been told things."""
        if self._is_aside or not isinstance(self._bus, MemoryBus):
            return
        end = await self._bus.position(0)
        self._wanted.set()
        if self._beside is not None:
            self._beside.cancel()  # nobody reads any more, so that nothing comes of it
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(REST_S):
                while not (  # noqa: ASYNC110 - an ack has no event
                    recording.done() or self._bus.has_acked(GROUP, end)
                ):
                    await asyncio.sleep(REST_LOOK_S)

    def follow(self, reader: "Reader") -> None:
        """Whoever reads transcripts: how much there is, and when all of it is read."""
        self._reader = reader
        self._is_followed.set()

    async def _record(self, listening: asyncio.Event) -> None:
        if not self._settings["database_url"]:  # else the board begins with what that one says
            # The import takes the processor from the start, which waits for it all the same where
            # the board cannot be read before the tables are brought up to date.
            await _either(listening, self._wanted)
        beside = self._beside = asyncio.create_task(self._record_aside())
        wanted = asyncio.create_task(self._wanted.wait())
        opened: Opened | None = None
        try:
            # Where another process records, the import waits until the processor is free again.
            await asyncio.wait([beside, wanted], return_when=asyncio.FIRST_COMPLETED)
            opened = await self._open()
            if not beside.done():
                self._give(opened)
                await asyncio.wait([beside])
            if not beside.cancelled():
                beside.result()
            await self._lead(opened)
        finally:
            wanted.cancel()
            beside.cancel()
            await asyncio.gather(beside, return_exceptions=True)
            if opened is not None:
                await opened.database.close()

    async def _open(self) -> "Opened":
        databases = await asyncio.to_thread(_import)
        database = databases.make_database(self._settings)
        try:
            await databases.prepare(database, migrate=self._settings["auto_migrate"])
        except BaseException:
            await database.close()
            raise
        opened: Opened = databases.Opened(database, self._bus, self._settings, FLUSH_S)
        return opened

    def _give(self, opened: "Opened") -> None:
        give(self._store, opened.store)
        give(self._kept, opened.kept)
        give(self._history, opened.history)
        self.opened.set()

    async def _lead(self, opened: "Opened") -> None:
        self._recorder = opened.recorder
        self._recorder.on_deleted = self._tell_deleted
        recording = asyncio.create_task(opened.recorder.run())
        try:
            await opened.recorder.led.wait()
            self._give(opened)
            await recording
        finally:
            recording.cancel()
            await asyncio.gather(recording, return_exceptions=True)

    async def _record_aside(self) -> None:
        """Where much is read for the first time: return when another process has recorded it."""
        if not (self.begins_empty and self._settings["watch"]):
            return
        await self._is_followed.wait()
        reader = cast("Reader", self._reader)
        await reader.sized.wait()
        if reader.progress.bytes_total < ASIDE_BYTES_MIN:
            return
        order = aside.Order(
            database_url=f"sqlite:///{self._settings.history_path}",
            migrate=self._settings["auto_migrate"],
            retain_days=self._settings["retain_days"],
            flush_s=FLUSH_S,
            log_level=str(self._settings["log_level"]),
        )
        self._is_aside = True
        try:
            await aside.record(self._bus, order, reader.ended, self._tell_deleted)
        except OSError as error:
            log.warning("no other process can record what is read: %s", error)
        finally:
            self._is_aside = False

    def _tell_deleted(self, key: Key) -> None:
        self.on_deleted(key)

    def collect(self) -> None:
        """Bring the gauges up to date."""
        if self._recorder is not None:
            self._recorder.collect()
        elif self._is_aside:
            metrics.leading.set(1)

    async def first_keys(self) -> tuple[list[Token], list[Logout]] | None:
        """Tokens that are good from the start; None where the database must be asked for them."""
        if self._settings["database_url"]:
            return None
        return await asyncio.to_thread(first_keys, self._settings.history_path)

    # What the reader goes on from.

    async def marks(self) -> list[Mark]:
        """Files as far as what they say is recorded; none of a history that is new."""
        if self.begins_empty:
            return []
        return await cast("Store", self._store).marks()

    async def keep_marks(self, marks: Iterable[Mark]) -> None:
        """Of files that say nothing that could be recorded."""
        await cast("Store", self._store).keep_marks(marks, DEFAULT_WORKSPACE)

    # What the worker brings back, as hub.kept asks.

    async def numbers(self, keys: Sequence[Key]) -> dict[Key, int]:
        """Up to which of the log's numbers these sessions are kept."""
        return await cast("Kept", self._kept).numbers(keys)

    async def former(self, key: Key) -> tuple[int, str]:
        """Up to which number of what the log held before it lost its end; it never does here."""
        return await cast("Kept", self._kept).former(key)

    async def restore(
        self, workspace: str, session_id: str, *, with_timeline: bool
    ) -> Session | None:
        """The session as far as it is kept, or None."""
        kept = cast("Kept", self._kept)
        return await kept.restore(workspace, session_id, with_timeline=with_timeline)

    async def board(self, partition: int) -> Standing:
        """What the board begins with: at once, where the tables are as they should be."""
        if not self._settings["database_url"]:  # and then SQLite, here
            found = await asyncio.to_thread(first_board, self._settings.history_path)
            if found is not None:
                return Standing(found, None)  # the log in memory begins anew, and has one part
        board = await cast("Kept", self._kept).board(partition)
        return board._replace(is_settled=True)  # whoever recorded before is gone with its log


def running_address(folder: Path) -> str | None:
    """URL of the tower that keeps its history in a folder now; None if none does."""
    try:
        with (folder / LOCK_NAME).open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        with contextlib.suppress(OSError):
            return (folder / ADDRESS_NAME).read_text("utf-8").strip() or None
    except OSError:
        pass
    return None


def keep_address(folder: Path, url: str) -> None:
    """Commands of this machine find the tower by it, whatever its port is."""
    with contextlib.suppress(OSError):
        (folder / ADDRESS_NAME).write_text(f"{url}\n", "utf-8")


def _import() -> "ModuleType":
    from tower import databases

    return databases


async def _either(*events: asyncio.Event) -> None:
    """Return when one of them is set."""
    waiting = [asyncio.create_task(each.wait()) for each in events]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waiting:
            each.cancel()


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
