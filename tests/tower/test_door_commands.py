"""``tower token`` and ``tower audit``: of a tower that runs, else out of the database."""

import json
from pathlib import Path

import pytest

from tests.end_to_end.running import started
from tests.tower.commands import Done, run
from tests.tower.processes import ask
from tower import door_commands
from tower.records import running_address


def tower(home: Path, *arguments: str) -> Done:
    """A command on the data folder of the test."""
    return run(home, *arguments, "--data-dir", str(home / "data"))


def test_without_a_tower_the_database_is_asked(tmp_path: Path) -> None:
    """Made, listed, revoked; the secret alone is on stdout, and nowhere afterwards."""
    made = tower(tmp_path, "token", "create", "--role", "agent", "--workspace", "shop")
    assert made.code == 0, made.told
    secret = made.out.strip()
    assert secret.startswith("tower_a_")
    listed = tower(tmp_path, "token", "list", "--json")
    [token] = json.loads(listed.out)["tokens"]
    assert (token["role"], token["workspace"], token["state"]) == ("agent", "shop", "good")
    assert secret not in listed.told
    assert token["id"] in made.err
    assert tower(tmp_path, "token", "revoke", token["id"]).code == 0
    assert "revoked" in tower(tmp_path, "token", "list").out
    acts = json.loads(tower(tmp_path, "audit", "--json").out)["acts"]
    assert [each["action"] for each in acts] == ["token_revoke", "token_create"]
    assert secret.encode() not in b"".join(
        path.read_bytes() for path in (tmp_path / "data").iterdir() if path.is_file()
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("create", "--role", "king"), "role"), (("revoke", "t-000000000000"), "no such token"),
        (("create", "--role", "viewer", "--expires", "soon"), "expires"),
        (("list", "--to", "http://127.0.0.1:1"), "does not answer"),
        (("list", "--to", "file:///etc/passwd"), "URL"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    """Exit 1, the reason on stderr, nothing on stdout."""
    done = tower(tmp_path, "token", *arguments)
    assert (done.code, done.out) == (1, "")
    assert said in done.err


def test_a_tower_that_runs_knows_at_once(tmp_path: Path) -> None:
    """Found by what it left in its folder, whatever its port, it is asked itself."""
    home, data = tmp_path / "claude", tmp_path / "data"
    (home / "projects").mkdir(parents=True)
    assert running_address(data) is None
    with started(home, data) as up:
        assert running_address(data) == f"http://{up.address}/"
        secret = tower(tmp_path, "token", "create", "--role", "viewer").out.strip()
        mine = {"Authorization": f"Bearer {secret}"}
        assert ask(up.address, "/api/me", **mine)[0] == 200
        [token] = json.loads(tower(tmp_path, "token", "list", "--json").out)["tokens"]
        assert tower(tmp_path, "token", "revoke", token["id"]).code == 0
        assert ask(up.address, "/api/me", **mine)[0] == 401
        assert up.end() == 0
    assert running_address(data) is None


def test_no_text_of_an_agent_moves_the_terminals_cursor() -> None:
    """A session's id is the agent's own."""
    act = {"at": 0, "actor": "owner", "name": "", "workspace": "w", "action": "open",
           "session": "a\x1b[2J\nb", "address": "", "detail": None}  # fmt: skip
    lines = door_commands.act_lines({"acts": [act]})
    assert len(lines.splitlines()) == 2
    assert all(each.isprintable() for each in lines.splitlines())
