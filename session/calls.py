"""Folding what events tell of tool calls and of what a person is asked.

Called by session.events only, whose table names the kinds.
"""

from session import attention, status
from session.changes import Changes
from session.counts import count_call
from session.delta import Entry, Event
from session.record import add_entries, has_transcript
from session.report import ENDED_TOOLS_MAX, OBJECTIVE_NAMES, count_objectives
from session.state import BLOCKING_KINDS, Item, OpenTool, Session

OPEN_TOOLS_MAX = 256


def tool_start(session: Session, event: Event, changes: Changes) -> None:
    """A call begins; with ``asks`` a person is waited for from its start."""
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
        count_call(session, event, 1, 0, changes)
        if fields.get("asks") and not bound:
            _ask(session, event, changes, fields["asks"], call, call)
    status.signal(session, "running", at, changes)
    entry = Entry(
        id=call, kind="tool", at=at, tool=tool, text=fields.get("summary") or "",
        agent_id=agent_id,
    )  # fmt: skip
    add_entry(session, event, changes, entry)


def tool_end(session: Session, event: Event, changes: Changes) -> None:
    """A call ended, was refused or was interrupted: nobody waits on it any more."""
    fields, at = event.fields, event.heard_at
    call, tool, agent_id = fields["call"], fields["tool"], fields.get("agent_id")
    outcome = fields.get("status") or "ok"
    started = session.open_tools.pop(call, None)
    if call not in session.ended_tools:
        session.ended_tools.append(call)
        del session.ended_tools[:-ENDED_TOOLS_MAX]
        uncounted = started is None and call not in session.cleared_tools
        count_call(session, event, int(uncounted), int(outcome != "ok"), changes)
    answer = "allowed" if outcome == "ok" else outcome
    attention.close_call(session, call, tool, agent_id, answer, changes)
    status.signal(session, "running", at, changes)
    entry = Entry(
        id=f"{call}:end", ref=call, kind="tool", at=at, tool=tool, status=outcome,
        text=fields.get("text") or "", duration_ms=fields.get("duration_ms"), agent_id=agent_id,
    )  # fmt: skip
    add_entry(session, event, changes, entry)
    objectives(session, event, changes)


def permission(session: Session, event: Event, changes: Changes) -> None:
    """A person is asked. A request that names no call is about the latest open one alike.

    ``ask`` is what the asker calls its request, where it gives it a name.
    """
    fields = event.fields
    digest = fields.get("input_hash") or ""
    wanted = (fields.get("tool"), fields.get("agent_id"), digest)
    alike = [
        call
        for call, each in session.open_tools.items()
        if (each.tool, each.agent_id, each.input_hash) == wanted
    ]
    asked = {item.call for item in session.items.values()}
    fresh = [call for call in alike if call not in asked] or alike
    call = fields.get("call") or (fresh[-1] if fresh else None)
    item_id = fields.get("call") or fields.get("ask") or call or event.id
    _ask(session, event, changes, fields.get("asks") or "permission", item_id, call)


def resolved(session: Session, event: Event, changes: Changes) -> None:
    """A person answered: what was asked by this name, or about this call, is open no longer."""
    named = event.fields["call"]
    for item in list(session.items.values()):
        if item.kind in BLOCKING_KINDS and named in (item.id, item.call):
            attention.close(session, item.id, "answered", changes)
    status.signal(session, "running", event.heard_at, changes)


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
        input_hash=fields.get("input_hash") or "",
        request=fields.get("request"),
        full_bytes=fields.get("full_bytes"),
    )
    attention.open_item(session, item, changes)
    status.signal(session, "running", event.heard_at, changes)
    if new:
        add_entry(session, event, changes, attention.entry(item, event.number))


def permission_denied(session: Session, event: Event, changes: Changes) -> None:
    """A machine refused the call; it ends like every other."""
    tool_end(session, event, changes)


def elicitation(session: Session, event: Event, changes: Changes) -> None:
    """A form of an MCP server waits for a person."""
    item_id = f"elicitation:{event.fields.get('elicitation_id') or 'open'}"
    _ask(session, event, changes, "question", item_id, item_id)


def elicitation_result(session: Session, event: Event, changes: Changes) -> None:
    """The form was answered."""
    item_id = f"elicitation:{event.fields.get('elicitation_id') or 'open'}"
    attention.close(session, item_id, event.fields.get("outcome") or "answered", changes)
    status.signal(session, "running", event.heard_at, changes)


def objectives(session: Session, event: Event, changes: Changes) -> None:
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
        told_anew = ((name, value.get(name)) for name in OBJECTIVE_NAMES)
        fresh = {**known, **{name: each for name, each in told_anew if each is not None}}
        if key not in listed or fresh["status"] != known["status"]:
            fresh["at"] = event.heard_at
        listed[key] = fresh
        changes.key("objectives_list", key)
    count_objectives(session, changes)


def add_entry(session: Session, event: Event, changes: Changes, entry: Entry) -> None:
    """Append to the timeline what an event tells."""
    add_entries(session, [entry], event.number, changes)
