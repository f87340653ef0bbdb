"""Texts that a timeline cuts: history is told them whole, within bounds, by every door."""

import json

import msgspec
import pytest

from ingest.adapters import claude_hooks, native
from ingest.adapters.claude_transcript import ClaudeTranscript
from ingest.adapters.texts import FULL_BYTES_MAX
from ingest.adapters.transcript import Part
from session import codec
from session.delta import ENTRY_TEXT_BYTES_MAX, Report

AT = "2026-11-20T10:00:00.000Z"


def read(*texts: str) -> Part:
    """A transcript in which the agent says these, each in a line; its last part."""
    parts: list[Part] = []
    transcript = ClaudeTranscript("s")
    for place, text in enumerate(texts):
        block = {"type": "text", "text": text}
        message = {"id": f"m{place}", "role": "assistant", "content": [block]}
        line = {"type": "assistant", "uuid": f"u{place}", "timestamp": AT, "message": message}
        parts += transcript.feed(json.dumps(line).encode() + b"\n")
    return parts[-1] if parts else transcript.take()


def test_a_long_message_is_told_whole_beside_its_entry() -> None:
    """The entry has the beginning and the full size; a short one needs nothing beside it."""
    long = "word " * 1_000
    part = read("short", long)
    assert part.texts == {"u1:0": long}
    [_, entry] = [each for each in part.entries if each.kind == "message"]
    assert (len(entry.text), entry.full_bytes) == (ENTRY_TEXT_BYTES_MAX, len(long))


def test_a_text_is_kept_up_to_64_kib() -> None:
    """In bytes, not in characters."""
    [text] = read("é" * FULL_BYTES_MAX).texts.values()
    assert len(text.encode()) == FULL_BYTES_MAX


@pytest.mark.parametrize("character", ["x", "続", "\x01"])
def test_a_report_stays_within_a_delta(character: str) -> None:
    """However many long texts one line has: those that have no room are cut like before."""
    blocks = [{"type": "text", "text": character * 100_000}] * 8
    message = {"id": "m", "role": "assistant", "content": blocks}
    line = {"type": "assistant", "uuid": "u", "timestamp": AT, "message": message}
    transcript = ClaudeTranscript("s")
    parts = transcript.feed(json.dumps(line).encode() + b"\n")
    [part] = parts or [transcript.take()]
    assert 0 < len(part.texts) < len(blocks)
    told = Report(
        id="r", session="s", received_at=1, entries=part.entries, values=part.values,
        texts=part.texts,
    )  # fmt: skip
    assert len(codec.pack(told)) < 256 * 1024


def test_a_long_prompt_of_a_hook_is_told_whole() -> None:
    """Its transcript may never come."""
    prompt = "do it " * 1_000
    body = json.dumps(
        {"session_id": "s", "hook_event_name": "UserPromptSubmit", "prompt": prompt}
    ).encode()
    event = claude_hooks.normalize(body, delta_id="d", received_at=1, workspace="default")
    assert event.fields["full_text"] == prompt
    assert len(event.fields["text"]) == ENTRY_TEXT_BYTES_MAX


def test_a_long_message_of_a_native_agent_is_told_whole() -> None:
    """The same for agents of one's own."""
    told = {"id": "1", "session": "s", "agent": "mine", "kind": "message", "text": "so " * 2_000}
    [event] = native.normalize(
        msgspec.json.encode(told), received_at=1, workspace="default", host=None, user=None
    )
    assert event.fields["full_text"] == told["text"]
