"""What a hook takes of an agent's time: while the tower answers, and where there is none.

The command is the one that ``tower hooks install`` writes. Used by the benchmark of a service by
itself.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from generator import drive
from posting import HOOKS, Post
from roles import free_port
from towers import ROOT

from locustfiles.payloads import Script

CONNECTIONS = 8
SESSIONS = 50
WARM_S = 1.0


async def answers_ms(port: int, rate: float, seconds: float) -> list[float]:
    """Milliseconds from when a hook was due until it was answered; the first second is not told."""
    scripts = [Script(number) for number in range(SESSIONS)]
    due: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
    took: list[float] = []
    began, made = time.monotonic(), 0

    async def post() -> None:
        wire = Post(port)
        await wire.connect()
        try:
            while True:
                at, body = await due.get()
                await wire.send(HOOKS, body)
                if at - began > WARM_S:
                    took.append((time.monotonic() - at) * 1000)
        finally:
            wire.close()

    async def give(count: int) -> None:
        nonlocal made
        for _ in range(count):
            payload = scripts[made % SESSIONS].next(time.time_ns())
            due.put_nowait((time.monotonic(), json.dumps(payload).encode()))
            made += 1

    tasks = [asyncio.create_task(post()) for _ in range(CONNECTIONS)]
    tasks.append(asyncio.create_task(drive(rate, give)))
    done, _ = await asyncio.wait(
        tasks, timeout=seconds + WARM_S, return_when=asyncio.FIRST_EXCEPTION
    )
    for each in tasks:
        each.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for each in done:
        each.result()
    return took


def loses_ms(folder: Path, count: int) -> list[float]:
    """Milliseconds that the hook after a tool takes where nobody listens, waited for or not."""
    home = folder / "home"
    (home / ".claude").mkdir(parents=True)
    target = f"http://127.0.0.1:{free_port()}"
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(ROOT),
        "XDG_CONFIG_HOME": str(home), "XDG_DATA_HOME": str(home),
    }  # fmt: skip
    install = "from tower.cli import main; main()"
    subprocess.run(
        [sys.executable, "-c", install, "hooks", "install", "--to", target, "--agent",
         "claude-code"],
        env=environment, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    hooks: dict[str, Any] = json.loads((home / ".claude" / "settings.json").read_text())["hooks"]
    command = hooks["PostToolUse"][0]["hooks"][0]["command"]
    body = json.dumps(Script(1).next(0)).encode()
    took = []
    for _ in range(count):
        began = time.monotonic()
        subprocess.run(["sh", "-c", command], env=environment, input=body, check=True)
        took.append((time.monotonic() - began) * 1000)
    return took
