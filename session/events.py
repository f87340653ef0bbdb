"""Folding an event: hooks and native events give status, current tool and attention.

Never counts what a transcript counts. Called by the fold only; the table at the end names
every kind of event and is the vocabulary that adapters speak.
"""

from collections.abc import Callable
from typing import Any

from session import attention, calls, status
from session.calls import add_entry
from session.changes import Changes
from session.counts import count_call, count_message
from session.delta import Entry, Event
from session.record import (
    clear_tools,
    has_transcript,
    note_prompt,
    refresh_title,
    refresh_tool,
    set_cwd,
    set_name,
    set_names,
)
from session.state import BLOCKING_KINDS, Item, Session, Status
from session.subagents import end_subagents, refresh_agent
from session.usage import amount, fold_usage, fold_usage_metric

ENTRY_IDLE = "idle_prompt"
OVERTAKEN_MS = 10_000
USAGE_KINDS = frozenset({"usage", "usage_metric"})  # of which one may be a helper's
PLAN_NAMES = frozenset({"phase", "event_id", "branch", "budget_usd"})


def fold_event(session: Session, event: Event, changes: Changes) -> None:
    """Apply one event; a kind that carries no meaning only counts as heard."""
    if event.source == "hooks" and not _is_cut_short(session, event):
        session.hooks_heard_at = max(session.hooks_heard_at or 0, event.received_at)
    _fold_identity(session, event, changes)
    handlers = COUNTED_LATE if _is_late(session, event) else HANDLERS
    handler = handlers.get(event.kind)
    if handler is not None:
        handler(session, event, changes)
    refresh_tool(session, changes)


def _is_cut_short(session: Session, event: Event) -> bool:
    """Whether a person interrupted a call: no hook follows, the transcript has the last word."""
    interrupted = event.fields.get("status") == "interrupted"
    return event.kind == "tool_end" and interrupted and session.hooks_heard_at is not None


def _is_late(session: Session, event: Event) -> bool:
    """Whether others told it before: exporters send what they know seconds later, in batches.

    Then it counts, and is no signal: it must not close what was asked in the meantime.
    """
    if event.source != "otlp":
        return False
    told_at_once = session.hooks_heard_at is not None or "native" in session.sources
    return told_at_once or bool(session.transcripts)


def _fold_identity(session: Session, event: Event, changes: Changes) -> None:
    """Fields that any event may bring along."""
    fields = event.fields
    cwd = fields.get("cwd")
    told_anew = event.kind == "cwd" or event.source == "native"
    if cwd and (session.cwd is None or (told_anew and not has_transcript(session))):
        set_cwd(session, cwd, changes)
    if fields.get("model") and event.kind not in USAGE_KINDS:
        set_name(session, changes, "model", fields["model"])
    title = fields.get("title")
    if title and title != session.titles.get("hook"):
        session.titles["hook"] = title
        refresh_title(session, changes)
    if not PLAN_NAMES.isdisjoint(fields):
        _fold_plan(session, fields, changes)


def _fold_plan(session: Session, fields: dict[str, Any], changes: Changes) -> None:
    """What whoever runs the agent says of it; the branch is the transcript's where there is one."""
    names = ("phase", "event_id") if has_transcript(session) else ("phase", "event_id", "branch")
    for name in names:
        value = fields.get(name)
        if isinstance(value, str) and value:
            set_names(session, changes, **{name: value})
    budget_usd = amount(fields.get("budget_usd"))
    if budget_usd is not None:
        set_names(session, changes, budget_usd=budget_usd)


def _session_start(session: Session, event: Event, changes: Changes) -> None:
    at, trigger = event.heard_at, event.fields.get("trigger")
    if trigger == "compact":
        return
    if not (trigger == "startup" and _is_overtaken(session, at)):
        clear_tools(session, subagents=True)
        session.in_background = False
        status.signal(session, "idle", at, changes)
    if trigger != "startup":  # a first start that finds something came late
        attention.close_all(session, BLOCKING_KINDS, "ended", changes)  # nobody can answer it
        end_subagents(session, changes)
    add_entry(
        session, event, changes, Entry(id=event.id, kind="session", at=at, text="session start")
    )


