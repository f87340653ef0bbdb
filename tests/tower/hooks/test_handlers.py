"""Installed hooks at work: with a tower, without one, and with one that never answers."""

import json
import re
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import free_port
from tests.end_to_end.running import Tower, started, until
from tests.tower.commands import ROOT, run
from tests.tower.hooks.runner import Runner
from tower.hooks import json_hooks, machine
from tower.hooks.agents import CLAUDE_CODE, CODEX
from tower.hooks.entries import wanted
from tower.hooks.target import Target
from tower.users import user_name

TURN: list[dict[str, Any]] = [
    {"session_id": "s1", "hook_event_name": "SessionStart", "cwd": "/srv/shop"},
    {"session_id": "s1", "hook_event_name": "UserPromptSubmit", "prompt": "Add 'a' cart\n100 %"},
    {"session_id": "s1", "hook_event_name": "PreToolUse", "tool_name": "Bash",
     "tool_use_id": "t1", "tool_input": {"command": "ls"}},
    {"session_id": "s1", "hook_event_name": "PermissionRequest", "tool_name": "Bash",
     "tool_input": {"command": "ls"}},
]  # fmt: skip
WORDS = re.compile(
    r'^tower_ingest_events_total\{outcome="(?:accepted|late)",source="hooks"\} (\S+)', re.MULTILINE
)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with both agents."""
    for name in (".claude", ".codex"):
        (tmp_path / "home" / name).mkdir(parents=True)
    return tmp_path / "home"


@pytest.fixture
def tower(home: Path, tmp_path: Path) -> Iterator[Tower]:
    """A tower that is up."""
    with started(home / ".claude", tmp_path / "data") as running:
        yield running


def installed(home: Path, address: str, *arguments: str, **environ: str) -> Runner:
    """An agent with hooks for the tower at this address."""
    done = run(home, "hooks", "install", "--to", f"http://{address}", *arguments, **environ)
    assert done.code == 0, done.told
    return Runner(home / ".claude" / "settings.json")


def heard(tower: Tower) -> int:
    """How many hooks the tower took in."""
    text = tower.ask("GET", "/metrics")[2].decode()
    return sum(int(float(number)) for number in WORDS.findall(text))


@pytest.mark.parametrize("arguments", [[], ["--http"]])
def test_a_session_appears_on_the_board(tower: Tower, home: Path, arguments: list[str]) -> None:
    """With the question that it asks, and whose it is."""
    agent = installed(home, tower.address, "--agent", "claude-code", *arguments)
    for number, payload in enumerate(TURN, 1):
        assert agent.fire(payload) == 1
        agent.settle()
        until(lambda number=number: heard(tower) == number)
    row = until(lambda: tower.live().get("s1"))
    assert (row["status"], row["current_tool"], row["attention"]) == ("waiting", "Bash", 1)
    assert (row["agent"], row["project"]) == ("claude-code", "shop")
    assert (row["host"], row["user"]) == (socket.gethostname(), user_name())
    texts = [each["text"] for each in tower.get("/api/live/s1")["timeline"]]
    assert "Add 'a' cart\n100 %" in texts


def test_a_session_of_codex_appears_too(tower: Tower, home: Path) -> None:
    """By its own file, route and shell."""
    installed(home, tower.address)
    agent = Runner(home / ".codex" / "hooks.json")
    for number, payload in enumerate(TURN[:2], 1):
        agent.fire({**payload, "model": "gpt-5.5"})
        until(lambda number=number: heard(tower) == number)
    row = until(lambda: tower.live().get("s1"))
    assert (row["agent"], row["status"], row["model"]) == ("codex", "running", "gpt-5.5")


def test_a_machine_without_curl_sends_all_the_same(
    tower: Tower, home: Path, tmp_path: Path
) -> None:
    """By the tower's own program."""
    (tmp_path / "bin").mkdir()
    for name in ("sh", "cat"):
        (tmp_path / "bin" / name).symlink_to(shutil.which(name) or name)
    path = {"PATH": str(tmp_path / "bin")}
    done = run(home, "hooks", "install", "--to", f"http://{tower.address}", **path)
    assert done.code == 0, done.told
    agent = Runner(home / ".claude" / "settings.json", PYTHONPATH=str(ROOT), **path)
    assert "curl" not in str(agent.hooks)
    agent.fire(TURN[0])
    agent.settle()
    assert until(lambda: tower.live().get("s1"), 30)["host"] == socket.gethostname()


def test_status_tells_when_the_last_hook_was_heard(tower: Tower, home: Path) -> None:
    """As soon as there is one, to whoever has the token."""
    installed(home, tower.address)
    asked = ["hooks", "status", "--json", "--agent", "claude-code", "--to"]
    asked.append(f"http://{tower.address}")
    (told,) = json.loads(run(home, *asked, TOWER_TOKEN=tower.token).out)
    assert (told["state"], told["answer"], told["last_heard"]) == ("installed", "answers", None)
    tower.hook(TURN[1])
    until(lambda: "s1" in tower.live())
    (told,) = json.loads(run(home, *asked, TOWER_TOKEN=tower.token).out)
    assert told["last_heard"] == tower.live()["s1"]["sources"]["hooks"]
    (told,) = json.loads(run(home, *asked, TOWER_TOKEN="wrong").out)
    assert (told["answer"], told["last_heard"]) == ("answers", None)


@pytest.mark.fixtures
def test_recorded_hooks_arrive_one_and_all(tower: Tower, home: Path, shared_fixtures: Path) -> None:
    """Those of a real session, each by the command that was installed for it."""
    agent = installed(home, tower.address)
    lines = (shared_fixtures / "hooks" / "claude_code.jsonl").read_text().splitlines()
    payloads = [json.loads(line) for line in lines]
    session = payloads[-1]["session_id"]
    sent = sum(agent.fire(each) for each in payloads if each["session_id"] == session)
    agent.settle()
    assert sent > 5
    until(lambda: heard(tower) == sent, 60)
    assert tower.live()[session]["agent"] == "claude-code"


@pytest.mark.parametrize("name", [".claude/settings.json", ".codex/hooks.json"])
def test_without_a_tower_nothing_is_seen(home: Path, name: str) -> None:
    """Every hook of every event ends well and says nothing."""
    installed(home, f"127.0.0.1:{free_port()}")
    agent = Runner(home / name)
    for event in agent.hooks:
        assert agent.fire({"session_id": "s1", "hook_event_name": event}) == 1
    agent.settle()


@pytest.mark.parametrize("kind", [CLAUDE_CODE, CODEX])
def test_a_tower_that_never_answers_holds_nobody(home: Path, kind: Any) -> None:
    """Every hook has ended while its connection still waits to be taken."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        target = Target(url, near=False, needs_token=True, host="laptop", user="ana")
        path = home / "hooks.json"
        hooks = wanted(target, kind, machine.options(kind, http=False))
        path.write_text(json_hooks.installed("", hooks, kind, "hooks.json"))
        agent = Runner(path, TOWER_TOKEN="made-up")
        for event in agent.hooks:
            agent.fire({"session_id": "s1", "hook_event_name": event})
        agent.settle()
        silent.settimeout(30)
        connection, _ = silent.accept()
        with connection:
            assert b"Authorization: Bearer made-up\r\n" in connection.recv(65_536)
