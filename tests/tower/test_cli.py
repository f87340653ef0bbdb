"""The command line: exit codes, help, and JSON of every command that reads."""

import json
import re
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.tower.commands import babbler, run
from tower.cli import app

HOOKS = (["hooks", "install"], ["hooks", "uninstall"], ["hooks", "status"], ["hooks", "send"])
COMMANDS = (["up"], ["replay"], ["token"], ["doctor"], ["config", "show"], ["version"], *HOOKS)
READING = (["token"], ["doctor"], ["config", "show"], ["version"], ["hooks", "status"])


@pytest.mark.parametrize("command", [[], ["config"], ["hooks"], *COMMANDS])
def test_every_command_explains_itself(command: list[str]) -> None:
    """A sentence, and each option with one of its own."""
    told = CliRunner().invoke(app, [*command, "--help"], env={"COLUMNS": "200", "NO_COLOR": "1"})
    assert told.exit_code == 0
    assert "Usage:" in told.output
    for line in told.output.splitlines():
        option = re.match(r"[│ *]*(--[a-z-]+)", line)
        assert option is None or len(line.split("  ")) > 2, line


def test_no_command_is_wrong_usage(tmp_path: Path) -> None:
    """It shows what there is."""
    done = run(tmp_path)
    assert done.code == 2
    assert "Usage:" in done.told


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["up", "--nonsense"], ["up", "--port", "x"], ["replay"]]
)
def test_wrong_usage_is_exit_2(tmp_path: Path, arguments: list[str]) -> None:
    """And nothing is started."""
    assert run(tmp_path, *arguments).code == 2


@pytest.mark.parametrize("command", READING)
def test_every_reading_command_speaks_json(tmp_path: Path, command: list[str]) -> None:
    """Nothing else stands on its output."""
    done = run(tmp_path, *command, "--json", TOWER_PORT="9")
    assert json.loads(done.out)
    assert done.code in (0, 1)


def test_the_version_is_a_number(tmp_path: Path) -> None:
    """The same for people and scripts."""
    done = run(tmp_path, "version")
    assert re.fullmatch(r"\d[\w.+]*\n", done.out)
    assert json.loads(run(tmp_path, "version", "--json").out)["version"] == done.out.strip()


def test_the_token_is_the_one_that_is_kept_or_set(tmp_path: Path) -> None:
    """What is printed opens the door."""
    done = run(tmp_path, "token", "--data-dir", str(tmp_path / "d"))
    assert done.out == (tmp_path / "d" / "token").read_text()
    assert run(tmp_path, "token", TOWER_TOKEN="mine").out == "mine\n"


def test_config_show_names_values_and_places(tmp_path: Path) -> None:
    """With secrets masked, in both forms."""
    (tmp_path / "tower.toml").write_text("port = 99")
    done = run(tmp_path, "config", "show", TOWER_TOKEN="hunter2", TOWER_HOST="::1")
    assert re.search(r"^port +99 +\(.*tower\.toml\)$", done.out, re.MULTILINE)
    assert re.search(r"^host +::1 +\(environment TOWER_HOST\)$", done.out, re.MULTILINE)
    as_json = run(tmp_path, "config", "show", "--json", TOWER_TOKEN="hunter2")
    assert "hunter2" not in done.out + as_json.out
    rows = {row["name"]: row for row in json.loads(as_json.out)}
    assert rows["port"]["value"] == 99


@pytest.mark.parametrize(
    ("text", "variable", "words"),
    [
        ("prot = 1", {}, ("prot", "tower.toml")),
        ("port = 'x'", {}, ("port", "tower.toml")),
        ("port = ", {}, ("tower.toml",)),
        ("", {"TOWER_PORT": "x"}, ("port", "TOWER_PORT")),
        ("", {"TOWER_AUTH": "x"}, ("auth", "TOWER_AUTH")),
        ("", {"TOWER_LOG_LEVEL": "x"}, ("log_level", "TOWER_LOG_LEVEL")),
        ("", {"TOWER_PORT": "70000"}, ("port", "TOWER_PORT")),
    ],
)
def test_a_bad_setting_is_exit_2_with_its_place(
    tmp_path: Path, text: str, variable: dict[str, str], words: tuple[str, ...]
) -> None:
    """One sentence, from every command that reads settings."""
    (tmp_path / "tower.toml").write_text(text)
    for command in (["up", "--no-browser"], ["config", "show"], ["token"]):
        done = run(tmp_path, *command, **variable)
        assert done.code == 2
        assert all(word in done.told for word in words)


