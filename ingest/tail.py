"""One transcript file followed as it grows, shrinks or is replaced.

Never reads a line before it is whole, never reads one twice within a generation.
Called by the reader, the first read and the restore of past sessions.
"""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import msgspec

from ingest.adapters.claude_transcript import ClaudeTranscript
from ingest.adapters.codex import CodexRollout
from ingest.adapters.transcript import Part, Transcript
from ingest.homes import CLAUDE_CODE, CODEX
from ingest.redact.screen import Screen
from session.delta import MAIN_SOURCE, Report
from session.mark import Mark

SLICE_BYTES = 256 * 1024
LINE_BYTES_MAX = 64 * 1024 * 1024
_HEAD_BYTES = 1024
PARSERS: dict[str, Callable[[str, str], Transcript]] = {
    CLAUDE_CODE: ClaudeTranscript,
    CODEX: CodexRollout,
}


class Origin(msgspec.Struct, frozen=True):
    """Who reads: stamped on every report."""

    workspace: str
    host: str | None
    user: str | None


class Tail:
    """A file and the parser that stands at ``mark.offset`` in it.

    A mark with an offset was reported before: the file is parsed from its beginning to
    rebuild the sums, and only what lies beyond the offset is given. What it tells has passed
    ``screen``.
    """

    def __init__(self, mark: Mark, screen: Screen | None = None) -> None:
        self.mark = mark
        self._screen = screen or Screen()
        self._skip_to = mark.offset
        self._parser = self._new_parser()
        self._rest = bytearray()  # a half line; it may grow to megabytes, slice by slice

    def _new_parser(self) -> Transcript:
        parser = PARSERS[self.mark.agent](self.mark.session, self.mark.source)
        if self.mark.source != MAIN_SOURCE:
            parser.notes.name_agent(_agent_type(self.mark.path))
        return parser

    def poll(self, now: int) -> tuple[list[Part], bool]:
        """Read at most one slice; gives full parts and whether more is waiting.

        ``now`` in ms becomes the generation if the file is another one than before.
        """
        try:
            with Path(self.mark.path).open("rb") as file:
                stat = os.fstat(file.fileno())
                self._check(stat, file.read(_HEAD_BYTES), now)
                self._go_on(file)
                data = file.read(SLICE_BYTES)
        except OSError:
            return [], False
        with self._screen.reading():
            parts = self._feed(data, now)
        self.mark.size, self.mark.mtime_ns = stat.st_size, stat.st_mtime_ns
        at_end = self._parser.offset + len(self._rest) >= stat.st_size
        if at_end and self._parser.pending() and self._parser.offset > self._skip_to:
            parts.append(self._parser.take(now))
        parts = [self._screen.clean_part(part) for part in parts]
        self.mark.offset = max(self.mark.offset, self._parser.reported)
        self.mark.last_at = self._parser.last_at
        self.mark.broken = max(self.mark.broken, self._parser.broken)
        return parts, not at_end

    def _check(self, stat: os.stat_result, head: bytes, now: int) -> None:
        """Notice a file that shrank or became another one: it is a new generation."""
        told = _head_digest(head)
        known = self.mark
        same_file = not known.inode or (known.device, known.inode) == (stat.st_dev, stat.st_ino)
        same_head = not known.head or known.head == told
        read = max(known.offset, self._parser.offset)
        if not (same_file and same_head and stat.st_size >= read):
            # Above the last one also within a millisecond, or when the clock was set back.
            known.generation, known.offset = max(now, known.generation + 1), 0
            known.broken = 0
            self._skip_to, self._rest = 0, bytearray()
            self._parser = self._new_parser()
        known.device, known.inode, known.head = stat.st_dev, stat.st_ino, told

    def _go_on(self, file: BinaryIO) -> None:
        """Stand behind the half line; one whose end is there no more was taken back."""
        end = self._rest[-_HEAD_BYTES:]
        file.seek(self._parser.offset + len(self._rest) - len(end))
        if file.read(len(end)) != end:
            self._rest = bytearray()
            file.seek(self._parser.offset)

    def _take_lines(self, data: bytes) -> bytes:
        """Whole lines; what is left becomes the half line.

        A last line without its newline is whole if it is JSON: nothing more can belong to it.
        """
        end = data.rfind(b"\n") + 1
        whole = bytes(self._rest) + data[:end] if end else b""
        if end:
            self._rest = bytearray(data[end:])
        else:
            self._rest += data
        is_json = data.rstrip().endswith(b"}") and _is_json(self._rest)
        # No transcript line is longer than that: let it count as broken.
        if is_json or len(self._rest) > LINE_BYTES_MAX:
            whole += self._rest
            self._rest = bytearray()
        return whole

    def _feed(self, data: bytes, now: int) -> list[Part]:
        whole = self._take_lines(data)
        if self._parser.offset >= self._skip_to:
            return self._parser.feed(whole, now)
        known = self._skip_to - self._parser.offset
        self._parser.feed(whole[:known])
        if self._parser.offset < self._skip_to:
            return []
        self._parser.take()
        return self._parser.feed(whole[known:], now)


def _is_json(data: bytes | bytearray) -> bool:
    try:
        msgspec.json.decode(data, type=msgspec.Raw)
    except (msgspec.MsgspecError, RecursionError):
        return False
    return True


def _head_digest(head: bytes) -> str:
    """Of the first line if it is whole; an unfinished one says nothing yet."""
    line, newline, _ = head.partition(b"\n")
    if not newline and len(head) < _HEAD_BYTES:
        return ""
    return hashlib.blake2b(line, digest_size=8).hexdigest()


def _agent_type(path: str) -> str | None:
    """A subagent's type from the file beside its transcript, where the agent writes one."""
    try:
        told = json.loads(Path(path).with_suffix(".meta.json").read_bytes())
    except (OSError, ValueError):
        return None
    kind = told.get("agentType") if isinstance(told, dict) else None
    return kind if isinstance(kind, str) else None


def reports(parts: list[Part], mark: Mark, origin: Origin, now: int, *, more: bool) -> list[Report]:
    """What one poll gave as deltas, each with its mark; ``more`` as the poll said.

    Only the mark of a file's last part has the size that was seen: a file of which something
    is still to be told must never count as unchanged.
    """
    told = []
    for part in parts:
        whole = part is parts[-1] and not more
        seen = {} if whole else {"size": part.end, "mtime_ns": 0}
        copied = msgspec.structs.replace(mark, offset=part.end, last_at=part.at, **seen)
        plain = report(part, mark, origin, now)
        told.append(msgspec.structs.replace(plain, mark=copied))
    return told


def report(part: Part, mark: Mark, origin: Origin, now: int) -> Report:
    """A part as a delta. Its id is its version, so that sending it again is no second entry."""
    name = f"{mark.agent}:{mark.session}:{mark.source}:{mark.generation}:{part.end}"
    return Report(
        id=name,
        session=mark.session,
        workspace=origin.workspace,
        agent=mark.agent,
        source=mark.source,
        at=part.at,
        received_at=now,
        host=origin.host,
        user=origin.user,
        generation=mark.generation,
        from_=part.start,
        to=part.end,
        values=part.values,
        entries=part.entries,
        usage=part.usage,
        texts=part.texts,
    )
