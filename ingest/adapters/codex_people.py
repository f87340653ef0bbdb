"""What a person typed in a Codex rollout, each prompt once.

The agent writes a prompt twice: as the model got it, among messages that nobody typed, and as
the person typed it. Some versions write the first one only. Called by the rollout adapter.
"""

from typing import Any

from ingest.adapters.texts import digest, text_of

_WRAPPERS = (
    "<environment_context>", "<user_instructions>", "<INSTRUCTIONS>", "<permissions instructions>",
    "<turn_aborted>", "<user_shell_command>", "<subagent_notification>", "<model_switch>",
    "<collaboration_mode>", "<skill>", "<skills_instructions>", "<personality_spec>",
    "# AGENTS.md instructions",
)  # fmt: skip
_REQUEST = "## My request for Codex:"


class Prompts:
    """Tells typed prompts from the rest, and gives each its id."""

    def __init__(self) -> None:
        self.typed = 0
        self._ordinals: dict[str, int] = {}
        self._are_told = False
        self._is_open = False

    def told(self, text: str) -> str | None:
        """A prompt as the person typed it: its entry's id, or None if it was counted already."""
        known, self._are_told, self._is_open = self._is_open, True, False
        return None if known else self._count(text)

    def given(self, text: str) -> str | None:
        """The same of a message that the model got."""
        if self._are_told:
            return None
        self._is_open = True
        return self._count(text)

    def answered(self) -> None:
        """The agent went on: what is typed from here on is another prompt."""
        self._is_open = False

    def _count(self, text: str) -> str:
        self.typed += 1
        key = digest(text)
        self._ordinals[key] = self._ordinals.get(key, 0) + 1
        return f"prompt:{key}:{self._ordinals[key]}"


def typed(text: Any, images: int = 0) -> str:
    """The text if a person may have typed it, else an empty one."""
    said = (text_of(text) or "").strip()
    if said.startswith(_WRAPPERS):
        return ""
    return said or ("[image]" if images else "")


def request_in(said: str) -> str:
    """The request alone, without what an editor put before it."""
    return said.rpartition(_REQUEST)[2].strip() or said
