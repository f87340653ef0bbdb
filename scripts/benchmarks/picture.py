"""Curves as a picture: SVG with axes, a legend and titles, readable on light and dark pages. Pure.

No script, no font of its own, no time of its making: the same values give the same bytes.
"""

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple

WIDTH, HEIGHT = 760, 340
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 40, 62
LEAST = 1e-9  # differences below are none
COLOURS = ("#3b7dd8", "#d9822b", "#2f9e6e", "#b5508e", "#8a6fd1", "#888888", "#c0392b")
STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#777}.t{font-weight:600;font-size:14px}"
    "line{stroke:#8884}polyline{fill:none;stroke-width:1.8}"
)

Curve = Sequence[tuple[float, float]]


class Axes(NamedTuple):
    """What stands at the axes; a logarithmic one begins above nothing."""

    x: str
    y: str
    log_x: bool = False
    log_y: bool = False


class Scale:
    """From values to places along one axis."""

    def __init__(self, values: Sequence[float], first: float, last: float, *, log: bool) -> None:
        self._log = log
        self._first, self._last = first, last
        shown = [each for each in values if not log or each > 0] or [1.0]
        least = min(shown) if log else min(0.0, *shown)
        self.ticks = _decades(least, max(shown)) if log else _rounded(least, max(shown))
        self._low, self._high = self._of(self.ticks[0]), self._of(self.ticks[-1])

    def _of(self, value: float) -> float:
        return math.log10(max(value, 1e-12)) if self._log else value

    def at(self, value: float) -> float:
        """The place of a value."""
        part = (self._of(value) - self._low) / ((self._high - self._low) or 1)
        return self._first + min(1.0, max(0.0, part)) * (self._last - self._first)


def _decades(least: float, most: float) -> list[float]:
    low = math.floor(math.log10(least))
    high = max(math.ceil(math.log10(most)), low + 1)
    return [10.0**each for each in range(low, high + 1)]


def _rounded(least: float, most: float) -> list[float]:
    """Five to ten round numbers around all values."""
    reach = max((most - least) or abs(most) or 1.0, LEAST)
    step = 10 ** math.floor(math.log10(reach / 5))
    step *= next(each for each in (1, 2, 5, 10) if reach / (step * each) <= 8)
    low, high = math.floor(least / step), math.ceil(most / step)
    return [each * step for each in range(low, max(high, low + 1) + 1)]


def short(value: float) -> str:
    """A value at an axis: 1.5, 200, 10k, 2M."""
    for size, word in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= size and (abs(value) >= 1e4 or size == 1e6):
            return f"{value / size:g}{word}"
    return f"{value:.6g}"


def draw(title: str, axes: Axes, curves: Mapping[str, Curve], *, dots: bool = False) -> str:
    """The picture; ``curves`` by their names in the legend. A curve without a point is left out."""
    told = {name: list(points) for name, points in curves.items() if points}
    every = [point for points in told.values() for point in points]
    across = Scale([x for x, _ in every], LEFT, WIDTH - RIGHT, log=axes.log_x)
    up = Scale([y for _, y in every], HEIGHT - BOTTOM, TOP, log=axes.log_y)
    parts = [
        _head(title),
        f'<text class="t" x="{LEFT}" y="18">{escape(title)}</text>',
        *_grid(axes, across, up),
    ]
    for (name, points), colour in zip(told.items(), _colours(), strict=False):
        parts += _curve(name, points, colour, across, up, dots=dots)
    parts += _legend(list(told))
    return "\n".join([*parts, "</svg>\n"])


def _head(title: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(title)}"><style>{STYLE}</style>'
    )


def _colours() -> list[str]:
    return list(COLOURS) * 4


def _grid(axes: Axes, across: Scale, up: Scale) -> list[str]:
    foot = HEIGHT - BOTTOM
    parts = []
    for tick in up.ticks:
        y = up.at(tick)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{short(tick)}</text>')
    for tick in across.ticks:
        x = across.at(tick)
        parts.append(f'<text x="{x:.1f}" y="{foot + 16}" text-anchor="middle">{short(tick)}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{foot + 32}" text-anchor="middle">{escape(axes.x)}</text>')
    parts.append(f'<text x="{LEFT}" y="{TOP - 6}">{escape(axes.y)}</text>')
    return parts


def _curve(
    name: str, points: list[tuple[float, float]], colour: str, across: Scale, up: Scale, *,
    dots: bool,
) -> list[str]:  # fmt: skip
    places = [(across.at(x), up.at(y)) for x, y in points]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    title = f"<title>{escape(name)}</title>"
    parts = [f'<polyline points="{line}" stroke="{colour}">{title}</polyline>']
    if dots:
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places]
    return parts


def _legend(names: list[str]) -> list[str]:
    parts, x = [], float(LEFT)
    for name, colour in zip(names, _colours(), strict=False):
        y = HEIGHT - 10
        parts.append(f'<rect x="{x:.0f}" y="{y - 9}" width="10" height="10" fill="{colour}"/>')
        parts.append(f'<text x="{x + 14:.0f}" y="{y}">{escape(name)}</text>')
        x += 34 + 7 * len(name)
    return parts
