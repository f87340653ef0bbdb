"""Folding a report: absolute values of one transcript, latest wins, session totals are sums.

Never adds an increment, so that a report may come twice, late or from two readers.
Called by the fold only; the names of ``values`` are the keys of the two tables below.
"""

from collections.abc import Callable
from typing import Any

from session import attention, status
from session.changes import Changes
from session.counts import count_tools, settle_messages
from session.delta import MAIN_SOURCE, Entry, Report
from session.record import (
    add_entries,
    clear_tools,
    note_prompt,
    parts_of,
    refresh_title,
    refresh_tool,
    set_cwd,
    set_names,
    total,
)
from session.signals import fold_signal
from session.state import BLOCKING_KINDS, TOKEN_NAMES, Item, Session, Source
from session.subagents import agent_id_of, end_subagents, refresh_agent
from session.usage import TRANSCRIPT, settle_usage

ENDED_TOOLS_MAX = 64
OBJECTIVE_NAMES = ("text", "status", "at")

# Keys that a report touches, each with what stood there before.
Keys = dict[str, Any]


def fold_report(session: Session, report: Report, changes: Changes) -> bool:
    """Apply ``report``; False if its version is not above the one already applied."""
    source = session.transcripts.get(report.source)
    stale: dict[str, Any] = {}
    if source is not None and report.generation > source.generation:
        stale, source = source.values, None
    if source is None:
        source = session.transcripts[report.source] = Source(generation=report.generation)
    elif (report.generation, report.to) <= (source.generation, source.to):
        return False
    if report.from_ > source.to and not session.timeline_partial:
        session.timeline_partial = True
        changes.name("timeline_partial")
    fresh = [entry for entry in report.entries if entry.offset > source.to]
    source.to = report.to
    _merge(session, report.source, source, report.values, stale, changes)
    _note_prompts(session, fresh)
    add_entries(session, fresh, report.number, changes)
    return True


def _note_prompts(session: Session, entries: list[Entry]) -> None:
    """Ordinals of prompts without an id, so that the next one by a hook gets the same."""
    for entry in entries:
        kind, _, rest = entry.id.partition(":")
        digest, _, ordinal = rest.partition(":")
        if kind == "prompt" and ordinal.isdecimal():
            note_prompt(session, digest, max(session.prompts.get(digest, 0), int(ordinal)))


def _merge(
    session: Session, name: str, source: Source, values: dict[str, Any], stale: dict[str, Any],
    changes: Changes,
) -> None:  # fmt: skip
    """Upsert ``values`` into the source, then roll up what they touch.

    ``stale`` is what an earlier generation said: whatever is not said anew is taken back.
    """
    for key, roll in KEYED.items():
        told = {**dict.fromkeys(stale.get(key, ())), **values.get(key, {})}
        if told:
            roll(session, name, _upsert(source, key, told, stale.get(key, {})), changes)
    source.values.update({key: value for key, value in values.items() if key not in KEYED})
    for key, plain in PLAIN.items():
        if key in values or (key in stale and key in RETRACTABLE):
            plain(session, name, values.get(key), changes)


def _upsert(
    source: Source, key: str, told: dict[str, Any], stale: dict[str, Any]
) -> dict[str, Any]:
    """Put keys into a source's map, None takes one out; gives what stood there before."""
    held = source.values.setdefault(key, {})
    before = {inner: held.get(inner, stale.get(inner)) for inner in told}
    for inner, value in told.items():
        if isinstance(value, dict) and value.get("ended"):
            held.pop(inner, None)
            before[inner] = value
        elif value is None:
            held.pop(inner, None)
        else:
            held[inner] = value
    return before


def _fold_calls(session: Session, name: str, models: Keys, changes: Changes) -> None:
    """``calls``: model → {input, output, cache_read, cache_write, cost_usd, calls, unpriced}."""
    settle_usage(session, TRANSCRIPT, models, changes)
    agent_id = agent_id_of(name)
    if agent_id is not None:
        refresh_agent(session, agent_id, changes)


