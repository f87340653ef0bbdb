"""Folding an event: hooks and native events give status, current tool and attention.

Never counts what a transcript counts. Called by the fold only; the table at the end names
every kind of event and is the vocabulary that adapters speak.
"""

from collections.abc import Callable

from session import attention, status
from session.changes import Changes
from session.delta import Entry, Event
from session.record import (
    add_entries,
    clear_tools,
    has_transcript,
    note_prompt,
    refresh_title,
    refresh_tool,
    set_cwd,
    set_names,
)
from session.report import ENDED_TOOLS_MAX, count_objectives, count_tools
from session.state import BLOCKING_KINDS, Item, OpenTool, Session, Status, ToolCount
from session.subagents import end_subagents, refresh_agent

OPEN_TOOLS_MAX = 256
ENTRY_IDLE = "idle_prompt"


def fold_event(session: Session, event: Event, changes: Changes) -> None:
    """Apply one event; a kind that carries no meaning only counts as heard."""
    if event.source == "hooks":
        session.hooks_heard_at = max(session.hooks_heard_at or 0, event.received_at)
    _fold_identity(session, event, changes)
    handler = HANDLERS.get(event.kind)
    if handler is not None:
        handler(session, event, changes)
    refresh_tool(session, changes)


def _fold_identity(session: Session, event: Event, changes: Changes) -> None:
    """Fields that any event may bring along."""
    fields = event.fields
    cwd = fields.get("cwd")
    if cwd and (session.cwd is None or (event.kind == "cwd" and not has_transcript(session))):
        set_cwd(session, cwd, changes)
    if fields.get("model"):
        set_names(session, changes, model=fields["model"])
    if fields.get("title"):
        session.titles["hook"] = fields["title"]
        refresh_title(session, changes)


def _session_start(session: Session, event: Event, changes: Changes) -> None:
    at = event.heard_at
    if event.fields.get("trigger") == "compact":
        return
    clear_tools(session, subagents=True)
    session.in_background = False
    status.signal(session, "idle", at, changes)
    _add(session, event, changes, Entry(id=event.id, kind="session", at=at, text="session start"))


def _session_end(session: Session, event: Event, changes: Changes) -> None:
    at = event.heard_at
    clear_tools(session, subagents=True)
    session.in_background = False
    attention.close_all(session, None, "ended", changes)
    status.end(session, at, changes)
    end_subagents(session, changes)
    text = f"session end: {event.fields.get('reason') or 'other'}"
    _add(session, event, changes, Entry(id=event.id, kind="session", at=at, text=text))


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
    _add(session, event, changes, entry)


def _prompt_entry_id(session: Session, digest: str) -> str:
    """The hash of the text with its ordinal, the same that the transcript's reader gives."""
    ordinal = session.prompts.get(digest, 0) + 1
    note_prompt(session, digest, ordinal)
    return f"prompt:{digest}:{ordinal}"


def _tool_start(session: Session, event: Event, changes: Changes) -> None:
    fields, at = event.fields, event.heard_at
    call, tool, agent_id = fields["call"], fields["tool"], fields.get("agent_id")
    ended_already = call in session.ended_tools
    known = call in session.open_tools
    if not ended_already and not known:
        digest = fields.get("input_hash") or ""
        if len(session.open_tools) >= OPEN_TOOLS_MAX:
            del session.open_tools[next(iter(session.open_tools))]
        session.open_tools[call] = OpenTool(tool=tool, at=at, agent_id=agent_id, input_hash=digest)
        bound = attention.bind_call(session, call, tool, agent_id, digest)
        _count_tool(session, tool, 1, 0, 0, changes)
        if fields.get("asks") and not bound:
            _ask(session, event, changes, fields["asks"], call, call)
    status.signal(session, "running", at, changes)
    entry = Entry(
        id=call, kind="tool", at=at, tool=tool, text=fields.get("summary") or "",
        agent_id=agent_id,
    )  # fmt: skip
    _add(session, event, changes, entry)


def _tool_end(session: Session, event: Event, changes: Changes) -> None:
    fields, at = event.fields, event.heard_at
    call, tool, agent_id = fields["call"], fields["tool"], fields.get("agent_id")
    outcome = fields.get("status") or "ok"
    started = session.open_tools.pop(call, None)
    if call not in session.ended_tools:
        session.ended_tools = [*session.ended_tools, call][-ENDED_TOOLS_MAX:]
        failed, took_ms = int(outcome != "ok"), fields.get("duration_ms") or 0
        uncounted = started is None and call not in session.cleared_tools
        _count_tool(session, tool, int(uncounted), failed, took_ms, changes)
    answer = "allowed" if outcome == "ok" else outcome
    attention.close_call(session, call, tool, agent_id, answer, changes)
    status.signal(session, "running", at, changes)
    entry = Entry(
        id=f"{call}:end", ref=call, kind="tool", at=at, tool=tool, status=outcome,
        text=fields.get("text") or "", duration_ms=fields.get("duration_ms"), agent_id=agent_id,
    )  # fmt: skip
    _add(session, event, changes, entry)
    _objectives(session, event, changes)


