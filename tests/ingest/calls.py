"""Calls to an ASGI application without a server, and a log that can be away."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from starlette.applications import Starlette
from starlette.types import ASGIApp, Message

from bus.base import Receipt
from bus.errors import BusUnavailable
from bus.memory import MemoryBus
from hub.auth import Door
from hub.gate import Gate
from ingest import app as ingest_app
from ingest import metrics
from ingest.limits import Limits
from ingest.publish import Publisher
from session.delta import Delta

TOKEN = "owner-token"
MACHINE = ("box", "ada")


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes


class StuckBus(MemoryBus):
    """A log that keeps what it is given, refuses, or never answers, as it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[Delta] = []
        self.refuses = False
        self.open_gate = asyncio.Event()
        self.open_gate.set()

    async def append(self, deltas: Sequence[Delta]) -> list[Receipt]:
        """Wait for the gate, then take all or nothing."""
        await self.open_gate.wait()
        if self.refuses:
            raise BusUnavailable("it is away")
        receipts = await super().append(deltas)
        self.taken += deltas
        return receipts


class Bench:
    """The ingest's routes behind the gate, over a log of the test's own."""

    def __init__(self, limits: Limits | None = None, *, on_loopback: bool = True) -> None:
        self.bus = StuckBus()
        limits = limits or Limits()
        self.publisher = Publisher(self.bus, limits)
        app = Starlette(routes=ingest_app.routes)
        self.ingest = app.state.ingest = ingest_app.Ingest(self.publisher, limits, MACHINE)
        self.door = Door(token=TOKEN, key=b"k", port=8787, on_loopback=on_loopback)
        self.app = Gate(app, self.door)

    async def hook(self, body: bytes, **headers: str) -> Answer:
        """Post a hook payload."""
        return await call(self.app, "POST", "/v1/hooks/claude-code", body, headers)

    async def post(self, path: str, body: bytes, **headers: str) -> Answer:
        """Post a body to any route."""
        return await call(self.app, "POST", path, body, headers)

    async def deltas(self, body: bytes, **headers: str) -> Answer:
        """Post deltas."""
        return await call(self.app, "POST", "/v1/deltas", body, headers)


async def call(
    app: ASGIApp, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None,
    *, chunk: int = 64 * 1024,
) -> Answer:  # fmt: skip
    """One request from head to answer, its body in chunks as a server gives it."""
    told = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
    named = {"host": "127.0.0.1:8787", **told}
    pieces = [body[at : at + chunk] for at in range(0, len(body), chunk)] or [b""]
    messages: list[Message] = [
        {"type": "http.request", "body": piece, "more_body": at < len(pieces) - 1}
        for at, piece in enumerate(pieces)
    ]
    sent: list[Message] = []
    scope: dict[str, Any] = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(),
        "query_string": b"", "scheme": "http", "root_path": "", "http_version": "1.1",
        "headers": [(k.encode(), v.encode("utf-8")) for k, v in named.items()],
        "client": ("127.0.0.1", 50_000), "server": ("127.0.0.1", 8787),
    }  # fmt: skip

    async def receive() -> Message:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start, *rest = sent
    back = {name.decode().lower(): value.decode() for name, value in start["headers"]}
    return Answer(start["status"], back, b"".join(each.get("body", b"") for each in rest))


def counted(source: str, outcome: str) -> float:
    """How many events became that."""
    value = metrics.registry.get_sample_value(
        "tower_ingest_events_total", {"source": source, "outcome": outcome}
    )
    return value or 0.0


def refusal(answer: Answer, status: int) -> str:
    """The reason of a problem."""
    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"
    told = json.loads(answer.body)
    assert told["status"] == status
    return str(told["detail"])
