"""Made-up hook payloads, transcript lines and the deltas they become, for every test here.

Deltas are really parsed by the adapters and have been through the codec, as on the log.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import count, pairwise
from typing import Any

import msgspec

from ingest.adapters import native as native_events
from ingest.adapters import otlp
from ingest.adapters.claude_hooks import normalize
from ingest.adapters.claude_transcript import ClaudeTranscript
from ingest.adapters.transcript import Part
from session import codec
from session.changes import Changes
from session.delta import Delta, Event, Report, Time
from session.fold import fold, new_session
from session.state import Session
from session.timeline import Timeline

NOW = 1_790_000_000_000
OPUS = "claude-opus-4-6"
_ids = count(1)
MEMORY_OF_THE_LOG = ("number", "cursor_number", "removed_number", "timeline")


def hook(name: str, at: int = NOW, number: int = 0, session: str = "s", **fields: Any) -> Event:
    """The event that a hook payload becomes; ``call`` is short for a tool call's fields."""
    if "call" in fields:
        fields["tool_use_id"] = fields.pop("call")
    if "tool" in fields:
        fields["tool_name"] = fields.pop("tool")
        fields.setdefault("tool_input", {"command": "make"})
    body = json.dumps({"session_id": session, "hook_event_name": name, **fields}).encode()
    event = normalize(body, delta_id=f"e{next(_ids)}", received_at=at, workspace="default")
    return msgspec.structs.replace(event, number=number)


def native(kind: str, at: int = NOW, session: str = "s", **fields: Any) -> Event:
    """The event that a native one becomes."""
    told = {"id": f"n{next(_ids)}", "session": session, "agent": "mine", "kind": kind, **fields}
    (event,) = native_events.normalize(json.dumps(told).encode(), received_at=at)
    return event


def attributes(told: dict[str, Any]) -> list[dict[str, Any]]:
    """Attributes as OTLP writes them in JSON: whole numbers as text."""
    kinds = {str: "stringValue", bool: "boolValue", int: "intValue", float: "doubleValue"}
    plain = {key: str(value) if type(value) is int else value for key, value in told.items()}
    return [{"key": key, "value": {kinds[type(told[key])]: plain[key]}} for key in told]


def log(name: str, at: int = NOW, session: str = "s", **told: Any) -> Event:
    """The event that a log record becomes; ``__`` in a name stands for a dot."""
    named = {key.replace("__", "."): value for key, value in told.items()}
    record = {
        "timeUnixNano": str(at * 1_000_000),
        "body": {"stringValue": name},
        "attributes": attributes({"session.id": session, "event.sequence": next(_ids), **named}),
    }
    body = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}
    (event,) = otlp.logs(json.dumps(body).encode(), otlp.JSON, received_at=at, workspace="default")[
        0
    ]
    return event


def metric(
    name: str, value: float, at: int = NOW, *, start: int = 0, cumulative: bool = False,
    session: str = "s", **told: Any,
) -> Event:  # fmt: skip
    """The event that a point of a sum becomes."""
    point = {
        "startTimeUnixNano": str(start * 1_000_000), "timeUnixNano": str(at * 1_000_000),
        "asDouble": value, "attributes": attributes({"session.id": session, **told}),
    }  # fmt: skip
    series = {"aggregationTemporality": 2 if cumulative else 1, "dataPoints": [point]}
    group = {"scopeMetrics": [{"metrics": [{"name": name, "sum": series}]}]}
    body = json.dumps({"resourceMetrics": [group]}).encode()
    (event,) = otlp.metrics(body, otlp.JSON, received_at=at, workspace="default")[0]
    return event


def clock(at: int) -> str:
    """A time as transcripts write it."""
    stamp = datetime.fromtimestamp(at / 1000, UTC)
    return stamp.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def line(kind: str, at: int | None = NOW, **keys: Any) -> bytes:
    """One transcript line."""
    if at is not None:
        keys["timestamp"] = clock(at)
    return json.dumps({"type": kind, **keys}).encode() + b"\n"


def usage(output: int = 10, **more: int) -> dict[str, Any]:
    """A usage block: 100 tokens in, ``output`` out."""
    return {"input_tokens": 100, "output_tokens": output, **more}


