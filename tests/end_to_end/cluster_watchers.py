"""Who watches in a proof run: reference clients that record what they apply, and stalled ones.

A watcher reconnects to the other hub when its own is gone, and resumes what it held. Recordings
are written as JSON lines, and judged afterwards by ``cluster_check``.
"""

import asyncio
import contextlib
import json
import random
import socket
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from locustfiles.reference_client import ReferenceClient, Violation

Json = dict[str, Any]

ACK_S = 0.2
ACK_BYTES = 64 * 1024
OPENED = 4
SWITCH_S = 3.0
BACK_S = (0.2, 2.0)  # full jitter between these, as all come back at once
OPEN_S = 10.0
REST_S = 1.5
IDLE = {"heartbeat", "notice", "pong"}  # they change nothing
SILENT_S = 25.0  # without any frame for so long: reconnect
RECORDED = {"session.patch", "session.snapshot", "session.evicted", "session.stale"}


class Watcher:
    """One client: opens sessions, looks at one of them, changes its mind now and then."""

    def __init__(self, name: str, hubs: list[str], token: str, hello: Json, seed: int) -> None:
        self.name = name
        self.hubs = list(hubs)
        self.recording: list[Json] = []
        self.violation: str | None = None
        self.frames = self.received_bytes = 0
        self.reference = ReferenceClient()
        self.socket: ClientConnection | None = None
        self._headers = {"Authorization": f"Bearer {token}"}
        self._hello = {"type": "hello", "protocol": 1, "client": name, **hello}
        self._chance = random.Random(seed)
        self._sessions: list[str] = []
        self._order: list[str] = []
        self._again: dict[str, float] = {}  # to be opened once more, and when
        self._unacked_bytes = 0
        self._seen = 0
        self._heard_s = self._changed_s = 0.0
        self._stopping = False

    def watch(self, sessions: list[str]) -> None:
        """What it may open."""
        self._sessions = sessions

    async def run(self) -> None:
        """Until it is stopped; a violation of the protocol ends it."""
        while not self._stopping:
            try:
                await self._connected()
            except (ConnectionClosed, InvalidHandshake, OSError) as error:
                self._note("lost", why=repr(error)[:80])
                self._changed_s = time.monotonic()
                self.hubs.append(self.hubs.pop(0))
                await asyncio.sleep(self._chance.uniform(*BACK_S))
            except (Violation, KeyError) as error:
                self.violation = repr(error)[:500]
                self._note("violation", why=self.violation)
                return

    async def _connected(self) -> None:
        async with connect(
            f"ws://{self.hubs[0]}/ws", proxy=None, compression=None, ping_interval=None,
            additional_headers=self._headers, max_size=None, open_timeout=OPEN_S, close_timeout=1,
        ) as self.socket:  # fmt: skip
            await self._greet()
            tasks = [asyncio.create_task(self._read(self.socket))]
            tasks += [
                asyncio.create_task(each()) for each in (self._ack, self._focus, self._listen)
            ]
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for each in tasks:
                    each.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
            for each in done:
                each.result()

    async def _greet(self) -> None:
        """Resume what is held, as an earlier connection left it."""
        assert self.socket is not None
        held = {name: each for name, each in self.reference.opened.items() if not each.evicted}
        self.reference = ReferenceClient()
        self.reference.frames = deque(maxlen=2)  # type: ignore[assignment]
        self._seen = self._unacked_bytes = 0
        self._again.clear()
        self._heard_s = self._changed_s = time.monotonic()
        self._order = [name for name in self._order if name in held]
        resume = []
        for name in self._order:
            held[name].cursor = None if held[name].stale else held[name].cursor
            self.reference.resuming(name, held[name])
            resume.append({"session": name, "cursor": held[name].cursor or ""})
        self._note("connect", hub=self.hubs[0], resume=resume)
        more = {"active": self._order[-1]} if self._order else {}
        await self.socket.send(json.dumps({**self._hello, "resume": resume, **more}))

    async def _read(self, opened: ClientConnection) -> None:
        async for text in opened:
            data = text.encode() if isinstance(text, str) else text
            frame = self.reference.feed(data)
            self._heard_s = time.monotonic()
            self._seen += 1
            self.frames += 1
            self.received_bytes += len(data)
            self._unacked_bytes += len(data)
            self._record(frame)
            if frame["type"] == "error" and "session" in frame:
                self._refused(frame["session"], frame.get("retry_ms"))
            if self._unacked_bytes > ACK_BYTES:
                await self._send_ack()
        raise ConnectionClosed(None, None)

    def _record(self, frame: Json) -> None:
        kind = frame["type"]
        if kind not in IDLE:
            self._changed_s = time.monotonic()
        if kind in RECORDED:
            kept = {"session", "from", "cursor", "part", "parts", "reason"} & frame.keys()
            self._note(kind, **{name: frame[name] for name in kept})
        elif kind == "overview.snapshot" and frame["part"] == frame["parts"]:
            self._note(kind)
        elif kind == "overview.patch":
            told = [row["updated_at"] for row in frame["set"] if row.get("updated_at")]
            if told:
                self._note(kind, age_ms=round(time.time() * 1000) - max(told))
        elif kind == "attention":
            self._note(kind, full=frame["full"], opened=[each["id"] for each in frame["open"]])
        elif kind in ("error", "notice", "bye"):
            more = {"session": frame["session"]} if "session" in frame else {}
            self._note(kind, code=frame["code"], **more)

    def _refused(self, session: str, retry_ms: int | None) -> None:
        """What cannot be read now is asked for again; what is not there is not held."""
        if retry_ms is not None:
            self._again[session] = time.monotonic() + retry_ms / 1000
        elif session in self._order:
            self._order.remove(session)
            self.reference.closing(session)

    async def _listen(self) -> None:
        """Nothing at all for so long, not even a heartbeat, is a connection that is gone."""
        while (rest_s := self._heard_s + SILENT_S - time.monotonic()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(rest_s)
        raise TimeoutError("nothing was heard")

    async def _ack(self) -> None:
        """Acknowledge, and ask again for what could not be read."""
        acked = 0
        while True:
            await asyncio.sleep(ACK_S)
            if self._seen != acked:
                acked = self._seen
                await self._send_ack()
            await self._ask_again()

    async def _ask_again(self) -> None:
        now_s = time.monotonic()
        for session in [each for each, due_s in self._again.items() if due_s <= now_s]:
            del self._again[session]
            if session in self._order:
                await self._open(session)

    async def _send_ack(self) -> None:
        assert self.socket is not None
        self._unacked_bytes = 0
        await self.socket.send(json.dumps({"type": "ack", "frames": self._seen}))

    async def _focus(self) -> None:
        """Open some sessions, then another one every now and then."""
        while True:
            while len(self._order) < OPENED:
                await self._open(self._chance.choice(self._sessions))
            await asyncio.sleep(self._chance.uniform(0.5, 1.5) * SWITCH_S)
            if not self._stopping:
                await self._open(self._chance.choice(self._sessions))

    async def _open(self, session: str) -> None:
        assert self.socket is not None
        self._order = [name for name in self._order if name != session] + [session]
        self._order = self._order[-OPENED:]
        self.reference.opening(session)
        self._note("subscribe", session=session)
        told = {"type": "subscribe", "session": session, "activate": True}
        await self.socket.send(json.dumps(told))

    def settle(self) -> None:
        """Change nothing any more: the run is over, and what is on the way may come."""
        self._stopping = True

    @property
    def is_at_rest(self) -> bool:
        """Nothing comes any more, and nothing is waited for; a violation is the end as well."""
        opened = self.reference.opened.values()
        is_whole = all(not each.stale or each.evicted for each in opened)
        is_quiet = time.monotonic() - self._changed_s > REST_S
        return self.violation is not None or (
            bool(self.reference.overview) and is_whole and is_quiet
        )

    def keep_items(self) -> None:
        """Record which items are open at this moment."""
        self._note("items", items=sorted(self.reference.items))

    def _note(self, kind: str, **more: Any) -> None:
        self.recording.append({"t": time.time(), "kind": kind, **more})

    def save(self, folder: Path) -> None:
        """The recording, and at its end everything that is held."""
        opened = {
            name: {
                "cursor": each.cursor, "stale": each.stale, "evicted": each.evicted,
                "detail": each.detail,
                "timeline": [each.timeline[seq] for seq in sorted(each.timeline)],
            }
            for name, each in self.reference.opened.items()
        }  # fmt: skip
        self._note(
            "state", view=self._hello.get("view", {}), rows=self.reference.rows,
            items=self.reference.items, opened=opened, violation=self.violation,
            frames=self.frames, bytes=self.received_bytes,
        )  # fmt: skip
        lines = [json.dumps(each) for each in self.recording]
        (folder / f"{self.name}.jsonl").write_text("\n".join(lines))


@contextlib.contextmanager
def stalled(address: str, token: str, sessions: list[str]) -> Iterator[socket.socket]:
    """A client that says hello, opens sessions, and never reads again."""
    host, _, port = address.partition(":")
    with socket.socket() as made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        made.connect((host, int(port)))
        made.sendall(
            f"GET /ws HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            f"Authorization: Bearer {token}\r\n\r\n".encode()
        )
        assert made.recv(12) == b"HTTP/1.1 101"
        made.sendall(masked({"type": "hello", "protocol": 1}))
        for session in sessions:
            made.sendall(masked({"type": "subscribe", "session": session}))
        yield made


def masked(told: Json) -> bytes:
    """A client's frame, masked by zeros."""
    data = json.dumps(told).encode()
    assert len(data) < 126
    return bytes([0x81, 0x80 | len(data), 0, 0, 0, 0]) + data
