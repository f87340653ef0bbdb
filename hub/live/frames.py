"""Frames of hub.v1 as bytes, and the table of close codes.

A frame that several clients may get contains nothing of any one client. Encoded once, here.
Called by the switchboard and its rooms.
"""

from collections.abc import Iterable, Sequence
from typing import Any

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


def patch_frames(
    head: bytes, before: str, after: str, sections: Sequence[tuple[bytes, Sequence[bytes]]],
    limit: int, tail: bytes = b"",
) -> list[bytes]:  # fmt: skip
    """A patch in as many frames as the limit asks for.

    ``sections``: an opening such as ``"set":[`` with its closing bracket derived, and its
    encoded items. Only the last frame moves the cursor: one that is lost leaves the client where
    it was, and values may come twice.
    """
    pieces: list[list[tuple[int, bytes]]] = [[]]
    used = 0
    room = limit - len(head) - len(tail) - 256
    for index, (_, items) in enumerate(sections):
        for item in items:
            if used + len(item) > room and pieces[-1]:
                pieces.append([])
                used = 0
            pieces[-1].append((index, item))
            used += len(item) + 1
    frames = []
    for number, piece in enumerate(pieces, 1):
        last = number == len(pieces)
        body = b"".join(
            opening + b",".join(item for at, item in piece if at == index) + _CLOSING[opening[-1:]]
            for index, (opening, _) in enumerate(sections)
        )
        cursor = after if last else before
        frames.append(
            b'{%b,"from":"%b","cursor":"%b"%b%b}'
            % (head, before.encode(), cursor.encode(), body, tail if last else b"")
        )
    return frames


_CLOSING = {b"[": b"]", b"{": b"}"}
