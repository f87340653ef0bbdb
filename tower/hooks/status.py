"""``tower hooks status``: what stands in each agent's file, and what the tower says of it."""

from datetime import datetime

from msgspec import Struct

from tower.hooks import asking, machine
from tower.hooks.agents import Agent
from tower.hooks.entries import Wanted, known_events, ours_in
from tower.hooks.errors import HooksError
from tower.hooks.hindrances import hindrances
from tower.hooks.plan import Place, hooks_at, place_of
from tower.hooks.target import Target
from tower.settings import Settings


class Status(Struct, frozen=True):
    """One agent's hooks. ``state`` is ``installed``, ``partly``, ``elsewhere``, ``none`` or
    ``unreadable``; ``last_heard`` is in ms, null where the tower does not tell."""

    agent: str
    scope: str
    file: str
    state: str
    tower: str
    addresses: list[str]
    missing: list[str]
    answer: str
    last_heard: int | None
    notes: list[str]


def status_of(agent: Agent, scope: str, target: Target, settings: Settings) -> Status:
    """What is known of one agent."""
    token = asking.token_for(settings, target)
    answer = asking.answer_of(target, agent, token)
    heard = asking.last_heard(target, agent, token) if answer == asking.ANSWERS[405] else None
    try:
        place = place_of(agent, scope)
        state, addresses, missing = _standing(place, target)
        notes = hindrances(place, _as_they_stand(place))
    except HooksError as error:
        file, state, addresses, missing, notes = "", "unreadable", [], [], [str(error)]
    else:
        file = str(place.path)
    if target.needs_token and not settings["token"]:
        notes.append("TOWER_TOKEN is not set here; without it nothing is sent to this tower")
    return Status(
        agent.name, scope, file, state, target.url, addresses, missing, answer, heard, notes
    )


def _standing(place: Place, target: Target) -> tuple[str, list[str], list[str]]:
    hooks = hooks_at(place)
    ours = list(ours_in(hooks, place.agent))
    heard = {event for event, _, _, address in ours if address == target.address}
    version = machine.claude_version() if ours else None
    missing = [each for each in known_events(place.agent, version) if each not in heard]
    addresses = sorted({address for *_, address in ours})
    if not ours:
        return "none", addresses, missing
    if not heard:
        return "elsewhere", addresses, missing
    return "partly" if missing else "installed", addresses, missing


def _as_they_stand(place: Place) -> Wanted:
    """Ours as they are in the file: what may keep them from running depends on how they post."""
    hooks: dict[str, object] = hooks_at(place)
    found: dict[str, list[object]] = {}
    for event, group, index, _ in ours_in(hooks, place.agent):
        found.setdefault(event, []).append(hooks[event][group]["hooks"][index])  # type: ignore[index]
    return {event: {"hooks": handlers} for event, handlers in found.items()}


def lines(status: Status) -> list[str]:
    """The same for people."""
    told = {
        "installed": f"installed for {status.tower}",
        "partly": f"partly installed for {status.tower}; missing: {', '.join(status.missing)}",
        "elsewhere": f"installed for {', '.join(status.addresses)}, not for {status.tower}",
        "none": "not installed",
        "unreadable": "cannot be read",
    }[status.state]
    where = f" in {status.file}" if status.file else ""
    hint = "" if status.state in ("installed", "unreadable") else "; `tower hooks install` does it"
    heard = f"; last hook heard {_time(status.last_heard)}" if status.last_heard is not None else ""
    return [
        f"{status.agent}: {told}{where}{hint}",
        f"  the tower at {status.tower}: {status.answer}{heard}",
        *(f"  note: {note}" for note in status.notes),
    ]


def _time(at: int) -> str:
    return datetime.fromtimestamp(at / 1000).astimezone().strftime("%Y-%m-%d %H:%M:%S")
