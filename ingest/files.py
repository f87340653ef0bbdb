"""Which files below a Claude Code home are transcripts, and whose.

A transcript belongs to the session that its path names, never to an id inside it.
Called by the reader and by the replay.
"""

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from session.delta import MAIN_SOURCE

SUFFIX = ".jsonl"
SUBAGENTS = "subagents"


class Identity(NamedTuple):
    """The session and the source that a file is."""

    session: str
    source: str


class Found(NamedTuple):
    """A transcript on disk, as ``stat`` saw it."""

    path: str
    identity: Identity
    device: int
    inode: int
    size: int
    mtime_ns: int


def identify(projects: Path, path: Path) -> Identity | None:
    """Whose transcript ``path`` is, or None if it is none.

    ``<slug>/<id>.jsonl`` is a session's own, ``<slug>/<id>/subagents/<stem>.jsonl`` (folders
    below ``subagents`` count into the stem) one of its subagents'.
    """
    if path.suffix != SUFFIX:
        return None
    try:
        parts = path.relative_to(projects).parts
    except ValueError:
        return None
    if len(parts) == 2:
        return Identity(path.stem, MAIN_SOURCE)
    if len(parts) >= 4 and parts[2] == SUBAGENTS:
        stem = "/".join((*parts[3:-1], path.stem))
        return Identity(parts[1], f"{SUBAGENTS}/{stem}")
    return None


def projects_of(home: Path) -> Path:
    """The folder of a Claude Code home that holds the transcripts."""
    return home / "projects"


def scan(homes: Iterable[Path]) -> list[Found]:
    """Every transcript of these homes, the most recently written first."""
    found = [each for home in homes for each in below(home, projects_of(home))]
    found.sort(key=lambda each: each.mtime_ns, reverse=True)
    return found


def below(home: Path, folder: Path) -> Iterator[Found]:
    """Every transcript of a home that lies below one of its folders."""
    for parent, _, names in os.walk(folder):
        for name in names:
            if name.endswith(SUFFIX):
                path = Path(parent, name)
                each = look(projects_of(home), path)
                if each is not None:
                    yield each


def look(projects: Path, path: Path) -> Found | None:
    """One transcript as it is now, or None if it is gone or is none."""
    identity = identify(projects, path)
    if identity is None:
        return None
    try:
        told = path.stat()
    except OSError:
        return None
    if not stat.S_ISREG(told.st_mode):  # opening a pipe would wait for its writer
        return None
    return Found(str(path), identity, told.st_dev, told.st_ino, told.st_size, told.st_mtime_ns)
