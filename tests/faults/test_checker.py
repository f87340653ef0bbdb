"""The checker finds what is wrong: a good run has no complaint, and each flaw has its own."""

import copy
import random
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from session import codec
from session.delta import Delta, Event
from session.state import detail
from tests.end_to_end.cluster_check import Truth
from tests.end_to_end.cluster_story import Agent
from tests.faults.checker import judge
from tests.faults.evidence import Evidence
from tests.faults.numbers import harmed
from tests.history.told import Told
from tests.hub.made import plain

BEGAN_S = 1_790_000_000.0
ENDED_S = BEGAN_S + 40
S = "s000"
Json = dict[str, Any]
Flaw = Callable[[Evidence], object]


def deltas() -> list[Delta]:
    """Forty of one session, one each second, and a question that stays open."""
    agent = Agent("s000", random.Random(1))
    told: list[Delta] = [agent.step() for _ in range(40)]
    asks = {"tool": "Bash", "call": "ask", "input_hash": "h", "summary": "make"}
    told[10:10] = [
        Event(
            id=f"ask {kind}", session="s001", kind=kind, source="hooks", received_at=0, fields=asks
        )
        for kind in ("tool_start", "permission")
    ]  # fmt: skip
    numbers: dict[str, int] = {}
    ordered = []
    for n, delta in enumerate(told):
        numbers[delta.session] = numbers.get(delta.session, 0) + 1
        at = round(BEGAN_S * 1000) + n * 500
        ordered.append(
            codec.numbered(msgspec.structs.replace(delta, received_at=at), numbers[delta.session])
        )
    return ordered


@pytest.fixture
def good() -> Evidence:
    """A run in which nothing went wrong."""
    told = deltas()
    truth = Truth(told)
    by_entry = Told()
    for delta in told:
        by_entry.fold(delta)
    session = truth.sessions["s000"]
    cursor = f"e:{session.cursor_number}"
    held = {"cursor": cursor, "stale": False, "evicted": False, "detail": plain(detail(session)),
            "timeline": plain(list(session.timeline))}  # fmt: skip
    shown = {"session": "s000", "cursor": cursor, **{n: held[n] for n in ("detail", "timeline")}}
    asked = next(delta for delta in told if delta.id == "ask permission").received_at / 1000
    recording: list[Json] = [
        {"t": BEGAN_S, "kind": "connect", "resume": []},
        {"t": BEGAN_S, "kind": "subscribe", "session": "s000"},
        {"t": BEGAN_S, "kind": "session.snapshot", "session": "s000", "cursor": "e:1", "part": 1,
         "parts": 1},
        {"t": asked + 0.1, "kind": "attention", "full": False, "opened": list(truth.items)},
        {"t": ENDED_S, "kind": "session.patch", "session": "s000", "from": "e:1",
         "cursor": cursor},
        {"t": ENDED_S, "kind": "items", "items": sorted(truth.items)},
        {"t": ENDED_S, "kind": "state", "view": {}, "rows": truth.rows({}), "items": truth.items,
         "opened": {"s000": held}, "violation": None, "frames": 9, "bytes": 9},
    ]  # fmt: skip
    usage = {"hub-a": {"pid": 1, "rss_mb": 80.0, "descriptors": 20}}
    return Evidence(
        acknowledged={delta.id: BEGAN_S for delta in told},
        deltas=told,
        recordings={"c000": recording},
        entries={name: list(each) for (_, name), each in by_entry.entries.items()},
        boards={"hub-a": {"s000": shown}, "hub-b": {"s000": copy.deepcopy(shown)}},
        before=usage,
        after=copy.deepcopy(usage),
        marks=[(BEGAN_S + 15, "hurt"), (BEGAN_S + 16, "healed"), (ENDED_S, "ended")],
    )


def state(found: Evidence) -> Json:
    """What the watcher held at the end."""
    return found.recordings["c000"][-1]


def insert(found: Evidence, **note: Any) -> None:
    """One more note, before the last patch."""
    found.recordings["c000"].insert(4, {"t": BEGAN_S + 20, **note})


def opened(found: Evidence, session: str) -> None:
    """One more session."""
    insert(found, kind="session.snapshot", session=session, cursor="e:1", part=1, parts=1)


