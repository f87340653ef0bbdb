"""The reader on real files: first what is there, then every line as it is written."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from ingest import metrics
from ingest import reader as reader_module
from ingest.errors import BusUnavailable
from ingest.reader import Reader
from session.delta import Report
from tests.ingest.reading import ORIGIN, Log, append, claude, summed, transcript, until
from tests.session.made import assistant, prompt, tool_use, usage

ROOT = Path(__file__).resolve().parents[2]
ONE, TWO, THREE = (prompt(text) for text in ("one", "two", "three"))


class Running:
    """A reader at work on one home."""

    def __init__(self, home: Path, log: Log, *homes: Path) -> None:
        self.log = log
        self.reader = Reader([claude(each) for each in (home, *homes)], ORIGIN, log.send)
        self.task = asyncio.create_task(self.reader.run())

    async def has_read(self) -> None:
        """The first read is over."""
        await until(lambda: self.reader.progress.done or self.task.done())
        assert not self.task.done(), self.task


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A Claude Code home with one empty project."""
    (tmp_path / "home" / "projects" / "-made-up").mkdir(parents=True)
    return tmp_path / "home"


@pytest.fixture
async def running(home: Path) -> AsyncIterator[Running]:
    """A reader that follows an empty home."""
    started = Running(home, Log())
    await started.has_read()
    yield started
    await ended(started)


async def ended(started: Running) -> None:
    """Cancel the reader, and fail if it had ended by itself."""
    assert not started.task.done(), started.task
    started.task.cancel()
    await asyncio.gather(started.task, return_exceptions=True)


async def test_what_is_there_comes_first_and_then_every_new_line(home: Path) -> None:
    """Each line exactly once, wherever the first read ended."""
    path = transcript(home)
    path.write_bytes(ONE)
    started = Running(home, Log())
    await until(lambda: started.log.prompts() == ["one"])
    await started.has_read()
    append(path, TWO)
    await until(lambda: started.log.prompts() == ["one", "two"])
    append(path, THREE[:10])
    append(path, THREE[10:])
    await until(lambda: started.log.prompts() == ["one", "two", "three"])
    told = started.log.of("s")
    assert [part.from_ for part in told] == [0, *(part.to for part in told[:-1])]
    await ended(started)


async def test_a_line_written_during_the_first_read_is_told_once(home: Path) -> None:
    """Watching begins before the first read, and its marks decide what is new."""
    path = transcript(home)
    path.write_bytes(ONE * 2_000)
    started = Running(home, Log())
    written = 0
    while not started.reader.progress.done:
        written += 1
        append(path, prompt(f"late {written}"))
        await asyncio.sleep(0.002)
    append(path, TWO)
    await until(lambda: started.log.prompts()[-1:] == ["two"])
    late = [text for text in started.log.prompts() if text.startswith("late")]
    assert late == [f"late {at}" for at in range(1, written + 1)]
    assert written > 5
    await ended(started)


async def test_new_files_are_found(running: Running, home: Path) -> None:
    """Every one of them, and nothing that is no transcript."""
    (home / "projects" / "-made-up" / "notes.txt").write_bytes(ONE)
    (home / "projects" / "outside.jsonl").write_bytes(ONE)
    transcript(home, "a").write_bytes(ONE)
    transcript(home, "b").write_bytes(TWO)
    await until(lambda: len(running.log.identities) == 2)
    assert running.log.prompts("b") == ["two"]
    assert len(running.log.identities) == 2


async def test_the_first_file_of_a_new_folder_is_found_soon(running: Running, home: Path) -> None:
    """A project's first session and a session's first subagent make their folders themselves."""
    other = home / "projects" / "-another" / "b.jsonl"
    other.parent.mkdir()
    other.write_bytes(TWO)
    transcript(home, "a", "subagents", "agent-1").write_bytes(assistant("m1"))
    await until(lambda: len(running.log.identities) == 2, 5)
    assert running.log.prompts("b") == ["two"]


async def test_folders_that_come_at_once_are_found_soon(running: Running, home: Path) -> None:
    """A watch that begins behind the file's making must not wait for the rescan."""
    for at in range(50):
        path = home / "projects" / f"-project-{at}" / f"p{at}" / "subagents" / "agent-1.jsonl"
        path.parent.mkdir(parents=True)
        path.write_bytes(assistant(f"m{at}"))
        path.parents[1].with_suffix(".jsonl").write_bytes(ONE)
    await until(lambda: len(running.log.identities) == 100, 10)


