"""Takes secrets out of texts and out of deltas: what a rule finds becomes ``[redacted:kind]``.

Never touches what names something (ids, sessions, calls, hashes), so that what belongs together
still does; gives the same object back where nothing was found. Called by the screen.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any, TypeVar

import msgspec

from ingest.redact.rules import CUSTOM, MARK, RULES, Rule
from session.delta import Delta, Entry, Report

SHORTEST_CHARS = 8
ROUNDS_MAX = 4
DEPTH_MAX = 32  # of maps and lists in each other
KEPT = frozenset(
    {"call", "hash", "input_hash", "prompt_id", "agent_id", "elicitation_id", "ask", "series"}
)
"""Fields of events that name something."""

_SECRET_KEY = re.compile(
    r"pass(?:word|wd|phrase|code)|secret|(?:api|access|private|encryption|signing)[_-]?key"
    r"|token(?!s)|authorization|cookie|credential",
    re.IGNORECASE,
)
_MARKS = re.compile(r"\[redacted:[a-z0-9_-]{1,40}\]")
T = TypeVar("T")
D = TypeVar("D", bound=Delta)


def unnoticed(_: str) -> None:
    """Nobody counts."""


class Redactor:
    """Some rules. ``on_found`` hears of each secret by what it is counted as."""

    def __init__(
        self, rules: Sequence[Rule] = RULES, on_found: Callable[[str], None] = unnoticed
    ) -> None:
        self._rules = rules
        self._on_found = on_found
        self._everywhere = [rule for rule in rules if not rule.needles]
        self._needles = [(needle, rule) for rule in rules for needle in rule.needles]

    @cached_property
    def _find_any(self) -> Callable[[str], re.Match[str] | None]:
        """Whether any needle stands in a text; made when first needed, as patterns are."""
        return _one_of(needle for needle, _ in self._needles).search

    def text(self, text: str) -> str:
        """The text without its secrets. What is left has none, however often it is asked."""
        if len(text) < SHORTEST_CHARS:
            return text
        for _ in range(ROUNDS_MAX):
            cleaned = self._once(text)
            if cleaned == text:
                return text
            text = cleaned
        return text

    def _once(self, text: str) -> str:
        lowered = _lower(text)
        due = self._everywhere
        if self._find_any(lowered) is not None:
            near = {rule.pattern: rule for needle, rule in self._needles if needle in lowered}
            due = [*near.values(), *due]
        for rule in due:
            cleaned = self._apply(rule, text, lowered)
            if cleaned is not text:
                text, lowered = cleaned, _lower(cleaned)
        return text

    def _apply(self, rule: Rule, text: str, lowered: str) -> str:
        pieces: list[str] = []
        done = 0
        marks = _MARKS.finditer(text) if rule.counted_as == CUSTOM else ()
        held = [mark.span() for mark in marks]
        pattern = re.compile(rule.pattern) if isinstance(rule.pattern, str) else rule.pattern
        for match in pattern.finditer(lowered if rule.folded else text):
            start, end = match.span(match.lastindex or 0)
            # A rule of a user's own may match anything, also what was put there before.
            if start == end or any(start < after and before < end for before, after in held):
                continue
            pieces += (text[done:start], MARK, rule.kind, "]")
            done = end
            self._on_found(rule.counted_as)
        return "".join((*pieces, text[done:])) if pieces else text

    def value(self, value: Any, key: str = "", depth: int = 0) -> Any:
        """Any JSON value without its secrets, in the names of maps as well.

        What stands under a name such as ``password`` is one, whatever it looks like.
        """
        if isinstance(value, str):
            return self._under(key, value)
        if not isinstance(value, dict | list):
            return value
        if depth >= DEPTH_MAX:
            return self._deep(value)
        if isinstance(value, list):
            return _same(value, [self.value(each, key, depth + 1) for each in value])
        told = {self.text(k): self.value(each, k, depth + 1) for k, each in value.items()}
        return _same(value, told)

    def _under(self, key: str, text: str) -> str:
        if not text or text.startswith(MARK) or not _SECRET_KEY.search(key):
            return self.text(text)
        self._on_found("password")
        return f"{MARK}password]"

    def _deep(self, value: Any) -> Any:
        """What is nested deeper than anybody reads goes whole where a secret is in it."""
        waiting = [value]
        while waiting:
            each = waiting.pop()
            if isinstance(each, dict):
                waiting += (*each, *each.values())
            elif isinstance(each, list):
                waiting += each
            elif isinstance(each, str) and self.text(each) is not each:
                return f"{MARK}nested]"
        return value

    def clean(self, delta: D) -> D:
        """The delta without its secrets; ids and what else names something are left alone."""
        if not isinstance(delta, Report):
            fields = self._fields(delta.fields)
            return (
                delta if fields is delta.fields else msgspec.structs.replace(delta, fields=fields)
            )
        values = self._fields(delta.values)
        entries = _same(delta.entries, [self._entry(each) for each in delta.entries])
        texts = _same(delta.texts, {key: self.text(each) for key, each in delta.texts.items()})
        if values is delta.values and entries is delta.entries and texts is delta.texts:
            return delta
        return msgspec.structs.replace(delta, values=values, entries=entries, texts=texts)

    def _entry(self, entry: Entry) -> Entry:
        text = self.text(entry.text)
        return entry if text is entry.text else msgspec.structs.replace(entry, text=text)

    def _fields(self, told: dict[str, Any], depth: int = 0) -> dict[str, Any]:
        """Maps whose keys are ids and names; only a request is the agent's own JSON."""
        return _same(told, {name: self._field(name, each, depth) for name, each in told.items()})

    def _field(self, name: str, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return value if name in KEPT else self.text(value)
        if not isinstance(value, dict | list):
            return value
        if name == "request" or depth >= DEPTH_MAX:
            return self.value(value, depth=depth)
        if isinstance(value, dict):
            return self._fields(value, depth + 1)
        return _same(value, [self._field(name, each, depth + 1) for each in value])


def _lower(text: str) -> str:
    """In lower case, each character in its place."""
    lowered = text.lower()
    if len(lowered) == len(text):
        return lowered
    return "".join(each.lower() if each.isascii() else each for each in text)


def _one_of(needles: Iterable[str]) -> re.Pattern[str]:
    """Finds any of these, in one walk that tells them apart by their first character."""
    ends: dict[str, set[str]] = {}
    for needle in needles:
        ends.setdefault(needle[0], set()).add(re.escape(needle[1:]))
    starts = (f"{re.escape(start)}(?:{'|'.join(sorted(ends[start]))})" for start in sorted(ends))
    return re.compile("|".join(starts) or r"(?!)")


def _same(before: T, after: T) -> T:
    """``before`` where nothing was found: a map that is not changed is not copied."""
    return before if before == after else after
