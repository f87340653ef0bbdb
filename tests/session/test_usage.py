"""Usage by family: the best one that told counts alone, and nothing is ever added to it."""

from typing import Any

import pytest

from session.delta import Delta, Event, Usage
from session.state import Session, token_series
from session.usage import CALLS_MAX, FAMILIES, MODELS_MAX, SERIES_MAX, usage_of
from tests.session.made import (
    NOW,
    OPUS,
    after,
    assistant,
    folded,
    hook,
    line,
    log,
    metric,
    native,
    prompt,
    refold,
    reports,
    usage,
)

MINUTE = 60_000
TOTALS = ("tokens", "cost_usd", "cost_state", "models")


def told(call: str | None = None, **fields: Any) -> Event:
    """A call by a native event: 10 in, 2 out."""
    named = {"call": call} if call else {}
    return native("usage", **{"model": OPUS, "input": 10, "output": 2, **named, **fields})


def request(call: str, at: int = NOW, **fields: Any) -> Event:
    """A call by a log record of Claude Code: 100 in, 20 out, half a dollar."""
    record = {"model": OPUS, "input_tokens": 100, "output_tokens": 20, "cost_usd": 0.5}
    return log("claude_code.api_request", at, **{**record, "request_id": call, **fields})


def point(value: float, kind: str = "input", **more: Any) -> Event:
    """Tokens by a metric of Claude Code."""
    return metric("claude_code.token.usage", value, model=OPUS, type=kind, **more)


def tokens(session: Session) -> tuple[int, int]:
    """In and out."""
    assert session.tokens is not None
    return session.tokens["input"], session.tokens["output"]


def totals(session: Session) -> dict[str, Any]:
    """What comes from exactly one family."""
    return {name: getattr(session, name) for name in TOTALS}


def test_hooks_alone_leave_usage_unknown() -> None:
    """Unknown is null, and no source of usage is listed."""
    session = after(hook("UserPromptSubmit", prompt="go"), hook("Stop"))
    assert (session.tokens, session.cost_usd, session.cost_state) == (None, None, "unknown")
    assert session.usage_sources == {}


def test_native_usage_counts_where_nothing_better_tells() -> None:
    """Tokens and cost add up call by call, by model and by minute."""
    session = after(told("a", cost_usd=0.1), told("b", cost_usd=0.2, at=NOW - MINUTE))
    assert tokens(session) == (20, 4)
    assert session.cost_usd == pytest.approx(0.3)
    assert (session.cost_state, session.models[OPUS]["calls"]) == ("priced", 2)
    assert [each["input"] for each in token_series(session)] == [10, 10]
    assert (session.model, session.context_tokens) == (OPUS, 12)


def test_a_call_without_a_price_is_shown_as_such() -> None:
    """Nothing is guessed: partial, or unpriced where no call has one."""
    unknown = told("a", model="made-up-model")
    assert (after(unknown).cost_state, after(unknown).cost_usd) == ("unpriced", None)
    assert after(unknown, told("b", cost_usd=0.25)).cost_state == "partial"


def test_a_better_family_takes_over_entirely() -> None:
    """Native, metrics, logs, transcript: each displaces the one before and adds nothing to it."""
    session = after(told("a"))
    refold(session, [point(7)])
    assert tokens(session) == (7, 0)
    refold(session, [request("r1")])
    assert (tokens(session), session.cost_usd) == ((100, 20), 0.5)
    refold(session, reports(prompt("go") + assistant("m1")))
    assert tokens(session) == (100, 10)
    assert list(session.usage_sources) == list(FAMILIES)
    assert [each["tokens"]["input"] for each in session.usage_sources.values()] == [100, 100, 7, 10]


def test_what_comes_later_from_a_lesser_family_changes_no_total() -> None:
    """It is told beside the one that counts."""
    session = folded(reports(assistant("m1")))
    before = totals(session) | {"series": token_series(session)}
    changes = refold(session, [request("r1"), told("a"), point(5)])
    assert totals(session) | {"series": token_series(session)} == before
    assert changes.names & {"tokens", "cost_usd", "cost_state"} == set()
    assert session.usage_sources["otlp"] == {
        "tokens": {"input": 100, "output": 20, "cache_read": 0, "cache_write": 0},
        "cost_usd": 0.5,
        "cost_state": "priced",
        "calls": 1,
    }


def test_each_source_says_how_much_of_its_own_cost_is_known() -> None:
    """A cost that lacks some calls must not look like one that is whole."""
    session = after(told("a", model="home-made"), told("b"), request("r1"))
    states = {name: each["cost_state"] for name, each in session.usage_sources.items()}
    assert states == {"otlp": "priced", "native": "partial"}


