"""JSON Schemas of the values in frames: summaries, details, items, entries, totals.

Names, types and nullability are read from the state itself, so that they cannot drift; only what
is inside small objects is spelled out. Called by hub.asyncapi, at the first request for it.
"""

from collections.abc import Iterable
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from session.state import (
    MAP_NAMES,
    SERIES_NAMES,
    SMALL_DETAIL_NAMES,
    STATUSES,
    SUMMARY_NAMES,
    TOKEN_NAMES,
    Item,
    Session,
    ToolCount,
    item_view,
)
from session.timeline import TimelineEntry

Schema = dict[str, Any]

REFERENCE = "#/components/schemas/{name}"
WHOLE_NAMES = tuple(name for name in SERIES_NAMES if name != "timeline")
DETAIL_NAMES = SUMMARY_NAMES + MAP_NAMES + SMALL_DETAIL_NAMES + WHOLE_NAMES

CostState = Literal["priced", "partial", "unpriced", "unknown"]
ItemKind = Literal["permission", "question", "plan", "failure", "budget"]
EntryKind = Literal[
    "prompt", "message", "tool", "objective", "tokens", "attention", "subagent", "compaction",
    "error", "session",
]  # fmt: skip
Count = Annotated[int, Meta(ge=0)]
Time = Annotated[int, Meta(description="Milliseconds since the Unix epoch.")]

COUNT = {"type": "integer", "minimum": 0}


def _named(name: str) -> Meta:
    """Stands for a schema that is made below, not out of a type."""
    return Meta(extra_json_schema={"$ref": REFERENCE.format(name=name)})


Summary = Annotated[Any, _named("Summary")]
Row = Annotated[Any, _named("Row")]
DetailPart = Annotated[Any, _named("DetailPart")]
PatchSet = Annotated[Any, _named("PatchSet")]
PatchMaps = Annotated[Any, _named("PatchMaps")]
PatchAppend = Annotated[Any, _named("PatchAppend")]
AttentionItem = Annotated[Any, _named("AttentionItem")]
Tokens = Annotated[Any, _named("Tokens")]
StatusCounts = Annotated[Any, _named("StatusCounts")]


class ObjectiveCount(Struct, kw_only=True):
    """How many objectives there are."""

    done: Count
    total: Count


class SubagentCount(Struct, kw_only=True):
    """How many subagents there are."""

    active: Count
    total: Count


class Objective(Struct, kw_only=True):
    """One objective; ``at`` is its last change of status."""

    text: str
    status: Literal["pending", "in_progress", "completed"]
    at: Time | None


class ModelUse(Struct, kw_only=True):
    """API calls of one model, and how many have no price; null where only metrics tell."""

    tokens: Tokens
    cost_usd: float | None
    calls: Count | None
    unpriced: Count | None


class Subagent(Struct, kw_only=True):
    """A node of the tree of subagents."""

    type: str | None
    parent: str | None
    status: Literal["running", "done"]
    tokens: Tokens | None
    cost_usd: float | None


class SourceUsage(Struct, kw_only=True):
    """What one source alone says of tokens and cost; sources are never added up."""

    tokens: Tokens
    cost_usd: float | None
    cost_state: CostState
    calls: Count | None


class Inherited(Struct, kw_only=True):
    """What was copied from another session, and is not part of this one's sums."""

    tokens: Tokens
    cost_usd: float


class ErrorEntry(Struct, kw_only=True):
    """One of the newest errors."""

    seq: Count
    at: Time | None
    tool: str | None
    text: str


class TroubledSource(Struct, kw_only=True):
    """A machine whose reader is not heard, or is behind."""

    host: str
    user: str
    state: Literal["silent", "late"]
    heard_at: Time
    bytes_behind: Count | None


class Totals(Struct, kw_only=True):
    """Sums over all sessions of the board, whatever the view."""

    sessions: Count
    status: StatusCounts
    attention: Count
    tokens: Tokens
    cost_usd: float
    watching: (
        Annotated[Count, Meta(description="People connected to this board, over all workers.")]
        | UnsetType
    ) = UNSET
    sources: (
        Annotated[
            list[TroubledSource],
            Meta(description="Machines that are silent or behind; absent where none is."),
        ]
        | UnsetType
    ) = UNSET


# What is inside: the type of a value in a map or series, of a small object where it is known.
REFINED: dict[str, Any] = {
    "cost_state": CostState,
    "tokens": Tokens,
    "objectives": ObjectiveCount,
    "subagents": SubagentCount,
    "inherited": Inherited,
    "usage_sources": dict[str, SourceUsage],
    "objectives_list": Objective,
    "tools": ToolCount,
    "models": ModelUse,
    "subagents_tree": Subagent,
    "errors_list": ErrorEntry,
    "timeline": TimelineEntry,
}


