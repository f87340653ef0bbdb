"""What is wanted in an agent's settings, and what is ours of what stands there. Pure.

A group is what stands in the list of an event: ``{"hooks": [handler, …]}``. Ours are known by our
route, whatever address and port they go to.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from tower.hooks.agents import CODEX, Agent
from tower.hooks.sender import command, names
from tower.hooks.target import Target, address_of

Group = dict[str, Any]
Wanted = Mapping[str, Group]

COMMAND_S = 5
HTTP_S = 2
SESSION_END_S = 1  # Claude Code leaves all hooks of this event a second and a half

COMMAND_ONLY = frozenset({"SessionStart", "Setup"})
WAITED_FOR = frozenset({"SessionEnd"})
"""Claude Code ends what runs beside it when it ends itself; this one it must wait for."""

TOLERANT = (2, 1, 101)
"""Older versions of Claude Code drop the whole file for one event that they do not know."""
SINCE = {
    (0, 0, 0): ("SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse", "Notification",
                "Stop", "SubagentStop", "SessionEnd"),
    (2, 0, 45): ("SubagentStart", "PermissionRequest"),
}  # fmt: skip
"""The events that a version before TOLERANT knows for certain."""
HTTP_SINCE = (2, 1, 63)

Version = tuple[int, int, int]


class Options(Struct, frozen=True):
    """``http``: no command where an agent posts itself. ``program``: the sender without curl."""

    http: bool = False
    program: str | None = None
    version: Version | None = None


def wanted(target: Target, agent: Agent, options: Options) -> dict[str, Group]:
    """One group for each event, which matches everything."""
    events = known_events(agent, options.version)
    return {event: {"hooks": [_handler(target, agent, event, options)]} for event in events}


def known_events(agent: Agent, version: Version | None) -> tuple[str, ...]:
    """The events that this version of the agent takes; one that is not known is a new one."""
    if agent == CODEX or version is None or version >= TOLERANT:
        return agent.events
    known = {event for since, events in SINCE.items() if version >= since for event in events}
    return tuple(event for event in agent.events if event in known)


def _handler(target: Target, agent: Agent, event: str, options: Options) -> dict[str, Any]:
    if agent == CODEX:  # some versions pass over hooks that are marked async
        line = command(target, agent, options.program)
        return {"type": "command", "command": line, "timeout": COMMAND_S}
    if options.http and event not in COMMAND_ONLY:
        return _http(target, agent, event)
    beside = {} if event in WAITED_FOR else {"async": True}
    seconds = SESSION_END_S if event in WAITED_FOR else COMMAND_S
    line = command(target, agent, options.program, last=event in WAITED_FOR)
    return {"type": "command", "command": line, **beside, "timeout": seconds}


def _http(target: Target, agent: Agent, event: str) -> dict[str, Any]:
    # An agent refuses headers that are not plain, and takes $ for a variable.
    plain = {n: v for n, v in names(target).items() if v.isascii() and "$" not in v}
    token = {"Authorization": "Bearer $TOWER_TOKEN"} if target.needs_token else {}
    handler: dict[str, Any] = {
        "type": "http", "url": target.url + agent.route,
        "timeout": SESSION_END_S if event in WAITED_FOR else HTTP_S,
        "headers": {**plain, **token},
    }  # fmt: skip
    return {**handler, "allowedEnvVars": ["TOWER_TOKEN"]} if token else handler


# What stands there.


def address_in(handler: Any, agent: Agent) -> str | None:
    """The address of the tower that a handler sends to; None if it is not one of ours."""
    if not isinstance(handler, dict):
        return None
    for name in ("url", "command"):
        told = handler.get(name)
        found = _ours(agent).search(told) if isinstance(told, str) else None
        if found:
            try:
                return address_of(found[1])
            except ValueError:
                return found[1]
    return None


def _ours(agent: Agent) -> re.Pattern[str]:
    return re.compile(rf"(https?://[^\s\"'<>|;]+?){re.escape(agent.route)}(?![\w/-])")


def handlers_in(group: Any) -> list[Any]:
    """The handlers of a group, however it is written."""
    told = group.get("hooks") if isinstance(group, dict) else None
    return told if isinstance(told, list) else []


def ours_in(hooks: Mapping[str, Any], agent: Agent) -> Iterator[tuple[str, int, int, str]]:
    """Each handler of ours: its event, the places of its group and in it, and its address."""
    for event, groups in hooks.items():
        for place, group in enumerate(groups if isinstance(groups, list) else ()):
            for index, handler in enumerate(handlers_in(group)):
                address = address_in(handler, agent)
                if address is not None:
                    yield event, place, index, address


def groups_of(hooks: Mapping[str, Any], agent: Agent) -> dict[str, list[Group]]:
    """The groups that have a handler of ours, by event."""
    found: dict[str, dict[int, Group]] = {}
    for event, place, _, _ in ours_in(hooks, agent):
        found.setdefault(event, {})[place] = hooks[event][place]
    return {event: list(groups.values()) for event, groups in found.items()}


def without_ours(hooks: Mapping[str, Any], agent: Agent) -> dict[str, Any]:
    """What is left of hooks, without what has become empty by it."""
    ours = {(event, place, index) for event, place, index, _ in ours_in(hooks, agent)}
    left: dict[str, Any] = {}
    for event, groups in hooks.items():
        kept = groups
        if isinstance(groups, list):
            kept = [
                _without(group, {index for index in range(len(handlers_in(group)))
                                 if (event, place, index) in ours})
                for place, group in enumerate(groups)
            ]  # fmt: skip
            kept = [each for each in kept if each is not None]
        if kept or kept is groups or not groups:
            left[event] = kept
    return left


def _without(group: Any, places: set[int]) -> Any:
    if not places:
        return group
    kept = [each for index, each in enumerate(group["hooks"]) if index not in places]
    return {**group, "hooks": kept} if kept else None
