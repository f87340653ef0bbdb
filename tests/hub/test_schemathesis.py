"""A real hub answers as its OpenAPI document says, whatever it is asked."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import CHECKS
from schemathesis.generation import GenerationMode

from history.database import Database
from history.history import History
from hub import app as hub_app
from hub.limits import DoorLimits
from hub.openapi.operations import OPERATIONS
from tests.history.recording import Recording
from tests.hub.made import bucket, event, permission, report, said, tokens
from tests.hub.servers import BEARER, Served, served

EXAMPLES = 8
OPAQUE = {
    "listSessions", "compareSessions", "getUsage", "getModels", "export", "createToken",
}  # fmt: skip
"""Times, cursors, names and lists of ids are texts of which a schema cannot say which are good.

Where a parameter stands twice the last one counts, and an empty one counts as not there.
"""
JUDGES = {"positive_data_acceptance", "negative_data_rejection"}


bounded = settings(
    max_examples=EXAMPLES, derandomize=True, database=None, deadline=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


@pytest.fixture
async def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Served]:
    """Live and past sessions, one that waits, a database, and a dashboard's page."""
    (tmp_path / "index.html").write_text("<!doctype html>")
    (tmp_path / "icon.svg").write_text("<svg/>")
    monkeypatch.setattr(hub_app, "ui_folder", lambda: tmp_path)
    database = Database(f"sqlite:///{tmp_path / 'history.db'}")
    await database.upgrade()
    told = report("a", to=3, entries=said(3), calls=tokens(7), buckets={"60000": bucket(7)})
    deltas = [told, permission("a"), event("session_end", "b")]
    await Recording(database).log(*deltas, report("past", to=2, entries=said(2)))
    async with served() as running:
        running.hub.history = History(database)
        # It shows very many credentials that are none, and wants each to be answered 401.
        running.hub.door.limit(DoorLimits(failures_per_minute=1_000_000))
        await running.log(*deltas)
        yield running
    await database.close()


def explore(url: str, name: str, mode: GenerationMode, known: dict[str, str]) -> None:
    """Ask one operation, some of it what it documents and some what it does not."""
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json", headers=dict(BEARER))
    [operation] = [
        found
        for each in schema.get_all_operations()
        if (found := each.ok()).definition.raw["operationId"] == name
    ]
    excluded = JUDGES if name in OPAQUE else set()
    checks = [each for each in CHECKS.get_all() if each.__name__ not in excluded]
    is_known = {each for each in known if "{" + each + "}" in operation.path}
    for fixed in ({}, {each: known[each] for each in is_known}):
        if fixed or not is_known:

            @bounded
            @given(case=operation.as_strategy(mode, path_parameters=fixed or None))
            def ask(case: schemathesis.Case) -> None:
                case.call_and_validate(headers=dict(BEARER), checks=checks)

            ask()


ASKED = [
    (each.id, mode)
    for each in OPERATIONS
    for mode in GenerationMode
    if each.id != "getOpenapi"  # which says all of this
    and (mode is GenerationMode.POSITIVE or each.query or each.body or "{" in each.path)
]


@pytest.mark.parametrize(("name", "mode"), ASKED)
async def test_every_operation_answers_as_documented(
    hub: Served, name: str, mode: GenerationMode
) -> None:
    """Status, content type, headers and body; what does not fit is refused, nothing fails."""
    await asyncio.to_thread(explore, hub.url, name, mode, {"id": "a", "entry": "e1"})
