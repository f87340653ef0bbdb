"""What every kind of delta does to a session: set names, add entries, keep errors and the title.

Marks exactly what changed. Called by the folds of reports and events.
"""

from collections.abc import Iterable
from typing import Any

from session.changes import Changes
from session.delta import MAIN_SOURCE, Delta, Entry, cut_text
from session.state import Session
from session.timeline import TimelineEntry

ERRORS_MAX = 50
ERROR_TEXT_BYTES_MAX = 512
NAME_BYTES_MAX = 1024
CLEARED_TOOLS_MAX = 64
SOURCES_MAX = 16
PROMPT_HASHES_MAX = 256
TITLE_ORDER = ("patch", "custom", "hook", "agent", "ai", "summary", "prompt")


def set_names(session: Session, changes: Changes, **values: Any) -> None:
    """Set scalars and small objects, marking those that really changed."""
    for name, told in values.items():
        set_name(session, changes, name, told)


def set_name(session: Session, changes: Changes, name: str, told: Any) -> None:
    """The same of one of them, for what nearly every delta tells."""
    known = getattr(session, name)
    if told == known:
        return
    value = cut_text(told, NAME_BYTES_MAX)[0] if isinstance(told, str) else told
    if value != known:
        setattr(session, name, value)
        changes.names.add(name)


def set_cwd(session: Session, cwd: str, changes: Changes) -> None:
    """Set where the agent works, and the project, which is the last part of it."""
    project = cwd.rstrip("/\\").replace("\\", "/").rpartition("/")[2]
    set_names(session, changes, cwd=cwd, project=project or None)


def refresh_title(session: Session, changes: Changes) -> None:
    """Choose the title by the order of its candidates."""
    chosen = next((session.titles[kind] for kind in TITLE_ORDER if session.titles.get(kind)), None)
    set_names(session, changes, title=" ".join(chosen.split()) if chosen else None)


def add_entries(session: Session, entries: Iterable[Entry], number: int, changes: Changes) -> None:
    """Append entries to the timeline; one that is already there is passed over."""
    for entry in entries:
        seq = session.timeline.add(entry, number)
        if seq is None:
            continue
        changes.key("timeline", seq)
        if entry.kind == "error" or entry.status == "error":
            _add_error(session, session.timeline.entries[-1], changes)


def _add_error(session: Session, entry: TimelineEntry, changes: Changes) -> None:
    text = cut_text(entry.text, ERROR_TEXT_BYTES_MAX)[0]
    error = {"seq": entry.seq, "at": entry.at, "tool": entry.tool, "text": text}
    session.errors = [*session.errors, error][-ERRORS_MAX:]
    changes.key("errors_list", entry.seq)


def hear(session: Session, delta: Delta, family: str, changes: Changes) -> None:
    """Note that the source was heard, and the times that follow from it."""
    at, names = delta.heard_at, changes.names
    if session.sources.get(family, -1) < at:
        session.sources = _heard_last({**session.sources, family: at})
        names.add("sources")
        if family in session.silent:
            others = {name: since for name, since in session.silent.items() if name != family}
            set_names(session, changes, silent=others)
    if session.updated_at is None or at > session.updated_at:
        session.updated_at = at
        names.add("updated_at")
    if session.started_at is None:
        set_name(session, changes, "started_at", at)
    if delta.host and delta.host != session.host:
        set_names(session, changes, host=delta.host)
    if delta.user and delta.user != session.user:
        set_names(session, changes, user=delta.user)


def _heard_last(sources: dict[str, int]) -> dict[str, int]:
    """Names of sources are the senders' own: of more than any session has, the newest."""
    if len(sources) <= SOURCES_MAX:
        return sources
    oldest = min(sources, key=lambda name: (sources[name], name))
    return {name: at for name, at in sources.items() if name != oldest}


def refresh_tool(session: Session, changes: Changes) -> None:
    """The current tool: the main agent's latest open one, else a subagent's."""
    if session.open_tools:
        calls = session.open_tools.values()
        tool: str | None = max(calls, key=lambda each: (each.agent_id is None, each.at)).tool
    else:
        tool = "background" if session.in_background and session.base == "running" else None
    set_name(session, changes, "current_tool", tool)


def clear_tools(session: Session, *, subagents: bool) -> None:
    """The turn is over: calls that have not ended will not be waited for.

    Their ids are kept for a while: one that ends late after all was counted at its start.
    """
    kept = {
        call: tool
        for call, tool in session.open_tools.items()
        if tool.agent_id is not None and not subagents
    }
    gone = [call for call in session.open_tools if call not in kept]
    session.cleared_tools = [*session.cleared_tools, *gone][-CLEARED_TOOLS_MAX:]
    session.open_tools = kept


def has_transcript(session: Session) -> bool:
    """Whether the session's own transcript is known: it tells the whole timeline then."""
    return MAIN_SOURCE in session.transcripts


def note_prompt(session: Session, digest: str, ordinal: int) -> None:
    """The latest ordinal of a prompt's text; of very many the oldest text is forgotten."""
    if len(session.prompts) >= PROMPT_HASHES_MAX and digest not in session.prompts:
        del session.prompts[next(iter(session.prompts))]
    session.prompts[digest] = ordinal


def parts_of(session: Session, key: str) -> list[dict[str, Any]]:
    """That map of every transcript, by their names: sums must not depend on who came first."""
    ordered = sorted(session.transcripts.items())
    return [source.values[key] for _, source in ordered if key in source.values]


def total(parts: list[dict[str, Any]], names: tuple[str, ...]) -> dict[str, Any]:
    """Sums by name; what a part does not tell counts as nothing."""
    return {name: sum(part.get(name) or 0 for part in parts) for name in names}
