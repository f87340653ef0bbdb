"""A viewer on a socket that plays what it is told: it resumes, answers, and repairs nothing."""

import importlib
import json
import struct
import sys
from collections import deque
from pathlib import Path
from typing import Any

import pytest
import websocket

LOCUSTFILES = Path(__file__).resolve().parents[2] / "locustfiles"
HELLO = {"rate_hz": 60, "subscriptions": 4}
WELCOME = {"type": "welcome", "protocol": 1}
SNAPSHOT = {
    "type": "session.snapshot", "session": "s", "cursor": "e:7", "part": 1, "parts": 1,
    "detail": {"title": "a"}, "timeline": [], "live": True,
}  # fmt: skip
EVICTED = {"type": "session.evicted", "session": "s", "reason": "cap"}


class Socket:
    """Gives frames in their order; keeps what was sent."""

    def __init__(self) -> None:
        self.frames: deque[tuple[int, bytes]] = deque()
        self.sent: list[dict[str, Any]] = []

    def play(self, *frames: dict[str, Any]) -> None:
        """What the hub says next."""
        self.frames += [(1, json.dumps(frame).encode()) for frame in frames]

    def recv_data(self) -> tuple[int, bytes]:
        """The next frame; silence where there is none."""
        if not self.frames:
            raise websocket.WebSocketTimeoutException
        return self.frames.popleft()

    def send(self, text: str) -> None:
        """What the client says."""
        self.sent.append(json.loads(text))


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The file as locust finds it, by its own folder."""
    monkeypatch.syspath_prepend(LOCUSTFILES)
    made = importlib.import_module("viewer")
    for name in ("viewer", "reference_client"):
        monkeypatch.delitem(sys.modules, name)
    return made


@pytest.fixture
def line(module: Any, monkeypatch: pytest.MonkeyPatch) -> Socket:
    """The socket that every connection gets."""
    made = Socket()
    monkeypatch.setattr(websocket, "create_connection", lambda *_, **__: made)
    return made


def connected(module: Any, line: Socket, *frames: dict[str, Any]) -> Any:
    """A viewer that has opened a session and read what the hub then said."""
    viewer = module.Viewer("ws://somewhere/ws", {}, HELLO)
    viewer.connect()
    viewer.open("s", 4)
    line.play(WELCOME, *frames)
    for _ in range(1 + len(frames)):
        viewer.read()
    return viewer


def test_a_new_connection_resumes_what_was_held(module: Any, line: Socket) -> None:
    """By the cursor of the last frame that was applied, and looking at the same session."""
    viewer = connected(module, line, SNAPSHOT)
    viewer.connect()
    assert line.sent[-1]["resume"] == [{"session": "s", "cursor": "e:7"}]
    assert line.sent[-1]["active"] == "s"


def test_an_evicted_session_is_not_resumed(module: Any, line: Socket) -> None:
    """It is not open any more, and its cursor is forgotten."""
    viewer = connected(module, line, SNAPSHOT, EVICTED)
    viewer.connect()
    assert line.sent[-1]["resume"] == []


def test_a_gap_is_told_and_not_repaired(module: Any, line: Socket) -> None:
    """No resync is sent, for it would hide the loss."""
    viewer = connected(module, line, SNAPSHOT)
    line.play({"type": "session.patch", "session": "s", "from": "e:8", "cursor": "e:9"})
    with pytest.raises(module.Violation, match="a gap: e:7 is held"):
        viewer.read()
    assert [told["type"] for told in line.sent] == ["hello", "subscribe"]


def test_silence_is_told(module: Any, line: Socket) -> None:
    """A hub sends a heartbeat every ten seconds."""
    viewer = connected(module, line)
    with pytest.raises(module.Violation, match="nothing was heard"):
        viewer.read()


def test_frames_are_acknowledged_once(module: Any, line: Socket) -> None:
    """With how many were read, and only when there are new ones."""
    viewer = connected(module, line, SNAPSHOT)
    viewer.acknowledge()
    viewer.acknowledge()
    assert [told for told in line.sent if told["type"] == "ack"] == [{"type": "ack", "frames": 2}]


def test_a_heartbeat_is_answered(module: Any, line: Socket) -> None:
    """By its id."""
    beat = {"type": "heartbeat", "id": "h1", "overview": None, "attention": None, "sessions": {}}
    connected(module, line, beat)
    assert line.sent[-1] == {"type": "pong", "id": "h1"}


@pytest.mark.parametrize(("code", "is_final"), [(4000, False), (4501, True), (1009, True)])
def test_a_close_code_says_whether_to_come_back(
    module: Any, line: Socket, code: int, is_final: bool
) -> None:
    """As the table of codes has it."""
    viewer = connected(module, line)
    line.frames.append((websocket.ABNF.OPCODE_CLOSE, struct.pack("!H", code)))
    with pytest.raises(module.Lost) as lost:
        viewer.read()
    assert (lost.value.code, lost.value.is_final) == (code, is_final)
