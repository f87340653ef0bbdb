"""What is counted stays exact: through deaths, copies, files cut short, and without files."""

import asyncio
import json
import random
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ingest.adapters.jsontext import time_ms
from ingest.files import scan
from ingest.homes import Home
from ingest.reader import Reader
from session.pricing import cost_usd
from tests.history.exact import (
    NAMES,
    Figures,
    Life,
    check,
    expected_of,
    marks_of,
    read_through,
)
from tests.history.stream import Agent
from tests.ingest.reading import ORIGIN

KILLS = 5


# Homes of our own making, counted by a few lines.


def made_home(home: Path, seed: int, sessions: int = 6, turns: int = 25) -> Path:
    """Sessions with subagents; none is a fork."""
    chance = random.Random(seed)
    for number in range(sessions):
        agent = Agent(f"made{number}", chance)
        for _ in range(turns):
            list(agent.work())
        folder = home / "projects" / "-made-up"
        (folder / agent.name / "subagents").mkdir(parents=True)
        (folder / f"{agent.name}.jsonl").write_bytes(agent.main.data)
        (folder / agent.name / f"{agent.sub.source}.jsonl").write_bytes(agent.sub.data)
    return home


def counted(home: Path) -> Figures:
    """Of each file's messages the line with the most output tokens, priced alone."""
    figures: Figures = {}
    for found in scan([Home(str(home))]):
        told, cost = figures.get(found.identity.session, ([0] * len(NAMES), 0.0))
        for model, at, tokens in best_lines(Path(found.path)).values():
            told = [sum(pair) for pair in zip(told, map(tokens.get, NAMES), strict=True)]
            cost += cost_usd(model, at, tokens) or 0.0
        figures[found.identity.session] = told, cost
    return figures


def best_lines(path: Path) -> dict[str, tuple[str, int | None, dict[str, int]]]:
    """Message → its model, time and tokens."""
    best: dict[str, tuple[str, int | None, dict[str, int]]] = {}
    for line in path.read_bytes().splitlines():
        told = json.loads(line)
        if told["type"] != "assistant":
            continue
        message, usage = told["message"], told["message"]["usage"]
        tokens = {
            "input": usage["input_tokens"],
            "output": usage["output_tokens"],
            "cache_read": usage["cache_read_input_tokens"],
            "cache_write": usage["cache_creation_input_tokens"],
            "cache_write_1h": 0,
        }
        known = best.get(message["id"])
        if known is None or tokens["output"] >= known[2]["output"]:
            best[message["id"]] = message["model"], time_ms(told["timestamp"]), tokens
    return best


@pytest.mark.parametrize("seed", range(3))
async def test_made_up_sessions_are_exact_through_deaths(
    database_url: str, tmp_path: Path, seed: int
) -> None:
    """Of the service with its log, wherever it is; by the fold, by rows, by calls and by days."""
    home = made_home(tmp_path / "home", seed)
    await read_through(database_url, [home], random.Random(seed), KILLS)
    await check(database_url, counted(home))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_made_up_files_that_are_copied_and_read_twice_count_once(
    database_url: str, tmp_path: Path
) -> None:
    """And once they are gone the figures stay."""
    home = made_home(tmp_path / "home", 7)
    expected = counted(home)
    shutil.copytree(home, tmp_path / "copy")
    await read_everything_again(database_url, [home, tmp_path / "copy"])
    for gone in (home, tmp_path / "copy"):
        shutil.rmtree(gone)
    await restart(database_url, home)
    await check(database_url, expected)


async def read_everything_again(url: str, homes: list[Path]) -> None:
    """By the reader of the service, then as if nobody knew how far it was, in another order."""
    life = Life(url)
    await life.recorder.led.wait()
    reader = Reader([Home(str(each)) for each in homes], ORIGIN, life.bus.append)
    await reader.first_read()
    await life.written()
    await life.end()
    life = Life(url)
    files = scan([Home(str(homes[0]))])
    random.Random(3).shuffle(files)
    await life.read(files, {})
    await life.written()
    await life.end()


async def restart(url: str, home: Path) -> None:
    """The service once more, with whatever is on disk by then."""
    life = Life(url)
    marks = (await marks_of(url)).values()
    await life.recorder.led.wait()
    await Reader([Home(str(home))], ORIGIN, life.bus.append, marks).first_read()
    await life.written()
    await life.end()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_made_up_file_that_is_cut_short_and_grows_again_is_exact(
    database_url: str, tmp_path: Path
) -> None:
    """What it said before is taken back, and told anew."""
    home = made_home(tmp_path / "home", 9, sessions=2)
    path = home / "projects" / "-made-up" / "made0.jsonl"
    async for _ in cut_and_grown(database_url, home, path):
        await check(database_url, counted(home))


async def cut_and_grown(url: str, home: Path, path: Path) -> AsyncIterator[None]:
    """The service reads a home while one file in it is cut short, and then is whole again."""
    data = await asyncio.to_thread(path.read_bytes)
    for size in (len(data) * 2 // 3, len(data) // 4, len(data) // 2, len(data)):
        lines = data[: data.rfind(b"\n", 0, size) + 1]
        await asyncio.to_thread(path.write_bytes, lines)
        await restart(url, home)
        yield


# The recorded ones.


@pytest.fixture
def recorded(shared_fixtures: Path) -> tuple[Path, Figures]:
    """The home, and the figures of its 48 sessions."""
    expected = expected_of(shared_fixtures / "expected_totals.json")
    assert len(expected) == 48
    return shared_fixtures / "claude_home", expected


@pytest.mark.fixtures
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_the_48_sessions_are_exact_through_deaths(
    database_url: str, recorded: tuple[Path, Figures]
) -> None:
    """In a shuffled order, with the service killed at random points."""
    home, expected = recorded
    await read_through(database_url, [home], random.Random(5), KILLS)
    await check(database_url, expected)


@pytest.mark.fixtures
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_the_48_sessions_are_exact_however_often_their_files_are_told(
    database_url: str, recorded: tuple[Path, Figures], tmp_path: Path
) -> None:
    """Of two homes, twice, and after the files are gone."""
    home, expected = recorded
    copies = [tmp_path / name for name in ("one", "two")]
    for copy in copies:
        shutil.copytree(home, copy)
    await read_everything_again(database_url, copies)
    for copy in copies:
        shutil.rmtree(copy)
    await restart(database_url, copies[0])
    await check(database_url, expected)


@pytest.mark.fixtures
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_recorded_session_is_exact_when_its_file_was_cut_short(
    database_url: str, recorded: tuple[Path, Figures], tmp_path: Path
) -> None:
    """It grows again to what it was."""
    home, expected = recorded
    folder = "projects/-work-entireio-auth-go"
    shutil.copytree(home / folder, tmp_path / folder, copy_function=copied)
    files: list[Path] = sorted((tmp_path / folder).glob("*.jsonl"))
    largest = max(files, key=lambda path: path.stat().st_size)
    async for _ in cut_and_grown(database_url, tmp_path, largest):
        assert await marks_of(database_url)
    await check(database_url, {path.stem: expected[path.stem] for path in files})


def copied(source: str, target: str) -> Any:
    """A copy that may be written to, whatever the original is."""
    return shutil.copyfile(source, target)