def _objectives(session: Session, event: Event, changes: Changes) -> None:
    """What a task tool told, by hooks: parts of objectives, or with ``whole`` the whole list."""
    told = event.fields.get("objectives")
    if not told or has_transcript(session):
        return
    listed = session.objectives_list
    gone = [key for key in listed if key not in told] if event.fields.get("whole") else []
    for key in [*gone, *(key for key, value in told.items() if value is None)]:
        listed.pop(key, None)
        session.removed_number = -1
        changes.key("objectives_list", key)
    for key, value in told.items():
        if value is None:
            continue
        known = listed.get(key, {"text": "", "status": "pending", "at": None})
        fresh = {**known, **{name: each for name, each in value.items() if each is not None}}
        if key not in listed or fresh["status"] != known["status"]:
            fresh["at"] = event.heard_at
        listed[key] = fresh
        changes.key("objectives_list", key)
    count_objectives(session, changes)


def _count_tool(
    session: Session, tool: str, calls: int, errors: int, total_ms: int, changes: Changes
) -> None:
    """Count a call by hooks, unless a transcript counts (families are never added)."""
    if session.transcripts:
        return
    count = session.hook_tools.setdefault(tool, ToolCount())
    count.calls += calls
    count.errors += errors
    count.total_ms += total_ms
    session.tools[tool] = {
        "calls": count.calls, "errors": count.errors, "total_ms": count.total_ms,
    }  # fmt: skip
    changes.key("tools", tool)
    count_tools(session, changes)


def _permission(session: Session, event: Event, changes: Changes) -> None:
    """A person is asked. The request names no call: it is the latest open one alike."""
    fields = event.fields
    digest = fields.get("input_hash")
    wanted = (fields["tool"], fields.get("agent_id"), digest)
    alike = [
        call
        for call, each in session.open_tools.items()
        if (each.tool, each.agent_id, each.input_hash) == wanted
    ]
    asked = {item.call for item in session.items.values()}
    fresh = [call for call in alike if call not in asked] or alike
    call = fields.get("call") or (fresh[-1] if fresh else None)
    _ask(session, event, changes, fields.get("asks") or "permission", call or event.id, call)


def _ask(
    session: Session, event: Event, changes: Changes, kind: str, item_id: str, call: str | None
) -> None:
    fields = event.fields
    new = item_id not in session.items
    item = Item(
        id=item_id,
        session=session.id,
        kind=kind if kind in BLOCKING_KINDS else "permission",
        tool=fields.get("tool"),
        summary=fields.get("summary") or "",
        opened_at=event.heard_at,
        agent_id=fields.get("agent_id"),
        call=call,
        input_hash=fields.get("input_hash"),
        request=fields.get("request"),
        full_bytes=fields.get("full_bytes"),
    )
    attention.open_item(session, item, changes)
    status.signal(session, "running", event.heard_at, changes)
    if new:
        _add(session, event, changes, attention.entry(item, event.number))


def _permission_denied(session: Session, event: Event, changes: Changes) -> None:
    _tool_end(session, event, changes)


def _elicitation(session: Session, event: Event, changes: Changes) -> None:
    item_id = f"elicitation:{event.fields.get('elicitation_id') or 'open'}"
    _ask(session, event, changes, "question", item_id, item_id)


def _elicitation_result(session: Session, event: Event, changes: Changes) -> None:
    item_id = f"elicitation:{event.fields.get('elicitation_id') or 'open'}"
    attention.close(session, item_id, event.fields.get("outcome") or "answered", changes)
    status.signal(session, "running", event.heard_at, changes)


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
    _add(session, event, changes, Entry(id=event.id, kind="error", at=at, text=text))


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
        _add(session, event, changes, entry)


def _compaction(session: Session, event: Event, changes: Changes) -> None:
    if not has_transcript(session):
        text = f"compaction ({event.fields.get('trigger') or 'auto'})"
        entry = Entry(id=event.id, kind="compaction", at=event.heard_at, text=text)
        _add(session, event, changes, entry)


def _add(session: Session, event: Event, changes: Changes, entry: Entry) -> None:
    add_entries(session, [entry], event.number, changes)


HANDLERS: dict[str, Callable[[Session, Event, Changes], None]] = {
    "session_start": _session_start,  # trigger, model?, title?
    "session_end": _session_end,  # reason
    "prompt": _prompt,  # text, hash, prompt_id?
    "tool_start": _tool_start,  # call, tool, input_hash, summary, asks?, request?, agent_id?
    "tool_end": _tool_end,  # call, tool, status, text, duration_ms?, objectives?, agent_id?
    "permission": _permission,  # tool, input_hash, summary, request, asks?, agent_id?
    "permission_denied": _permission_denied,  # as tool_end
    "elicitation": _elicitation,  # elicitation_id?, summary, request
    "elicitation_result": _elicitation_result,  # elicitation_id?, outcome
    "notification": _notification,  # notification
    "stop": _stop,  # background_tasks (how many)
    "stop_failure": _stop_failure,  # text
    "subagent_start": _subagent_start,  # agent_id, agent_type
    "subagent_stop": _subagent_stop,  # agent_id, agent_type
    "compaction": _compaction,  # trigger
    "task": _objectives,  # objectives, whole?
}
