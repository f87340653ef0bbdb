"""What the lines of a Claude Code transcript mean: turns, tools, objectives, titles, signals.

Keeps absolute values and says which changed. Knows nothing of files and offsets but the one
it is told. Called by the transcript adapter.
"""

from collections.abc import Callable
from typing import Any

from ingest.adapters import objectives, texts
from ingest.adapters.claude_lines import (
    Block,
    Line,
    Message,
    read_content,
    read_message,
    read_raw,
    time_ms,
)
from ingest.adapters.claude_people import Prompts, spoken
from ingest.adapters.ledger import Ledger
from session.delta import MAIN_SOURCE, Entry, cut_text

SYNTHETIC = "<synthetic>"
TITLE_BYTES_MAX = 200
_ENTRY_OVERHEAD_BYTES = 200
_USAGE_BYTES = 250
_KEY_BYTES = 160
_GIVEN_UP_MAX = 256
_TITLES = {
    "custom-title": ("custom", "customTitle"),
    "agent-name": ("agent", "agentName"),
    "ai-title": ("ai", "aiTitle"),
    "summary": ("summary", "summary"),
}


class TurnReader:
    """Values, entries and usage of one transcript, in the order of its lines."""

    def __init__(self, session_id: str, source: str) -> None:
        self.main = source == MAIN_SOURCE
        self.agent_id = None if self.main else _agent_id(source)
        self.session_id = session_id
        self.ledger = Ledger()
        self.prompts = Prompts()
        self.last_at: int | None = None
        self.pending_bytes = 0
        self.values: dict[str, Any] = {}
        self._dirty: set[str] = set()
        self._dirty_keys: dict[str, dict[str, None]] = {}  # in order: a plan has one
        self._entries: list[Entry] = []
        self._open: dict[str, dict[str, Any]] = {}
        self._given_up: dict[str, dict[str, Any]] = {}
        self._ended_calls: dict[str, str] = {}
        self._message_ids: set[str] = set()
        self._turn_output = 0
        self._offset = 0
        self._handlers: dict[str, Callable[[Line, int | None], None]] = {
            "assistant": self._read_assistant,
            "user": self._read_user,
            "system": self._read_system,
            **dict.fromkeys(_TITLES, self._read_title),
        }
        if not self.main:
            self._set("subagent", {"type": None, "parent": None, "status": "running"})

    def name_agent(self, kind: str | None) -> None:
        """Tell the type of the subagent whose transcript this is."""
        self._set("subagent", {**self.values["subagent"], "type": kind})

    # What the transcript adapter takes.

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
        for call, tool in self._ended_calls.items():
            if call in taken.get("open_calls", {}):
                taken["open_calls"][call] = {"tool": tool, "ended": True}
        self._ended_calls = {}
        self._dirty, self._dirty_keys = set(), {}
        return taken

    def take_entries(self) -> list[Entry]:
        """The timeline entries since the last time."""
        entries, self._entries, self.pending_bytes = self._entries, [], 0
        return entries

    # Reading.

    def read(self, line: Line, offset: int) -> None:
        """Take in one line that ends at ``offset``."""
        self._offset = offset
        at = time_ms(line.timestamp)
        if at is not None and (self.last_at is None or at > self.last_at):
            self.last_at = at
        handler = self._handlers.get(line.type) if isinstance(line.type, str) else None
        if handler is None:
            return
        if at is not None:
            self._start(at)
        handler(line, at if at is not None else self.last_at)

    def _start(self, at: int) -> None:
        if "started_at" not in self.values:
            self._set("started_at", at)
            if self.main:
                self._entry(id="session:start", kind="session", at=at, text="session start")
        elif at < self.values["started_at"]:
            self._set("started_at", at)

    def _read_title(self, line: Line, _: int | None) -> None:
        kind, key = _TITLES[line.type]
        title = texts.text_of(getattr(line, key))
        if title:
            self._put("titles", {kind: texts.short(title, TITLE_BYTES_MAX)})

    def _read_assistant(self, line: Line, at: int | None) -> None:
        self._read_context(line)
        message = read_message(line)
        if message is None:
            return
        forked = line.forkedFrom is not None
        message_id = texts.text_of(message.id) or texts.text_of(line.uuid) or str(self._offset)
        self._read_usage(line, message, message_id, at, forked)
        if forked:
            return
        if message_id not in self._message_ids:
            self._message_ids.add(message_id)
            self._count_messages()
        self._read_blocks(line, message, at)
        self._read_state(line, message, at)

    def _read_usage(
        self, line: Line, message: Message, message_id: str, at: int | None, forked: bool
    ) -> None:
        model, usage = texts.text_of(message.model), message.usage
        if usage is None or model is None or model == SYNTHETIC:
            return
        hour = usage.cache_creation.ephemeral_1h_input_tokens if usage.cache_creation else 0
        written = usage.cache_creation_input_tokens or 0
        tokens = {
            "input": usage.input_tokens or 0,
            "output": usage.output_tokens or 0,
            "cache_read": usage.cache_read_input_tokens or 0,
            "cache_write": written,
            "cache_write_1h": min(hour or 0, written),
        }
        if min(tokens.values()) < 0 or max(tokens.values()) > texts.COUNT_MAX:
            return
        model = texts.short(model)
        before = self.ledger.records.get(message_id)
        if not self.ledger.add(message_id, model, at, tokens, forked) or forked:
            return
        self.pending_bytes += _USAGE_BYTES
        self._turn_output += tokens["output"] - (before.tokens["output"] if before else 0)
        if not line.isSidechain or not self.main:
            self._set("model", model)
            context = sum(tokens[name] for name in ("input", "output", "cache_read", "cache_write"))
            self._set("context_tokens", context)

    def _read_blocks(self, line: Line, message: Message, at: int | None) -> None:
        content = read_content(message)
        if isinstance(content, str):
            content = [Block(type="text", text=content)]
        error = line.isApiErrorMessage is True
        for index, block in enumerate(content):
            if block.type == "text" and texts.text_of(block.text) and not error:
                text, full_bytes = cut_text(block.text)
                entry_id = f"{line.uuid or self._offset}:{index}"
                self._entry(id=entry_id, kind="message", at=at, text=text, full_bytes=full_bytes)
            elif block.type == "tool_use" and texts.text_of(block.id):
                self._open_call(block, at)

    def _open_call(self, block: Block, at: int | None) -> None:
        tool = texts.short(texts.text_of(block.name) or "unknown")
        if block.id in self._open or len(block.id) > texts.SHORT_BYTES_MAX:
            return
        call: dict[str, Any] = {"tool": tool, "at": at or 0}
        summary = texts.summarize(tool, block.input)
        if tool in texts.ASKING_TOOLS:
            request, _ = texts.request(block.input)
            call |= {"kind": texts.ASKING_TOOLS[tool], "summary": summary, "request": request}
            self.pending_bytes += texts.size_of(request)
        self._open[block.id] = {**call, "input": block.input}
        self._put("open_calls", {block.id: call})
        self._count_tool(tool, calls=1)
        self._entry(id=block.id, kind="tool", at=at, tool=tool, text=summary)

    def _read_state(self, line: Line, message: Message, at: int | None) -> None:
        """What the agent does now, as this line tells it."""
        if line.isSidechain is True and self.main:
            return
        if line.isApiErrorMessage is True:
            text = _first_text(message) or texts.text_of(line.error) or "API error"
            short = cut_text(text, texts.SUMMARY_BYTES_MAX)[0]
            self._entry(id=f"{line.uuid or self._offset}:error", kind="error", at=at, text=short)
            self._signal("failed", at, short)
        elif message.stop_reason in ("end_turn", "stop_sequence") and not self._open:
            self._end_turn(at)
        else:
            self._signal("running", at)

    def _give_up_calls(self) -> None:
        """A new turn: calls without a result are not waited for (one may still come)."""
        if self._open:
            self._put("open_calls", dict.fromkeys(self._open))
            self._given_up = {**self._given_up, **self._open}
            while len(self._given_up) > _GIVEN_UP_MAX:
                del self._given_up[next(iter(self._given_up))]
            self._open = {}

    def _end_turn(self, at: int | None) -> None:
        if self._turn_output:
            text = f"{self._turn_output:,} output tokens"
            entry_id = f"tokens:{self.agent_id or 'main'}:{self._offset}"
            self._entry(id=entry_id, kind="tokens", at=at, text=text, tokens=self._turn_output)
            self._turn_output = 0
        if self.values.get("signal", {}).get("status") != "failed":
            self._signal("idle", at)

    def _read_user(self, line: Line, at: int | None) -> None:
        self._read_context(line)
        message = read_message(line)
        if message is None or line.forkedFrom is not None:
            return
        content = read_content(message)
        if not isinstance(content, str):
            for block in content:
                if block.type == "tool_result" and texts.text_of(block.tool_use_id):
                    self._end_call(line, block, at)
        said = spoken(line, content)
        if said is None:
            return
        if said.interrupt:
            self._give_up_calls()
            self._end_turn(at)
            entry_id = f"{line.uuid or self._offset}:interrupt"
            self._entry(id=entry_id, kind="session", at=at, text="interrupted by the person")
        elif not line.isSidechain and self.main:
            self._prompt(line, said.text, said.command, at)

    def _prompt(self, line: Line, said: str, command: bool, at: int | None) -> None:
        entry_id = self.prompts.entry_id(line, said)
        self._give_up_calls()
        self._count_messages()
        self._turn_output = 0
        titles = self.values.get("titles", {})
        if "prompt" not in titles and not command:
            self._put("titles", {"prompt": texts.short(said, TITLE_BYTES_MAX)})
        text, full_bytes = cut_text(said)
        self._entry(id=entry_id, kind="prompt", at=at, text=text, full_bytes=full_bytes)
        if not command:
            self._signal("running", at)

    def _end_call(self, line: Line, block: Block, at: int | None) -> None:
        call = self._open.pop(block.tool_use_id, None)
        if call is not None:
            self._put("open_calls", {block.tool_use_id: None})
            self._ended_calls[block.tool_use_id] = call["tool"]
        else:
            call = self._given_up.pop(block.tool_use_id, None)
        if call is None:
            return
        tool, failed = call["tool"], block.is_error is True
        took_ms = max(0, at - call["at"]) if at and call["at"] else None
        self._count_tool(tool, errors=int(failed), total_ms=took_ms or 0)
        self._entry(
            id=f"{block.tool_use_id}:end", ref=block.tool_use_id, kind="tool", at=at, tool=tool,
            status="error" if failed else "ok", text=texts.result_text(read_raw(block.content)),
            duration_ms=took_ms,
        )  # fmt: skip
        if not failed and tool in objectives.TOOLS:
            self._read_objectives(tool, call["input"], read_raw(line.toolUseResult), at)
        elif tool in texts.SUBAGENT_TOOLS:
            self._read_subagent(call["input"], read_raw(line.toolUseResult), at)
        if not line.isSidechain or not self.main:
            self._signal("running", at)

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

    def _read_subagent(self, asked: Any, result: Any, at: int | None) -> None:
        if not isinstance(result, dict) or not texts.text_of(result.get("agentId")):
            return
        asked = asked if isinstance(asked, dict) else {}
        agent_id = texts.short(result["agentId"])
        kind = texts.text_of(result.get("agentType")) or texts.text_of(asked.get("subagent_type"))
        kind = texts.short(kind) if kind else None
        state = "running" if result.get("status") == "async_launched" else "done"
        self._put("agents", {agent_id: {"type": kind, "status": state}})
        about = texts.short(texts.text_of(asked.get("description")) or state)
        text = f"{kind or 'subagent'}: {about}"
        entry_id = f"subagent:{agent_id}:{state}"
        self._entry(id=entry_id, kind="subagent", at=at, text=text, agent_id=agent_id)

    def _read_system(self, line: Line, at: int | None) -> None:
        self._read_context(line)
        if line.forkedFrom is not None:
            return
        if line.subtype == "compact_boundary":
            told = line.compactMetadata if isinstance(line.compactMetadata, dict) else {}
            before = texts.count(told.get("preTokens"))
            size = f" at {before:,} tokens" if before else ""
            entry_id = f"{line.uuid or self._offset}"
            self._entry(id=entry_id, kind="compaction", at=at, text=f"compacted{size}")
            self._set("context_tokens", None)
        elif line.subtype == "api_error":
            attempt, of = texts.count(line.retryAttempt), texts.count(line.maxRetries)
            text = f"API error, attempt {attempt} of {of}" if attempt and of else "API error"
            self._entry(id=f"{line.uuid or self._offset}", kind="error", at=at, text=text)
        elif line.subtype == "turn_duration" and not self._open:
            self._end_turn(at)

    def _read_context(self, line: Line) -> None:
        """Where the agent works; the last line decides."""
        for name, told in (("cwd", line.cwd), ("branch", line.gitBranch)):
            if texts.text_of(told):
                self._set(name, texts.short(told, texts.SUMMARY_BYTES_MAX))

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
        self.pending_bytes += _KEY_BYTES * len(changed)

    def _count_messages(self) -> None:
        self._set("messages", len(self._message_ids) + self.prompts.typed)

    def _count_tool(self, tool: str, calls: int = 0, errors: int = 0, total_ms: int = 0) -> None:
        zero = {"calls": 0, "errors": 0, "total_ms": 0}
        held = self.values.get("tools", {}).get(tool, zero)
        more = {"calls": calls, "errors": errors, "total_ms": total_ms}
        self._put("tools", {tool: {name: held[name] + more[name] for name in zero}})

    def _signal(self, status: str, at: int | None, text: str | None = None) -> None:
        if at is None:
            return
        told = {"status": status, "at": at}
        self._set("signal", told if text is None else {**told, "text": text})
        if not self.main:
            state = "running" if status == "running" else "done"
            self._set("subagent", {**self.values["subagent"], "status": state})

    def _entry(self, **fields: Any) -> None:
        agent_id = fields.pop("agent_id", None) or self.agent_id
        if len(fields["id"]) > texts.SHORT_BYTES_MAX:
            fields["id"] = texts.digest(fields["id"])
        self._entries.append(Entry(offset=self._offset, agent_id=agent_id, **fields))
        self.pending_bytes += len(fields.get("text") or "") + _ENTRY_OVERHEAD_BYTES


def _agent_id(source: str) -> str:
    return source.rpartition("/")[2].removeprefix("agent-")


def _first_text(message: Message) -> str | None:
    content = read_content(message)
    if isinstance(content, str):
        return texts.text_of(content)
    return next((block.text for block in content if texts.text_of(block.text)), None)