def assistant(message_id: str, *blocks: dict[str, Any], at: int | None = NOW, **more: Any) -> bytes:
    """An assistant line; ``model``, ``usage`` and ``stop_reason`` belong to its message."""
    message = {"id": message_id, "role": "assistant", "model": OPUS, "usage": usage()}
    for name in ("model", "usage", "stop_reason"):
        if name in more:
            message[name] = more.pop(name)
    content = list(blocks) or [{"type": "text", "text": "done"}]
    return line("assistant", at, message={**message, "content": content}, **more)


def tool_use(call: str, tool: str = "Bash", **tool_input: Any) -> dict[str, Any]:
    """A tool call, as a block."""
    asked = tool_input or {"command": "make"}
    return {"type": "tool_use", "id": call, "name": tool, "input": asked}


def prompt(text: str, at: int | None = NOW, **keys: Any) -> bytes:
    """A line that a person typed."""
    return line("user", at, message={"role": "user", "content": text}, **keys)


def result(call: str, at: int | None = NOW, *, error: bool = False, **keys: Any) -> bytes:
    """The line that ends a tool call."""
    block = {"type": "tool_result", "tool_use_id": call, "content": "ok", "is_error": error}
    return line("user", at, message={"role": "user", "content": [block]}, **keys)


def interrupt(at: int | None = NOW) -> bytes:
    """Esc, as the transcript keeps it."""
    block = {"type": "text", "text": "[Request interrupted by user]"}
    return line("user", at, message={"role": "user", "content": [block]})


def as_report(part: Part, source: str, generation: int = 0, **more: Any) -> Report:
    """A reader's report of one part, after its way through the log."""
    report = Report(
        id=f"{source}:{generation}:{part.end}", session="s", source=source, at=part.at,
        received_at=NOW, generation=generation, from_=part.start, to=part.end,
        values=part.values, entries=part.entries, usage=part.usage,
    )  # fmt: skip
    unpacked = codec.unpack(codec.pack(msgspec.structs.replace(report, **more)))
    assert isinstance(unpacked, Report)
    return unpacked


def reports(
    data: bytes, source: str = "main", cuts: Iterable[int] = (), generation: int = 0,
    now: int | None = None, **more: Any,
) -> list[Report]:  # fmt: skip
    """What a reader reports of a file that it reads in pieces ending at ``cuts``."""
    transcript = ClaudeTranscript("s", source)
    told = []
    for start, end in pairwise(sorted({0, *cuts, len(data)})):
        for part in transcript.feed(data[start:end]):
            told.append(as_report(part, source, generation, **more))
        if transcript.pending():
            told.append(as_report(transcript.take(now), source, generation, **more))
    return told


def union(parts: Iterable[Changes]) -> Changes:
    """Many conflated into one, in their order."""
    whole = Changes()
    for part in parts:
        whole.merge(part)
    return whole


def numbered(deltas: Iterable[Delta]) -> list[Delta]:
    """The deltas with the log's numbers."""
    return [codec.numbered(delta, number) for number, delta in enumerate(deltas, 1)]


def time(kind: str, heard_at: int | None, at: int) -> Time:
    """What the leader's timer appends."""
    return Time(id=kind, session="s", received_at=at, kind=kind, fields={"heard_at": heard_at})


def folded(deltas: Sequence[Delta], into: Session | None = None) -> Session:
    """A session after these deltas, which get numbers if they have none."""
    session = into or (new_session(deltas[0]) if deltas else Session(id="s", workspace="default"))
    for delta in deltas:
        unnumbered = not delta.number
        fold(session, codec.numbered(delta, session.number + 1) if unnumbered else delta)
    return session


def after(*deltas: Delta) -> Session:
    """A session after these deltas."""
    return folded(deltas)


def refold(session: Session, deltas: Iterable[Delta]) -> Changes:
    """Everything that changed while folding more deltas under fresh numbers."""
    parts = [fold(session, codec.numbered(each, session.number + 1)) for each in deltas]
    return union(parts)


def image(session: Session, *, log: bool = True) -> Any:
    """All of a session as plain data, without the log's numbers if ``log`` is false."""

    def plain(value: Any) -> Any:
        assert isinstance(value, Timeline)
        return [msgspec.to_builtins(entry) for entry in value]

    names = [name for name in session.__struct_fields__ if log or name not in MEMORY_OF_THE_LOG]
    whole = {name: getattr(session, name) for name in names}
    return msgspec.msgpack.decode(
        msgspec.msgpack.encode(whole, enc_hook=plain), strict=False, type=dict[str, Any]
    ) | {"minutes": dict(session.minutes)}
