"""No secret that an agent told stands anywhere: log, tables, frames, pages, exports, logs.

Every kind is planted in every place of every source, and everything that comes out is searched.
"""

import asyncio
import contextlib
import http.client
import json
import sqlite3
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest
from redis import Redis

from ingest.app import routes
from tests.bus.conftest import Server, running
from tests.end_to_end import planting
from tests.end_to_end.running import Client, client, started
from tests.ingest.adapters.rollouts import uuid7
from tests.ingest.redact.planted import Maker
from tests.tower.processes import BEARER, TOKEN, RoleProcess, role, until

PLANTED = Maker(7).all()
KINDS = {planted.kind for planted in PLANTED}
EDGE = 12  # so many characters of a secret's beginning, or its end, are too many
SESSIONS = ("by-claude-code", "by-codex", "native", "otlp", "deltas")
TEXT_ROUTES = {
    "/v1/hooks/claude-code", "/v1/hooks/codex", "/v1/events", "/v1/logs", "/v1/deltas",
}  # fmt: skip
EXPORTS = ("csv", "json", "html")
REDACTED = "tower_ingest_redacted_total"


def found_in(data: Iterable[bytes | str]) -> set[str]:
    """Which secrets, or ends of them, stand there."""
    whole = b"\n".join(each.encode() if isinstance(each, str) else each for each in data)
    return {
        planted.name
        for planted in PLANTED
        if planted.secret[:EDGE].encode() in whole or planted.secret[-EDGE:].encode() in whole
    }


def kinds_in(data: Iterable[bytes | str]) -> set[str]:
    """Which kinds are told there."""
    whole = b"\n".join(each.encode() if isinstance(each, str) else each for each in data)
    return {kind for kind in KINDS if f"[redacted:{kind}]".encode() in whole}


def opened(value: Any) -> Iterator[bytes]:
    """A value as bytes, and unpacked where it is packed."""
    data = value if isinstance(value, bytes) else str(value).encode()
    yield data
    for start in range(8):
        with contextlib.suppress(zlib.error):
            yield zlib.decompress(data[start:])


def redis_contents(url: str) -> list[bytes]:
    """Every key with everything that stands under it."""
    told: list[bytes] = []
    with Redis.from_url(url, protocol=2) as redis:
        read = {
            b"string": redis.get,
            b"hash": redis.hgetall,
            b"stream": lambda key: [told for _, told in redis.xrange(key)],
            b"set": redis.smembers,
            b"zset": lambda key: redis.zrange(key, 0, -1),
            b"list": lambda key: redis.lrange(key, 0, -1),
        }
        for key in redis.scan_iter():
            told.append(key)
            for value in _leaves(read[redis.type(key)](key)):
                told += opened(value)
    return told


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield key
            yield from _leaves(each)
    elif isinstance(value, list | set | tuple):
        for each in value:
            yield from _leaves(each)
    else:
        yield value


def sqlite_contents(path: Path) -> list[bytes]:
    """Every row of every table."""
    told: list[bytes] = []
    with contextlib.closing(sqlite3.connect(path)) as database:
        tables = database.execute("select name from sqlite_master where type = 'table'")
        for (table,) in tables.fetchall():
            for row in database.execute(f'select * from "{table}"'):  # noqa: S608 - its own names
                for value in row:
                    told += opened(value)
    return told


Get = Callable[[str], tuple[int, dict[str, str], bytes]]


def answers(get: Get) -> list[bytes]:
    """Everything that the API says of every session, and what it exports."""
    ask = partial(texts_of, get)
    told = [ask("/api/sessions?limit=100"), ask("/api/live"), ask("/api/attention")]
    told += [ask(f"/api/attention/{quote(each['id'])}") for each in json.loads(told[-1])["open"]]
    for session in [each["id"] for each in json.loads(told[0])["sessions"]]:
        told += [ask(f"/api/sessions/{session}"), ask(f"/api/live/{session}")]
        told.append(page := ask(f"/api/sessions/{session}/timeline?limit=200"))
        for entry in json.loads(page)["timeline"]:
            if entry.get("full_bytes"):
                told.append(ask(f"/api/sessions/{session}/entries/{quote(entry['id'])}"))
    return told + [ask(f"/api/export?format={each}") for each in EXPORTS]


