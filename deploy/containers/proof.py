"""The composed tower under faults: sessions are played while one container after another falls.

At the end every hub's board and SQL must tell each session as a fold in this process tells it.
Started by ``run`` beside this file, which has made the images and started the composition.
"""

import argparse
import asyncio
import contextlib
import json
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from locustfiles.reference_client import ReferenceClient
from session.fold import fold, new_session
from session.state import detail
from tests.hub.made import plain
from tower.replay import Play, Player, find

Json = dict[str, Any]

BACK_S = 120.0
FAULTS_EVERY_S = 20.0
AWAY_S = 5.0
ASKED = 3
FIGURES = ("messages", "tool_calls", "tool_errors", "title", "cost_state")
SPENT = ("input", "output", "cache_read", "cache_write")
BEGAN = time.monotonic()


class Failed(Exception):
    """Something did not come back, or is not what it should be."""


def say(text: str) -> None:
    """One line of the log."""
    print(f"{time.monotonic() - BEGAN:7.1f} s  {text}", flush=True)


def until(what: str, condition: Callable[[], Any], within_s: float = BACK_S) -> Any:
    """What the condition gives once it is true; a refusal is asked again."""
    began, told = time.monotonic(), None
    while time.monotonic() - began < within_s:
        try:
            if told := condition():
                say(f"{what}: after {time.monotonic() - began:.1f} s")
                return told
        except (OSError, ValueError) as error:
            told = error
        time.sleep(0.2)
    raise Failed(f"{what}: not within {within_s:.0f} s ({told})")


class Composition:
    """The containers, by podman, and their answers, by HTTP."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.project: str = options.project
        self.door: str = options.door
        self.token: str = options.token.read_text().strip()

    def podman(self, *arguments: str) -> str:
        """One command; gives what it printed."""
        done = subprocess.run(["podman", *arguments], capture_output=True, text=True, check=False)
        if done.returncode:
            raise Failed(f"podman {' '.join(arguments)}: {done.stderr.strip().splitlines()[-1:]}")
        return done.stdout.strip()

    def name(self, service: str) -> str:
        """The container of ``hub-1`` and the like."""
        return f"{self.project}_{service.replace('-', '_')}"

    def address(self, service: str) -> str:
        """Where it is in the network of the composition."""
        networks = json.loads(self.podman("inspect", self.name(service)))[0]["NetworkSettings"]
        return str(networks["Networks"][f"{self.project}_default"]["IPAddress"])

    def ask(self, path: str, where: str | None = None, body: bytes | None = None) -> bytes:
        """One answer, through the balancer unless told where."""
        asked = urllib.request.Request(
            f"http://{where or self.door}{path}", body, {"Authorization": f"Bearer {self.token}"}
        )
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return bytes(answer.read())

    def get(self, path: str, where: str | None = None) -> Json:
        """The same of JSON."""
        told: Json = json.loads(self.ask(path, where))
        return told

    def hubs(self) -> list[str]:
        """Every hub by itself."""
        return [f"{self.address(each)}:8787" for each in ("hub-1", "hub-2")]

    def sql(self, query: str) -> list[Json]:
        """Rows of history, from the database itself."""
        command = (
            "PGPASSWORD=$(cat /run/secrets/postgres_password) "
            f"psql -h 127.0.0.1 -U tower -d tower -Atc 'SELECT json_agg(r) FROM ({query}) r'"
        )
        return json.loads(self.podman("exec", self.name("postgres-1"), "sh", "-c", command)) or []

    def metric(self, name: str, service: str) -> float:
        """The sum of a metric's samples at one process."""
        page = self.ask("/metrics", f"{self.address(service)}:9464").decode()
        return sum(
            float(line.rpartition(" ")[2]) for line in page.splitlines() if line.startswith(name)
        )