FLAWS: dict[str, tuple[str, Flaw]] = {
    "a row differs": ("I1", lambda f: state(f)["rows"]["s000"].update(title="x")),
    "a row too many": ("I1", lambda f: state(f)["rows"].update(x={})),
    "a detail differs": ("I1", lambda f: state(f)["opened"]["s000"]["detail"].update(model="x")),
    "an entry is missing": ("I1", lambda f: state(f)["opened"]["s000"]["timeline"].pop()),
    "nothing was seen": ("I1", lambda f: state(f).update(frames=0)),
    "a gap": ("I2", lambda f: f.recordings["c000"][4].update({"from": "e:7"})),
    "a hole in the log": ("I2", lambda f: setattr(f, "gaps", 1)),
    "the protocol is violated": ("I2", lambda f: state(f).update(violation="x")),
    "stale at the end": ("I3", lambda f: state(f)["opened"]["s000"].update(stale=True)),
    "a question is missing": ("I4", lambda f: state(f).update(items={})),
    "a question came late": ("I4", lambda f: f.recordings["c000"][3].update(t=BEGAN_S + 12)),
    "a cursor was moved": ("I5", lambda f: insert(f, kind="session.stale", session="s000")),
    "too many are open": ("I6", lambda f: [opened(f, f"x{n}") for n in range(4)]),
    "a frame of an evicted one": ("I6", lambda f: insert(f, kind="session.evicted", session=S)),
    "memory grows": ("I7", lambda f: f.after["hub-a"].update(rss_mb=200.0)),
    "descriptors are kept": ("I9", lambda f: f.after["hub-a"].update(descriptors=99)),
    "rows differ in SQL": ("I10", lambda f: setattr(f, "rows_wrong", "x")),
    "an entry was lost": ("I11", lambda f: f.lost.append(f.deltas[0])),
    "an acknowledged one is lost": ("I12", lambda f: f.acknowledged.update(x=BEGAN_S)),
    "one is there twice": ("I12", lambda f: setattr(f, "duplicates", 1)),
    "hubs differ": ("I13", lambda f: f.boards["hub-b"]["s000"]["detail"].update(model="x")),
    "hubs stand apart": ("I13", lambda f: f.boards["hub-b"]["s000"].update(cursor="e:1")),
    "a session is rejected": (
        "I14",
        lambda f: f.counters.update(recorder={"tower_recorder_rejected_sessions_total": 1.0}),
    ),
}  # fmt: skip


def test_a_good_run_has_no_complaint(good: Evidence) -> None:
    """Neither where nothing may be lost nor where Redis may lose something."""
    assert judge(good) == []
    assert judge(good, may_lose=True) == []


@pytest.mark.parametrize("name", FLAWS)
def test_a_flaw_is_found(good: Evidence, name: str) -> None:
    """Each breaks the invariant that it should."""
    invariant, flaw = FLAWS[name]
    flaw(good)
    assert invariant in {complaint.split()[0] for complaint in judge(good)}


def test_a_phantom_is_found(good: Evidence) -> None:
    """What a client shows, and neither the log nor SQL holds, is a complaint."""
    state(good)["opened"]["s000"]["timeline"].append({"id": "phantom"})
    assert any(
        each.startswith("I11 c000 shows entries of s000") for each in judge(good, may_lose=True)
    )


def test_what_redis_lost_unread_is_lost(good: Evidence) -> None:
    """Nobody is held to the log where an acknowledged event is missing, read before or not."""
    state(good)["rows"]["s000"].update(title="of the lost event")
    assert judge(good, may_lose=True)
    good.acknowledged["lost"] = BEGAN_S
    assert good.lost_count == 1
    assert judge(good, may_lose=True) == []


def test_an_entry_without_a_row_is_found(good: Evidence) -> None:
    """Though entries may be lost by Redis, those that it has are in SQL, and once."""
    good.entries["s000"].pop()
    assert any(each.startswith("I10 s000: 1 entries") for each in judge(good, may_lose=True))
    good.entries["s000"].append(good.entries["s000"][0])
    assert any(each.startswith("I10 s000 has 1 rows") for each in judge(good, may_lose=True))


def test_nobody_is_held_to_two_seconds_while_something_is_injured(good: Evidence) -> None:
    """A question that was asked then counts only some time after the healing."""
    asked = good.recordings["c000"][3]["t"]
    good.marks = [(asked - 1, "hurt"), (asked + 3, "healed"), (ENDED_S, "ended")]
    good.recordings["c000"][3]["t"] = asked + 6
    assert judge(good) == []


@pytest.mark.parametrize(
    ("before_s", "hurt_s", "is_harmed"),
    [
        (0.2, 0.24, False),
        (0.4, 0.59, False),
        (0.4, 0.61, True),
        (0.1, 0.3, True),
        (0.1, None, True),
    ],
)
def test_who_was_not_hurt_must_be_told_as_soon_as_before(
    before_s: float, hurt_s: float | None, is_harmed: bool
) -> None:
    """Half as much again is allowed, and what a client at 5 Hz waits anyway."""
    seen = {"fresh_before_s": {"p99": before_s}, "fresh_hurt_s": {"p99": hurt_s} if hurt_s else {}}
    assert [each.split()[0] for each in harmed(seen)] == ["I8"] * is_harmed
