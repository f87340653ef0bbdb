"""The first read of old transcripts, in a process of its own so that the live path feels nothing.

Writes deltas, marks and counts to standard output and ends; never follows a file, never asks back.
Started by the reader: ``python -m ingest.first_read``, with what to do on standard input.
"""

import os
import struct
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from ingest.files import Found, scan
from ingest.homes import Home
from ingest.redact.screen import Policy, Screen
from ingest.tail import Origin, Tail, reports
from session import codec
from session.mark import Mark

DELTA, MARK, TOTAL, REDACTED = b"D", b"M", b"T", b"R"
HEADER = struct.Struct(">cI")


class Order(msgspec.Struct):
    """What to read: homes, who reads, the marks of what was reported before, what may leave."""

    homes: list[Home]
    origin: Origin
    marks: list[Mark] = []
    policy: Policy = Policy()


def main() -> int:
    """Read the order, then every transcript that has grown since its mark."""
    order = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Order)
    out = sys.stdout.buffer
    marks = {mark.path: mark for mark in order.marks}
    redacted: Counter[str] = Counter()
    screen = Screen(order.policy, lambda kind: redacted.update((kind,)))
    found = scan(order.homes)
    _write(out, TOTAL, msgspec.msgpack.encode((len(found), sum(each.size for each in found))))
    for each in found:
        try:
            for kind, payload in read_file(each, marks.get(each.path), order.origin, screen):
                _write(out, kind, payload)
            if redacted:
                _write(out, REDACTED, msgspec.msgpack.encode(redacted))
                redacted.clear()
        except BrokenPipeError:
            raise
        except Exception as error:  # noqa: BLE001 - one file must not stop its neighbours
            sys.stderr.write(f"a transcript could not be read: {each.path}: {error!r}\n")
        out.flush()
    return 0


def new_mark(found: Found) -> Mark:
    """The mark of a file of which nothing was reported."""
    return Mark(
        path=found.path, session=found.identity.session, source=found.identity.source,
        agent=found.agent,
    )  # fmt: skip


def is_unchanged(found: Found, mark: Mark) -> bool:
    """Whether the file is as it was when it was reported: then it is not even opened."""
    told = (mark.device, mark.inode, mark.size, mark.mtime_ns)
    return told == (found.device, found.inode, found.size, found.mtime_ns)


def read_file(
    found: Found, mark: Mark | None, origin: Origin, screen: Screen
) -> Iterator[tuple[bytes, bytes]]:
    """Every report of one file, then its mark."""
    if mark is not None and is_unchanged(found, mark):
        yield MARK, msgspec.msgpack.encode(mark)
        return
    tail = Tail(mark or new_mark(found), screen)
    more = True
    while more:
        now = time.time_ns() // 1_000_000
        parts, more = tail.poll(now)
        for each in reports(parts, tail.mark, origin, now, more=more):
            yield DELTA, codec.pack(each)
    yield MARK, msgspec.msgpack.encode(tail.mark)


def _write(out: BinaryIO, kind: bytes, payload: bytes) -> None:
    out.write(HEADER.pack(kind, len(payload)))
    out.write(payload)


if __name__ == "__main__":
    try:
        code = main()
    except BrokenPipeError:
        os._exit(1)  # nobody reads any more, so nobody is to be told
    raise SystemExit(code)
