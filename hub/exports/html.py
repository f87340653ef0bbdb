"""Text for a page: everything that an agent said is escaped here, and nowhere is it a link.

Numbers as people read them; what is not known is said to be unknown. Pure.
"""

from collections.abc import Iterable
from html import escape
from typing import Any

from hub.exports.table import iso

UNKNOWN = '<span class="unknown">unknown</span>'
_STRIPPED = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 127), "\ufffd")


def text(value: Any) -> str:
    """A text of an agent: escaped, and its direction is its own."""
    if value is None or value == "":
        return "–"
    return f"<bdi>{escape(str(value).translate(_STRIPPED))}</bdi>"


def count(value: float | None) -> str:
    """A number with its thousands apart."""
    return UNKNOWN if value is None else f"{value:,.0f}"


def money(value: float | None) -> str:
    """US dollars; small sums to the hundredth of a cent."""
    if value is None:
        return UNKNOWN
    return f"${value:,.2f}" if value >= 1 or value == 0 else f"${value:.4f}"


def moment(at: int | None) -> str:
    """A time to the second, UTC."""
    told = iso(at)
    return UNKNOWN if told is None else f"{told[:10]} {told[11:19]}"


def duration(ms: int | None) -> str:
    """Days, hours, minutes and seconds, the two largest of them."""
    if ms is None or ms < 0:
        return UNKNOWN
    left = ms // 1000
    parts: list[str] = []
    for size, name in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        whole, left = divmod(left, size)
        if whole or (name == "s" and not parts):
            parts.append(f"{whole:,} {name}")
    return " ".join(parts[:2])


def table(heads: Iterable[str], rows: Iterable[Iterable[str]], numbers: int = 0) -> str:
    """Cells are markup already; the last ``numbers`` columns are numbers."""
    names = list(heads)
    first = len(names) - numbers

    def line(tag: str, cells: Iterable[str]) -> str:
        kinds = (' class="n"' if at >= first else "" for at in range(len(names)))
        told = (f"<{tag}{kind}>{cell}</{tag}>" for kind, cell in zip(kinds, cells, strict=True))
        return f"<tr>{''.join(told)}</tr>"

    body = "".join(line("td", cells) for cells in rows)
    if not body:
        return '<p class="muted">None.</p>'
    return f"<table><thead>{line('th', names)}</thead><tbody>{body}</tbody></table>"


def cards(pairs: Iterable[tuple[str, str]]) -> str:
    """A name and a value each; values are markup already."""
    told = (f"<div><dt>{escape(name)}</dt><dd>{value}</dd></div>" for name, value in pairs)
    return f'<dl class="cards">{"".join(told)}</dl>'
