"""Made-up rollouts of Codex, line by line, for every test of its adapter."""

import json
from datetime import UTC, datetime
from typing import Any

from ingest.adapters.codex import CodexRollout
from ingest.adapters.transcript import Part
from session.delta import Entry

NOW = 1_790_000_000_000
MODEL = "gpt-5-codex"


def uuid7(at: int, number: int = 0) -> str:
    """A UUID of version 7 that was made at a time in ms."""
    told = f"{at:012x}"
    return f"{told[:8]}-{told[8:]}-7000-8000-{number:012x}"


OWN = uuid7(NOW)


def line(kind: str, payload: dict[str, Any], at: int = NOW) -> bytes:
    """One line with its newline."""
    timestamp = datetime.fromtimestamp(at / 1000, UTC).isoformat()
    return json.dumps({"timestamp": timestamp, "type": kind, "payload": payload}).encode() + b"\n"


def meta(thread_id: str = OWN, at: int = NOW, **more: Any) -> bytes:
    """A line that introduces a thread."""
    return line("session_meta", {"id": thread_id, "cwd": "/code/app", **more}, at)


def context(at: int = NOW, model: str = MODEL, **more: Any) -> bytes:
    """The context of a turn."""
    return line("turn_context", {"model": model, "cwd": "/code/app", **more}, at)


def event(kind: str, at: int = NOW, **more: Any) -> bytes:
    """A line of what happened."""
    return line("event_msg", {"type": kind, **more}, at)


def item(kind: str, at: int = NOW, **more: Any) -> bytes:
    """A line of what the model got or gave."""
    return line("response_item", {"type": kind, **more}, at)


def said(role: str, text: str, at: int = NOW, **more: Any) -> bytes:
    """A message."""
    return item("message", at, role=role, content=[{"type": "input_text", "text": text}], **more)


def counted(whole: int, cached: int, output: int) -> dict[str, int]:
    """Counts as Codex writes them."""
    return {"input_tokens": whole, "cached_input_tokens": cached, "output_tokens": output,
            "reasoning_output_tokens": output // 2, "total_tokens": whole + output}  # fmt: skip


def tokens(
    total: tuple[int, int, int], last: tuple[int, int, int] | None = None, at: int = NOW
) -> bytes:
    """A cumulative total and the last call: input with cached, cached, output."""
    info = {"total_token_usage": counted(*total), "last_token_usage": counted(*(last or total))}
    return event("token_count", at, info=info, rate_limits=None)


def call(call_id: str, name: str = "exec_command", at: int = NOW, **arguments: Any) -> bytes:
    """A tool call."""
    told = json.dumps(arguments)
    return item("function_call", at, name=name, call_id=call_id, arguments=told)


def output(call_id: str, told: Any = "ok", at: int = NOW) -> bytes:
    """What the model was given for it."""
    return item("function_call_output", at, call_id=call_id, output=told)


class Read:
    """A rollout that was read whole."""

    def __init__(self, *lines: bytes, session: str = OWN) -> None:
        self.transcript = CodexRollout(session)
        self.parts: list[Part] = self.transcript.feed(b"".join(lines))
        if self.transcript.pending():
            self.parts.append(self.transcript.take())
        self.values = self.transcript.rollout.values
        self.usage = [row for part in self.parts for row in part.usage]

    @property
    def total(self) -> tuple[int, int, int]:
        """Input without cached, cached and output of all calls that are its own."""
        calls = self.transcript.rollout.ledger.calls.values()
        told = (sum(each[name] for each in calls) for name in ("input", "cache_read", "output"))
        whole, cached, put = told
        return whole, cached, put

    @property
    def status(self) -> str:
        """What the agent does, by the last signal."""
        return str(self.values["signal"]["status"])

    def entries(self, kind: str) -> list[Entry]:
        """Timeline entries of one kind."""
        return [each for part in self.parts for each in part.entries if each.kind == kind]

    def texts(self, kind: str) -> list[str]:
        """Their texts."""
        return [each.text for each in self.entries(kind)]


def last_total(data: bytes) -> tuple[int, int, int]:
    """The last cumulative figure that a rollout writes, read as plainly as can be."""
    told = (0, 0, 0)
    for each in data.splitlines():
        info = json.loads(each)["payload"].get("info")
        if info:
            use = info["total_token_usage"]
            cached = use["cached_input_tokens"]
            told = (use["input_tokens"] - cached, cached, use["output_tokens"])
    return told
