"""Folding a report: absolute values of one transcript, latest wins, session totals are sums.

Never adds an increment, so that a report may come twice, late or from two readers.
Called by the fold only; the names of ``values`` are the keys of the two tables below.
"""

from collections.abc import Callable
from typing import Any

from session import attention, status
from session.changes import Changes
from session.delta import MAIN_SOURCE, SUBAGENT_PREFIX, Report
from session.record import add_entries, refresh_title, set_names
from session.state import TOKEN_NAMES, Item, Session, Source

ENDED_TOOLS_MAX = 64


def fold_report(session: Session, report: Report, changes: Changes) -> None:
    """Apply ``report`` unless its version is not above the one already applied."""
    source = session.transcripts.get(report.source)
    if source is not None and report.generation > source.generation:
        stale_values = source.values
        source = None
    else:
        stale_values = {}
    if source is None:
        source = session.transcripts[report.source] = Source(generation=report.generation)
    elif (report.generation, report.to) <= (source.generation, source.to):
        return
    if report.from_ > source.to and not session.timeline_partial:
        session.timeline_partial = True
        changes.name("timeline_partial")
    fresh = [entry for entry in report.entries if entry.offset > source.to]
    source.to = report.to
    _merge(session, report.source, source, _replacing(stale_values, report.values), changes)
    add_entries(session, fresh, report.number, changes)


def _replacing(stale: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """``values``, with the keys that only an earlier generation knew taken back."""
    gone = {name: dict.fromkeys(held) for name, held in stale.items() if name in KEYED}
    return {
        **values,
        **{name: {**keys, **values.get(name, {})} for name, keys in gone.items()},
    }


def _merge(
    session: Session, name: str, source: Source, values: dict[str, Any], changes: Changes
) -> None:
    """Upsert ``values`` into the source, then roll up what they touch."""
    for key, value in values.items():
        if key in KEYED:
            held = source.values.setdefault(key, {})
            for inner, inner_value in value.items():
                if inner_value is None:
                    held.pop(inner, None)
                else:
                    held[inner] = inner_value
            KEYED[key](session, name, set(value), changes)
        else:
            source.values[key] = value
    for key, roll in PLAIN.items():
        if key in values:
            roll(session, name, source.values[key], changes)


def _held(session: Session, key: str) -> list[dict[str, Any]]:
    """That map of every source, in the order of their names: sums must not depend on arrival."""
    ordered = sorted(session.transcripts.items())
    return [source.values[key] for _, source in ordered if key in source.values]


def _sum(parts: list[dict[str, Any]], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: sum(part.get(name) or 0 for part in parts) for name in names}


def _fold_calls(session: Session, name: str, models: set[str], changes: Changes) -> None:
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
        tokens=_sum([model["tokens"] for model in ordered], TOKEN_NAMES),
        cost_usd=sum(costs) if costs or not calls else None,
        cost_state=_cost_state(calls, unpriced),
    )
    _fold_subagent(session, name, None, changes)


def _cost_state(calls: int, unpriced: int) -> str:
    if not unpriced:
        return "priced"
    return "unpriced" if unpriced == calls else "partial"


def _fold_tools(session: Session, _: str, tools: set[str], changes: Changes) -> None:
    """``tools``: name → {calls, errors, total_ms}; from now on hooks do not count."""
    held = _held(session, "tools")
    if session.hook_tools:
        tools = tools | session.tools.keys()
        session.hook_tools = {}
    for tool in tools:
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


def _fold_buckets(session: Session, _: str, minutes: set[str], changes: Changes) -> None:
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


def _fold_objectives(session: Session, name: str, ids: set[str], changes: Changes) -> None:
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


def _fold_titles(session: Session, name: str, _: set[str], changes: Changes) -> None:
    if name == MAIN_SOURCE:
        session.titles.update(session.transcripts[name].values["titles"])
        refresh_title(session, changes)


def _fold_calls_open(session: Session, name: str, calls: set[str], changes: Changes) -> None:
    """``open_calls``: tool_use_id → {tool, at, kind?, summary?, request?}, null when ended.

    A question or a plan that has no result yet is what the person is waited for.
    """
    held = session.transcripts[name].values["open_calls"]
    for call in sorted(calls):
        asked = held.get(call)
        if asked is None:
            _end_call(session, call, changes)
        elif call not in session.ended_tools and asked.get("kind"):
            item = Item(
                id=call,
                session=session.id,
                kind=asked["kind"],
                tool=asked["tool"],
                summary=asked.get("summary", ""),
                opened_at=asked["at"],
                call=call,
                request=asked.get("request"),
            )
            attention.open_item(session, item, changes)
            status.settle(session, asked["at"], changes)
    if session.hooks_heard_at is None and name == MAIN_SOURCE:
        latest = max(held.values(), key=lambda each: each["at"], default=None)
        set_names(session, changes, current_tool=latest["tool"] if latest else None)


def _end_call(session: Session, call: str, changes: Changes) -> None:
    item = session.items.get(call)
    session.open_tools.pop(call, None)
    if item is not None:
        attention.close(session, call, "answered", changes)
        status.settle(session, session.base_at or item.opened_at, changes)


