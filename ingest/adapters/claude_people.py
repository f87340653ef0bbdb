"""Which user lines of a Claude Code transcript a person said: typed prompts and interrupts.

Most user lines are tool results, notices and wrappers. Called by the transcript adapter.
"""

from typing import Any, NamedTuple

from ingest.adapters.claude_lines import Block, Line
from ingest.adapters.texts import digest, text_of

_INTERRUPT = "[Request interrupted by user"
_WRAPPERS = (
    "<task-notification>", "<local-command-", "<bash-stdout>", "<bash-stderr>", "<bash-input>",
    "<system-reminder>", "<user-memory-input>", "Caveat: The messages below were generated",
)  # fmt: skip
# From this version on a hook's prompt_id and a line's promptId are the same.
_PROMPT_ID_VERSION = (2, 1, 196)
_VERSION_MAX = 20


class Spoken(NamedTuple):
    """What a person said: a prompt, a slash command or an interrupt."""

    text: str
    command: bool = False
    interrupt: bool = False


def spoken(line: Line, content: str | list[Block]) -> Spoken | None:
    """What the person said in this line, or None if a person did not say it."""
    if line.isMeta or line.isCompactSummary or line.isVisibleInTranscriptOnly:
        return None
    if line.promptSource == "system" or _origin(line.origin) not in (None, "human"):
        return None
    text = _text(content)
    if text.startswith(_INTERRUPT):
        return Spoken(text, interrupt=True)
    if not text or text.startswith(_WRAPPERS):
        return None
    if text.startswith(("<command-name>", "<command-message>")):
        return _command(text)
    return Spoken(text)


def _origin(origin: Any) -> Any:
    return origin.get("kind") if isinstance(origin, dict) else None


def _text(content: str | list[Block]) -> str:
    if isinstance(content, str):
        return content.strip()
    if any(block.type == "tool_result" for block in content):
        interrupts = [b.text for b in content if b.type == "text" and text_of(b.text)]
        return next((text for text in interrupts if text.startswith(_INTERRUPT)), "")
    said = [block.text for block in content if block.type == "text" and text_of(block.text)]
    images = sum(block.type == "image" for block in content)
    return "\n".join(said).strip() or ("[image]" if images else "")


def _command(text: str) -> Spoken | None:
    name = _between(text, "<command-name>", "</command-name>")
    if name is None:
        return None
    args = _between(text, "<command-args>", "</command-args>") or ""
    whole = f"{name.strip()} {args.strip()}".strip()
    return Spoken(whole if whole.startswith("/") else f"/{whole}", command=True)


def _between(text: str, opening: str, closing: str) -> str | None:
    """The text between two tags; found in one pass, however often the first one stands there."""
    start = text.find(opening)
    if start < 0:
        return None
    start += len(opening)
    end = text.find(closing, start)
    return text[start:end] if end >= 0 else None


class Prompts:
    """Gives each typed prompt the id that every family of sources gives it."""

    def __init__(self) -> None:
        self.typed = 0
        self._ordinals: dict[str, int] = {}

    def entry_id(self, line: Line, text: str) -> str:
        """The prompt's own id, else the hash of its text with its ordinal."""
        self.typed += 1
        prompt_id = text_of(line.promptId)
        if prompt_id and _version(line.version) >= _PROMPT_ID_VERSION:
            return prompt_id
        key = digest(text)
        self._ordinals[key] = self._ordinals.get(key, 0) + 1
        return f"prompt:{key}:{self._ordinals[key]}"


def _version(version: Any) -> tuple[int, ...]:
    if not isinstance(version, str):
        return (0,)
    parts = version[:_VERSION_MAX].split(".")
    return tuple(int(part) for part in parts if part.isascii() and part.isdigit())
