"""What an install or an uninstall would do to one agent's file: worked out first, written later.

Reads files and writes none but by ``carry_out``.
"""

import contextlib
import difflib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from msgspec import Struct

from tower.hooks import files, json_hooks, toml_hooks
from tower.hooks.agents import CLAUDE_CODE, CODEX, Agent
from tower.hooks.entries import Wanted, groups_of, ours_in
from tower.hooks.errors import HooksError

CONFIG = "config.toml"


class Place(Struct, frozen=True):
    """The file of one agent's hooks in one scope."""

    agent: Agent
    scope: str
    path: Path

    @property
    def form(self) -> ModuleType:
        """How it is read and written."""
        return toml_hooks if self.path.suffix == ".toml" else json_hooks


class Plan(Struct, frozen=True):
    """A file as it is and as it will be; None is no file."""

    place: Place
    before: str | None
    after: str | None

    @property
    def changes(self) -> bool:
        """Whether there is anything to do."""
        return self.before != self.after

    def diff(self) -> Iterator[str]:
        """A unified diff, line by line."""
        name = str(self.place.path)
        old, new = ((text or "").splitlines(keepends=True) for text in (self.before, self.after))
        was = "/dev/null" if self.before is None else name
        will_be = "/dev/null" if self.after is None else name
        for line in difflib.unified_diff(old, new, was, will_be):
            yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"

    def carry_out(self) -> Path | None:
        """Write it; gives the path of what was kept aside."""
        backup = files.write(self.place.path, self.before, self.after)
        if self.after is None and self.place.scope == "project":
            # A project's folder may have been made for this file alone; a home is its agent's.
            with contextlib.suppress(OSError):
                self.place.path.parent.rmdir()
        return backup


def place_of(agent: Agent, scope: str) -> Place:
    """Where an agent's hooks stand.

    In a project it is the file that is a person's own: a host, a name and an address of one
    person's tower are nothing to commit.
    """
    home = agent.home if scope == "user" else Path.cwd() / agent.folder
    if agent == CLAUDE_CODE:
        name = "settings.json" if scope == "user" else "settings.local.json"
        return Place(agent, scope, home / name)
    config = home / CONFIG
    text = files.read(config)
    if text and toml_hooks.hooks_in(text, str(config)):
        return Place(agent, scope, config)  # Codex warns where hooks stand in both
    return Place(agent, scope, home / "hooks.json")


def installing(place: Place, wanted: Wanted) -> Plan:
    """The wanted hooks in; raises HooksError where the file cannot be read."""
    before = files.read(place.path)
    name, bom, text = _split(place, before)
    after = place.form.installed(text, wanted, place.agent, name)
    return Plan(place, before, before if after == text and before is not None else bom + after)


def uninstalling(place: Place) -> Plan:
    """Ours out: byte for byte as it was before, where nothing else has changed since."""
    before = files.read(place.path)
    if before is None:
        return Plan(place, None, None)
    name, bom, text = _split(place, before)
    hooks = place.form.hooks_in(text, name)
    present = groups_of(hooks, place.agent)
    if not present:
        return Plan(place, before, before)
    for backup in files.backups(place.path):
        kept = _replayed(place, backup, {event: groups[0] for event, groups in present.items()})
        if kept is not None and kept[1] == before:
            return Plan(place, before, kept[0])
    after = bom + place.form.uninstalled(text, place.agent, name)
    # Nothing else was ever in it, and there was no file before: there is none again.
    return Plan(place, before, None if after.strip(files.BOM + " \r\n") in ("", "{}") else after)


def _replayed(place: Place, backup: Path, wanted: Wanted) -> tuple[str, str] | None:
    """What was kept aside, and what it is with these hooks; None if it had some itself."""
    try:
        kept = files.read(backup)
        name, bom, text = _split(place, kept)
        if kept is None or any(True for _ in ours_in(place.form.hooks_in(text, name), place.agent)):
            return None
        return kept, bom + place.form.installed(text, wanted, place.agent, name)
    except HooksError:
        return None


def _split(place: Place, text: str | None) -> tuple[str, str, str]:
    """The file's name, its mark of byte order if it has one, and the text itself."""
    told = text or ""
    bom = files.BOM if told.startswith(files.BOM) else ""
    return str(place.path), bom, told[len(bom) :]


def hooks_at(place: Place) -> dict[str, object]:
    """The hooks that stand there by event; none where there is no file."""
    name, _, text = _split(place, files.read(place.path))
    found: dict[str, object] = place.form.hooks_in(text, name)
    return found


def is_installed(agent: Agent) -> bool:
    """Whether any hook of ours stands in an agent's home; what cannot be read is left alone."""
    try:
        return any(True for _ in ours_in(hooks_at(place_of(agent, "user")), agent))
    except HooksError:
        return True


def present_agents() -> list[Agent]:
    """The agents that this user has a home of."""
    return [agent for agent in (CLAUDE_CODE, CODEX) if agent.home.is_dir()]
