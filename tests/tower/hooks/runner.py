"""An agent as far as its hooks go: reads them from its settings, and runs them for a payload."""

import json
import os
import re
import subprocess
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

SHELL_S = 30  # of those that an agent does not wait for; machines that run tests are slow


class Runner:
    """Hooks of Claude Code, or of Codex, from the file that ``install`` wrote."""

    def __init__(self, path: Path, **environ: str) -> None:
        self.hooks = json.loads(path.read_text())["hooks"]
        self.environ = {"PATH": os.environ["PATH"], "HOME": str(path.parent), **environ}
        self._beside: list[subprocess.Popen[bytes]] = []

    def fire(self, payload: dict[str, Any]) -> int:
        """Run every hook of the payload's event; gives how many. None may be seen to fail."""
        body = json.dumps(payload).encode()
        groups = self.hooks.get(payload["hook_event_name"], [])
        handlers = [handler for group in groups for handler in group["hooks"]]
        for handler in handlers:
            if handler["type"] == "http":
                self._post(handler, body)
            else:
                self._run(handler, body)
        return len(handlers)

    def settle(self) -> None:
        """Wait for what runs beside the agent, which must have ended well too."""
        for process in self._beside:
            self._ended(process, SHELL_S)
        self._beside.clear()

    def _run(self, handler: dict[str, Any], body: bytes) -> None:
        process = subprocess.Popen(
            ["sh", "-c", handler["command"]], env=self.environ,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert process.stdin is not None
        process.stdin.write(body)
        process.stdin.close()
        process.stdin = None
        if handler.get("async"):
            self._beside.append(process)
        else:
            self._ended(process, handler["timeout"] + SHELL_S)

    def _ended(self, process: subprocess.Popen[bytes], within_s: float) -> None:
        out, err = process.communicate(timeout=within_s)
        assert (process.returncode, out, err) == (0, b"", b"")

    def _post(self, handler: dict[str, Any], body: bytes) -> None:
        url = urlsplit(handler["url"])
        assert url.hostname is not None
        headers = {name: self._filled(handler, value) for name, value in handler["headers"].items()}
        connection = HTTPConnection(url.hostname, url.port, timeout=handler["timeout"] + SHELL_S)
        connection.request("POST", url.path, body, {"Content-Type": "application/json", **headers})
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"")
        connection.close()

    def _filled(self, handler: dict[str, Any], value: str) -> str:
        allowed = handler.get("allowedEnvVars", [])
        return re.sub(
            r"\$\{?(\w+)\}?",
            lambda found: self.environ.get(found[1], "") if found[1] in allowed else "",
            value,
        )
