"""``tower hooks`` as a person runs it: what is written, what is said, and what is left alone."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.tower.commands import babbler, run

MINE = '{\n    "model": "opus",\n    "hooks": {"Stop": []},\n    "env": {"A": "\\u00e4"}\n}'
OLD = '{"hooks": {"Stop": [{"hooks": [{"type": "http", "url": "%s"}]}]}}'


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with both agents, and settings of Claude Code."""
    (tmp_path / ".codex").mkdir()
    (tmp_path / ".claude").mkdir()
    (tmp_path / ".claude" / "settings.json").write_text(MINE)
    return tmp_path


def files_of(home: Path) -> dict[str, str]:
    """Every file of both agents."""
    found = (path for name in (".claude", ".codex") for path in (home / name).rglob("*"))
    return {str(path.relative_to(home)): path.read_text() for path in found if path.is_file()}


def hooks_of(path: Path) -> dict[str, Any]:
    """The hooks in a file of settings."""
    hooks: dict[str, Any] = json.loads(path.read_text())["hooks"]
    return hooks


def test_install_writes_and_uninstall_brings_back(home: Path) -> None:
    """Byte for byte; a file that was not there is gone again, and what was is kept aside."""
    before = files_of(home)
    done = run(home, "hooks", "install")
    assert (done.code, done.err) == (0, "")
    assert len(hooks_of(home / ".claude" / "settings.json")) == 20
    assert len(hooks_of(home / ".codex" / "hooks.json")) == 9
    assert "/hooks" in done.told
    kept = [text for name, text in files_of(home).items() if name.endswith(".bak")]
    assert kept == [MINE]
    assert run(home, "hooks", "uninstall").code == 0
    after = files_of(home)
    assert {name: text for name, text in after.items() if not name.endswith(".bak")} == before


def test_a_second_install_has_nothing_to_do(home: Path) -> None:
    """Nothing is written, nothing kept aside."""
    run(home, "hooks", "install")
    before = files_of(home)
    done = run(home, "hooks", "install")
    assert (done.code, done.told.count("nothing to do")) == (0, 2)
    assert files_of(home) == before


def test_uninstall_without_hooks_has_nothing_to_do(home: Path) -> None:
    """Also where there is no file."""
    before = files_of(home)
    done = run(home, "hooks", "uninstall")
    assert (done.code, done.told.count("nothing to do")) == (0, 2)
    assert files_of(home) == before


def test_what_changed_meanwhile_stays_changed(home: Path) -> None:
    """Only ours are taken out then."""
    path = home / ".claude" / "settings.json"
    run(home, "hooks", "install")
    path.write_text(path.read_text().replace("opus", "sonnet"))
    run(home, "hooks", "uninstall")
    values = json.loads(path.read_text())
    assert values == {"model": "sonnet", "env": {"A": "ä"}}
    assert '"\\u00e4"' in path.read_text()


def test_another_tower_takes_the_place_of_the_first(home: Path) -> None:
    """And uninstall brings back what was before both."""
    before = files_of(home)
    run(home, "hooks", "install")
    run(home, "hooks", "install", "--to", "http://127.0.0.1:9000")
    assert ":8787" not in (home / ".claude" / "settings.json").read_text()
    run(home, "hooks", "uninstall")
    after = files_of(home)
    assert {name: text for name, text in after.items() if not name.endswith(".bak")} == before


def test_a_dry_run_shows_a_diff_and_writes_nothing(home: Path) -> None:
    """Of installing as of uninstalling."""
    before = files_of(home)
    done = run(home, "hooks", "install", "--dry-run")
    assert (done.code, files_of(home)) == (0, before)
    assert re.search(r"^--- .*/\.claude/settings\.json$", done.out, re.MULTILINE)
    assert re.search(r"^--- /dev/null\n\+\+\+ .*/\.codex/hooks\.json$", done.out, re.MULTILINE)
    assert '+    "SessionStart"' in done.out or '+        "SessionStart"' in done.out
    run(home, "hooks", "install")
    before = files_of(home)
    done = run(home, "hooks", "uninstall", "--dry-run")
    assert (done.code, files_of(home)) == (0, before)
    assert re.search(r"^\+\+\+ /dev/null$", done.out, re.MULTILINE)


def test_invalid_json_stops_everything(home: Path) -> None:
    """With file and line; the other agent's file is not written either."""
    path = home / ".claude" / "settings.json"
    path.write_text('{\n  "a": 1,\n}\n')
    before = files_of(home)
    for command in ("install", "uninstall"):
        done = run(home, "hooks", command)
        assert done.code == 1
        assert f"{path}, line 3" in done.told
        assert files_of(home) == before


