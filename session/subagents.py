"""The tree of subagents: told by hooks, by their own transcripts and by their parent's.

Hooks decide the status where they were heard; what is past is done. Called by the folds only.
"""

from typing import Any

from session.changes import Changes
from session.delta import SUBAGENT_PREFIX
from session.record import set_names
from session.state import TOKEN_NAMES, Session

AGENTS_MAX = 300


def agent_id_of(source: str) -> str | None:
    """The subagent whose transcript a source is, or None for the main one."""
    if not source.startswith(SUBAGENT_PREFIX):
        return None
    return source.rpartition("/")[2].removeprefix("agent-")


def refresh_agent(session: Session, agent_id: str, changes: Changes) -> None:
    """Bring one node up to date with everything that was told of it."""
    known = session.subagents_tree.get(agent_id)
    if known is None and len(session.subagents_tree) >= AGENTS_MAX:
        _drop_oldest(session, changes)
    own = _own_values(session, agent_id)
    told = own.get("subagent") or {}
    parent = _parents_word(session, agent_id)
    node = {
        "type": (known or {}).get("type") or told.get("type") or parent.get("type"),
        "parent": told.get("parent"),
        "status": _status(session, agent_id, told.get("status"), parent.get("status")),
        **_usage(own),
    }
    if node != known:
        session.subagents_tree[agent_id] = node
        changes.key("subagents_tree", agent_id)
        count_subagents(session, changes)


def _status(session: Session, agent_id: str, own: str | None, parent: str | None) -> str:
    if session.past or session.base == "ended":
        return "done"
    hooked = session.agent_signals.get(agent_id)
    if hooked is not None:
        return hooked
    return "done" if parent == "done" else own or parent or "done"


def _own_values(session: Session, agent_id: str) -> dict[str, Any]:
    for name, source in session.transcripts.items():
        if agent_id_of(name) == agent_id:
            return source.values
    return {}


def _parents_word(session: Session, agent_id: str) -> dict[str, Any]:
    for source in session.transcripts.values():
        told: dict[str, Any] | None = source.values.get("agents", {}).get(agent_id)
        if told is not None:
            return told
    return {}


def _usage(own: dict[str, Any]) -> dict[str, Any]:
    """Tokens and cost of its own transcript; unknown without one."""
    if not own:
        return {"tokens": None, "cost_usd": None}
    calls = [own["calls"][model] for model in sorted(own.get("calls", {}))]
    tokens = {name: sum(call.get(name) or 0 for call in calls) for name in TOKEN_NAMES}
    return {"tokens": tokens, "cost_usd": sum(call.get("cost_usd") or 0 for call in calls)}


def _drop_oldest(session: Session, changes: Changes) -> None:
    """The tree is full: the one that was announced first goes."""
    oldest = next(iter(session.subagents_tree))
    del session.subagents_tree[oldest]
    session.agent_signals.pop(oldest, None)
    session.removed_number = -1
    changes.key("subagents_tree", oldest)


def end_subagents(session: Session, changes: Changes) -> None:
    """The session is over, and with it whatever its subagents did."""
    for agent_id, node in session.subagents_tree.items():
        if node["status"] == "running":
            session.agent_signals[agent_id] = "done"
            session.subagents_tree[agent_id] = {**node, "status": "done"}
            changes.key("subagents_tree", agent_id)
    if session.subagents_tree:
        count_subagents(session, changes)


def count_subagents(session: Session, changes: Changes) -> None:
    """Roll the subagents up into the summary."""
    active = sum(node["status"] == "running" for node in session.subagents_tree.values())
    total = len(session.subagents_tree)
    set_names(session, changes, subagents={"active": active, "total": total})
