"""Every frame of hub.v1, both ways, as a type: what hub.asyncapi publishes.

A description and no parser: the hub reads and writes frames elsewhere, and a test holds recorded
ones to these. From a client, what the hub would refuse is forbidden here, and nothing else.
"""

from typing import Annotated, Any, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType, field

from hub.limits import Limits
from hub.live.frames import CLOSE_CODES, PROTOCOL
from hub.live.views import SORTS
from hub.schemas import (
    AttentionItem,
    Count,
    DetailPart,
    PatchAppend,
    PatchMaps,
    PatchSet,
    Row,
    Schema,
    Summary,
    Time,
    Totals,
)
from session.state import Status
from session.timeline import TimelineEntry

LIMITS = Limits()

EvictedReason = Literal["cap", "slow", "forbidden", "deleted"]
StaleReason = Literal["gap", "epoch", "trimmed", "slow", "worker"]
ErrorCode = Literal[
    "bad_frame", "unknown_session", "forbidden", "rate", "snapshot_failed", "backend"
]

Protocol = Annotated[int, Meta(extra_json_schema={"const": PROTOCOL})]
CloseCode = Annotated[int, Meta(extra_json_schema={"enum": list(CLOSE_CODES)})]
Sort = Annotated[str, Meta(extra_json_schema={"enum": list(SORTS)})]
Cursor = Annotated[str, Meta(description="Opaque: compare it for equality, and hand it back.")]
Part = Annotated[int, Meta(ge=1)]
SessionId = Annotated[str, Meta(min_length=1)]
Text: TypeAlias = Annotated[str, Meta(max_length=200)] | UnsetType | None
RateHz = Annotated[
    float, Meta(gt=0, description="Brought into 1 to 1000, rounded down to 1, 5, 20, 60, 200, 1000")
]
Id: TypeAlias = int | str


class Message(Struct, kw_only=True, tag_field="type"):
    """Any frame."""


# From the client to the hub.


class View(Struct, kw_only=True):
    """Which rows of the overview; ``q`` is words in title, project, branch or id."""

    status: Annotated[list[Status], Meta(max_length=32)] | UnsetType = UNSET
    project: Text = UNSET
    agent: Text = UNSET
    user: Text = UNSET
    q: Text = UNSET
    archived: bool = False
    sort: Sort = SORTS[0]
    limit: Annotated[
        int, Meta(ge=1, description=f"How many rows; {LIMITS.view_rows_max} at most are given.")
    ] = 200
    pinned: (
        Annotated[
            list[str],
            Meta(max_length=32, description="Sessions whose rows are wanted besides."),
        ]
        | UnsetType
    ) = UNSET


class Resume(Struct, kw_only=True):
    """A session that was open, and the cursor held."""

    session: SessionId
    cursor: Cursor


class Hello(Message, tag="hello"):
    """The first frame. Answered by welcome, attention, overview.snapshot and what is resumed."""

    protocol: Protocol
    client: Annotated[str, Meta(description="Name and version.")] | UnsetType = UNSET
    token: Annotated[str, Meta(description="Where the handshake had none.")] | UnsetType = UNSET
    rate_hz: RateHz = LIMITS.rate_hz
    subscriptions: Annotated[
        int,
        Meta(description=f"Brought into {LIMITS.subscriptions_min} to {LIMITS.subscriptions_max}."),
    ] = LIMITS.subscriptions
    view: View | UnsetType = UNSET
    resume: (
        Annotated[list[Resume], Meta(max_length=64, description="Least recently opened first.")]
        | UnsetType
    ) = UNSET
    active: str | UnsetType = UNSET


class Subscribe(Message, tag="subscribe"):
    """Open a session. Answered by session.snapshot, or by error."""

    session: SessionId
    activate: bool = False


class Unsubscribe(Message, tag="unsubscribe"):
    """Close a session."""

    session: SessionId


class Activate(Message, tag="activate"):
    """The session that the person looks at, or none: it is never evicted by the cap."""

    session: SessionId | None = None


class ViewRequest(View, Message, tag="view"):
    """Another view. Answered by overview.snapshot."""


class Rate(Message, tag="rate"):
    """How often to hear. Answered by overview.snapshot."""

    hz: RateHz = LIMITS.rate_hz


class Resync(Message, tag="resync"):
    """A gap was found. Answered by the snapshot of that scope, at most once a second each."""

    scope: Literal["overview", "attention", "session"]
    session: SessionId | UnsetType = UNSET
    reason: Annotated[str, Meta(description="For people.")] | UnsetType = UNSET


