"""The API calls of a Codex rollout, which are the steps between its cumulative totals.

A total that comes again is no call, and no step is ever negative. Called by the rollout adapter.
"""

from typing import Any, NamedTuple

from ingest.adapters.texts import count


class Counts(NamedTuple):
    """Tokens as Codex tells them: ``input`` includes what was cached, ``output`` the reasoning."""

    input: int
    cached: int
    output: int


ZERO = Counts(0, 0, 0)


class Totals:
    """The last cumulative total, and what each next one adds."""

    def __init__(self) -> None:
        self._total: Counts | None = None

    def step(self, info: dict[str, Any], *, has_parent: bool) -> dict[str, int] | None:
        """The tokens of the call that made this total, by kind, or None if there was none.

        The first total of a thread that comes from another one is that one's, unless one call
        alone makes it up.
        """
        total, last = counts(info.get("total_token_usage")), counts(info.get("last_token_usage"))
        if total is None or total == self._total:
            return None
        before, self._total = self._total, total
        if before is None and has_parent and total != last:
            return None
        call = _call(before or ZERO, total, last)
        return None if call == ZERO else _kinds(call)


def _call(before: Counts, total: Counts, last: Counts | None) -> Counts:
    if total == last:  # the first call of a thread
        return total
    added = Counts(*(now - was for now, was in zip(total, before, strict=True)))
    if min(added) >= 0:
        return added
    # It counts anew, or a rollback took some of it back: one call was made all the same.
    return total if last is None or not _within(last, total) else last


def _within(part: Counts, whole: Counts) -> bool:
    return all(one <= other for one, other in zip(part, whole, strict=True))


def _kinds(call: Counts) -> dict[str, int]:
    cached = min(call.cached, call.input)
    return {
        "input": call.input - cached,
        "output": call.output,
        "cache_read": cached,
        "cache_write": 0,
        "cache_write_1h": 0,
    }


def counts(told: Any) -> Counts | None:
    """Counts of tokens, or None if what is told is not that."""
    if not isinstance(told, dict):
        return None
    whole, output = count(told.get("input_tokens")), count(told.get("output_tokens"))
    if whole is None or output is None:
        return None
    return Counts(whole, count(told.get("cached_input_tokens")) or 0, output)