async def test_a_burst_of_200_files_is_read_whole(running: Running, home: Path) -> None:
    """Nothing is lost when much happens at once, and each file keeps its order."""
    for line in (ONE, TWO, THREE):
        for at in range(200):
            append(transcript(home, f"b{at}"), line)
    expected = ["one", "two", "three"]
    await until(
        lambda: all(running.log.prompts(f"b{at}") == expected for at in range(200)), within_s=20
    )


async def test_a_home_that_appears_later_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The agent's first start makes the folder and writes into it at once."""
    monkeypatch.setattr(reader_module, "ABSENT_RETRY_S", 0.05)
    started = Running(tmp_path / "later", Log())
    await started.has_read()
    path = transcript(tmp_path / "made")
    path.write_bytes(ONE)
    (tmp_path / "made").rename(tmp_path / "later")
    await until(lambda: started.log.prompts() == ["one"], 5)
    append(tmp_path / "later" / path.relative_to(tmp_path / "made"), TWO)
    await until(lambda: started.log.prompts() == ["one", "two"], 5)
    await ended(started)


async def test_a_second_home_that_appears_later_is_read(home: Path, tmp_path: Path) -> None:
    """One home is there already and is followed all the while."""
    started = Running(home, Log(), tmp_path / "later")
    await started.has_read()
    transcript(home, "here").write_bytes(ONE)
    await until(lambda: started.log.prompts("here") == ["one"])
    transcript(tmp_path / "later", "there").write_bytes(TWO)
    await until(lambda: started.log.prompts("there") == ["two"], 10)
    await ended(started)


async def test_projects_that_are_removed_and_come_again_are_followed(
    running: Running, home: Path
) -> None:
    """A watch dies with its folder; what comes under the old name is read all the same."""
    transcript(home, "a").write_bytes(ONE)
    await until(lambda: running.log.prompts("a") == ["one"])
    shutil.rmtree(home / "projects")
    path = transcript(home, "b")
    path.write_bytes(TWO)
    await until(lambda: running.log.prompts("b") == ["two"], 10)
    append(path, THREE)
    await until(lambda: running.log.prompts("b") == ["two", "three"], 10)


async def test_a_deleted_file_is_no_harm_and_may_come_again(running: Running, home: Path) -> None:
    """Its neighbours are read on; under its name a new file is a new generation."""
    path = transcript(home, "a")
    path.write_bytes(ONE + TWO)
    await until(lambda: running.log.prompts("a") == ["one", "two"])
    path.unlink()
    transcript(home, "b").write_bytes(ONE)
    await until(lambda: running.log.prompts("b") == ["one"])
    path.write_bytes(THREE)
    await until(lambda: running.log.prompts("a")[-1:] == ["three"])
    assert running.log.of("a")[-1].generation > 0


async def test_a_file_put_in_its_place_is_told_anew(running: Running, home: Path) -> None:
    """Editors write beside and rename."""
    path = transcript(home, "a")
    path.write_bytes(ONE)
    await until(lambda: running.log.prompts("a") == ["one"])
    beside = path.with_suffix(".tmp")
    beside.write_bytes(TWO)
    beside.replace(path)
    await until(lambda: running.log.prompts("a") == ["one", "two"])


