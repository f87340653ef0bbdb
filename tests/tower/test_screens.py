"""What may leave, as the settings say, and what is said of a setting that cannot be used."""

from pathlib import Path

import pytest

from session.delta import Event
from tests.tower.commands import run
from tower.screens import screen_of
from tower.setting import SettingsError
from tower.settings import load

RULE = "[[rule]]\nkind = 'animal'\npattern = 'zebra'\n"


def said(text: str) -> Event:
    """A prompt."""
    return Event(id="e", session="s", received_at=1, kind="prompt", fields={"text": text})


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No settings but the test's own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_rules_come_from_the_file_that_the_setting_names(alone: Path) -> None:
    """Beside the built-in ones."""
    (alone / "rules.toml").write_text(RULE)
    screen = screen_of(load({"redact_rules": "rules.toml"}, {}))
    told = screen.clean(said("a zebra with PASSWORD=hunter22"))
    assert told.fields["text"] == "a [redacted:animal] with PASSWORD=[redacted:password]"


def test_content_is_what_the_setting_says() -> None:
    """From the environment as from a flag."""
    screen = screen_of(load({}, {"TOWER_CONTENT": "none"}))
    assert screen.clean(said("hello")).fields == {"text": ""}


@pytest.mark.parametrize("content", ["no such file", "off = ['nope']", "[[rule]]\nkind = 'a'"])
def test_a_file_that_cannot_be_used_is_refused(alone: Path, content: str) -> None:
    """By the setting's name and the file's."""
    if content != "no such file":
        (alone / "rules.toml").write_text(content)
    with pytest.raises(SettingsError, match=r"^redact_rules: rules\.toml"):
        screen_of(load({"redact_rules": "rules.toml"}, {}))


@pytest.mark.parametrize("command", ["up", "ingest", "replay"])
def test_nothing_starts_with_rules_that_cannot_be_used(alone: Path, command: str) -> None:
    """Exit 2 with the reason: better no board than one that tells what it should not."""
    (alone / "rules.toml").write_text("off = ['nope']")
    more = {"TOWER_REDACT_RULES": "rules.toml", "TOWER_REDIS_URL": "redis://127.0.0.1:1"}
    done = run(alone, command, ".", **more) if command == "replay" else run(alone, command, **more)
    assert done.code == 2
    assert "'nope' is no kind" in done.told
