"""The benchmark of the first read: how fast old transcripts are in history, and who notices.

A tower of its own reads a home for the first time, history rows included, while hooks are posted
and a client waits for what they say; the same hooks afterwards, in the quiet, are what that is
compared with. Started by ``scripts/bench first-read``.
"""

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

from fanout import machine, shown
from towers import Tower, started
from websockets.asyncio.client import ClientConnection, connect

TARGET_MB_PER_S = 29.0
TARGET_RATIO = 1.5
PROBE = "probe"
PROBES_PER_S = 100
TIMEOUT_S = 300.0


class Measured(NamedTuple):
    """One run: megabytes, seconds until all of it was in the database, latencies in ms."""

    megabytes: float
    seconds: float
    quiet_ms: list[float]
    busy_ms: list[float]


def parse() -> argparse.Namespace:
    """The words of the command line."""
    parser = argparse.ArgumentParser(prog="scripts/bench first-read", description=__doc__)
    parser.add_argument("--home", type=Path, default=Path.home() / ".claude", help="what to read")
    parser.add_argument("--megabytes", type=int, default=230, help="copied until it is so much")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the values there as well")
    return parser.parse_args()


# The home that is read.


def fill(home: Path, source: Path, bytes_min: int) -> int:
    """Copies of another home's transcripts, each with ids of its own; gives their bytes."""
    files = sorted((source / "projects").rglob("*.jsonl"))
    size, copy, old_s = 0, 0, time.time() - 2 * 86_400
    while files and (size < bytes_min or copy == 0):
        for file in files:
            parts = file.relative_to(source / "projects").parts
            at = home / "projects" / f"{parts[0]}-{copy}"
            into = (
                at / f"{copy}-{parts[1]}" / Path(*parts[2:])
                if len(parts) > 2
                else (at / f"{copy}-{parts[1]}")
            )
            into.parent.mkdir(parents=True, exist_ok=True)
            into.write_bytes(file.read_bytes().replace(b'"msg_', b'"msg_%d_' % copy))
            os.utime(into, (old_s, old_s))  # of one that was written just now the reader takes care
            size += into.stat().st_size
        copy += 1
    return size


# The probe: hooks, and a client that waits for what they say.


@contextlib.asynccontextmanager
async def watched(tower: Tower) -> AsyncIterator[ClientConnection]:
    """A client of the board."""
    headers = {"Authorization": f"Bearer {tower.token}"}
    url = f"ws://127.0.0.1:{tower.port}/ws"
    async with connect(url, additional_headers=headers, max_size=None) as socket:
        await socket.send(json.dumps({"type": "hello", "protocol": 1, "rate_hz": 1}))
        yield socket


async def probe(tower: Tower, until: asyncio.Event) -> list[float]:
    """From a hook's post to the attention frame that says it, in ms, again and again."""
    latencies: list[float] = []
    async with watched(tower) as socket:
        reading = asyncio.create_task(_attention(socket, arrived := asyncio.Queue()))
        reader, writer = await asyncio.open_connection("127.0.0.1", tower.port)
        asks = True
        while not until.is_set():
            began = time.perf_counter()
            writer.write(_hook(asks))
            await reader.readuntil(b"\r\n\r\n")
            at = await asyncio.wait_for(arrived.get(), TIMEOUT_S)
            latencies.append((at - began) * 1_000)
            asks = not asks
            await asyncio.sleep(max(0.0, 1 / PROBES_PER_S - (time.perf_counter() - began)))
        writer.close()
        reading.cancel()
    return latencies


_READ = ('{"type":"attention"', '{"type":"heartbeat"')


async def _attention(socket: ClientConnection, arrived: "asyncio.Queue[float]") -> None:
    frames = 0
    async for frame in socket:
        frames += 1
        at = time.perf_counter()
        if str(frame).startswith(_READ):  # a board's rows would take longer than what is measured
            told: dict[str, Any] = json.loads(frame)
            if told["type"] == "heartbeat":
                await socket.send(json.dumps({"type": "pong", "id": told["id"]}))
            elif not told.get("full") and _is_of_probe(told):
                arrived.put_nowait(at)
        await socket.send(json.dumps({"type": "ack", "frames": frames}))


