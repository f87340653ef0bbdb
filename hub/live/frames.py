"""Frames of hub.v1 as bytes, and the table of close codes.

A frame that several clients may get contains nothing of any one client. Encoded once, here.
Called by the switchboard and its rooms.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

PROTOCOL = 1
SUBPROTOCOL = "hub.v1.json"

# code → (name, whether the client may reconnect)
CLOSE_CODES: dict[int, tuple[str, bool]] = {
    4000: ("draining", True),
    4001: ("slow", True),
    4002: ("silent", True),
    4003: ("state invalid", True),
    4004: ("backend lost", True),
    4005: ("credential expired", True),
    4006: ("connection limit", True),
    4007: ("rate", True),
    4500: ("bad frame", False),
    4501: ("unauthorised", False),
    4502: ("no hello", False),
    4503: ("version", False),
    4506: ("forbidden", False),
}

encode = msgspec.json.Encoder().encode


def frame(kind: str, **fields: Any) -> bytes:
    """One frame of that type."""
    return encode({"type": kind, **fields})


def rows_frames(
    kind: str, head: bytes, rows: Sequence[bytes], tail: bytes, limit: int
) -> list[bytes]:
    """A snapshot of encoded rows in as many parts as the limit asks for.

    ``head`` is encoded fields behind the type, ``tail`` those of the last part only.
    """
    chunks = split(rows, limit - len(head) - len(tail) - 128)
    parts = len(chunks)
    return [
        b'{"type":"%b",%b,"part":%d,"parts":%d,"sessions":[%b]%b}'
        % (kind.encode(), head, part, parts, b",".join(chunk), tail if part == parts else b"")
        for part, chunk in enumerate(chunks, 1)
    ]


def split(items: Iterable[bytes], room: int) -> list[list[bytes]]:
    """Pack encoded items into chunks of at most ``room`` bytes; at least one chunk."""
    chunks: list[list[bytes]] = [[]]
    used = 0
    for item in items:
        if used + len(item) > room and chunks[-1]:
            chunks.append([])
            used = 0
        chunks[-1].append(item)
        used += len(item) + 1
    return chunks


class Section(NamedTuple):
    """A named part of a patch: ``set``, ``gone``, ``maps`` or ``append``.

    ``items`` are (name, encoded member); a name gathers its members into a map or series.
    """

    name: str
    brackets: bytes
    items: list[tuple[str, bytes]]
    inner: bytes = b""


def patch_frames(
    head: bytes, before: str, after: str, sections: Sequence[Section], limit: int,
    tail: bytes = b"",
) -> list[bytes]:  # fmt: skip
    """A patch in as many frames as the limit asks for.

    Only the last frame moves the cursor: one that is lost leaves the client where it was, and
    values may come twice.
    """
    pieces: list[list[list[tuple[str, bytes]]]] = [[[] for _ in sections]]
    used = 0
    room = limit - len(head) - len(tail) - 512
    for index, section in enumerate(sections):
        for name, member in section.items:
            size = len(member) + len(name) + 8
            if used + size > room and used:
                pieces.append([[] for _ in sections])
                used = 0
            pieces[-1][index].append((name, member))
            used += size
    frames = []
    for number, piece in enumerate(pieces, 1):
        last = number == len(pieces)
        body = b"".join(map(_section, sections, piece))
        cursor = after if last else before
        frames.append(
            b'{%b,"from":%b,"cursor":%b%b%b}'
            % (head, encode(before), encode(cursor), body, tail if last else b"")
        )
    return frames


def _section(section: Section, items: list[tuple[str, bytes]]) -> bytes:
    if section.inner:
        gathered: dict[str, list[bytes]] = {}
        for name, member in items:
            gathered.setdefault(name, []).append(member)
        members = [
            encode(name) + b":" + section.inner[:1] + b",".join(held) + section.inner[1:]
            for name, held in gathered.items()
        ]
    else:
        members = [member for _, member in items]
    opening, closing = section.brackets[:1], section.brackets[1:]
    return b",%b:%b%b%b" % (encode(section.name), opening, b",".join(members), closing)
