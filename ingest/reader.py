"""The reader of agents' transcripts: a first read, then every line as it is written.

Only what is beyond a file's mark is sent; a source's reports go out in order, one at a time.
Never blocks the loop for longer than a slice. Started by ``tower up`` (watch).
"""

import asyncio
import contextlib
import logging
import stat
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from pathlib import Path

import msgspec
from watchfiles import Change, awatch

from ingest import background, metrics
from ingest.errors import BusUnavailable
from ingest.files import Found, below, look, scan
from ingest.first_read import DELTA, HEADER, MARK, REDACTED, Order, is_unchanged, new_mark
from ingest.homes import SUFFIX, Home
from ingest.redact.screen import Screen
from ingest.tail import Origin, Tail, report, reports
from session import codec
from session.delta import Delta
from session.mark import Mark

log = logging.getLogger(__name__)

DEBOUNCE_MS = 20
STEP_MS = 10  # each step wakes a thread: 4 ms would cost 1.6 % of a core for ever
RESCAN_S = 60
ABSENT_RETRY_S = 2.0
NEW_FOLDER_S = 0.2
SEND_RETRY_S = 0.5
TAILS_MAX = 256
WARM_MS = 3_600_000
BATCH_BYTES_MAX = 4 * 1024
"""As much is sent at once, and folded by then before a hook that comes meanwhile."""

Send = Callable[[Sequence[Delta]], Awaitable[object]]


class Progress(msgspec.Struct):
    """How far the first read is."""

    files: int = 0
    files_total: int = 0
    bytes: int = 0
    bytes_total: int = 0
    broken: int = 0
    done: bool = False


