"""The scripts are load-bearing: a change of them is a change of every log that exists."""

import pytest

from bus.redis_calls import APPEND, CHECKPOINT, TRIM, Script

PINNED = {
    "append": "d3de82ecee4a039fdb924194fe9ae0688b1b7450",
    "trim": "68d609cf119856bc056c5c1e245b62d8e525924b",
    "checkpoint": "d504005c84e986d8d9b6f2595e64aaddb8998f47",
}
"""Old and new processes run side by side during an update, each with its own scripts on the same
keys. Before you change a hash: do both understand what the other writes?"""


@pytest.mark.parametrize(
    ("name", "script"), [("append", APPEND), ("trim", TRIM), ("checkpoint", CHECKPOINT)]
)
def test_scripts_do_not_change_by_accident(name: str, script: Script) -> None:
    """The hash of each script, with the lineage check in front, is the one written here."""
    assert script.sha1 == PINNED[name]


def test_every_script_begins_with_the_lineage() -> None:
    """No script touches the log before it knows the epoch."""
    for script in (APPEND, TRIM, CHECKPOINT):
        assert script.text.startswith("-- The beginning of every script")


def test_ids_are_never_explicit() -> None:
    """Redis gives the ids: an explicit one from a fast clock would spoil all later ones."""
    assert "'~', stream_max, '*'," in APPEND.text