def _fold_tools(session: Session, _: str, tools: Keys, changes: Changes) -> None:
    """``tools``: name → {calls, errors, total_ms}; from now on events do not count."""
    held = parts_of(session, "tools")
    counted_by_events = session.tools if session.tools_by_family else {}
    session.tools_by_family = {}
    for tool in {**tools, **counted_by_events}:  # never a set: workers must agree on the order
        parts = [each[tool] for each in held if tool in each]
        if parts:
            session.tools[tool] = total(parts, ("calls", "errors", "total_ms"))
        elif session.tools.pop(tool, None):
            session.removed_number = -1
        changes.key("tools", tool)
    count_tools(session, changes)


def _fold_buckets(session: Session, _: str, minutes: Keys, changes: Changes) -> None:
    """``buckets``: start of the minute in ms, as text → {input, …, cost_usd}."""
    if session.usage_family not in (None, TRANSCRIPT):
        return
    held = parts_of(session, "buckets")
    for minute in minutes:
        parts = [buckets[minute] for buckets in held if minute in buckets]
        at = int(minute)
        if parts:
            session.minutes[at] = total(parts, (*TOKEN_NAMES, "cost_usd"))
        else:
            session.minutes.pop(at, None)
            session.removed_number = -1
        changes.key("token_series", at)


def _fold_objectives(session: Session, name: str, ids: Keys, changes: Changes) -> None:
    """``objectives``: id → {text, status, at}; the main transcript's only."""
    if name != MAIN_SOURCE:
        return
    held = session.transcripts[name].values["objectives"]
    for objective in ids:
        if objective in held:
            session.objectives_list[objective] = _shown(held[objective])
        elif session.objectives_list.pop(objective, None) is not None:
            session.removed_number = -1
        changes.key("objectives_list", objective)
    count_objectives(session, changes)


def _shown(told: dict[str, Any]) -> dict[str, Any]:
    """An objective as clients get it; what a newer reader tells besides is not for them."""
    return {name: told.get(name) for name in OBJECTIVE_NAMES}


def count_objectives(session: Session, changes: Changes) -> None:
    """Roll the objectives up into the summary."""
    listed = session.objectives_list.values()
    done = sum(each["status"] == "completed" for each in listed)
    counts = {"done": done, "total": len(listed)} if listed else None
    set_names(session, changes, objectives=counts)


def _fold_titles(session: Session, name: str, kinds: Keys, changes: Changes) -> None:
    """``titles``: kind → text; the main transcript's only."""
    if name != MAIN_SOURCE:
        return
    held = session.transcripts[name].values["titles"]
    for kind in kinds:
        if kind in held:
            session.titles[kind] = held[kind]
        else:
            session.titles.pop(kind, None)
    refresh_title(session, changes)


def _fold_open_calls(session: Session, name: str, before: Keys, changes: Changes) -> None:
    """``open_calls``: tool_use_id → {tool, at, kind?, summary?, request?} or {tool, at, ended}.

    A question or a plan that has no result yet is what the person is waited for.
    """
    held = session.transcripts[name].values["open_calls"]
    agent_id = agent_id_of(name)
    for call, was in before.items():
        asked = held.get(call)
        if asked is None:
            _end_call(session, call, was or {}, agent_id, changes)
        elif was and was.get("kind") and not asked.get("kind"):  # it turned out to be another
            attention.close_call(session, call, was["tool"], agent_id, "answered", changes)
        elif asked.get("kind") in BLOCKING_KINDS and not _is_over(session, call):
            item = Item(
                id=call,
                session=session.id,
                kind=asked["kind"],
                tool=asked["tool"],
                summary=asked.get("summary", ""),
                opened_at=asked["at"],
                agent_id=agent_id,
                call=call,
                request=asked.get("request"),
            )
            attention.open_item(session, item, changes)
    if session.hooks_heard_at is not None:
        refresh_tool(session, changes)
    elif name == MAIN_SOURCE:
        latest = max(held.values(), key=lambda each: each["at"], default=None)
        set_names(session, changes, current_tool=latest["tool"] if latest else None)


def _is_over(session: Session, call: str) -> bool:
    """Whether hooks told of the call's end, or of its turn's, before the line was read."""
    return call in session.ended_tools or call in session.cleared_tools