class Reader:
    """Follows the transcripts of some agents' homes and sends what they say.

    ``marks`` are those of an earlier run: an unchanged file is not opened, and of one that grew
    only what is beyond its mark is sent.
    """

    def __init__(
        self, homes: Sequence[Home], origin: Origin, send: Send, marks: Iterable[Mark] = (),
        screen: Screen | None = None,
    ) -> None:  # fmt: skip
        self.homes = [home.absolute() for home in homes]
        self.origin = origin
        self.screen = screen or Screen(on_found=metrics.count_redacted)
        self.progress = Progress()
        self.sized = asyncio.Event()  # set once it is known how much there is to read
        self.ended = asyncio.Event()  # and once that is read
        self.marks: dict[str, Mark] = {}
        self._by_session: dict[str, set[str]] = {}
        self._send = send
        self._tails: OrderedDict[str, Tail] = OrderedDict()
        self._changed: dict[str, None] = {}
        self._reading = ""  # whose slice is on its way
        self._wake = asyncio.Event()
        for mark in marks:
            self._keep(mark)

    async def run(self, on_first_read: Callable[[], None] = lambda: None) -> None:
        """First read, then follow until cancelled. Watching begins first: nothing is missed."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch(tasks))
            await self.first_read()
            on_first_read()
            tasks.create_task(self._rescan())
            await self._follow()

    async def catch_up(self) -> None:
        """What is there now, once; nothing is followed."""
        await self.first_read()
        await self._read_changed()

    def unread(self) -> list[str]:
        """Files that changed, and of which something may not be sent yet."""
        return [path for path in {self._reading, *self._changed} if path]

    # The first read.

    async def first_read(self) -> None:
        """Everything that is on disk already, read by a process of its own."""
        marks = list(self.marks.values())
        order = Order(self.homes, self.origin, marks, self.screen.policy)
        process = await background.start("ingest.first_read", stdout=asyncio.subprocess.PIPE)
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the first read has no pipes")
        try:
            with contextlib.suppress(OSError, RuntimeError):  # it is gone already
                process.stdin.write(msgspec.msgpack.encode(order))
                process.stdin.close()
            await self._take_in(process.stdout)
            if await process.wait() != 0:
                log.error("the first read ended early; what is left is read here")
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
            self.progress.done = True
            self.sized.set()
            self.ended.set()
        self._touch_all(await asyncio.to_thread(scan, self.homes))
        self._warm()

    async def _take_in(self, stream: asyncio.StreamReader) -> None:
        batch: list[Delta] = []
        size_bytes = 0
        async for kind, payload in _frames(stream):
            if kind == DELTA:
                batch.append(codec.unpack(payload))
                size_bytes += len(payload)
                if size_bytes >= BATCH_BYTES_MAX:
                    await self._deliver(batch)
                    batch, size_bytes = [], 0
            elif kind == MARK:
                mark = msgspec.msgpack.decode(payload, type=Mark)
                self._keep(mark)
                self.progress.files += 1
                self.progress.bytes += mark.size
            elif kind == REDACTED:
                for name, found in msgspec.msgpack.decode(payload).items():
                    metrics.count_redacted(name, found)
            else:
                files, size = msgspec.msgpack.decode(payload)
                self.progress.files_total, self.progress.bytes_total = files, size
                self.sized.set()
        if batch:
            await self._deliver(batch)

    async def _deliver(self, deltas: Sequence[Delta]) -> None:
        """Send until it is on the log: an append that failed did nothing, and ids are kept."""
        while True:
            try:
                await self._send(deltas)
            except BusUnavailable as error:
                log.warning("the log does not take what the reader says: %s", error)
                await asyncio.sleep(SEND_RETRY_S)
            else:
                return

    def _keep(self, mark: Mark) -> None:
        known = self.marks.get(mark.path)
        self.marks[mark.path] = mark
        self._count_broken(mark.broken - (known.broken if known else 0))
        self._by_session.setdefault(mark.session, set()).add(mark.path)

    def _count_broken(self, more: int) -> None:
        """Lines that were passed over are counted where a person can see them."""
        if more > 0:
            self.progress.broken += more
            metrics.broken_lines.inc(more)

    def _warm(self) -> None:
        """Files that are probably live are parsed now, so that their next line is instant."""
        now = _now()
        for mark in self.marks.values():
            if now - mark.mtime_ns // 1_000_000 < WARM_MS:
                self._touch(mark.path)

    # Following.

    async def _watch(self, tasks: asyncio.TaskGroup) -> None:
        """Note every change below the homes; a home that is absent is waited for."""
        while True:
            folders = self._folders()
            if not folders:
                await asyncio.sleep(ABSENT_RETRY_S)
                continue
            if self.progress.done:  # else the first read looks at all of it when it ends
                tasks.create_task(self._look_into(folders))
            try:
                await self._watch_these(folders, tasks)
            except FileNotFoundError:  # gone between the look and the watch
                await asyncio.sleep(ABSENT_RETRY_S)

    def _folders(self) -> dict[str, tuple[int, int]]:
        """The folders of transcripts that are there, and which ones they are."""
        there: dict[str, tuple[int, int]] = {}
        for folder in (each for home in self.homes for each in home.folders()):
            with contextlib.suppress(OSError):
                told = folder.stat()
                if stat.S_ISDIR(told.st_mode):
                    there[str(folder)] = told.st_dev, told.st_ino
        return there

    async def _watch_these(
        self, folders: dict[str, tuple[int, int]], tasks: asyncio.TaskGroup
    ) -> None:
        """Until one of them is gone or another one, or one more is there."""
        async for changes in awatch(
            *folders, debounce=DEBOUNCE_MS, step=STEP_MS, rust_timeout=2_000,
            yield_on_timeout=True, recursive=True, ignore_permission_denied=True,
            watch_filter=None,
        ):  # fmt: skip
            for change, path in changes:
                if change != Change.deleted:
                    self._touch(path)
            added = [path for change, path in changes if change == Change.added]
            if fresh := [path for path in added if not path.endswith(SUFFIX)]:
                tasks.create_task(self._look_into(fresh))
            # A folder that is made again may well get the number of the one before.
            was_removed = any(c == Change.deleted and path in folders for c, path in changes)
            if was_removed or self._folders() != folders:
                return

    async def _look_into(self, folders: Iterable[str]) -> None:
        """What was written into a new folder before its watch began: no event tells of that."""
        for pause_s in (0.0, NEW_FOLDER_S):
            await asyncio.sleep(pause_s)
            self._touch_all(await asyncio.to_thread(self._below, list(folders)))

    def _below(self, folders: list[str]) -> list[Found]:
        return [each for home in self.homes for path in folders for each in below(home, Path(path))]

    async def _rescan(self) -> None:
        """A watch can lose events; what really is on disk decides once a minute."""
        while True:
            await asyncio.sleep(RESCAN_S)
            self._touch_all(await asyncio.to_thread(scan, self.homes))

    def _touch_all(self, found: list[Found]) -> None:
        for each in found:
            mark = self.marks.get(each.path)
            if mark is None or not is_unchanged(each, mark):
                self._touch(each.path)

    def _touch(self, path: str) -> None:
        if path.endswith(SUFFIX):
            self._changed[path] = None
            self._wake.set()

    async def _follow(self) -> None:
        """Read a slice of each changed file in turn: a huge one delays no other."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._read_changed()

    async def _read_changed(self) -> None:
        while self._changed:
            path = self._reading = next(iter(self._changed))
            del self._changed[path]
            if await self._read_safely(path):
                self._changed[path] = None
            await asyncio.sleep(0)
        self._reading = ""

    async def _read_safely(self, path: str) -> bool:
        try:
            return await self._read_slice(path)
        except Exception:
            # One file that the parser cannot digest must not stop its neighbours.
            log.exception("a transcript could not be read: %s", path)
            self._tails.pop(path, None)
            return False

    async def _read_slice(self, path: str) -> bool:
        tail = self._tail(path)
        if tail is None:
            return False
        now = _now()
        known = tail.mark.broken
        parts, more = tail.poll(now)
        self._count_broken(tail.mark.broken - known)
        if parts:
            await self._deliver(reports(parts, tail.mark, self.origin, now, more=more))
        return more

    def _tail(self, path: str) -> Tail | None:
        tail = self._tails.get(path)
        if tail is None:
            mark = self._mark_to_read(path)
            if mark is None:
                return None
            tail = self._tails[path] = Tail(mark, self.screen)
            if len(self._tails) > TAILS_MAX:
                self._tails.popitem(last=False)
        self._tails.move_to_end(path)
        return tail

    def _mark_to_read(self, path: str) -> Mark | None:
        """Where to begin, or None for what is no transcript and for what was forgotten."""
        mark = self.marks.get(path)
        if mark is not None and mark.offset:
            return mark
        found = self._find(path)
        if found is None or (mark is not None and is_unchanged(found, mark)):
            return None
        if mark is None:
            mark = new_mark(found)
            self._keep(mark)
        return mark

    def _find(self, path: str) -> Found | None:
        seen = (look(home, Path(path)) for home in self.homes)
        return next((found for found in seen if found is not None), None)

    # Marks, for the history.

    def stubs(self) -> list[Mark]:
        """Copies of the marks of files that tell no time, of which no report ever speaks."""
        marks = [mark for mark in self.marks.values() if mark.inode and mark.last_at is None]
        return [msgspec.structs.replace(mark) for mark in marks]

    def forget(self, session_id: str) -> list[Mark]:
        """Its history was deleted: nothing of it counts as reported; gives copies of its marks.

        A file of it that stays as it is stays closed; one that grows is told whole again.
        """
        paths = sorted(self._by_session.get(session_id, ()))
        for path in paths:
            self.marks[path].offset = 0
            self._tails.pop(path, None)
        return [msgspec.structs.replace(self.marks[path]) for path in paths]

    # Past sessions, read again when someone opens them.

    def has(self, session_id: str) -> bool:
        """Whether a file of this session has been reported."""
        return any(self.marks[path].offset for path in self._by_session.get(session_id, ()))

    async def restore(self, session_id: str) -> list[Delta]:
        """All reports of one session as far as they were sent, from its files."""
        paths = sorted(self._by_session.get(session_id, ()))
        deltas: list[Delta] = []
        for path in paths:
            mark = msgspec.structs.replace(self.marks[path], offset=0)
            tail, more = Tail(mark, self.screen), True
            while more:
                parts, more = tail.poll(_now())
                deltas += [report(part, mark, self.origin, _now()) for part in parts]
                await asyncio.sleep(0)
        return deltas


async def _frames(stream: asyncio.StreamReader) -> AsyncIterator[tuple[bytes, bytes]]:
    with contextlib.suppress(asyncio.IncompleteReadError):
        while True:
            kind, size = HEADER.unpack(await stream.readexactly(HEADER.size))
            yield kind, await stream.readexactly(size)


def _now() -> int:
    return time.time_ns() // 1_000_000
