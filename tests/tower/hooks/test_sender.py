"""The command that sends a hook, run by real shells with a stand-in for curl."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.tower.hooks.made import FAR, NEAR
from tests.tower.processes import until
from tower.hooks.agents import CLAUDE_CODE, CODEX, Agent
from tower.hooks.sender import command
from tower.hooks.target import Target

SHELLS = [shell for shell in ("sh", "bash", "dash", "zsh", "fish") if shutil.which(shell)]
BODY = b'{"session_id": "s", "prompt": "100 % \\"sure\\" $HOME `id` \\\\n \xc3\xa4"}'
CURL = """#!/bin/sh
[ -e "$BOARD/wait" ] && while [ ! -e "$BOARD/go" ]; do sleep 0.01; done
for each; do printf '%s\\n' "$each"; done > "$BOARD/arguments"
cat > "$BOARD/body"
[ -e /dev/fd/3 ] && cat <&3 > "$BOARD/header"
touch "$BOARD/done"
"""


@pytest.fixture
def board(tmp_path: Path) -> Path:
    """A folder with a curl that writes down what it was given."""
    (tmp_path / "curl").write_text(CURL)
    (tmp_path / "curl").chmod(0o755)
    return tmp_path


def run(line: str, board: Path, shell: str = "sh", **environ: str) -> None:
    """As an agent would; it must end well and say nothing."""
    path = f"{board}{os.pathsep}{os.environ['PATH']}"
    environment = {"PATH": path, "BOARD": str(board), "HOME": str(board), **environ}
    done = subprocess.run(
        [shell, "-c", line], input=BODY, env=environment, capture_output=True, timeout=30,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def told(board: Path, name: str) -> bytes:
    """What curl was given, once it has it all."""
    until((board / "done").exists)
    return (board / name).read_bytes()


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("target", [NEAR, FAR])
def test_the_payload_arrives_whole(board: Path, target: Target, shell: str) -> None:
    """Whatever is in it, and whichever shell Codex finds."""
    run(command(target, CODEX, None), board, shell, TOWER_TOKEN="secret")
    assert told(board, "body") == BODY
    assert told(board, "arguments").splitlines()[-1 if target is NEAR else -3] == (
        f"{target.url}/v1/hooks/codex".encode()
    )


@pytest.mark.parametrize("agent", [CLAUDE_CODE, CODEX])
@pytest.mark.parametrize("target", [NEAR, FAR])
def test_the_agent_waits_for_no_network(board: Path, target: Target, agent: Agent) -> None:
    """The command has ended while curl has not even begun."""
    (board / "wait").touch()
    run(command(target, agent, None), board, TOWER_TOKEN="secret")
    assert not (board / "done").exists()
    (board / "go").touch()
    assert told(board, "body") == BODY


def test_the_last_hook_lets_the_others_go_first(board: Path) -> None:
    """The end of a session must not be overtaken by that of its turn, or it would seem to live."""
    (board / "sleep").write_text('#!/bin/sh\n[ ! -e "$BOARD/done" ] && touch "$BOARD/slept"\n')
    (board / "sleep").chmod(0o755)
    run(command(NEAR, CLAUDE_CODE, None, last=True), board)
    assert told(board, "body") == BODY
    assert (board / "slept").exists()


def test_the_token_is_in_no_argument(board: Path) -> None:
    """Every program of the machine can read those; it goes by a file descriptor."""
    run(command(FAR, CLAUDE_CODE, None), board, TOWER_TOKEN="secret $(id)")
    assert told(board, "header") == b"Authorization: Bearer secret $(id)\n"
    assert b"secret" not in told(board, "arguments")


@pytest.mark.parametrize("environ", [{}, {"TOWER_TOKEN": ""}])
def test_without_a_token_nothing_is_sent_abroad(board: Path, environ: dict[str, str]) -> None:
    """There is no header that is empty."""
    line = command(FAR, CLAUDE_CODE, None).removesuffix(" &") + "; true"
    run(line, board, **environ)
    assert not (board / "done").exists()


def test_a_name_is_one_argument(board: Path) -> None:
    """And nothing in it is run."""
    name = "a\"b $HOME `id` \\ 'c"
    run(command(Target(NEAR.url, True, False, name, ""), CODEX, None), board)
    lines = told(board, "arguments").decode().splitlines()
    assert f"X-Tower-Host: {name}" in lines
    assert not any(line.startswith("X-Tower-User") for line in lines)


def test_a_machine_without_curl_says_nothing(board: Path) -> None:
    """Nor is there an error for anybody to see."""
    (board / "curl").unlink()
    for name in ("sh", "cat"):
        (board / name).symlink_to(shutil.which(name) or name)
    run(command(NEAR, CLAUDE_CODE, None), board, str(board / "sh"), PATH=str(board))


def test_the_tower_itself_sends_where_there_is_no_curl(board: Path) -> None:
    """With the same names, by its own command."""
    (board / "my tower").write_text((board / "curl").read_text())
    (board / "my tower").chmod(0o755)
    run(command(NEAR, CLAUDE_CODE, str(board / "my tower")), board)
    assert told(board, "arguments").decode().splitlines() == [
        "hooks", "send", f"{NEAR.url}/v1/hooks/claude-code",
        "--from-host", "laptop", "--from-user", "ana",
    ]  # fmt: skip
    assert told(board, "body") == BODY
