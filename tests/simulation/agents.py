"""Agents of a simulated world: what their hooks and transcripts tell, in any order.

Each goes through turns, calls, questions and subagents, and its reader through files that grow or
become others. Knows nothing of the log.
"""

from random import Random
from typing import Any

import msgspec

from session.delta import Delta, Entry, EntryKind
from session.persons import PERSON
from tests.hub.made import bucket, event, past, permission, report, silence

TOOLS = ("Bash", "Read", "Edit")
MODELS = ("opus", "sonnet", "made-up")
HELPERS = ("h1", "h2", "h3")
TEXT_MAX = 900
MINUTE_MS = 60_000
WORDS = {
    "start": 2, "prompt": 4, "stop": 4, "call": 10, "result": 8, "ask": 5, "fail": 1, "end": 1,
    "helper": 3, "elicit": 2, "idle": 1, "plan": 3, "told": 12, "again": 1, "file": 1, "hole": 1,
    "helper_told": 2, "question": 2, "fell_silent": 1, "named": 1, "person": 3,
}  # fmt: skip


class Agent:
    """One session's agent and its reader."""

    def __init__(self, session: str, workspace: str, random: Random) -> None:
        self.key = (workspace, session)
        self.session = session
        self._random = random
        self._said = 0
        self._calls: list[str] = []
        self._questions: list[str] = []
        self._offset = 0
        self._generation = 0
        self._output = 0
        self._last: Delta | None = None

    def speak(self, now_ms: int, heard_at: int | None) -> Delta:
        """The next thing it says; ``heard_at`` is when it was heard last."""
        self._said += 1
        word = self._random.choices(list(WORDS), list(WORDS.values()))[0]
        told: Delta
        if word == "fell_silent":
            kind = self._random.choice(("stale", "past"))
            told = silence(kind, self.session, heard_at or now_ms)
            told = msgspec.structs.replace(told, id=f"{told.id}:{self._said}")
        elif word == "again" and self._last is not None:
            told = self._last
        else:
            at = now_ms - self._random.choice((0, 0, 0, 5, 3_000))
            told = getattr(self, f"_{word}", self._told)(at)
        self._last = msgspec.structs.replace(told, workspace=self.key[0])
        return self._last

    def flood(self, now_ms: int) -> Delta:
        """So much text at once that the ring cannot hold it."""
        self._said += 1
        told = self._report(now_ms, self._entries(now_ms, 40, TEXT_MAX))
        self._last = msgspec.structs.replace(told, workspace=self.key[0])
        return self._last

    def _event(self, kind: str, at: int, **fields: Any) -> Delta:
        return event(kind, self.session, at, id=f"{self.session}.{self._said}", **fields)

    def _text(self, most: int = TEXT_MAX) -> str:
        return f"{self._said} 🚀 " + "x" * self._random.randrange(most)

    def _maybe(self, *values: str) -> dict[str, Any]:
        """Something of a subagent, at times."""
        return {"agent_id": self._random.choice(values)} if self._random.random() < 0.2 else {}

    # Hooks.

    def _start(self, at: int) -> Delta:
        trigger = self._random.choice(("startup", "resume", "compact"))
        return self._event("session_start", at, trigger=trigger, model="opus", cwd="/home/ada/a")

    def _prompt(self, at: int) -> Delta:
        return self._event("prompt", at, text=self._text(200), hash=f"p{self._random.randrange(4)}")

    def _stop(self, at: int) -> Delta:
        self._calls = []
        return self._event("stop", at, background_tasks=self._random.choice((0, 0, 1)))

    def _fail(self, at: int) -> Delta:
        return self._event("stop_failure", at, text=self._text(300))

    def _end(self, at: int) -> Delta:
        return self._event("session_end", at, reason="exit")

    def _idle(self, at: int) -> Delta:
        return self._event("notification", at, notification="idle_prompt")

    def _named(self, at: int) -> Delta:
        return self._event("cwd", at, cwd=f"/home/ada/{self._said % 3}", title=f"t{self._said % 3}")

    def _call(self, at: int) -> Delta:
        call = f"{self.session}-c{self._said}"
        self._calls.append(call)
        asks = {"asks": "question"} if self._random.random() < 0.1 else {}
        fields = {"input_hash": "h", "summary": self._text(100), **asks, **self._maybe(*HELPERS)}
        return self._event("tool_start", at, call=call, tool=self._tool(call), **fields)

    def _result(self, at: int) -> Delta:
        if not self._calls:
            return self._call(at)
        call = self._calls.pop(self._random.randrange(len(self._calls)))
        kind = self._random.choice(("tool_end", "tool_end", "tool_end", "permission_denied"))
        status = self._random.choice(("ok", "ok", "error"))
        fields = {"duration_ms": 7, "text": self._text(400), **self._maybe(*HELPERS)}
        return self._event(kind, at, call=call, tool=self._tool(call), status=status, **fields)

    def _ask(self, at: int) -> Delta:
        call = self._random.choice([*self._calls[-2:], ""])
        told = {"id": f"{self.session}.{self._said}", "summary": self._text(300)}
        fields = {"tool": self._tool(call), "call": call or f"{self.session}-c{self._said}"}
        return permission(self.session, at=at, **told, **fields, **self._maybe(*HELPERS))

    def _tool(self, call: str) -> str:
        return TOOLS[len(call) % len(TOOLS)]

    def _elicit(self, at: int) -> Delta:
        kind = self._random.choice(("elicitation", "elicitation_result"))
        return self._event(kind, at, elicitation_id="1", summary="which?", outcome="accepted")

    def _helper(self, at: int) -> Delta:
        kind = self._random.choice(("subagent_start", "subagent_stop"))
        helper = self._random.choice(HELPERS)
        return self._event(kind, at, agent_id=helper, agent_type="Explore")

    def _plan(self, at: int) -> Delta:
        whole = self._random.random() < 0.2
        return self._event("task", at, objectives=self._objectives(at), whole=whole)

    def _objectives(self, at: int) -> dict[str, Any]:
        ids = self._random.sample(range(5), 2)
        status = self._random.choice(("pending", "completed"))
        gone = self._random.random() < 0.3
        return {str(each): None if gone else _objective(status, at) for each in ids}

    # The person who watches it.

    def _person(self, at: int) -> Delta:
        kind = self._random.choice(("end", "delete", "delete", "archive", "patch"))
        asked = {"archived": bool(self._said % 2), "title": f"p{self._said % 2}", "budget_usd": 2}
        return msgspec.structs.replace(self._event(kind, at, **asked), source=PERSON)

    # Transcripts.

    def _told(self, at: int) -> Delta:
        return self._report(at, self._entries(at, self._random.randrange(4), TEXT_MAX))

    def _entries(self, at: int, count: int, text_max: int) -> list[Entry]:
        """``count`` lines, the first of them at the next offset."""
        kinds: tuple[EntryKind, ...] = ("message", "tool", "error", "tokens")
        return [
            Entry(
                id=f"{self._generation}.{offset}", kind=self._random.choice(kinds), at=at,
                offset=offset, text=self._text(text_max),
            )
            for offset in range(self._offset + 1, self._offset + 1 + count)
        ]  # fmt: skip

    def _report(self, at: int, entries: list[Entry], from_: int | None = None) -> Delta:
        from_ = self._offset if from_ is None else from_
        self._offset = to = max(self._offset, from_) + len(entries) + 1
        values = self._values(at)
        return report(
            self.session, to=to, from_=from_, at=at, generation=self._generation,
            entries=entries, **values,
        )  # fmt: skip

    def _hole(self, at: int) -> Delta:
        """A part of the file never came."""
        self._offset += 3
        return self._report(at, self._entries(at, 1, 50), from_=self._offset)

    def _file(self, at: int) -> Delta:
        """The file became another one: whatever it does not say anew is taken back."""
        self._generation += 1
        self._offset = 0
        return self._told(at)

    def _values(self, at: int) -> dict[str, Any]:
        """Some of what a reader may tell."""
        self._output += self._random.randrange(50)
        told = {
            "calls": {self._random.choice(MODELS): _calls(self._output)},
            "tools": {
                self._random.choice(TOOLS): {"calls": self._said, "errors": 1, "total_ms": 5}
            },
            "buckets": {str(at // MINUTE_MS * MINUTE_MS): bucket(self._output)},
            "objectives": self._objectives(at),
            "titles": {self._random.choice(("custom", "ai")): f"title {self._said % 5}"},
            "messages": self._said,
            "context_tokens": self._output,
            "signal": {"status": self._random.choice(("running", "idle", "failed")), "at": at},
            "started_at": at,
            "model": self._random.choice(MODELS),
            "agents": {self._random.choice(HELPERS): {"type": "Plan", "status": "done"}},
        }
        chosen = self._random.sample(sorted(told), self._random.randrange(4))
        return {name: told[name] for name in chosen}

    def _helper_told(self, at: int) -> Delta:
        helper, self._output = self._random.choice(HELPERS), self._output + 9
        state = self._random.choice(("running", "done"))
        told = {"type": "Plan", "parent": None, "status": state}
        return report(
            self.session, to=self._said, at=at, source=f"subagents/agent-{helper}", subagent=told,
            calls={"opus": _calls(self._output)},
        )  # fmt: skip

    def _question(self, at: int) -> Delta:
        """A question by transcript alone, or its answer."""
        self._offset, from_ = self._offset + 1, self._offset
        if self._questions and self._random.random() < 0.6:
            call, told = self._questions.pop(), {"tool": "Ask", "ended": True}
        else:
            call = f"{self.session}-q{self._said}"
            told = {"tool": "Ask", "at": at, "kind": "question", "summary": "which?"}
            self._questions.append(call)
        return report(
            self.session, to=self._offset, from_=from_, at=at, generation=self._generation,
            open_calls={call: told},
        )  # fmt: skip


def _objective(status: str, at: int) -> dict[str, Any]:
    return {"text": "build", "status": status, "at": at}


def _calls(output: int) -> dict[str, Any]:
    used = {"input": 1, "output": output, "cache_read": 0, "cache_write": 0}
    return {**used, "cost_usd": output / 4, "calls": 1, "unpriced": 0}


def old(session: str, workspace: str) -> Delta:
    """A session that was past before anybody looked."""
    told = past(session, ago_ms=30 * 3_600_000, titles={"ai": "long ago"})
    return msgspec.structs.replace(told, workspace=workspace)
