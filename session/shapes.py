"""What a delta of a stranger may hold: the types and sizes that the fold and the frames rely on.

The codec reads any JSON into a delta; this looks inside ``values`` and ``fields``. Never changes a
delta, and passes over names that it does not know: a newer reader may tell more. Called at the
door of ``POST /v1/deltas``, and by the tests of whatever makes deltas.
"""

from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from session.delta import MAIN_SOURCE, SUBAGENT_PREFIX, Delta, EntryKind, Event, Report
from session.errors import InvalidDelta
from session.known_types import make_known

COUNT_MAX = 2**53
OFFSET_MAX = 2**62
TIME_MAX_MS = 4_102_444_800_000  # the year 2100
NAME_CHARS_MAX = 300
LABEL_CHARS_MAX = 255  # as long as a host's name may be
SOURCE_CHARS_MAX = 100
TEXT_CHARS_MAX = 1024
"""A row of the longest of them, each character an escape of six bytes, fits its frame."""

NEEDED = {
    "tool_start": ("call", "tool"),
    "tool_end": ("call", "tool"),
    "permission_denied": ("call", "tool"),
    "resolved": ("call",),
    "subagent_start": ("agent_id",),
    "subagent_stop": ("agent_id",),
}
"""Fields without which an event of that kind means nothing."""

Name = Annotated[str, Meta(min_length=1, max_length=NAME_CHARS_MAX)]
Label = Annotated[str, Meta(min_length=1, max_length=LABEL_CHARS_MAX)]
OwnSource = Annotated[str, Meta(min_length=1, max_length=SOURCE_CHARS_MAX)]
MayLabel = Annotated[str, Meta(max_length=LABEL_CHARS_MAX)] | None
Short = Annotated[str, Meta(max_length=NAME_CHARS_MAX)]
Text = Annotated[str, Meta(max_length=TEXT_CHARS_MAX)]
Count = Annotated[int, Meta(ge=0, le=COUNT_MAX)]
Offset = Annotated[int, Meta(ge=0, le=OFFSET_MAX)]
Time = Annotated[int, Meta(ge=0, le=TIME_MAX_MS)]
Amount = Annotated[float, Meta(ge=-COUNT_MAX, le=COUNT_MAX)]  # sums of floats end beside zero
Minute = Annotated[str, Meta(pattern=r"^[0-9]{1,13}\Z")]
Status = Literal["pending", "in_progress", "completed"]
AgentStatus = Literal["running", "done"]
May: TypeAlias = UnsetType | None


class Tokens(Struct):
    """Counts of tokens; what is not told is none."""

    input: Count | None = None
    output: Count | None = None
    cache_read: Count | None = None
    cache_write: Count | None = None


class Sums(Tokens):
    """Tokens and cost of a model, or of a minute."""

    cost_usd: Amount | None = None
    calls: Count | None = None
    unpriced: Count | None = None


class ToolSums(Struct):
    """Calls of a tool."""

    calls: Count | None = None
    errors: Count | None = None
    total_ms: Count | None = None


class Objective(Struct):
    """An objective in a report: all of it."""

    text: Text
    status: Status
    at: Time | None


class PartOfObjective(Struct):
    """An objective in an event: what is null stays as it was."""

    text: Text | None = None
    status: Status | None = None
    at: Time | None = None


class OpenCall(Struct):
    """A call that has not ended, or that did with this report."""

    tool: Name
    at: Time
    kind: Short | None = None
    summary: str = ""
    request: dict[str, Any] | None = None
    ended: bool = False


class Agent(Struct):
    """What a transcript says of a subagent."""

    type: Short | None = None
    parent: Short | None = None
    status: AgentStatus | None = None


class Inherited(Struct):
    """What another session owns."""

    tokens: Tokens
    cost_usd: Amount | None


class Signal(Struct):
    """What the agent does, in a transcript's word."""

    status: Short
    at: Time
    text: str = ""


