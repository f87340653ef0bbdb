"""Made-up homes, logs and waiting, for every test of the reader and what is below it."""

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ingest.adapters.transcript import Part
from ingest.files import look
from ingest.first_read import new_mark
from ingest.homes import Home, Identity
from ingest.tail import Origin, Tail, report
from session.delta import Delta, Report
from session.fold import fold, new_session
from session.mark import Mark
from session.state import Session

ORIGIN = Origin("default", "box", "ada")
NOW = 1_790_000_000_000


def claude(path: Path) -> Home:
    """A home of Claude Code."""
    return Home(str(path))


def codex(path: Path) -> Home:
    """A home of Codex."""
    return Home(str(path), "codex")


async def until(condition: Callable[[], bool], within_s: float = 10.0) -> None:
    """Return as soon as it holds; fail after the deadline."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.005)


def transcript(home: Path, session: str = "s", *parts: str) -> Path:
    """The path of a transcript below a home, its folder made."""
    name = Path("projects", "-made-up", session, *parts)
    path = home / name.with_name(name.name + ".jsonl")
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def append(path: Path, data: bytes) -> None:
    """Write behind what is there."""
    with path.open("ab") as file:
        file.write(data)


def mark_of(path: Path, source: str = "main") -> Mark:
    """A mark of a file of which nothing was reported."""
    return Mark(path=str(path), session="s", source=source)


def drain(tail: Tail, now: int = NOW) -> list[Part]:
    """Everything that a tail gives at present."""
    parts, more = tail.poll(now)
    while more:
        fresh, more = tail.poll(now)
        parts += fresh
    return parts


def drained(tail: Tail, now: int = NOW) -> list[Report]:
    """The same as reports."""
    return [report(part, tail.mark, ORIGIN, now) for part in drain(tail, now)]


def summed(deltas: Sequence[Delta]) -> Session:
    """The session that some deltas of it make."""
    session = new_session(deltas[0])
    for delta in deltas:
        fold(session, delta)
    return session


def texts(parts: Sequence[Part | Report], kind: str = "prompt") -> list[str]:
    """The texts of the timeline entries of one kind, in their order."""
    return [entry.text for part in parts for entry in part.entries if entry.kind == kind]


def found_mark(home: Path, path: Path) -> Mark:
    """The mark that the reader makes for a file it has never seen."""
    found = look(claude(home), path)
    assert found is not None
    return new_mark(found)


class Log:
    """What a reader sent, in its order; ``fails`` many sends are refused first."""

    def __init__(self, error: Exception | None = None, fails: int = 0) -> None:
        self.deltas: list[Delta] = []
        self.error = error
        self.fails = fails

    async def send(self, deltas: Sequence[Delta]) -> None:
        """Take a batch in, or fail whole."""
        await asyncio.sleep(0)
        if self.fails and self.error is not None:
            self.fails -= 1
            raise self.error
        self.deltas += deltas

    def of(self, session: str, source: str = "main") -> list[Report]:
        """The reports of one source."""
        key = (session, source)
        return [d for d in self.deltas if isinstance(d, Report) and (d.session, d.source) == key]

    def prompts(self, session: str = "s", source: str = "main") -> list[str]:
        """The prompts that one source told, in their order."""
        return texts(self.of(session, source))

    @property
    def identities(self) -> set[Identity]:
        """Who was heard."""
        return {Identity(delta.session, delta.source) for delta in self.deltas}
