"""A checkpoint: the fold goes on from it as if it had never stopped; foreign bytes are refused."""

import subprocess
import sys
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.adapters.claude_hooks import normalize
from session import codec
from session.aging import PAST_MS, STALE_MS, aged
from session.changes import Changes
from session.checkpoint import KEPT, LEFT_OUT, VERSION, Saved, pack, unpack
from session.delta import Delta, Entry, Report
from session.errors import InvalidCheckpoint
from session.fold import fold, new_session
from session.state import Item, OpenTool, Session, Source
from session.timeline import KNOWN_IDS_MAX, Timeline
from tests.ingest.adapters.test_claude_totals import read, sources
from tests.session.made import NOW, after, folded, hook, image, numbered, prompt, refold, reports
from tests.session.test_changes import streams

ROOT = Path(__file__).resolve().parents[2]
ITEM = Item(
    id="i", session="s", kind="plan", tool="Bash", summary="go?", opened_at=1, answerable=True,
    agent_id="a1", call="c", input_hash="h", request={"n": [1, None]}, full_bytes=9,
)  # fmt: skip
# Every field holds something else than it does in a session of which nothing is known.
FULL = Session(
    id="s", workspace="w", agent="codex", host="h", user="u", project="p", cwd="/p", branch="b",
    title="t", model="m", phase="x", event_id="e", status="waiting", status_since=1,
    current_tool="Bash", attention=1, started_at=2, updated_at=3, ended_at=4, archived=True,
    tokens={"input": 5}, cost_usd=0.1, cost_state="partial", context_tokens=6, messages=7,
    tool_calls=8, tool_errors=9, objectives={"done": 1, "total": 2},
    subagents={"active": 1, "total": 2}, budget_usd=0.5, sources={"hooks": 10},
    objectives_list={"2": {"text": "z", "status": "pending", "at": None}, "1": {"text": "a"}},
    tools={"Read": {"calls": 1}, "Bash": {"calls": 2}}, models={"m": {"cost_usd": None}},
    subagents_tree={"a1": {"status": "running"}}, inherited={"tokens": {}, "cost_usd": 0},
    timeline_partial=True, minutes={120_000: {"input": 3}, 60_000: {"input": 2}},
    errors=[{"seq": 1}], timeline=Timeline.emptied(7, b"x" * 16, 11), number=11,
    cursor_number=10, removed_number=9, base="running", base_at=12, hooks_heard_at=13, past=True,
    in_background=True, budget_levels={"session": 80}, items={"i": ITEM}, ended_tools=["c1"],
    cleared_tools=["c2"],
    open_tools={"c": OpenTool(tool="Bash", at=14, agent_id="a1", input_hash="h")},
    agent_signals={"a1": "running"}, usage_sources={"native": {"calls": 1}}, usage_calls=["n:c"],
    silent={"transcript": 5},
    tools_by_family={"hooks": {"Bash": {"calls": 1}}}, usage_family="native",
    messages_by_family={"native": {"prompts": 1}}, usage_by_family={"native": {"m": {"input": 1}}},
    usage_series={"x": {"start": 1}}, titles={"ai": "t"}, prompts={"h2": 2, "h1": 1},
    transcripts={"main": Source(generation=1, to=2, values={"buckets": {"60000": {"input": 2}}})},
)  # fmt: skip


def through(session: Session) -> Session:
    """The session as it comes out of a checkpoint."""
    (saved,) = unpack(pack([Saved(session, "e")]))
    assert saved.epoch == "e"
    return saved.session


def held(session: Session) -> dict[str, Any]:
    """Everything but the series."""
    whole: dict[str, Any] = image(session)
    return {name: whole[name] for name in KEPT} | {"seq": session.timeline.seq}


def told(changes: Changes) -> tuple[Any, ...]:
    """All that a fold says has changed."""
    return (changes.names, changes.keys, changes.opened, changes.closed)


def body_of(data: bytes) -> Any:
    """What stands behind the version number."""
    return msgspec.msgpack.decode(zlib.decompress(data[2:]))


def made_of(body: Any, version: int = VERSION) -> bytes:
    """A checkpoint with that body."""
    return version.to_bytes(2, "big") + zlib.compress(msgspec.msgpack.encode(body))


# Going on.


