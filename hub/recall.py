"""What history keeps of sessions that speak again or are opened: asked for beside the log.

Nothing on the log waits for a database, and no question of any session. A session that is new here
or was let go waits for a moment, alone; what it then says is folded at once, and once more on what
is kept. Called by the worker.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from itertools import islice

from msgspec import Struct

from bus.errors import BusError
from history.errors import HistoryError
from hub.kept import Kept
from hub.live import handover
from hub.live.cache import Cache, Held, Key, kept_at
from hub.live.handover import Owns
from hub.live.switchboard import Switchboard
from session import checkpoint
from session.checkpoint import Saved
from session.delta import Delta
from session.errors import InvalidCheckpoint
from session.fold import fold, new_session
from session.state import Session

log = logging.getLogger(__name__)

UNREAD_S = 5.0
BATCH = 500

Apply = Callable[[Delta, str], None]


class Aside(Struct, eq=False):
    """A session of which nobody knows yet what is kept, and what it said since.

    ``branch`` makes its cursors this worker's own while it is folded without what is kept.
    """

    branch: str
    alone: Session  # what it has said since, and nothing else
    is_folded: bool = False
    deltas: list[Delta] = []
    former: int = 0  # the first of them were told before the log lost its end
    is_full: bool = False  # said more than is kept here: it is read once history has come so far


class Recall:
    """The sessions of a board that history is asked of. ``run`` asks; all else is one step.

    ``apply`` folds a delta under an epoch, ``epoch_of`` tells a session's, and ``changed`` is
    called after a step that changed the board by itself.
    """

    def __init__(
        self,
        board: Switchboard,
        kept: Kept,
        apply: Apply,
        epoch_of: Callable[[Key], str],
        changed: Callable[[], None],
        now_ms: Callable[[], int],
    ) -> None:
        self._board = board
        self._kept = kept
        self._apply = apply
        self._epoch_of = epoch_of
        self._changed = changed
        self._now_ms = now_ms
        self._asides: dict[Key, Aside] = {}
        self._called = asyncio.Event()
        self._shown: dict[Key, asyncio.Task[None]] = {}  # sessions that somebody waits for
        self._unread: dict[Key, None] = {}  # sessions that go on without what was kept of them
        # So much of what was told before the log came to that epoch is not folded again.
        self._former: dict[Key, tuple[int, str]] = {}

    async def run(self) -> None:
        """Ask what is to be asked, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._read_asides())
            tasks.create_task(self._read_unread())

    # What comes from the log.

    def take(self, delta: Delta, epoch: str, *, is_former: bool = False) -> None:
        """Fold a delta, or keep it for a moment where only history knows what it goes on from.

        ``is_former``: it was told before the log lost its end, and history may have recorded it.
        """
        if delta.key in self._former and self._is_covered(delta, epoch, is_former):
            return
        aside = self._asides.get(delta.key)
        if aside is None and self._board.cache.lacks(delta):
            aside = self._put_aside(delta)
        if aside is None:
            self._apply(delta, epoch)
            return
        if len(aside.deltas) < self._board.limits.aside_deltas_max:
            aside.deltas.append(delta)
            aside.former += is_former
        else:
            self._go_on(delta.key, aside)
            aside.is_full = True
        if aside.is_folded:
            self._apply(delta, f"{epoch}.{aside.branch}")
        elif _asks(aside.alone, delta):
            self._go_on(delta.key, aside)

    def _is_covered(self, delta: Delta, epoch: str, is_former: bool) -> bool:
        number, present = self._former[delta.key]
        if epoch == present and not is_former:
            del self._former[delta.key]
            return False
        return delta.number <= number

    def _put_aside(self, delta: Delta) -> Aside | None:
        """Ask history of the session; None where there is nothing to be asked, or too much is."""
        key = delta.key
        if self._is_unheard_of(key):
            return None
        if len(self._asides) >= self._board.limits.asides_max:
            self._unread[key] = None
            return None
        self._board.restored += 1
        branch = f"{self._board.worker}.{self._board.restored}"
        aside = self._asides[key] = Aside(branch, new_session(delta))
        self._called.set()
        patience_s = self._board.limits.aside_ms / 1000
        asyncio.get_running_loop().call_later(patience_s, self._wait_no_more, key, aside)
        return aside

    def _is_unheard_of(self, key: Key) -> bool:
        """Whether nothing can be kept of a session: all that is came by here, and it did not."""
        cache = self._board.cache
        return self._kept.begins_empty and cache.remembers_all and not cache.knows(key)

    def _wait_no_more(self, key: Key, aside: Aside) -> None:
        if self._asides.get(key) is aside and not aside.is_folded:
            self._go_on(key, aside)
            self._changed()

    def _go_on(self, key: Key, aside: Aside) -> None:
        """Fold what waits, whatever is kept."""
        if not aside.is_folded:
            aside.is_folded = True
            for delta in aside.deltas:
                self._apply(delta, f"{self._epoch_of(key)}.{aside.branch}")

    def waiting(self) -> list[Key]:
        """Sessions that have said what is not folded yet."""
        return [key for key, aside in self._asides.items() if not aside.is_folded]

    def is_waiting(self, key: Key) -> bool:
        """Whether it is one of these."""
        aside = self._asides.get(key)
        return aside is not None and not aside.is_folded

    def forget(self, owns: Owns) -> None:
        """The log lost entries, and is read anew: what these said may never have been."""
        for told in (self._asides, self._former):
            for key in [key for key in told if owns(key)]:
                del told[key]

    # What comes from history.

    async def _read_asides(self) -> None:
        while True:
            await self._called.wait()
            self._called.clear()
            while self._asides:
                keys = list(islice(self._asides, BATCH))
                known = await self._known(keys)
                for key in keys:
                    if (aside := self._asides.get(key)) is not None:
                        await self._read(key, aside, key in known)

    async def _known(self, keys: Sequence[Key]) -> set[Key]:
        """Those of which anything may be kept; all of them where nobody can tell."""
        with contextlib.suppress(HistoryError, BusError):
            return set(await self._kept.numbers(keys))
        return set(keys)

    async def _read(self, key: Key, aside: Aside, is_known: bool) -> None:
        session, was_read, is_shown = None, True, False
        while is_known:
            is_shown = aside.is_folded  # then somebody may have opened it
            session, was_read = await self._restore(key, with_timeline=is_shown)
            if is_shown or not aside.is_folded:
                break
        is_uncounted = session is not None and not session.number
        former, present = await self._former_of(key) if is_uncounted else (0, "")
        if self._asides.get(key) is not aside:
            return  # the log is read anew
        del self._asides[key]
        if former:
            self._former[key] = former, present
            is_behind = self._epoch_of(key) != present  # the log's loss was not heard of yet
            count = len(aside.deltas) if is_behind else aside.former
            told = enumerate(aside.deltas)
            aside.deltas = [d for n, d in told if n >= count or d.number > former]
        if not was_read or aside.is_full:
            self._unread[key] = None
            session = None
        if not aside.is_folded:
            self._bring_in(key, aside, session, is_shown)
        elif session is None:
            self._settle(key)
        else:
            self._put_right(key, aside, Held(session, self._epoch_of(key), has_ring=is_shown))
        self._changed()

    async def _former_of(self, key: Key) -> tuple[int, str]:
        with contextlib.suppress(HistoryError, BusError):
            return await self._kept.former(key)
        return 0, ""

    def _bring_in(self, key: Key, aside: Aside, session: Session | None, is_shown: bool) -> None:
        """What waited is folded on what is kept."""
        epoch = self._epoch_of(key)
        if session is not None:
            handover.restore(self._board, session, epoch, self._now_ms(), has_ring=is_shown)
        for delta in aside.deltas:
            self._apply(delta, epoch)

    def _settle(self, key: Key) -> None:
        """Nothing is kept: what was folded is true, and its cursors are everybody's."""
        held = self._board.cache.get(key)
        if held is not None:
            held.epoch = self._epoch_of(key)
            self._board.rooms.renew(held, "gap")
            self._board.deliver()

    def _put_right(self, key: Key, aside: Aside, held: Held) -> None:
        """What was folded on nothing is folded once more, on what is kept."""
        anew = Cache(self._board.limits)
        anew.put(held)
        for delta in aside.deltas:
            with contextlib.suppress(Exception):  # it was told when it was folded first
                if anew.apply(delta, held.epoch, 0).deleted:
                    anew.drop(key)
                    self._board.cache.note_deleted(key, delta.number)
        before, after = self._board.cache.get(key), anew.get(key)
        if before is not None and after is not None and _is_same(before.session, after.session):
            self._settle(key)
        else:
            self._replace(key, list(anew.held.values()))

    def _replace(self, key: Key, anew: list[Held]) -> None:
        handover.replace(self._board, {key}.__contains__, anew, "gap", self._now_ms())

    async def _restore(self, key: Key, *, with_timeline: bool) -> tuple[Session | None, bool]:
        """What is kept of a session, and whether that could be told.

        What was kept before the session was let go is not enough: the rest is on its way.
        """
        cache = self._board.cache
        try:
            session = await self._kept.restore(*key, with_timeline=with_timeline)
        except (HistoryError, BusError) as error:
            log.warning("a session could not be restored: %s", error)
            session, is_whole = None, False
        except Exception:
            # What is kept must not stop the log, whatever it is.
            log.exception("a session could not be restored")
            session, is_whole = None, False
        else:
            if session is not None and cache.is_deleted(session):
                session = None
            is_whole = session is None or cache.is_whole(session)
        if not is_whole:
            cache.note_unread(key)
        return (session, True) if is_whole else (None, False)

    async def _read_unread(self) -> None:
        """Sessions that spoke while nobody could tell what is kept of them, tried again."""
        while True:
            await asyncio.sleep(UNREAD_S)
            for key in list(self._unread):
                held = self._board.cache.get(key)
                session, was_read = await self._restore(key, with_timeline=False)
                if held is None or (was_read and session is None):
                    del self._unread[key]
                elif session is not None and session.number >= kept_at(held.session):
                    del self._unread[key]
                    if not _is_same(held.session, session):
                        self._replace(key, [Held(session, held.epoch, has_ring=False)])
                        self._changed()
            await self._complete()

    async def _complete(self) -> None:
        """Give those that are open their timelines back: what was folded aside has none."""
        for key in self._board.rooms.watched():
            held = self._board.cache.get(key)
            if held is not None and not held.has_ring:
                session, _ = await self._restore(key, with_timeline=True)
                if session is not None:
                    handover.restore(self._board, session, self._epoch_of(key), self._now_ms())
                    self._changed()

    # What is opened.

    async def bring_back(self, keys: Sequence[Key]) -> None:
        """Restore sessions that were let go, those that there are, to be shown.

        None of them is let go while another one is read. The caller goes on in the same step.
        """
        with contextlib.ExitStack() as stack:
            for key in keys:
                stack.enter_context(self._board.cache.keeping(key))
            await asyncio.gather(*(self._show_once(key) for key in keys))

    async def _show_once(self, key: Key) -> None:
        """One read for all who wait for the same session: after a start everybody does.

        Who is gone meanwhile does not end it for the others.
        """
        if self._is_unheard_of(key):
            return
        if key not in self._shown:
            self._shown[key] = asyncio.create_task(self._show(key))
            self._shown[key].add_done_callback(lambda _: self._shown.pop(key))
        await asyncio.shield(self._shown[key])

    async def _show(self, key: Key) -> None:
        session, _ = await self._restore(key, with_timeline=True)
        if session is not None:
            handover.restore(self._board, session, self._epoch_of(key), self._now_ms())
        elif (aside := self._asides.get(key)) is not None:
            self._go_on(key, aside)  # it is there, by what it has said itself


def _asks(alone: Session, delta: Delta) -> bool:
    """Whether somebody waits for a person by now."""
    with contextlib.suppress(Exception):  # it is told when it is folded
        fold(alone, delta)
    return bool(alone.items)


def _is_same(one: Session, other: Session) -> bool:
    """Whether two hold the same in all but their series."""
    with contextlib.suppress(InvalidCheckpoint):
        return checkpoint.pack([Saved(one, "")]) == checkpoint.pack([Saved(other, "")])
    return False
