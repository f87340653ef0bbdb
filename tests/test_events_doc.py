"""docs/events.md: its examples really run, and its tables name what is read."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from ingest.adapters.native_kinds import Happening, Native
from tests.end_to_end.running import Tower, started, until

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "events.md").read_text()
ADDRESS = "http://127.0.0.1:8787"


def block(language: str) -> str:
    """The one block of a language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


def rows(heading: str) -> dict[str, list[str]]:
    """The cells of the table below a heading, by the names in its first one."""
    section = re.split(rf"^## {heading}$", PAGE, flags=re.MULTILINE)[1].split("\n## ")[0]
    cells = [line.strip("|").split(" | ") for line in section.splitlines() if line[:3] == "| `"]
    return {name: row for row in cells for name in re.findall(r"`(\w+)`", row[0])}


@pytest.fixture
def tower(tmp_path: Path) -> Iterator[Tower]:
    """A board without a session."""
    with started(tmp_path / "home", tmp_path / "data", "--no-watch") as running:
        yield running


def test_the_shell_example_puts_a_job_on_the_board(tower: Tower) -> None:
    """What curl would post is answered as the page says."""
    name, url, flag, body = shlex.split(block("sh"))
    assert (name, flag, url) == ("curl", "-d", f"{ADDRESS}/v1/events")
    kind = {"Content-Type": "application/x-www-form-urlencoded"}  # what curl says of -d
    status, _, answer = tower.ask("POST", "/v1/events", body.encode(), **kind)
    assert (status, json.loads(answer)) == (200, json.loads(block("json")))
    row = until(lambda: tower.live().get("backup"))
    until(lambda: tower.live()["backup"]["status"] == "idle")
    assert (row["agent"], row["phase"], row["title"]) == ("cron", "nightly", "Back up the photos")


def test_the_python_example_puts_an_agent_on_the_board(tower: Tower) -> None:
    """In about ten lines of the standard library."""
    script = block("python")
    assert len([line for line in script.splitlines() if line]) <= 10
    assert ADDRESS in script
    script = script.replace(ADDRESS, f"http://{tower.address}")
    subprocess.run([sys.executable, "-I", "-c", script], check=True, timeout=30)
    row = until(lambda: (found := tower.live().get("report")) and found["attention"] and found)
    assert (row["agent"], row["title"], row["status"]) == ("reporter", "Weekly report", "waiting")
    assert (row["tokens"]["input"], row["cost_state"], row["budget_usd"]) == (1200, "priced", 2)


def test_the_tables_name_what_is_read() -> None:
    """Every kind with its own fields, what may be absent with a mark, and what all may have."""
    kinds = {each.__struct_config__.tag: each for each in get_args(Native)}
    told = rows("Kinds")
    assert set(told) == set(kinds)
    for name, kind in kinds.items():
        row = told["permission" if name in ("question", "plan") else name][1]
        for field in set(kind.__struct_fields__) - set(Happening.__struct_fields__):
            required = field in required_of(kind)
            assert f"`{field}`" in row if required else f"`{field}?`" in row, (name, field)
    assert set(rows("What an event has")) == {"kind", *Happening.__struct_fields__}


def required_of(kind: type[Happening]) -> set[str]:
    """The fields of a kind that have no default."""
    return {each.name for each in msgspec.structs.fields(kind) if each.required}
