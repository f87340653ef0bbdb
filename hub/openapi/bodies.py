"""What answers and requests hold, as types: the document's schemas are made of them.

Names and nullability of summaries, details, items and entries are read from the state itself by
``hub.schemas``; here is what stands around them. Imported with the document, never at start.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from hub import actions
from hub.schemas import AttentionItem, Count, Summary, Time, Totals
from session.timeline import TimelineEntry

Money = Annotated[float, Meta(ge=0, description="US dollars.")]
Cost = Annotated[float, Meta(description="US dollars; null where nothing has a known price.")]
Id = Annotated[str, Meta(description="The session's id.")]
CostState = Literal["priced", "partial", "unpriced", "unknown"]
Detail = Annotated[Any, Meta(extra_json_schema={"$ref": "#/components/schemas/Detail"})]
_MORE = {
    "type": "object",
    "required": ["request", "full_bytes", "agent_id"],
    "properties": {
        "request": {"type": ["object", "null"], "description": "What the agent asks to do."},
        "full_bytes": {"type": ["integer", "null"], "description": "Its size where it was cut."},
        "agent_id": {"type": ["string", "null"], "description": "The subagent that asks."},
    },
}
WholeItem = Annotated[
    Any,
    Meta(extra_json_schema={"allOf": [{"$ref": "#/components/schemas/AttentionItem"}, _MORE]}),
]
Compared = Annotated[
    Any,
    Meta(extra_json_schema={
        "allOf": [
            {"$ref": "#/components/schemas/Summary"},
            {"type": "object", "description": "And the parts of Detail that a comparison needs."},
        ]
    }),
]  # fmt: skip


SomeOf = Annotated[actions.Patch, Meta(extra_json_schema={"minProperties": 1})]


class Problem(Struct):
    """Problem details, RFC 9457: ``detail`` says what is wrong, and with which parameter."""

    type: str
    title: str
    status: int
    detail: str


class Live(Struct):
    """The board at once: the first rows of the default view, what waits, and sums."""

    cursor: str
    sessions: list[Summary]
    attention: list[AttentionItem]
    totals: Totals


class LiveSession(Struct):
    """One session with the newest of its timeline."""

    session: Id
    cursor: str
    detail: Detail
    timeline: list[TimelineEntry]
    live: bool


class Activity(Struct):
    """Sessions that used tokens lately, input, output and cache writes together, oldest first."""

    until: Annotated[Time, Meta(description="The end of the last minute, which is still going on.")]
    minutes: Count
    sessions: dict[str, Annotated[list[Count], Meta(min_length=30, max_length=30)]]


class Sessions(Struct):
    """A page of sessions. ``hits``: id → where the words were found, as [text, is a hit] pairs."""

    sessions: list[Summary]
    next: Annotated[str, Meta(description="The cursor of the next page; null on the last.")] | None
    total: Annotated[Count, Meta(description="On all pages.")]
    hits: dict[str, list[tuple[str, bool]]] = {}


class TimelinePage(Struct):
    """Entries, the newest last."""

    timeline: list[TimelineEntry]
    next: Annotated[int, Meta(description="``before`` of the page before; null: none.")] | None


class WholeEntry(TimelineEntry, frozen=True):
    """An entry with its whole text; ``whole`` is false where only a part was ever known."""

    whole: bool = True


class UsageRow(Struct):
    """Sums of one key. ``errors`` and ``total_ms`` are of tools, the rest of everything else."""

    sessions: Count
    calls: Count
    key: str | None = None
    input: Count | None = None
    output: Count | None = None
    cache_read: Count | None = None
    cache_write: Count | None = None
    cost_usd: Cost | None = None
    cost_state: CostState | None = None
    unpriced_calls: Count | None = None
    errors: int | None = None
    total_ms: int | None = None


class Usage(Struct):
    """Every API call counted once, at the session that owns it."""

    by: str
    rows: list[UsageRow]
    more: Annotated[bool, Meta(description="There are others, which only `total` counts in.")]
    total: UsageRow
    unpriced_models: list[str]
    prices: Annotated[dict[str, str | None], Meta(description="Which table of prices was used.")]


class Model(Struct):
    """What is known of a model."""

    context_tokens_max: Annotated[Count, Meta(description="Null is not known.")] | None


class Prices(Struct):
    """Where it is known from."""

    package: str
    version: str


class Models(Struct):
    """The models of the board's sessions, and those that were asked for by name."""

    models: dict[str, Model]
    prices: Prices