def texts_of(get: Get, path: str) -> bytes:
    """What a path answers, whatever it is."""
    status, _, body = get(path)
    assert status == 200, (path, status, body)
    return body


def as_bytes(peer: Client) -> list[bytes]:
    """All that a client was told."""
    return [json.dumps(peer.frames).encode()]


async def watched(peer: Client) -> None:
    """Read all that a client is told, for ever; it is kept in its frames."""
    while True:
        await peer.next("nothing has this type", within_s=600)


def last_words(sessions: Iterable[str]) -> dict[str, bytes]:
    """A hook for each session, behind all others."""
    return {
        f"the last word of {session}": json.dumps(
            {
                "session_id": session, "hook_event_name": "UserPromptSubmit",
                "prompt": f"the last word of {session}",
            }
        ).encode()
        for session in sessions
    }  # fmt: skip


def plant(ingest: RoleProcess) -> None:
    """Post everything by every route that takes texts."""
    now = time.time_ns() // 1_000_000
    bodies: list[tuple[str, bytes]] = []
    for agent, some in (("codex", PLANTED[::3]), ("claude-code", PLANTED)):
        told = planting.as_bodies(planting.hooks(f"by-{agent}", some), f"by-{agent}")
        bodies += [(f"/v1/hooks/{agent}", each) for each in told]
    events = list(planting.native(PLANTED))
    bodies += [
        ("/v1/events", json.dumps(events[at : at + 200]).encode())
        for at in range(0, len(events), 200)
    ]
    bodies.append(("/v1/logs", json.dumps(planting.telemetry(PLANTED)).encode()))
    bodies += [("/v1/deltas", each) for each in planting.deltas(PLANTED, now)]
    with contextlib.closing(http.client.HTTPConnection(ingest.address, timeout=60)) as connection:
        for path, body in bodies:
            connection.request("POST", path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            told = answer.read()
            assert answer.status == 200, (path, answer.status, told)
    assert {path for path, _ in bodies} == TEXT_ROUTES


def close(ingest: RoleProcess, words: dict[str, bytes]) -> None:
    """Say the last words."""
    for body in words.values():
        assert ingest.ask("/v1/hooks/claude-code", "POST", body)[0] == 200


def have_all(contents: Callable[[], list[bytes]], words: Iterable[str]) -> Callable[[], bool]:
    """Whether all these words have arrived there."""
    return lambda: all(word.encode() in b"\n".join(contents()) for word in words)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A Redis of the test's own."""
    (tmp_path / "redis").mkdir()
    yield from running(Server(tmp_path / "redis"))


def test_every_route_that_takes_texts_is_planted() -> None:
    """A new one comes with secrets of its own; figures and signs of life have no texts."""
    paths = {str(route.path) for route in routes}  # type: ignore[attr-defined]
    assert paths == TEXT_ROUTES | {"/v1/metrics", "/v1/alive", "/v1/events/schema.json"}


@pytest.mark.redis_server
async def test_roles_keep_and_show_no_secret(tmp_path: Path, server: Server) -> None:
    """Not in Redis, SQL, frames, answers, exports, metrics and logs; their kinds are told there."""
    more = {"TOWER_LOG_LEVEL": "debug"}
    words = last_words(SESSIONS)
    history = tmp_path / "history.db"
    with (
        role(tmp_path / "ingest", "ingest", server.url, **more) as ingest,
        role(tmp_path / "hub", "hub", server.url, **more) as hub,
    ):
        ingest.become_ready()
        hub.become_ready()
        tower: Any = SimpleNamespace(address=hub.address, token=TOKEN)
        async with client(tower, subscriptions=len(SESSIONS)) as peer:
            await peer.next("welcome")
            reading = asyncio.create_task(watched(peer))
            await asyncio.to_thread(plant, ingest)
            on_the_log = await asyncio.to_thread(redis_contents, server.url)
            for session in SESSIONS:
                await peer.send("subscribe", session=session)
            await asyncio.to_thread(close, ingest, words)
            with role(tmp_path / "recorder", "recorder", server.url, **more) as recorder:
                rows = partial(sqlite_contents, history)
                recorder.become_ready()
                await asyncio.to_thread(until, have_all(rows, words), 120)
                kept = await asyncio.to_thread(redis_contents, server.url)
                frames = partial(as_bytes, peer)
                await asyncio.to_thread(until, have_all(frames, words))
                get = partial(hub.ask, **BEARER)
                told = await asyncio.to_thread(answers, get)
                seen = {
                    "the log": on_the_log, "redis": kept, "sql": rows(),
                    "the database's file": [history.read_bytes()], "frames": frames(),
                    "answers": told,
                    "metrics": [
                        texts_of(partial(each.ask, **BEARER), "/metrics")
                        for each in (ingest, hub, recorder)
                    ],
                    "logs": [each.errors for each in (ingest, hub, recorder)],
                }  # fmt: skip
            reading.cancel()
    assert {name: found_in(data) for name, data in seen.items() if found_in(data)} == {}
    assert {name: kinds_in(seen[name]) for name in ("the log", "sql")} == {
        "the log": KINDS, "sql": KINDS
    }  # fmt: skip
    assert kinds_in(seen["frames"])
    counted = seen["metrics"][0].decode()
    assert {kind for kind in KINDS if f'{REDACTED}{{kind="{kind}"}}' in counted} == KINDS


async def test_a_tower_that_reads_transcripts_keeps_and_shows_no_secret(tmp_path: Path) -> None:
    """What was there before its start, in a process of its own, and what is written then."""
    home, codex = tmp_path / "home", tmp_path / "codex"
    now = time.time_ns() // 1_000_000
    ids = {"old": uuid7(now, 1), "new": uuid7(now, 2)}
    (home / "projects" / "made-up").mkdir(parents=True)
    day = codex / "sessions" / "2026" / "09" / "21"
    day.mkdir(parents=True)

    def write(name: str) -> None:
        (home / "projects" / "made-up" / f"{name}.jsonl").write_bytes(
            planting.transcript(PLANTED, now)
        )
        path = day / f"rollout-2026-09-21T14-13-20-{ids[name]}.jsonl"
        path.write_bytes(planting.rollout(ids[name], PLANTED, now))

    write("old")
    sessions = ("old", "new", *ids.values())
    words = last_words(sessions)
    history = tmp_path / "data" / "history.db"
    with started(home, tmp_path / "data", "--codex-dir", str(codex)) as tower:
        async with client(tower, subscriptions=len(sessions)) as peer:
            await peer.next("welcome")
            reading = asyncio.create_task(watched(peer))
            await asyncio.to_thread(until, lambda: {"old", ids["old"]} <= tower.live().keys(), 60)
            write("new")
            await asyncio.to_thread(until, lambda: set(sessions) <= tower.live().keys(), 60)
            await asyncio.to_thread(until, lambda: has_read(history, sessions), 120)
            for session in sessions:
                await peer.send("subscribe", session=session)
            for body in words.values():
                tower.hook(json.loads(body))
            rows = partial(sqlite_contents, history)
            await asyncio.to_thread(until, have_all(rows, words), 60)
            bearer = {"Authorization": f"Bearer {tower.token}"}

            def get(path: str) -> tuple[int, dict[str, str], bytes]:
                return tower.ask("GET", path, **bearer)

            seen = {
                "sql": rows(), "frames": as_bytes(peer),
                "answers": await asyncio.to_thread(answers, get),
                "metrics": [texts_of(get, "/metrics")],
            }  # fmt: skip
            reading.cancel()
    assert {name: found_in(data) for name, data in seen.items() if found_in(data)} == {}
    assert kinds_in(seen["sql"]) == KINDS
    counted = seen["metrics"][0].decode()
    assert {kind for kind in KINDS if f'{REDACTED}{{kind="{kind}"}}' in counted} == KINDS


def has_read(history: Path, sessions: Iterable[str]) -> bool:
    """Whether the last thing that each file tells is recorded: its question, or its last plan."""
    with contextlib.closing(sqlite3.connect(history)) as database:
        last = f"c{len(PLANTED) - 1}-1"
        told = database.execute(
            "select count(*) from session_events where entry_id in ('ask', ?)", (f"p{last}:end",)
        )
        return int(told.fetchone()[0]) >= len(list(sessions))
