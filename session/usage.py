"""Tokens and cost by family: what each said, and the one family that counts. Nothing is added up.

Transcripts before OTLP logs before OTLP metrics before native events. Called by the folds of
reports and events; ``usage_of`` by whoever keeps single API calls.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from session.changes import Changes
from session.delta import Delta, Event, Report, Usage
from session.record import parts_of, set_names, total
from session.state import TOKEN_NAMES, Session

TRANSCRIPT, LOGS, METRICS, NATIVE = "transcript", "otlp", "otlp_metrics", "native"
FAMILIES = (TRANSCRIPT, LOGS, METRICS, NATIVE)  # the best first
CALLS_MAX = 256
SERIES_MAX = 256
MODELS_MAX = 100
MINUTES_MAX = 10_000
COUNT_MAX = 2**53
MINUTE_MS = 60_000
ROW_NAMES = (*TOKEN_NAMES, "cost_usd", "calls", "unpriced")

Row = dict[str, Any]


def usage_of(delta: Delta) -> list[Usage]:
    """The API calls that a delta tells of: a report's rows, or the one of a usage event.

    Rows of events are no addition to those of transcripts: ``request_id`` tells which are the
    same call. Metrics tell of no single call.
    """
    if isinstance(delta, Report):
        return delta.usage
    if not isinstance(delta, Event) or delta.kind != "usage":
        return []
    row = _read(delta)
    return [row] if row is not None else []


def family_of(delta: Delta) -> str:
    """The family that a delta's API calls are of."""
    return _family(delta) if isinstance(delta, Event) else TRANSCRIPT


def _read(event: Event) -> Usage | None:
    """The call that an event tells of, or None where its fields are not what they should be."""
    fields = event.fields
    model, call = fields.get("model"), fields.get("call")
    counts = {name: _count(fields.get(name)) for name in (*TOKEN_NAMES, "cache_write_1h")}
    known: dict[str, Any] = {name: value for name, value in counts.items() if value is not None}
    if not isinstance(model, str) or not model or len(known) < len(counts):
        return None
    call = call if isinstance(call, str) and call else None
    return Usage(
        message_id=f"{_family(event)}:{event.session}:{call or event.id}",
        request_id=call,
        model=model,
        at=event.heard_at,
        cost_usd=amount(fields.get("cost_usd")),
        **known,
    )


def _count(value: Any) -> int | None:
    if value is None:
        return 0
    is_count = isinstance(value, int) and not isinstance(value, bool)
    return value if is_count and 0 <= value < COUNT_MAX else None


