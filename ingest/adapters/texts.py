"""Short texts for people out of tool inputs and results, and digests that tell inputs apart.

Shared by every adapter, so that hooks and transcripts say the same of the same call. Texts are cut
here and nowhere else in an adapter: what is about to be cut is cleaned of secrets first.
"""

import contextlib
import hashlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any, Protocol

import msgspec

from session.delta import ENTRY_TEXT_BYTES_MAX, cut_text

SUMMARY_BYTES_MAX = 1024
REQUEST_BYTES_MAX = 64 * 1024
RESULT_BYTES_MAX = 512
FULL_BYTES_MAX = 64 * 1024
"""Of a text that a timeline cuts, so much is kept in history."""

MARGIN_CHARS = 256
"""So much behind a cut is looked at: a secret that begins before it is seen there."""

SHORT_BYTES_MAX = 200
COUNT_MAX = 2**53

ASKING_TOOLS = {
    "AskUserQuestion": "question", "ExitPlanMode": "plan", "request_user_input": "question",
}  # fmt: skip
SUBAGENT_TOOLS = frozenset({"Agent", "Task"})
_TELLING = (
    "command", "cmd", "file_path", "notebook_path", "pattern", "query", "url", "path",
    "description", "prompt", "message", "subject", "skill", "taskId", "plan",
)  # fmt: skip

_encode = msgspec.json.Encoder(order="sorted").encode


class Cleaner(Protocol):
    """What takes secrets out."""

    def text(self, text: str) -> str:
        """A text without its secrets."""
        ...

    def value(self, value: Any) -> Any:
        """Any JSON value without its secrets."""
        ...


class _Trusting:
    """Takes nothing out, for whoever keeps to himself what he reads."""

    def text(self, text: str) -> str:
        return text

    def value(self, value: Any) -> Any:
        return value


_cleaner: ContextVar[Cleaner] = ContextVar("cleaner", default=_Trusting())  # noqa: B039 - it has no state


@contextlib.contextmanager
def cleaned_by(cleaner: Cleaner) -> Iterator[None]:
    """What is cut in this context is cleaned first. A text that is not cut is left for later."""
    before = _cleaner.set(cleaner)
    try:
        yield
    finally:
        _cleaner.reset(before)


def cut(text: str, limit: int = ENTRY_TEXT_BYTES_MAX) -> tuple[str, int | None]:
    """As ``cut_text``, but of a secret that the cut goes through not even half is left."""
    short, full_bytes = cut_text(text, limit)
    if full_bytes is None:
        return text, None
    cleaned = _cleaner.get().text(text[: limit + MARGIN_CHARS])
    return short if text.startswith(cleaned) else cut_text(cleaned, limit)[0], full_bytes


def digest(value: Any) -> str:
    """A short digest of any JSON value; equal values give equal digests."""
    data = value.encode() if isinstance(value, str) else _encode(value)
    return hashlib.blake2b(data, digest_size=8).hexdigest()


def summarize(tool: str, tool_input: Any) -> str:
    """What a call does, in one text of at most 1 KiB: the command, the file, the question."""
    if not isinstance(tool_input, dict):
        return cut(str(tool_input or ""), SUMMARY_BYTES_MAX)[0]
    if tool in ASKING_TOOLS and isinstance(tool_input.get("questions"), list):
        asked = [each.get("question") for each in tool_input["questions"] if type(each) is dict]
        return cut("\n".join(map(str, filter(None, asked))), SUMMARY_BYTES_MAX)[0]
    if isinstance(tool_input.get("todos"), list):
        return f"{len(tool_input['todos'])} objectives"
    for name in _TELLING:
        value = tool_input.get(name)
        if isinstance(value, str) and value:
            return cut(value, SUMMARY_BYTES_MAX)[0]
    return cut(_json(tool_input), SUMMARY_BYTES_MAX)[0] if tool_input else ""


def request(tool_input: Any) -> tuple[dict[str, Any] | None, int | None]:
    """The full input of a request, or its cut JSON and full size if it is over 64 KiB."""
    if not isinstance(tool_input, dict):
        return None, None
    data = _encode(tool_input)
    if len(data) <= REQUEST_BYTES_MAX and _fits_the_log(tool_input):
        return tool_input, None
    return {"cut": cut(_json(tool_input), REQUEST_BYTES_MAX)[0]}, len(data)


def cut_fields(text: str) -> dict[str, Any]:
    """The fields of a text: as a timeline shows it and, where that is less, as history keeps it."""
    shown, full_bytes, whole = cut_twice(text)
    return {"text": shown, "full_bytes": full_bytes, "full_text": whole}


def cut_twice(text: str) -> tuple[str, int | None, str | None]:
    """A text as a timeline shows it, its whole size, and it as history keeps it.

    The last two are None where nothing is cut.
    """
    shown, full_bytes = cut_text(text)
    if full_bytes is None:
        return text, None, None
    cleaned = _cleaner.get().text(text[: FULL_BYTES_MAX + MARGIN_CHARS])
    whole = cut_text(cleaned, FULL_BYTES_MAX)[0]
    return shown if text.startswith(cleaned) else cut_text(cleaned)[0], full_bytes, whole


def _json(value: Any) -> str:
    """A value as JSON text. Cleaned before: there a name still tells what stands under it."""
    return _encode(_cleaner.get().value(value)).decode()


def _fits_the_log(value: Any) -> bool:
    """Numbers of more than 64 bits are JSON, but no msgpack."""
    try:
        msgspec.msgpack.encode(value)
    except OverflowError:
        return False
    return True


def size_of(value: Any) -> int:
    """About how many bytes a JSON value takes."""
    return len(_encode(value))


def bytes_of(text: str) -> int:
    """How many bytes a text takes."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


def short(text: str, limit: int = SHORT_BYTES_MAX) -> str:
    """A name or a title, cut where it is longer than any real one."""
    return cut(text, limit)[0]


def named(name: str) -> str:
    """What an agent calls something, or its digest where that is longer than any real name."""
    return name if len(name) <= SHORT_BYTES_MAX else digest(name)


def result_text(value: Any) -> str:
    """The beginning of a tool's result or error, as text."""
    if isinstance(value, list):
        value = "\n".join(
            each["text"] for each in value if type(each) is dict and type(each.get("text")) is str
        )
    if isinstance(value, dict):
        value = value.get("stderr") or value.get("stdout") or value.get("error") or ""
    return cut(value if isinstance(value, str) else "", RESULT_BYTES_MAX)[0]


def count(value: Any) -> int | None:
    """A whole number that is not negative, or None: agents send strings, floats and nulls."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value < COUNT_MAX else None


def text_of(value: Any) -> str | None:
    """A text that is not empty, or None."""
    return value if isinstance(value, str) and value else None
