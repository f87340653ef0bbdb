"""People who watch: each user is a browser's tab that follows the board and opens sessions.

``locust -f locustfiles/viewers.py --headless -u 20 -t 60s --host http://127.0.0.1:8787``.
Judges every frame by the rules of hub.v1, compares what waits for a person with what the hub
answers over HTTP, and measures the time from an event's own stamp to its frame. Any violation
fails the run. *lag* is how late this process is itself: where that grows, add processes.
"""

import json
import random
import time
import urllib.request
from typing import Any

import gevent
import options
import verdict
from locust import User, between, events, task
from locust.exception import StopUser
from reference_client import Violation
from stamps import first_shown
from viewer import Lost, Viewer

ACK_S = 0.2
ATTENTION_S = 2.0  # a request that is open for so long is on every screen
BACK_S_MAX = 30.0
RETRY_S = (0.05, 0.5)
LAG_S = 0.1
HIDDEN_HZ = 1
VIEWS: tuple[dict[str, Any], ...] = (
    {"limit": 200},
    {"limit": 50, "status": ["running", "waiting"]},
    {"limit": 200, "q": "test"},
)


class ViewerUser(User):
    """One tab; what it does now and then is what a person does."""

    wait_time = between(1.0, 4.0)

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        told = environment.parsed_options
        self._headers = options.headers_of(told)
        if not self.host:
            raise ValueError("which tower? name it by --host http://…")
        self._http = self.host.rstrip("/")
        self._opened_max = told.opened
        hello = {"rate_hz": told.viewer_hz, "subscriptions": told.opened}
        url = "ws" + self._http.removeprefix("http") + "/ws"
        self.viewer = Viewer(url, self._headers, hello)
        self._cut_at: float | None = None
        self._greenlets: list[gevent.Greenlet] = []
        self._is_over = False

    def on_start(self) -> None:
        """Connect, and go on when the board is there."""
        self._greenlets = [gevent.spawn(self._watch), gevent.spawn(self._acknowledge)]
        while not self.viewer.is_whole:
            self._go_on()
            gevent.sleep(0.02)

    def on_stop(self) -> None:
        """Leave."""
        self._is_over = True
        self.viewer.cut()
        gevent.killall(self._greenlets)

    # What a person does.

    @task(6)
    def open(self) -> None:
        """Look at a session."""
        self._go_on()
        if rows := list(self.viewer.reference.rows):
            self._tell(self.viewer.open, random.choice(rows), self._opened_max)  # noqa: S311

    @task(2)
    def activate(self) -> None:
        """Look at another one of those that are open."""
        self._go_on()
        if self.viewer.order:
            self._tell(self.viewer.activate, random.choice(self.viewer.order))  # noqa: S311

    @task(1)
    def close(self) -> None:
        """Close a session."""
        self._go_on()
        if self.viewer.order:
            self._tell(self.viewer.unsubscribe, self.viewer.order[0])

    @task(1)
    def filter(self) -> None:
        """Ask for other rows."""
        self._go_on()
        view = random.choice(VIEWS)  # noqa: S311 - no secret
        self._tell(lambda: self.viewer.view(**view))

    @task(1)
    def hide(self) -> None:
        """Look at something else for a moment."""
        self._go_on()
        self._tell(self.viewer.rate, HIDDEN_HZ)
        gevent.sleep(1)
        self._tell(self.viewer.rate, self.environment.parsed_options.viewer_hz)

    @task(1)
    def cut(self) -> None:
        """Lose the line, and come back with what was held."""
        self._go_on()
        self.lose_line()

    def lose_line(self) -> None:
        """Without a goodbye; how long it takes to be back is measured."""
        self._cut_at = self._cut_at or time.perf_counter()
        self.viewer.cut()

    @task(3)
    def compare_attention(self) -> None:
        """What waits for a person is on this screen, and what does not is not."""
        self._go_on()
        connection = self.viewer.connections
        before, then = self.viewer.items, self._open_items()
        gevent.sleep(ATTENTION_S)
        shown, now = self.viewer.items, self._open_items()
        if connection != self.viewer.connections or not self.viewer.is_whole:
            return
        if lost := (then & now) - shown:
            self._violated(Violation(f"attention lost: {sorted(lost)[:5]} wait for a person"))
        if left := (before & shown) - then - now:
            self._violated(Violation(f"attention stays: {sorted(left)[:5]} were closed"))
        self._go_on()

    def _open_items(self) -> set[str]:
        request = urllib.request.Request(self._http + "/api/attention", headers=self._headers)  # noqa: S310
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return {item["id"] for item in json.load(answer)["open"]}

    # What the tab does by itself.

    def _watch(self) -> None:
        while not self._is_over:
            try:
                self._connected()
            except Lost as lost:
                self._came_apart(lost)
            except (Violation, KeyError, ValueError) as error:
                self._violated(error)
            bye = self.viewer.reference.bye or {}
            wait_s = bye.get("retry_ms", 0) / 1000 or random.uniform(*RETRY_S)  # noqa: S311
            gevent.sleep(wait_s)

    def _connected(self) -> None:
        began = time.perf_counter()
        self.viewer.connect()
        self._fire("connect", verdict.HUB, (time.perf_counter() - began) * 1000)
        is_back = False
        while True:
            frame, size = self.viewer.read()
            now_ns = time.time_ns()
            self._fire(frame["type"], verdict.FRAME, None, size)
            if frame["type"] == "error" and frame["code"] != "unknown_session":
                raise Violation(f"the hub refuses: {frame['code']}, {frame['message']}")
            for lane, stamp_ns in first_shown(frame):
                self._fire(lane, verdict.DELAY, max(0, now_ns - stamp_ns) / 1e6, size)
            if not is_back and self.viewer.is_whole:
                is_back = True
                self._came_back()

    def _came_apart(self, lost: Lost) -> None:
        if lost.is_final and not self._is_over:
            self._violated(lost)
        elif self._cut_at is None and not self._is_over:
            self._cut_at = time.perf_counter()
            self._fire(f"closed by {lost.code}", verdict.HUB, None)

    def _came_back(self) -> None:
        if self._cut_at is not None:
            took_s, self._cut_at = time.perf_counter() - self._cut_at, None
            self._fire("back after a cut", verdict.HUB, took_s * 1000)
            if took_s > BACK_S_MAX:
                self._violated(Violation(f"back after {took_s:.0f} s"))

    def _acknowledge(self) -> None:
        while not self._is_over:
            gevent.sleep(ACK_S)
            if self.viewer.connections:
                self._tell(self.viewer.acknowledge)

    def _tell(self, say: Any, *arguments: Any) -> None:
        try:
            say(*arguments)
        except Lost:
            return  # whoever reads notices it as well

    def _violated(self, error: BaseException) -> None:
        self._is_over = True
        verdict.violated(self.environment, "violation", error)
        self.viewer.cut()

    def _go_on(self) -> None:
        if self._is_over:
            raise StopUser

    def _fire(self, name: str, kind: str, took_ms: float | None, size: int = 0) -> None:
        self.environment.events.request.fire(
            request_type=kind, name=name, response_time=took_ms, response_length=size,
            exception=None,
        )  # fmt: skip


@events.test_start.add_listener
def watch_lag(environment: Any, **_: Any) -> None:
    """Measure how late this process is, which is part of everything that it measures."""

    def watch() -> None:
        while environment.runner.state not in ("stopping", "stopped", "cleanup"):
            began = time.perf_counter()
            gevent.sleep(LAG_S)
            late_ms = (time.perf_counter() - began - LAG_S) * 1000
            environment.events.request.fire(
                request_type="load", name="lag", response_time=late_ms, response_length=0,
                exception=None,
            )  # fmt: skip

    gevent.spawn(watch)