@given(streams(), st.data())
def test_the_fold_goes_on_from_a_checkpoint_as_if_it_had_never_stopped(
    stream: list[Delta], data: st.DataObject
) -> None:
    """Every later delta changes the same, time included; of the series what comes is the same."""
    log = numbered(stream)
    cut = data.draw(st.integers(1, len(log)))
    live = folded(log[:cut])
    before, restored = live.timeline.seq, through(live)
    assert held(restored) == held(live)
    for delta in log[cut:]:
        assert told(fold(restored, delta)) == told(fold(live, delta))
    for silent_ms in (STALE_MS + 1, PAST_MS + 1):
        due = aged(live, (live.updated_at or 0) + silent_ms)
        assert aged(restored, (restored.updated_at or 0) + silent_ms) == due
        if due is not None:
            assert told(refold(restored, [due])) == told(refold(live, [due]))
    assert held(restored) == held(live)
    assert list(restored.timeline) == [each for each in live.timeline if each.seq > before]
    assert pack([Saved(restored, "e")]) == pack([Saved(live, "e")])


@given(streams(), st.data())
def test_what_was_folded_before_a_checkpoint_changes_nothing_after_it(
    stream: list[Delta], data: st.DataObject
) -> None:
    """A log that is read again from anywhere before it, and reports under fresh numbers."""
    log = numbered(stream)
    cut = data.draw(st.integers(1, len(log)))
    restored = through(folded(log[:cut]))
    assert not any(fold(restored, delta) for delta in log[:cut])
    assert not refold(restored, [each for each in log[:cut] if isinstance(each, Report)])
    assert list(restored.timeline) == []


@given(streams())
def test_a_checkpoint_is_the_same_whenever_it_is_made_of_the_same(stream: list[Delta]) -> None:
    """The same bytes of the same history, of what they hold, and the same sessions of them."""
    log = numbered(stream)
    data = pack([Saved(folded(log), "e1"), Saved(FULL, "e2")])
    assert pack([Saved(folded(log), "e1"), Saved(FULL, "e2")]) == data
    one, other = unpack(data), unpack(data)
    for (session, epoch), (same, again) in zip(one, other, strict=True):
        assert (held(session), epoch) == (held(same), again)
    assert pack(one) == pack(other) == data


def test_what_comes_out_is_nobody_elses() -> None:
    """Folding on changes neither the session that was saved nor a second one read from it."""
    live = after(hook("UserPromptSubmit", prompt="go"), hook("PreToolUse", tool="Bash", call="c"))
    data = pack([Saved(live, "e")])
    one, other = unpack(data)[0].session, unpack(data)[0].session
    refold(one, [hook("PermissionRequest", tool="Bash"), hook("Stop"), hook("SessionEnd")])
    assert pack([Saved(live, "e")]) == pack([Saved(other, "e")]) == data


def test_workers_with_other_hash_seeds_make_the_same_bytes() -> None:
    """The order of a set is nobody's: neither the fold nor the checkpoint goes by it."""
    tools = {f"tool-{n}": {"calls": n, "errors": 0, "total_ms": 0} for n in range(20)}
    report = Report(id="r", session="s", received_at=NOW, to=1, values={"tools": tools})
    log = numbered([hook("PreToolUse", tool=f"own-{n}", call=f"c{n}") for n in range(9)])
    log = [*log, codec.numbered(report, 10)]
    program = (
        "import sys; from session import checkpoint, codec, fold\n"
        "log = [codec.from_json_line(line) for line in sys.stdin.buffer.read().splitlines()]\n"
        "session = fold.new_session(log[0])\n"
        "for delta in log: fold.fold(session, delta)\n"
        "sys.stdout.buffer.write(checkpoint.pack([checkpoint.Saved(session, 'e')]))\n"
    )
    made = {
        subprocess.run(
            [sys.executable, "-c", program], input=codec.to_ndjson(log), cwd=ROOT,
            env={"PYTHONHASHSEED": seed}, capture_output=True, check=True, timeout=60,
        ).stdout
        for seed in ("1", "2", "3")
    }  # fmt: skip
    assert made == {pack([Saved(folded(log), "e")])}


