"""What holds of the fold for every stream: facts are values with a version, not increments."""

from itertools import pairwise
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from session import codec
from session.delta import Delta, Report
from session.fold import fold, new_session
from session.state import BLOCKING_KINDS, TOKEN_NAMES, Session, token_series
from tests.session.made import NOW, assistant, folded, image, numbered, refold, reports
from tests.session.strategies import boundaries, cuts_of, hook_streams, transcripts

TOTALS = (
    "tokens", "cost_usd", "cost_state", "models", "tools", "tool_calls", "tool_errors",
    "messages", "inherited", "objectives_list",
)  # fmt: skip


def totals(session: Session) -> dict[str, Any]:
    """What the sources add up to."""
    sums = {name: getattr(session, name) for name in TOTALS}
    subagents = {name: {**each, "status": None} for name, each in session.subagents_tree.items()}
    return sums | {"series": token_series(session), "subagents": subagents}


@st.composite
def whole_sessions(draw: st.DrawFn) -> list[list[Delta]]:
    """Each source's deltas in order: the main transcript and up to three subagents."""
    streams: list[list[Delta]] = []
    for name in ("main", "subagents/agent-a", "subagents/agent-b", "subagents/agent-c"):
        lines = draw(transcripts(name.rpartition("/")[2]))
        streams.append(list(reports(b"".join(lines), name, draw(cuts_of(lines)))))
    return streams[: draw(st.integers(2, 4))]


def interleaved(streams: list[list[Delta]], order: st.DataObject) -> list[Delta]:
    """All of them in one order in which each source keeps its own."""
    waiting = [list(stream) for stream in streams if stream]
    mixed = []
    while waiting:
        chosen = order.draw(st.sampled_from(range(len(waiting))))
        mixed.append(waiting[chosen].pop(0))
        waiting = [stream for stream in waiting if stream]
    return numbered(mixed)


@st.composite
def mixed_streams(draw: st.DrawFn) -> list[Delta]:
    """Hooks and the main transcript of one session, in any order of arrival."""
    lines = draw(transcripts())
    told = reports(b"".join(lines), cuts=draw(cuts_of(lines)))
    events = draw(hook_streams())
    places = draw(st.lists(st.integers(0, len(events)), min_size=len(told), max_size=len(told)))
    mixed: list[Delta] = list(events)
    for place, report in sorted(zip(places, told, strict=True), key=lambda each: -each[0]):
        mixed.insert(place, report)
    ordered = iter(told)
    return numbered(next(ordered) if isinstance(each, Report) else each for each in mixed)


@given(mixed_streams())
def test_folding_each_delta_twice_changes_nothing(stream: list[Delta]) -> None:
    """The second of two equal deltas changes nothing at all."""
    session = new_session(stream[0])
    for delta in stream:
        fold(session, delta)
        before = image(session)
        assert not fold(session, delta)
        assert image(session) == before


@given(mixed_streams())
def test_folding_the_stream_twice_changes_nothing(stream: list[Delta]) -> None:
    """A log that is read again from its beginning changes nothing."""
    session = folded(stream)
    before = image(session)
    assert not any(fold(session, delta) for delta in stream)
    assert image(session) == before


@given(transcripts(), st.data())
def test_reports_sent_again_change_nothing(lines: list[bytes], data: st.DataObject) -> None:
    """A report under a fresh number is known by its version."""
    stream = reports(b"".join(lines), cuts=data.draw(cuts_of(lines)))
    session = folded(stream)
    before = image(session, log=False)
    assert not refold(session, stream)
    assert image(session, log=False) == before


@given(transcripts(), st.data())
def test_a_second_reader_from_zero_changes_nothing(lines: list[bytes], data: st.DataObject) -> None:
    """A reader that starts again at 0 and cuts elsewhere adds nothing to what is known."""
    whole = b"".join(lines)
    session = folded(reports(whole, cuts=data.draw(cuts_of(lines))))
    before = image(session, log=False)
    assert not refold(session, reports(whole, cuts=data.draw(cuts_of(lines))))
    assert image(session, log=False) == before


@given(transcripts(), st.data())
def test_a_reader_that_continues_agrees_with_one_that_read_all(
    lines: list[bytes], data: st.DataObject
) -> None:
    """What a second reader sends beyond the known offset leads to the same values."""
    whole, stop = b"".join(lines), data.draw(st.sampled_from(boundaries(lines)))
    first = reports(whole[:stop], cuts=data.draw(cuts_of(lines)))
    session = folded([each for each in first if each.to <= stop])
    refold(session, reports(whole, cuts={stop}))
    assert totals(session) == totals(folded(reports(whole)))


@given(whole_sessions(), st.data())
def test_any_interleaving_of_sources_gives_the_same_totals(
    streams: list[list[Delta]], data: st.DataObject
) -> None:
    """Totals are sums over the sources, whoever came first."""
    one = folded(interleaved(streams, data))
    other = folded(interleaved(streams, data))
    assert totals(one) == totals(other)