class Values(Struct):
    """``values`` of a report; the keys are those of ``session.report``."""

    calls: dict[Name, Sums | None] | UnsetType = UNSET
    tools: dict[Name, ToolSums | None] | UnsetType = UNSET
    buckets: dict[Minute, Sums | None] | UnsetType = UNSET
    objectives: dict[Name, Objective | None] | UnsetType = UNSET
    titles: dict[Short, str | None] | UnsetType = UNSET
    open_calls: dict[Name, OpenCall | None] | UnsetType = UNSET
    agents: dict[Name, Agent | None] | UnsetType = UNSET
    started_at: Time | UnsetType = UNSET
    cwd: str | UnsetType = UNSET
    branch: str | May = UNSET
    model: Short | May = UNSET
    context_tokens: Count | May = UNSET
    messages: Count | May = UNSET
    inherited: Inherited | May = UNSET
    subagent: Agent | May = UNSET
    prompted_at: Time | UnsetType = UNSET
    signal: Signal | May = UNSET
    past: Time | UnsetType = UNSET


class Fields(Struct):
    """``fields`` of an event, of any kind: one name means the same in all of them."""

    cwd: str | None = None
    title: str | None = None
    model: Short | None = None
    phase: str | None = None
    event_id: str | None = None
    branch: str | None = None
    budget_usd: Amount | None = None
    agent_id: Name | None = None
    agent_type: Short | None = None
    trigger: Short | None = None
    reason: str | None = None
    text: str | None = None
    full_text: str | None = None
    full_bytes: Count | None = None
    hash: Short | None = None
    prompt_id: Name | None = None
    call: Name | None = None
    tool: Name | None = None
    input_hash: Short | None = None
    summary: str | None = None
    asks: Short | None = None
    ask: Name | None = None
    request: dict[str, Any] | None = None
    status: Short | None = None
    duration_ms: Count | None = None
    objectives: dict[Name, PartOfObjective | None] | None = None
    whole: bool | None = None
    elicitation_id: Short | None = None
    outcome: Short | None = None
    notification: Short | None = None
    background_tasks: Count | None = None
    input: Count | None = None
    output: Count | None = None
    cache_read: Count | None = None
    cache_write: Count | None = None
    cache_write_1h: Count | None = None
    cost_usd: Amount | None = None
    aside: bool | None = None
    value: Amount | None = None
    adds: dict[Short, int] | None = None
    series: Short | None = None
    cumulative: bool | None = None
    start: Count | None = None


class EntryShape(Struct):
    """A timeline entry of a report. Its text may be long: the timeline cuts it."""

    id: Name
    kind: EntryKind
    at: Time | None
    offset: Offset
    ref: Name | None
    text: str
    full_bytes: Count | None
    tool: Name | None
    status: Short | None
    duration_ms: Count | None
    tokens: Count | None
    agent_id: Name | None


class UsageShape(Struct):
    """A row of a report's usage."""

    message_id: Name
    model: Name
    at: Time | None
    input: Count
    output: Count
    cache_read: Count
    cache_write: Count
    cache_write_1h: Count
    cost_usd: Amount | None
    request_id: Name | None


class Common(Struct):
    """What every delta has."""

    id: Name
    session: Name
    agent: Label
    source: Name
    kind: Name
    at: Time | None
    host: MayLabel
    user: MayLabel


class ReportShape(Common):
    """A report."""

    generation: Offset
    from_: Offset
    to: Offset
    values: Values
    entries: list[EntryShape]
    usage: list[UsageShape]
    texts: dict[Name, str]


class EventShape(Common):
    """An event; a session shows when each of its sources was heard."""

    source: OwnSource
    fields: Fields


make_known(ReportShape, EventShape)


def check(delta: Delta) -> None:
    """Raise InvalidDelta, with the place and the reason, for what the fold was not made for."""
    shape = ReportShape if isinstance(delta, Report) else EventShape
    try:
        msgspec.convert(delta, shape, from_attributes=True)
    except msgspec.ValidationError as error:
        raise InvalidDelta(str(error).replace("`$.from_`", "`$.from`")) from error
    if isinstance(delta, Report):
        if delta.source != MAIN_SOURCE and not delta.source.startswith(SUBAGENT_PREFIX):
            raise InvalidDelta(f"source: expected {MAIN_SOURCE} or {SUBAGENT_PREFIX}…")
    elif isinstance(delta, Event):
        missing = [name for name in NEEDED.get(delta.kind, ()) if delta.fields.get(name) is None]
        if missing:
            raise InvalidDelta(f"fields.{missing[0]}: {delta.kind} needs it")
