"""Short texts for people out of tool inputs and results, and digests that tell inputs apart.

Shared by every adapter, so that hooks and transcripts say the same of the same call.
"""

import hashlib
from typing import Any

import msgspec

from session.delta import cut_text

SUMMARY_BYTES_MAX = 1024
REQUEST_BYTES_MAX = 64 * 1024
RESULT_BYTES_MAX = 512
FULL_BYTES_MAX = 64 * 1024
"""Of a text that a timeline cuts, so much is kept in history."""

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


def digest(value: Any) -> str:
    """A short digest of any JSON value; equal values give equal digests."""
    data = value.encode() if isinstance(value, str) else _encode(value)
    return hashlib.blake2b(data, digest_size=8).hexdigest()


def summarize(tool: str, tool_input: Any) -> str:
    """What a call does, in one text of at most 1 KiB: the command, the file, the question."""
    if not isinstance(tool_input, dict):
        return cut_text(str(tool_input or ""), SUMMARY_BYTES_MAX)[0]
    if tool in ASKING_TOOLS and isinstance(tool_input.get("questions"), list):
        asked = [each.get("question") for each in tool_input["questions"] if type(each) is dict]
        return cut_text("\n".join(map(str, filter(None, asked))), SUMMARY_BYTES_MAX)[0]
    if isinstance(tool_input.get("todos"), list):
        return f"{len(tool_input['todos'])} objectives"
    for name in _TELLING:
        value = tool_input.get(name)
        if isinstance(value, str) and value:
            return cut_text(value, SUMMARY_BYTES_MAX)[0]
    return cut_text(_encode(tool_input).decode(), SUMMARY_BYTES_MAX)[0] if tool_input else ""


def request(tool_input: Any) -> tuple[dict[str, Any] | None, int | None]:
    """The full input of a request, or its cut JSON and full size if it is over 64 KiB."""
    if not isinstance(tool_input, dict):
        return None, None
    data = _encode(tool_input)
    if len(data) <= REQUEST_BYTES_MAX and _fits_the_log(tool_input):
        return tool_input, None
    return {"cut": data[:REQUEST_BYTES_MAX].decode("utf-8", "ignore")}, len(data)


def cut_fields(text: str) -> dict[str, Any]:
    """The fields of a text: as a timeline shows it and, where that is less, as history keeps it."""
    cut, full_bytes = cut_text(text)
    whole = None if full_bytes is None else cut_text(text, FULL_BYTES_MAX)[0]
    return {"text": cut, "full_bytes": full_bytes, "full_text": whole}


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


def short(text: str, limit: int = SHORT_BYTES_MAX) -> str:
    """A name or a title, cut where it is longer than any real one."""
    return cut_text(text, limit)[0]


def result_text(value: Any) -> str:
    """The beginning of a tool's result or error, as text."""
    if isinstance(value, list):
        value = "\n".join(
            each["text"] for each in value if type(each) is dict and type(each.get("text")) is str
        )
    if isinstance(value, dict):
        value = value.get("stderr") or value.get("stdout") or value.get("error") or ""
    return cut_text(value if isinstance(value, str) else "", RESULT_BYTES_MAX)[0]


def count(value: Any) -> int | None:
    """A whole number that is not negative, or None: agents send strings, floats and nulls."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value < COUNT_MAX else None


def text_of(value: Any) -> str | None:
    """A text that is not empty, or None."""
    return value if isinstance(value, str) and value else None