async def test_what_a_watch_lost_is_found_by_the_rescan(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What really is on disk decides, now and then."""
    monkeypatch.setattr(reader_module, "RESCAN_S", 0.02)
    monkeypatch.setattr(reader_module, "awatch", never)
    path = transcript(home)
    path.write_bytes(ONE)
    started = Running(home, Log())
    await started.has_read()
    append(path, TWO)
    await until(lambda: started.log.prompts() == ["one", "two"])
    await ended(started)


async def never(*_: object, **__: object) -> AsyncIterator[set[object]]:
    """A watch that is told of nothing."""
    await asyncio.Event().wait()
    yield set()


async def test_more_files_than_are_kept_open_are_followed(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file whose parser was let go is parsed again, and only its new line is sent."""
    monkeypatch.setattr(reader_module, "TAILS_MAX", 2)
    started = Running(home, Log())
    await started.has_read()
    expected: list[str] = []
    for text in ("one", "two", "three"):
        expected.append(text)
        for name in "abcd":
            append(transcript(home, name), prompt(text) + assistant(text, usage=usage(7)))
        for name in "abcd":
            await until(lambda name=name: started.log.prompts(name) == expected)
    assert (summed(started.log.of("a")).tokens or {})["output"] == 21
    await ended(started)


async def test_a_log_that_is_away_for_a_while_costs_no_line(home: Path) -> None:
    """A refused send is tried again, in order, and the reader lives on."""
    log = Log()
    started = Running(home, log)
    await started.has_read()
    log.error, log.fails = BusUnavailable("the log is full"), 3
    path = transcript(home)
    path.write_bytes(ONE)
    await until(lambda: log.fails < 3)
    append(path, TWO)
    await until(lambda: log.prompts() == ["one", "two"] or started.task.done(), 20)
    assert log.prompts() == ["one", "two"]
    await ended(started)


async def test_a_log_that_is_away_during_the_first_read_costs_no_line(home: Path) -> None:
    """The same while old transcripts are read."""
    transcript(home).write_bytes(ONE + TWO)
    started = Running(home, Log(BusUnavailable("the log is full"), fails=3))
    await until(lambda: started.log.prompts() == ["one", "two"] or started.task.done(), 20)
    assert started.log.prompts() == ["one", "two"]
    await ended(started)


# Past sessions.


async def test_a_session_is_restored_from_all_its_files(home: Path) -> None:
    """Parent and subagents, whole, though they were sent long ago."""
    transcript(home, "a").write_bytes(ONE + assistant("m1", tool_use("t1"), usage=usage(5)))
    transcript(home, "a", "subagents", "agent-x").write_bytes(assistant("m2", usage=usage(6)))
    transcript(home, "b").write_bytes(TWO)
    running = Running(home, Log())
    await running.has_read()
    await until(lambda: len(running.log.identities) == 3)
    restored = await running.reader.restore("a")
    assert {each.session for each in restored} == {"a"}
    assert (summed(restored).tokens or {})["output"] == 11
    assert await running.reader.restore("unknown") == []
    await ended(running)


async def test_a_restore_leaves_the_marks_alone(running: Running, home: Path) -> None:
    """What is written afterwards is still sent, once."""
    path = transcript(home, "a")
    path.write_bytes(ONE)
    await until(lambda: running.log.prompts("a") == ["one"])
    mark = msgspec.structs.replace(running.reader.marks[str(path)])
    assert all(isinstance(each, Report) for each in await running.reader.restore("a"))
    assert running.reader.marks[str(path)] == mark
    append(path, TWO)
    await until(lambda: running.log.prompts("a") == ["one", "two"])


async def test_the_files_of_a_session_that_are_gone_restore_nothing(
    running: Running, home: Path
) -> None:
    """A person may have cleaned up."""
    path = transcript(home, "a")
    path.write_bytes(ONE)
    await until(lambda: running.log.prompts("a") == ["one"])
    path.unlink()
    assert await running.reader.restore("a") == []


def test_the_folder_it_is_started_in_is_not_trusted(home: Path, tmp_path: Path) -> None:
    """A checkout with packages of the same names must neither break the read nor be run."""
    transcript(home).write_bytes(ONE)
    decoy = tmp_path / "checkout" / "ingest"
    decoy.mkdir(parents=True)
    (decoy / "__init__.py").write_text("")
    (decoy / "first_read.py").write_text("open('it-was-run', 'w').close()\n")
    program = (
        "import asyncio, sys\n"
        f"sys.path[0] = {str(ROOT)!r}\n"
        "from pathlib import Path\n"
        "from ingest.homes import Home\n"
        "from ingest.reader import Reader\n"
        "from tests.ingest.reading import Log, ORIGIN\n"
        "log = Log()\n"
        f"asyncio.run(Reader([Home({str(home)!r})], ORIGIN, log.send).first_read())\n"
        "print(log.prompts())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=decoy.parent, check=True, capture_output=True,
        text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert not (decoy.parent / "it-was-run").exists()
    assert done.stdout.strip() == "['one']"


async def test_broken_lines_are_counted_where_a_person_can_see_them(home: Path) -> None:
    """In the first read and after it, once each; the lines around them are read."""
    before = metrics.broken_lines._value.get()
    path = transcript(home)
    path.write_bytes(ONE + b"{oh\n" + TWO)
    started = Running(home, Log())
    await started.has_read()
    await until(lambda: started.log.prompts() == ["one", "two"])
    assert metrics.broken_lines._value.get() == before + 1
    append(path, b"[1]\n" + THREE)
    await until(lambda: started.log.prompts() == ["one", "two", "three"])
    await until(lambda: metrics.broken_lines._value.get() == before + 2)
    await ended(started)