class Watcher(threading.Thread):
    """A dashboard that is open all the while: it comes back by itself, and checks every frame."""

    def __init__(self, composition: Composition) -> None:
        super().__init__(daemon=True)
        self.client = ReferenceClient()
        self.connections = 0
        self.frames = 0
        self.fault: Exception | None = None
        self._composition = composition

    def run(self) -> None:
        """For ever."""
        asyncio.run(self._watch())

    async def _watch(self) -> None:
        while True:
            with contextlib.suppress(OSError, WebSocketException):
                await self._follow()
            await asyncio.sleep(0.5)

    async def _follow(self) -> None:
        told = {"Authorization": f"Bearer {self._composition.token}"}
        url = f"ws://{self._composition.door}/ws"
        async with connect(url, subprotocols=["hub.v1.json"], additional_headers=told) as socket:
            self.client = ReferenceClient()
            self.connections += 1
            hello = {"type": "hello", "protocol": 1, "client": "proof", "rate_hz": 5}
            await socket.send(json.dumps(hello))
            while True:
                data = await socket.recv()
                try:
                    self.client.feed(data.encode() if isinstance(data, str) else data)
                except Exception as error:
                    self.fault = error
                    raise
                self.frames += 1
                await socket.send(json.dumps({"type": "ack", "frames": len(self.client.frames)}))


class Replay(threading.Thread):
    """``tower replay`` in a container of its own, through the balancer."""

    def __init__(self, composition: Composition, sessions: Path, token: Path) -> None:
        super().__init__(daemon=True)
        self.ids: set[str] = set()
        self.lines = 0
        self.code: int | None = None
        self._command = [
            "podman", "run", "--rm", "--network", f"{composition.project}_default",
            "--volume", f"{sessions}:/sessions:ro", "--volume", f"{token}:/run/token:ro",
            "--env", "TOWER_TOKEN_FILE=/run/token", "localhost/agenttower:local",
            "replay", "/sessions", "--to", "http://haproxy:8080", "--speed", "100", "--json",
        ]  # fmt: skip

    def run(self) -> None:
        """Until it ends."""
        with subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                self.ids.add(json.loads(line)["session"])
                self.lines += 1
        self.code = process.returncode

    def has_failed(self) -> bool:
        """False while it plays; raises where it has ended too soon."""
        if self.code:
            raise Failed(f"the replay ended with exit code {self.code}")
        return False


def figures(row: Json) -> str:
    """What must be the same of a session, whatever fell while it was told."""
    tokens = [(row["tokens"] or {}).get(name) for name in SPENT]
    cost = None if row["cost_usd"] is None else round(row["cost_usd"], 6)
    return json.dumps([tokens, cost, *(row[name] for name in FIGURES)])


