"""One partition as the recorder folds it: its sessions, and what of them is not written yet.

Pure but for the packing of a state. What it gives to be written is told once: whoever takes a
step writes it, or begins anew. Called by the recorder.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence

from bus.base import Delivery
from bus.position import parse
from history import metrics
from history.change import Change, Key, Position, Step
from history.first_board import PAST_MAX
from history.rows import (
    Row,
    clean,
    event_row,
    is_key,
    session_of,
    state_row,
    summary_row,
    tool_row,
    usage_row,
)
from history.texts import documents_of, searched, spaced
from session import checkpoint
from session.changes import Changes
from session.checkpoint import Saved
from session.delta import Delta, Event, Report
from session.errors import InvalidCheckpoint
from session.fold import fold, makes_session, new_session
from session.mark import Mark
from session.state import Session
from session.timeline import TimelineEntry
from session.usage import family_of, usage_of

log = logging.getLogger(__name__)


class Book:
    """One session, and what of it is new since the last step."""

    def __init__(self, session: Session, row: Row | None = None) -> None:
        self.session = session
        session.timeline.is_bounded = False  # one delta may bring more than a ring holds
        self.pk: int | None = row["session_pk"] if row else None
        self.documents: int = row["documents"] if row else 0
        self.started_at: int | None = row["started_at"] if row else None
        self.title, self.usage_family = session.title, session.usage_family
        self.gone_pk: int | None = None  # what was deleted under this key and is still written
        self.is_deleted = False
        self.forget()

    def forget(self) -> None:
        """What was new is in a step, or is not wanted."""
        self.entries: list[TimelineEntry] = []
        self.texts: dict[str, str] = {}
        self.usage: dict[str, Row] = {}
        self.tools: dict[str, None] = {}
        self.marks: dict[str, Mark] = {}
        self.retold: set[str] = set()

    def note(self, delta: Delta, changes: Changes) -> None:
        """What one delta brought."""
        wanted = changes.keys.get("timeline", ())
        if wanted:
            first = min(map(int, wanted))
            newest = [each for each in self.session.timeline.entries if each.seq >= first]
            fresh = [entry for entry in newest if entry.seq in wanted]
            self.entries += fresh
            self._keep_texts(delta, fresh)
        self.tools.update(dict.fromkeys(sorted(map(str, changes.keys.get("tools", ())))))
        for usage in usage_of(delta):
            self.usage[usage.message_id] = usage_row(usage, delta.source, family_of(delta))
        self.keep_mark(delta)

    def keep_mark(self, delta: Delta) -> None:
        """How far a file is told, also where another one had told the same before."""
        if isinstance(delta, Report) and delta.mark is not None:
            self.marks[delta.mark.path] = delta.mark

    def _keep_texts(self, delta: Delta, fresh: Iterable[TimelineEntry]) -> None:
        """Whole texts of entries that a timeline cuts."""
        cut = [entry.id for entry in fresh if entry.full_bytes is not None]
        if isinstance(delta, Report):
            self.texts.update({each: delta.texts[each] for each in cut if each in delta.texts})
        elif isinstance(delta, Event) and isinstance(told := delta.fields.get("full_text"), str):
            self.texts.update(dict.fromkeys(cut, told))

    def successor(self, delta: Delta) -> "Book":
        """The session goes on after it was deleted: it is another one under the same key."""
        book = Book(new_session(delta))
        book.gone_pk = self.gone_pk
        return book

    def begin_anew(self, source: str) -> None:
        """A source became another one: what it said before counts no more."""
        self.retold.add(source)
        kept = {key: row for key, row in self.usage.items() if row["source"] != source}
        self.usage = kept


class Ledger:
    """Sessions of one partition by key; ``position`` is how far they are folded."""

    def __init__(self, partition: int, position: Position) -> None:
        self.partition = partition
        self.position = position
        self._written = position
        # In their order: a place of an earlier one lies behind all places of a later one.
        self._epochs = [each for each in (position.numbering, position.epoch) if each]
        self._books: dict[Key, Book] = {}
        self._changed: dict[Key, None] = {}
        self._taken: dict[Key, Book] = {}
        self._acks: list[str] = []
        self._acking = 0
        self._rows = 0
        self._spoken_of: set[Key] = set()  # by what is about to be taken in

    @property
    def sessions(self) -> Iterator[Session]:
        """Every session at hand: all that live, and the latest past ones."""
        return (book.session for book in self._books.values() if not book.is_deleted)

    @property
    def waiting(self) -> int:
        """How many deltas wait to be written and acknowledged."""
        return len(self._acks) + self._acking

    def has_taken(self, place: str) -> bool:
        """Whether what stands at a place of the log is folded."""
        return self._is_behind(self.position, place)

    def has_written(self, place: str) -> bool:
        """Whether what stands at a place of the log is in the database."""
        return self._is_behind(self._written, place)

    def misses(self, places: Sequence[str]) -> bool:
        """Whether places, in their order, do not follow on what is folded: others lie between."""
        here = parse(self.position.place).ordinal
        for place in places:
            if self.has_taken(place):
                continue
            there = parse(place).ordinal
            if there > here + 1:
                return True
            here = there
        return False

    def adopt(self, rows: Iterable[Row]) -> None:
        """Take sessions over as they were written; one that cannot be read begins anew."""
        for row in rows:
            key = (row["workspace"], row["id"])
            if key in self._books:
                continue
            try:
                session = session_of(row, self.position.numbering)
            except InvalidCheckpoint as error:
                log.warning("the state of session %s cannot be read: %s", key, error)
                session = Session(id=key[1], workspace=key[0])
            self._books[key] = Book(session, row)

    def unknown(self, deliveries: Sequence[Delivery]) -> list[Key]:
        """Sessions that are spoken of and not at hand. Those that are stay until it asks again."""
        self._spoken_of = {each.delta.key for each in deliveries}
        keys = dict.fromkeys(each.delta.key for each in deliveries)
        return [key for key in keys if key not in self._books and is_key(key)]

    # Folding.

    def take_in(self, delivery: Delivery) -> None:
        """Fold one delta of the log, unless it is recorded already."""
        self._acks.append(delivery.position)
        if self._move_on(delivery.position):
            try:
                self._fold(delivery.delta)
            except Exception:
                log.exception("a delta of kind %r could not be folded", delivery.delta.kind)

    def _move_on(self, place: str) -> bool:
        """Go on to a place of the log; False for one that was passed already.

        Places of another epoch that do not go on where this one ended are of a log that lost
        its end, or is a new one: there the sessions' numbers begin anew.
        """
        if self.has_taken(place):
            return False
        here, there = parse(self.position.place), parse(place)
        numbering = self.position.numbering
        if here.epoch and there.ordinal != here.ordinal + 1:
            if there.epoch == here.epoch:
                self._tell_lost(there.ordinal - here.ordinal - 1)
            else:
                numbering = there.epoch
                self.begin_count(numbering)
        if there.epoch != here.epoch:
            self._epochs.append(there.epoch)
        self.position = Position(there.epoch, place, numbering or there.epoch)
        return True

    def begin_count(self, numbering: str) -> None:
        """The log is another one than before: there the sessions' numbers begin anew."""
        self.position = self.position._replace(numbering=numbering)
        self._epochs = [each for each in self._epochs if each != numbering]  # none came before it
        for book in self._books.values():
            book.session.number = book.session.cursor_number = 0

    def _is_behind(self, position: Position, place: str) -> bool:
        """Whether a place of the log was passed when it was folded up to a position."""
        here, there = parse(position.place), parse(place)
        if there.epoch == here.epoch:
            return there.ordinal <= here.ordinal
        before = self._epochs[: self._epochs.index(here.epoch)] if here.epoch else []
        return there.epoch in before

    def _tell_lost(self, count: int) -> None:
        metrics.lost_total.inc(count)
        log.warning(
            "partition %d: %d entries were gone before they were recorded", self.partition, count
        )

    def _fold(self, delta: Delta) -> None:
        book = self._books.get(delta.key)
        if (book is None or book.is_deleted) and not makes_session(delta):
            return
        if not is_key(delta.key):
            return  # a name that no column holds
        if book is None:
            book = self._books[delta.key] = Book(new_session(delta))
        elif book.is_deleted:
            book = self._books[delta.key] = book.successor(delta)
        known = book.session.transcripts.get(delta.source)
        version = None if known is None else (known.generation, known.to)
        changes = fold(book.session, delta)
        if changes.deleted:
            book.gone_pk, book.pk, book.is_deleted = book.pk or book.gone_pk, None, True
            marks = book.marks
            book.forget()
            book.marks = marks  # its files are known, or they would be read again
        if isinstance(delta, Report) and version is not None:
            if (delta.generation, delta.to) <= version:
                book.keep_mark(delta)
                self._changed[delta.key] = None
                return  # told before, by this file or by a copy of it
            if delta.generation > version[0]:
                book.begin_anew(delta.source)
        if changes or isinstance(delta, Report):
            book.note(delta, changes)
            self._changed[delta.key] = None
            self._rows += 1 + len(changes.keys.get("timeline", ()))

    # Giving what is to be written.

    @property
    def rows_waiting(self) -> int:
        """About how many rows the next step has."""
        return self._rows

    def changes(self) -> Iterator[Change]:
        """What is new, session by session; nothing may be folded before all are told."""
        for key in self._changed:
            change = self._change(key)
            if change is not None:
                yield change

    def take(self, changes: list[Change] | None = None) -> tuple[Step, list[str]]:
        """A step of all that is new, and the places to acknowledge once it is written.

        Not called again before ``note_written``.
        """
        changes = list(self.changes()) if changes is None else changes
        self._rows = 0
        step = Step(self.partition, self._written, self.position, changes)
        self._taken = {change.key: self._books[change.key] for change in changes}
        acks, self._acks, self._changed = self._acks, [], {}
        self._acking = len(acks)
        return step, acks

    def note_acked(self, count: int) -> None:
        """So many of the step's places are acknowledged."""
        self._acking -= count

    def note_written(self, step: Step) -> None:
        """Sessions have keys by now; what nobody shows is let go."""
        self._written = step.after
        for change in step.changes:
            book, written = self._books.get(change.key), self._taken.pop(change.key)
            if change.is_deleted:
                if book is written and change.key not in self._changed:
                    del self._books[change.key]
            elif book is written and not book.is_deleted:
                book.pk = change.pk
                book.session.timeline.empty(book.session.cursor_number)
            elif book is not None:
                book.gone_pk = change.pk  # deleted while it was written
        self._let_go()

    def _let_go(self) -> None:
        """Past sessions beyond those that a board shows, the longest silent first."""
        past = [key for key, book in self._books.items() if book.session.past]
        loose = sorted(
            (key for key in past if key not in self._changed and key not in self._spoken_of),
            key=lambda key: self._books[key].session.updated_at or 0,
        )
        for key in loose[: max(0, len(past) - PAST_MAX)]:
            del self._books[key]

    def packed(self) -> bytes:
        """The sessions at hand as a checkpoint; one that cannot be packed is left out."""
        saved = [Saved(session, self.position.epoch) for session in self.sessions]
        try:
            return checkpoint.pack(saved)
        except InvalidCheckpoint as error:
            log.warning("partition %d: %s", self.partition, error)
        return checkpoint.pack(each for each in saved if _is_packable(each))

    def _change(self, key: Key) -> Change | None:
        book = self._books[key]
        session = book.session
        texts = [searched(entry, book.texts.get(entry.id)) for entry in book.entries]
        if session.title and (session.title != book.title or book.pk is None):
            texts.insert(0, spaced(session.title))
        documents = documents_of(clean(text) for text in texts if text)
        try:
            state = state_row(session, self.position.numbering, book.documents + len(documents))
        except InvalidCheckpoint as error:
            log.warning("session %s cannot be written: %s", key, error)
            return None
        change = Change(
            key=key, pk=book.pk, summary=summary_row(session), state=state,
            events=[event_row(entry) for entry in book.entries],
            texts=[clean({"entry_id": each, "text": text}) for each, text in book.texts.items()],
            usage=list(book.usage.values()), documents=documents, retold=book.retold,
            tools=[tool_row(each, session.tools[each]) for each in book.tools
                   if each in session.tools],
            gone_tools=[clean(each) for each in book.tools if each not in session.tools],
            marks=list(book.marks.values()),
            is_moved=book.pk is not None and session.started_at != book.started_at,
            is_recounted=session.usage_family != book.usage_family,
            gone_pk=book.gone_pk, is_deleted=book.is_deleted,
        )  # fmt: skip
        book.gone_pk = None
        book.documents += len(documents)
        book.title, book.started_at = session.title, session.started_at
        book.usage_family = session.usage_family
        book.forget()
        return change


def _is_packable(saved: Saved) -> bool:
    try:
        checkpoint.pack([saved])
    except InvalidCheckpoint:
        return False
    return True
