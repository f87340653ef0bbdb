"""What travels on the log: a report (from a reader), an event (hooks, native) or a time delta.

Never mutated after it was made: the recorder and every hub share one object on the memory bus.
Made by the adapters and readers, numbered by the log, applied by the fold.
"""

from typing import Any, Literal, TypeAlias

from msgspec import Struct

from session.mark import Mark

DEFAULT_WORKSPACE = "default"
MAIN_SOURCE = "main"
SUBAGENT_PREFIX = "subagents/"

ENTRY_TEXT_BYTES_MAX = 2048


EntryKind = Literal[
    "prompt", "message", "tool", "objective", "tokens", "attention", "subagent", "compaction",
    "error", "session",
]  # fmt: skip


class Entry(Struct, kw_only=True, omit_defaults=True, frozen=True):
    """A timeline entry as its source knows it; the fold gives it a ``seq``.

    ``offset`` is the byte offset just behind the transcript line it comes from, 0 for events.
    """

    id: str
    kind: EntryKind
    at: int | None = None
    offset: int = 0
    ref: str | None = None
    text: str = ""
    full_bytes: int | None = None
    tool: str | None = None
    status: str | None = None
    duration_ms: int | None = None
    tokens: int | None = None
    agent_id: str | None = None


class Usage(Struct, kw_only=True, omit_defaults=True, frozen=True):
    """One API call, for the recorder. A later row of the same ``message_id`` replaces it.

    ``request_id`` is the provider's name of the call, by which all that tell of it agree.
    """

    message_id: str
    model: str
    at: int | None = None
    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    cache_write_1h: int = 0
    cost_usd: float | None = None
    forked: bool = False
    request_id: str | None = None


class Common(Struct, kw_only=True, omit_defaults=True, frozen=True, tag_field="type"):
    """Fields of every delta. Times are milliseconds since the Unix epoch.

    ``at`` is the agent's own time or null, ``received_at`` the ingest's or reader's.
    ``number`` is given by the log, dense per session from 1; 0 means not from a log.
    """

    id: str
    session: str
    received_at: int
    workspace: str = DEFAULT_WORKSPACE
    agent: str = "claude-code"
    source: str = MAIN_SOURCE
    kind: str
    at: int | None = None
    host: str | None = None
    user: str | None = None
    number: int = 0

    @property
    def heard_at(self) -> int:
        """The agent's own time where it has one, else the time of arrival."""
        return self.received_at if self.at is None else self.at

    @property
    def key(self) -> tuple[str, str]:
        """The session's key everywhere: ``(workspace, id)``."""
        return (self.workspace, self.session)


class Report(
    Common, kw_only=True, omit_defaults=True, frozen=True, tag="report", rename={"from_": "from"}
):
    """What a reader knows of one source up to the byte ``to``: absolute values, latest wins.

    ``values`` holds only the keys that changed since ``from_``; their names are in
    ``session.report``. The version is ``(generation, to)``. For the recorder alone are
    ``mark``, which file of the same machine it was read from, and ``texts``, by entry id those
    that ``entries`` have cut.
    """

    kind: str = "report"
    generation: int = 0
    from_: int = 0
    to: int = 0
    values: dict[str, Any] = {}
    entries: list[Entry] = []
    usage: list[Usage] = []
    texts: dict[str, str] = {}
    mark: Mark | None = None


class Event(Common, kw_only=True, omit_defaults=True, frozen=True, tag="event"):
    """Something that happened, told by a hook or a native agent. ``fields`` depend on ``kind``."""

    fields: dict[str, Any] = {}


class Time(Common, kw_only=True, omit_defaults=True, frozen=True, tag="time"):
    """What time alone changes, appended by the leader's timer only.

    ``fields["heard_at"]`` is the session's ``updated_at`` that the timer saw: anything heard
    since then makes ``settled``, ``stale`` and ``past`` void, so that every worker decides alike.
    ``silent`` has ``source`` and ``since``, when that one was heard last.
    """

    fields: dict[str, Any] = {}


Delta: TypeAlias = Report | Event | Time


def cut_text(text: str, limit: int = ENTRY_TEXT_BYTES_MAX) -> tuple[str, int | None]:
    """Cut ``text`` to ``limit`` bytes of UTF-8; give it with its full size if it was longer."""
    if len(text) * 4 <= limit:
        return text, None
    raw = text.encode("utf-8", "replace")
    if len(raw) <= limit:
        return text, None
    return raw[:limit].decode("utf-8", "ignore"), len(raw)
