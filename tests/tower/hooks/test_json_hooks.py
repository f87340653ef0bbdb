"""Our hooks in a JSON file of settings: in, out, and everything else as it was."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tower.hooks.made import COMMANDS, ELSEWHERE, POSTS, texts
from tower.hooks import json_hooks
from tower.hooks.agents import CLAUDE_CODE
from tower.hooks.entries import Wanted, groups_of, without_ours
from tower.hooks.errors import HooksError

WANTED = st.sampled_from([COMMANDS, POSTS, ELSEWHERE])


def install(text: str, wanted: Wanted = COMMANDS) -> str:
    """The text with these hooks."""
    return json_hooks.installed(text, wanted, CLAUDE_CODE, "s.json")


def uninstall(text: str) -> str:
    """The text without ours."""
    return json_hooks.uninstalled(text, CLAUDE_CODE, "s.json")


@given(texts(), WANTED)
def test_uninstall_after_install_is_the_same_text(text: str, wanted: Wanted) -> None:
    """Byte for byte, however it is written."""
    assert uninstall(install(text, wanted)) == text


@given(texts(), WANTED)
def test_a_second_install_changes_nothing(text: str, wanted: Wanted) -> None:
    """Not a byte."""
    once = install(text, wanted)
    assert install(once, wanted) == once


@given(texts(), WANTED, WANTED)
def test_an_install_leaves_exactly_the_wanted_hooks(text: str, first: Wanted, last: Wanted) -> None:
    """One group for each event, whatever tower they were for before."""
    told = json.loads(install(install(text, first), last))
    groups = groups_of(told["hooks"], CLAUDE_CODE)
    assert groups == {event: [group] for event, group in last.items()}


@given(texts(), WANTED, WANTED)
def test_no_former_install_is_seen_in_the_text(text: str, first: Wanted, last: Wanted) -> None:
    """Another tower's hooks stand as if they were the first."""
    assert install(install(text, first), last) == install(text, last)


@given(texts(), WANTED)
def test_everything_else_stays_in_its_order(text: str, wanted: Wanted) -> None:
    """Every other setting, and other hooks before ours."""
    before, after = json.loads(text), json.loads(install(text, wanted))
    hooks = without_ours(after.pop("hooks"), CLAUDE_CODE)
    assert list(hooks.items()) == list(before.pop("hooks", {}).items())
    assert list(after.items()) == list(before.items())


@given(texts(), WANTED)
def test_no_line_of_the_old_text_is_lost(text: str, wanted: Wanted) -> None:
    """Ours are put between; what was there is found again in its order."""
    rest = iter(install(text, wanted))
    assert all(character in rest for character in text)


@pytest.mark.parametrize("text", ["", " \n", "{}", "{}\n", "{\n}\n"])
def test_an_empty_file_becomes_one_with_hooks(text: str) -> None:
    """Written on lines, with an end of its last one where it had none to keep."""
    told = install(text)
    assert json.loads(told) == {"hooks": {event: [group] for event, group in COMMANDS.items()}}
    assert '\n  "hooks": {\n    "SessionStart": [' in told


def test_hooks_stand_like_their_neighbours() -> None:
    """In the indent of the file, a list on one line stays there."""
    text = '{\n\t"hooks": {\n\t\t"Stop": [{"hooks": []}],\n\t\t"X": []\n\t}\n}'
    told = install(text, {"Stop": {"hooks": [1]}, "New": {"hooks": [2]}})
    assert told == (
        '{\n\t"hooks": {\n\t\t"Stop": [{"hooks": []}, {"hooks": [1]}],\n\t\t"X": [],\n'
        '\t\t"New": [\n\t\t\t{\n\t\t\t\t"hooks": [\n\t\t\t\t\t2\n\t\t\t\t]\n\t\t\t}\n\t\t]\n\t}\n}'
    )


OURS = {"type": "http", "url": "http://10.0.0.7:1/v1/hooks/claude-code", "timeout": 2}
THEIRS = {"type": "command", "command": "say done"}


def test_a_handler_of_ours_leaves_its_group_to_others() -> None:
    """A group that somebody put together loses ours alone."""
    values: dict[str, Any] = {"hooks": {"Stop": [{"matcher": "*", "hooks": [OURS, THEIRS]}]}}
    told = json.loads(uninstall(json.dumps(values)))
    assert told == {"hooks": {"Stop": [{"matcher": "*", "hooks": [THEIRS]}]}}


def test_what_held_only_ours_goes_with_it() -> None:
    """Group, event and all hooks."""
    values = {"a": 1, "hooks": {"Stop": [{"hooks": [OURS]}, {"hooks": [OURS, OURS]}]}, "b": 2}
    assert json.loads(uninstall(json.dumps(values))) == {"a": 1, "b": 2}


def test_of_a_key_that_is_told_twice_the_last_one_counts() -> None:
    """As it does for the agent."""
    text = '{"hooks": {"Stop": 1}, "hooks": {"X": []}}'
    told = install(text, {"Stop": COMMANDS["Stop"]})
    assert json.loads(told)["hooks"] == {"X": [], "Stop": [COMMANDS["Stop"]]}
    assert uninstall(told) == text


def test_groups_of_other_shapes_are_left_alone() -> None:
    """Whatever stands in a list of hooks, only what is ours is touched."""
    values = {"hooks": {"Stop": [None, 7, {"hooks": None}, {"command": "x"}, {"hooks": ["y", 1]}]}}
    text = json.dumps(values)
    assert uninstall(text) == text
    assert uninstall(install(text)) == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{\n  "a": 1,\n}', ("s.json, line 3", "not valid JSON", "nothing was written")),
        ('{\n  // mine\n  "a": 1\n}', ("line 2", "no comments")),
        ('{"a": NaN}', ("NaN",)),
        ("[]", ("expected an object",)),
        ('{"hooks": []}', ("hooks: expected an object",)),
        ('{"hooks": {"Stop": {}}}', ("hooks.Stop: expected a list",)),
        ("[" * 100_000, ("s.json",)),
    ],
)
def test_what_is_no_file_of_settings_is_refused(text: str, words: tuple[str, ...]) -> None:
    """With the place and what to do."""
    for work in (install, uninstall):
        with pytest.raises(HooksError) as refused:
            work(text)
        assert all(word in str(refused.value) for word in words)
