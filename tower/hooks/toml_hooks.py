"""Our hooks in Codex's config.toml, for whoever keeps hooks there. Pure.

Adds blocks at the end and takes out exactly such blocks; whatever comes out is read again and
compared, so that a text that is written in another way is refused, never harmed.
"""

import json
import re
import tomllib
from typing import Any

from tower.hooks.agents import Agent
from tower.hooks.entries import Group, Wanted, groups_of, ours_in, without_ours
from tower.hooks.errors import HooksError

_BLOCK = re.compile(
    r"\n?^\[\[hooks\.(?P<event>\w+)\]\]\r?\n\[\[hooks\.(?P=event)\.hooks\]\]\r?\n"
    r"(?:(?:type|command|timeout) = .*(?:\r?\n|\Z))+",
    re.MULTILINE,
)


def values_in(text: str, name: str) -> dict[str, Any]:
    """Everything in it. Raises HooksError with the place."""
    try:
        return tomllib.loads(text)
    except ValueError as error:
        raise HooksError(
            f"{name}: {error}. It is not valid TOML. Correct it, then try again; nothing was"
            " written."
        ) from error


def hooks_in(text: str, name: str) -> dict[str, Any]:
    """The hooks by event; what else Codex keeps beside them is passed over."""
    hooks = values_in(text, name).get("hooks", {})
    if not isinstance(hooks, dict):
        return {}
    return {event: groups for event, groups in hooks.items() if isinstance(groups, list)}


def installed(text: str, wanted: Wanted, agent: Agent, name: str) -> str:
    """The text with exactly the wanted groups."""
    present = groups_of(hooks_in(text, name), agent)
    right = {event for event, groups in present.items() if groups == [wanted.get(event)]}
    left = _without(text, agent, name, keep=right)
    added = [_block(event, group) for event, group in wanted.items() if event not in right]
    if not added:
        return left
    ended = left if not left or left.endswith("\n") else left + "\n"
    told = ended + "".join(added)
    return _checked(text, told, agent, name)


def uninstalled(text: str, agent: Agent, name: str) -> str:
    """The text without our handlers."""
    return _checked(text, _without(text, agent, name, keep=set()), agent, name)


def _block(event: str, group: Group) -> str:
    (handler,) = group["hooks"]
    told = "".join(
        f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in handler.items()
    )
    return f"\n[[hooks.{event}]]\n[[hooks.{event}.hooks]]\n{told}"


def _without(text: str, agent: Agent, name: str, keep: set[str]) -> str:
    def gone(found: re.Match[str]) -> str:
        ours = f"{agent.route}\\" in found[0] or f'{agent.route}"' in found[0]
        return "" if ours and found["event"] not in keep else found[0]

    left = _BLOCK.sub(gone, text)
    still = {event for event, *_ in ours_in(hooks_in(left, name), agent)} - keep
    if still:
        raise HooksError(
            f"{name}: the hooks of {', '.join(sorted(still))} that go to {agent.route} are written"
            " in another way than `tower hooks` does. Take them out by hand; nothing was written."
        )
    return left


def _checked(before: str, after: str, agent: Agent, name: str) -> str:
    """The text, if nothing but ours is another in it."""
    same = _foreign(before, agent, name)
    try:
        if _foreign(after, agent, name) == same:
            return after
    except HooksError:
        pass
    raise HooksError(
        f"{name}: hooks are written there in a way that cannot be added to, such as hooks = {{…}}."
        " Write them as [[hooks.Stop]] tables, or move them to hooks.json; nothing was written."
    )


def _foreign(text: str, agent: Agent, name: str) -> dict[str, Any]:
    values = values_in(text, name)
    hooks = values.pop("hooks", {})
    left = without_ours(hooks, agent) if isinstance(hooks, dict) else hooks
    return {**values, "hooks": left} if left else values
