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


class Member(NamedTuple):
    """A piece that is never split: a row, a pair, or with ``brackets`` a member of ``name``."""

    data: bytes
    name: str = ""
    brackets: bytes = b""


class Section(NamedTuple):
    """A named part of a patch: ``set``, ``gone``, ``maps`` or ``append``."""

    name: str
    brackets: bytes
    members: list[Member]


def gather(members: Iterable[Member]) -> bytes:
    """Members joined; those of one map or series stand together under its name."""
    loose: list[bytes] = []
    named: dict[tuple[str, bytes], list[bytes]] = {}
    for member in members:
        if member.brackets:
            held = named.setdefault((member.name, member.brackets), [])
            held += [member.data] if member.data else []
        else:
            loose.append(member.data)
    for (name, brackets), held in named.items():
        loose.append(encode(name) + b":" + brackets[:1] + b",".join(held) + brackets[1:])
    return b",".join(loose)


def pack_members(members: Iterable[Member], room: int) -> list[list[Member]]:
    """Pack members into chunks of at most ``room`` bytes; at least one chunk."""
    chunks: list[list[Member]] = [[]]
    used = 0
    for member in members:
        size = len(member.data) + len(member.name) + 8
        if used + size > room and chunks[-1]:
            chunks.append([])
            used = 0
        chunks[-1].append(member)
        used += size
    return chunks


def patch_frames(
    head: bytes, before: str, after: str, sections: Sequence[Section], limit: int,
    tail: bytes = b"",
) -> list[bytes]:  # fmt: skip
    """A patch in as many frames as the limit asks for.

    Only the last frame moves the cursor: one that is lost leaves the client where it was, and
    values may come twice.
    """
    placed = [(at, member) for at, section in enumerate(sections) for member in section.members]
    chunks = pack_members((member for _, member in placed), limit - len(head) - len(tail) - 512)
    frames = []
    start = 0
    for number, chunk in enumerate(chunks, 1):
        mine = placed[start : start + len(chunk)]
        start += len(chunk)
        body = b"".join(
            _section(section, [member for place, member in mine if place == at])
            for at, section in enumerate(sections)
        )
        last = number == len(chunks)
        cursor = after if last else before
        frames.append(
            b'{%b,"from":%b,"cursor":%b%b%b}'
            % (head, encode(before), encode(cursor), body, tail if last else b"")
        )
    return frames


def _section(section: Section, members: list[Member]) -> bytes:
    opening, closing = section.brackets[:1], section.brackets[1:]
    return b",%b:%b%b%b" % (encode(section.name), opening, gather(members), closing)
