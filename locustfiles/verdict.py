"""Whether a load was a success: what makes a run end with exit code 1, whatever locust is told.

A violation of hub.v1 fails it, and so does a run whose viewers were shown nothing. In a
distributed run the master judges, by the sums of its workers. Listens as soon as it is imported.
"""

import logging
from typing import Any

from locust import events
from locust.runners import WorkerRunner

HUB = "hub.v1"
DELAY = "event → frame"
FRAME = "frame"

logger = logging.getLogger(__name__)


def violated(environment: Any, name: str, error: BaseException) -> None:
    """Count something that must not happen, and say so at once."""
    logger.error("%s: %s", name, error)
    environment.events.request.fire(
        request_type=HUB, name=name, response_time=None, response_length=0, exception=error
    )


@events.quitting.add_listener
def judge(environment: Any, **_: Any) -> None:
    """Set the exit code of a run that has failed; a good one is left to locust."""
    if isinstance(environment.runner, WorkerRunner) or environment.runner is None:
        return
    for complaint in complaints(environment.stats):
        logger.error("failed: %s", complaint)
        environment.process_exit_code = 1


def complaints(stats: Any) -> list[str]:
    """Why a run with these figures is no success; none where it is one."""
    found = [
        f"{error.name}: {error.error} ({error.occurrences} times)"
        for error in stats.errors.values()
        if error.method == HUB
    ]
    watched = any(method == HUB for _, method in stats.entries)
    if watched and ("overview.snapshot", FRAME) not in stats.entries:
        found.append("there were viewers, and none was shown a board")
    return found
