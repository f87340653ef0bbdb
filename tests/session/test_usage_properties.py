"""What holds of usage by family for every stream, and of fields that are of the wrong kind."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from session.changes import Changes
from session.delta import Delta, Event
from session.fold import fold
from session.state import Session, token_series
from session.usage import usage_of
from tests.session.made import NOW, OPUS, folded, image, log, native, numbered
from tests.session.test_changes import follow
from tests.session.test_fold_properties import mixed_streams
from tests.session.test_usage import MINUTE, point, request, told, totals

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)  # fmt: skip
NAMES = (
    "model", "input", "output", "cache_read", "cache_write", "cost_usd", "call", "aside", "value",
    "adds", "series", "start", "cumulative", "phase", "budget_usd",
)  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from(("usage", "usage_metric", "update")),
                          st.dictionaries(st.sampled_from(NAMES), JSON))))  # fmt: skip
def test_fields_of_any_kind_are_never_numbers(told: list[tuple[str, dict[str, Any]]]) -> None:
    """What is no count counts nothing, and what is told after it counts as ever."""
    session = Session(id="s", workspace="default")
    for number, (kind, fields) in enumerate(told, 1):
        event = Event(id=f"e{number}", session="s", received_at=NOW, source="native", kind=kind,
                      number=number, fields={"model": OPUS, **fields})  # fmt: skip
        assert isinstance(fold(session, event), Changes)
        assert all(row.input >= 0 and row.output >= 0 for row in usage_of(event))
    assert all(value >= 0 for value in (session.tokens or {}).values())
    assert (session.cost_usd or 0) >= 0
    assert session.phase is None or isinstance(session.phase, str)
    msgspec.json.encode(session.usage_sources)


FEW = st.sampled_from(("c1", "c2", "c3"))


@st.composite
def of_events(draw: st.DrawFn) -> Event:
    """Usage, a prompt or a call of a tool, by any family of events."""
    at = NOW + draw(st.integers(0, 3)) * MINUTE
    value = draw(st.integers(1, 50))
    kinds = (
        told(draw(FEW), input=value, at=at, model=draw(st.sampled_from((OPUS, "made-up")))),
        request(draw(FEW), at, input_tokens=value),
        point(value, at=at, cumulative=draw(st.booleans()), start=draw(st.integers(0, 1))),
        native("tool_end", call=draw(FEW), tool="Index", status="ok", duration_ms=value),
        log("claude_code.tool_result", at, tool_name="Bash", success=True),
        native("message", text="hm"),
        log("claude_code.assistant_response", at),
    )
    return draw(st.sampled_from(kinds))


@st.composite
def all_families(draw: st.DrawFn) -> list[Delta]:
    """Hooks, a transcript and all families of events, in any order of arrival."""
    mixed: list[Delta] = [*draw(st.lists(of_events(), max_size=8))]
    if draw(st.booleans()):
        mixed += [msgspec.structs.replace(each, number=0) for each in draw(mixed_streams())]
    events = [each for each in mixed if isinstance(each, Event)]
    places = iter(draw(st.permutations(events)))
    return numbered(next(places) if isinstance(each, Event) else each for each in mixed)


def speaks_for(delta: Delta, family: str) -> bool:
    """Whether the family's usage is told by this delta."""
    if family == "transcript":
        return not isinstance(delta, Event)
    if not isinstance(delta, Event) or delta.kind not in ("usage", "usage_metric"):
        return False
    metrics = delta.kind == "usage_metric"
    return family == (
        "native" if delta.source == "native" else "otlp_metrics" if metrics else "otlp"
    )


@given(all_families())
def test_the_family_that_counts_counts_as_if_it_were_alone(stream: list[Delta]) -> None:
    """Whatever the others say and whenever, nothing of it is in the totals."""
    if not stream:
        return
    session = folded(stream)
    family = session.usage_family
    alone = folded([each for each in stream if family and speaks_for(each, family)])
    assert totals(session) == totals(alone)
    assert list(session.usage_sources)[:1] == ([family] if family else [])
    if family == "transcript":
        assert token_series(session) == token_series(alone)


@given(all_families(), st.lists(st.integers(1, 4), max_size=4))
def test_patches_rebuild_a_session_of_many_families(stream: list[Delta], sizes: list[int]) -> None:
    """What a family takes over is named in full."""
    if stream:
        follow(stream, sizes)


@given(all_families())
def test_a_log_that_is_read_again_counts_nothing_twice(stream: list[Delta]) -> None:
    """Every number is applied once."""
    if not stream:
        return
    session = folded(stream)
    before = image(session)
    assert not any(fold(session, delta) for delta in stream)
    assert image(session) == before
