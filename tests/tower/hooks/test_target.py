"""Where hooks are sent: a tower's address, checked before anything is written."""

from typing import Any

import pytest

from tower.hooks.target import address_of, label, make_target
from tower.setting import SettingsError
from tower.settings import load


def target(to: str | None, **environ: str) -> Any:
    """What a command would send to."""
    return make_target(load({}, environ), to)


def test_the_tower_of_the_settings_is_the_default() -> None:
    """On this machine it wants no token, unless it listens beyond it."""
    made = target(None, TOWER_PORT="9000")
    assert (made.url, made.near, made.needs_token) == ("http://127.0.0.1:9000", True, False)
    wide = target(None, TOWER_HOST="0.0.0.0")
    assert (wide.url, wide.near, wide.needs_token) == ("http://localhost:8787", True, True)


@pytest.mark.parametrize(
    ("url", "near"),
    [
        ("http://127.0.0.1:8787", True), ("http://localhost", True), ("http://[::1]:8787", True),
        ("http://127.8.8.8", True), ("https://tower.example.org/a/", False),
        ("http://192.0.2.7:8787", False),
    ],
)  # fmt: skip
def test_only_loopback_is_this_machine(url: str, near: bool) -> None:
    """Every other tower wants a token."""
    made = target(url)
    assert (made.near, made.needs_token) == (near, not near)
    assert made.url == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "tower.example.org", "ftp://x", "http://", "http://x:port", "http://me:hunter2@x",
        "http://x/?token=1", "http://x/#a", "http://x/$(id)", "http://x/`id`",
        'http://x/"', "http://x y",
        "http://x/\n", "http://bücher.example",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(url: str) -> None:
    """Before it stands in a file, and with no password repeated."""
    with pytest.raises(SettingsError, match="--to") as refused:
        target(url)
    assert "hunter2" not in str(refused.value)


def test_two_urls_of_one_tower_have_one_address() -> None:
    """Ports that go without saying are said."""
    assert address_of("https://T.example/") == address_of("https://t.example:443")


def test_a_name_is_one_line() -> None:
    """Whatever a machine is called."""
    assert label(" a\r\nb\t" + "c" * 200) == "ab" + "c" * 98
