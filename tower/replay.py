"""``tower replay``: recorded transcripts, line by line as if they happened now, under fresh ids.

Uses the reader's own parser and the route that readers use; the recordings are never changed.
"""

import contextlib
import heapq
import http.client
import secrets
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct, field

from ingest.adapters import jsontext
from ingest.adapters.claude_transcript import ClaudeTranscript
from ingest.adapters.jsontext import time_ms
from ingest.errors import InvalidPayload
from ingest.homes import SUBAGENTS, SUFFIX
from ingest.redact.screen import Screen
from ingest.tail import Origin, report
from session import codec
from session.delta import DEFAULT_WORKSPACE, MAIN_SOURCE, Delta
from session.mark import Mark

GAP_MAX_S = 3.0
TIMEOUT_S = 5.0
AWAY = frozenset({502, 503, 504})  # says a tower whose log is away, or the proxy before it
PATIENCE_S = 3.0
PATIENCE_KNOWN_S = 60.0  # with a tower that has answered before: it is restarted, or fails over
PAUSE_S, PAUSE_MAX_S = 0.1, 2.0


class Play(Struct, kw_only=True):
    """What to play, where to, and how fast."""

    paths: list[str]
    target: str
    token: str | None = None
    speed: float = 10.0
    sessions_max: int | None = None
    loop: bool = False
    json_output: bool = False
    screen: Screen = field(default_factory=Screen)


class ReplayError(Exception):
    """Nothing can be played; the text says why and what to do."""


class Recording(Struct):
    """One recorded session: its sources, as (source, file)."""

    files: list[tuple[str, Path]]


class Step(Struct):
    """One line to play, ``after_s`` behind the one before it."""

    after_s: float
    source: str
    line: dict[str, Any]


class Player:
    """One session on its way: the parsers of its sources under a fresh id."""

    def __init__(self, recording: Recording, play: Play) -> None:
        self.session = f"replay-{secrets.token_hex(8)}"
        self.steps = steps(recording, play.speed)
        self.lines = 0
        self._screen = play.screen
        self._parsers: dict[str, ClaudeTranscript] = {}
        self._suffix = secrets.token_hex(4)

    def speak(self, step: Step, now: int) -> list[Delta]:
        """The deltas that this line makes, as of now."""
        parser = self._parsers.get(step.source)
        if parser is None:
            parser = self._parsers[step.source] = ClaudeTranscript(self.session, step.source)
        with self._screen.reading():
            parts = parser.feed(self._renewed(step.line, now) + b"\n")
        if parser.pending():
            parts.append(parser.take())
        self.lines += 1
        mark = Mark(path="", session=self.session, source=step.source)
        origin = Origin(DEFAULT_WORKSPACE, None, None)
        told = (self._screen.clean_part(part) for part in parts)
        return [report(part, mark, origin, now) for part in told]

    def _renewed(self, line: dict[str, Any], now: int) -> bytes:
        """The line as if it were written now, by another session and other API calls."""
        line = dict(line)
        if "timestamp" in line:
            line["timestamp"] = datetime.fromtimestamp(now / 1000, UTC).isoformat()
        if "sessionId" in line:
            line["sessionId"] = self.session
        message = line.get("message")
        if isinstance(message, dict) and isinstance(message.get("id"), str):
            line["message"] = {**message, "id": f"{message['id']}-{self._suffix}"}
        return msgspec.json.encode(line)


