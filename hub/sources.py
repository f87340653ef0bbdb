"""Machines whose readers send from afar: which are silent or behind, on every board.

Looks at what the ingests noted; never decides anything. Started beside the worker by the commands.
"""

import asyncio
import logging
from typing import Any

from bus import sources
from bus.errors import BusError
from bus.sources import Heard
from hub.limits import Limits
from hub.worker import Worker, now_ms

log = logging.getLogger(__name__)

LOOK_S = 5.0
LIVE, LATE, SILENT, ENDED = "live", "late", "silent", "ended"
TROUBLES = (SILENT, LATE)


def state_of(heard: Heard, limits: Limits) -> str:
    """What is to be said of a source. One that said goodbye is missed by nobody."""
    source = heard.source
    if source.ended:
        return ENDED
    if heard.age_ms > limits.source_silent_ms:
        return SILENT
    return LATE if (source.bytes_behind or 0) >= limits.source_late_bytes else LIVE


def view_of(heard: Heard, limits: Limits) -> dict[str, Any]:
    """A source as the API tells it."""
    source = heard.source
    return {
        "host": source.host,
        "user": source.user,
        "kind": source.kind,
        "state": state_of(heard, limits),
        "heard_at": source.heard_at,
        "files_behind": source.files_behind,
        "bytes_behind": source.bytes_behind,
    }


def troubles(heard: list[Heard], limits: Limits) -> dict[str, list[dict[str, Any]]]:
    """By workspace those that are silent, the one heard last first, and then those behind."""
    found: dict[str, list[dict[str, Any]]] = {}
    for each in sorted(heard, key=lambda each: each.age_ms):
        told = view_of(each, limits)
        if told["state"] in TROUBLES:
            short = {name: told[name] for name in ("host", "user", "state", "heard_at")}
            behind = told["bytes_behind"] if told["state"] == LATE else None
            found.setdefault(each.source.workspace, []).append({**short, "bytes_behind": behind})
    for each_workspace in found.values():
        each_workspace.sort(key=lambda told: TROUBLES.index(told["state"]))
        del each_workspace[limits.sources_told_max :]
    return found


class Sources:
    """The sources as this worker saw them last."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self._heard: list[Heard] = []
        self._looked_ms = 0

    async def run(self) -> None:
        """Look now and then, until cancelled."""
        while True:
            try:
                await self.look()
            except BusError as error:
                log.debug("sources are not looked at: %s", error)
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Look once, and tell the boards where something changed; raises BusUnavailable."""
        self._heard, self._looked_ms = await sources.heard(self.worker.bus), now_ms()
        board = self.worker.board
        found = troubles(self._heard, board.limits)
        for workspace in {*found, *board.cache.totals}:
            totals, told = board.cache.totals_of(workspace), found.get(workspace, [])
            if totals.sources != told:
                totals.sources = told
                board.rooms.note_totals(workspace)
                self.worker.schedule()

    def view(self, workspace: str) -> list[dict[str, Any]]:
        """All sources of a workspace, by host, as of now."""
        limits, more_ms = self.worker.board.limits, now_ms() - self._looked_ms
        told = [
            view_of(Heard(each.source, each.age_ms + more_ms), limits)
            for each in self._heard
            if each.source.workspace == workspace
        ]
        return sorted(told, key=lambda each: (each["host"], each["user"], each["kind"]))
