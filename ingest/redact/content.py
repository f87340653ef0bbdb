"""How much text leaves: ``none``, ``summary`` or ``full``. Applied to what has no secrets any more.

Never changes what is counted or what names something. Called by the screen.
"""

from typing import Any, Literal, TypeVar

import msgspec

from session.delta import Delta, Entry, Report, cut_text

Content = Literal["none", "summary", "full"]
CONTENTS: tuple[Content, ...] = ("none", "summary", "full")
SUMMARY_BYTES_MAX = 120
DEPTH_MAX = 8  # of maps in each other; nothing that is known has more than three
D = TypeVar("D", bound=Delta)

_OURS = frozenset({"tokens", "session", "compaction"})
"""Entries whose text was made here, of counts and names."""

_TEXTS = frozenset({"text", "summary", "title", "reason"})
"""Fields, of events and of what reports tell, in which people, agents or tools speak."""

_WHOLE = frozenset({"request", "full_text"})
"""Fields that only ``full`` has."""


def trim(delta: D, content: Content) -> D:
    """The delta with as much text as may leave."""
    if content == "full":
        return delta
    if not isinstance(delta, Report):
        return msgspec.structs.replace(delta, fields=_event(delta.fields, content))
    return msgspec.structs.replace(
        delta,
        values=_fields(delta.values, content),
        entries=[_entry(each, content) for each in delta.entries],
        texts={},
    )


def _entry(entry: Entry, content: Content) -> Entry:
    if entry.kind in _OURS or not entry.text:
        return entry
    if content == "none":
        return msgspec.structs.replace(entry, text="", full_bytes=None)
    text = _first_line(entry.text)
    if text == entry.text:
        return entry
    size = entry.full_bytes or len(entry.text.encode("utf-8", "replace"))
    return msgspec.structs.replace(entry, text=text, full_bytes=size)


def _event(fields: dict[str, Any], content: Content) -> dict[str, Any]:
    told = _fields(fields, content)
    text = fields.get("text")
    if content == "none" or not isinstance(text, str):
        told.pop("full_bytes", None)
    elif told["text"] != text and "full_bytes" not in told:
        told["full_bytes"] = len(text.encode("utf-8", "replace"))
    return told


def _fields(told: dict[str, Any], content: Content, depth: int = 0) -> dict[str, Any]:
    """The same names; a map of titles is one of texts."""
    return {
        name: _field(name, value, content, depth)
        for name, value in told.items()
        if name not in _WHOLE
    }


def _field(name: str, value: Any, content: Content, depth: int) -> Any:
    if name == "titles" and isinstance(value, dict):
        return {kind: _shown(text, content) for kind, text in value.items()}
    if isinstance(value, dict):
        return _fields(value, content, depth + 1) if depth < DEPTH_MAX else {}
    return _shown(value, content) if name in _TEXTS else value


def _shown(text: Any, content: Content) -> Any:
    if not isinstance(text, str):
        return text
    return "" if content == "none" else _first_line(text)


def _first_line(text: str) -> str:
    return cut_text(text.strip().partition("\n")[0].rstrip(), SUMMARY_BYTES_MAX)[0]
