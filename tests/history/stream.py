"""A made-up stream of deltas: hooks and transcripts of many sessions, which grow, fork and change.

The same seed gives the same stream. Deltas are really parsed by the adapters.
"""

import json
import random
from collections.abc import Iterator, Sequence

import msgspec

from ingest.adapters.claude_transcript import ClaudeTranscript
from session.delta import Delta, Report
from session.mark import Mark
from tests.session.made import (
    NOW,
    as_report,
    assistant,
    hook,
    prompt,
    result,
    tool_use,
    usage,
)

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
MODELS = ("claude-opus-4-6", "claude-sonnet-4-5", "made-up-model")


class Transcript:
    """One file as it grows, and its reader."""

    def __init__(self, session: str, source: str = "main") -> None:
        self.session = session
        self.source = source
        self.data = b""
        self.generation = 0
        self._parser = ClaudeTranscript(session, source)

    def write(self, lines: Sequence[bytes]) -> list[Report]:
        """What a reader reports once these lines are there."""
        fresh = b"".join(lines)
        self.data += fresh
        parts = self._parser.feed(fresh)
        if self._parser.pending():
            parts.append(self._parser.take())
        return [self._named(as_report(part, self.source, self.generation)) for part in parts]

    def replace(self, data: bytes, at: int) -> list[Report]:
        """The file became another one, and is read from its beginning."""
        self.generation, self.data = at, b""
        self._parser = ClaudeTranscript(self.session, self.source)
        return self.write([data])

    def _named(self, report: Report) -> Report:
        mark = Mark(
            path=f"/made-up/{self.session}/{self.source}.jsonl", session=self.session,
            source=self.source, offset=report.to, generation=report.generation, inode=1,
            last_at=report.at,
        )  # fmt: skip
        name = f"{self.session}:{report.id}"
        return msgspec.structs.replace(report, id=name, session=self.session, mark=mark)


class Agent:
    """One session: hooks while it works, its transcript, and perhaps a subagent's."""

    def __init__(self, name: str, chance: random.Random, parent: "Agent | None" = None) -> None:
        self.name = name
        self.at = NOW + chance.randrange(3 * 24) * HOUR_MS
        self.chance = chance
        self.main = Transcript(name)
        self.sub = Transcript(name, f"subagents/{name}-sub")
        self._count = 0
        self._begun: list[bytes] = []
        if parent is not None:
            self.at = parent.at + MINUTE_MS
            self._begun = _copied(parent.main.data, marked=chance.random() < 0.5)

    def work(self) -> Iterator[Delta]:
        """A bit of a turn: some hooks, then what the transcript tells of it."""
        self.at += self.chance.randrange(1, 20) * MINUTE_MS
        self._count += 1
        name, call = f"{self.name}-{self._count}", f"{self.name}-t{self._count}"
        text = f"please do {name}, and mind \u00fc, \u4f60 and \U0001f600"
        yield self._hook("UserPromptSubmit", prompt=text)
        yield self._hook("PreToolUse", tool="Bash", call=call)
        lines = [*self._begun, prompt(text, self.at), *self._message(f"m-{name}", call)]
        self._begun = []
        if self.chance.random() < 0.5:
            yield from self.main.write(lines)
            lines = []
        yield self._hook("PostToolUse", tool="Bash", call=call, tool_response={"ok": 1})
        lines.append(result(call, self.at, error=self.chance.random() < 0.2))
        if self.chance.random() < 0.4:
            yield self._hook("Notification", message="waits", notification_type="idle_prompt")
        yield from self.main.write([*lines, *self._message(f"n-{name}")])
        if self.chance.random() < 0.3:
            yield from self.sub.write([prompt("go", self.at), *self._message(f"s-{name}")])
        if self.chance.random() < 0.05:
            end = self.main.data.rfind(b"\n", 0, len(self.main.data) // 2) + 1
            yield from self.main.replace(self.main.data[:end], self.at)
        yield self._hook("Stop")

    def _hook(self, name: str, **fields: object) -> Delta:
        self.at += 10
        event = hook(name, at=self.at, session=self.name, **fields)
        self._count += 1
        return msgspec.structs.replace(event, id=f"{self.name}:h{self._count}")

    def _message(self, message_id: str, call: str = "") -> list[bytes]:
        """An answer as it is written: twice, and the second time whole."""
        model = self.chance.choice(MODELS)
        blocks = [tool_use(call)] if call else []
        tokens = self.chance.randrange(5, 900)
        told = {"cache_read_input_tokens": tokens * 7, "cache_creation_input_tokens": tokens}
        return [
            assistant(message_id, *blocks, at=self.at, model=model, usage=usage(output, **told))
            for output in (1, tokens)
        ]


def _copied(data: bytes, *, marked: bool) -> list[bytes]:
    """A parent's lines as a fork carries them; older agents do not mark them."""
    lines = [json.loads(line) for line in data.split(b"\n") if line]
    for line in lines:
        if marked:
            line["forkedFrom"] = {"sessionId": "parent", "messageUuid": "u"}
    return [json.dumps(line).encode() + b"\n" for line in lines]


def stream(seed: int, count: int, sessions: int = 24) -> list[Delta]:
    """At least so many deltas of so many sessions, as they come in."""
    chance = random.Random(seed)
    agents: list[Agent] = []
    told: list[Delta] = []
    while len(told) < count:
        if len(agents) < sessions and chance.random() < 0.3:
            parent = chance.choice(agents) if agents and chance.random() < 0.4 else None
            agents.append(Agent(f"a{len(agents)}", chance, parent))
        if agents:
            told += chance.choice(agents).work()
    return told
