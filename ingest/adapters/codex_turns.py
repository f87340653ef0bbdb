"""What the lines of a Codex rollout mean: turns, tools, plans, titles, signals, API calls.

Only the file's own thread has turns and tools here; of history that is replayed, nothing but the
usage is kept, as inherited. Called by the rollout adapter.
"""

from collections.abc import Callable
from typing import Any

from ingest.adapters import codex_people, codex_tools, objectives, texts
from ingest.adapters.codex_lines import Line, Payload, read_payload, read_raw
from ingest.adapters.codex_threads import Threads
from ingest.adapters.codex_totals import Totals
from ingest.adapters.jsontext import time_ms
from ingest.adapters.notes import TITLE_BYTES_MAX, Notes

_UNKNOWN_MODEL = "unknown"
Handler = Callable[[Payload, int | None], None]


class RolloutReader(Notes):
    """Values, entries and usage of one rollout, in the order of its lines."""

    def __init__(self, session_id: str, source: str) -> None:
        super().__init__(session_id, source)
        self.prompts = codex_people.Prompts()
        self.threads = Threads(session_id)
        self._totals = Totals()
        self._calls: dict[str, int] = {}
        self._model: str | None = None
        self._messages = 0
        self._is_introduced = False
        self._tells_turns = False
        self._in_turn = False
        self._items: dict[str, Handler] = {
            "message": self._read_message,
            "function_call": self._read_call,
            "custom_tool_call": self._read_call,
            "local_shell_call": self._read_call,
            "function_call_output": self._read_output,
            "custom_tool_call_output": self._read_output,
            "web_search_call": self._read_search,
        }
        self._events: dict[str, Handler] = {
            "user_message": self._read_prompt,
            "task_started": self._read_task_started,
            "turn_started": self._read_task_started,
            "task_complete": self._read_task_complete,
            "turn_complete": self._read_task_complete,
            "turn_aborted": self._read_aborted,
            "error": self._read_error,
            "thread_name_updated": self._read_title,
            "exec_command_end": self._read_ended,
            "patch_apply_end": self._read_ended,
            "mcp_tool_call_end": self._read_ended,
        }
        self._lines: dict[str, Handler] = {
            "turn_context": self._read_context,
            "response_item": self._read_item,
            "event_msg": self._read_event,
            "compacted": self._read_compacted,
        }

    def read(self, line: Line, offset: int) -> None:
        """Take in one line that ends at ``offset``; raises InvalidPayload."""
        self._offset = offset
        at = time_ms(line.timestamp)
        if line.type == "session_meta":
            self._read_meta(read_payload(line), at)
            return
        handler = self._lines.get(line.type) if isinstance(line.type, str) else None
        payload = read_payload(line) if handler is not None else None
        self._place(payload, at)
        if at is not None and self.threads.is_own:
            self._note_time(at)
            self._start(at)
        if handler is not None and payload is not None:
            handler(payload, at if at is not None else self.last_at)

    def _place(self, payload: Payload | None, at: int | None) -> None:
        """Find out whose line it is."""
        self.threads.line(at)
        if payload is not None and payload.turn_id is not None:
            self.threads.turn(payload.turn_id)

    # Threads and turns.

    def _read_meta(self, payload: Payload, at: int | None) -> None:
        if self._is_introduced:
            self.threads.other(payload)
            return
        self._is_introduced = True
        self.threads.own(payload, at)
        if at is not None:
            self._note_time(at)
            self._start(min(time_ms(payload.timestamp) or at, at))
        self._set_text("cwd", payload.cwd)
        if isinstance(payload.git, dict):
            self._set_text("branch", payload.git.get("branch"))

    def _read_context(self, payload: Payload, _: int | None) -> None:
        self._take_model(payload.model)
        if self.threads.is_own:
            self._set_text("cwd", payload.cwd)

    def _take_model(self, told: Any) -> None:
        model = texts.text_of(told)
        if model is None:
            return
        self._model = texts.short(model)
        if self.threads.is_own:
            self._set("model", self._model)

    def _set_text(self, name: str, told: Any) -> None:
        if texts.text_of(told):
            self._set(name, texts.short(told, texts.SUMMARY_BYTES_MAX))

    def _read_event(self, payload: Payload, at: int | None) -> None:
        if payload.type == "token_count":
            self._read_tokens(payload, at)
        elif payload.type == "thread_settings_applied":
            told = payload.thread_settings
            self._take_model(told.get("model") if isinstance(told, dict) else None)
        elif isinstance(payload.type, str) and self.threads.is_own:
            handler = self._events.get(payload.type)
            if handler is not None:
                handler(payload, at)

    def _read_task_started(self, _: Payload, at: int | None) -> None:
        self._tells_turns = True
        self._begin(at)

    def _begin(self, at: int | None) -> None:
        self._in_turn = True
        self._signal("running", at)

    def _read_task_complete(self, payload: Payload, at: int | None) -> None:
        self._give_up_calls()
        if payload.error:
            self._read_error(payload, at)
        self._end_turn(at)
        self._in_turn = False

    def _read_aborted(self, payload: Payload, at: int | None) -> None:
        if payload.reason == "interrupted":
            self._interrupt(f"{self._offset}:interrupt", at)
        else:
            self._give_up_calls()
            self._end_turn(at)
        self._in_turn = False

    def _read_error(self, payload: Payload, at: int | None) -> None:
        told = payload.error or payload.message
        if isinstance(told, dict):
            told = told.get("message")
        self._fail(f"{self._offset}:error", texts.text_of(told) or "error", at)

    def _read_compacted(self, _: Payload, at: int | None) -> None:
        if not self.threads.is_own:
            return
        before = self.values.get("context_tokens")
        size = f" at {before:,} tokens" if before else ""
        self._entry(id=f"{self._offset}", kind="compaction", at=at, text=f"compacted{size}")
        self._set("context_tokens", None)

    # People and messages.

    def _read_title(self, payload: Payload, _: int | None) -> None:
        title = texts.text_of(payload.thread_name)
        if title:
            self._put("titles", {"ai": texts.short(title, TITLE_BYTES_MAX)})

    def _read_prompt(self, payload: Payload, at: int | None) -> None:
        images = len(payload.images) if isinstance(payload.images, list) else 0
        said = codex_people.typed(payload.message, images)
        if said and payload.kind in (None, "plain"):
            self._prompt(self.prompts.told(said), said, at)

    def _prompt(self, entry_id: str | None, said: str, at: int | None) -> None:
        if entry_id is None:
            return
        self._count_messages()
        self._in_turn = True
        self._add_prompt(entry_id, codex_people.request_in(said), at, command=False)

    def _count_messages(self) -> None:
        self._set("messages", self._messages + self.prompts.typed)

    def _read_item(self, payload: Payload, at: int | None) -> None:
        if not self.threads.is_own:
            return
        kind = payload.type
        if kind is None and payload.role is not None:  # an old line tells no type
            kind = "message"
        handler = self._items.get(kind) if isinstance(kind, str) else None
        if handler is not None:
            handler(payload, at)

    def _read_message(self, payload: Payload, at: int | None) -> None:
        text, images = _content(payload)
        if payload.role == "user":
            said = codex_people.typed(text, images)
            if said:
                self._prompt(self.prompts.given(said), said, at)
        elif payload.role == "assistant" and text:
            self._read_answer(text, payload.phase, at)

    def _read_answer(self, text: str, phase: Any, at: int | None) -> None:
        self.prompts.answered()
        self._messages += 1
        self._count_messages()
        self._say(f"message:{self._offset}", "message", text, at)
        if self._tells_turns or self._open or phase == "commentary":
            self._go_on(at)
        else:
            self._end_turn(at)

    def _go_on(self, at: int | None) -> None:
        """The agent works; what comes late of a turn that is over says nothing."""
        if self._in_turn or not self._tells_turns:
            self._signal("running", at)

    # Tools.

    def _read_call(self, payload: Payload, at: int | None) -> None:
        call_id = texts.text_of(payload.call_id) or texts.text_of(payload.id)
        if call_id is None:
            return
        tool = texts.text_of(payload.name)
        wanted = codex_tools.asked(payload)
        if tool is None and payload.type == "local_shell_call":
            tool, wanted = "shell", codex_tools.shell(payload.action)
        self.prompts.answered()
        self._open_call(call_id, tool or "unknown", wanted, at)
        self._go_on(at)

    def _read_output(self, payload: Payload, at: int | None) -> None:
        if texts.text_of(payload.call_id) is None:
            return
        outcome, result = codex_tools.output(payload)
        self._close(payload.call_id, outcome, result, at)

    def _read_ended(self, payload: Payload, at: int | None) -> None:
        if texts.text_of(payload.call_id) is not None:
            self._close(payload.call_id, codex_tools.ended(payload), None, at)

    def _close(self, call_id: str, how: codex_tools.Outcome, result: Any, at: int | None) -> None:
        call = self._close_call(
            call_id, at, failed=how.failed, text=how.text, took_ms=how.took_ms
        )  # fmt: skip
        if call is None:
            return
        if not how.failed:
            self._learn(call["tool"], call["input"], result, at)
        self._go_on(at)

    def _learn(self, tool: str, wanted: Any, result: Any, at: int | None) -> None:
        """What the end of a call tells beyond itself."""
        if tool in objectives.TOOLS:
            self._read_objectives(tool, wanted, result, at)
        known = self.values.get("agents", {})
        for told in codex_tools.agents(tool, wanted, result):
            kind = told.kind or known.get(texts.short(told.id), {}).get("type")
            self._tell_agent(told.id, kind, told.state, told.about, at)

    def _read_search(self, payload: Payload, at: int | None) -> None:
        call_id = texts.text_of(payload.id) or f"web_search:{self._offset}"
        self.prompts.answered()
        self._open_call(call_id, "web_search", codex_tools.searched(payload.action), at)
        self._close_call(call_id, at, failed=payload.status == "failed", text="")
        self._go_on(at)

    # API calls.

    def _read_tokens(self, payload: Payload, at: int | None) -> None:
        info = payload.info if isinstance(payload.info, dict) else None
        if info is None:
            return
        call = self._totals.step(info, has_parent=self.threads.has_parent)
        if call is not None:
            self._add_call(call, at)
        last = info.get("last_token_usage")
        context = texts.count(last.get("total_tokens")) if isinstance(last, dict) else None
        if context is not None and self.threads.is_own:
            self._set("context_tokens", context)

    def _add_call(self, tokens: dict[str, int], at: int | None) -> None:
        """One API call of the thread that speaks, numbered as in that one's own file."""
        speaker = self.threads.speaker
        ordinal = self._calls[speaker] = self._calls.get(speaker, 0) + 1
        message_id = f"{texts.short(speaker)}:{ordinal}"
        forked = not self.threads.is_own
        self._add_usage(message_id, self._model or _UNKNOWN_MODEL, at, tokens, forked)


def _content(payload: Payload) -> tuple[str, int]:
    """A message's text, and how many images it has."""
    told = read_raw(payload.content)
    if isinstance(told, str):
        return told, 0
    blocks = [each for each in told if isinstance(each, dict)] if isinstance(told, list) else []
    said = [each["text"] for each in blocks if texts.text_of(each.get("text"))]
    return "\n".join(said), sum(each.get("type") == "input_image" for each in blocks)
