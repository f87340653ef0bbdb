"""Folding what a person did to a session: it was ended, archived, given a name, or deleted.

A person's word is not the agent's: it lifts no ``stale``, counts as no source, makes no session.
Called by the fold only; the table at the end names every kind.
"""

import math
from collections.abc import Callable
from typing import Any

from session import attention, status
from session.changes import Changes
from session.delta import Entry, Event
from session.record import add_entries, clear_tools, refresh_title, refresh_tool, set_names
from session.state import Session
from session.subagents import end_subagents

PERSON = "person"
"""The source of these events. Only the hub appends them: no agent and no reader may."""


def fold_person(session: Session, event: Event, changes: Changes) -> None:
    """Apply what a person did; a kind that is not known changes nothing."""
    handler = HANDLERS.get(event.kind)
    if handler is not None:
        handler(session, event, changes)


def _end(session: Session, event: Event, changes: Changes) -> None:
    """It is over, until the agent is heard again: what it said so far opens it no more."""
    at = event.received_at
    if session.base == "ended":
        return
    clear_tools(session, subagents=True)
    session.in_background = False
    attention.close_all(session, None, "ended", changes)
    session.base = "ended"
    # By the agent's own clock: a person's may be ahead of it, and nothing would be heard then.
    session.base_at = max(session.base_at or 0, session.updated_at or at)
    set_names(session, changes, ended_at=at, current_tool=None)
    status.settle(session, at, changes)
    end_subagents(session, changes)
    refresh_tool(session, changes)
    entry = Entry(id=event.id, kind="session", at=at, text="session end: by a person")
    add_entries(session, [entry], event.number, changes)


def _archive(session: Session, event: Event, changes: Changes) -> None:
    set_names(session, changes, archived=event.fields.get("archived") is not False)


def _patch(session: Session, event: Event, changes: Changes) -> None:
    """Fields that are there are set, null clears."""
    fields = event.fields
    if "title" in fields:
        session.titles["patch"] = _text(fields["title"]) or ""
        refresh_title(session, changes)
    if "phase" in fields:
        set_names(session, changes, phase=_text(fields["phase"]))
    if "budget_usd" in fields:
        set_names(session, changes, budget_usd=_money(fields["budget_usd"]))


def _text(told: Any) -> str | None:
    return told if isinstance(told, str) and told.strip() else None


def _money(told: Any) -> float | None:
    is_number = isinstance(told, int | float) and not isinstance(told, bool)
    return float(told) if is_number and math.isfinite(told) and told >= 0 else None


def _delete(session: Session, _event: Event, changes: Changes) -> None:
    """Void where the agent was heard again meanwhile: what goes on is not deleted under it."""
    if session.status == "ended":
        changes.deleted = True


HANDLERS: dict[str, Callable[[Session, Event, Changes], None]] = {
    "end": _end,
    "archive": _archive,  # archived
    "patch": _patch,  # title?, budget_usd?, phase?
    "delete": _delete,
}
