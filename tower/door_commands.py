"""``tower token create|list|revoke`` and ``tower audit``: who may come in, and who did what.

A tower that runs on this data folder is asked itself, so that it knows at once; else the database
is, and with Redis every process is told. Never prints a secret but the one that was just made.
"""

import asyncio
import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from bus.connect import connect
from history.credentials import OWNER, Act
from history.database import Database
from history.errors import BadQuery, HistoryError
from history.history import History
from hub import tokens as made
from hub.auth import Door
from hub.mirror import Mirror
from tower.databases import make_database
from tower.records import running_address
from tower.secrets import owner_token
from tower.settings import Settings, as_json

TIMEOUT_S = 10
ACTS = 100

Told = dict[str, Any]
Work = Callable[["Desk"], Awaitable[Told]]


class Failed(Exception):
    """What went wrong, for people."""


class Desk:
    """The database, and the log where there is one, for a moment."""

    def __init__(self, database: Database, mirror: Mirror) -> None:
        self.history = History(database)
        self.mirror = mirror
        self.now_ms = time.time_ns() // 1_000_000

    async def note(self, action: str, detail: str) -> None:
        """The owner did it, at this machine."""
        act = Act(
            at=self.now_ms, actor=OWNER, name=OWNER, workspace="", action=action, detail=detail
        )
        await self.history.keep_acts([act])


def create(settings: Settings, to: str | None, wanted: Mapping[str, str | None]) -> Told:
    """Make a token; gives it with its secret. Raises Failed, SettingsError."""

    async def directly(desk: Desk) -> Told:
        secret, token = made.make(
            str(wanted["role"]), wanted["workspace"] or "default", wanted["name"] or "",
            wanted["expires"], desk.now_ms, OWNER,
        )  # fmt: skip
        if not await desk.mirror.add(token):
            raise Failed("there are as many tokens as there may be: revoke some")
        await desk.note("token_create", f"{token.id} {token.role} {token.workspace}")
        return {**made.shown(token, desk.now_ms), "token": secret}

    body = {name: value for name, value in wanted.items() if value is not None}
    return _asked(settings, to, "POST", "/api/tokens", directly, body)


def listed(settings: Settings, to: str | None) -> Told:
    """Every token. Raises Failed, SettingsError."""

    async def directly(desk: Desk) -> Told:
        kept, _ = await desk.history.credentials()
        return {"tokens": [made.shown(token, desk.now_ms) for token in kept]}

    return _asked(settings, to, "GET", "/api/tokens", directly)


def revoke(settings: Settings, to: str | None, token_id: str) -> Told:
    """End a token. Raises Failed, SettingsError."""

    async def directly(desk: Desk) -> Told:
        token = await desk.mirror.revoke(token_id, None)
        if token is None:
            raise Failed("no such token")
        await desk.note("token_revoke", token.id)
        return made.shown(token, desk.now_ms)

    return _asked(settings, to, "DELETE", f"/api/tokens/{quote(token_id, safe='')}", directly)


def acts(settings: Settings, to: str | None, limit: int) -> Told:
    """Who did what, the latest first. Raises Failed, SettingsError."""

    async def directly(desk: Desk) -> Told:
        found = await desk.history.acts(None, limit, None)
        rows = [{"id": str(place), **_fields(act)} for place, act in found.acts]
        return {"acts": rows, "next": None if found.next is None else str(found.next)}

    return _asked(settings, to, "GET", f"/api/audit?limit={limit}", directly)


def _fields(act: Act) -> Told:
    return {name: getattr(act, name) for name in Act.__struct_fields__}


def _asked(
    settings: Settings, to: str | None, method: str, path: str, directly: Work,
    body: Told | None = None,
) -> Told:  # fmt: skip
    """By the tower that was named or that runs here, else by the database."""
    url = to or running_address(settings.data_dir)
    if url is None or (to is None and settings["redis_url"]):
        return _settled(settings, directly)
    token = settings["token"] or owner_token(settings.data_dir)
    try:
        return _over_http(f"{url.rstrip('/')}{path}", method, token, body)
    except OSError as error:
        if to is not None:
            raise Failed(f"{to} does not answer: {error}") from error
        return _settled(settings, directly)  # it is about to begin or to end, and will read it


def _over_http(url: str, method: str, token: str, body: Told | None) -> Told:
    if not url.startswith(("http://", "https://")):
        raise Failed(f"expected a URL such as https://board.example.org, got {url}")
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310 - see above
    # No redirection is to see the owner's token, and no proxy but one that passes TLS through.
    proxies: dict[str, str] | None = None if url.startswith("https://") else {}
    opener = urllib.request.build_opener(urllib.request.ProxyHandler(proxies), _NoRedirect())
    try:
        with opener.open(request, timeout=TIMEOUT_S) as answer:
            return dict(json.load(answer))
    except urllib.error.HTTPError as error:
        with error:
            raise Failed(_reason(error)) from None
    except ValueError as error:
        raise Failed(f"no answer of a tower: {error}") from None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Nobody is sent elsewhere."""


def _reason(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(error)["detail"])
    except (ValueError, KeyError, TypeError):
        return f"the tower answers {error.code}"


def _settled(settings: Settings, work: Work) -> Told:
    async def run() -> Told:
        database = make_database(settings)
        bus = connect(settings["redis_url"])
        try:
            await (database.upgrade() if settings["auto_migrate"] else database.check())
            await bus.open()
            door = Door(token="", key=b"", port=0)
            return await work(Desk(database, Mirror(bus, door, History(database))))
        finally:
            await bus.close()
            await database.close()

    try:
        return asyncio.run(run())
    except (BadQuery, HistoryError) as error:
        raise Failed(str(error)) from error


def show(
    run: Callable[[], Told], name: str, *, json_output: bool, lines: Callable[[Told], str]
) -> int:
    """Print what was asked; gives the exit code."""
    try:
        told = run()
    except (Failed, OSError) as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 1
    print(as_json(told) if json_output else lines(told))
    return 0


def made_lines(told: Told) -> str:
    """The secret alone on the first line, for scripts; the rest goes where people look."""
    what = f"a token of role {told['role']} for {told['workspace']}, shown this once"
    print(f"{told['id']}: {what}", file=sys.stderr)
    return str(told["token"])


def token_lines(told: Told) -> str:
    """A line for each."""
    names = ("id", "prefix", "role", "workspace", "state", "expires_at", "name")
    rows = [[_cell(name, token[name]) for name in names] for token in told["tokens"]]
    return _table([["id", "begins", "role", "workspace", "state", "expires", "name"], *rows])


def act_lines(told: Told) -> str:
    """A line for each."""
    names = ("at", "actor", "name", "workspace", "action", "session", "address", "detail")
    rows = [[_cell(name, act[name]) for name in names] for act in told["acts"]]
    return _table([list(names), *rows])


def _cell(name: str, value: Any) -> str:
    if value in (None, ""):
        return "-"
    if name in ("at", "expires_at"):
        return datetime.fromtimestamp(value / 1_000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    # An agent chose the session's id: nothing in it may move the cursor of a terminal.
    return "".join(
        each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in str(value)
    )


def _table(rows: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    padded = ("  ".join(f"{c:<{w}}" for c, w in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in padded)
