"""What waits to be written to one client, in its order, and what is in flight.

Attention first, then answers, the active session, other sessions in turn, the overview, notices.
``send`` is not delivery: in flight is what was written and not acknowledged. Never unbounded:
whoever adds looks at ``is_open`` before. Pure; written to by the switchboard's rooms.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from hub.limits import Limits
from hub.live.wire import Frame, Tally

Late = Callable[[], Frame]

SMALL_BYTES = 1_024


def space_of(session_id: str) -> str:
    """The name of a session's cursor space: an agent chooses the id, and may call it overview."""
    return f"session:{session_id}"


def session_of(space: str) -> str:
    """The session whose cursor space has that name."""
    return space.removeprefix("session:")


class Missed(NamedTuple):
    """Where a client stood in a space when it was passed over there.

    ``number`` and ``cursor`` are of the frame it holds (None: it needs a snapshot), ``rows`` what
    it shows. ``wanted`` is the session's epoch and number below which it must not be taken back,
    until ``until_ms``. ``is_unknown``: nobody here traced what changed since. ``reason`` is for
    the metrics.
    """

    number: int | None = None
    cursor: str = ""
    rows: dict[str, None] | None = None
    wanted: tuple[str, int] = ("", 0)
    until_ms: int = 0
    is_unknown: bool = False
    reason: str = "slow"


class Bundle(NamedTuple):
    """Frames that belong together: nothing but attention comes between them.

    The last one gives ``cursor`` to ``space``; without a cursor it takes the space's away.
    """

    frames: Sequence[Frame | Late]
    space: str | None = None
    cursor: str | None = None