class Ack(Message, tag="ack"):
    """How many frames were processed, welcome being the first."""

    frames: Count


class Ping(Message, tag="ping"):
    """Answered by pong."""

    id: Id | UnsetType = UNSET


class HeartbeatAnswer(Message, tag="pong"):
    """The answer to a heartbeat, for who wants to give one; ack will do."""

    id: Id | UnsetType = UNSET


# From the hub to the client.


class WelcomeLimits(Struct, kw_only=True):
    """The limits of this connection."""

    subscriptions: Count
    rate_hz: Count
    message_bytes: Count
    frame_bytes: Count


class Welcome(Message, tag="welcome"):
    """The first frame, which answers hello."""

    protocol: Protocol
    connection: str
    worker: str
    now: Time
    heartbeat_ms: Count
    limits: WelcomeLimits


class OverviewSnapshot(Message, tag="overview.snapshot"):
    """The rows of the view in full; a row that is in no part is not in the view."""

    cursor: Cursor
    part: Part
    parts: Part
    sessions: list[Summary]
    totals: Annotated[Totals, Meta(description="With the last part.")] | UnsetType = UNSET


class OverviewPatch(Message, tag="overview.patch"):
    """Changes of rows: apply it if ``from`` equals the cursor held."""

    from_: Cursor = field(name="from")
    cursor: Cursor
    set: list[Row]
    gone: list[str]
    totals: Annotated[Totals, Meta(description="At most once a second.")] | UnsetType = UNSET


class Closed(Struct, kw_only=True):
    """An item that waits no more."""

    id: str
    outcome: str


class Attention(Message, tag="attention"):
    """Open items by id, sent at once; with ``full`` the parts replace the whole set."""

    cursor: Cursor
    full: bool
    part: Part
    parts: Part
    open: list[AttentionItem]
    closed: list[Closed]


class SessionSnapshot(Message, tag="session.snapshot"):
    """An opened session, replacing what is held of it; ``live`` stands on the last part."""

    session: str
    cursor: Cursor
    part: Part
    parts: Part
    detail: DetailPart
    timeline: list[TimelineEntry]
    live: bool


class SessionPatch(Message, tag="session.patch"):
    """Changes of an opened session: apply it if ``from`` equals the cursor held."""

    session: str
    from_: Cursor = field(name="from")
    cursor: Cursor
    set: PatchSet
    maps: PatchMaps
    append: PatchAppend


class SessionEvicted(Message, tag="session.evicted"):
    """No more frames for the session: mark it stale, forget its cursor."""

    session: str
    reason: EvictedReason


class SessionStale(Message, tag="session.stale"):
    """What is held of the session is not true any more; a snapshot will follow."""

    session: str
    reason: StaleReason


class Heartbeat(Message, tag="heartbeat"):
    """The cursors of the last frames written to this client: another one held means a loss."""

    id: Id
    now: Time
    overview: Cursor | None
    attention: Cursor | None
    sessions: dict[str, Cursor]


class Pong(Message, tag="pong"):
    """The answer to ping, with its id."""

    id: Any
    now: Time


class Notice(Message, tag="notice"):
    """For people; may be dropped."""

    level: str
    code: str
    message: str


class Error(Message, tag="error"):
    """A request failed, the connection lives."""

    code: ErrorCode
    message: str
    session: str | UnsetType = UNSET
    retry_ms: Count | UnsetType = UNSET


class Bye(Message, tag="bye"):
    """The hub is about to close. Without ``retry_ms`` a client should not come back by itself."""

    code: CloseCode
    reason: str
    retry_ms: Count | UnsetType = UNSET


FROM_CLIENT: tuple[type[Message], ...] = (
    Hello, Subscribe, Unsubscribe, Activate, ViewRequest, Rate, Resync, Ack, Ping, HeartbeatAnswer,
)  # fmt: skip
FROM_HUB: tuple[type[Message], ...] = (
    Welcome, OverviewSnapshot, OverviewPatch, Attention, SessionSnapshot, SessionPatch,
    SessionEvicted, SessionStale, Heartbeat, Pong, Notice, Error, Bye,
)  # fmt: skip
# What a type cannot say.
MORE: dict[str, Schema] = {
    "Resync": {
        "if": {"properties": {"scope": {"const": "session"}}},
        "then": {"required": ["session"]},
    }
}


def type_of(message: type[Message]) -> str:
    """The ``type`` of a frame on the wire."""
    return str(message.__struct_config__.tag)