def test_what_would_leave_the_door_open_is_refused(tmp_path: Path) -> None:
    """Exit 2, before anything listens."""
    done = run(tmp_path, "up", "--host", "0.0.0.0", "--no-auth")
    assert done.code == 2
    assert "--no-auth" in done.told
    done = run(tmp_path, "up", "--host", "0.0.0.0")
    assert done.code == 2
    assert "TOWER_TOKEN" in done.told
    done = run(tmp_path, "up", "--host", "0.0.0.0", TOWER_TOKEN="x" * 15)
    assert done.code == 2
    assert "16 characters" in done.told
    assert "xxx" not in done.told


@pytest.mark.parametrize("port", ["70000", "-1"])
def test_a_port_that_is_none_is_exit_2(tmp_path: Path, port: str) -> None:
    """As any other wrong usage."""
    done = run(tmp_path, "up", "--no-browser", f"--port={port}")
    assert done.code == 2
    assert "port" in done.told


def test_an_address_that_is_not_ours_is_exit_1(tmp_path: Path) -> None:
    """With the address and the system's reason."""
    done = run(tmp_path, "up", "--no-browser", "--host", "192.0.2.1", TOWER_TOKEN="x" * 16)
    assert done.code == 1
    assert "192.0.2.1" in done.err


@pytest.mark.parametrize("command", [["up", "--no-browser", "--port", "0"], ["token"]])
def test_a_data_folder_that_cannot_be_is_exit_1(tmp_path: Path, command: list[str]) -> None:
    """A sentence that names it, no traceback."""
    (tmp_path / "file").touch()
    folder = str(tmp_path / "file" / "data")
    done = run(tmp_path, *command, "--data-dir", folder)
    assert done.code == 1
    assert folder in done.told


# The doctor.


def findings(done_json: str) -> dict[str, dict[str, object]]:
    """What the doctor found, by name."""
    return {each["name"]: each for each in json.loads(done_json)}


def test_the_doctor_tells_what_is_there(tmp_path: Path) -> None:
    """Each check with a message, and no tower is only a remark."""
    path = tmp_path / ".claude" / "projects" / "-p" / "s.jsonl"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"{}\n")
    rollout = tmp_path / ".codex" / "sessions" / "2026" / "r.jsonl"
    rollout.parent.mkdir(parents=True)
    rollout.write_bytes(b"{}\n")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = str(closed.getsockname()[1])
        told = findings(run(tmp_path, "doctor", "--json", "--port", port).out)
    assert set(told) == {
        "python", "dashboard", "data_dir", "transcripts", "watches", "hooks", "tower",
    }  # fmt: skip
    assert told["transcripts"]["ok"] is True
    assert str(told["transcripts"]["message"]).startswith("2 files")
    assert told["tower"]["ok"] is None
    assert all(each["message"] for each in told.values())


def test_the_doctor_finds_what_hinders(tmp_path: Path) -> None:
    """Exit 1, the check marked, and what to do: a file is no place for a folder."""
    (tmp_path / "file").touch()
    done = run(tmp_path, "doctor", "--data-dir", str(tmp_path / "file" / "data"), TOWER_PORT="9")
    assert done.code == 1
    assert re.search(r"^FAIL +data_dir: .*--data-dir", done.out, re.MULTILINE)


def test_the_doctor_survives_another_program_at_the_port(tmp_path: Path) -> None:
    """Whatever it answers, it is no tower."""
    with babbler(b"SSH-2.0-OpenSSH_9.9\r\n") as port:
        done = run(tmp_path, "doctor", "--json", "--port", str(port))
    assert findings(done.out)["tower"]["ok"] is False
    assert done.code == 1


def test_the_doctor_asks_an_ipv6_address(tmp_path: Path) -> None:
    """Its address goes into brackets."""
    done = run(tmp_path, "doctor", "--json", "--port", "9", TOWER_HOST="::1")
    assert "[::1]:9" in str(findings(done.out)["tower"]["message"])