def _end_call(
    session: Session, call: str, was: dict[str, Any], agent_id: str | None, changes: Changes
) -> None:
    """The transcript has the call's result, or gave it up.

    It lags: a request that matches no call is answered only by an end that came after it.
    """
    session.open_tools.pop(call, None)
    ended_at = 0 if call in session.ended_tools else was.get("at") or 0
    attention.close_call(
        session, call, was.get("tool"), agent_id, "answered", changes, ended_at=ended_at
    )


def _fold_prompted(session: Session, name: str, at: int, changes: Changes) -> None:
    """``prompted_at``: when a person prompted last, which answers whatever was asked before."""
    if name == MAIN_SOURCE:
        attention.close_before(session, at - status.TRANSCRIPT_LAG_MS, "prompted", changes)


def _fold_subagent(session: Session, name: str, _: Any, changes: Changes) -> None:
    """``subagent``: {type, parent, status} of a subagent's own transcript."""
    agent_id = agent_id_of(name)
    if agent_id is not None:
        refresh_agent(session, agent_id, changes)


def _fold_agents(session: Session, _: str, ids: Keys, changes: Changes) -> None:
    """``agents``: agent_id → {type, status}, what a parent's transcript says of a subagent."""
    for agent_id in ids:
        refresh_agent(session, agent_id, changes)


def _fold_messages(session: Session, _: str, __: Any, changes: Changes) -> None:
    settle_messages(session, changes)


def _fold_inherited(session: Session, _: str, __: Any, changes: Changes) -> None:
    """``inherited``: {tokens, cost_usd} of the lines that another session owns."""
    parts = [part for part in parts_of(session, "inherited") if part]
    tokens = total([part["tokens"] for part in parts], TOKEN_NAMES)
    cost_usd = sum(part["cost_usd"] or 0 for part in parts)
    whole = {"tokens": tokens, "cost_usd": cost_usd} if parts else None
    set_names(session, changes, inherited=whole)


def _fold_own(field: str) -> Callable[[Session, str, Any, Changes], None]:
    """A scalar that the main transcript decides; a subagent's only fills the gap."""

    def fold(session: Session, name: str, value: Any, changes: Changes) -> None:
        if name == MAIN_SOURCE or MAIN_SOURCE not in session.transcripts:
            set_names(session, changes, **{field: value})

    return fold


def _fold_cwd(session: Session, name: str, value: str, changes: Changes) -> None:
    if name == MAIN_SOURCE or session.cwd is None:
        set_cwd(session, value, changes)


def _fold_started(session: Session, _: str, at: int, changes: Changes) -> None:
    if session.started_at is None or at < session.started_at:
        set_names(session, changes, started_at=at)


def _fold_past(session: Session, _: str, at: int, changes: Changes) -> None:
    """``past``: the last line's time, if the reader found it over a day old."""
    make_past(session, at, changes)


def make_past(session: Session, at: int, changes: Changes) -> None:
    """Silent for a day: over, unless a person is still waited for or something newer is known."""
    if status.is_blocked(session) or (session.updated_at or 0) > at:
        return
    attention.close_all(session, None, "past", changes)
    clear_tools(session, subagents=True)
    session.base = "ended"
    session.base_at = max(session.base_at or at, at)
    ended_at = max(session.ended_at or at, at)
    set_names(session, changes, ended_at=ended_at, current_tool=None, silent={})
    end_subagents(session, changes)
    status.settle(session, at, changes)
    session.past = True


KEYED: dict[str, Callable[[Session, str, Keys, Changes], None]] = {
    "calls": _fold_calls,
    "tools": _fold_tools,
    "buckets": _fold_buckets,
    "objectives": _fold_objectives,
    "titles": _fold_titles,
    "open_calls": _fold_open_calls,
    "agents": _fold_agents,
}
PLAIN: dict[str, Callable[[Session, str, Any, Changes], None]] = {
    "started_at": _fold_started,
    "cwd": _fold_cwd,
    "branch": _fold_own("branch"),
    "model": _fold_own("model"),
    "context_tokens": _fold_own("context_tokens"),
    "messages": _fold_messages,
    "inherited": _fold_inherited,
    "subagent": _fold_subagent,
    "prompted_at": _fold_prompted,
    "signal": lambda session, _, __, changes: fold_signal(session, changes),
    "past": _fold_past,
}
# What a new generation takes back by not saying it.
RETRACTABLE = frozenset({"branch", "model", "context_tokens", "messages", "inherited"})
