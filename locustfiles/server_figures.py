"""What the server says of itself while it is under load, from ``/metrics`` of each role.

Asked by the master every few seconds; told at the end: CPU and memory, the delay of broadcasts, the
time that flushes take, and how late the loop is. Another server than ours has none, and that is no
failure. Used by ``scenarios``.
"""

import logging
import time
import urllib.request
from collections import defaultdict
from typing import Any

import gevent
import options
from figures import Reading, lines, read
from locust import events
from locust.runners import WorkerRunner

EVERY_S = 2.0
logger = logging.getLogger(__name__)


class Watch:
    """Asks the roles of one run, and tells at its end."""

    def __init__(self, environment: Any) -> None:
        options_of_run = environment.parsed_options
        named = options_of_run.metrics.split(",") if options_of_run.metrics else []
        self._addresses = named or [environment.host.rstrip("/") + "/metrics"]
        self._headers = options.headers_of(options_of_run)
        self._readings: dict[str, list[Reading]] = defaultdict(list)
        self._asking = gevent.spawn(self._ask)

    def _ask(self) -> None:
        while True:
            for address in self._addresses:
                self._take(address)
            gevent.sleep(EVERY_S)

    def _take(self, address: str) -> None:
        request = urllib.request.Request(address, headers=self._headers)  # noqa: S310 - the user's
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - the same
                series = read(answer.read().decode())
        except (OSError, ValueError) as error:
            logger.info("%s has no metrics: %s", address, error)
            return
        self._readings[address].append(Reading(time.monotonic(), series))

    def tell(self) -> None:
        """The figures, and no more questions."""
        gevent.kill(self._asking)
        for address, readings in self._readings.items():
            if len(readings) > 1:
                for line in lines(address, readings):
                    logger.info("%s", line)


def listen() -> None:
    """Watch every run of this process from now on."""
    watches: list[Watch] = []

    @events.init_command_line_parser.add_listener
    def add_options(parser: Any, **_: Any) -> None:
        parser.add_argument(
            "--metrics", default="", help="addresses of /metrics, by commas (default: the host's)"
        )

    @events.test_start.add_listener
    def start(environment: Any, **_: Any) -> None:
        if not isinstance(environment.runner, WorkerRunner):
            watches.append(Watch(environment))

    @events.test_stop.add_listener
    def stop(**_: Any) -> None:
        while watches:
            watches.pop().tell()
