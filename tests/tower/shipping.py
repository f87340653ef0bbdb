"""A real ``tower ship`` as a process: started, heard by its JSON lines, ended or killed."""

import contextlib
import json
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.tower.commands import COMMAND, environment
from tests.tower.processes import until

Event = dict[str, Any]
OFTEN = """
import functools, tower.ship
tower.ship.Limits = functools.partial(tower.ship.Limits, alive_ms={})
from tower.cli import main; main()
"""


class ShipProcess:
    """One that runs. ``heard`` is what it has said by now."""

    def __init__(self, process: subprocess.Popen[str], errors: Path) -> None:
        self.process = process
        self.heard: list[Event] = []
        self._errors = errors
        self._hearing = threading.Thread(target=self._hear)
        self._hearing.start()

    def _hear(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.heard.append(json.loads(line))

    @property
    def errors(self) -> str:
        """What it has logged."""
        return self._errors.read_text()

    def told(self, event: str) -> list[Event]:
        """Everything of one kind."""
        return [each for each in list(self.heard) if each["event"] == event]

    def says(self, event: str, times: int = 1, within_s: float = 60.0) -> Event:
        """Return when it has said so; gives the last of them."""
        until(lambda: len(self.told(event)) >= times, within_s)
        return self.told(event)[-1]

    def kill(self) -> None:
        """As a power cut would."""
        self.process.kill()
        self.process.wait(10)

    def end(self) -> int:
        """SIGTERM; gives the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)

    def done(self, within_s: float = 300.0) -> int:
        """Wait for one that ends by itself."""
        return self.process.wait(within_s)

    def close(self) -> None:
        """Whatever it does, it is over."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        self._hearing.join(10)
        assert self.process.stdout is not None
        self.process.stdout.close()


@contextlib.contextmanager
def ship(
    state: Path, to: str, claude: Path, *arguments: str, before: tuple[str, ...] = (),
    alive_ms: int | None = None, **more: str,
) -> Iterator[ShipProcess]:  # fmt: skip
    """One that has begun; ``before`` stands before the command, as ``ip netns exec`` does.

    With ``alive_ms`` it says more often that it is there.
    """
    state.mkdir(exist_ok=True)
    folders = ["--claude-dir", str(claude), "--codex-dir", str(state / "no-codex")]
    program = COMMAND if alive_ms is None else [*COMMAND[:2], OFTEN.format(alive_ms)]
    command = [*before, *program, "ship", "--to", to, *folders, "--json", *arguments]
    told = {"XDG_STATE_HOME": str(state / "state"), **more}
    errors = state / "errors.txt"
    with errors.open("a") as stderr:
        process = subprocess.Popen(
            command, cwd=state, env=environment(state, **told), text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr,
        )  # fmt: skip
    made = ShipProcess(process, errors)
    try:
        yield made
    finally:
        made.close()
