"""What ``tower up`` says of hooks: one line, once, where an agent is at home and has none."""

from pathlib import Path

import pytest

from tests.tower.commands import run
from tower.hooks.agents import CLAUDE_CODE
from tower.up import _hint_at_hooks


@pytest.fixture
def hinted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where it is kept that the line was said, in a home with Claude Code."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CODEX_HOME", str(tmp_path / ".codex"))
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / ".claude"))
    CLAUDE_CODE.home.mkdir()
    return tmp_path / "hinted"


def test_it_is_said_where_there_are_none(hinted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And kept in mind."""
    _hint_at_hooks(hinted)
    assert "`tower hooks install`" in capsys.readouterr().out
    assert hinted.exists()


def test_it_is_not_said_where_there_are(hinted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nor ever after they were taken out."""
    run(hinted.parent, "hooks", "install")
    _hint_at_hooks(hinted)
    assert capsys.readouterr().out == ""
    assert hinted.exists()


def test_it_waits_for_an_agent(hinted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody is told of hooks for a program that is not there."""
    CLAUDE_CODE.home.rmdir()
    _hint_at_hooks(hinted)
    assert capsys.readouterr().out == ""
    assert not hinted.exists()


def test_it_is_not_said_where_settings_cannot_be_read(
    hinted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A start is no time to complain of another program's file."""
    (CLAUDE_CODE.home / "settings.json").write_text("{")
    _hint_at_hooks(hinted)
    assert capsys.readouterr().out == ""
