"""Our hooks in the JSON of an agent's settings: put in, taken out, and nothing else touched. Pure.

Texts go in and come out; ``name`` is the file's, for whoever has to correct it.
"""

from collections.abc import Callable
from typing import Any

from tower.hooks.agents import Agent
from tower.hooks.entries import Wanted, groups_of, handlers_in, ours_in
from tower.hooks.errors import HooksError
from tower.hooks.json_text import appended, box_at, parsed, removed, style_of

EMPTY = "{}\n"


def hooks_in(text: str, name: str) -> dict[str, Any]:
    """The hooks of a settings file by event; an empty file has none. Raises HooksError."""
    hooks = values_in(text, name).get("hooks", {})
    if not isinstance(hooks, dict):
        raise HooksError(f"{name}: hooks: expected an object, {{…}}. Correct it, then try again.")
    for event, groups in hooks.items():
        if not isinstance(groups, list):
            raise HooksError(f"{name}: hooks.{event}: expected a list. Correct it, then try again.")
    return hooks


def values_in(text: str, name: str) -> dict[str, Any]:
    """Everything in a settings file."""
    return parsed(text, name) if text.strip() else {}


def installed(text: str, wanted: Wanted, agent: Agent, name: str) -> str:
    """The text with exactly the wanted groups; what is as wanted stays where it is."""
    text = text if text.strip() else EMPTY
    present = groups_of(hooks_in(text, name), agent)
    style = style_of(text)
    right = {event for event, groups in present.items() if groups == [wanted.get(event)]}
    for event, group in wanted.items():
        if event in right:
            continue
        values = values_in(text, name)
        if "hooks" not in values:
            text = appended(text, (), "hooks", {event: [group]}, style)
        elif event not in values["hooks"]:
            text = appended(text, ("hooks",), event, [group], style)
        else:
            text = appended(text, ("hooks", event), None, group, style)

    def old(hooks: dict[str, Any], event: str, place: int) -> bool:
        new = event in wanted and place == len(hooks[event]) - 1
        return event not in right and not new

    # Only now, so that a list that somebody left empty is not lost on the way.
    return _without(text, agent, name, old)


def uninstalled(text: str, agent: Agent, name: str) -> str:
    """The text without our handlers, and without what held nothing else."""
    return _without(text, agent, name, lambda *_: True)


def _without(
    text: str, agent: Agent, name: str, goes: Callable[[dict[str, Any], str, int], bool]
) -> str:
    while True:
        hooks = hooks_in(text, name)
        ours = [each for each in ours_in(hooks, agent) if goes(hooks, each[0], each[1])]
        if not ours:
            return text
        event, place, index, _ = ours[-1]
        text = _cut(text, hooks, event, place, index)


def _cut(text: str, hooks: dict[str, Any], event: str, place: int, index: int) -> str:
    """Without one handler: its group, event and all hooks go with it where it is their last."""
    if len(handlers_in(hooks[event][place])) > 1:
        return removed(text, ("hooks", event, place, "hooks"), index)
    if len(hooks[event]) > 1:
        return removed(text, ("hooks", event), place)
    if len(hooks) > 1:
        return removed(text, ("hooks",), _place_of(text, ("hooks",), event))
    return removed(text, (), _place_of(text, (), "hooks"))


def _place_of(text: str, path: tuple[str | int, ...], key: str) -> int:
    places = [place for place, item in enumerate(box_at(text, path).items) if item.key == key]
    return places[-1]