class Outbox:
    """Lanes of bundles; ``written`` holds the cursors of the frames that really went out.

    With ``write`` (a transport's) what waits is pushed by ``drain`` while ``writable``; without
    it somebody pops. ``clear`` says that a frame may be written at once, past all lanes.
    """

    __slots__ = (
        "_answers", "_attention", "_current", "_notices", "_overview", "_sessions", "_under_way",
        "attention_bytes", "attention_bytes_max", "clear", "deflates", "frames_acked",
        "in_flight_bytes", "in_flight_bytes_max", "leading", "missed", "queued_bytes",
        "queued_bytes_max", "sizes", "tally", "writable", "write", "written", "written_ms",
    )  # fmt: skip

    def __init__(self, limits: Limits) -> None:
        self.in_flight_bytes_max = limits.in_flight_bytes_max
        self.queued_bytes_max = limits.queued_bytes_max
        self.attention_bytes_max = limits.attention_bytes_max
        self.write: Callable[[bytes], None] | None = None
        self.deflates = False
        self.writable = True
        self.clear = False
        self.leading: str | None = None  # the space of the session that goes before others
        self.tally = Tally()
        self.missed: dict[str, Missed] = {}  # spaces in which the client was passed over
        self.queued_bytes = 0
        self.attention_bytes = 0
        self.in_flight_bytes = 0
        self.frames_acked = 0
        self.written_ms = 0  # when the last frame went out
        self.sizes: deque[int] = deque()
        self.written: dict[str, str] = {}
        self._attention: deque[Bundle] = deque()
        self._answers: deque[Bundle] = deque()
        self._sessions: dict[str, deque[Bundle]] = {}
        self._overview: deque[Bundle] = deque()
        self._notices: deque[Bundle] = deque()
        self._current: deque[Frame | Late] = deque()
        self._under_way: Bundle | None = None

    @property
    def frames_written(self) -> int:
        """``welcome`` being the first."""
        return self.frames_acked + len(self.sizes)

    # Room.

    @property
    def waits(self) -> bool:
        """Whether anything but attention waits."""
        return bool(
            self._current or self._answers or self._sessions or self._overview or self._notices
        )

    @property
    def is_open(self) -> bool:
        """Whether the client keeps up: neither its budget nor its queue is full."""
        queued = self.queued_bytes
        in_budget = queued + self.in_flight_bytes < self.in_flight_bytes_max
        return in_budget and queued < self.queued_bytes_max

    @property
    def is_stuck(self) -> bool:
        """Whether there is no room for more, or something waits for the transport."""
        return not self.is_open or (self.write is not None and self.waits)

    @property
    def attention_is_open(self) -> bool:
        """Whether the attention lane, which has room of its own, takes another frame."""
        return self.attention_bytes < self.attention_bytes_max

    def connect(self, write: Callable[[bytes], None], *, deflates: bool) -> None:
        """Write straight to a transport from now on."""
        self.write, self.deflates = write, deflates
        self._settle()

    def disconnect(self) -> None:
        """Write nothing any more."""
        self.write = None
        self.writable = self.clear = False

    def empty(self) -> None:
        """The client is gone: nothing of what waits will be told.

        A heartbeat that waits knows its client, which would keep both until a full collection.
        """
        for lane in (self._attention, self._answers, self._overview, self._notices, self._current):
            lane.clear()
        self._sessions.clear()
        self._under_way = None
        self.queued_bytes = self.attention_bytes = 0

    def hold(self) -> None:
        """The transport's buffer is full."""
        self.writable = self.clear = False

    def release(self) -> None:
        """The transport's buffer has room again."""
        self.writable = True
        self._settle()

    def _settle(self) -> None:
        self.clear = (
            self.write is not None
            and self.writable
            and self.in_flight_bytes < self.in_flight_bytes_max
            and not (self.missed or self._attention or self.waits)
        )

    # Adding.

    def put_attention(self, frames: Sequence[Frame], space: str | None, cursor: str | None) -> None:
        """Before everything else that waits, also between the parts of a snapshot."""
        self.clear = False
        for frame in frames[:-1]:
            self._attention.append(Bundle((frame,)))
        self._attention.append(Bundle(frames[-1:], space, cursor))
        self.attention_bytes += sum(map(len, frames))

    def put_answer(self, frame: Frame | Late, ended: str | None = None) -> None:
        """An answer of its own; ``ended`` is a space of which the client hears no more."""
        self._queue(self._answers, Bundle((frame,), ended))

    def put_session(self, space: str, frames: Sequence[Frame], cursor: str | None) -> None:
        """A session's patch or snapshot; without a cursor what leaves its cursor alone."""
        bundle = Bundle(frames, space if cursor is not None else None, cursor)
        self._queue(self._sessions.setdefault(space, deque()), bundle)

    def put_overview(self, frames: Sequence[Frame], space: str, cursor: str) -> None:
        """The overview's patch."""
        self._queue(self._overview, Bundle(frames, space, cursor))

    def put_rows(self, frames: Sequence[Frame], space: str, cursor: str) -> None:
        """The overview's snapshot: an answer, which replaces what waits of the overview."""
        for bundle in self._overview:
            self.queued_bytes -= _size(bundle)
        self._overview.clear()
        self._queue(self._answers, Bundle(frames, space, cursor))

    def put_notice(self, frame: Frame) -> None:
        """For people; last."""
        self._queue(self._notices, Bundle((frame,)))

    def _queue(self, lane: deque[Bundle], bundle: Bundle) -> None:
        self.clear = False
        lane.append(bundle)
        self.queued_bytes += _size(bundle)

    def drop(self, space: str) -> None:
        """Nothing more of a session: what waits is dropped, but for a snapshot under way."""
        for bundle in self._sessions.pop(space, ()):
            self.queued_bytes -= _size(bundle)

    def forget(self, space: str) -> None:
        """The client closed the space itself: no heartbeat speaks of it any more."""
        self.drop(space)
        self.written.pop(space, None)
        if self._under_way is not None and self._under_way.space == space:
            self._under_way = Bundle(())

    # Writing.

    def drain(self) -> None:
        """Push what waits to the transport, as long as it has room and is there."""
        write = self.write
        if write is None:
            return
        try:
            while self.writable and (frame := self.pop()) is not None:
                write(frame.wire(self.deflates))
        except RuntimeError:  # a transport may be closed some time before anybody is told
            self.disconnect()
        self._settle()

    def pop(self) -> Frame | None:
        """The next frame to write, or None; it counts as in flight from now on."""
        if self._attention:
            bundle = self._attention.popleft()
            frame = _encoded(bundle.frames[0])
            self.attention_bytes -= len(frame)
            self._gain(bundle)
        elif self.in_flight_bytes >= self.in_flight_bytes_max and not self._is_small_next():
            return None
        else:
            if not self._current and not self._begin():
                return None
            told = self._current.popleft()
            frame = _encoded(told)
            self.queued_bytes -= len(frame) if isinstance(told, Frame) else 0
            if not self._current and self._under_way is not None:
                self._gain(self._under_way)
        self._count(frame)
        return frame

    def _is_small_next(self) -> bool:
        """Whether a word comes next that even a client over its budget is told."""
        return not self._current and bool(self._answers) and _size(self._answers[0]) < SMALL_BYTES

    def _begin(self) -> bool:
        """Take the next bundle under way; False if there is none."""
        lane = self._next_lane()
        if lane is None:
            return False
        bundle = lane.popleft()
        self._current.extend(bundle.frames)
        self._under_way = bundle._replace(frames=())  # what is written needs no memory any more
        return True

    def _next_lane(self) -> deque[Bundle] | None:
        if self._answers:
            return self._answers
        if self._sessions:
            space = self.leading if self.leading in self._sessions else next(iter(self._sessions))
            lane = self._sessions.pop(space)
            if len(lane) > 1:
                self._sessions[space] = lane  # behind the others
            return lane
        return self._overview or self._notices or None

    def _gain(self, bundle: Bundle) -> None:
        if bundle.space is None:
            return
        if bundle.cursor is None:
            self.written.pop(bundle.space, None)
        else:
            self.written[bundle.space] = bundle.cursor

    def _count(self, frame: Frame) -> None:
        size_bytes = len(frame.wire(self.deflates)) if self.write is not None else len(frame)
        self.in_flight_bytes += size_bytes
        self.sizes.append(size_bytes)
        self.written_ms = self.tally.now_ms
        self.tally.count(frame, self.deflates, size_bytes)

    def ack(self, frames: int) -> None:
        """The client has processed this many frames, ``welcome`` being the first."""
        frames = min(frames, self.frames_written)
        while self.frames_acked < frames:
            self.frames_acked += 1
            self.in_flight_bytes -= self.sizes.popleft()
        self._settle()

    def last_cursor(self, space: str) -> str | None:
        """The session cursor that the client will hold once everything queued is written."""
        for bundle in reversed(self._sessions.get(space, ())):
            if bundle.cursor is not None:
                return bundle.cursor
        if self._current and self._under_way is not None and self._under_way.space == space:
            return self._under_way.cursor
        return self.written.get(space)


def _size(bundle: Bundle) -> int:
    return sum(len(frame) for frame in bundle.frames if isinstance(frame, Frame))


def _encoded(told: Frame | Late) -> Frame:
    return told if isinstance(told, Frame) else told()
