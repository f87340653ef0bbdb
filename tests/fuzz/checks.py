"""One check for each door by which bytes come in: what they are read into, and what holds of it.

Every check takes bytes and passes, or raises. The same functions serve Hypothesis, whose cases are
made by ``grammar``, and a coverage-guided run, which changes the bytes by itself.
"""

import contextlib
import random
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, cast

from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame, Opcode
from websockets.server import ServerProtocol

from bus.memory import MemoryBus
from hub.errors import Refused
from hub.inlet import Inlet
from hub.limits import Limits
from hub.live.client import Client
from hub.live.hello import Hello, parse_hello
from hub.live.requests import focus, opens
from hub.websocket import Connection
from ingest.adapters import claude_hooks, codex_hooks, native, otlp
from ingest.adapters.claude_transcript import ClaudeTranscript
from ingest.adapters.codex import CodexRollout
from ingest.adapters.transcript import Transcript
from ingest.app import read_deltas
from ingest.errors import InvalidPayload
from ingest.intake import Ingest
from ingest.limits import Limits as IngestLimits
from ingest.publish import Publisher
from session import checkpoint, codec
from session.delta import Delta, Event
from session.errors import InvalidCheckpoint, InvalidDelta
from tests.fuzz import facts
from tests.hub.made import Desk, event, permission, report, said
from tests.ingest.adapters import rollouts
from tests.ingest.adapters.rollouts import OWN
from tests.session.made import NOW, as_report, prompt

ORIGIN: dict[str, Any] = {"received_at": NOW, "workspace": "default", "host": "h", "user": "u"}
FRAME_BYTES_MAX = 64 * 1024

Normalize = Callable[..., Event]


# Agents.


def _hook(normalize: Normalize, body: bytes) -> None:
    """An event that can be sent and folded, or InvalidPayload."""
    try:
        told = normalize(body, delta_id="d", **ORIGIN)
    except InvalidPayload:
        return
    facts.folds([told])


def claude_hook(body: bytes) -> None:
    """``POST /v1/hooks/claude-code``."""
    _hook(claude_hooks.normalize, body)


def codex_hook(body: bytes) -> None:
    """``POST /v1/hooks/codex``."""
    _hook(codex_hooks.normalize, body)


BEFORE, BEHIND = "said before all that", "said behind all that"


def _transcript(fresh: Transcript, before: bytes, body: bytes, behind: bytes) -> None:
    """The lines before and behind are read as if nothing stood between; all of it is a session."""
    lines = body + b"\n" if body and not body.endswith(b"\n") else body
    parts = [*fresh.feed(before), *fresh.feed(lines), *fresh.feed(behind)]
    assert fresh.offset == len(before) + len(lines) + len(behind)
    assert fresh.broken <= lines.count(b"\n")
    if fresh.pending():
        parts.append(fresh.take(NOW * 2))
    said_ = [entry.text for part in parts for entry in part.entries if entry.kind == "prompt"]
    assert (said_.count(BEFORE), said_.count(BEHIND)) == (1, 1), "a good line is lost"
    facts.folds([as_report(part, "main") for part in parts])


def claude_transcript(body: bytes) -> None:
    """Lines of a transcript of Claude Code, between two that are good."""
    _transcript(ClaudeTranscript("s"), prompt(BEFORE), body, prompt(BEHIND, NOW + 9))


def codex_rollout(body: bytes) -> None:
    """Lines of a rollout of Codex, between two turns that are good."""
    first = rollouts.meta() + rollouts.event("user_message", message=BEFORE)
    last = rollouts.event("user_message", NOW + 9, message=BEHIND)
    _transcript(CodexRollout(OWN), first, body, last)


# What else is posted.


def native_events(body: bytes) -> None:
    """``POST /v1/events``."""
    try:
        told = native.normalize(body, **ORIGIN)
    except InvalidPayload:
        return
    for each in told:
        facts.folds([each])


def _telemetry(read: Callable[..., otlp.Told], body: bytes, encoding: str) -> None:
    try:
        told = read(body, encoding, **ORIGIN)
    except InvalidPayload:
        return
    for each in told.events:
        facts.folds([each])


def otlp_json(body: bytes) -> None:
    """``POST /v1/logs`` and ``POST /v1/metrics`` in JSON."""
    _telemetry(otlp.logs, body, otlp.JSON)
    _telemetry(otlp.metrics, body, otlp.JSON)


def otlp_protobuf(body: bytes) -> None:
    """The same in protobuf."""
    _telemetry(otlp.logs, body, otlp.PROTOBUF)
    _telemetry(otlp.metrics, body, otlp.PROTOBUF)


INGEST = Ingest(Publisher(MemoryBus(), IngestLimits()), IngestLimits(), ("host", "user"))
SCOPE: dict[str, Any] = {"headers": []}


def taken(body: bytes) -> list[Delta]:
    """The deltas that the door lets in, none where it refuses."""
    try:
        return read_deltas(body, INGEST, SCOPE)
    except InvalidPayload as error:
        reason = str(error)
    assert reason.startswith("line "), "a refusal names its line"
    return []


def deltas(body: bytes) -> None:
    """``POST /v1/deltas``: each line is refused by its number, or does no harm to the board.

    All of one batch are taken or none: the lines are asked for one by one as well.
    """
    whole = taken(body)
    apart = [delta for line in body.split(b"\n") for delta in taken(line)]
    assert not whole or len(whole) == len(apart)
    for delta in apart:
        facts.can_be_sent(delta)
    if apart:
        facts.leave_the_board_whole(apart)
    by_key: dict[tuple[str, str], list[Delta]] = {}
    for delta in apart:
        by_key.setdefault(delta.key, []).append(delta)
    for each in by_key.values():
        facts.folds(each)