class Comparison(Struct):
    """The sessions in the order in which they were asked for."""

    sessions: list[Compared]


class Budget(Struct):
    """A limit that is told and stops nothing."""

    limit_usd: Money | None
    spent_usd: Cost | None = None


class Budgets(Struct):
    """Days and months are of UTC; ``session`` is for each of them."""

    day: Budget
    month: Budget
    session: Budget


class BudgetLimits(Struct, forbid_unknown_fields=True):
    """Limits to set; null takes one away, what is not named stays."""

    day: Annotated[float, Meta(gt=0, le=1e9)] | None = None
    month: Annotated[float, Meta(gt=0, le=1e9)] | None = None
    session: Annotated[float, Meta(gt=0, le=1e9)] | None = None


class OpenItems(Struct):
    """What waits for a person, oldest first."""

    open: list[AttentionItem]


class Connected(Struct):
    """One client of this worker."""

    connection: str
    client: str
    workspace: str
    state: Literal["live", "behind", "closing"]
    connected_at: Time | None
    last_write_at: Time | None
    behind_since: Time | None
    rate_hz: Count
    subscriptions: list[str]
    active: str | None
    in_flight_bytes: Count
    queued_bytes: Count
    frames_written: Count
    frames_acked: Count
    compressed: bool


class Clients(Struct):
    """Who is connected to this worker, in the workspace of the credential."""

    worker: str
    clients: list[Connected]


class Distribution(Struct):
    """How long something took, counted since the worker started."""

    buckets: Annotated[
        list[tuple[float, Count]],
        Meta(description="[seconds, how many took at most so long]; longer ones only in `count`."),
    ]
    count: Count
    sum_seconds: float


class BusFigures(Struct):
    """How this worker follows the log; ``lag_entries`` is null while the log is away."""

    lag_entries: Count | None
    gaps: Count
    epoch_changes: Count
    poison: Count


class About(Struct):
    """One worker's own figures, of all workspaces: sums, and nothing of a single session."""

    worker: str
    version: str | None
    now: Time
    started_at: Time
    sessions: Annotated[dict[str, Count], Meta(description="By status.")]
    clients: Annotated[dict[str, Count], Meta(description="By state.")]
    subscriptions: Count
    watching: Annotated[Count, Meta(description="Over all workers.")]
    bus: BusFigures
    latency: Annotated[
        dict[Literal["attention", "session", "overview"], Distribution],
        Meta(description="From arrival at the ingest until queued for the clients."),
    ]
    flush: Distribution
    loop_lag: Distribution
    conflated_updates: Count
    frames: Annotated[
        dict[str, dict[str, Count]],
        Meta(description="By type, then `shared` or `own`, with `_deflated` where it was."),
    ]
    sent_bytes: Count
    snapshots: Annotated[dict[str, Count], Meta(description="By reason.")]
    evictions: Annotated[dict[str, Count], Meta(description="By reason.")]
    closes: Annotated[dict[str, Count], Meta(description="By close code.")]
    limits: dict[str, Count]


class Source(Struct):
    """A reader on another machine. What it has not sent is null where it is not known."""

    host: str
    user: str
    kind: Literal["ship"]
    state: Literal["live", "late", "silent", "ended"]
    heard_at: Time
    files_behind: Count | None
    bytes_behind: Count | None


class Sources(Struct):
    """Machines whose readers send from afar, by host."""

    now: Time
    sources: list[Source]


class Me(Struct):
    """What the credential allows; ``auth`` is false where the board asks for none."""

    role: Literal["viewer", "operator", "agent"]
    workspace: str
    auth: bool


class Login(Struct):
    """One of the two: the owner's token, or the one-time code of a printed link."""

    token: str = ""
    code: str = ""


Credential = Annotated[Login, Meta(extra_json_schema={"additionalProperties": {"type": "string"}})]
