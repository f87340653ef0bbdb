"""The shell command that sends one hook payload, the same for every agent. Pure.

It reads the payload, lets go of the agent, and sends behind its back: whatever the network does,
the agent waits for a shell alone. It must print nothing and end with 0, always.
"""

import re
import shlex

from tower.hooks.agents import CODEX, Agent
from tower.hooks.target import Target

NEAR_S = 3
FAR_S = 8
CONNECT_S = 3
LAST_S = 1


def command(target: Target, agent: Agent, program: str | None, *, last: bool = False) -> str:
    """A line for ``sh``; ``program`` is a ``tower`` that sends where there is no curl.

    ``last``: what was sent before shall arrive before; each goes its own way, as fast as it can.
    """
    post = _by_tower(target, agent, program) if program else _by_curl(target, agent)
    # The payload is read before anything else, for its writer may stop once this command has
    # ended; HUP is ignored, for a terminal may be closed with its session.
    first = f"sleep {LAST_S}; " if last else ""
    first += '[ "$TOWER_TOKEN" ] && ' if target.needs_token else ""
    line = f'd=$(cat); (trap "" HUP; {first}printf %s "$d" | {post}) </dev/null >/dev/null 2>&1 &'
    # Codex gives commands to the person's own shell, which may be any.
    return f"sh -c {shlex.quote(line)}" if agent == CODEX else line


def quoted(word: str) -> str:
    """A word in double quotes, for sh."""
    return '"' + re.sub(r'(["$`\\])', r"\\\1", word) + '"'


def _by_curl(target: Target, agent: Agent) -> str:
    # No proxy stands between a machine and itself, whatever a person's settings say.
    limits = (
        f'-q -s -m {NEAR_S} --noproxy "*"'
        if target.near
        else f"-s -m {FAR_S} --connect-timeout {CONNECT_S}"
    )
    headers = ["Content-Type: application/json", *(f"{n}: {v}" for n, v in names(target).items())]
    told = " ".join(f"-H {quoted(each)}" for each in headers)
    sent = f"curl {limits} {told} --data-binary @- {quoted(target.url + agent.route)}"
    if not target.needs_token:
        return sent
    # By a file descriptor: what stands in an argument can be read by everybody on this machine.
    return f"{sent} -H @/dev/fd/3 3<<T\nAuthorization: Bearer $TOWER_TOKEN\nT\n"


def _by_tower(target: Target, agent: Agent, program: str) -> str:
    options = {"--from-host": target.host, "--from-user": target.user}
    told = " ".join(f"{name} {quoted(value)}" for name, value in options.items() if value)
    return f"{quoted(program)} hooks send {quoted(target.url + agent.route)} {told}".rstrip()


def names(target: Target) -> dict[str, str]:
    """The headers that say whose session it is."""
    told = {"X-Tower-Host": target.host, "X-Tower-User": target.user}
    return {name: value for name, value in told.items() if value}