# Bytes of our own, damaged.


def packed_delta(body: bytes) -> None:
    """An entry of the log: a delta that is packed as it was, or InvalidDelta."""
    try:
        told = codec.unpack(body)
    except InvalidDelta:
        return
    packed = codec.pack(told)
    assert codec.pack(codec.unpack(packed)) == packed


def saved_sessions(body: bytes) -> None:
    """A checkpoint: sessions that are packed as they were, or InvalidCheckpoint."""
    try:
        told = checkpoint.unpack(body)
    except InvalidCheckpoint:
        return
    packed = checkpoint.pack(told)
    assert checkpoint.pack(checkpoint.unpack(packed)) == packed


# Clients.


def _frames(body: bytes) -> Iterator[dict[str, Any]]:
    """A client's frames, a line each, as a connection reads them; those that end it are left out.

    It is asked of the connection's own method, which needs nothing but the limits.
    """
    shell = SimpleNamespace(hub=SimpleNamespace(limits=Limits()))
    for line in body.split(b"\n"):
        with contextlib.suppress(Refused):
            yield Connection._parse(cast("Connection", shell), line)


def _hello(told: Any, limits: Limits) -> tuple[Hello | None, int]:
    """What it asks for, or None and the code that it is refused by."""
    try:
        return parse_hello(told, limits), 0
    except Refused as refused:
        return None, refused.close_code


def client_frames(body: bytes) -> None:
    """A hello, and requests: refused, or answered by frames of the protocol's size and form."""
    frames = _frames(body)
    hello, refusal = _hello(next(frames, None), Limits())
    if hello is None:
        assert refusal in (4500, 4502, 4503)
        return
    desk = Desk()
    desk.say(event("prompt", "a", text="hello", hash="1"), permission("n"))
    desk.say(report("a", to=9, entries=said(9)))
    good = desk.connect("good")
    good.open("a")
    outbox: list[bytes] = []
    client = Client("odd", "default", desk.board.limits, lambda: None)
    client.outbox.connect(lambda data: outbox.append(bytes(data)), deflates=False)
    desk.board.attach(client, hello, desk.now)
    for frame in frames:
        opens(frame)
        focus(desk.board, client, frame, desk.now)
        assert len(client.subscriptions) <= desk.board.limits.subscriptions_max
        desk.say(event("tool_start", "a", tool="Bash", call=f"c{len(outbox)}", summary="x"))
        desk.advance(100)
    for data in outbox:
        assert len(data) <= FRAME_BYTES_MAX + 10
    desk.board.detach(client)
    good.check()


# The socket.


class _Heard:
    """A parser of WebSocket frames as the server has it, and the texts that came whole."""

    def __init__(self, *, deflates: bool) -> None:
        self.texts: list[bytes] = []
        self._deflates = deflates
        extensions = [PerMessageDeflate(True, True, 15, 15, {})] if deflates else []
        self.protocol = ServerProtocol(max_size=FRAME_BYTES_MAX)
        self.protocol.extensions = list(extensions)
        self.protocol.state = self.protocol.state.OPEN
        self.protocol.parser = super(ServerProtocol, self.protocol).parse()
        next(self.protocol.parser)
        self._under_way: list[bytes] | None = None

    @property
    def is_over(self) -> bool:
        """Whether it has failed, or was told goodbye."""
        return self.protocol.parser_exc is not None or self.protocol.close_expected()

    def hear(self, data: bytes) -> None:
        """What goes to the parser."""
        if self.is_over:
            return
        self.protocol.receive_data(data)
        for told in self.protocol.events_received():
            self._note(cast("Frame", told))

    def _note(self, frame: Frame) -> None:
        if frame.opcode in (Opcode.TEXT, Opcode.BINARY):
            self._under_way = [] if frame.opcode is Opcode.TEXT else None
        elif frame.opcode is not Opcode.CONT:
            return
        if self._under_way is not None:
            self._under_way.append(bytes(frame.data))
            if frame.fin:
                self.texts.append(b"".join(self._under_way))


def socket_bytes(body: bytes) -> None:
    """A stream of frames, cut anywhere: the inlet takes nothing that the parser would not give.

    The first byte says how it is cut, and whether messages may be deflated.
    """
    if not body:
        return
    deflates, cutter = bool(body[0] & 1), random.Random(body[0])
    stream = body[1:]
    alone, behind, inlet = _Heard(deflates=deflates), _Heard(deflates=deflates), Inlet()
    at = 0
    while at < len(stream) and not behind.is_over:
        size = cutter.choice((1, 2, 7, 60, 5_000))
        if cutter.random() < 0.5:
            size = _frame_size(stream[at:]) or size
        piece = stream[at : at + size]
        at += size
        alone.hear(piece)
        text = inlet.take(piece, deflates=deflates)
        if text is None:
            behind.hear(piece)
        else:
            behind.texts.append(text)
    assert behind.texts == alone.texts
    assert behind.is_over == alone.is_over


def _frame_size(data: bytes) -> int:
    """How long the frame is that begins here, if it is a small one."""
    if len(data) < 2 or data[1] & 0x7F > 125:
        return 0
    return 2 + (data[1] & 0x7F) + (4 if data[1] & 0x80 else 0)