@given(whole_sessions(), st.data())
def test_any_interleaving_of_sources_gives_the_same_status(
    streams: list[list[Delta]], data: st.DataObject
) -> None:
    """The status, too, depends on what the files say, not on which was read first."""
    one = folded(interleaved(streams, data))
    other = folded(interleaved(streams, data))
    assert (one.status, one.subagents, one.attention) == (
        other.status, other.subagents, other.attention,
    )  # fmt: skip


@given(transcripts(), st.data())
def test_any_cut_between_lines_gives_the_same_state(
    lines: list[bytes], data: st.DataObject
) -> None:
    """A file read in pieces says the same as the file read whole."""
    whole = b"".join(lines)
    pieces, at_once = reports(whole, cuts=data.draw(cuts_of(lines))), reports(whole)
    one, other = folded(pieces), folded(at_once)
    assert totals(one) == totals(other)
    assert (one.status, one.attention, one.title) == (other.status, other.attention, other.title)
    assert [each.id for part in pieces for each in part.entries] == [
        each.id for part in at_once for each in part.entries
    ]


@given(transcripts("old"), transcripts("new"), st.data())
def test_a_higher_generation_replaces_the_values_whole(
    old: list[bytes], new: list[bytes], data: st.DataObject
) -> None:
    """Of a file that became another one nothing is left but the timeline."""
    session = folded(reports(b"".join(old), cuts=data.draw(cuts_of(old))))
    again = reports(b"".join(new), cuts=data.draw(cuts_of(new)), generation=1)
    assume(again)  # a file that tells no time is not reported
    refold(session, again)
    fresh = folded(again)
    nothing = {"tokens": dict.fromkeys(TOKEN_NAMES, 0), "cost_usd": 0}
    for one in (session, fresh):
        one.inherited = one.inherited or nothing
    assert totals(session) == totals(fresh)
    assert session.title == fresh.title
    assert session.attention == fresh.attention


@given(transcripts("old"), transcripts("new"))
def test_a_lower_generation_changes_nothing(old: list[bytes], new: list[bytes]) -> None:
    """A late report of the file as it was before is void."""
    renewed = reports(b"".join(new), generation=1)
    assume(renewed)  # a file that tells no time is not reported
    session = folded(renewed)
    before = image(session, log=False)
    refold(session, reports(b"".join(old)))
    heard = {"updated_at", "sources", "started_at"}
    now = image(session, log=False)
    assert {k: v for k, v in now.items() if k not in heard} == {
        k: v for k, v in before.items() if k not in heard
    }


@given(transcripts(), st.lists(st.integers(0, 600), min_size=0, max_size=400, unique=True))
def test_the_series_holds_every_token_that_has_a_time(
    lines: list[bytes], minutes: list[int]
) -> None:
    """Older minutes are merged and none is dropped, also beyond 240 of them."""
    more = [assistant(f"m{each}", at=NOW + each * 60_000) for each in minutes]
    told_by = reports(b"".join([*lines, *more]))
    assume(told_by)  # a file that tells no time is not reported
    session = folded(told_by)
    usage = [row for report in told_by for row in report.usage]
    latest = {row.message_id: row for row in usage}
    rows = {key: row for key, row in latest.items() if row.at is None and not row.forked}
    series = token_series(session)
    assert len(series) <= 240
    assert all(one["at"] < other["at"] for one, other in pairwise(series))
    for name in TOKEN_NAMES:
        timeless = sum(getattr(row, name) for row in rows.values())
        told = (session.tokens or {}).get(name, 0)
        assert sum(each[name] for each in series) == told - timeless


@given(mixed_streams())
def test_the_fold_never_mutates_a_delta(stream: list[Delta]) -> None:
    """Recorder and hubs share one object on the memory bus."""
    before = [codec.pack(delta) for delta in stream]
    folded(stream)
    assert [codec.pack(delta) for delta in stream] == before


@given(hook_streams(steps=(0, 10, 3_000, -500)))
def test_a_session_reads_waiting_exactly_while_something_blocks(stream: list[Delta]) -> None:
    """Whatever the clocks say, an open request shows and a closed one does not."""
    session = new_session(stream[0])
    for delta in numbered(stream):
        fold(session, delta)
        blocked = any(item.kind in BLOCKING_KINDS for item in session.items.values())
        assert (session.status == "waiting") == blocked
        assert session.attention == len(session.items)


@given(mixed_streams())
def test_a_log_cut_anywhere_continues_to_the_same_state(stream: list[Delta]) -> None:
    """Overlapping batches, as a hub reads them after a reconnect, end in the same state."""
    session = new_session(stream[0])
    for start in range(0, len(stream), 2):
        for delta in stream[max(0, start - 2) : start + 2]:
            fold(session, delta)
    assert image(session) == image(folded(stream))
