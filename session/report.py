"""Folding a report: absolute values of one transcript, latest wins, session totals are sums.

Never adds an increment, so that a report may come twice, late or from two readers.
Called by the fold only; the names of ``values`` are the keys of the two tables below.
"""

from collections.abc import Callable
from typing import Any

from session import attention, status
from session.changes import Changes
from session.delta import MAIN_SOURCE, Entry, Report
from session.record import (
    add_entries,
    clear_tools,
    note_prompt,
    refresh_title,
    refresh_tool,
    set_cwd,
    set_names,
)
from session.state import BLOCKING_KINDS, STATUSES, TOKEN_NAMES, Item, Session, Source
from session.subagents import agent_id_of, end_subagents, refresh_agent

ENDED_TOOLS_MAX = 64

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


def _held(session: Session, key: str) -> list[dict[str, Any]]:
    """That map of every source, in the order of their names: sums must not depend on arrival."""
    ordered = sorted(session.transcripts.items())
    return [source.values[key] for _, source in ordered if key in source.values]


def _sum(parts: list[dict[str, Any]], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: sum(part.get(name) or 0 for part in parts) for name in names}


def _fold_calls(session: Session, name: str, models: Keys, changes: Changes) -> None:
    """``calls``: model → {input, output, cache_read, cache_write, cost_usd, calls, unpriced}."""
    held = _held(session, "calls")
    for model in models:
        parts = [calls[model] for calls in held if model in calls]
        if not parts:
            session.models.pop(model, None)
            session.removed_number = -1
        else:
            whole = _sum(parts, ("cost_usd", "calls", "unpriced"))
            session.models[model] = {
                "tokens": _sum(parts, TOKEN_NAMES),
                "cost_usd": whole["cost_usd"] if whole["calls"] > whole["unpriced"] else None,
                "calls": whole["calls"],
                "unpriced": whole["unpriced"],
            }
        changes.key("models", model)
    ordered = [session.models[model] for model in sorted(session.models)]
    unpriced = sum(model["unpriced"] for model in ordered)
    calls = sum(model["calls"] for model in ordered)
    costs = [model["cost_usd"] for model in ordered if model["cost_usd"] is not None]
    set_names(
        session,
        changes,
        tokens=_sum([model["tokens"] for model in ordered], TOKEN_NAMES) if calls else None,
        cost_usd=sum(costs) if costs else None,
        cost_state=_cost_state(calls, unpriced),
    )
    agent_id = agent_id_of(name)
    if agent_id is not None:
        refresh_agent(session, agent_id, changes)


def _cost_state(calls: int, unpriced: int) -> str:
    if not unpriced:
        return "priced" if calls else "unknown"
    return "unpriced" if unpriced == calls else "partial"


def _fold_tools(session: Session, _: str, tools: Keys, changes: Changes) -> None:
    """``tools``: name → {calls, errors, total_ms}; from now on hooks do not count."""
    held = _held(session, "tools")
    counted_by_hooks = session.tools if session.hook_tools else {}
    session.hook_tools = {}
    for tool in {**tools, **counted_by_hooks}:  # never a set: workers must agree on the order
        parts = [each[tool] for each in held if tool in each]
        if parts:
            session.tools[tool] = _sum(parts, ("calls", "errors", "total_ms"))
        elif session.tools.pop(tool, None):
            session.removed_number = -1
        changes.key("tools", tool)
    count_tools(session, changes)


def count_tools(session: Session, changes: Changes) -> None:
    """Roll the tools up into the summary."""
    set_names(
        session,
        changes,
        tool_calls=sum(tool["calls"] for tool in session.tools.values()),
        tool_errors=sum(tool["errors"] for tool in session.tools.values()),
    )


def _fold_buckets(session: Session, _: str, minutes: Keys, changes: Changes) -> None:
    """``buckets``: start of the minute in ms, as text → {input, …, cost_usd}."""
    held = _held(session, "buckets")
    for minute in minutes:
        parts = [buckets[minute] for buckets in held if minute in buckets]
        at = int(minute)
        if parts:
            session.minutes[at] = _sum(parts, (*TOKEN_NAMES, "cost_usd"))
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
            session.objectives_list[objective] = held[objective]
        elif session.objectives_list.pop(objective, None) is not None:
            session.removed_number = -1
        changes.key("objectives_list", objective)
    count_objectives(session, changes)


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
    """``open_calls``: tool_use_id → {tool, at, kind?, summary?, request?} or {tool, ended}.

    A question or a plan that has no result yet is what the person is waited for.
    """
    held = session.transcripts[name].values["open_calls"]
    agent_id = agent_id_of(name)
    for call, was in before.items():
        asked = held.get(call)
        if asked is None:
            session.open_tools.pop(call, None)
            tool = was["tool"] if was else None
            attention.close_call(session, call, tool, agent_id, "answered", changes)
        elif was and was.get("kind") and not asked.get("kind"):  # it turned out to be another
            attention.close_call(session, call, was["tool"], agent_id, "answered", changes)
        elif call not in session.ended_tools and asked.get("kind") in BLOCKING_KINDS:
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


def _fold_signal(session: Session, _: str, __: Any, changes: Changes) -> None:
    """``signal``: {status, at}: the main transcript's, or a subagent's that runs on behind it."""
    told = {
        name: source.values["signal"]
        for name, source in session.transcripts.items()
        if (source.values.get("signal") or {}).get("status") in STATUSES
    }
    main = told.pop(MAIN_SOURCE, None)
    newest = max(told.values(), key=lambda each: each["at"], default=None)
    if main is None and newest is not None and newest["status"] != "running":
        main = {**newest, "status": "idle"}  # a subagent alone says nothing of its parent's fate
    running = [each for each in told.values() if each["status"] == "running"]
    behind = [each for each in running if main is None or each["at"] > main["at"]]
    chosen = max(behind, key=lambda each: each["at"], default=main)
    if chosen and status.transcript_signal(session, chosen["status"], chosen["at"], changes):
        _after_signal(session, chosen, changes)


def _after_signal(session: Session, told: dict[str, Any], changes: Changes) -> None:
    failure_id = attention.FAILURE
    if told["status"] == "failed":
        item = Item(
            id=failure_id, session=session.id, kind="failure", tool=None,
            summary=told.get("text", ""), opened_at=told["at"],
        )  # fmt: skip
        attention.open_item(session, item, changes)
    elif told["status"] == "running":
        attention.close(session, failure_id, "prompted", changes)
    if told["status"] != "running" and session.hooks_heard_at is not None:
        clear_tools(session, subagents=False)
        refresh_tool(session, changes)


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
    told = (source.values.get("messages") for source in session.transcripts.values())
    counts = [count for count in told if count is not None]
    set_names(session, changes, messages=sum(counts) if counts else None)


def _fold_inherited(session: Session, _: str, __: Any, changes: Changes) -> None:
    """``inherited``: {tokens, cost_usd} of the lines that another session owns."""
    parts = [part for part in _held(session, "inherited") if part]
    tokens = _sum([part["tokens"] for part in parts], TOKEN_NAMES)
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
    set_names(session, changes, ended_at=max(session.ended_at or at, at), current_tool=None)
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
    "signal": _fold_signal,
    "past": _fold_past,
}
# What a new generation takes back by not saying it.
RETRACTABLE = frozenset({"branch", "model", "context_tokens", "messages", "inherited"})