def test_a_file_that_cannot_be_written_is_exit_1(home: Path) -> None:
    """With its path and the system's reason."""
    path = home / ".claude" / "settings.json"
    path.unlink()
    path.symlink_to("/proc/nowhere/settings.json")
    done = run(home, "hooks", "install", "--agent", "claude-code")
    assert done.code == 1
    assert "/proc/nowhere" in done.told


@pytest.mark.parametrize("kept", [True, False])
def test_a_project_has_a_file_of_its_own(home: Path, kept: bool) -> None:
    """The one that is not shared with others; a folder that was made for it goes with it."""
    options = ["--scope", "project", "--agent", "claude-code"]
    if not kept:
        (home / ".claude" / "settings.json").unlink()
        (home / ".claude").rmdir()
    before = files_of(home)
    assert run(home, "hooks", "install", *options).code == 0
    assert set(hooks_of(home / ".claude" / "settings.local.json")) > {"Stop", "SessionStart"}
    assert run(home, "hooks", "uninstall", *options).code == 0
    assert files_of(home) == before
    assert (home / ".claude").is_dir() is kept


def test_hooks_written_by_hand_are_taken_over(home: Path) -> None:
    """They are known by their route, whatever port."""
    path = home / ".claude" / "settings.json"
    path.write_text(OLD % "http://localhost:1234/v1/hooks/claude-code")
    run(home, "hooks", "install", "--agent", "claude-code")
    assert "1234" not in path.read_text()
    assert len(hooks_of(path)["Stop"]) == 1


def test_codex_hooks_stand_where_its_others_do(home: Path) -> None:
    """In config.toml, if that has any; it warns where they stand in both."""
    path = home / ".codex" / "config.toml"
    text = '[[hooks.Stop]]\n[[hooks.Stop.hooks]]\ntype = "command"\ncommand = "x"\n'
    path.write_text(text)
    run(home, "hooks", "install", "--agent", "codex")
    assert not (home / ".codex" / "hooks.json").exists()
    assert "/v1/hooks/codex" in path.read_text()
    run(home, "hooks", "uninstall", "--agent", "codex")
    assert path.read_text() == text


def test_an_agent_without_a_home_is_passed_over(home: Path) -> None:
    """Unless it is named; with none at all it says so."""
    (home / ".codex").rmdir()
    assert "codex" not in run(home, "hooks", "install").out
    assert run(home, "hooks", "install", "--agent", "codex").code == 0
    assert (home / ".codex" / "hooks.json").is_file()
    empty = home / "empty"
    empty.mkdir()
    done = run(empty, "hooks", "install")
    assert done.code == 1
    assert "--agent" in done.told


@pytest.mark.parametrize(
    "arguments",
    [
        ["--to", "tower.example.org"], ["--to", "http://a:b@c"], ["--scope", "machine"],
        ["--agent", "gemini"], ["--http", "--to", "https://tower.example.org"],
    ],
)  # fmt: skip
def test_wrong_usage_is_exit_2(home: Path, arguments: list[str]) -> None:
    """And nothing is written."""
    before = files_of(home)
    assert run(home, "hooks", "install", *arguments).code == 2
    assert files_of(home) == before


def test_a_tower_elsewhere_needs_a_token_here(home: Path) -> None:
    """It is named where it is missing, and never written."""
    to = ["--to", "https://tower.example.org"]
    assert "TOWER_TOKEN must be set" in run(home, "hooks", "install", *to).err
    done = run(home, "hooks", "install", *to, TOWER_TOKEN="hunter2")
    assert done.err == ""
    assert "hunter2" not in str(files_of(home)) + done.told


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"disableAllHooks": True}, "disableAllHooks"),
        ({"allowManagedHooksOnly": True}, "allowManagedHooksOnly"),
        ({"allowedHttpHookUrls": ["https://hooks.example.org/*"]}, "allowedHttpHookUrls"),
    ],
)
def test_what_keeps_hooks_from_running_is_said(
    home: Path, settings: dict[str, Any], words: str
) -> None:
    """With the file it stands in, by install and by status."""
    path = home / ".claude" / "settings.json"
    path.write_text(json.dumps(settings))
    done = run(home, "hooks", "install", "--agent", "claude-code", "--http")
    assert f"note: {path} has {words}" in done.err
    assert f"note: {path} has {words}" in run(home, "hooks", "status").out


