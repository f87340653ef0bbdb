"""Open approvals, questions, plans and failures: a keyed set, never an event.

An item stays until something closes it, so no lost frame can lose it. Called by the fold only.
"""

from session.changes import Changes
from session.delta import Entry, cut_text
from session.state import BLOCKING_KINDS, Item, Session

ITEMS_MAX = 64
SUMMARY_BYTES_MAX = 1024
FAILURE = "failure"  # the id of a session's failure: there is one at a time


def open_item(session: Session, item: Item, changes: Changes) -> None:
    """Open ``item``, or take over its fields if it is open already."""
    item.summary = cut_text(item.summary, SUMMARY_BYTES_MAX)[0]
    known = session.items.get(item.id)
    if known is not None:
        item.opened_at = known.opened_at
        item.request = item.request or known.request
        if item == known:
            return
    elif len(session.items) >= ITEMS_MAX:
        oldest = min(session.items.values(), key=lambda each: (each.opened_at, each.id))
        close(session, oldest.id, "displaced", changes)
    session.items[item.id] = item
    changes.opened.add(item.id)
    changes.closed.pop(item.id, None)
    _count(session, changes)


def close(session: Session, item_id: str, outcome: str, changes: Changes) -> bool:
    """Close one item; False if it is not open."""
    item = session.items.pop(item_id, None)
    if item is None:
        return False
    changes.closed[item_id] = outcome
    changes.opened.discard(item_id)
    _count(session, changes)
    return True


def close_all(
    session: Session, kinds: frozenset[str] | None, outcome: str, changes: Changes
) -> None:
    """Close every item of these kinds (None: of all)."""
    for item in list(session.items.values()):
        if kinds is None or item.kind in kinds:
            close(session, item.id, outcome, changes)


def close_turn(session: Session, outcome: str, changes: Changes) -> None:
    """The turn is over: what blocked it is answered.

    A subagent that runs on in the background may still be waiting; its items stay.
    """
    for item in list(session.items.values()):
        waits_on = session.in_background and item.agent_id is not None
        if item.kind in BLOCKING_KINDS and not waits_on:
            close(session, item.id, outcome, changes)


def close_before(session: Session, at: int, outcome: str, changes: Changes) -> None:
    """The main agent went on without an answer at ``at``: what it asked before is not open."""
    for item in list(session.items.values()):
        is_mine = item.kind in BLOCKING_KINDS and item.agent_id is None
        if is_mine and item.opened_at < at:
            close(session, item.id, outcome, changes)


def close_call(
    session: Session, call: str, tool: str | None, agent_id: str | None, outcome: str,
    changes: Changes, *, ended_at: int | None = None,
) -> None:  # fmt: skip
    """A tool call ended: close its item, and those of the same tool that match no call.

    With ``ended_at`` only such as were opened by then.
    """
    for item in list(session.items.values()):
        if item.kind not in BLOCKING_KINDS:
            continue
        unmatched = item.call is None and item.tool == tool and item.agent_id == agent_id
        if ended_at is not None and item.opened_at > ended_at:
            unmatched = False
        if item.call == call or unmatched:
            close(session, item.id, outcome, changes)


def bind_call(session: Session, call: str, tool: str, agent_id: str | None, digest: str) -> bool:
    """A call started that an unmatched item asks for (hooks may arrive in any order)."""
    for item in session.items.values():
        same = (item.tool, item.agent_id, item.input_hash) == (tool, agent_id, digest)
        if item.call is None and item.kind in BLOCKING_KINDS and same:
            item.call = call
            return True
    return False


def entry(item: Item, number: int) -> Entry:
    """The timeline's record of an item being opened."""
    return Entry(
        id=f"attention:{item.id}:{number or item.opened_at}",
        kind="attention",
        at=item.opened_at,
        text=item.summary,
        tool=item.tool,
        status=item.kind,
        agent_id=item.agent_id,
    )


def _count(session: Session, changes: Changes) -> None:
    session.attention = len(session.items)
    changes.name("attention")
