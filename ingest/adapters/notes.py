"""What a reader of one transcript keeps: absolute values, which of them changed, entries, calls.

The same for every agent. Knows no format and reads no line. The base of the turn readers.
"""

from typing import Any

from ingest.adapters import objectives, texts
from ingest.adapters.ledger import Ledger
from session.delta import MAIN_SOURCE, Entry, EntryKind

TITLE_BYTES_MAX = 200
_ENTRY_OVERHEAD_BYTES = 100
_USAGE_BYTES = 250
_GIVEN_UP_MAX = 256
_PENDING_BYTES_MAX = 192 * 1024  # a delta on the log is at most 256 KiB
_FULL_BYTES = 128 * 1024  # so that what one more block tells has room
_SUMMED = ("input", "output", "cache_read", "cache_write")


class Notes:
    """Values, entries and usage of one transcript, as its lines are understood."""

    def __init__(self, session_id: str, source: str) -> None:
        self.main = source == MAIN_SOURCE
        self.agent_id = None if self.main else _agent_id(source)
        self.session_id = session_id
        self.ledger = Ledger()
        self.last_at: int | None = None
        self.pending_bytes = 0
        self._line_from = 0
        self.values: dict[str, Any] = {}
        self._dirty: set[str] = set()
        self._dirty_keys: dict[str, dict[str, None]] = {}  # in order: a plan has one
        self._entries: list[Entry] = []
        self._texts: dict[str, str] = {}
        self._open: dict[str, dict[str, Any]] = {}
        self._given_up: dict[str, dict[str, Any]] = {}
        self._ended_calls: dict[str, dict[str, Any]] = {}
        self._turn_output = 0
        self._offset = 0
        if not self.main:
            self._set("subagent", {"type": None, "parent": None, "status": "running"})

    def name_agent(self, kind: str | None) -> None:
        """Tell the type of the subagent whose transcript this is."""
        self._set("subagent", {**self.values["subagent"], "type": kind})

    @property
    def is_full(self) -> bool:
        """Whether the present line fills a delta: one may hold blocks without end."""
        return self.pending_bytes - self._line_from > _FULL_BYTES

    def _begin_line(self, offset: int) -> None:
        """A line that ends at ``offset``. What is told before the first time is taken with it."""
        self._offset = offset
        self._line_from = 0 if self.last_at is None else self.pending_bytes

    # What the transcript takes.

    def take_values(self) -> dict[str, Any]:
        """The values that changed since the last time, absolute."""
        for name, changed in self.ledger.take_sums().items():
            if name == "inherited":
                self._set(name, changed)
            else:
                self._put(name, changed)
        taken = {name: self.values[name] for name in self._dirty}
        for name, keys in self._dirty_keys.items():
            taken[name] = {key: self.values[name].get(key) for key in keys}
        for call, ended in self._ended_calls.items():
            if call in taken.get("open_calls", {}):
                taken["open_calls"][call] = ended
        self._ended_calls = {}
        self._dirty, self._dirty_keys = set(), {}
        return taken

    def take_entries(self) -> list[Entry]:
        """The timeline entries since the last time."""
        entries, self._entries, self.pending_bytes = self._entries, [], 0
        return entries

    def take_texts(self) -> dict[str, str]:
        """Whole texts of entries that were cut, by entry id."""
        taken, self._texts = self._texts, {}
        return taken

    # Turns.

    def _note_time(self, at: int | None) -> None:
        if at is not None and (self.last_at is None or at > self.last_at):
            self.last_at = at

    def _start(self, at: int) -> None:
        if "started_at" not in self.values:
            self._set("started_at", at)
            if self.main:
                self._entry(id="session:start", kind="session", at=at, text="session start")
        elif at < self.values["started_at"]:
            self._set("started_at", at)

    def _add_prompt(self, entry_id: str, said: str, at: int | None, *, command: bool) -> None:
        """A person said something: a turn begins, unless it is a command to the program."""
        self._give_up_calls()
        self._turn_output = 0
        if "prompt" not in self.values.get("titles", {}) and not command:
            self._put("titles", {"prompt": texts.short(said, TITLE_BYTES_MAX)})
        self._say(entry_id, "prompt", said, at)
        if not command:
            self._signal("running", at)
            if at is not None:
                self._set("prompted_at", at)

    def _say(self, entry_id: str, kind: EntryKind, said: str, at: int | None) -> None:
        """An entry with its text; what a timeline cuts of it is kept beside, within bounds."""
        text, full_bytes, whole = texts.cut_twice(said)
        self._entry(id=entry_id, kind=kind, at=at, text=text, full_bytes=full_bytes)
        size = min(full_bytes or 0, texts.FULL_BYTES_MAX)
        if whole is not None and self.pending_bytes + size <= _PENDING_BYTES_MAX:
            self._texts[self._entries[-1].id] = whole
            self.pending_bytes += size

    def _interrupt(self, entry_id: str, at: int | None) -> None:
        self._give_up_calls()
        self._end_turn(at)
        self._entry(id=entry_id, kind="session", at=at, text="interrupted by the person")

    def _end_turn(self, at: int | None) -> None:
        if self._turn_output:
            text = f"{self._turn_output:,} output tokens"
            entry_id = f"tokens:{self.agent_id or 'main'}:{self._offset}"
            self._entry(id=entry_id, kind="tokens", at=at, text=text, tokens=self._turn_output)
            self._turn_output = 0
        if self.values.get("signal", {}).get("status") not in ("failed", "idle"):
            self._signal("idle", at)  # it is over since it was over first

    def _fail(self, entry_id: str, text: str, at: int | None) -> None:
        short = texts.cut(text, texts.SUMMARY_BYTES_MAX)[0]
        self._entry(id=entry_id, kind="error", at=at, text=short)
        self._signal("failed", at, short)

    def _signal(self, status: str, at: int | None, text: str | None = None) -> None:
        if at is None:
            return
        told = {"status": status, "at": at}
        self._set("signal", told if text is None else {**told, "text": text})
        if not self.main:
            state = "running" if status == "running" else "done"
            self._set("subagent", {**self.values["subagent"], "status": state})

    # API calls, tool calls, objectives, subagents.

    def _add_usage(
        self, message_id: str, model: str, at: int | None, tokens: dict[str, int], forked: bool,
        request_id: str | None = None,
    ) -> bool:  # fmt: skip
        """Keep one API call's usage; False if it changes nothing that this session owns."""
        before = self.ledger.records.get(message_id)
        if not self.ledger.add(message_id, model, at, tokens, forked, request_id) or forked:
            return False
        self.pending_bytes += _USAGE_BYTES
        self._turn_output += tokens["output"] - (before.tokens["output"] if before else 0)
        return True

    def _set_context(self, model: str, tokens: dict[str, int]) -> None:
        self._set("model", model)
        self._set("context_tokens", sum(tokens[name] for name in _SUMMED))

    def _open_call(self, call_id: str, tool: str, asked: Any, at: int | None) -> None:
        tool = texts.short(tool)
        if call_id in self._open or len(call_id) > texts.SHORT_BYTES_MAX:
            return
        call: dict[str, Any] = {"tool": tool, "at": at or 0}
        summary = texts.summarize(tool, asked)
        if tool in texts.ASKING_TOOLS:
            request, _ = texts.request(asked)
            call |= {"kind": texts.ASKING_TOOLS[tool], "summary": summary, "request": request}
        self._open[call_id] = {**call, "input": asked}
        self._put("open_calls", {call_id: call})
        self._count_tool(tool, calls=1)
        self._entry(id=call_id, kind="tool", at=at, tool=tool, text=summary)

    def _close_call(
        self, call_id: str, at: int | None, *, failed: bool, text: str, took_ms: int | None = None
    ) -> dict[str, Any] | None:
        """End a call; gives {tool, at, input} or None if none of that id is known."""
        call = self._open.pop(call_id, None)
        if call is not None:
            self._put("open_calls", {call_id: None})
            self._ended_calls[call_id] = {"tool": call["tool"], "at": at or 0, "ended": True}
        else:
            call = self._given_up.pop(call_id, None)
        if call is None:
            return None
        if took_ms is None and at and call["at"]:
            took_ms = max(0, at - call["at"])
        self._count_tool(call["tool"], errors=int(failed), total_ms=took_ms or 0)
        self._entry(
            id=f"{call_id}:end", ref=call_id, kind="tool", at=at, tool=call["tool"],
            status="error" if failed else "ok", text=text, duration_ms=took_ms,
        )  # fmt: skip
        return call

    def _give_up_calls(self) -> None:
        """A new turn: calls without a result are not waited for (one may still come)."""
        if self._open:
            self._put("open_calls", dict.fromkeys(self._open))
            self._given_up = {**self._given_up, **self._open}
            while len(self._given_up) > _GIVEN_UP_MAX:
                del self._given_up[next(iter(self._given_up))]
            self._open = {}

    def _count_tool(self, tool: str, calls: int = 0, errors: int = 0, total_ms: int = 0) -> None:
        zero = {"calls": 0, "errors": 0, "total_ms": 0}
        held = self.values.get("tools", {}).get(tool, zero)
        more = {"calls": calls, "errors": errors, "total_ms": total_ms}
        self._put("tools", {tool: {name: held[name] + more[name] for name in zero}})

    def _read_objectives(self, tool: str, asked: Any, result: Any, at: int | None) -> None:
        known = self.values.get("objectives", {})
        told = objectives.told_by(tool, asked, result, at, known)
        for key, value in told.items():
            before = known.get(key)
            if value and (before is None or before["status"] != value["status"]):
                entry_id = f"objective:{key}:{value['status']}:{self._offset}"
                self._entry(
                    id=entry_id, kind="objective", at=at, text=value["text"],
                    status=value["status"],
                )  # fmt: skip
        changed = {key: value for key, value in told.items() if known.get(key) != value}
        if changed:
            self._put("objectives", changed)

    def _tell_agent(
        self, agent_id: str, kind: str | None, state: str, about: str | None, at: int | None
    ) -> None:
        """What is known of a subagent: ``state`` is running or done."""
        agent_id, kind = texts.short(agent_id), texts.short(kind) if kind else None
        self._put("agents", {agent_id: {"type": kind, "status": state}})
        text = f"{kind or 'subagent'}: {texts.short(about or state)}"
        entry_id = f"subagent:{agent_id}:{state}"
        self._entry(id=entry_id, kind="subagent", at=at, text=text, agent_id=agent_id)

    # Keeping.

    def _set(self, name: str, value: Any) -> None:
        if name not in self.values or self.values[name] != value:
            self.values[name] = value
            self._dirty.add(name)

    def _put(self, name: str, changed: dict[str, Any]) -> None:
        """Upsert keys of a map; a value of None takes the key out."""
        held = self.values.setdefault(name, {})
        for key, value in changed.items():
            if value is None:
                held.pop(key, None)
            else:
                held[key] = value
        self._dirty_keys.setdefault(name, {}).update(dict.fromkeys(changed))
        self.pending_bytes += texts.size_of(changed)

    def _entry(self, **fields: Any) -> None:
        agent_id = fields.pop("agent_id", None) or self.agent_id
        fields["id"] = texts.named(fields["id"])
        self._entries.append(Entry(offset=self._offset, agent_id=agent_id, **fields))
        said = sum(texts.bytes_of(each) for each in fields.values() if isinstance(each, str))
        self.pending_bytes += said + _ENTRY_OVERHEAD_BYTES


def _agent_id(source: str) -> str:
    return source.rpartition("/")[2].removeprefix("agent-")
