"""The usage of one transcript: one record per API call, sums by model and by minute.

The rule: per message id keep the whole record with the most output tokens, the later line
winning ties. Never adds lines up. Called by the transcript adapter.
"""

from typing import Any

from msgspec import Struct

from session.delta import Usage
from session.pricing import cost_usd

_MINUTE_MS = 60_000
_SUMMED = ("input", "output", "cache_read", "cache_write")


class Record(Struct):
    """One API call as its best line tells it."""

    model: str
    at: int | None
    tokens: dict[str, int]
    cost_usd: float | None
    forked: bool
    request_id: str | None = None


class Ledger:
    """Sums that follow the records; what changed is told by ``take_sums`` and ``take_usage``."""

    def __init__(self) -> None:
        self.records: dict[str, Record] = {}
        self.calls: dict[str, dict[str, Any]] = {}
        self.buckets: dict[str, dict[str, Any]] = {}
        self.inherited: dict[str, Any] | None = None
        self._dirty: dict[str, set[str]] = {"calls": set(), "buckets": set()}
        self._inherited_changed = False
        self._fresh: dict[str, Record] = {}

    def add(
        self, message_id: str, model: str, at: int | None, tokens: dict[str, int], forked: bool,
        request_id: str | None = None,
    ) -> bool:  # fmt: skip
        """Take one line's usage; False if a better line of the same call is known."""
        known = self.records.get(message_id)
        if known is not None:
            if tokens["output"] < known.tokens["output"]:
                return False
            if (known.tokens, known.model, known.at) == (tokens, model, at):
                return False
            self._apply(known, -1)
        record = Record(model, at, tokens, cost_usd(model, at, tokens), forked, request_id)
        self.records[message_id] = record
        self._fresh[message_id] = record
        self._apply(record, 1)
        return True

    def _apply(self, record: Record, sign: int) -> None:
        if record.forked:
            self._apply_inherited(record, sign)
            return
        zero = {**dict.fromkeys(_SUMMED, 0), "cost_usd": 0.0, "calls": 0, "unpriced": 0}
        sums = self.calls.setdefault(record.model, zero)
        _add(sums, record, sign)
        sums["calls"] += sign
        sums["unpriced"] += sign * (record.cost_usd is None)
        if not sums["calls"]:
            del self.calls[record.model]
        self._dirty["calls"].add(record.model)
        if record.at is not None:
            minute = str(record.at - record.at % _MINUTE_MS)
            empty = {**dict.fromkeys(_SUMMED, 0), "cost_usd": 0.0}
            sums = self.buckets.setdefault(minute, empty)
            _add(sums, record, sign)
            if not any(sums[name] for name in _SUMMED):
                del self.buckets[minute]
            self._dirty["buckets"].add(minute)

    def _apply_inherited(self, record: Record, sign: int) -> None:
        if self.inherited is None:
            self.inherited = {"tokens": dict.fromkeys(_SUMMED, 0), "cost_usd": 0.0}
        for name in _SUMMED:
            self.inherited["tokens"][name] += sign * record.tokens[name]
        self.inherited["cost_usd"] += sign * (record.cost_usd or 0.0)
        self._inherited_changed = True

    def take_sums(self) -> dict[str, Any]:
        """Sums that changed since the last time; a key whose calls all went away is None."""
        changed: dict[str, Any] = {}
        for name, held in (("calls", self.calls), ("buckets", self.buckets)):
            keys = self._dirty[name]
            if keys:
                changed[name] = {key: dict(held[key]) if key in held else None for key in keys}
                keys.clear()
        if self._inherited_changed and self.inherited is not None:
            changed["inherited"] = {**self.inherited, "tokens": dict(self.inherited["tokens"])}
            self._inherited_changed = False
        return changed

    def take_usage(self) -> list[Usage]:
        """Rows of the calls that are new or better since the last time."""
        rows = [
            Usage(
                message_id=message_id,
                model=record.model,
                at=record.at,
                cost_usd=record.cost_usd,
                forked=record.forked,
                request_id=record.request_id,
                **record.tokens,
            )
            for message_id, record in self._fresh.items()
        ]
        self._fresh = {}
        return rows


def _add(sums: dict[str, Any], record: Record, sign: int) -> None:
    for name in _SUMMED:
        sums[name] += sign * record.tokens[name]
    if record.cost_usd is not None:
        sums["cost_usd"] += sign * record.cost_usd