def _is_of_probe(told: dict[str, Any]) -> bool:
    """Whether a frame says what the hook said: transcripts ask and fail as well."""
    opened = (item["session"] for item in told.get("open", ()))
    closed = (each["id"].partition(":")[0] for each in told.get("closed", ()))
    return PROBE in {*opened, *closed}


def _hook(asks: bool) -> bytes:
    name = "PermissionRequest" if asks else "Stop"
    payload = {"session_id": PROBE, "hook_event_name": name, "cwd": "/probe"}
    if asks:
        payload |= {"tool_name": "Bash", "tool_input": {"command": "make"}}
    body = json.dumps(payload).encode()
    head = "POST /v1/hooks/claude-code HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def quiet(folder: Path, seconds: float) -> list[float]:
    """The probe beside a tower that has nothing to read, for as long from its start."""
    with started(Path(tempfile.mkdtemp(dir=folder)), folder / "nothing") as tower:
        until = asyncio.Event()
        asyncio.get_running_loop().call_later(seconds, until.set)
        return await probe(tower, until)


async def busy(folder: Path, home: Path, files: int) -> tuple[float, list[float]]:
    """Seconds until everything is in the database, and the probe meanwhile."""
    with started(Path(tempfile.mkdtemp(dir=folder)), home) as tower:
        began, until = time.perf_counter(), asyncio.Event()
        probing = asyncio.create_task(probe(tower, until))
        while not await asyncio.to_thread(tower.has_recorded, files):
            if time.perf_counter() - began > TIMEOUT_S:
                raise SystemExit("the first read did not end in time")
            await asyncio.sleep(0.05)
        seconds = time.perf_counter() - began
        until.set()
        return seconds, await probing


async def measure(folder: Path, home: Path, size: int) -> Measured:
    """One round: the first read, then as much of the quiet; both begin with a tower's start."""
    files = len(list((home / "projects").rglob("*.jsonl")))
    seconds, meanwhile = await busy(folder, home, files)
    still = await quiet(folder, seconds)
    return Measured(size / 1e6, seconds, still, meanwhile)


def quantile(values: list[float], share: float) -> float:
    """The value below which so large a share lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def lines(rounds: list[Measured]) -> list[dict[str, Any]]:
    """What is told, over all rounds: the median of each value."""
    middle = len(rounds) // 2
    speed = sorted(each.megabytes / each.seconds for each in rounds)[middle]
    still = sorted(quantile(each.quiet_ms, 0.99) for each in rounds)[middle]
    live = sorted(quantile(each.busy_ms, 0.99) for each in rounds)[middle]
    ratio = sorted(quantile(e.busy_ms, 0.99) / quantile(e.quiet_ms, 0.99) for e in rounds)[middle]
    return [
        {"what": "first read, history rows included, MB/s", "value": speed,
         "target": f"≥ {TARGET_MB_PER_S:g}", "met": speed >= TARGET_MB_PER_S},
        {"what": "hook → attention frame p99 in the quiet, ms", "value": still},
        {"what": "hook → attention frame p99 meanwhile, ms", "value": live},
        {"what": "meanwhile against the quiet", "value": ratio, "target": f"≤ {TARGET_RATIO}",
         "met": ratio <= TARGET_RATIO},
    ]  # fmt: skip


def main() -> int:
    """Measure, and print the table."""
    told = parse()
    folder = Path(tempfile.mkdtemp(prefix="first-read-"))
    try:
        size = fill(folder / "home", told.home, told.megabytes * 1_000_000)
        if not size:
            raise SystemExit(f"no transcripts below {told.home}; choose another --home")
        rounds = [asyncio.run(measure(folder, folder / "home", size)) for _ in range(told.rounds)]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{machine()}; {size / 1e6:.0f} MB, {told.rounds} rounds\n")
    for line in lines(rounds):
        target = f"{line['target']}: {'met' if line['met'] else 'missed'}" if "met" in line else ""
        print(f"{line['what']:<48} {shown(line['value']):>10}  {target}")
    if told.json:
        told.json.write_text(json.dumps({"rows": lines(rounds)}, indent=2))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
