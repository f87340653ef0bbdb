"""Hook payloads of a made-up Claude Code session, one after another as a real one posts them.

Pure: no clock and no chance but what is given. The shapes are those of recorded payloads; every
word in them is made up. Each is stamped with the time of its event (``ts=<ns>``) where a board
shows it: in the title, and in what a person is asked.
"""

import random
import uuid
from collections.abc import Iterator
from typing import Any

Payload = dict[str, Any]

CALLS_PER_TURN = (3, 30)
FAILS_EVERY = 25
DELEGATES_EVERY = 40
OUTPUT_BYTES_MEDIAN, OUTPUT_BYTES_MAX = 600, 16_000
WORDS = ("parser", "reads", "each", "line", "until", "a", "test", "fails", "and", "then", "writes")
MODELS = ("claude-opus-4-1", "claude-sonnet-4-6", "claude-haiku-4-5")
TASKS = (
    "Fix the flaky login test", "Add paging to the list of orders", "Explain the slow import",
    "Move the settings into one file", "Write the release notes", "Find the leak in the worker",
)  # fmt: skip


class Script:
    """What one session does, for ever: turns of tool calls, of which some ask and some fail."""

    def __init__(self, seed: int, asks_every: int = 20) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - a load, not a secret
        self.session = str(uuid.UUID(int=self._chance.getrandbits(128), version=4))
        self.task = self._chance.choice(TASKS)
        self._project = f"/home/made-up/project-{seed % 17}"
        self._asks_every = asks_every
        self._made = 0
        self._stamp = ""
        self._coming = self._life()

    def next(self, now_ns: int) -> Payload:
        """The payload of what happens at this moment."""
        self._stamp = f"ts={now_ns}"
        return next(self._coming)

    def end(self, now_ns: int) -> Payload:
        """The last one: the session is closed."""
        self._stamp = f"ts={now_ns}"
        return self._payload("SessionEnd", reason="other")

    def _life(self) -> Iterator[Payload]:
        model = self._chance.choice(MODELS)
        yield self._payload("SessionStart", source="startup", model=model)
        while True:
            yield self._payload("UserPromptSubmit", prompt=self._text(200))
            for _ in range(self._chance.randint(*CALLS_PER_TURN)):
                yield from self._call()
            said = self._text(400)
            yield self._payload("Stop", stop_hook_active=False, last_assistant_message=said)

    def _call(self) -> Iterator[Payload]:
        self._made += 1
        if self._made % DELEGATES_EVERY == 0:
            yield from self._delegated()
        elif self._asks_every and self._made % self._asks_every == 0:
            yield from self._asked()
        else:
            tool, told = self._work()
            yield from self._started(tool, told)
            yield self._ended(tool, told)

    def _work(self) -> tuple[str, Payload]:
        path = f"{self._project}/src/module_{self._chance.randrange(40)}.py"
        return self._chance.choice(
            [
                ("Bash", {"command": f"make check {self._text(30)}", "description": "Run checks"}),
                ("Read", {"file_path": path}),
                ("Grep", {"pattern": self._chance.choice(WORDS), "path": self._project}),
                ("Edit", {"file_path": path, "old_string": "a = 1", "new_string": "a = 2"}),
                ("Write", {"file_path": path, "content": self._text(500)}),
            ]
        )

    def _asked(self) -> Iterator[Payload]:
        """A permission; what is asked is stamped, for it goes to every board at once."""
        told = {"command": "git push origin main"}
        yield from self._started("Bash", told)
        asked = {"command": f"{self._stamp} git push origin main"}
        yield self._payload(
            "PermissionRequest", tool_name="Bash", tool_input=asked, permission_suggestions=[]
        )  # fmt: skip
        yield self._ended("Bash", told)

    def _delegated(self) -> Iterator[Payload]:
        agent = f"a{self._made:016x}"
        told = {"agent_id": agent, "agent_type": "general-purpose"}
        yield self._payload("SubagentStart", **told)
        tool, work = self._work()
        yield self._payload(
            "PreToolUse", tool_name=tool, tool_input=work, tool_use_id=self._use_id(), **told
        )
        yield self._ended(tool, work, **told)
        yield self._payload("SubagentStop", stop_hook_active=False, **told)

    def _started(self, tool: str, told: Payload) -> Iterator[Payload]:
        yield self._payload(
            "PreToolUse", tool_name=tool, tool_input=told, tool_use_id=self._use_id()
        )

    def _ended(self, tool: str, told: Payload, **more: Any) -> Payload:
        about = {"tool_name": tool, "tool_input": told, "tool_use_id": self._use_id(), **more}
        if self._made % FAILS_EVERY == 0:
            said = self._text(120)
            return self._payload("PostToolUseFailure", error=said, is_interrupt=False, **about)
        size = int(self._chance.lognormvariate(0, 1.2) * OUTPUT_BYTES_MEDIAN)
        answer = {"stdout": self._text(min(size, OUTPUT_BYTES_MAX)), "stderr": ""}
        took_ms = self._chance.randrange(20, 4_000)
        return self._payload("PostToolUse", tool_response=answer, duration_ms=took_ms, **about)

    def _use_id(self) -> str:
        return f"toolu_{self.session[:8]}_{self._made}"

    def _text(self, length: int) -> str:
        start = self._chance.randrange(len(WORDS))
        words = " ".join(WORDS[start:] + WORDS[:start]) + " "
        return (words * (length // len(words) + 1))[:length]

    def _payload(self, event: str, **told: Any) -> Payload:
        folder = self._project.replace("/", "-")
        return {
            "session_id": self.session,
            "transcript_path": f"/home/made-up/.claude/projects/{folder}/{self.session}.jsonl",
            "cwd": self._project,
            "permission_mode": "default",
            "hook_event_name": event,
            "session_title": f"{self._stamp} {self.task}",
            **told,
        }
