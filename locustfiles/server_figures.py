"""What the server says of itself while it is under load, from ``/metrics`` of each role.

Asked by the master every few seconds; told at the end: CPU and memory, the delay of broadcasts, the
time that flushes take, and how late the loop is. Another server than ours has none, and that is no
failure. Used by ``scenarios``.
"""

import logging
import os
import socket
import time
import urllib.request
from collections import defaultdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import gevent
import options
from figures import Reading, lines, of_process, read
from locust import events
from locust.runners import WorkerRunner

EVERY_S = 2.0
logger = logging.getLogger(__name__)


def resolved(url: str) -> list[str]:
    """The same by each address of its host: behind one name may be several of a role."""
    parts = urlsplit(url)
    port = parts.port or 80
    try:
        found = socket.getaddrinfo(parts.hostname, port, socket.AF_INET, socket.SOCK_STREAM)
    except OSError as error:
        logger.warning("%s is not asked: %s", url, error)
        return []
    addresses = sorted({str(address[0]) for *_, address in found})
    return [parts._replace(netloc=f"{each}:{port}").geturl() for each in addresses]


class Watch:
    """Asks the roles of one run, and tells at its end."""

    def __init__(self, environment: Any) -> None:
        told = environment.parsed_options
        named = told.metrics or environment.host.rstrip("/") + "/metrics"
        self._addresses = [each for name in named.split(",") for each in resolved(name)]
        self._pids = dict(each.split("=") for each in told.pids.split(",") if each)
        self._headers = options.headers_of(told)
        self._silent: set[str] = set()
        self._readings: dict[str, list[Reading]] = defaultdict(list)
        self._asking = gevent.spawn(self._ask)

    def _ask(self) -> None:
        while True:
            for address in self._addresses:
                self._take(address)
            for role, pid in self._pids.items():
                self._look_at(role, pid)
            gevent.sleep(EVERY_S)

    def _take(self, address: str) -> None:
        request = urllib.request.Request(address, headers=self._headers)  # noqa: S310 - the user's
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - the same
                series = read(answer.read().decode())
        except (OSError, ValueError) as error:
            if address not in self._silent:
                self._silent.add(address)
                logger.info("%s has no metrics: %s", address, error)
            return
        self._readings[address].append(Reading(time.monotonic(), series))

    def _look_at(self, role: str, pid: str) -> None:
        folder = Path("/proc") / pid
        try:
            told = (folder / "stat").read_text(), (folder / "status").read_text()
        except OSError as error:
            logger.warning("%s is not there: %s", role, error)
            return
        series = of_process(*told, os.sysconf("SC_CLK_TCK"))
        self._readings[role].append(Reading(time.monotonic(), series))

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
            "--metrics", env_var="TOWER_LOAD_METRICS", default="",
            help="addresses of /metrics, by commas (default: the host's); of a name with several "
            "addresses each is asked",
        )  # fmt: skip
        parser.add_argument(
            "--pids", default="",
            help="roles on this machine whose CPU and memory are told: hub=1234,ingest=1235",
        )  # fmt: skip

    @events.test_start.add_listener
    def start(environment: Any, **_: Any) -> None:
        if not isinstance(environment.runner, WorkerRunner):
            watches.append(Watch(environment))

    @events.test_stop.add_listener
    def stop(**_: Any) -> None:
        while watches:
            watches.pop().tell()
