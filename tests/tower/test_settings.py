"""Settings: who wins, what is refused by name and place, and what is never shown."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tower import settings
from tower.setting import SettingsError
from tower.settings import BY_NAME, SETTINGS, load, shown

Load = Callable[..., settings.Settings]


@pytest.fixture
def user_file(tmp_path: Path) -> Path:
    """The user's own tower.toml, still absent."""
    path = tmp_path / "config" / "agenttower" / "tower.toml"
    path.parent.mkdir(parents=True)
    return path


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tower.toml of the folder we are in, still absent."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here" / "tower.toml"


@pytest.fixture
def loaded(here: Path, user_file: Path) -> Load:
    """Loading with flags and an environment of the test's own."""

    def load_with(flags: dict[str, Any] | None = None, **environ: str) -> settings.Settings:
        return load(flags or {}, {"XDG_CONFIG_HOME": str(user_file.parents[1]), **environ})

    return load_with


def origin(told: settings.Settings, name: str = "port") -> tuple[Any, str]:
    """A value and where it came from."""
    return told.values[name].value, told.values[name].origin


def test_flags_win_then_environment_then_files_then_default(
    loaded: Load, here: Path, user_file: Path
) -> None:
    """Each one is seen as soon as the one above it is silent."""
    user_file.write_text("port = 4\nlog_level = 'info'")
    here.write_text("port = 3")
    assert origin(loaded({"port": 1}, TOWER_PORT="2")) == (1, "flag")
    assert origin(loaded({"port": None}, TOWER_PORT="2")) == (2, "environment TOWER_PORT")
    assert origin(loaded()) == (3, str(here))
    assert origin(loaded(), "log_level") == ("info", str(user_file))
    here.unlink()
    assert origin(loaded()) == (4, str(user_file))
    user_file.unlink()
    assert origin(loaded()) == (8787, "default")


def test_an_empty_variable_is_not_set(loaded: Load) -> None:
    """As shells and compose files leave them."""
    assert origin(loaded(TOWER_PORT="")) == (8787, "default")


def test_files_are_looked_for_here_and_with_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without XDG_CONFIG_HOME the user's folder is ~/.config."""
    monkeypatch.setenv("HOME", "/home/ada")
    here, user = settings.config_files({})
    assert here == Path("tower.toml").absolute()
    assert user == Path("/home/ada/.config/agenttower/tower.toml")


def test_an_unknown_name_in_a_file_is_refused(loaded: Load, here: Path) -> None:
    """With the file and the names that are known."""
    here.write_text("prot = 1")
    with pytest.raises(SettingsError, match="prot") as raised:
        loaded()
    assert str(here) in str(raised.value)
    assert "port" in str(raised.value)


@pytest.mark.parametrize("text", ["port = ", "= 3", "\x00", "port = 1\nport = 2"])
def test_a_file_that_cannot_be_read_is_named(loaded: Load, here: Path, text: str) -> None:
    """The place and the reason, never a traceback."""
    here.write_text(text)
    with pytest.raises(SettingsError) as raised:
        loaded()
    assert str(here) in str(raised.value)


def test_a_folder_in_the_place_of_a_file_is_named(loaded: Load, here: Path) -> None:
    """The same for what is no file at all."""
    here.mkdir()
    with pytest.raises(SettingsError, match=r"tower\.toml"):
        loaded()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "eighty"), ("port", "80.5"), ("port", "-1"), ("port", "65536"),
        ("watch", "maybe"), ("auth", "2"), ("subscriptions", "x"), ("subscriptions", "0"),
        ("subscriptions", "33"), ("log_level", "loud"), ("content", "some"),
    ],
)  # fmt: skip
def test_a_bad_value_names_the_setting_and_the_place(loaded: Load, name: str, value: str) -> None:
    """Limits are known when a value is read, not when something breaks by it."""
    variable = f"TOWER_{name.upper()}"
    with pytest.raises(SettingsError) as raised:
        loaded(**{variable: value})
    assert name in str(raised.value)
    assert variable in str(raised.value)


@pytest.mark.parametrize(
    "line",
    ["port = true", "port = 1.5", "host = 5", "watch = 7", "allowed_hosts = 5", "token = []"],
)
def test_a_value_of_another_kind_in_a_file_is_refused(loaded: Load, here: Path, line: str) -> None:
    """TOML knows kinds; what does not fit is named with its file."""
    here.write_text(line)
    with pytest.raises(SettingsError) as raised:
        loaded()
    assert line.split(" ", maxsplit=1)[0] in str(raised.value)
    assert str(here) in str(raised.value)


def test_an_empty_host_is_refused(loaded: Load) -> None:
    """Nothing is no address; nobody may listen everywhere by a slip."""
    with pytest.raises(SettingsError, match="host"):
        loaded({"host": ""})


def test_words_for_yes_and_no(loaded: Load) -> None:
    """In any case, and as TOML's own."""
    for word in ("1", "true", "Yes", "TRUE"):
        assert loaded(TOWER_WATCH=word)["watch"] is True
    for word in ("0", "false", "No"):
        assert loaded(TOWER_WATCH=word)["watch"] is False