def _is_overtaken(session: Session, at: int) -> bool:
    """Whether a first start comes behind what it began: hooks go beside the agent, each its way."""
    return session.base == "running" and at - (session.base_at or 0) <= OVERTAKEN_MS


def _session_end(session: Session, event: Event, changes: Changes) -> None:
    at = event.heard_at
    clear_tools(session, subagents=True)
    session.in_background = False
    attention.close_all(session, None, "ended", changes)
    status.end(session, at, changes)
    end_subagents(session, changes)
    text = f"session end: {event.fields.get('reason') or 'other'}"
    add_entry(session, event, changes, Entry(id=event.id, kind="session", at=at, text=text))


def _prompt(session: Session, event: Event, changes: Changes) -> None:
    fields, at = event.fields, event.heard_at
    clear_tools(session, subagents=False)
    attention.close_turn(session, "prompted", changes)
    attention.close(session, attention.FAILURE, "prompted", changes)
    session.in_background = False
    status.signal(session, "running", at, changes)
    text = fields.get("text") or ""
    if text and not session.titles.get("prompt"):
        session.titles["prompt"] = text[:200]
        refresh_title(session, changes)
    entry_id = fields.get("prompt_id") or _prompt_entry_id(session, fields.get("hash") or "")
    entry = Entry(id=entry_id, kind="prompt", at=at, text=text, full_bytes=fields.get("full_bytes"))
    add_entry(session, event, changes, entry)
    _count_prompt(session, event, changes)


def _count_prompt(session: Session, event: Event, changes: Changes) -> None:
    count_message(session, event, "prompts", changes)


def _message(session: Session, event: Event, changes: Changes) -> None:
    """What the agent said; where there is a transcript, that tells it."""
    fields, at = event.fields, event.heard_at
    status.signal(session, "running", at, changes)
    text, full_bytes = fields.get("text") or "", fields.get("full_bytes")
    if text and not has_transcript(session):
        entry = Entry(id=event.id, kind="message", at=at, text=text, full_bytes=full_bytes)
        add_entry(session, event, changes, entry)
    _count_message(session, event, changes)


def _count_message(session: Session, event: Event, changes: Changes) -> None:
    count_message(session, event, "messages", changes)


def _error(session: Session, event: Event, changes: Changes) -> None:
    """Something went wrong and the agent goes on: an entry, and no signal."""
    if event.source == "otlp" and has_transcript(session):
        return
    text = event.fields.get("text") or "error"
    entry = Entry(id=event.id, kind="error", at=event.heard_at, text=text)
    add_entry(session, event, changes, entry)


def _count_end(session: Session, event: Event, changes: Changes) -> None:
    failed = (event.fields.get("status") or "ok") != "ok"
    count_call(session, event, 1, int(failed), changes)


def _prompt_entry_id(session: Session, digest: str) -> str:
    """The hash of the text with its ordinal, the same that the transcript's reader gives."""
    ordinal = session.prompts.get(digest, 0) + 1
    note_prompt(session, digest, ordinal)
    return f"prompt:{digest}:{ordinal}"


def _notification(session: Session, event: Event, changes: Changes) -> None:
    """An idle prompt repairs a lost Stop; the other kinds come too late to be a signal."""
    if event.fields.get("notification") == ENTRY_IDLE and not status.is_blocked(session):
        if session.base in ("ended", "failed"):
            return
        clear_tools(session, subagents=not session.in_background)
        status.signal(session, "idle", event.heard_at, changes)


def _stop(session: Session, event: Event, changes: Changes) -> None:
    session.in_background = bool(event.fields.get("background_tasks"))
    clear_tools(session, subagents=not session.in_background)
    attention.close_turn(session, "stopped", changes)
    base: Status = "running" if session.in_background else "idle"
    status.signal(session, base, event.heard_at, changes)