def _fold_signal(session: Session, _: str, __: Any, changes: Changes) -> None:
    """``signal``: {status, at}: the newest of the main transcript or a subagent still running."""
    told = [(name, source.values.get("signal")) for name, source in session.transcripts.items()]
    main = next((each for name, each in told if name == MAIN_SOURCE and each), None)
    running = [
        each
        for name, each in told
        if each and name != MAIN_SOURCE and (main is None or each["at"] > main["at"])
    ]
    newest = max([main, *running] if main else running, key=lambda each: each["at"], default=None)
    if newest is None or (newest is not main and main and newest["status"] != "running"):
        newest = main
    if newest and status.transcript_signal(session, newest["status"], newest["at"], changes):
        _after_signal(session, newest, changes)


def _after_signal(session: Session, told: dict[str, Any], changes: Changes) -> None:
    if told["status"] == "failed":
        item = Item(
            id=f"failure:{session.id}",
            session=session.id,
            kind="failure",
            tool=None,
            summary=told.get("text", ""),
            opened_at=told["at"],
        )
        attention.open_item(session, item, changes)
    else:
        attention.close(session, f"failure:{session.id}", "prompted", changes)


def _fold_subagent(session: Session, name: str, _: Any, changes: Changes) -> None:
    """``subagent``: {type, parent, status} of a subagent's own transcript."""
    if not name.startswith(SUBAGENT_PREFIX):
        return
    values = session.transcripts[name].values
    told = values.get("subagent") or {}
    agent_id = name.removeprefix(SUBAGENT_PREFIX).rpartition("/")[2].removeprefix("agent-")
    calls = [values["calls"][model] for model in sorted(values.get("calls", {}))]
    known = session.subagents_tree.get(agent_id, {})
    state = told.get("status", "done")
    if session.past:
        state = "done"
    elif session.hooks_heard_at is not None and known.get("status"):
        state = known["status"]
    session.subagents_tree[agent_id] = {
        "type": told.get("type") or known.get("type"),
        "parent": told.get("parent") or known.get("parent"),
        "status": state,
        "tokens": _sum(calls, TOKEN_NAMES),
        "cost_usd": sum(call.get("cost_usd") or 0 for call in calls),
    }
    changes.key("subagents_tree", agent_id)
    count_subagents(session, changes)


def _fold_agents(session: Session, name: str, ids: set[str], changes: Changes) -> None:
    """``agents``: agent_id → {type, status}, what the parent's transcript says of a subagent."""
    held = session.transcripts[name].values["agents"]
    for agent_id in ids & held.keys():
        told, known = held[agent_id], session.subagents_tree.get(agent_id)
        if known is None:
            known = {"type": None, "parent": None, "status": None, "tokens": None, "cost_usd": None}
        state = "done" if session.past else known["status"] or told["status"]
        if told["status"] == "done":
            state = "done"
        session.subagents_tree[agent_id] = {
            **known, "type": known["type"] or told["type"], "status": state,
        }  # fmt: skip
        changes.key("subagents_tree", agent_id)
    count_subagents(session, changes)


def count_subagents(session: Session, changes: Changes) -> None:
    """Roll the subagents up into the summary."""
    active = sum(each["status"] == "running" for each in session.subagents_tree.values())
    total = len(session.subagents_tree)
    set_names(session, changes, subagents={"active": active, "total": total})


def _fold_messages(session: Session, _: str, __: Any, changes: Changes) -> None:
    counts = [source.values.get("messages") or 0 for source in session.transcripts.values()]
    set_names(session, changes, messages=sum(counts))


def _fold_inherited(session: Session, _: str, __: Any, changes: Changes) -> None:
    """``inherited``: {tokens, cost_usd} of the lines that another session owns."""
    parts = _held(session, "inherited")
    tokens = _sum([part["tokens"] for part in parts], TOKEN_NAMES)
    cost_usd = sum(part["cost_usd"] or 0 for part in parts)
    set_names(session, changes, inherited={"tokens": tokens, "cost_usd": cost_usd})


def _fold_own(field: str) -> Callable[[Session, str, Any, Changes], None]:
    """A scalar that the main transcript decides; a subagent's only fills the gap."""

    def fold(session: Session, name: str, value: Any, changes: Changes) -> None:
        if name == MAIN_SOURCE or MAIN_SOURCE not in session.transcripts:
            set_names(session, changes, **{field: value})

    return fold


def _fold_cwd(session: Session, name: str, value: str, changes: Changes) -> None:
    if name == MAIN_SOURCE or session.cwd is None:
        project = value.rstrip("/\\").replace("\\", "/").rpartition("/")[2]
        set_names(session, changes, cwd=value, project=project or None)


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
    session.open_tools.clear()
    session.base = "ended"
    session.base_at = max(session.base_at or at, at)
    set_names(session, changes, ended_at=max(session.ended_at or at, at), current_tool=None)
    for agent_id, each in session.subagents_tree.items():
        if each["status"] == "running":
            session.subagents_tree[agent_id] = {**each, "status": "done"}
            changes.key("subagents_tree", agent_id)
    if session.subagents:
        count_subagents(session, changes)
    status.settle(session, at, changes)
    session.past = True


Roll = Callable[[Session, str, set[str], Changes], None]

KEYED: dict[str, Roll] = {
    "calls": _fold_calls,
    "tools": _fold_tools,
    "buckets": _fold_buckets,
    "objectives": _fold_objectives,
    "titles": _fold_titles,
    "open_calls": _fold_calls_open,
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
