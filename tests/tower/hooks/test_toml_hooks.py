"""Our hooks in Codex's config.toml: blocks at its end, and nothing else touched."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tower.hooks.made import FAR, NEAR, OTHER
from tower.hooks import toml_hooks
from tower.hooks.agents import CODEX
from tower.hooks.entries import Options, Wanted, groups_of, wanted
from tower.hooks.errors import HooksError

COMMANDS = wanted(NEAR, CODEX, Options())
FAR_COMMANDS = wanted(FAR, CODEX, Options())
ELSEWHERE = wanted(OTHER, CODEX, Options())
MINE = """\
model = "gpt-5.5" # the good one

[[hooks.Stop]]
[[hooks.Stop.hooks]]
type = "command"
command = "say done"

[hooks.state."x:stop:0:0"]
trusted_hash = "sha256:0"

[tui]
theme = 'dark'
"""


def install(text: str, hooks: Wanted = COMMANDS) -> str:
    """The text with these hooks."""
    return toml_hooks.installed(text, hooks, CODEX, "config.toml")


def uninstall(text: str) -> str:
    """The text without ours."""
    return toml_hooks.uninstalled(text, CODEX, "config.toml")


@given(st.sampled_from([COMMANDS, FAR_COMMANDS, ELSEWHERE]), st.sampled_from(["", MINE]))
def test_uninstall_after_install_is_the_same_text(hooks: Wanted, text: str) -> None:
    """Comments and quotes included."""
    told = install(text, hooks)
    assert groups_of(toml_hooks.hooks_in(told, "c"), CODEX) == {e: [g] for e, g in hooks.items()}
    assert install(told, hooks) == told
    assert uninstall(told) == text


def test_another_tower_takes_the_place_of_the_first() -> None:
    """Nothing of the first one is left."""
    assert install(install(MINE), ELSEWHERE) == install(MINE, ELSEWHERE)


def test_hooks_of_others_stay_where_they_are() -> None:
    """Ours come behind them."""
    stop = tomllib.loads(install(MINE))["hooks"]["Stop"]
    assert [group["hooks"][0]["command"] for group in stop] == [
        "say done", COMMANDS["Stop"]["hooks"][0]["command"],
    ]  # fmt: skip


def test_tables_between_ours_are_kept() -> None:
    """Also where the agent wrote its own after ours."""
    told = install(MINE) + '\n[hooks.state."y"]\ntrusted_hash = "sha256:1"\n'
    left = uninstall(told)
    assert left == MINE + '\n[hooks.state."y"]\ntrusted_hash = "sha256:1"\n'


@pytest.mark.parametrize(
    "text",
    ["hooks = { Stop = [] }\n", "model = \n", "hooks = 1\n"],
)
def test_what_cannot_be_added_to_is_refused(text: str) -> None:
    """With the file's name and what to do."""
    with pytest.raises(HooksError, match=r"config\.toml: .*nothing was written"):
        install(text)


def test_ours_in_another_shape_are_left_to_the_person() -> None:
    """They are not half taken out."""
    command = COMMANDS["Stop"]["hooks"][0]["command"].replace("'", "")
    text = f"[[hooks.Stop]]\nhooks = [{{ type = 'command', command = '{command}' }}]\n"
    with pytest.raises(HooksError, match=r"Stop.*by hand"):
        uninstall(text)
