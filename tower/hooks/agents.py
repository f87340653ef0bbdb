"""The agents whose hooks can be installed: their events, their routes, and where they keep hooks.

The events are those from which something follows on the board, as the adapters have them.
"""

from pathlib import Path

from msgspec import Struct

from ingest.adapters import claude_hooks, codex_hooks
from ingest.adapters.claude_hooks import Readers
from tower.settings import default_claude_dirs, default_codex_dirs


class Agent(Struct, frozen=True):
    """``folder`` is what its home is called in a project; ``note`` is said after an install."""

    name: str
    title: str
    folder: str
    events: tuple[str, ...]
    note: str

    @property
    def route(self) -> str:
        """Where the tower takes its hooks."""
        return f"/v1/hooks/{self.name}"

    @property
    def home(self) -> Path:
        """Its home of this user."""
        found = default_claude_dirs() if self.name == CLAUDE_CODE.name else default_codex_dirs()
        return Path(found[0]).expanduser()


def _meant(readers: Readers) -> tuple[str, ...]:
    return tuple(event for event, (kind, _) in readers.items() if kind != "other")


CLAUDE_CODE = Agent(
    claude_hooks.AGENT, "Claude Code", ".claude", _meant(claude_hooks.READERS),
    "Sessions that start from now on are heard.",
)  # fmt: skip
CODEX = Agent(
    codex_hooks.AGENT, "Codex", ".codex", _meant(codex_hooks.READERS),
    "Codex asks before it runs new hooks: open it, type /hooks, and trust them.",
)  # fmt: skip
AGENTS = {agent.name: agent for agent in (CLAUDE_CODE, CODEX)}
