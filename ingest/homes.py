"""Homes of agents: the folders of transcripts in each, and whose transcript a path names.

A transcript belongs to the session that its path names, never to an id inside it.
Called by the search for files and by whoever configures the reader.
"""

import re
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import NamedTuple

from msgspec import Struct

from session.delta import MAIN_SOURCE

CLAUDE_CODE, CODEX = "claude-code", "codex"
SUFFIX = ".jsonl"
SUBAGENTS = "subagents"

_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_ROLLOUT = re.compile(rf"rollout-.+-({_UUID})")
_CODEX_FOLDERS = ("sessions", "archived_sessions")
# A folder with one of these is a home of Codex; any other one is a folder of rollouts.
_CODEX_HOME = (*_CODEX_FOLDERS, "config.toml", "auth.json")


class Identity(NamedTuple):
    """The session and the source that a file is."""

    session: str
    source: str


class Home(Struct, frozen=True):
    """A folder in which an agent keeps its transcripts, and which agent that is."""

    path: str
    agent: str = CLAUDE_CODE

    def folders(self) -> list[Path]:
        """The folders that hold the transcripts; they need not be there."""
        return _KINDS[self.agent].folders(Path(self.path))

    def absolute(self) -> "Home":
        """The same home, wherever the program goes."""
        return Home(str(Path(self.path).expanduser().absolute()), self.agent)


def identify(agent: str, folder: Path, path: Path) -> Identity | None:
    """Whose transcript ``path`` is in a folder of transcripts of ``agent``, or None if none."""
    if path.suffix != SUFFIX:
        return None
    try:
        inner = path.relative_to(folder)
    except ValueError:
        return None
    return _KINDS[agent].identify(inner)


def _claude_folders(home: Path) -> list[Path]:
    return [home / "projects"]


def _claude_identity(inner: PurePath) -> Identity | None:
    """``<slug>/<id>.jsonl`` is a session's own, ``<slug>/<id>/subagents/<stem>.jsonl`` (folders
    below ``subagents`` count into the stem) one of its subagents'."""
    parts = inner.parts
    if len(parts) == 2:
        return Identity(inner.stem, MAIN_SOURCE)
    if len(parts) >= 4 and parts[2] == SUBAGENTS:
        stem = "/".join((*parts[3:-1], inner.stem))
        return Identity(parts[1], f"{SUBAGENTS}/{stem}")
    return None


def _codex_folders(home: Path) -> list[Path]:
    if any((home / name).exists() for name in _CODEX_HOME):
        return [home / name for name in _CODEX_FOLDERS]
    return [home]


def _codex_identity(inner: PurePath) -> Identity:
    """``rollout-<time>-<uuid>.jsonl`` at any depth is the session of that uuid, any other file
    the one of its stem."""
    named = _ROLLOUT.fullmatch(inner.stem)
    return Identity(named[1] if named else inner.stem, MAIN_SOURCE)


class _Kind(NamedTuple):
    folders: Callable[[Path], list[Path]]
    identify: Callable[[PurePath], Identity | None]


_KINDS = {
    CLAUDE_CODE: _Kind(_claude_folders, _claude_identity),
    CODEX: _Kind(_codex_folders, _codex_identity),
}