@pytest.mark.fixtures
def test_recorded_sessions_go_on_from_the_middle(shared_fixtures: Path) -> None:
    """All in one checkpoint, each cut in its midst: the bytes at the end are the same."""
    live, later = [], []
    for main in sorted((shared_fixtures / "claude_home" / "projects").glob("*/*.jsonl")):
        log = read(sources(main.with_suffix(""), main), cut=16 * 1024)
        live.append(folded(log[: len(log) // 2 + 1]))
        later.append(log[len(log) // 2 + 1 :])
    restored = unpack(pack(Saved(each, "e") for each in live))
    assert len(restored) == len(live) > 40
    for session, saved, log in zip(live, restored, later, strict=True):
        assert told(refold(saved.session, log)) == told(refold(session, log))
    assert pack(restored) == pack(Saved(each, "e") for each in live)
    assert sum(map(len, later)) > 40


@pytest.mark.fixtures
def test_recorded_hooks_go_on_from_a_checkpoint_after_every_one(shared_fixtures: Path) -> None:
    """893 real payloads, with a restart behind each."""
    lines = (shared_fixtures / "hooks" / "claude_code.jsonl").read_bytes().splitlines()
    live: dict[str, Session] = {}
    restarted: dict[str, Session] = {}
    for count, raw in enumerate(lines):
        event = normalize(raw, delta_id=str(count), received_at=NOW + count, workspace="w")
        session = live.setdefault(event.session, new_session(event))
        again = through(restarted.setdefault(event.session, new_session(event)))
        assert told(refold(again, [event])) == told(refold(session, [event]))
        restarted[event.session] = again
    assert len(live) == 15
    assert {name: held(each) for name, each in restarted.items()} == {
        name: held(each) for name, each in live.items()
    }


# What it holds.


def test_every_field_is_held_or_named_as_left_out() -> None:
    """A field that is new fails here until it has a value above, which then must come back."""
    blank = msgspec.structs.asdict(Session(id="", workspace=""))
    full, back = msgspec.structs.asdict(FULL), msgspec.structs.asdict(through(FULL))
    assert [name for name, value in full.items() if value == blank[name]] == []
    lost = [name for name in full if name != "timeline" and back[name] != full[name]]
    assert lost == list(LEFT_OUT) == ["errors"]
    assert back["errors"] == []


@pytest.mark.parametrize("part", [ITEM, FULL.open_tools["c"], FULL.transcripts["main"]])
def test_every_field_of_a_part_is_held(part: msgspec.Struct) -> None:
    """Of items, open tools and sources: none above is at its default."""
    for field in msgspec.structs.fields(part):
        empty = {} if field.default_factory is dict else field.default
        assert getattr(part, field.name) != empty
    back = through(FULL)
    parts = (back.items, back.open_tools, back.transcripts)
    assert part in [each for collection in parts for each in collection.values()]


def test_maps_keep_their_order() -> None:
    """Objectives are a plan, and full maps let their oldest go."""
    back = through(FULL)
    for name in ("objectives_list", "tools", "prompts", "minutes"):
        assert list(getattr(back, name)) == list(getattr(FULL, name))


def test_the_epoch_of_each_session_is_its_own() -> None:
    """Sessions that nothing changed since a failover keep the cursor that clients hold."""
    other = msgspec.structs.replace(FULL, id="t")
    saved = unpack(pack(iter([Saved(FULL, "e1"), Saved(other, "e2")])))
    assert [(each.session.id, each.epoch) for each in saved] == [("s", "e1"), ("t", "e2")]
    assert unpack(pack([])) == []


def test_a_delta_that_could_not_be_folded_costs_no_checkpoint() -> None:
    """Whatever types an agent told and however far the fold came, it is all read again."""
    session = after(hook("PreToolUse", tool="Bash", call="c"))
    minutes = {"60000": {"input": 1}, "noon": {"input": 1}}
    odd = Report(id="r", session="s", received_at=NOW, to=9, values={"model": 5, "messages": [1]})
    odder = Report(id="q", session="s", received_at=NOW, to=10, values={"buckets": minutes})
    for delta in (odd, odder):
        with pytest.raises((TypeError, ValueError)):
            refold(session, [delta])
    refold(session, [hook("PostToolUse", tool="Bash", call="c", duration_ms=1.5)])
    assert held(through(session)) == held(session)


@pytest.mark.parametrize("value", [{"input": 2**64}, {"input": "\ud800"}])
def test_a_session_that_cannot_be_packed_is_named(value: dict[str, Any]) -> None:
    """So that whoever saves can leave it out."""
    session = msgspec.structs.replace(FULL, tokens=value)
    with pytest.raises(InvalidCheckpoint, match=r"\('w', 's'\)"):
        pack([Saved(session, "e")])


# The ring.


def test_the_ring_covers_nothing_before_the_checkpoint() -> None:
    """Whoever resumes from before it is refused; what comes after it is told."""
    live = after(*(hook("UserPromptSubmit", prompt=f"p{n}") for n in range(5)))
    restored = through(live)
    assert [live.number, restored.timeline.seq, len(restored.timeline)] == [5, 5, 0]
    assert [restored.timeline.since(number) for number in (0, 4, 5)] == [None, None, []]
    refold(restored, [hook("UserPromptSubmit", prompt="next")])
    assert restored.timeline.since(4) is None
    assert [each.seq for each in restored.timeline.since(5) or ()] == [6]


def test_a_prompt_by_hook_before_and_by_transcript_after_is_added_once() -> None:
    """Its id is still known."""
    live = after(hook("UserPromptSubmit", prompt="go"))
    restored = through(live)
    refold(restored, reports(prompt("go") + prompt("on")))
    assert [(each.seq, each.text) for each in restored.timeline] == [
        (2, "session start"), (3, "on"),
    ]  # fmt: skip


def test_the_newest_ids_are_known() -> None:
    """Also after a second checkpoint, with entries between the two."""
    count = KNOWN_IDS_MAX + 36
    session = Session(id="s", workspace="w")
    for number in range(count):
        session.timeline.add(entry(number), number)
    once = through(session)
    once.timeline.add(entry(count), count)
    twice = through(once)
    for restored in (once, twice):
        fresh = [
            number for number in range(37, count + 1) if restored.timeline.add(entry(number), 1)
        ]
        assert fresh == []
    assert twice.timeline.add(entry(36), 1) == count + 2


def entry(number: int) -> Entry:
    """The entry of that number."""
    return Entry(id=f"e{number}", kind="message")


# Foreign bytes.


def test_a_checkpoint_cut_off_anywhere_is_refused() -> None:
    """At every byte, and so is one that goes on."""
    data = pack([Saved(FULL, "e")])
    for end in range(len(data)):
        with pytest.raises(InvalidCheckpoint):
            unpack(data[:end])
    with pytest.raises(InvalidCheckpoint):
        unpack(data + b"\0")


def test_damage_is_found() -> None:
    """Whichever byte is another, it is refused or nothing depends on it."""
    data, refused = pack([Saved(FULL, "e")]), 0
    for place in range(len(data)):
        damaged = data[:place] + bytes([data[place] ^ 0x10]) + data[place + 1 :]
        try:
            assert pack(unpack(damaged)) == data
        except InvalidCheckpoint:
            refused += 1
    assert refused >= len(data) - 1


@pytest.mark.parametrize("version", [0, VERSION + 1, 0x7B22, 0xFFFF])
def test_another_version_is_refused(version: int) -> None:
    """Before anything else of it is read."""
    with pytest.raises(InvalidCheckpoint, match="version"):
        unpack(made_of(body_of(pack([Saved(FULL, "e")])), version))


def test_names_that_are_new_or_gone_cost_nothing() -> None:
    """While programs of two ages run side by side each reads what the other one wrote."""
    (told_of,) = body_of(pack([Saved(FULL, "e")]))
    fields = told_of[1]
    del fields["cleared_tools"], fields["items"]["i"]["full_bytes"]
    fields["later"] = fields["items"]["i"]["later"] = fields["transcripts"]["main"]["later"] = 1
    (saved,) = unpack(made_of([told_of]))
    assert saved.session.cleared_tools == []
    assert saved.session.items["i"].full_bytes is None
    assert saved.session.transcripts == FULL.transcripts


IDS = {"id": "s", "workspace": "w"}


@pytest.mark.parametrize(
    "fields",
    [{}, {"id": "s"}, [], None, {1: 2}, {**IDS, "items": []}, {**IDS, "items": {"i": 5}},
     {**IDS, "items": {"i": {}}}, {**IDS, "ended_tools": {}}, {**IDS, "sources": None},
     {**IDS, "open_tools": {"c": "tool, at"}}],
)  # fmt: skip
def test_fields_that_make_no_session_are_refused(fields: Any) -> None:
    """With an error of this package."""
    with pytest.raises(InvalidCheckpoint):
        unpack(made_of([["e", fields, 1, []]]))


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 2**63) | st.floats() | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(KEPT) | st.text(), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(st.binary(max_size=300), PLAIN, st.dictionaries(st.sampled_from(KEPT), PLAIN, max_size=5))
def test_no_bytes_raise_anything_else(raw: bytes, plain: Any, fields: dict[str, Any]) -> None:
    """InvalidCheckpoint or sessions, however near to a checkpoint they are."""
    head, whole = VERSION.to_bytes(2, "big"), {**IDS, **fields}
    near = [made_of(plain), made_of([["e", whole, 1, []]]), made_of([["e", plain, 1, plain]])]
    for data in (raw, head + raw, head + zlib.compress(raw), *near):
        with suppress(InvalidCheckpoint):
            assert all(isinstance(each.session, Session) for each in unpack(data))


@pytest.mark.parametrize(
    "body", [b"\xdd\xff\xff\xff\xff", b"\x91" * 20_000, b"\x81\x81\x01\x02\x01"]
)
def test_bytes_made_to_hurt_are_refused(body: bytes) -> None:
    """Sizes that nothing follows, lists in lists without end, keys that are maps."""
    with pytest.raises(InvalidCheckpoint):
        unpack(VERSION.to_bytes(2, "big") + zlib.compress(body))