@pytest.mark.parametrize("name", ["watch", "browser", "auth"])
def test_a_variable_is_called_after_its_flag(loaded: Load, name: str) -> None:
    """TOWER_ and the flag's name in capitals: ``--no-watch`` is ``TOWER_NO_WATCH``."""
    assert loaded(**{f"TOWER_NO_{name.upper()}": "1"})[name] is False


def test_lists_come_as_text_or_as_lists(loaded: Load, here: Path) -> None:
    """Names by commas, folders as PATH has them, both as TOML lists."""
    told = loaded(TOWER_ALLOWED_HOSTS="a, b,,c", TOWER_CLAUDE_DIR=os.pathsep.join(("/x", "/y")))
    assert told["allowed_hosts"] == ["a", "b", "c"]
    assert told["claude_dir"] == ["/x", "/y"]
    here.write_text("allowed_origins = ['https://a']\nclaude_dir = ['/z']")
    assert loaded()["allowed_origins"] == ["https://a"]
    assert loaded()["claude_dir"] == ["/z"]
    assert loaded({"claude_dir": ["/f"]})["claude_dir"] == ["/f"]


def test_the_claude_home_is_claudes_own(loaded: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Claude Code itself looks."""
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", "/elsewhere")
    assert loaded()["claude_dir"] == ["/elsewhere"]
    monkeypatch.delenv("CLAUDE_CONFIG_DIR")
    monkeypatch.setenv("HOME", "/home/ada")
    assert loaded()["claude_dir"] == ["/home/ada/.claude"]


def test_the_codex_home_is_codex_own(loaded: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Codex itself looks; several as in PATH."""
    monkeypatch.setenv("CODEX_HOME", "/elsewhere")
    assert loaded()["codex_dir"] == ["/elsewhere"]
    monkeypatch.delenv("CODEX_HOME")
    monkeypatch.setenv("HOME", "/home/ada")
    assert loaded()["codex_dir"] == ["/home/ada/.codex"]
    assert loaded(TOWER_CODEX_DIR=os.pathsep.join(("/x", "/y")))["codex_dir"] == ["/x", "/y"]


def test_the_data_folder_is_the_users(loaded: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """By XDG, else below the home; a tilde is opened."""
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert loaded().data_dir == Path("/data/agenttower")
    monkeypatch.delenv("XDG_DATA_HOME")
    assert loaded().data_dir == Path("/home/ada/.local/share/agenttower")
    assert loaded({"data_dir": "~/x"}).data_dir == Path("/home/ada/x")


def test_secrets_are_masked(loaded: Load) -> None:
    """What is shown of one is that it is set, and where."""
    row = next(each for each in shown(loaded(TOWER_TOKEN="hunter2")) if each["name"] == "token")
    assert row == {"name": "token", "value": "(set)", "origin": "environment TOWER_TOKEN"}
    assert "hunter2" not in settings.as_json(shown(loaded(TOWER_TOKEN="hunter2")))
    assert next(each for each in shown(loaded()) if each["name"] == "token")["value"] is None


SECRETS = [setting.name for setting in SETTINGS if setting.secret]


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_may_stand_in_a_file(loaded: Load, tmp_path: Path, name: str) -> None:
    """As containers are given theirs: the variable names the file, and the line's end is none."""
    path = tmp_path / "secret"
    path.write_text("hunter2\n")
    variable = f"TOWER_{name.upper()}_FILE"
    told = loaded(**{variable: str(path)})
    assert origin(told, name) == ("hunter2", f"environment {variable}: {path}")
    row = next(each for each in shown(told) if each["name"] == name)
    assert row["value"] == "(set)"


@pytest.mark.parametrize("content", [None, b"", b" \n", b"hunter2 \xff"])
def test_a_file_without_a_secret_is_named(
    loaded: Load, tmp_path: Path, content: bytes | None
) -> None:
    """Absent, empty or no text: the setting, the variable and the path, never what is in it."""
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match="token") as raised:
        loaded(TOWER_TOKEN_FILE=str(path))
    assert "TOWER_TOKEN_FILE" in str(raised.value)
    assert str(path) in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_a_secret_is_told_in_one_way(loaded: Load, tmp_path: Path) -> None:
    """Its variable and its file at once are refused: nobody could say which one holds."""
    path = tmp_path / "secret"
    path.write_text("one")
    with pytest.raises(SettingsError, match="not both"):
        loaded(TOWER_TOKEN="two", TOWER_TOKEN_FILE=str(path))
    assert loaded({"token": "three"}, TOWER_TOKEN_FILE=str(path))["token"] == "three"


def test_only_secrets_have_files(loaded: Load, tmp_path: Path) -> None:
    """A port is no secret, and a variable for its file would be one more to know."""
    path = tmp_path / "port"
    path.write_text("9000")
    assert loaded(TOWER_PORT_FILE=str(path))["port"] == 8787


def test_every_setting_is_settled_and_explained(loaded: Load) -> None:
    """Each has a kind, a help text, a name of its own and a default that it would parse."""
    told = loaded()
    assert set(told.values) == set(BY_NAME)
    assert len(BY_NAME) == len(SETTINGS)
    for each in SETTINGS:
        assert each.help.endswith(".")
        if told[each.name] is not None:
            assert each.parse(told[each.name], "default") == told[each.name]
