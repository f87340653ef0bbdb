"""``/api/export``: live and past sessions in one file, sent as it is made."""

import asyncio
import csv
import io
import json
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from history.database import Database
from history.errors import BadQuery, DatabaseUnavailable
from history.history import History
from history.queries.filters import Filter
from history.queries.merge import Found
from hub.exports.gather import Asked, Gathering, parse
from hub.exports.route import file_name
from hub.exports.stream import pieces
from session.state import Session, summary
from tests.history.recording import Recording
from tests.hub.made import NOW, event, permission, plain, report, said, tokens
from tests.hub.servers import BEARER, DEADLINE_S, Served, served
from tests.hub.test_openapi import read


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Served]:
    """A live session that history does not know, a recorded one, and one of another workspace."""
    database = Database(f"sqlite:///{tmp_path / 'history.db'}")
    await database.upgrade()
    recorded = report("old", to=3, entries=said(3), calls=tokens(7), titles={"ai": "=1+1"})
    await Recording(database).log(recorded, event("prompt", "not mine", workspace="other"))
    async with served() as running:
        running.hub.history = History(database)
        await running.log(event("prompt", "live", text="go", at=NOW + 5), permission("live"))
        yield running
    await database.close()


async def fetch(hub: Served, query: str) -> tuple[int, Mapping[str, str], bytes]:
    """Status, headers and the whole file."""
    request = urllib.request.Request(f"{hub.url}/api/export?{query}", headers=BEARER)

    def ask() -> tuple[int, Mapping[str, str], bytes]:
        try:
            with urllib.request.urlopen(request, timeout=DEADLINE_S) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read()

    return await asyncio.to_thread(ask)


async def test_csv_lists_live_and_past_sessions(hub: Served) -> None:
    """Of this workspace alone, the latest first."""
    status, headers, data = await fetch(hub, "format=csv")
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert (status, [row["id"] for row in rows]) == (200, ["live", "old"])
    assert rows[1]["title"] == "'=1+1"
    assert headers["content-type"] == "text/csv; charset=utf-8"
    assert headers["content-disposition"] == 'attachment; filename="agenttower-sessions.csv"'
    assert headers["content-security-policy"].startswith("default-src 'none'; style-src 'unsafe-")


async def test_json_has_the_detail_and_what_was_spent(hub: Served) -> None:
    """In a versioned envelope."""
    _, _, data = await fetch(hub, "format=json")
    told = json.loads(data)
    assert (told["format"], told["version"]) == ("agenttower.export", 1)
    live, old = told["sessions"]
    assert (live["id"], live["attention"], old["models"]["opus"]["calls"]) == ("live", 1, 1)
    assert {"token_series", "errors_list", "tools"} <= set(old)
    assert set(told["usage"]) == {"by_day", "by_model"}


@pytest.mark.parametrize("query", ["project=none", "ids=old", "q=go", "status=ended", "agent=x"])
async def test_sums_of_all_are_told_for_all_alone(hub: Served, query: str) -> None:
    """A choice of sessions has no share in them that anybody knows."""
    _, _, data = await fetch(hub, f"format=json&{query}")
    told = json.loads(data)
    assert told["usage"] is None
    assert len(told["sessions"]) < 2


async def test_html_is_a_whole_page(hub: Served) -> None:
    """With a part for each session that is named, live or past."""
    _, headers, data = await fetch(hub, "format=html&ids=live,old")
    read(data.decode())
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert data.count(b"<h3>Timeline</h3>") == 2
    _, _, data = await fetch(hub, "format=html&since=2026-01-01")
    read(data.decode())
    assert b"Cost by day" in data


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("", "format: "),
        ("format=pdf", "format: "),
        ("format=csv&sort=x", "sort: "),
        ("format=csv&since=x", "since: "),
        ("format=json&ids=none", "ids: "),
        ("format=html&ids=not+mine", "ids: "),
        ("format=csv&ids=" + ",".join(map(str, range(1_001))), "ids: "),
    ],
)
async def test_what_makes_no_sense_is_named(hub: Served, query: str, named: str) -> None:
    """400 before anything is sent."""
    status, headers, data = await fetch(hub, query)
    assert (status, headers["content-type"]) == (400, "application/problem+json")
    assert json.loads(data)["detail"].startswith(named)


async def test_without_history_there_is_nothing_to_export(hub: Served) -> None:
    """503, as for everything else that history tells."""
    hub.hub.history = None
    assert (await fetch(hub, "format=csv"))[0] == 503


class Paged:
    """History in pages of one, which says how far it was read."""

    def __init__(self, ids: list[str], error: Exception | None = None) -> None:
        self.ids, self.error, self.read = ids, error, 0

    async def sessions(self, _workspace: str, wanted: Filter, _live: Any = None) -> Found:
        """One session a page."""
        if self.error is not None and self.read:
            raise self.error
        at = 0 if wanted.cursor is None else self.ids.index(wanted.cursor.id) + 1
        self.read += 1
        row = plain(summary(Session(id=self.ids[at], workspace="w", updated_at=NOW - at)))
        is_last = at == len(self.ids) - 1
        return Found([row], None if is_last else wanted.behind(NOW - at, self.ids[at]), 9)

    async def outline(self, _workspace: str, session_id: str) -> Session | None:
        """One that was deleted meanwhile is none."""
        return None if session_id == "gone" else Session(id=session_id, workspace="w")

    session = outline

    async def usage(self, *_told: Any) -> Any:
        """Nothing was spent."""
        return {}


async def exported(archive: Paged, format_: str) -> list[bytes]:
    """The pieces."""
    asked = parse([("format", format_)])
    return [each async for each in pieces(Gathering(archive, "w", asked, {}), NOW)]


async def test_pages_are_sent_as_they_are_read() -> None:
    """No more is read than was asked for."""
    archive = Paged(["a", "b", "c"])
    told = pieces(Gathering(archive, "w", Asked("csv", Filter()), {}), NOW)
    first = await anext(told)
    assert (archive.read, first.count(b"\r\n")) == (1, 2)
    rest = [each async for each in told]
    assert (archive.read, b"".join(rest).count(b"\r\n")) == (3, 2)


@pytest.mark.parametrize("ids", [["gone"], ["gone", "a"], ["a", "gone", "b"], ["a"]])
async def test_json_is_whole_though_sessions_go_meanwhile(ids: list[str]) -> None:
    """One that was deleted between its page and its detail is left out."""
    told = json.loads(b"".join(await exported(Paged(ids), "json")))
    assert [each["id"] for each in told["sessions"]] == [each for each in ids if each != "gone"]


async def test_a_database_that_goes_away_ends_the_file() -> None:
    """It is not taken for a whole one."""
    with pytest.raises(DatabaseUnavailable):
        await exported(Paged(["a", "b"], DatabaseUnavailable("gone")), "csv")
    with pytest.raises(BadQuery):
        parse([("format", "xml")])


@pytest.mark.parametrize(
    ("ids", "name"),
    [
        ((), "agenttower-sessions.csv"),
        (("a", "b"), "agenttower-sessions.csv"),
        (("c41d-9",), "agenttower-c41d-9.csv"),
        (('../"\r\n🚀',), "agenttower-session.csv"),
        (("x" * 500,), f"agenttower-{'x' * 80}.csv"),
    ],
)
def test_a_file_has_a_name_that_every_system_takes(ids: tuple[str, ...], name: str) -> None:
    """Whatever a session is called."""
    assert file_name(ids, "csv") == name