def test_variables_that_are_not_allowed_are_said(home: Path) -> None:
    """The token would be empty."""
    path = home / ".claude" / "settings.json"
    path.write_text('{"httpHookAllowedEnvVars": [], "allowedHttpHookUrls": ["http://*"]}')
    more = {"TOWER_HOST": "0.0.0.0", "TOWER_TOKEN": "x"}
    done = run(home, "hooks", "install", "--agent", "claude-code", "--http", **more)
    assert "httpHookAllowedEnvVars without TOWER_TOKEN" in done.err
    assert "allowedHttpHookUrls" not in done.err


def test_codex_with_hooks_turned_off_is_said(home: Path) -> None:
    """By the feature's present and its former name."""
    for name in ("hooks", "codex_hooks"):
        (home / ".codex" / "config.toml").write_text(f"[features]\n{name} = false\n")
        done = run(home, "hooks", "install", "--agent", "codex")
        assert f"{name} = false" in done.err


def old_claude(home: Path, version: str) -> dict[str, str]:
    """An environment with this Claude Code in it."""
    program = home / "bin" / "claude"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f"#!/bin/sh\necho '{version} (Claude Code)'\n")
    program.chmod(0o755)
    return {"PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}


def test_an_old_claude_code_is_given_what_it_knows(home: Path) -> None:
    """It would drop the whole file for an event that it does not know."""
    more = old_claude(home, "2.0.76")
    done = run(home, "hooks", "install", "--agent", "claude-code", **more)
    assert "older than 2.1.101" in done.err
    assert "PostCompact" not in hooks_of(home / ".claude" / "settings.json")
    assert "installed for" in run(home, "hooks", "status", **more).out
    assert run(home, "hooks", "install", "--agent", "claude-code", "--http", **more).code == 1
    more = old_claude(home, "2.1.114")
    run(home, "hooks", "install", "--agent", "claude-code", **more)
    assert "PostCompact" in hooks_of(home / ".claude" / "settings.json")


# Status.


def states(home: Path, *arguments: str, **more: str) -> dict[str, Any]:
    """What status tells scripts, by agent."""
    done = run(home, "hooks", "status", "--json", *arguments, **more)
    return {each["agent"]: each for each in json.loads(done.out)}


def test_status_tells_the_four_states(home: Path) -> None:
    """None, installed, elsewhere and partly, with what is missing."""
    port = {"TOWER_PORT": "9"}
    assert states(home, **port)["claude-code"]["state"] == "none"
    run(home, "hooks", "install", **port)
    told = states(home, **port)["claude-code"]
    assert (told["state"], told["missing"], told["answer"]) == ("installed", [], "no answer")
    assert told["last_heard"] is None
    told = states(home, "--to", "http://127.0.0.1:10")["claude-code"]
    assert (told["state"], told["addresses"]) == ("elsewhere", ["http://127.0.0.1:9"])
    path = home / ".claude" / "settings.json"
    values = json.loads(path.read_text())
    del values["hooks"]["PermissionRequest"]
    path.write_text(json.dumps(values))
    told = states(home, **port)["claude-code"]
    assert (told["state"], told["missing"]) == ("partly", ["PermissionRequest"])
    words = run(home, "hooks", "status", **port).out
    assert "missing: PermissionRequest" in words
    assert "tower hooks install" in words


def test_status_of_a_file_that_cannot_be_read_is_exit_1(home: Path) -> None:
    """The other agent is told of all the same."""
    (home / ".claude" / "settings.json").write_text("{")
    done = run(home, "hooks", "status", "--json", TOWER_PORT="9")
    told = {each["agent"]: each for each in json.loads(done.out)}
    assert (done.code, told["claude-code"]["state"]) == (1, "unreadable")
    assert "line 1" in told["claude-code"]["notes"][0]
    assert told["codex"]["state"] == "none"


def test_status_knows_a_stranger(home: Path) -> None:
    """Another program at the tower's port is no tower."""
    with babbler(b"220 hello\r\n") as port:
        told = states(home, TOWER_PORT=str(port))
    assert told["codex"]["answer"] == "another program answers"


def test_the_doctor_speaks_of_hooks(home: Path) -> None:
    """One line, which is no failure."""
    assert "note  hooks: none for Claude Code and Codex" in run(home, "doctor").out
    run(home, "hooks", "install")
    assert "ok    hooks: there for Claude Code and Codex" in run(home, "doctor").out