def components(types: Iterable[Any]) -> tuple[list[Schema], dict[str, Schema]]:
    """Schemas of ``types`` by reference, and every component that they and the state need."""
    told, made = msgspec.json.schema_components(
        [*types, Totals, *REFINED.values()], ref_template=REFERENCE
    )
    inner = dict(zip(REFINED, list(told)[-len(REFINED) :], strict=True))
    entry = {**made["TimelineEntry"]["properties"], "kind": {"enum": list(get_args(EntryKind))}}
    made["TimelineEntry"] |= {
        "description": "It never changes; absent is null.",
        "properties": entry,
    }
    use = dict.fromkeys(made["ToolCount"]["properties"], COUNT)
    made["ToolCount"] = _object("Calls of one tool, and how long they took.", use, use)
    return list(told), {**made, **_derived(inner)}


def _derived(inner: dict[str, Schema]) -> dict[str, Schema]:
    """What follows from the state's own names; ``inner`` is REFINED as schemas."""
    tokens = dict.fromkeys(TOKEN_NAMES, COUNT)
    bucket = {"at": {"type": "integer"}, **tokens, "cost_usd": {"type": "number"}}
    inner = {**inner, "token_series": {"$ref": REFERENCE.format(name="Bucket")}}
    values = {name: _value(field, inner.get(name)) for name, field in _state().items()}
    values |= {name: _map(inner[name]) for name in MAP_NAMES}
    values |= {name: {"type": "array", "items": inner[name]} for name in SERIES_NAMES}
    maps = {name: _map({"anyOf": [inner[name], {"type": "null"}]}) for name in MAP_NAMES}
    row, detail = _chosen(values, SUMMARY_NAMES), _chosen(values, DETAIL_NAMES)
    patch = _chosen(values, (*SUMMARY_NAMES, *SMALL_DETAIL_NAMES, "token_series"))
    series = _chosen(values, SERIES_NAMES)
    return {
        "Tokens": _object("Counts of tokens; ``input`` is without the cache.", tokens, tokens),
        "Bucket": _object("Tokens from ``at`` on: a minute, or more if merged.", bucket, bucket),
        "StatusCounts": _object(
            "How many sessions have it; one of none is absent.", dict.fromkeys(STATUSES, COUNT)
        ),
        "AttentionItem": _item(),
        "Summary": _object("A row of the overview, in full.", row, row),
        "Row": _object("Changed fields of a row, or a new row in full.", row, ("id",)),
        "Detail": _object("What the parts of a snapshot give together.", detail, detail),
        "DetailPart": _object("Members of ``Detail``; maps and series may be split.", detail),
        "PatchSet": _object("Fields with their present values.", patch),
        "PatchMaps": _object("By key: replace the value, remove the key where null.", maps),
        "PatchAppend": _object("Replace the item with the same key, or add it.", series),
    }


def _chosen(values: dict[str, Schema], names: Iterable[str]) -> Schema:
    return {name: values[name] for name in names}


def _map(value: Schema) -> Schema:
    return {"type": "object", "additionalProperties": value}


def _object(description: str, properties: Schema, required: Iterable[str] = ()) -> Schema:
    return {
        "type": "object", "description": description, "properties": properties,
        "required": list(required),
    }  # fmt: skip


def _state() -> dict[str, Schema]:
    """The fields of a session as they are declared; a default is of no use to a client."""
    _, made = msgspec.json.schema_components(
        [Session], schema_hook=lambda _: {"type": "array"}, ref_template=REFERENCE
    )
    return {name: _plain(field) for name, field in made["Session"]["properties"].items()}


def _value(declared: Schema, inner: Schema | None) -> Schema:
    """A field with what is known of its inside; whether it may be null is as declared."""
    if inner is None:
        return declared
    nullable = {"type": "null"} in declared.get("anyOf", ())
    return {"anyOf": [inner, {"type": "null"}]} if nullable else inner


def _item() -> Schema:
    """An attention item with the fields that clients are sent."""
    _, made = msgspec.json.schema_components([Item], ref_template=REFERENCE)
    shown = item_view(Item(id="", session="", kind="plan", tool=None, summary="", opened_at=0))
    fields = {name: _plain(made["Item"]["properties"][name]) for name in shown}
    fields["kind"] = {"enum": list(get_args(ItemKind))}
    return _object("Something that waits for a person.", fields, fields)


def _plain(field: Schema) -> Schema:
    return {key: value for key, value in field.items() if key != "default"}