def _stop_failure(session: Session, event: Event, changes: Changes) -> None:
    at, text = event.heard_at, event.fields.get("text") or "error"
    session.in_background = False
    clear_tools(session, subagents=not session.in_background)
    attention.close_turn(session, "failed", changes)
    item = Item(
        id=attention.FAILURE, session=session.id, kind="failure", tool=None,
        summary=text, opened_at=at,
    )  # fmt: skip
    attention.open_item(session, item, changes)
    status.signal(session, "failed", at, changes)
    add_entry(session, event, changes, Entry(id=event.id, kind="error", at=at, text=text))


def _subagent_start(session: Session, event: Event, changes: Changes) -> None:
    _set_subagent(session, event, "running", changes)
    status.signal(session, "running", event.heard_at, changes)


def _subagent_stop(session: Session, event: Event, changes: Changes) -> None:
    """Nothing for the main status; what blocked that subagent is over."""
    agent_id = event.fields["agent_id"]
    _set_subagent(session, event, "done", changes)
    session.open_tools = {
        call: tool for call, tool in session.open_tools.items() if tool.agent_id != agent_id
    }
    mine = [item.id for item in session.items.values() if item.agent_id == agent_id]
    for item_id in mine:
        attention.close(session, item_id, "stopped", changes)


def _set_subagent(session: Session, event: Event, state: str, changes: Changes) -> None:
    agent_id, kind = event.fields["agent_id"], event.fields.get("agent_type")
    if state == "done" and agent_id not in session.subagents_tree:
        return  # helpers that were never announced are not part of the tree
    if session.agent_signals.get(agent_id) == state:
        return
    session.agent_signals[agent_id] = state
    refresh_agent(session, agent_id, changes)
    node = session.subagents_tree[agent_id]
    if kind and node["type"] is None:
        session.subagents_tree[agent_id] = {**node, "type": kind}
        changes.key("subagents_tree", agent_id)
    if not has_transcript(session):
        text = f"{kind or 'subagent'} {state}"
        entry_id = f"subagent:{agent_id}:{state}:{event.number}"
        entry = Entry(id=entry_id, kind="subagent", at=event.heard_at, text=text, agent_id=agent_id)
        add_entry(session, event, changes, entry)


def _compaction(session: Session, event: Event, changes: Changes) -> None:
    if not has_transcript(session):
        text = f"compaction ({event.fields.get('trigger') or 'auto'})"
        entry = Entry(id=event.id, kind="compaction", at=event.heard_at, text=text)
        add_entry(session, event, changes, entry)


HANDLERS: dict[str, Callable[[Session, Event, Changes], None]] = {
    "session_start": _session_start,  # trigger, model?, title?
    "session_end": _session_end,  # reason
    "prompt": _prompt,  # text, hash, prompt_id?
    "message": _message,  # text, full_bytes?
    "error": _error,  # text
    "tool_start": calls.tool_start,  # call, tool, input_hash, summary, asks?, request?, agent_id?
    "tool_end": calls.tool_end,  # call, tool, status, text, duration_ms?, objectives?, agent_id?
    "permission": calls.permission,  # tool?, input_hash, summary, request, call?, ask?, asks?
    "resolved": calls.resolved,  # call
    "permission_denied": calls.permission_denied,  # as tool_end
    "elicitation": calls.elicitation,  # elicitation_id?, summary, request
    "elicitation_result": calls.elicitation_result,  # elicitation_id?, outcome
    "notification": _notification,  # notification
    "stop": _stop,  # background_tasks (how many)
    "stop_failure": _stop_failure,  # text
    "subagent_start": _subagent_start,  # agent_id, agent_type
    "subagent_stop": _subagent_stop,  # agent_id, agent_type
    "compaction": _compaction,  # trigger
    "task": calls.objectives,  # objectives, whole?
    "usage": fold_usage,  # model, input, output, cache_read, cache_write, cost_usd?, call?, aside?
    "usage_metric": fold_usage_metric,  # model, value, adds, series, cumulative?, start?
}
# What an event still does where others told it before.
COUNTED_LATE: dict[str, Callable[[Session, Event, Changes], None]] = {
    "prompt": _count_prompt,
    "message": _count_message,
    "tool_end": _count_end,
    "error": _error,
    "usage": fold_usage,
    "usage_metric": fold_usage_metric,
}
