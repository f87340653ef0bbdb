"""Agents at work: each user is one Claude Code session that posts its hooks to the ingest.

``locust -f locustfiles/agents.py --headless -u 50 -t 60s --host http://127.0.0.1:8787``.
An answer that would alarm an agent (anything but 200 with an empty body) is a failure.
"""

import itertools
import os
import random
import time
from typing import Any

import gevent
import options
from locust import FastHttpUser, task
from payloads import Payload, Script

HOOKS = "/v1/hooks/claude-code"
SPREAD_S = 2.0  # users that begin together would keep time for ever

_numbers = itertools.count(int.from_bytes(os.urandom(6), "big") << 16)


class AgentUser(FastHttpUser):
    """One session; ``--agent-rate`` events a second, at random distances as agents have them."""

    connection_timeout = network_timeout = 10.0

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        told = environment.parsed_options
        self.script = Script(next(_numbers), told.asks_every)
        own = {"X-Tower-Host": "load", "X-Tower-User": "somebody"}
        self._headers = {**own, **options.headers_of(told)}
        self._began = False

    def events_per_second(self) -> float:
        """How busy this session is."""
        rate: float = self.environment.parsed_options.agent_rate
        return rate

    def wait_time(self) -> float:
        """Until the next event."""
        return random.expovariate(self.events_per_second())

    def on_start(self) -> None:
        """Begin somewhere in the first seconds, not with everybody else."""
        spread_s = min(SPREAD_S, 1 / self.events_per_second())
        gevent.sleep(random.uniform(0, spread_s))  # noqa: S311 - no secret

    @task
    def work(self) -> None:
        """What happens next in this session."""
        self._post(self.script.next(time.time_ns()))
        self._began = True

    def on_stop(self) -> None:
        """A session that has begun is closed."""
        if self._began:
            self._post(self.script.end(time.time_ns()))

    def _post(self, payload: Payload) -> None:
        name = payload["hook_event_name"]
        with self.client.post(
            HOOKS, json=payload, headers=self._headers, name=name, catch_response=True
        ) as answer:
            # Where there is none, it is 0, and locust itself says why.
            if answer.status_code and (answer.status_code != 200 or answer.content):
                answer.failure(f"an agent would be alarmed by {answer.status_code}")
