"""Status and open requests by the table of ``reference/formats.md`` §1.8, written a second time.

Shares nothing with the fold; knows hooks alone.
"""

from typing import Any

ASKING = ("AskUserQuestion", "ExitPlanMode")
Payload = dict[str, Any]


class Reference:
    """One session by the table; a request is [tool, agent, input, call or None]."""

    def __init__(self) -> None:
        self.base = "idle"
        self.calls: dict[str, tuple[Any, ...]] = {}
        self.asked: list[list[Any]] = []

    @property
    def status(self) -> str:
        """Waiting is over everything else."""
        return "waiting" if self.asked else self.base

    def hear(self, payload: Payload) -> None:
        """Take in one payload."""
        name = payload["hook_event_name"]
        alike = (payload.get("tool_name"), payload.get("agent_id"), payload.get("tool_input"))
        if name == "PreToolUse":
            self._start(payload["tool_use_id"], alike)
        elif name == "PermissionRequest":
            calls = [call for call, each in self.calls.items() if each == alike]
            self._ask(alike, calls[-1] if calls else None)
        elif name in ("PostToolUse", "PostToolUseFailure", "PermissionDenied"):
            self._end(payload["tool_use_id"], alike)
        elif name in ("UserPromptSubmit", "Stop", "SessionEnd"):
            self.asked = []
            self.calls = {} if name != "UserPromptSubmit" else self.calls
        elif name == "SubagentStop":
            self.asked = [each for each in self.asked if each[1] != payload["agent_id"]]
        self._settle(name, payload)

    def _start(self, call: str, alike: tuple[Any, ...]) -> None:
        self.calls[call] = alike
        for each in self.asked:
            if each[3] is None and tuple(each[:3]) == alike:
                each[3] = call
                return
        if alike[0] in ASKING:
            self._ask(alike, call)

    def _ask(self, alike: tuple[Any, ...], call: str | None) -> None:
        if call is None or all(each[3] != call for each in self.asked):
            self.asked.append([*alike, call])

    def _end(self, call: str, alike: tuple[Any, ...]) -> None:
        self.calls.pop(call, None)
        self.asked = [
            each
            for each in self.asked
            if each[3] != call and not (each[3] is None and tuple(each[:2]) == alike[:2])
        ]

    def _settle(self, name: str, payload: Payload) -> None:
        if name in (
            "UserPromptSubmit", "PreToolUse", "PostToolUse", "PostToolUseFailure",
            "SubagentStart", "PermissionRequest", "PermissionDenied",
        ):  # fmt: skip
            self.base = "running"
        elif name == "SessionEnd":
            self.base = "ended"
        elif name == "SessionStart" and payload.get("source") != "compact":
            self.base = "idle"
        elif name == "Stop":
            self.base = "running" if payload.get("background_tasks") else "idle"
        elif payload.get("notification_type") == "idle_prompt" and not self.asked:
            self.base = "idle"
