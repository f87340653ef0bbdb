"""Which files below the homes of agents are transcripts, and how each is on disk.

Opens none of them. Called by the reader, the first read and the doctor.
"""

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from ingest.homes import SUFFIX, Home, Identity, identify


class Found(NamedTuple):
    """A transcript on disk, as ``stat`` saw it."""

    path: str
    agent: str
    identity: Identity
    device: int
    inode: int
    size: int
    mtime_ns: int


def scan(homes: Iterable[Home]) -> list[Found]:
    """Every transcript of these homes once, the most recently written first."""
    found: dict[str, Found] = {}
    for home in homes:
        for folder in home.folders():
            for each in below(home, folder):
                found.setdefault(each.path, each)
    return sorted(found.values(), key=lambda each: each.mtime_ns, reverse=True)


def below(home: Home, folder: Path) -> Iterator[Found]:
    """Every transcript of a home that lies below one of its folders."""
    roots = home.folders()
    for parent, _, names in os.walk(folder):
        for name in names:
            if name.endswith(SUFFIX):
                each = _look(home.agent, roots, Path(parent, name))
                if each is not None:
                    yield each


def look(home: Home, path: Path) -> Found | None:
    """One transcript as it is now, or None if it is gone or is none."""
    return _look(home.agent, home.folders(), path)


def _look(agent: str, roots: list[Path], path: Path) -> Found | None:
    named = (identify(agent, root, path) for root in roots)
    identity = next((each for each in named if each is not None), None)
    if identity is None or not _is_text(path):
        return None
    try:
        told = path.stat()
    except OSError:
        return None
    if not stat.S_ISREG(told.st_mode):  # opening a pipe would wait for its writer
        return None
    return Found(
        str(path), agent, identity, told.st_dev, told.st_ino, told.st_size, told.st_mtime_ns
    )


def _is_text(path: Path) -> bool:
    """Whether the name can travel: bytes that are not UTF-8 name no session."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True