def test_models_of_the_family_before_are_gone() -> None:
    """A map holds keys of one family alone."""
    session = after(told("a", model="home-made"), request("r1"))
    assert list(session.models) == [OPUS]
    assert session.removed_number == 2


def test_a_transcript_without_a_call_does_not_hide_what_is_known() -> None:
    """Only one that tells usage takes over."""
    session = after(request("r1"))
    refold(session, reports(prompt("go")))
    assert tokens(session) == (100, 20)


def test_a_file_that_became_another_gives_the_word_back() -> None:
    """Its calls are gone, so what OTLP said counts again."""
    session = after(request("r1"))
    refold(session, reports(assistant("m1")))
    refold(session, reports(line("queue-operation", NOW + 1), generation=5))
    assert tokens(session) == (100, 20)
    assert list(session.usage_sources) == ["otlp"]


def test_the_series_is_of_the_family_that_counts() -> None:
    """A transcript brings its minutes, whatever was drawn before."""
    session = after(request("r1", NOW - 5 * MINUTE))
    refold(session, reports(assistant("m1", at=NOW)))
    assert [(each["at"], each["input"]) for each in token_series(session)] == [
        (NOW - NOW % MINUTE, 100)
    ]


@pytest.mark.parametrize("again", [told("a"), told("a", input=500)])
def test_a_call_that_is_told_twice_counts_once(again: Event) -> None:
    """An exporter that was restarted sends it under another id."""
    assert tokens(after(told("a"), again)) == (10, 2)


def test_the_same_call_by_two_families_is_heard_of_both() -> None:
    """Neither hides the other."""
    session = after(told("a"), request("a"))
    assert [each["calls"] for each in session.usage_sources.values()] == [1, 1]


def test_so_many_calls_are_remembered() -> None:
    """The last 256."""
    session = folded([told(f"c{n}") for n in range(CALLS_MAX + 10)])
    assert len(session.usage_calls) == CALLS_MAX
    refold(session, [told(f"c{CALLS_MAX + 9}")])
    assert session.models[OPUS]["calls"] == CALLS_MAX + 10


# Metrics.


def test_deltas_of_a_metric_add_up() -> None:
    """Each point is an increment; how many calls it was, nobody knows."""
    cost = metric("claude_code.cost.usage", 0.25, model=OPUS)
    session = after(point(5), point(7), point(3, "cacheRead"), cost)
    assert session.tokens == {"input": 12, "output": 0, "cache_read": 3, "cache_write": 0}
    assert (session.cost_usd, session.cost_state) == (0.25, "priced")
    assert session.models[OPUS]["calls"] is None
    assert session.usage_sources["otlp_metrics"]["calls"] is None


def test_tokens_without_a_cost_are_unpriced() -> None:
    """A sum over many calls has no price of its own."""
    assert after(point(5)).cost_state == "unpriced"


def test_a_cumulative_metric_adds_what_is_new() -> None:
    """Late, repeated and lower points of the same start add nothing."""
    values = (10, 30, 20, 30, 31)
    session = folded([point(value, cumulative=True, start=1) for value in values])
    assert tokens(session) == (31, 0)


def test_another_start_begins_anew() -> None:
    """A process that was started again counts from 0; what the old one still sends is late."""
    first = [point(10, cumulative=True, start=1), point(30, cumulative=True, start=1)]
    session = folded([*first, point(5, cumulative=True, start=2)])
    refold(session, [point(90, cumulative=True, start=1), point(6, cumulative=True, start=2)])
    assert tokens(session) == (36, 0)


def test_a_series_that_is_one_too_many_adds_nothing() -> None:
    """Rather nothing than the same twice."""
    many = [point(1, cumulative=True, start=1, n=n) for n in range(SERIES_MAX + 5)]
    session = folded([*many, *many])
    assert tokens(session) == (SERIES_MAX, 0)


def test_more_models_than_anybody_uses_are_one() -> None:
    """No agent fills the board with names."""
    session = folded([told(f"c{n}", model=f"m{n}") for n in range(MODELS_MAX + 5)])
    assert len(session.models) == MODELS_MAX + 1
    assert session.models["other"]["calls"] == 5


def test_an_input_that_includes_the_cache_is_told_without_it() -> None:
    """Gemini CLI's metric counts cached tokens twice."""
    names = {"name": "gemini_cli.token.usage", "model": "gemini-2.5-pro"}
    session = after(
        metric(value=100, type="input", **names), metric(value=80, type="cache", **names)
    )
    assert session.tokens == {"input": 20, "output": 0, "cache_read": 80, "cache_write": 0}


# Tools and messages.


