"""What this machine has: curl or a stand-in for it, and which Claude Code."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from tower.hooks.agents import CLAUDE_CODE, Agent
from tower.hooks.entries import HTTP_SINCE, Options, Version
from tower.hooks.errors import HooksError

VERSION_S = 5


def options(agent: Agent, *, http: bool) -> Options:
    """How hooks of this agent are sent from here. Raises HooksError."""
    version = claude_version() if agent == CLAUDE_CODE else None
    if http and version is not None and version < HTTP_SINCE:
        raise HooksError("--http: this Claude Code is older than 2.1.63; upgrade it, or leave it")
    return Options(http, None if shutil.which("curl") else _program(), version)


def _program() -> str:
    """The ``tower`` that sends where there is no curl."""
    beside = Path(sys.executable).with_name("tower")
    found = str(beside) if beside.is_file() else shutil.which("tower")
    if found is None:
        raise HooksError("neither curl nor tower is on the PATH; install curl")
    return found


def claude_version() -> Version | None:
    """What ``claude --version`` says; None where it is not installed or says nothing."""
    try:
        done = subprocess.run(
            ["claude", "--version"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=VERSION_S, check=False,
        )  # fmt: skip
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    found = re.match(r"\s*(\d+)\.(\d+)\.(\d+)", done.stdout)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None
