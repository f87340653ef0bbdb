"""Hostile JSON out of good JSON: a shape that is really sent, changed at a few places at any depth.

The changes are what senders and strangers get wrong: another type, a huge number, a lone surrogate,
a deep nest, a name twice, a text cut off or two in one. Pure; used by every property here.
"""

import copy
import json
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

CHANGES_MAX = 4
DEPTH = 1_500  # deeper than any reader goes
HUGE_DIGITS = 5_000

ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**53, 2**63 - 1, 2**63, 2**64, -(2**63) - 1, 10**30, 1.5,
    -0.0, 1e300, 5e-324, "", " ", "0", "-1", "1e5", "\x00", "\ud800", "x\udfff", "\u202e", "\u2028",
    "x" * 300, "x" * 3_000, "🚀" * 600, "9999-12-31T23:59:59-23:59", "2026-01-01T00:00:00Z",
    "0001-01-01T00:00:00+23:59", [], {}, [[]], [None], [{}], {"": ""}, {"a": {"a": {"a": []}}},
    ["x", 1, None], {"id": [], "type": {}, "text": 0, "status": [], "at": "x"},
)  # fmt: skip
"""Values that stand where another was meant."""

Path = tuple[str | int, ...]

leaves = (
    st.sampled_from(ODD).map(copy.deepcopy)  # what is drawn may be changed again
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec=None), max_size=8)
)


def places(value: Any, at: Path = ()) -> list[Path]:
    """Every place in a JSON value, the whole included."""
    found = [at]
    if isinstance(value, dict):
        found += [each for key in value for each in places(value[key], (*at, key))]
    elif isinstance(value, list):
        found += [each for n, inner in enumerate(value) for each in places(inner, (*at, n))]
    return found


def _held(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value


def _changed(draw: st.DrawFn, whole: Any, path: Path, names: Sequence[str]) -> Any:
    """The value with one change at a place."""
    if not path:
        return draw(leaves) if draw(st.integers(0, 9)) == 9 else whole
    holder, step = _held(whole, path[:-1]), path[-1]
    way = draw(st.integers(0, 6))
    if way <= 2:
        holder[step] = draw(leaves)
    elif way == 3:
        holder[step] = draw(st.sampled_from(([holder[step]], {"a": holder[step]})))
    elif way == 4:
        holder[step] = copy.deepcopy(_held(whole, draw(st.sampled_from(places(whole)))))
    elif way == 5 and isinstance(holder, dict):
        holder[draw(st.sampled_from(names))] = draw(leaves)
    else:
        del holder[step]
    return whole


@st.composite
def values(draw: st.DrawFn, seeds: Sequence[Any], names: Sequence[str] = ("x",)) -> Any:
    """One of the seeds, changed at up to four places; ``names`` are those of further fields."""
    whole = copy.deepcopy(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(0, CHANGES_MAX))):
        whole = _changed(draw, whole, draw(st.sampled_from(places(whole))), names)
    return whole


def written(value: Any) -> bytes:
    """A value as JSON on one line, lone surrogates as escapes."""
    return json.dumps(value).encode()


def deep(depth: int = DEPTH) -> bytes:
    """Lists in each other."""
    return b"[" * depth + b"]" * depth


INSERTS: tuple[bytes, ...] = (
    deep(), deep(900), b"[" * DEPTH, b'{"a":' * DEPTH, b"NaN", b"-Infinity", b"1e999", b"-0",
    b"9" * HUGE_DIGITS, b"0." + b"9" * HUGE_DIGITS, b'"\\ud800"', b'"\\udfff\\ud800"', b'"\\u0000"',
    b'"\xff\xfe"', b"\xed\xa0\x80", b"\x00", b"\xef\xbb\xbf", b"/**/", b",", b"}", b"]", b'"',
    b"{}", b"tru", b"\\", b"'",
)  # fmt: skip
"""Bytes that stand where a value was meant."""


def _twice(draw: st.DrawFn, body: bytes) -> bytes:
    """An object of which a name stands twice, with another value the second time."""
    try:
        told = json.loads(body)
    except ValueError:
        return body
    if not isinstance(told, dict) or not told:
        return body
    name = draw(st.sampled_from(sorted(told)))
    return body[:-1] + b"," + written(name) + b":" + written(draw(leaves)) + b"}"


def _damaged(draw: st.DrawFn, body: bytes) -> bytes:
    way, at = draw(st.integers(0, 6)), draw(st.integers(0, len(body)))
    if way == 0:
        return body[:at]
    if way == 1:
        return body + draw(st.sampled_from((b"", b" ", b"\x00", b","))) + body
    if way == 2:
        return _twice(draw, body)
    if way == 3:
        return body[:at] + draw(st.binary(max_size=8)) + body[at + draw(st.integers(0, 4)) :]
    # Behind a colon, where a value begins, more often reads on than elsewhere.
    colons = [place + 1 for place in range(len(body)) if body[place : place + 1] == b":"]
    at = draw(st.sampled_from(colons)) if way >= 5 and colons else at
    rest = body[at:].lstrip()
    end = min((i for i in (rest.find(b","), rest.find(b"}")) if i >= 0), default=0)
    return body[:at] + draw(st.sampled_from(INSERTS)) + rest[end:]


@st.composite
def bodies(draw: st.DrawFn, seeds: Sequence[Any], names: Sequence[str] = ("x",)) -> bytes:
    """The same as bytes on one line; three in ten are damaged as bytes as well."""
    body = written(draw(values(seeds, names)))
    if draw(st.integers(0, 9)) >= 7:
        body = _damaged(draw, body)
    return body.replace(b"\n", b" ")
