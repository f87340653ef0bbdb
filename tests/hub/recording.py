"""A run in which a real hub says everything that needs no fault, recorded from its sockets."""

import asyncio
import json
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection

from session.delta import Entry
from tests.hub.made import NOW, bucket, event, permission, report, said, tokens, tool_end
from tests.hub.servers import Live, Served, closed, served

Json = dict[str, Any]

MINUTE = NOW - NOW % 60_000
BOARD: Json = {
    "heartbeat_ms": 100, "frame_bytes_max": 4_096, "totals_interval_ms": 1,
    "resync_interval_ms": 60_000,
}  # fmt: skip
IMPATIENT: Json = {"in_flight_bytes_max": 8_192, "behind_degrade_ms": 50, "behind_abort_ms": 150}
BAD_REQUEST = {"type": "resync", "scope": "everything"}


class Recording:
    """Every frame of a run, both ways, and what a client held at its end."""

    def __init__(self) -> None:
        self.sent: list[Json] = []
        self.received: list[Json] = []
        self.details: list[Json] = []
        self.rows: list[Json] = []

    def of_type(self, kind: str) -> list[Json]:
        """The frames of that type from the hub."""
        return [frame for frame in self.received if frame["type"] == kind]


def record() -> Recording:
    """Run it; to be called outside any loop."""
    made = Recording()
    send, recv = ClientConnection.send, ClientConnection.recv

    async def recorded_send(self: ClientConnection, text: Any, *more: Any) -> None:
        made.sent.append(json.loads(text))
        await send(self, text, *more)

    async def recorded_recv(self: ClientConnection, *more: Any) -> Any:
        text = await recv(self, *more)
        made.received.append(json.loads(text))
        return text

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ClientConnection, "send", recorded_send)
        patch.setattr(ClientConnection, "recv", recorded_recv)
        asyncio.run(run(made))
    return made


async def run(made: Recording) -> None:
    """A board with everything on it, a client that never acknowledges, one that is refused."""
    async with served(**BOARD) as hub:
        await hub.log(*beginning())
        async with hub.client(subscriptions=2, rate_hz=1000, client="t/1", view={}) as live:
            await open_sessions(hub, live)
            await watch_the_board(hub, live)
            await ask_too_much(live)
            await live.until(lambda: live.reference.heartbeats)
            made.details += [each.detail for each in live.reference.opened.values() if each.detail]
            made.rows += live.reference.rows.values()
            held = live.reference.opened["a"].cursor
            await come_back(hub, live, held)
    async with served(**IMPATIENT) as hub:
        await hub.log(*beginning())
        await read_without_a_word(hub)
        async with hub.socket() as opened:
            await opened.send(json.dumps({"type": "subscribe", "session": "a"}))
            await closed(opened)  # no hello


def beginning() -> list[Any]:
    """One session with all that there is to tell, and some that wait for a person."""
    told = tokens(5)
    calls = told["opus"]
    copied = {name: calls[name] for name in ("input", "output", "cache_read", "cache_write")}
    return [
        report(
            "a", to=100, calls=told, tools={"Bash": {"calls": 2, "errors": 1, "total_ms": 5}},
            buckets={str(MINUTE): bucket(3)}, titles={"custom": "Shop"}, model="opus",
            objectives={
                key: {"text": "x", "status": "pending", "at": NOW} for key in ("one", "two")
            },
            branch="main", cwd="/home/ada/shop", started_at=NOW, messages=2, context_tokens=5,
            inherited={"tokens": copied, "cost_usd": 0.1},
            agents={"s1": {"type": "Explore", "status": "running"}},
            entries=[*said(40, text="x" * 300), broke(60)],
        ),
        report("a", source="subagents/agent-s1", calls=tokens(1),
               subagent={"type": "Explore", "parent": None, "status": "running"}),
        event("prompt", "a", text="go"), permission("b"), event("stop_failure", "c", text="no"),
        event("elicitation", "d", elicitation_id="1", summary="which?"),
        event("prompt", "e"), event("session_end", "e", reason="other", at=NOW + 1),
    ]  # fmt: skip


