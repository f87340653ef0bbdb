"""A laptop ships to a tower over TLS, and its cable is pulled: is all of it there, and once?

By hand, with a cut of a minute: ``python -m tests.end_to_end.ship_story HOME EXPECTED --cut 60``
prints what it saw as JSON.
"""

import argparse
import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests import certificates
from tests.end_to_end.namespaces import ADDRESSES, Machines, machines
from tests.history.exact import NAMES, Figures, differences, expected_of
from tests.tower.commands import COMMAND, environment
from tests.tower.processes import TOKEN, until
from tests.tower.shipping import ShipProcess, ship

PLAIN, TLS = 8787, 8443
URL = f"https://{ADDRESSES[0]}:{TLS}"
BEARER = f"Authorization: Bearer {TOKEN}"
WITHIN_S = 600.0
HAPROXY = """
global
  maxconn 200
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend tls
  bind {address}:{tls} ssl crt {pem}
  http-request set-header X-Forwarded-Proto https
  default_backend tower
backend tower
  server tower {address}:{plain}
"""


class Tower:
    """A ``tower up`` behind a proxy that ends TLS, asked on its own machine."""

    def __init__(self, pair: Machines) -> None:
        self._pair = pair

    def get(self, path: str) -> Any:
        """A JSON answer, past the proxy."""
        url = f"http://{ADDRESSES[0]}:{PLAIN}{path}"
        command = self._pair.there("curl", "-sf", "-m", "20", "-H", BEARER, url)
        done = subprocess.run(command, capture_output=True, check=False)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def figures(self) -> Figures:
        """What history counts by now."""
        rows = (self.get("/api/usage?by=session") or {"rows": []})["rows"]
        return {row["key"]: ([row[n] or 0 for n in NAMES], row["cost_usd"] or 0) for row in rows}

    def state(self) -> str:
        """Of the one source there is."""
        told = (self.get("/api/sources") or {"sources": []})["sources"]
        return str(told[0]["state"]) if told else "unknown"


@contextlib.contextmanager
def process(folder: Path, *command: str, **more: str) -> Iterator[None]:
    """One that is ended at the end."""
    with (folder / "log.txt").open("a") as log:
        running = subprocess.Popen(
            command, cwd=folder, env=environment(folder, TOWER_TOKEN=TOKEN, **more),
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        yield
    finally:
        running.terminate()
        running.wait(20)


@contextlib.contextmanager
def tower(pair: Machines, folder: Path, pem: Path) -> Iterator[Tower]:
    """It answers."""
    folder.mkdir()
    address = ADDRESSES[0]
    config = folder / "haproxy.cfg"
    config.write_text(HAPROXY.format(address=address, tls=TLS, plain=PLAIN, pem=pem))
    arguments = ["--host", address, "--port", str(PLAIN), "--no-watch", "--no-browser"]
    up = pair.there(*COMMAND, "up", *arguments)
    with process(folder, *up), process(folder, *pair.there("haproxy", "-f", str(config))):
        made = Tower(pair)
        until(lambda: made.get("/api/me"), WITHIN_S)
        yield made


class Laptop:
    """A home that grows, and an agent's hooks."""

    def __init__(self, pair: Machines, whole: Path, home: Path, authority: Path) -> None:
        self._pair = pair
        self._authority = authority
        self._home = home
        self._files = {path: home / path.relative_to(whole) for path in whole.rglob("*.jsonl")}

    def write(self, share: float) -> None:
        """So much of each transcript is there; the rest is not written yet."""
        for source, target in self._files.items():
            target.parent.mkdir(parents=True, exist_ok=True)
            data = source.read_bytes()
            there = target.stat().st_size if target.exists() else 0
            with target.open("ab") as file:
                file.write(data[there : int(len(data) * share)])

    def hook(self, prompt: str) -> bool:
        """Post one as an agent does; whether it was answered."""
        told = {"session_id": "hooked", "hook_event_name": "UserPromptSubmit", "prompt": prompt}
        command = self._pair.here(
            "curl", "-sf", "-m", "2", "--cacert", str(self._authority), "-H", BEARER,
            "-H", "X-Tower-Host: laptop-3", "-d", json.dumps(told), f"{URL}/v1/hooks/claude-code",
        )  # fmt: skip
        return subprocess.run(command, capture_output=True, check=False).returncode == 0


def story(home: Path, expected: Figures, folder: Path, cut_s: float) -> dict[str, Any]:
    """What was seen. ``wrong`` are sessions that do not count as they should, and must be none."""
    with machines() as pair:
        pems = certificates.made(folder / "pems", f"IP:{ADDRESSES[0]}")
        laptop = Laptop(pair, home, folder / "home", pems.authority)
        laptop.write(0.4)
        with (
            tower(pair, folder / "tower", pems.server) as there,
            ship(
                folder / "laptop", URL, folder / "home", "--ca-file", str(pems.authority),
                before=pair.here(), TOWER_TOKEN=TOKEN,
            ) as shipping,
        ):  # fmt: skip
            return told(pair, laptop, there, shipping, expected, cut_s)


def told(
    pair: Machines, laptop: Laptop, there: Tower, shipping: ShipProcess, expected: Figures,
    cut_s: float,
) -> dict[str, Any]:  # fmt: skip
    """Before the cut, in it, and after it."""
    seen: dict[str, Any] = {"cut_s": cut_s, "hook_before": laptop.hook("before")}
    shipping.says("sent", 1, WITHIN_S)
    pair.cable("down")
    cut_at = time.monotonic()
    laptop.write(0.8)
    seen["hook_in_the_cut"] = laptop.hook("lost")
    seen["sent_before"] = sum(each["deltas"] for each in shipping.told("sent"))
    shipping.says("away", 1, WITHIN_S)
    time.sleep(max(0, cut_s - (time.monotonic() - cut_at)))
    seen["source_in_the_cut"] = there.state()
    pair.cable("up")
    up_at = time.monotonic()
    laptop.write(1)
    shipping.says("back", 1, WITHIN_S)
    seen["back_after_s"] = round(time.monotonic() - up_at, 1)
    seen["hook_after"] = laptop.hook("after")
    with contextlib.suppress(AssertionError):
        until(lambda: differences(there.figures(), expected) == {}, WITHIN_S)
    seen["whole_after_s"] = round(time.monotonic() - up_at, 1)
    counted = there.figures()
    seen["wrong"] = differences(counted, expected)
    seen["sessions"] = len(expected)
    for at, name in enumerate(NAMES):
        seen[name] = [sum(each[0][at] for each in told.values()) for told in (counted, expected)]
    hooked = there.get("/api/sessions/hooked/timeline")["timeline"]
    seen["hooks_heard"] = [each["text"] for each in hooked if each["kind"] == "prompt"]
    until(lambda: there.state() == "live", WITHIN_S)
    seen["source_after"] = there.state()
    seen["exit_code"] = shipping.end()
    seen["sent"] = sum(each["deltas"] for each in shipping.told("sent"))
    seen["duplicates"] = sum(each["duplicates"] for each in shipping.told("sent"))
    seen["dropped"] = len(shipping.told("dropped"))
    seen["said"] = [each["event"] for each in shipping.heard if each["event"] != "sent"]
    return seen


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("expected", type=Path)
    parser.add_argument("--cut", type=float, default=60.0, help="seconds")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="ship-story-"))
    try:
        seen = story(asked.home, expected_of(asked.expected), folder, asked.cut)
    finally:
        shutil.rmtree(folder)
    sys.stdout.write(json.dumps(seen, indent=2) + "\n")
    return int(bool(seen["wrong"]))


if __name__ == "__main__":
    raise SystemExit(main())
