"""What transcripts say the agent does: the main one's word, or a subagent's that runs on behind it.

Derived anew from all of them, so that the order of reading is nothing. Called by the fold, and by
the timer, which must know what the fold held back.
"""

from typing import Any

from session import attention, status
from session.changes import Changes
from session.delta import MAIN_SOURCE
from session.record import clear_tools, refresh_tool
from session.state import STATUSES, Item, Session

Signal = dict[str, Any]  # {status, at, text?}


def fold_signal(session: Session, changes: Changes) -> None:
    """``signal``: {status, at, text?} of a transcript was told: take what all of them say."""
    told = chosen(session)
    if told and status.transcript_signal(session, told["status"], told["at"], changes):
        _after(session, told, changes)


def fold_settled(session: Session, changes: Changes) -> None:
    """Silence confirmed the transcript's word on the turn's end."""
    told = held_back(session)
    if told is not None:
        session.base_at = told["at"]
        status.signal(session, told["status"], told["at"], changes)
        _after(session, told, changes)


def held_back(session: Session) -> Signal | None:
    """The turn's end, if the transcript told it too soon after a hook to be sure.

    Esc fires no Stop, and a Stop may be lost: when nothing contradicts, it was true.
    """
    told, heard_at = chosen(session), session.hooks_heard_at
    if told is None or heard_at is None or session.base != "running" or session.in_background:
        return None
    is_over = told["status"] in ("idle", "failed") and told["at"] > heard_at
    return told if is_over else None


def chosen(session: Session) -> Signal | None:
    """The word that counts, or None where no transcript says anything."""
    told: dict[str, Signal] = {
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
    return max(behind, key=lambda each: each["at"], default=main)


def _after(session: Session, told: Signal, changes: Changes) -> None:
    """What else follows: a failure opens or is over, and the turn's end answers what it asked."""
    at = told["at"]
    if told["status"] == "failed":
        item = Item(
            id=attention.FAILURE, session=session.id, kind="failure", tool=None,
            summary=told.get("text", ""), opened_at=at,
        )  # fmt: skip
        attention.open_item(session, item, changes)
    elif told["status"] == "running":
        attention.close(session, attention.FAILURE, "prompted", changes)
        session.in_background = session.in_background and told is not _main(session)
    if told["status"] != "running" and session.hooks_heard_at is not None:
        attention.close_before(session, at, "stopped", changes)
        clear_tools(session, subagents=False)
        refresh_tool(session, changes)
    status.settle(session, at, changes)


def _main(session: Session) -> Signal | None:
    source = session.transcripts.get(MAIN_SOURCE)
    told: Signal | None = source.values.get("signal") if source is not None else None
    return told
