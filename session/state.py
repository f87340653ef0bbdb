"""A session as every worker holds it: the summary, the maps and series, and the fold's own memory.

Plain data: only the fold changes it. Names are the same in SQL, JSON and TypeScript.
Read by hub/live to make rows, snapshots and patches.
"""

from typing import Any, Literal

from msgspec import Struct, field

from session.timeline import Timeline

Status = Literal["running", "waiting", "idle", "failed", "ended", "stale"]
STATUSES: tuple[Status, ...] = ("waiting", "failed", "running", "stale", "idle", "ended")
BLOCKING_KINDS = frozenset({"permission", "question", "plan"})
TOKEN_NAMES = ("input", "output", "cache_read", "cache_write")

SUMMARY_NAMES = (
    "id", "agent", "workspace", "host", "user", "project", "cwd", "branch", "title", "model",
    "phase", "event_id", "status", "status_since", "current_tool", "attention", "started_at",
    "updated_at", "ended_at", "archived", "tokens", "cost_usd", "cost_state", "context_tokens",
    "messages", "tool_calls", "tool_errors", "objectives", "subagents", "budget_usd", "sources",
)  # fmt: skip
MAP_NAMES = ("objectives_list", "tools", "models", "subagents_tree")
SMALL_DETAIL_NAMES = ("inherited", "timeline_partial", "usage_sources", "silent")
SERIES_NAMES = ("token_series", "errors_list", "timeline")


class Item(Struct, kw_only=True):
    """An open attention item. ``call`` is the tool call it belongs to, if that is known.

    ``id`` is its own within the session: forks and copies of a session have the same calls.
    """

    id: str
    session: str
    kind: str
    tool: str | None
    summary: str
    opened_at: int
    answerable: bool = False
    agent_id: str | None = None
    call: str | None = None
    input_hash: str | None = None
    request: dict[str, Any] | None = None
    full_bytes: int | None = None


class OpenTool(Struct, kw_only=True):
    """A tool call that has started and not ended."""

    tool: str
    at: int
    agent_id: str | None = None
    input_hash: str | None = None


class Source(Struct, kw_only=True):
    """What one transcript said last, up to the version ``(generation, to)``."""

    generation: int = 0
    to: int = 0
    values: dict[str, Any] = field(default_factory=dict)


class ToolCount(Struct, kw_only=True):
    """What the detail says of the calls of one tool."""

    calls: int = 0
    errors: int = 0
    total_ms: int = 0


class Session(Struct, kw_only=True):
    """One session. The first block is the public summary, the second the detail."""

    id: str
    workspace: str
    agent: str = "claude-code"
    host: str | None = None
    user: str | None = None
    project: str | None = None
    cwd: str | None = None
    branch: str | None = None
    title: str | None = None
    model: str | None = None
    phase: str | None = None
    event_id: str | None = None
    status: Status = "idle"
    status_since: int | None = None
    current_tool: str | None = None
    attention: int = 0
    started_at: int | None = None
    updated_at: int | None = None
    ended_at: int | None = None
    archived: bool = False
    tokens: dict[str, int] | None = None
    cost_usd: float | None = None
    cost_state: str = "unknown"
    context_tokens: int | None = None
    messages: int | None = None
    tool_calls: int = 0
    tool_errors: int = 0
    objectives: dict[str, int] | None = None
    subagents: dict[str, int] | None = None
    budget_usd: float | None = None
    sources: dict[str, int] = field(default_factory=dict)

    objectives_list: dict[str, dict[str, Any]] = field(default_factory=dict)
    tools: dict[str, dict[str, int]] = field(default_factory=dict)
    models: dict[str, dict[str, Any]] = field(default_factory=dict)
    subagents_tree: dict[str, dict[str, Any]] = field(default_factory=dict)
    inherited: dict[str, Any] | None = None
    timeline_partial: bool = False
    usage_sources: dict[str, dict[str, Any]] = field(default_factory=dict)
    silent: dict[str, int] = field(default_factory=dict)  # source → when it was heard last
    minutes: dict[int, dict[str, Any]] = field(default_factory=dict)
    errors: list[dict[str, Any]] = field(default_factory=list)
    timeline: Timeline = field(default_factory=Timeline)

    # The fold's own memory, never sent.
    number: int = 0  # of the last delta applied
    cursor_number: int = 0  # of the last delta that changed something
    removed_number: int = 0  # of the last delta that took a key out of a map
    base: Status = "idle"  # what the agent does, attention left aside
    base_at: int | None = None  # the time of the last signal that was taken
    hooks_heard_at: int | None = None
    past: bool = False
    in_background: bool = False  # the last turn ended with background tasks running
    items: dict[str, Item] = field(default_factory=dict)
    budget_levels: dict[str, int] = field(default_factory=dict)  # scope → percent that was told
    open_tools: dict[str, OpenTool] = field(default_factory=dict)
    ended_tools: list[str] = field(default_factory=list)  # the last 64
    cleared_tools: list[str] = field(default_factory=list)  # started, then given up; the last 64
    agent_signals: dict[str, str] = field(default_factory=dict)  # subagent → what hooks said last
    tools_by_family: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)
    messages_by_family: dict[str, dict[str, int]] = field(default_factory=dict)
    usage_by_family: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    usage_family: str | None = None  # the one that counts
    usage_calls: list[str] = field(default_factory=list)  # told by events, the last 256
    usage_series: dict[str, dict[str, float]] = field(default_factory=dict)  # of cumulative metrics
    titles: dict[str, str] = field(default_factory=dict)
    prompts: dict[str, int] = field(default_factory=dict)  # text hash → how often
    transcripts: dict[str, Source] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str]:
        """The session's key everywhere: ``(workspace, id)``."""
        return (self.workspace, self.id)