def run(play: Play) -> int:
    """Play everything; gives the exit code."""
    try:
        recordings = find(play.paths)[: play.sessions_max]
        if not recordings:
            raise ReplayError(f"no transcripts ({SUFFIX}) below {', '.join(play.paths)}")
        with contextlib.closing(Sender(play.target, play.token)) as sender:
            while True:
                _play_all(recordings, play, sender)
                if not play.loop:
                    return 0
    except ReplayError as error:
        print(f"tower replay: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


def _play_all(recordings: list[Recording], play: Play, sender: "Sender") -> None:
    """All sessions side by side, each at its own pace."""
    began = time.monotonic()
    queue: list[tuple[float, int, Step, Player]] = []
    for number, recording in enumerate(recordings):
        _push(queue, began, number, Player(recording, play))
    if not play.json_output:
        print(f"Playing {len(recordings)} session(s) to {play.target}", file=sys.stderr)
    while queue:
        due, number, step, player = heapq.heappop(queue)
        time.sleep(max(0.0, due - time.monotonic()))
        now = time.time_ns() // 1_000_000
        sender.send(player.speak(step, now))
        if play.json_output:
            told = {"at": now, "session": player.session, "source": step.source}
            print(msgspec.json.encode({**told, "line": player.lines}).decode(), flush=True)
        _push(queue, due, number, player)


def _push(
    queue: list[tuple[float, int, Step, Player]], due: float, number: int, player: Player
) -> None:
    step = next(player.steps, None)
    if step is not None:
        heapq.heappush(queue, (due + step.after_s, number, step, player))


def find(paths: list[str]) -> list[Recording]:
    """The recorded sessions below these paths, subagents with their parents."""
    mains: list[Path] = []
    for each in map(Path, paths):
        if each.is_dir():
            found = sorted(p for p in each.rglob(f"*{SUFFIX}") if SUBAGENTS not in p.parts)
            mains += _longest(found) + _orphans(each)
        elif each.is_file():
            mains.append(each)
        else:
            raise ReplayError(f"{each}: no such file or folder")
    return [Recording([*_main(path), *_subagents(path)]) for path in mains]


def _main(path: Path) -> list[tuple[str, Path]]:
    return [(MAIN_SOURCE, path)] if path.is_file() else []


def _orphans(folder: Path) -> list[Path]:
    """Where the transcripts of parents would be that have left only their subagents'."""
    parents = (each.parent for each in sorted(folder.rglob(SUBAGENTS)))
    paths = (each.with_name(each.name + SUFFIX) for each in parents if SUBAGENTS not in each.parts)
    return [path for path in paths if not path.exists() and _subagents(path)]


def _longest(paths: list[Path]) -> list[Path]:
    """Without files that another one in the same folder goes on from: one session as it grew."""
    kept: list[Path] = []
    for path in sorted(paths, key=lambda each: each.stat().st_size, reverse=True):
        beside = [other for other in kept if other.parent == path.parent]
        if not any(_is_prefix(path, other) for other in beside):
            kept.append(path)
    return sorted(kept)


def _is_prefix(path: Path, other: Path) -> bool:
    with path.open("rb") as short, other.open("rb") as long:
        while chunk := short.read(1 << 16):
            if long.read(len(chunk)) != chunk:
                return False
    return True


def _subagents(main: Path) -> list[tuple[str, Path]]:
    folder = main.with_suffix("") / SUBAGENTS
    found = sorted(folder.rglob(f"*{SUFFIX}")) if folder.is_dir() else []
    return [(f"{SUBAGENTS}/{path.relative_to(folder).with_suffix('')}", path) for path in found]


def steps(recording: Recording, speed: float) -> Iterator[Step]:
    """Every line of a session in the order of its times, with the pauses to keep.

    Nobody waits through a night: a pause is at most three seconds.
    """
    streams = [_timed(source, path) for source, path in recording.files]
    last_at = 0
    for at, source, line in heapq.merge(*streams, key=lambda each: each[0]):
        gap_s = (at - last_at) / 1000 / speed if last_at and at > last_at else 0.0
        last_at = max(at, last_at)
        yield Step(min(gap_s, GAP_MAX_S), source, line)


def _timed(source: str, path: Path) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Lines with their times; one without a time belongs to the line before it."""
    at = 0
    with path.open("rb") as file:
        for raw in file:
            try:
                line = jsontext.decode_object(raw)
            except InvalidPayload:
                continue
            at = max(at, time_ms(line.get("timestamp")) or 0)
            yield at, source, line


class Sender:
    """Posts deltas over one connection that is kept open."""

    def __init__(self, target: str, token: str | None) -> None:
        self.target = target.rstrip("/")
        expected = f"--to {target}: expected a URL such as http://127.0.0.1:8787"
        try:
            parts = urlsplit(self.target)
            port = parts.port
        except ValueError as error:
            raise ReplayError(expected) from error
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ReplayError(expected)
        kind = (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )
        self._connection = kind(parts.hostname, port, timeout=TIMEOUT_S)
        self._is_known = False
        self._path = f"{parts.path}/v1/deltas"
        self._headers = {"Content-Type": "application/x-ndjson"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    def send(self, deltas: list[Delta]) -> None:
        """Post and wait until they are on the log; tries again when it is away for a while."""
        if not deltas:
            return
        body = codec.to_ndjson(deltas)
        patience_s = PATIENCE_KNOWN_S if self._is_known else PATIENCE_S
        gives_up_at, pause_s = time.monotonic() + patience_s, PAUSE_S
        while True:
            status, text = self._try(body)
            if status < 300:
                self._is_known = True
                return
            if status not in AWAY:
                raise ReplayError(f"{self.target} answers {status}: {text}")
            self._connection.close()
            if time.monotonic() >= gives_up_at:
                break
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, PAUSE_MAX_S)
        raise ReplayError(f"no tower answers at {self.target} ({text}); start one with `tower up`")

    def _try(self, body: bytes) -> tuple[int, str]:
        """The answer; one that does not come is as if the tower were away."""
        try:
            return self._post(body)
        except OSError as error:
            return 503, str(error)
        except http.client.HTTPException as error:
            return 503, type(error).__name__

    def _post(self, body: bytes) -> tuple[int, str]:
        self._connection.request("POST", self._path, body, self._headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read().decode("utf-8", "replace")[:300]
