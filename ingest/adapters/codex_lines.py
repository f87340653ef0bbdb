"""One line of a Codex rollout as typed data; everything that is not needed stays unread.

The format is internal to the agent and changes: unknown types and keys are passed over.
Called by the rollout adapter.
"""

from typing import Any

import msgspec
from msgspec import Raw, Struct

from ingest.adapters import jsontext

_RESULT_BYTES_MAX = 256 * 1024


class Line(Struct):
    """A line's envelope."""

    type: Any = None
    timestamp: Any = None
    payload: Raw = Raw(b"null")


class Payload(Struct):
    """The keys of all payloads that mean something; shapes are checked where they are used."""

    type: Any = None
    id: Any = None
    timestamp: Any = None
    cwd: Any = None
    git: Any = None
    forked_from_id: Any = None
    source: Any = None
    turn_id: Any = None
    model: Any = None
    thread_settings: Any = None
    thread_name: Any = None
    role: Any = None
    phase: Any = None
    content: Raw = Raw(b"null")
    message: Any = None
    images: Any = None
    kind: Any = None
    name: Any = None
    call_id: Any = None
    arguments: Any = None
    input: Any = None
    action: Any = None
    info: Any = None
    reason: Any = None
    error: Any = None
    exit_code: Any = None
    success: Any = None
    status: Any = None
    duration: Any = None
    stdout: Any = None
    stderr: Any = None
    aggregated_output: Any = None
    output: Raw = Raw(b"null")
    result: Raw = Raw(b"null")


_line = msgspec.json.Decoder(Line)
_payload = msgspec.json.Decoder(Payload)


def read_line(data: bytes) -> Line:
    """Decode one line's envelope; raises InvalidPayload."""
    return jsontext.decode_as(_line, data)


def read_payload(line: Line) -> Payload:
    """Decode a line's payload; raises InvalidPayload."""
    return jsontext.decode_as(_payload, bytes(line.payload))


def read_raw(raw: Raw) -> Any:
    """Decode a part unless it is huge (images); None where it is. Raises InvalidPayload."""
    data = bytes(raw)
    return None if len(data) > _RESULT_BYTES_MAX else jsontext.decode(data)
