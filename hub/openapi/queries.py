"""Parameters of queries, as types: each field is one parameter. Imported with the document.

They describe what the routes parse themselves; the tests ask real routes with them.
"""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

_STATUSES = "waiting|failed|running|stale|idle|ended"
Text = Annotated[str, Meta(max_length=1_000)]


MOMENT = "Milliseconds, a day of UTC, or a time of ISO 8601"
Since = Annotated[str, Meta(description=f"{MOMENT}: from then on.", examples=["2026-11-20"])]
Until = Annotated[str, Meta(description=f"{MOMENT}: until then, a day with its end.")]
Statuses = Annotated[
    str,
    Meta(
        pattern=f"^({_STATUSES})(,({_STATUSES}))*$", examples=["running,waiting"],
        description="Some of waiting, failed, running, stale, idle, ended; with commas.",
    ),
]  # fmt: skip
Query = Annotated[
    str,
    Meta(
        max_length=1_000,
        description="Words that must all be found in titles, prompts, messages and tool inputs; "
        "quotes hold words together.",
    ),
]
Limit = Annotated[int, Meta(ge=1, le=1_000)]
Cursor = Annotated[str, Meta(max_length=4_096, description="The ``next`` of another answer.")]


class Filters(Struct, kw_only=True):
    """Which sessions."""

    status: Statuses | UnsetType = UNSET
    agent: Text | UnsetType = UNSET
    project: Text | UnsetType = UNSET
    user: Text | UnsetType = UNSET
    q: Query | UnsetType = UNSET
    since: Since | UnsetType = UNSET
    until: Until | UnsetType = UNSET
    archived: Annotated[bool, Meta(description="True: archived ones as well.")] | UnsetType = UNSET
    sort: Literal["updated", "started", "cost"] = "updated"


class Page(Filters, kw_only=True):
    """Which sessions, and how many at once."""

    limit: Limit = 50
    cursor: Cursor | UnsetType = UNSET


class Export(Filters, kw_only=True):
    """Which sessions, by filter or by name, and as what."""

    format: Literal["csv", "json", "html"]
    ids: (
        Annotated[str, Meta(description="Up to 1,000 ids, with commas; filters are passed over.")]
        | UnsetType
    ) = UNSET


class TimelinePlace(Struct, kw_only=True):
    """Which entries of a timeline."""

    before: (
        Annotated[int, Meta(ge=1, le=2**63 - 1, description="A ``seq``; without: the newest.")]
        | UnsetType
    ) = UNSET
    limit: Limit = 50


class Days(Struct, kw_only=True):
    """What to sum up by, over which days of UTC, both included."""

    by: Literal["day", "model", "project", "user", "agent", "tool", "session"] = "day"
    since: Since | UnsetType = UNSET
    until: Until | UnsetType = UNSET


class Names(Struct, kw_only=True):
    """Models to tell of besides those of the board."""

    names: (
        Annotated[str, Meta(description="At most 50 models, with commas in between.")] | UnsetType
    ) = UNSET


class Several(Struct, kw_only=True):
    """Which sessions to compare."""

    ids: Annotated[str, Meta(description="2 to 8 ids, with commas in between.")]
