"""Charts as SVG inside a page: bars by day and a curve over time. No script, no style of their own.

Values may be unknown, huge or all nothing. Pure.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from html import escape

WIDTH, HEIGHT, FOOT = 720, 140, 18
BARS_MAX = 366


def every_day(values: Mapping[str, float | None]) -> list[tuple[str, float | None]]:
    """The days from the first to the last, those between them too; others are left out."""
    known = sorted(each for each in values if re.fullmatch(r"\d{4}-\d\d-\d\d", each))
    if not known:
        return []
    first, last = (date.fromisoformat(known[at]) for at in (0, -1))
    start = max(first, last - timedelta(days=BARS_MAX - 1))
    days = ((start + timedelta(days=at)).isoformat() for at in range((last - start).days + 1))
    return [(day, values.get(day, 0.0)) for day in days]


def bars(values: Sequence[tuple[str, float | None]], unit: str) -> str:
    """A bar for each name, the newest at the right; what is not known has none."""
    shown = list(values)[-BARS_MAX:]
    most = max((value for _, value in shown if value), default=0.0)
    if not most:
        return ""
    step = WIDTH / len(shown)
    told = []
    for at, (name, value) in enumerate(shown):
        height = HEIGHT * (value or 0) / most
        title = f"{name}: {unit.format(value)}" if value is not None else f"{name}: unknown"
        told.append(
            f'<rect class="bar" x="{at * step:.1f}" y="{HEIGHT - height:.1f}" '
            f'width="{max(step - 1, 0.5):.1f}" height="{height:.1f}">'
            f"<title>{escape(title)}</title></rect>"
        )
    return _svg("".join(told), shown[0][0], shown[-1][0], unit.format(most))


def curve(points: Sequence[tuple[int, float]], first: str, last: str, unit: str) -> str:
    """What has come together by each time; ``first`` and ``last`` are those times in words."""
    if len(points) < 2:
        return ""
    start, end = points[0][0], points[-1][0]
    total = sum(value for _, value in points)
    if end <= start or not total:
        return ""
    whole = 0.0
    places = [f"0,{HEIGHT}"]
    for at, value in points:
        whole += value
        x, y = WIDTH * (at - start) / (end - start), HEIGHT * (1 - whole / total)
        places.append(f"{x:.1f},{y:.1f}")
    told = f'<polygon class="area" points="{" ".join(places)} {WIDTH},{HEIGHT}"/>'
    return _svg(told, first, last, unit.format(total))


def _svg(inner: str, first: str, last: str, most: str) -> str:
    foot = HEIGHT + FOOT - 4
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT + FOOT}" role="img" aria-label="up to {escape(most)}">'
        f'<line class="axis" x1="0" x2="{WIDTH}" y1="{HEIGHT}" y2="{HEIGHT}"/>{inner}'
        f'<text x="0" y="{foot}">{escape(first)}</text>'
        f'<text x="{WIDTH}" y="{foot}" text-anchor="end">{escape(last)}</text>'
        f'<text x="0" y="12">{escape(most)}</text></svg>'
    )
