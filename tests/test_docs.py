"""The reference and the program name the same things: each way round, a missing one is a failure.

In docs/reference.md a table under each heading has the names, in backticks, in its first column.
"""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

import history.metrics
import hub.app
import hub.door_metrics
import hub.live.frames
import hub.metrics
import ingest.app
import ingest.metrics
import ingest.ship.metrics
import tower.cli
import tower.health
import tower.settings

METRICS = (
    hub.metrics, hub.door_metrics, ingest.metrics, ingest.ship.metrics, history.metrics,
)  # fmt: skip
REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "reference.md"


def rows_under(heading: str, text: str) -> dict[str, str]:
    """The rows of the table below a heading, by the name in backticks in their first column."""
    pattern = rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)"
    section = re.search(pattern, text, re.MULTILINE | re.DOTALL)
    lines = section.group(1).splitlines() if section else []
    named = ((re.match(r"\|\s*`([^`]+)`[^|]*\|", line), line) for line in lines)
    return {found.group(1): line for found, line in named if found}


def documented(heading: str) -> dict[str, str]:
    """The rows of the real reference."""
    return rows_under(heading, REFERENCE.read_text())


def paths_of(routes: Iterable[object]) -> set[str]:
    """The paths of some routes, as they were declared."""
    return {str(route.path) for route in routes}  # type: ignore[attr-defined]


def commands() -> set[str]:
    """Every command of the program, groups and their members by their whole names."""
    app = tower.cli.app
    names = {_name(command) for command in app.registered_commands}
    for group in app.registered_groups:
        if group.typer_instance.info.invoke_without_command is True:
            names.add(str(group.name))
        members = group.typer_instance.registered_commands
        names |= {f"{group.name} {_name(command)}" for command in members}
    return {f"tower {name}" for name in names}


def _name(command: object) -> str:
    name = command.name or command.callback.__name__  # type: ignore[attr-defined]
    return str(name).replace("_", "-")


def in_code(heading: str) -> set[str]:
    """What the program has of one kind."""
    found: dict[str, set[str]] = {
        "Commands": commands(),
        "Settings": {setting.name for setting in tower.settings.SETTINGS},
        "Routes": paths_of([*tower.health.routes, *hub.app.routes, *ingest.app.routes]),
        "Metrics": set().union(*(each.NAMES for each in METRICS)),
        "Close codes": {str(code) for code in hub.live.frames.CLOSE_CODES},
    }
    return found[heading]


@pytest.mark.parametrize("heading", ["Commands", "Settings", "Routes", "Metrics", "Close codes"])
def test_the_reference_is_complete_and_true(heading: str) -> None:
    """What exists is documented, and what is documented exists."""
    assert set(documented(heading)) == in_code(heading)


def test_a_setting_names_its_variable() -> None:
    """The row of a setting gives the environment variable that sets it."""
    rows = documented("Settings")
    wrong = [s.name for s in tower.settings.SETTINGS if f"`{s.env}`" not in rows.get(s.name, "")]
    assert wrong == []


def test_a_close_code_says_whether_to_reconnect() -> None:
    """The row of a close code has its name and a yes or a no."""
    rows = documented("Close codes")
    for code, (name, reconnect) in hub.live.frames.CLOSE_CODES.items():
        cells = [cell.strip() for cell in rows.get(str(code), "").split("|")]
        assert cells[2:4] == [name, "yes" if reconnect else "no"]


def test_a_table_is_read_by_its_heading() -> None:
    """Only the first column below the heading counts, not other sections, prose or cells."""
    table = "| name | |\n|---|---|\n| `a` | `b` |\n| `c` (old) | |\n"
    text = f"## A\n`x` in prose\n{table}## B\n| `d` |\n"
    assert set(rows_under("A", text)) == {"a", "c"}
    assert rows_under("C", text) == {}
