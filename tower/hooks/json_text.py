"""Small edits of a JSON text that leave every other byte as it is. Pure.

Adds to and takes from objects and arrays; what was added last and is taken out again leaves the
text as it was. A text is checked once by ``parsed`` and then trusted.
"""

import json
import re
from typing import Any, NamedTuple

from tower.hooks.errors import HooksError

Path = tuple[str | int, ...]

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n]*")
_LINE_START = re.compile(r"[ \t]*")


class Item(NamedTuple):
    """A value in its place; ``start`` is that of its key, where it has one."""

    start: int
    key: str | None
    value: int
    end: int


class Box(NamedTuple):
    """An object or an array: the places of its brackets, and what is in it."""

    open: int
    close: int
    items: list[Item]


class Style(NamedTuple):
    """How a text is written; without an ``indent`` it stands on one line."""

    indent: str | None
    newline: str
    comma: str
    colon: str


def parsed(text: str, name: str) -> dict[str, Any]:
    """The object in a text. Raises HooksError with the place, and what to do."""

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is no JSON")

    try:
        value = json.loads(text, parse_constant=refuse)
    except json.JSONDecodeError as error:
        where = f"{name}, line {error.lineno}, column {error.colno}"
        raise HooksError(
            f"{where}: {error.msg}. It is not valid JSON (which has no comments, and no comma"
            " before a closing bracket). Correct it, then try again; nothing was written."
        ) from error
    except (ValueError, RecursionError) as error:
        raise HooksError(f"{name}: {error}. Correct it, then try again.") from error
    if not isinstance(value, dict):
        raise HooksError(f"{name}: expected an object, {{…}}. Correct it, then try again.")
    return value


def box_at(text: str, path: Path) -> Box:
    """The object or array that a path of keys and places leads to."""
    box = _box(text, _skip(text, 0))
    for step in path:
        # Of a key that is told twice the last one counts, as everywhere.
        item = box.items[step] if isinstance(step, int) else _named(box, step)
        box = _box(text, item.value)
    return box


def _named(box: Box, key: str) -> Item:
    return next(item for item in reversed(box.items) if item.key == key)


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _box(text: str, at: int) -> Box:
    """The box that opens here."""
    named = text[at] == "{"
    items: list[Item] = []
    place = _skip(text, at + 1)
    while text[place] not in "}]":
        if text[place] == ",":
            place = _skip(text, place + 1)
        start, key = place, None
        if named:
            key, place = _DECODER.raw_decode(text, place)
            place = _skip(text, _skip(text, place) + 1)
        _, end = _DECODER.raw_decode(text, place)
        items.append(Item(start, key, place, end))
        place = _skip(text, end)
    return Box(at, place, items)


def style_of(text: str) -> Style:
    """How a text is written, by its first member; an empty one is written in two spaces."""
    newline = "\r\n" if "\r\n" in text else "\n"
    box = box_at(text, ())
    if not box.items:
        return Style("  ", newline, ",", ": ")
    first = box.items[0]
    lead = text[box.open + 1 : first.start]
    colon = ": " if text[first.value - 1] in " \t" else ":"
    if "\n" in lead:
        return Style(lead.rpartition("\n")[2], newline, ",", ": ")
    return Style(None, newline, ", " if colon == ": " else ",", colon)


def appended(text: str, path: Path, key: str | None, value: Any, style: Style) -> str:
    """The text with one more member or element at the end of the box at this path."""
    box = box_at(text, path)
    at = box.items[-1].end if box.items else box.open + 1
    on_lines = style.indent is not None and (
        not box.items or "\n" in text[box.open : box.items[0].start]
    )
    name = "" if key is None else json.dumps(key, ensure_ascii=False) + style.colon
    if not on_lines:
        comma = style.comma if style.indent is None else ", "
        return _inserted(text, at, (comma if box.items else "") + name + _flat(value, style))
    outer = _indent_at(text, box.open)
    inner = _indent_at(text, box.items[0].start) if box.items else outer + (style.indent or "")
    lines = json.dumps(value, ensure_ascii=False, indent=style.indent).split("\n")
    told = name + f"{style.newline}{inner}".join(lines)
    added = f"{',' if box.items else ''}{style.newline}{inner}{told}"
    if not box.items and "\n" not in text[at : box.close]:
        added += style.newline + outer
    return _inserted(text, at, added)


def _flat(value: Any, style: Style) -> str:
    comma = style.comma if style.indent is None else ", "
    return json.dumps(value, ensure_ascii=False, separators=(comma, style.colon))


def _inserted(text: str, at: int, more: str) -> str:
    return text[:at] + more + text[at:]


def _indent_at(text: str, at: int) -> str:
    """What the line of this place begins with."""
    found = _LINE_START.match(text, text.rfind("\n", 0, at) + 1)
    return found[0] if found else ""


def removed(text: str, path: Path, place: int) -> str:
    """The text without one item of the box at this path."""
    box = box_at(text, path)
    item = box.items[place]
    if place + 1 < len(box.items):
        return text[: item.start] + text[box.items[place + 1].start :]
    if place:
        return text[: box.items[place - 1].end] + text[item.end :]
    return text[: box.open + 1] + text[box.close :]
