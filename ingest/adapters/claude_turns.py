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
)
from ingest.adapters.claude_people import Prompts, spoken
from ingest.adapters.jsontext import time_ms
from ingest.adapters.notes import TITLE_BYTES_MAX, Notes

SYNTHETIC = "<synthetic>"
# Agents of the program's own: no turn is under way because of them, and nothing says they ended.
_HELPERS = ("acompact-", "aprompt_suggestion-")
_TITLES = {
    "custom-title": ("custom", "customTitle"),
    "agent-name": ("agent", "agentName"),
    "ai-title": ("ai", "aiTitle"),
    "summary": ("summary", "summary"),
}


class TurnReader(Notes):
    """Values, entries and usage of one transcript, in the order of its lines."""

    def __init__(self, session_id: str, source: str) -> None:
        super().__init__(session_id, source)
        self.prompts = Prompts()
        self._helps = self.agent_id is not None and self.agent_id.startswith(_HELPERS)
        if self._helps:
            self._set("subagent", {**self.values["subagent"], "status": "done"})
        self._message_ids: set[str] = set()
        self._handlers: dict[str, Callable[[Line, int | None], None]] = {
            "assistant": self._read_assistant,
            "user": self._read_user,
            "system": self._read_system,
            **dict.fromkeys(_TITLES, self._read_title),
        }

    def read(self, line: Line, offset: int) -> None:
        """Take in one line that ends at ``offset``."""
        self._begin_line(offset)
        at = time_ms(line.timestamp)
        self._note_time(at)
        handler = self._handlers.get(line.type) if isinstance(line.type, str) else None
        if handler is None:
            return
        if at is not None:
            self._start(at)
        handler(line, at if at is not None else self.last_at)

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
        told_id = texts.text_of(message.id) or texts.text_of(line.uuid) or str(self._offset)
        message_id = texts.named(told_id)
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
        request_id = texts.text_of(line.requestId)
        request_id = texts.short(request_id) if request_id else None
        if not self._add_usage(message_id, model, at, tokens, forked, request_id):
            return
        if not line.isSidechain or not self.main:
            self._set_context(model, tokens)

    def _read_blocks(self, line: Line, message: Message, at: int | None) -> None:
        content = read_content(message)
        if isinstance(content, str):
            content = [Block(type="text", text=content)]
        error = line.isApiErrorMessage is True
        for index, block in enumerate(content):
            if self.is_full:
                break
            if block.type == "text" and texts.text_of(block.text) and not error:
                self._say(f"{line.uuid or self._offset}:{index}", "message", block.text, at)
            elif block.type == "tool_use" and texts.text_of(block.id):
                self._open_call(block.id, texts.text_of(block.name) or "unknown", block.input, at)

    def _read_state(self, line: Line, message: Message, at: int | None) -> None:
        """What the agent does now, as this line tells it."""
        if self._helps or (line.isSidechain is True and self.main):
            return
        if line.isApiErrorMessage is True:
            text = _first_text(message) or texts.text_of(line.error) or "API error"
            self._fail(f"{line.uuid or self._offset}:error", text, at)
        elif message.stop_reason in ("end_turn", "stop_sequence") and not self._open:
            self._end_turn(at)
        else:
            self._signal("running", at)

    def _read_user(self, line: Line, at: int | None) -> None:
        self._read_context(line)
        message = read_message(line)
        if message is None or line.forkedFrom is not None:
            return
        content = read_content(message)
        if not isinstance(content, str):
            for block in content:
                is_result = block.type == "tool_result" and texts.text_of(block.tool_use_id)
                if is_result and not self.is_full:
                    self._end_call(line, block, at)
        said = spoken(line, content)
        if said is None:
            return
        if said.interrupt:
            self._interrupt(f"{line.uuid or self._offset}:interrupt", at)
        elif not line.isSidechain and self.main:
            entry_id = self.prompts.entry_id(line, said.text)
            self._count_messages()
            self._add_prompt(entry_id, said.text, at, command=said.command)

    def _end_call(self, line: Line, block: Block, at: int | None) -> None:
        failed = block.is_error is True
        text = texts.result_text(read_raw(block.content))
        call = self._close_call(block.tool_use_id, at, failed=failed, text=text)
        if call is None:
            return
        tool = call["tool"]
        if not failed and tool in objectives.TOOLS:
            self._read_objectives(tool, call["input"], read_raw(line.toolUseResult), at)
        elif tool in texts.SUBAGENT_TOOLS:
            self._read_subagent(call["input"], read_raw(line.toolUseResult), at)
        if not self._helps and (not line.isSidechain or not self.main):
            self._signal("running", at)

    def _read_subagent(self, asked: Any, result: Any, at: int | None) -> None:
        if not isinstance(result, dict) or not texts.text_of(result.get("agentId")):
            return
        asked = asked if isinstance(asked, dict) else {}
        kind = texts.text_of(result.get("agentType")) or texts.text_of(asked.get("subagent_type"))
        state = "running" if result.get("status") == "async_launched" else "done"
        self._tell_agent(
            result["agentId"], kind, state, texts.text_of(asked.get("description")), at
        )

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

    def _count_messages(self) -> None:
        self._set("messages", len(self._message_ids) + self.prompts.typed)


def _first_text(message: Message) -> str | None:
    content = read_content(message)
    if isinstance(content, str):
        return texts.text_of(content)
    return next((block.text for block in content if texts.text_of(block.text)), None)