def broke(offset: int) -> Entry:
    """An error in the timeline."""
    return Entry(id=f"broke{offset}", kind="error", at=NOW, offset=offset, text="no", tool="Bash")


async def open_sessions(hub: Served, live: Live) -> None:
    """A snapshot in parts, a patch of everything, an eviction."""
    await live.send("subscribe", session="a", activate=True)
    await live.until(lambda: not live.reference.opened["a"].stale)
    await hub.log(
        report("a", from_=100, to=200, calls=tokens(9), messages=3,
               buckets={str(MINUTE + 60_000): bucket(1)},
               tools={"Read": {"calls": 1, "errors": 0, "total_ms": 1}},
               objectives={"one": {"text": "x", "status": "completed", "at": NOW}, "two": None},
               entries=[*said(1, first=150), broke(160)]),
        event("subagent_stop", "a", agent_id="s1", at=NOW + 2),
    )  # fmt: skip
    await live.until(lambda: len(live.reference.opened["a"].detail["errors_list"]) == 2)
    await live.send("subscribe", session="b")
    await live.send("subscribe", session="c", activate=False)
    await live.until(lambda: live.reference.evictions["b"])
    await live.until(lambda: not live.reference.opened["c"].stale)


async def watch_the_board(hub: Served, live: Live) -> None:
    """Items that open and close, another view, rows that leave it, another rate."""
    before = len(live.reference.items)
    await hub.log(permission("f"))
    await live.until(lambda: len(live.reference.items) == before + 1)
    await live.send(
        "view", status=["waiting"], project=None, q="", archived=False, sort="updated", limit=10,
        pinned=["a"],
    )  # fmt: skip
    await live.until(lambda: set(live.reference.rows) == {"b", "d", "f", "a"})
    await hub.log(tool_end("f", at=NOW + 3))
    await live.until(lambda: "f" not in live.reference.rows)
    await live.until(lambda: len(live.reference.items) == before)
    await live.send("rate", hz=200)


async def ask_too_much(live: Live) -> None:
    """Requests that are refused, and those that are answered shortly or not at all."""
    for scope in ("overview", "attention", "overview"):
        await live.send("resync", scope=scope, reason="gap")
    await live.send("resync", scope="session", session="a", reason="gap")
    await live.opened.send(json.dumps(BAD_REQUEST))
    await live.send("subscribe", session="nobody")
    live.reference.closing("nobody")
    await live.until(lambda: len(live.reference.errors) == 3)
    await live.send("pong", id="h1")
    await live.send("unsubscribe", session="c")
    await live.send("activate", session=None)
    await live.send("ping", id=7)
    await live.until(lambda: live.reference.frames[-1].get("id") == 7)


async def come_back(hub: Served, live: Live, held: str | None) -> None:
    """A second connection resumes, then the hub drains."""
    resume = [{"session": "a", "cursor": held}, {"session": "gone", "cursor": "m:1"}]
    async with hub.client(resume=resume, active="a") as again:
        await again.until(lambda: again.reference.errors)
        draining = asyncio.create_task(hub.hub.drain())
        for each in (live, again):
            await closed(each.opened)
        await draining


async def read_without_a_word(hub: Served) -> None:
    """A client that never acknowledges is behind, then degraded, then let go."""
    async with hub.socket() as opened:
        await opened.send(json.dumps({"type": "hello", "protocol": 1}))
        await opened.send(json.dumps({"type": "subscribe", "session": "a"}))
        ending = asyncio.create_task(closed(opened))
        for turn in range(1, 21):
            entries = said(1, first=100 + turn, text="x" * 1_500, prefix="more")
            await hub.log(report("a", from_=99 + turn, to=100 + turn, entries=entries))
        await ending