def test_tool_calls_are_of_one_family() -> None:
    """Hooks count until a better family does, and it takes over entirely."""
    session = after(
        hook("PreToolUse", tool="Bash", call="t1"), hook("PreToolUse", tool="Read", call="t2")
    )
    refold(session, [native("tool_start", call="x", tool="Index")])
    assert session.tools == {"Index": {"calls": 1, "errors": 0, "total_ms": 0}}
    refold(session, [log("claude_code.tool_result", tool_name="Bash", tool_use_id="t1",
                         success="false", duration_ms="7")])  # fmt: skip
    assert session.tools == {"Bash": {"calls": 1, "errors": 1, "total_ms": 7}}
    assert (session.tool_calls, session.tool_errors) == (1, 1)


def test_messages_are_counted_where_both_sides_are_told() -> None:
    """Prompts and messages of one family; hooks alone do not tell what the agent said."""
    assert after(hook("UserPromptSubmit", prompt="go")).messages is None
    assert after(native("prompt", text="go")).messages is None
    session = after(native("prompt", text="go"), native("message", text="done"))
    assert session.messages == 2
    refold(session, [log("claude_code.user_prompt"), log("claude_code.assistant_response")] * 2)
    assert session.messages == 4
    refold(session, reports(prompt("go")))
    assert session.messages == 1


# Telemetry comes late.


def test_a_late_prompt_closes_nothing() -> None:
    """Hooks told it seconds ago; what was asked since then is still open."""
    session = after(
        hook("UserPromptSubmit", prompt="go"),
        hook("PreToolUse", NOW + 1, tool="Bash", call="t1"),
        hook("PermissionRequest", NOW + 2, tool="Bash"),
    )
    entries = len(session.timeline)
    refold(session, [log("claude_code.user_prompt", NOW + 5_000, prompt="go")])
    assert (session.status, session.attention, len(session.timeline)) == ("waiting", 1, entries)


def test_a_late_prompt_closes_no_question_of_a_native_agent() -> None:
    """Whoever posts events tells at once; its telemetry comes behind."""
    session = after(native("question", text="which?"))
    refold(session, [log("claude_code.user_prompt", NOW + 5_000, prompt="go")])
    assert session.status == "waiting"


def test_telemetry_alone_is_the_signal() -> None:
    """Where neither hooks nor a transcript tell, it says what the agent does."""
    session = after(log("gemini_cli.user_prompt", prompt="go", prompt_id="p1"))
    assert (session.agent, session.status, session.title) == ("gemini-cli", "running", "go")
    assert [each.kind for each in session.timeline] == ["prompt"]
    refold(session, [log("gemini_cli.api_error", error="overloaded", status_code=529)])
    assert [each["text"] for each in session.errors] == ["overloaded (status 529)"]


def test_a_helpers_call_is_counted_and_does_not_name_the_model() -> None:
    """Titles are written by a smaller model than the one that is talked to."""
    session = after(
        request("r1"), request("r2", model="claude-haiku-4-5", query_source="auxiliary")
    )
    assert (session.model, session.context_tokens, session.cost_usd) == (OPUS, 120, 1.0)


# Single calls, for whoever keeps them.


def test_every_delta_tells_its_calls() -> None:
    """A report its rows, a usage event one, which names the request that both tell of."""
    (report,) = reports(assistant("m1", requestId="req_1"))
    assert usage_of(report) == report.usage
    assert report.usage[0].request_id == "req_1"
    assert usage_of(request("req_1")) == [
        Usage(message_id="otlp:s:req_1", request_id="req_1", model=OPUS, at=NOW, input=100,
              output=20, cost_usd=0.5)
    ]  # fmt: skip
    nothing: list[Delta] = [hook("Stop"), point(5), native("update")]
    assert [usage_of(each) for each in nothing] == [[], [], []]


def test_a_call_without_a_name_has_one_of_its_own() -> None:
    """Two of them are two rows."""
    one, two = told(), told()
    assert usage_of(one)[0].message_id != usage_of(two)[0].message_id
    assert tokens(after(one, two)) == (20, 4)


def test_a_metric_that_is_asked_of_usage_tells_what_it_can() -> None:
    """Output and cache have names of their own."""
    kinds = {"output": "output", "cacheCreation": "cache_write", "cacheRead": "cache_read"}
    for kind, name in kinds.items():
        session = after(point(4, kind))
        assert session.tokens is not None
        assert session.tokens[name] == 4


def test_usage_blocks_of_transcripts_are_as_before() -> None:
    """The sums of a transcript alone do not change by the company it may have."""
    session = folded(reports(assistant("m1", usage=usage(7)) + assistant("m2", model="made-up")))
    assert (tokens(session), session.cost_state) == ((200, 17), "partial")
    assert session.models["made-up"]["cost_usd"] is None
    assert session.usage_sources["transcript"]["calls"] == 2
