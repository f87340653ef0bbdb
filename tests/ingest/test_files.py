"""Which files are transcripts, whose they are, and what of a folder is left alone."""

import os
from pathlib import Path

import pytest

from ingest.files import look, scan
from ingest.homes import CLAUDE_CODE, Home, Identity, identify
from tests.ingest.reading import claude, codex, transcript

PROJECTS = Path("/home/ada/.claude/projects")


@pytest.mark.parametrize(
    ("path", "identity"),
    [
        ("-app/9b2.jsonl", Identity("9b2", "main")),
        ("-app/9b2/subagents/agent-a1.jsonl", Identity("9b2", "subagents/agent-a1")),
        (
            "-app/9b2/subagents/workflows/w/a.jsonl",
            Identity("9b2", "subagents/workflows/w/a"),
        ),
        ("-app/agent-a1.jsonl", Identity("agent-a1", "main")),
        ("-app/with.a.dot.jsonl", Identity("with.a.dot", "main")),
    ],
)
def test_a_transcript_belongs_to_whom_its_path_names(path: str, identity: Identity) -> None:
    """The file's stem is a session's, the folder above ``subagents`` a subagent's session."""
    assert identify(CLAUDE_CODE, PROJECTS, PROJECTS / path) == identity


@pytest.mark.parametrize(
    "path",
    [
        "9b2.jsonl",
        "-app/9b2.json",
        "-app/9b2.jsonl.tmp",
        "-app/9b2/tool-results/x.jsonl",
        "-app/9b2/other/subagents/x.jsonl",
        "-app/9b2/subagents.jsonl",
    ],
)
def test_other_files_are_no_transcripts(path: str) -> None:
    """Neither other suffixes, nor other folders, nor what lies beside the projects."""
    assert identify(CLAUDE_CODE, PROJECTS, PROJECTS / path) is None


def test_a_file_outside_of_the_projects_is_none() -> None:
    """A path that only looks alike belongs to nobody."""
    assert identify(CLAUDE_CODE, PROJECTS, Path("/elsewhere/-app/9b2.jsonl")) is None


def test_the_most_recently_written_is_found_first(tmp_path: Path) -> None:
    """What is probably live is read first, whichever home it is in."""
    names = (("a", "x"), ("b", "y"), ("a", "z"))
    paths = [transcript(tmp_path / home, name) for home, name in names]
    for at, path in zip((20, 30, 10), paths, strict=True):
        path.write_bytes(b"{}\n")
        os.utime(path, (at, at))
    found = scan([claude(tmp_path / "a"), claude(tmp_path / "b")])
    assert [each.identity.session for each in found] == ["y", "x", "z"]
    assert {each.size for each in found} == {3}


def test_an_absent_home_holds_nothing(tmp_path: Path) -> None:
    """Neither a missing home nor one without projects is an error."""
    (tmp_path / "empty").mkdir()
    assert scan([claude(tmp_path / "absent"), claude(tmp_path / "empty")]) == []
    assert claude(tmp_path).folders() == [tmp_path / "projects"]


def test_a_session_of_subagents_alone_is_found(tmp_path: Path) -> None:
    """The parent's own file may be missing; its subagents are still its own."""
    transcript(tmp_path, "s", "subagents", "agent-a1").write_bytes(b"{}\n")
    assert [each.identity for each in scan([claude(tmp_path)])] == [
        Identity("s", "subagents/agent-a1")
    ]


def test_a_file_that_is_gone_is_not_looked_at(tmp_path: Path) -> None:
    """Between its change and the look it may have been deleted."""
    assert look(claude(tmp_path), transcript(tmp_path)) is None


def test_a_pipe_called_like_a_transcript_is_none(tmp_path: Path) -> None:
    """Opening a pipe would wait for a writer for ever, and the reader with it."""
    path = transcript(tmp_path)
    os.mkfifo(path)
    assert look(claude(tmp_path), path) is None


def test_a_folder_called_like_a_transcript_is_none(tmp_path: Path) -> None:
    """A change of a folder is no change of a file."""
    path = transcript(tmp_path)
    path.mkdir()
    assert look(claude(tmp_path), path) is None


@pytest.mark.fixtures
def test_every_recorded_session_has_its_files(shared_fixtures: Path) -> None:
    """48 sessions with totals, each found under the id that its path names."""
    home = shared_fixtures / "claude_home"
    files = {each.path for each in scan([claude(home)])}
    assert files == {str(path) for path in (home / "projects").rglob("*.jsonl")}
    sessions = {each.identity.session for each in scan([claude(home)])}
    assert len(sessions) >= 48


# Codex.

UUID = "019d78fc-c449-7300-92a1-1e92604a4f6a"


def rollout(home: Path, *names: str) -> Path:
    """The path of a rollout below a home, its folder made."""
    path = home.joinpath(*names)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"{}\n")
    return path


@pytest.mark.parametrize(
    ("names", "session"),
    [
        (("sessions", "2026", "04", "10", f"rollout-2026-04-10T20-02-04-{UUID}.jsonl"), UUID),
        (("archived_sessions", f"rollout-2026-04-10T20-02-04-{UUID}.jsonl"), UUID),
        (("sessions", f"{UUID}.jsonl"), UUID),
        (("sessions", "rollout-of-another-kind.jsonl"), "rollout-of-another-kind"),
    ],
)
def test_a_rollout_is_the_session_that_its_name_ends_with(
    tmp_path: Path, names: tuple[str, ...], session: str
) -> None:
    """At any depth, archived or not; any other name is the session's id."""
    path = rollout(tmp_path, *names)
    found = scan([codex(tmp_path)])
    assert [(each.path, each.identity) for each in found] == [(str(path), (session, "main"))]
    assert {each.agent for each in found} == {"codex"}


def test_what_lies_beside_the_sessions_is_no_rollout(tmp_path: Path) -> None:
    """The list of prompts that Codex keeps has the same suffix."""
    rollout(tmp_path, "history.jsonl")
    rollout(tmp_path, "sessions", "a.jsonl")
    assert [each.identity.session for each in scan([codex(tmp_path)])] == ["a"]


def test_a_home_of_codex_without_sessions_holds_nothing(tmp_path: Path) -> None:
    """It was only set up; any other folder is taken for one of rollouts."""
    rollout(tmp_path, "copied", "a.jsonl")
    assert [each.identity.session for each in scan([codex(tmp_path)])] == ["a"]
    (tmp_path / "config.toml").touch()
    assert scan([codex(tmp_path)]) == []


def test_a_file_below_two_homes_is_found_once(tmp_path: Path) -> None:
    """The home that is named first decides whose it is."""
    transcript(tmp_path, "s").write_bytes(b"{}\n")
    for homes, agent in (("claude-code", "codex"), "claude-code"), (("codex",) * 2, "codex"):
        found = scan([Home(str(tmp_path), each) for each in homes])
        assert [each.agent for each in found] == [agent]
