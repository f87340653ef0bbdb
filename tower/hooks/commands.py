"""``tower hooks install``, ``uninstall`` and ``status``: works out every file, then writes them.

Exit codes: 0, 1 (failed; nothing was written). What is wrong is said on standard error. Raises
SettingsError where the target cannot be used.
"""

import sys
from collections.abc import Callable

from tower.hooks import machine
from tower.hooks.agents import AGENTS, CLAUDE_CODE, CODEX, Agent
from tower.hooks.entries import TOLERANT, Wanted, wanted
from tower.hooks.errors import HooksError
from tower.hooks.hindrances import hindrances
from tower.hooks.plan import Plan, installing, place_of, present_agents, uninstalling
from tower.hooks.status import lines, status_of
from tower.hooks.target import Target, make_target
from tower.setting import SettingsError
from tower.settings import Settings, as_json


def install(
    settings: Settings, to: str | None, scope: str, agents: list[str],
    *, http: bool, dry_run: bool,
) -> int:  # fmt: skip
    """Put our hooks into the files of these agents."""

    def work() -> int:
        target = make_target(settings, to)
        if http and not target.near:
            raise SettingsError("--http is for a tower on this machine: an agent waits for it")
        chosen = _chosen(agents)
        hooks = {agent.name: _wanted(target, agent, http=http) for agent in chosen}
        plans = [installing(place_of(agent, scope), hooks[agent.name]) for agent in chosen]
        for plan in plans:
            _install(plan, hooks[plan.place.agent.name], target, dry_run=dry_run)
        if target.needs_token and not settings["token"]:
            _note("TOWER_TOKEN must be set where agents are started; without it nothing is sent")
        return 0

    return _reported("install", work)


def _wanted(target: Target, agent: Agent, *, http: bool) -> Wanted:
    chosen = machine.options(agent, http=http)
    if agent == CLAUDE_CODE and chosen.version and chosen.version < TOLERANT:
        number = ".".join(map(str, chosen.version))
        _note(f"Claude Code {number} is older than 2.1.101: only the hooks that it surely knows")
    return wanted(target, agent, chosen)


def _install(plan: Plan, hooks: Wanted, target: Target, *, dry_run: bool) -> None:
    agent, path = plan.place.agent, plan.place.path
    if not plan.changes:
        print(f"{agent.name}: nothing to do; {len(hooks)} hooks for {target.url} stand in {path}")
    elif dry_run:
        sys.stdout.writelines(plan.diff())
    else:
        backup = plan.carry_out()
        kept = f" (as it was: {backup.name})" if backup else ""
        print(f"{agent.name}: {len(hooks)} hooks for {target.url} in {path}{kept}")
        print(f"  {agent.note}")
    for note in hindrances(plan.place, hooks):
        _note(note)


def uninstall(scope: str, agents: list[str], *, dry_run: bool) -> int:
    """Take our hooks out of the files of these agents, whatever tower they are for."""

    def work() -> int:
        plans = [uninstalling(place_of(agent, scope)) for agent in _chosen(agents)]
        for plan in plans:
            _uninstall(plan, dry_run=dry_run)
        return 0

    return _reported("uninstall", work)


def _uninstall(plan: Plan, *, dry_run: bool) -> None:
    agent, path = plan.place.agent, plan.place.path
    if not plan.changes:
        print(f"{agent.name}: nothing to do; none of our hooks is in {path}")
    elif dry_run:
        sys.stdout.writelines(plan.diff())
    else:
        backup = plan.carry_out()
        kept = f"taken out of {path} (as it was: {backup.name})" if backup else f"gone with {path}"
        print(f"{agent.name}: hooks {kept}")


def status(
    settings: Settings, to: str | None, scope: str, agents: list[str], *, json_output: bool
) -> int:
    """Say what stands where, and whether the tower answers."""

    def work() -> int:
        target = make_target(settings, to)
        chosen = _chosen(agents) if agents or present_agents() else list(AGENTS.values())
        found = [status_of(agent, scope, target, settings) for agent in chosen]
        if json_output:
            print(as_json(found))
        else:
            for each in found:
                print("\n".join(lines(each)))
        return int(any(each.state == "unreadable" for each in found))

    return _reported("status", work)


def _chosen(names: list[str]) -> list[Agent]:
    """The agents that were named, else those that this user has."""
    if names:
        return [AGENTS[name] for name in dict.fromkeys(names)]
    found = present_agents()
    if not found:
        homes = " nor ".join(str(agent.home) for agent in (CLAUDE_CODE, CODEX))
        raise HooksError(f"there is neither {homes}; say which agent is meant with --agent")
    return found


def _reported(name: str, work: Callable[[], int]) -> int:
    try:
        return work()
    except HooksError as error:
        print(f"tower hooks {name}: {error}", file=sys.stderr)
        return 1


def _note(text: str) -> None:
    print(f"  note: {text}", file=sys.stderr)
