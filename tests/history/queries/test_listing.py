"""The list of sessions: recorded and live ones as one, in every order, page by page."""

import random
from typing import Any

import pytest

from history.history import History
from history.queries.filters import SORTS, parse_filter, rank
from session.state import SUMMARY_NAMES, Session, summary
from tests.history.queries.conftest import Lister, live_of
from tests.history.recording import Recording
from tests.hub.made import NOW, event, past, plain, report, tokens

HOUR_MS = 3_600_000
HOSTILE = (
    "'; DROP TABLE sessions; --", '"', '""', "a\x00b", "\ud800", "NEAR(a b)", "*", "-x", "text:a",
    "(a OR b", "a" * 1_000, "{a b}: ^c", "%", "\\", "日本 \u0301", ":x", "a:* & !b | <-> c",
)  # fmt: skip


async def made(recording: Recording) -> None:
    """Four sessions, the last of another workspace."""
    await recording.log(
        report("a", at=NOW - 9 * HOUR_MS, started_at=NOW - 10 * HOUR_MS, cwd="/code/shop",
               calls=tokens(1, cost_usd=2.0)),
        report("b", at=NOW - 5 * HOUR_MS, started_at=NOW - 30 * HOUR_MS, cwd="/code/shop",
               calls=tokens(1, cost_usd=9.0)),
        event("prompt", "c", at=NOW, cwd="/code/blog"),
        event("prompt", "d", at=NOW, workspace="other"),
    )  # fmt: skip


async def test_recorded_sessions_are_told_as_they_were_folded(
    recording: Recording, lister: Lister
) -> None:
    """Every name of the summary, and none of another workspace."""
    await made(recording)
    found = await lister.page()
    assert (found.total, found.next, found.hits) == (3, None, {})
    for row in found.sessions:
        assert set(row) == set(SUMMARY_NAMES)
        assert plain(row) == plain(summary(recording.sessions["default", row["id"]]))


@pytest.mark.parametrize(
    ("told", "ids"),
    [
        ({}, "cba"), ({"sort": "started"}, "cab"), ({"sort": "cost"}, "bac"),
        ({"project": "shop"}, "ba"), ({"project": "none"}, ""), ({"agent": "claude-code"}, "cba"),
        ({"agent": "codex"}, ""), ({"user": "ann"}, ""), ({"status": "running"}, "c"),
        ({"status": "idle,failed"}, "ba"),
        ({"since": NOW - 5 * HOUR_MS}, "cb"), ({"until": NOW - 10 * HOUR_MS}, "ba"),
        ({"since": NOW - 8 * HOUR_MS, "until": NOW - HOUR_MS}, "b"),
        ({"since": NOW + 1}, ""), ({"q": "shop"}, "ba"), ({"q": "sho blo"}, ""),
    ],
)  # fmt: skip
async def test_filters_and_orders(
    recording: Recording, lister: Lister, told: dict[str, Any], ids: str
) -> None:
    """What does not fit is left out, of recorded and of live sessions alike."""
    await made(recording)
    assert await lister.ids(**told) == list(ids)
    lister.live = live_of(recording.sessions[key] for key in recording.sessions if key[1] != "d")
    assert await lister.ids(**told) == list(ids)
    del lister.live["b"]
    assert await lister.ids(**told) == list(ids)


async def test_archived_sessions_are_there_when_asked_for(
    recording: Recording, lister: Lister
) -> None:
    """With ``archived=true`` they stand among the others."""
    await made(recording)
    live = recording.sessions["default", "a"]
    live.archived = True
    lister.live = live_of([live])
    assert await lister.ids() == ["c", "b"]
    assert await lister.ids(archived="true") == ["c", "b", "a"]


async def test_the_live_value_goes_before_the_row(recording: Recording, lister: Lister) -> None:
    """A session is told once, as it is at this moment, and where it belongs by that."""
    await made(recording)
    moved = Session(id="a", workspace="default", updated_at=NOW + 1, status="failed")
    fresh = Session(id="e", workspace="default", updated_at=NOW - 6 * HOUR_MS)
    lister.live = live_of([moved, fresh])
    found = await lister.page()
    assert [row["id"] for row in found.sessions] == ["a", "c", "b", "e"]
    assert found.total == 4
    assert found.sessions[0]["status"] == "failed"
    assert await lister.ids(status="idle", project="shop") == ["b"]
    assert await lister.ids(status="failed") == ["a"]


@pytest.mark.parametrize("sort", sorted(SORTS))
@pytest.mark.parametrize("limit", [1, 3, 50])
async def test_pages_joined_are_all_sessions_in_order(
    recording: Recording, lister: Lister, sort: str, limit: int
) -> None:
    """Live and recorded ones mixed, with equal and with unknown values, each exactly once."""
    chance = random.Random(7)
    ids = [f"s{at:02d}" for at in range(24)]
    await recording.log(
        *(
            past(each, chance.choice((1, 2, 3)) * HOUR_MS * 30)
            if chance.random() < 0.6
            else report(each, at=NOW, calls=tokens(1, cost_usd=chance.choice((0.0, 1.0, 2.5))))
            for each in ids
        )
    )
    sessions = live_of(recording.sessions.values())
    assert set(sessions) == set(ids)
    for chosen in ([], ids[:5], ids[::2], ids):
        lister.live = {each: sessions[each] for each in chosen}
        column = SORTS[sort]
        order = sorted(
            ids, key=lambda each: rank(getattr(sessions[each], column), each), reverse=True
        )
        assert await lister.all_ids(sort=sort, limit=limit) == order


async def test_ids_of_any_letters_are_ordered_alike(recording: Recording, lister: Lister) -> None:
    """By their code points on every system, also across a page."""
    ids = ["B", "a", "é", "Z", "b", "ﬀ", "日", "\U0001f600", "_", "~", "aa"]
    await recording.log(*(event("prompt", each) for each in ids))
    assert await lister.all_ids(limit=2) == sorted(ids, reverse=True)
    sessions = live_of(recording.sessions.values())
    lister.live = {each: sessions[each] for each in ids[::2]}
    assert await lister.all_ids(limit=2) == sorted(ids, reverse=True)


async def test_hostile_words_are_only_values(recording: Recording, history: History) -> None:
    """Quotes, operators, NUL and halves of characters find nothing and break nothing."""
    await made(recording)
    for words in HOSTILE:
        for name in ("q", "project", "user", "agent"):
            wanted = parse_filter([(name, words)])
            await history.sessions("default", wanted)
        await history.sessions(words, parse_filter([]))
    assert (await history.sessions("default", parse_filter([]))).total == 3


async def test_a_long_list_of_live_sessions_is_no_hindrance(
    recording: Recording, lister: Lister
) -> None:
    """As many as a large board has, in one parameter."""
    await made(recording)
    many = [f"live{at}" for at in range(3_000)]
    lister.live = live_of(Session(id=each, workspace="default", updated_at=1) for each in many)
    found = await lister.page(limit=5)
    assert [row["id"] for row in found.sessions][:3] == ["c", "b", "a"]
    assert found.total == 3_003