def expected(sessions: Path) -> Iterator[str]:
    """Every recorded session folded here, with no log, network or database in between."""
    play = Play(paths=[str(sessions)], target="")
    for recording in find(play.paths):
        player, session = Player(recording, play), None
        for step in player.steps:
            for delta in player.speak(step, time.time_ns() // 1_000_000):
                session = session or new_session(delta)
                fold(session, delta)
        if session is not None:
            yield figures(plain(detail(session)))


VERSIONS = {
    "redis-1": "redis-server --version", "postgres-1": "postgres --version",
    "haproxy-1": "haproxy -v", "prometheus-1": "prometheus --version", "hub-1": "python --version",
}  # fmt: skip


def introduce(composition: Composition) -> None:
    """What is run, by its own words."""
    say(f"{composition.podman('--version')}, {time.strftime('%Y-%m-%d', time.gmtime())}")
    for service, command in VERSIONS.items():
        told = composition.podman("exec", composition.name(service), "sh", "-c", f"{command} 2>&1")
        say(f"{service}: {told.splitlines()[0].partition(' - http')[0]}")
    names = composition.podman(
        "ps", "--filter", f"name={composition.project}", "--format", "{{.Names}}"
    )
    say(f"{len(names.split())} containers run")


def ask_people(composition: Composition) -> set[str]:
    """Open items that stay open, as hooks tell them."""
    for number in range(ASKED):
        hook = {
            "session_id": f"asking-{number}", "cwd": "/work", "tool_name": "Bash",
            "hook_event_name": "PermissionRequest", "tool_input": {"command": "make"},
        }  # fmt: skip
        composition.ask("/v1/hooks/claude-code", body=json.dumps(hook).encode())
    return until("open items are on the board", lambda: items(composition, None, ASKED))


def items(composition: Composition, where: str | None, count: int = 0) -> set[str]:
    """The ids of what waits, once there are so many."""
    told = {item["id"] for item in composition.get("/api/attention", where)["open"]}
    return told if len(told) >= count else set()


def is_reachable(composition: Composition, watcher: Watcher) -> None:
    """The page, its script and the socket, through the balancer."""
    until("ready through the balancer", lambda: composition.ask("/readyz"))
    page = composition.ask("/").decode()
    script = page.partition('src="')[2].partition('"')[0].lstrip(".")
    size = len(composition.ask(script))
    say(f"the page and its script ({size:,} bytes) come through the balancer")
    watcher.start()
    until("a socket through the balancer has its board", lambda: watcher.client.overview)


def let_fall(composition: Composition, watcher: Watcher) -> None:
    """One fault after the other, while sessions are played."""
    worker = (watcher.client.welcome or {}).get("worker", "")
    served = [each for each, where in zip(("hub-1", "hub-2"), composition.hubs(), strict=True)
              if composition.get("/api/clients", where)["clients"]]  # fmt: skip
    victim = served[0] if served else "hub-1"
    before = watcher.connections
    say(f"SIGKILL: {victim}, where the watcher is (worker {worker})")
    composition.podman("kill", "--signal", "KILL", composition.name(victim))
    until("the watcher has its board at another hub",
          lambda: watcher.connections > before and watcher.client.overview)  # fmt: skip
    come_back(composition, victim)
    time.sleep(FAULTS_EVERY_S)
    say("SIGKILL: ingest-1")
    composition.podman("kill", "--signal", "KILL", composition.name("ingest-1"))
    come_back(composition, "ingest-1")
    for service in ("redis-1", "postgres-1"):
        time.sleep(FAULTS_EVERY_S)
        say(f"restart: {service}, {AWAY_S:.0f} s away")
        composition.podman("stop", "--time", "20", composition.name(service))
        time.sleep(AWAY_S)
        composition.podman("start", composition.name(service))
        until("ready through the balancer", lambda: composition.ask("/readyz"))


def come_back(composition: Composition, service: str) -> None:
    """Its restart policy starts it; where podman has nobody to do so, this does."""
    time.sleep(AWAY_S)
    state = composition.podman(
        "inspect", "--format", "{{.State.Status}}", composition.name(service)
    )
    if state != "running":
        composition.podman("start", composition.name(service))
    say(f"{service} is started again ({'here' if state != 'running' else 'by its restart policy'})")
    until(
        f"{service} is ready",
        lambda: composition.ask("/readyz", f"{composition.address(service)}:8787"),
    )


def rows_of(composition: Composition, where: str | None) -> dict[str, Json]:
    """Every session that a worker lists."""
    told: Json = composition.get("/api/sessions?limit=1000", where)
    return {row["id"]: row for row in told["sessions"]}


def compare(composition: Composition, replay: Replay, truth: list[str], asked: set[str]) -> None:
    """Ids, figures and open items: SQL, both hubs, and the fold."""
    names = ", ".join(["id", "attention", "tokens", "cost_usd", *FIGURES])
    until("history has caught up", lambda: _is_recorded(composition, replay.ids))
    told = {"SQL": {row["id"]: row for row in composition.sql(f"SELECT {names} FROM sessions")}}
    for name, where in zip(("hub-1", "hub-2"), composition.hubs(), strict=True):
        told[name] = until(
            f"{name} lists every session", lambda at=where: _all(composition, at, replay.ids)
        )
        found = items(composition, where)
        if not asked <= found:
            raise Failed(f"{name} lacks open items: {sorted(asked - found)}")
        say(f"{name}: {len(found)} open items, those from before the faults among them")
    output = sum((row["tokens"] or {}).get("output", 0) for row in told["SQL"].values())
    cost_usd = sum(row["cost_usd"] or 0.0 for row in told["SQL"].values())
    say(f"SQL: {output:,} output tokens, {cost_usd:.2f} USD")
    for name, rows in told.items():
        have = sorted(figures(rows[each]) for each in replay.ids)
        if have != truth:
            wrong = [pair for pair in zip(have, truth, strict=False) if pair[0] != pair[1]]
            raise Failed(f"{name} differs in {len(wrong)} of {len(truth)} sessions: {wrong[:2]}")
        say(f"{name}: {len(have)} sessions, each with the tokens, cost and counts of the fold")


def _is_recorded(composition: Composition, ids: set[str]) -> bool:
    is_waiting = composition.metric("tower_recorder_lag_seconds", "recorder-1") > 0
    return (
        not is_waiting and {row["id"] for row in composition.sql("SELECT id FROM sessions")} >= ids
    )


def _all(composition: Composition, where: str, ids: set[str]) -> dict[str, Json]:
    rows = rows_of(composition, where)
    return rows if rows.keys() >= ids else {}


def is_healthy(composition: Composition) -> None:
    """By the check that each container has; podman asks them by itself only under systemd."""
    services = ["redis-1", "postgres-1", "ingest-1", "ingest-2", "hub-1", "hub-2", "recorder-1"]
    for service in [*services, "haproxy-1", "prometheus-1"]:
        composition.podman("healthcheck", "run", composition.name(service))
    say("every container is healthy by its own check")


def is_watched(composition: Composition, prometheus: str) -> None:
    """Prometheus has found every process of every role."""

    def found() -> list[Json]:
        targets = composition.get("/api/v1/targets", prometheus)["data"]["activeTargets"]
        return targets if len(targets) == 5 and all(t["health"] == "up" for t in targets) else []

    jobs = sorted(target["labels"]["job"] for target in until("Prometheus reaches all", found))
    say(f"Prometheus: {', '.join(jobs)}")
    alerts = composition.get("/api/v1/alerts", prometheus)["data"]["alerts"]
    names = sorted({f"{each['labels']['alertname']} ({each['state']})" for each in alerts})
    say(f"alerts: {', '.join(names) or 'none'}")


def prove(options: argparse.Namespace) -> None:
    """All of it, in its order."""
    composition = Composition(options)
    watcher, replay = Watcher(composition), Replay(composition, options.sessions, options.token)
    introduce(composition)
    is_reachable(composition, watcher)
    asked = ask_people(composition)
    replay.start()
    until("sessions are played", lambda: replay.lines > 500 or replay.has_failed())
    let_fall(composition, watcher)
    until("the replay has ended", lambda: not replay.has_failed() and replay.code == 0, 600)
    say(f"played: {len(replay.ids)} sessions, {replay.lines:,} lines")
    compare(composition, replay, sorted(expected(options.sessions)), asked)
    if watcher.fault is not None:
        raise Failed(f"the watcher was told what the protocol does not allow: {watcher.fault}")
    say(f"the watcher: {watcher.connections} connections, {watcher.frames:,} frames, none wrong")
    is_healthy(composition)
    is_watched(composition, options.prometheus)


def main() -> int:
    """Exit code 1 if anything failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", required=True)
    parser.add_argument("--door", required=True)
    parser.add_argument("--prometheus", required=True)
    parser.add_argument("--token", type=lambda told: Path(told).resolve(), required=True)
    parser.add_argument("--sessions", type=lambda told: Path(told).resolve(), required=True)
    try:
        prove(parser.parse_args())
    except Failed as failure:
        say(f"FAILED: {failure}")
        return 1
    say("passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
