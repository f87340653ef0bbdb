"""One line of a Claude Code transcript as typed data; everything that is not needed stays raw.

The format is internal to the agent and changes: unknown types and keys are passed over.
Called by the transcript adapter.
"""

from typing import Any

import msgspec
from msgspec import Raw, Struct

from ingest.adapters import jsontext
from ingest.errors import InvalidPayload

RESULT_BYTES_MAX = 256 * 1024


class Line(Struct):
    """The keys of a line that mean something; shapes are checked where they are used."""

    type: Any = None
    subtype: Any = None
    uuid: Any = None
    timestamp: Any = None
    version: Any = None
    cwd: Any = None
    gitBranch: Any = None
    isSidechain: Any = None
    isMeta: Any = None
    isCompactSummary: Any = None
    isVisibleInTranscriptOnly: Any = None
    isApiErrorMessage: Any = None
    forkedFrom: Any = None
    promptId: Any = None
    promptSource: Any = None
    origin: Any = None
    summary: Any = None
    aiTitle: Any = None
    customTitle: Any = None
    agentName: Any = None
    compactMetadata: Any = None
    retryAttempt: Any = None
    maxRetries: Any = None
    requestId: Any = None
    error: Any = None
    message: Raw = Raw(b"null")
    toolUseResult: Raw = Raw(b"null")


class Block(Struct):
    """One block of a message's content."""

    type: Any = None
    text: Any = None
    id: Any = None
    name: Any = None
    input: Any = None
    tool_use_id: Any = None
    is_error: Any = None
    content: Raw = Raw(b"null")


class CacheCreation(Struct):
    """Cache writes by how long they are kept."""

    ephemeral_1h_input_tokens: int | None = None


class UsageLine(Struct):
    """The usage of an API response as far as it has been written."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation: CacheCreation | None = None


class Message(Struct):
    """The message of an assistant or user line."""

    id: Any = None
    model: Any = None
    stop_reason: Any = None
    usage: UsageLine | None = None
    content: Raw = Raw(b"null")


_line = msgspec.json.Decoder(Line)
_message = msgspec.json.Decoder(Message)
_content: msgspec.json.Decoder[str | list[Block]] = msgspec.json.Decoder(str | list[Block])


def read_line(data: bytes) -> Line:
    """Decode one line; raises InvalidPayload."""
    return jsontext.decode_as(_line, data)


def read_message(line: Line) -> Message | None:
    """The line's message, or None if it has none of the known shape."""
    try:
        return _message.decode(line.message)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def read_content(message: Message) -> str | list[Block]:
    """The message's text or blocks; empty if it has neither."""
    try:
        return _content.decode(message.content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return []


def read_raw(raw: Raw) -> Any:
    """Decode a raw part unless it is huge (images); None if it cannot be read."""
    data = bytes(raw)
    if len(data) > RESULT_BYTES_MAX:
        return None
    try:
        return jsontext.decode(data)
    except InvalidPayload:
        return None
