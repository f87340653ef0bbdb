"""Native events: what is published is what is read; a fault is named by its place."""

import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from ingest.adapters.native import READERS, normalize
from ingest.adapters.native_kinds import Happening, Native, schema
from ingest.errors import InvalidPayload
from session import codec
from session.delta import Event
from session.events import HANDLERS
from tests.session.made import NOW, after, native

OPUS = "claude-opus-4-6"
BASE = {"id": "1", "session": "s", "agent": "mine"}
FULL: dict[str, dict[str, Any]] = {
    "session_start": {},
    "session_end": {"reason": "done"},
    "prompt": {"text": "go"},
    "message": {"text": "gone"},
    "tool_start": {"call": "c", "tool": "Index", "text": "all"},
    "tool_end": {"call": "c", "tool": "Index", "status": "ok", "text": "12", "duration_ms": 5},
    "permission": {"text": "may I?", "call": "c", "tool": "Index", "request": {"n": 1}},
    "question": {"text": "which?"},
    "plan": {"text": "first this", "tool": "Planner"},
    "resolved": {"call": "c"},
    "stop": {},
    "failure": {"text": "no disk"},
    "error": {"text": "retrying"},
    "objectives": {"objectives": {"a": {"text": "x", "status": "pending"}, "b": None},
                   "whole": True},
    "subagent_start": {"agent_id": "a1", "agent_type": "searcher"},
    "subagent_stop": {"agent_id": "a1"},
    "usage": {"model": OPUS, "input": 1, "output": 2, "cache_read": 3, "cache_write": 4,
              "cost_usd": 0.5, "call": "c"},
    "update": {},
}  # fmt: skip
EVERY = {
    "at": NOW, "title": "Night", "cwd": "/srv/night", "branch": "main", "model": OPUS,
    "phase": "build", "event_id": "cal-7", "budget_usd": 2.5, "host": "box", "user": "ada",
}  # fmt: skip
VALIDATOR = Draft202012Validator(schema())


def event(name: str, **fields: Any) -> dict[str, Any]:
    """A native event with everything that its kind may have."""
    return {**BASE, "kind": name, **FULL[name], **fields}


def read(*told: Any, received_at: int = NOW) -> list[Event]:
    """What a body becomes."""
    return normalize(json.dumps(list(told)).encode(), received_at=received_at)


def test_the_kinds_are_these() -> None:
    """Each has a struct, a reader, and a meaning for the fold."""
    tags = {each.__struct_config__.tag for each in get_args(Native)}
    assert tags == set(FULL)
    assert set(READERS) == set(get_args(Native))
    assert {kind for kind, _ in READERS.values()} - {*HANDLERS} == {"update"}


@pytest.mark.parametrize("kind", FULL)
def test_every_kind_is_read_bare_and_full(kind: str) -> None:
    """And is what the schema says."""
    for told in (event(kind), event(kind, **EVERY)):
        assert VALIDATOR.is_valid(told)
        (made,) = read(told)
        assert (made.id, made.session, made.agent, made.source) == (
            "native:1",
            "s",
            "mine",
            "native",
        )
        assert codec.unpack(codec.pack(made)) == made
        after(made)


def test_a_single_event_needs_no_list() -> None:
    """An object is a list of one."""
    assert normalize(json.dumps(event("stop")).encode(), received_at=NOW) == read(event("stop"))


def test_what_every_kind_may_carry_is_shown() -> None:
    """On any event, and whatever is absent stays."""
    session = after(*read(event("update", **EVERY)), native("stop"))
    told = {name: getattr(session, name) for name in EVERY if name != "at"}
    assert told == {name: value for name, value in EVERY.items() if name != "at"}
    assert session.project == "night"


PLACES = {
    "[1].kind": event("stop", kind="nap"),
    "[1].id": event("stop", id=7),
    "[1].session": event("stop", session=""),
    "[1].agent": event("stop", agent="x" * 101),
    "[1].text": event("prompt", text=None),
    "[1].duration_ms": event("tool_end", duration_ms=-1),
    "[1].status": event("tool_end", status="fine"),
    "[1].objectives[...].status": event("objectives", objectives={"a": {"status": "odd"}}),
    "[1].input": event("usage", input=1.5),
    "[1].output": event("usage", output=2**53),
    "[1].budget_usd": event("update", budget_usd=-1),
    "[1].at": event("update", at="tomorrow"),
    "[1].request": event("plan", request=[]),
    "[1]": {"id": "1", "session": "s", "agent": "mine"},
}


@pytest.mark.parametrize("place", PLACES)
def test_a_fault_is_named_by_its_place(place: str) -> None:
    """With the reason behind it, and nothing of the body is read."""
    with pytest.raises(InvalidPayload) as told:
        read(event("stop"), PLACES[place])
    assert str(told.value).startswith(f"{place}: ")


@pytest.mark.parametrize("place", sorted({*PLACES} - {"[1].at"}))
def test_what_is_refused_is_no_instance_of_the_schema(place: str) -> None:
    """Whoever validates beforehand is told the same."""
    assert not VALIDATOR.is_valid(PLACES[place])


def test_the_schema_is_one() -> None:
    """Of the dialect that it names."""
    Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize(
    ("at", "told"),
    [(None, None), (NOW - 5, NOW - 5), (NOW + 9, NOW), ("2026-09-21T14:13:19Z", NOW - 1_000),
     ("2026-09-21T16:13:19+02:00", NOW - 1_000), ("2100-01-01T00:00:00Z", NOW)],
)  # fmt: skip
def test_a_time_is_never_in_the_future(at: Any, told: int | None) -> None:
    """What happens tomorrow has not happened; milliseconds and ISO 8601 say the same."""
    assert read(event("stop", at=at))[0].at == told


