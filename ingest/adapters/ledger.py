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


class Ledger:
    """Sums that follow the records; ``dirty`` names what changed since the last ``take``."""

    def __init__(self) -> None:
        self.records: dict[str, Record] = {}
        self.calls: dict[str, dict[str, Any]] = {}
        self.buckets: dict[str, dict[str, Any]] = {}
        self.inherited: dict[str, Any] | None = None
        self.dirty: dict[str, set[str]] = {"calls": set(), "buckets": set(), "inherited": set()}
        self._fresh: dict[str, Record] = {}

    def add(
        self, message_id: str, model: str, at: int | None, tokens: dict[str, int], forked: bool
    ) -> bool:
        """Take one line's usage; False if a better line of the same call is known."""
        known = self.records.get(message_id)
        if known is not None:
            if tokens["output"] < known.tokens["output"]:
                return False
            if known.tokens == tokens and known.model == model:
                return False
            self._apply(known, -1)
        record = Record(model, at, tokens, cost_usd(model, at, tokens), forked)
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
        self.dirty["calls"].add(record.model)
        if record.at is not None:
            minute = str(record.at - record.at % _MINUTE_MS)
            empty = {**dict.fromkeys(_SUMMED, 0), "cost_usd": 0.0}
            _add(self.buckets.setdefault(minute, empty), record, sign)
            self.dirty["buckets"].add(minute)

    def _apply_inherited(self, record: Record, sign: int) -> None:
        if self.inherited is None:
            self.inherited = {"tokens": dict.fromkeys(_SUMMED, 0), "cost_usd": 0.0}
        for name in _SUMMED:
            self.inherited["tokens"][name] += sign * record.tokens[name]
        self.inherited["cost_usd"] += sign * (record.cost_usd or 0.0)
        self.dirty["inherited"].add("inherited")

    def take_usage(self) -> list[Usage]:
        """Rows of the calls that are new or better since the last time."""
        rows = [
            Usage(
                message_id=message_id,
                model=record.model,
                at=record.at,
                cost_usd=record.cost_usd,
                forked=record.forked,
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