def amount(value: Any) -> float | None:
    """A number that is finite and not negative, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < COUNT_MAX else None


def _family(event: Event) -> str:
    if event.source != LOGS:
        return NATIVE
    return METRICS if event.kind == "usage_metric" else LOGS


def fold_usage(session: Session, event: Event, changes: Changes) -> None:
    """``usage``: one API call. One that was told already is passed over."""
    row, family = _read(event), _family(event)
    if row is None or not _is_fresh(session, family, row.request_id):
        return
    told = {name: getattr(row, name) for name in TOKEN_NAMES}
    priced = row.cost_usd is not None
    whole: Row = {**told, "cost_usd": row.cost_usd, "calls": 1, "unpriced": int(not priced)}
    settle_usage(session, family, [_add(session, family, row.model, whole)], changes)
    if session.usage_family == family:
        _add_to_minute(session, event.heard_at, whole, changes)
        if not event.fields.get("aside"):
            set_names(session, changes, model=row.model, context_tokens=sum(told.values()))


def _is_fresh(session: Session, family: str, call: str | None) -> bool:
    """Whether a call was not told before; the last 256 are remembered."""
    if call is None:
        return True
    key = f"{family}:{call}"
    if key in session.usage_calls:
        return False
    session.usage_calls = [*session.usage_calls, key][-CALLS_MAX:]
    return True


def fold_usage_metric(session: Session, event: Event, changes: Changes) -> None:
    """``usage_metric``: a point of a series; ``adds`` says which names it adds to, how often.

    A cumulative point adds what is new since the last one of its series; another ``start`` begins
    anew, and one from before that changes nothing.
    """
    fields, family = event.fields, _family(event)
    model, value, adds = fields.get("model"), amount(fields.get("value")), fields.get("adds")
    if not isinstance(model, str) or value is None or not isinstance(adds, dict):
        return
    fresh = _fresh_value(session, fields, value)
    if not fresh:
        return
    signs = {name: sign for name, sign in adds.items() if sign in (1, -1)}
    whole: Row = {name: int(fresh) * sign for name, sign in signs.items() if name in TOKEN_NAMES}
    if signs.get("cost_usd") == 1:
        whole["cost_usd"] = fresh
    settle_usage(session, family, [_add(session, family, model, whole)], changes)
    if session.usage_family == family:
        _add_to_minute(session, event.heard_at, whole, changes)


def _fresh_value(session: Session, fields: dict[str, Any], value: float) -> float:
    """What a point adds; series that are one too many add nothing rather than twice."""
    if not fields.get("cumulative"):
        return value
    key, start = str(fields.get("series")), _count(fields.get("start")) or 0
    known = session.usage_series.get(key)
    if known is None and len(session.usage_series) >= SERIES_MAX:
        return 0.0
    if known is not None and start < known["start"]:
        return 0.0
    before = known["value"] if known is not None and start == known["start"] else 0.0
    if value <= before:
        return 0.0
    session.usage_series[key] = {"start": start, "value": value}
    return value - before


def _add(session: Session, family: str, model: str, told: Row) -> str:
    """Add to what the family said; None stays unknown until something is told. Gives the row."""
    rows = session.usage_by_family.setdefault(family, {})
    if model not in rows and len(rows) >= MODELS_MAX:
        model = "other"
    empty: Row = {**dict.fromkeys(TOKEN_NAMES, 0), "cost_usd": None, "calls": None}
    known = rows.get(model) or {**empty, "unpriced": None}
    rows[model] = {name: _plus(known[name], told.get(name)) for name in ROW_NAMES}
    return model


def _plus(known: Any, more: Any) -> Any:
    return known if more is None else (known or 0) + more


def _add_to_minute(session: Session, at: int, told: Row, changes: Changes) -> None:
    """The newest minute takes what would be one minute too many."""
    minute = at - at % MINUTE_MS
    if minute not in session.minutes and len(session.minutes) >= MINUTES_MAX:
        minute = max(session.minutes)
    names = (*TOKEN_NAMES, "cost_usd")
    known = session.minutes.get(minute) or dict.fromkeys(names, 0)
    session.minutes[minute] = {name: known[name] + (told.get(name) or 0) for name in names}
    changes.key("token_series", minute)


# The family that counts.


def settle_usage(session: Session, family: str, models: Iterable[str], changes: Changes) -> None:
    """``family`` said something of these models: show the family that counts.

    One that is better than the one before takes over entirely.
    """
    chosen, before = _counting_family(session), session.usage_family
    if chosen != before:
        session.usage_family = chosen
        _take_over_minutes(session, changes)
        models = dict.fromkeys([*session.models, *_rows(session, chosen), *models])
    if family in (chosen, before):
        parts = parts_of(session, "calls") if chosen == TRANSCRIPT else None
        for model in models:
            told = session.usage_by_family.get(chosen or "", {}).get(model)
            row = told if parts is None else _sum(parts, model)
            _show_model(session, model, row, changes)
        _show_sums(session, changes)
    _tell_source(session, family, changes)


def _counting_family(session: Session) -> str | None:
    if any(source.values.get("calls") for source in session.transcripts.values()):
        return TRANSCRIPT
    return next((each for each in FAMILIES if session.usage_by_family.get(each)), None)


def _rows(session: Session, family: str | None) -> Iterable[str]:
    if family == TRANSCRIPT:
        return dict.fromkeys(model for calls in parts_of(session, "calls") for model in calls)
    return session.usage_by_family.get(family or "", {})


def _sum(held: list[dict[str, Any]], model: str) -> Row | None:
    """What all transcripts together say of a model: each is a part of the session."""
    parts = [calls[model] for calls in held if model in calls]
    if not parts:
        return None
    whole = total(parts, ROW_NAMES)
    if whole["calls"] <= whole["unpriced"]:
        whole["cost_usd"] = None
    return whole


def _show_model(session: Session, model: str, row: Row | None, changes: Changes) -> None:
    if row is None:
        session.models.pop(model, None)
        session.removed_number = -1
    else:
        session.models[model] = {
            "tokens": _tokens([row]),
            "cost_usd": row["cost_usd"],
            "calls": row["calls"],
            "unpriced": row["unpriced"],
        }
    changes.key("models", model)


def _tokens(rows: list[Row]) -> dict[str, int]:
    """Sums of tokens; points of metrics that overtook each other may be below zero for a while."""
    return {name: max(0, sum(row[name] for row in rows)) for name in TOKEN_NAMES}


def _show_sums(session: Session, changes: Changes) -> None:
    ordered = [session.models[model] for model in sorted(session.models)]
    state = _cost_state(ordered)
    costs = [row["cost_usd"] for row in ordered if row["cost_usd"] is not None]
    tokens = total([row["tokens"] for row in ordered], TOKEN_NAMES)
    set_names(
        session,
        changes,
        tokens=None if state == "unknown" else tokens,
        cost_usd=sum(costs) if costs else None,
        cost_state=state,
    )


def _cost_state(rows: Sequence[Row]) -> str:
    """Of all calls of these models together."""
    # Of a model that only metrics tell, nobody knows how many calls there were: it counts as one.
    calls = sum(1 if row["calls"] is None else row["calls"] for row in rows)
    unpriced = sum(
        row["cost_usd"] is None if row["unpriced"] is None else row["unpriced"] for row in rows
    )
    if not unpriced:
        return "priced" if calls else "unknown"
    return "unpriced" if unpriced == calls else "partial"


def _take_over_minutes(session: Session, changes: Changes) -> None:
    """The series is of one family too: transcripts tell theirs whole, the others from here on."""
    if session.minutes:
        changes.key("token_series", *session.minutes)
        session.minutes, session.removed_number = {}, -1
    if session.usage_family == TRANSCRIPT:
        buckets = parts_of(session, "buckets")
        for minute in dict.fromkeys(minute for each in buckets for minute in each):
            parts = [each[minute] for each in buckets if minute in each]
            session.minutes[int(minute)] = total(parts, (*TOKEN_NAMES, "cost_usd"))
            changes.key("token_series", int(minute))


def _tell_source(session: Session, family: str, changes: Changes) -> None:
    """What the family said by itself, so that the difference can be seen."""
    shown = family == session.usage_family
    rows = list((session.models if shown else session.usage_by_family.get(family, {})).values())
    tokens = session.tokens if shown else _tokens(rows)
    costs = [row["cost_usd"] for row in rows if row["cost_usd"] is not None]
    calls = [row["calls"] for row in rows if row["calls"] is not None]
    whole = {
        "tokens": tokens,
        "cost_usd": session.cost_usd if shown else sum(costs) if costs else None,
        "cost_state": _cost_state(rows),
        "calls": sum(calls) if calls else None,
    }
    sources = {**session.usage_sources, family: whole if rows and tokens else None}
    ordered = {each: sources[each] for each in FAMILIES if sources.get(each)}
    set_names(session, changes, usage_sources=ordered)
