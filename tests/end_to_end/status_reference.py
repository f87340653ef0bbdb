"""Status and open items by hooks alone, written straight from formats.md §1.8.

Shares nothing with the program: it is what the program is held against.
"""

from typing import Any

Payload = dict[str, Any]
Alike = tuple[Any, Any, Any]  # tool, agent, input

RUNNING = frozenset(
    {
        "UserPromptSubmit", "PreToolUse", "PostToolUse", "PostToolUseFailure", "SubagentStart",
        "PermissionRequest", "PermissionDenied", "Elicitation", "ElicitationResult",
    }
)  # fmt: skip
ENDS = frozenset({"PostToolUse", "PostToolUseFailure", "PermissionDenied"})
ASKING = frozenset({"AskUserQuestion", "ExitPlanMode"})


class Item:
    """Something a person is asked; ``call`` is None while it matches no known call."""

    def __init__(self, alike: Alike, call: str | None) -> None:
        self.alike = alike
        self.call = call


class Derived:
    """One session as the table derives it."""

    def __init__(self) -> None:
        self.turn = "idle"
        self.open: dict[str, Alike] = {}
        self.items: list[Item] = []
        self.failure = False

    @property
    def status(self) -> str:
        """Waiting stands over everything else."""
        return "waiting" if self.items else self.turn

    @property
    def attention(self) -> int:
        """How many items are open."""
        return len(self.items) + self.failure

    def hear(self, payload: Payload) -> None:
        """One payload, in the order of arrival."""
        name, call = payload["hook_event_name"], payload.get("tool_use_id")
        alike = (payload.get("tool_name"), payload.get("agent_id"), payload.get("tool_input"))
        if name == "PreToolUse":
            self._start(str(call), alike)
        elif name == "PermissionRequest":
            self._request(alike)
        elif name in ENDS:
            self._end(str(call), alike)
        elif name in ("UserPromptSubmit", "Stop", "StopFailure", "SessionEnd"):
            self._turn_is_over(name)
        elif name == "SubagentStop":
            agent = payload["agent_id"]
            self.items = [item for item in self.items if item.alike[1] != agent]
            self.open = {known: each for known, each in self.open.items() if each[1] != agent}
        self._derive(name, payload)

    def _start(self, call: str, alike: Alike) -> None:
        self.open[call] = alike
        for item in self.items:
            if item.call is None and item.alike == alike:
                item.call = call
                return
        if alike[0] in ASKING:
            self.items.append(Item(alike, call))

    def _request(self, alike: Alike) -> None:
        call = next((known for known in reversed(self.open) if self.open[known] == alike), None)
        if call is None or call not in [item.call for item in self.items]:
            self.items.append(Item(alike, call))

    def _end(self, call: str, alike: Alike) -> None:
        self.open.pop(call, None)
        self.items = [
            item
            for item in self.items
            if item.call != call and (item.call is not None or item.alike[:2] != alike[:2])
        ]

    def _turn_is_over(self, name: str) -> None:
        self.items = []
        self.failure = name == "StopFailure"
        kept = name == "UserPromptSubmit"
        self.open = {known: each for known, each in self.open.items() if kept and each[1]}

    def _derive(self, name: str, payload: Payload) -> None:
        if name in RUNNING:
            self.turn = "running"
        elif name == "SessionStart" and payload.get("source") != "compact":
            self.turn, self.open = "idle", {}
        elif name == "Stop":
            self.turn = "running" if payload.get("background_tasks") else "idle"
        elif name == "StopFailure":
            self.turn = "failed"
        elif name == "SessionEnd":
            self.turn = "ended"
        elif payload.get("notification_type") == "idle_prompt" and not self.items:
            self.turn = "idle" if self.turn == "running" else self.turn