def summary(session: Session) -> dict[str, Any]:
    """The row of the overview: every summary name with its present value."""
    return {name: getattr(session, name) for name in SUMMARY_NAMES}


def detail(session: Session) -> dict[str, Any]:
    """Summary and detail in one flat object; the timeline is left to the caller."""
    whole = summary(session)
    for name in MAP_NAMES + SMALL_DETAIL_NAMES:
        whole[name] = getattr(session, name)
    whole["token_series"] = token_series(session)
    whole["errors_list"] = session.errors
    return whole


def public_id(session_id: str, item_id: str) -> str:
    """An item's id among all sessions."""
    return f"{session_id}:{item_id}"


def item_view(item: Item) -> dict[str, Any]:
    """An attention item as clients see it (without the full request)."""
    return {
        "id": public_id(item.session, item.id),
        "session": item.session,
        "kind": item.kind,
        "tool": item.tool,
        "summary": item.summary,
        "opened_at": item.opened_at,
        "answerable": item.answerable,
    }


SERIES_BUCKETS_MAX = 240
_FINE_BUCKETS = 180
_MINUTE_MS = 60_000
_WIDTHS_MIN = (2, 5, 10, 15, 30, 60, 120, 240, 720, 1440, 10_080, 525_600)


def series_is_merged(session: Session) -> bool:
    """Whether older minutes are merged: then a patch must carry ``token_series`` whole."""
    return len(session.minutes) > SERIES_BUCKETS_MAX


def bucket(session: Session, at: int) -> dict[str, Any]:
    """One bucket of ``token_series``."""
    return {"at": at, **session.minutes[at]}


def token_series(session: Session) -> list[dict[str, Any]]:
    """Buckets by minute, at most 240: beyond that the older ones are merged, none is dropped."""
    order = sorted(session.minutes)
    if len(order) <= SERIES_BUCKETS_MAX:
        return [bucket(session, at) for at in order]
    older, newer = order[:-_FINE_BUCKETS], order[-_FINE_BUCKETS:]
    room = SERIES_BUCKETS_MAX - _FINE_BUCKETS
    widths = (minutes * _MINUTE_MS for minutes in _WIDTHS_MIN)
    span = (older[-1] - older[0]) // (room - 1) + 1  # for clocks that are wildly wrong
    width = next((w for w in widths if older[-1] // w - older[0] // w < room), span)
    merged: dict[int, dict[str, Any]] = {}
    for at in older:
        start = at - at % width
        into = merged.setdefault(start, dict.fromkeys((*TOKEN_NAMES, "cost_usd"), 0))
        for name, value in session.minutes[at].items():
            into[name] += value
    coarse = [{"at": at, **values} for at, values in sorted(merged.items())]
    return coarse + [bucket(session, at) for at in newer]
