"""The scripts are load-bearing: a change of them is a change of every log that exists."""

import pytest

from bus.redis_calls import APPEND, CHECKPOINT, LEASE, RELEASE, SECRET, TRIM, Script

PINNED = {
    "append": "d3de82ecee4a039fdb924194fe9ae0688b1b7450",
    "trim": "68d609cf119856bc056c5c1e245b62d8e525924b",
    "checkpoint": "d504005c84e986d8d9b6f2595e64aaddb8998f47",
    "lease": "d2c2dff889d892a14aed1a85d719092857bcdd4e",
    "release": "0456ba66d621209998717409daac1633863c900b",
    "secret": "4f1fba6bdfe7006e2aa510040600d345255f6980",
}
"""Old and new processes run side by side during an update, each with its own scripts on the same
keys. Before you change a hash: do both understand what the other writes?"""


SCRIPTS = {
    "append": APPEND,
    "trim": TRIM,
    "checkpoint": CHECKPOINT,
    "lease": LEASE,
    "release": RELEASE,
    "secret": SECRET,
}


@pytest.mark.parametrize(("name", "script"), SCRIPTS.items())
def test_scripts_do_not_change_by_accident(name: str, script: Script) -> None:
    """The hash of each script, with whatever stands in front, is the one written here."""
    assert script.sha1 == PINNED[name]


def test_scripts_of_the_log_begin_with_the_lineage() -> None:
    """No script touches the log before it knows the epoch; the others do not ask for it."""
    for script in (APPEND, TRIM, CHECKPOINT):
        assert script.text.startswith("-- The beginning of every script")
    for script in (LEASE, RELEASE, SECRET):
        assert "epoch" not in script.text


def test_ids_are_never_explicit() -> None:
    """Redis gives the ids: an explicit one from a fast clock would spoil all later ones."""
    assert "'~', stream_max, '*'," in APPEND.text