@pytest.mark.parametrize("at", ["2026-09-21T14:13:19", "1-1-1", -1, 10**15, "9999-99-99"])
def test_a_time_that_is_none_is_refused(at: Any) -> None:
    """Also one without an offset: it would be wrong by hours."""
    with pytest.raises(InvalidPayload, match=r"\[0\]\.at: "):
        read(event("stop", at=at))


def test_a_call_is_priced_unless_it_says_its_cost() -> None:
    """By the model, or not at all."""
    priced, told, unknown = (
        read(event("usage", **more))[0].fields.get("cost_usd")
        for more in ({"cost_usd": None}, {}, {"cost_usd": None, "model": "made-up"})
    )
    assert (priced, told, unknown) == (pytest.approx(81.5e-6), 0.5, None)


def test_a_question_is_open_until_it_is_resolved() -> None:
    """By its call, or by its own id where it has no call."""
    asked = native("question", id="q1", text="which?")
    session = after(native("prompt", text="go"), asked)
    assert (session.status, session.attention) == ("waiting", 1)
    assert after(asked, native("resolved", call="other")).attention == 1
    session = after(asked, native("resolved", call="q1"))
    assert (session.status, session.attention) == ("running", 0)
    assert after(native("plan", text="?", call="c"), native("resolved", call="c")).attention == 0


@pytest.mark.parametrize("end", ["stop", "prompt", "session_end"])
def test_what_is_asked_closes_with_the_turn(end: str) -> None:
    """Like the items of every other agent."""
    assert after(native("permission", text="?"), native(end, text="x")).attention == 0


def test_a_permission_belongs_to_the_open_call_of_its_tool() -> None:
    """It names no call, and closes when that one ends."""
    session = after(
        native("tool_start", call="c", tool="Deploy"),
        native("permission", text="to production?", tool="Deploy"),
    )
    assert [(each.call, each.kind) for each in session.items.values()] == [("c", "permission")]
    ended = native("tool_end", call="c", tool="Deploy", status="denied")
    session = after(native("tool_start", call="c", tool="Deploy"),
                    native("permission", text="?", tool="Deploy"), ended)  # fmt: skip
    assert (session.attention, session.tool_errors) == (0, 1)


def test_a_day_of_a_home_made_agent() -> None:
    """Its tools, messages, objectives, errors and the end are all on the board."""
    session = after(
        native("session_start", title="Nightly"),
        native("prompt", text="Rebuild the index"),
        native("objectives", objectives={"1": {"text": "fetch", "status": "in_progress"}}),
        native("tool_start", call="1", tool="fetch", text="all pages"),
        native("tool_end", call="1", tool="fetch", status="ok", duration_ms=40),
        native("error", text="one page is gone"),
        native("objectives", objectives={"1": {"status": "completed"}}),
        native("message", text="done"),
        native("stop"),
    )
    assert (session.status, session.title, session.messages) == ("idle", "Nightly", 2)
    assert session.objectives == {"done": 1, "total": 1}
    assert session.tools == {"fetch": {"calls": 1, "errors": 0, "total_ms": 40}}
    kinds = [each.kind for each in session.timeline]
    assert kinds == ["session", "prompt", "tool", "tool", "error", "message"]
    assert after(native("failure", text="no disk")).status == "failed"
    assert after(native("subagent_start", agent_id="a1")).subagents == {"active": 1, "total": 1}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=8,
)
FIELDS = sorted({*EVERY, *(name for each in FULL.values() for name in each)})


@given(st.one_of(
    JSON,
    st.lists(st.builds(
        lambda kind, more: {**event(kind), **more},
        st.sampled_from(sorted(FULL)),
        st.dictionaries(st.sampled_from([*FIELDS, "id", "session", "kind"]), JSON, max_size=4),
    ), max_size=3),
))  # fmt: skip
def test_any_body_is_read_or_refused(told: Any) -> None:
    """Nothing but InvalidPayload is raised, and what is read can be packed and folded."""
    try:
        events = normalize(json.dumps(told).encode(), received_at=NOW)
    except InvalidPayload:
        return
    for each in events:
        assert len(codec.pack(each)) < 256 * 1024
        after(each)


@pytest.mark.parametrize("body", [
    b"", b"{oh", b"[" * 20_000, b'{"a":' * 20_000, b"NaN", b"\xff", b'"x"', b"7",
    b'[{"kind":"update","id":"1","session":"s","agent":"a","budget_usd":1e999}]',
    b'[{"kind":"update","id":"1","session":"s","agent":"a","budget_usd":1%s}]' % (b"0" * 400),
])  # fmt: skip
def test_a_body_that_is_none_is_refused(body: bytes) -> None:
    """Broken, deep, of another type, out of range."""
    with pytest.raises(InvalidPayload):
        normalize(body, received_at=NOW)


def test_hostile_text_is_mended_and_cut() -> None:
    """Lone surrogates, megabytes and deep requests reach no one."""
    deep: Any = []
    for _ in range(400):
        deep = [deep]
    body = json.dumps([
        event("prompt", text="a\ud800" + "x" * 1_000_000, title="\udfff" * 10, cwd="/c" * 9_999),
        event("plan", text="y" * 1_000_000, request={"x": deep, "n": 2**70, "z": "z" * 99_999}),
    ]).encode()  # fmt: skip
    told = normalize(body, received_at=NOW)
    assert all(len(codec.pack(each)) < 128 * 1024 for each in told)
    assert told[0].fields["text"].startswith("a\ufffdx")


def test_a_kind_says_what_it_is() -> None:
    """The schema has a sentence for each."""
    assert all(each.__doc__ for each in get_args(Native))
    assert Happening.__doc__
