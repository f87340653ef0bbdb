"""What one service keeps: the same board after a restart, and figures that outlive transcripts."""

import contextlib
import os
import re
import shutil
import signal
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.running import Tower, started, until
from tests.session.made import assistant, prompt, tool_use, usage

HOUR_MS = 3_600_000
FAR_BACK_MS = 48 * HOUR_MS


def now() -> int:
    """Milliseconds since the Unix epoch."""
    return time.time_ns() // 1_000_000


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a session that is at work, and two that are long over."""
    folder = tmp_path / "home" / "projects" / "-made-up"
    folder.mkdir(parents=True)
    at = now()
    work = prompt("build the needle", at) + assistant("m1", tool_use("t1"), at=at, usage=usage(20))
    (folder / "live.jsonl").write_bytes(work)
    for place, name in enumerate(("old", "older"), 1):
        then = at - place * FAR_BACK_MS
        told = prompt(f"{name} thoughts", then)
        told += assistant(f"m-{name}", at=then, usage=usage(10 * place), stop="end_turn")
        (folder / f"{name}.jsonl").write_bytes(told)
    return tmp_path / "home"


def transcript(home: Path, name: str) -> Path:
    """The file of a session."""
    return home / "projects" / "-made-up" / f"{name}.jsonl"


def count(data: Path, query: str) -> int:
    """A number out of the database, 0 where there is none yet."""
    try:
        opened = sqlite3.connect(f"file:{data / 'history.db'}?mode=ro", uri=True)
        with contextlib.closing(opened) as history:
            return int(history.execute(query).fetchone()[0])
    except sqlite3.Error:
        return 0


def recorded(data: Path) -> int:
    """How many files are recorded."""
    return count(data, "SELECT count(*) FROM reader_offsets")


def figures(tower: Tower) -> dict[str, Any]:
    """What people decide by: rows and sums."""
    names = ("status", "tokens", "cost_usd", "messages", "tool_calls", "title", "ended_at")
    listed = tower.get("/api/sessions?limit=1000")
    rows = {row["id"]: {name: row[name] for name in names} for row in listed["sessions"]}
    return {"rows": rows, "total": listed["total"], "usage": tower.get("/api/usage?by=model")}


def settled(home: Path, data: Path) -> dict[str, Any]:
    """The figures of a first run that has recorded everything."""
    with started(home, data) as tower:
        until(lambda: recorded(data) == 3)
        told = figures(tower)
        assert tower.end() == 0
    assert told["total"] == 3
    return told


def test_a_restart_shows_the_same_board_and_opens_no_transcript(home: Path, tmp_path: Path) -> None:
    """Whatever is in a file now: it has the size and the time that it was recorded with."""
    data = tmp_path / "data"
    before = settled(home, data)
    for name in ("live", "old", "older"):
        path = transcript(home, name)
        seen = path.stat()
        path.write_bytes(b" " * seen.st_size)
        os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    with started(home, data) as tower:
        assert set(tower.live()) == {"live", "old", "older"}  # with the first answer
        assert figures(tower) == before
        opened = tower.get("/api/live/live")
        assert [each["kind"] for each in opened["timeline"]] == ["session", "prompt", "tool"]


@pytest.mark.parametrize(
    "system", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
)
def test_a_database_of_ones_own_keeps_the_board(
    request: pytest.FixtureRequest, home: Path, tmp_path: Path, system: str
) -> None:
    """One service on a database that the settings name comes up, and again with what that holds."""
    url = f"sqlite:///{tmp_path / 'own.db'}"
    if system == "postgresql":
        url = request.getfixturevalue("postgres").create()
    data = tmp_path / "data"
    data.mkdir()
    (data / "tower.toml").write_text(f'database_url = "{url}"\n')
    with started(home, data) as tower:
        until(lambda: set(tower.live()) == {"live", "old", "older"})
        until(lambda: tower.get("/api/usage?by=day")["total"]["input"] == 300)
        before = tower.get("/api/usage?by=day")
        tower.process.terminate()
        tower.process.wait(15)
    shutil.rmtree(home / "projects")
    with started(home, data) as tower:
        assert set(tower.live()) == {"live", "old", "older"}
        assert tower.get("/api/usage?by=day") == before
    assert not (data / "history.db").exists()


def test_history_outlives_the_transcripts(home: Path, tmp_path: Path) -> None:
    """Agents delete theirs after a month; timelines and searches are still there."""
    data = tmp_path / "data"
    before = settled(home, data)
    shutil.rmtree(home / "projects")
    with started(home, data) as tower:
        assert figures(tower) == before
        found = tower.get("/api/sessions?q=needle")
        assert [row["id"] for row in found["sessions"]] == ["live"]
        page = tower.get("/api/sessions/older/timeline")["timeline"]
        assert [each["text"] for each in page if each["kind"] == "prompt"] == ["older thoughts"]


def test_a_transcript_that_grew_meanwhile_is_counted_once(home: Path, tmp_path: Path) -> None:
    """It is read from its beginning to know its sums, and told from where history is."""
    data = tmp_path / "data"
    settled(home, data)
    with transcript(home, "live").open("ab") as file:
        file.write(assistant("m2", at=now(), usage=usage(5), stop="end_turn"))
    with started(home, data) as tower:
        until(lambda: tower.live()["live"]["tokens"]["output"] == 25)
        until(lambda: tower.get("/api/usage?by=session")["rows"][0]["output"] == 25)
        timeline = tower.get("/api/sessions/live/timeline")["timeline"]
        seqs = [each["seq"] for each in timeline]
        assert seqs == list(range(1, len(seqs) + 1))
        assert not tower.get("/api/sessions/live")["timeline_partial"]


def test_a_killed_service_goes_on_where_its_database_is(home: Path, tmp_path: Path) -> None:
    """Hooks that were recorded are there, an open permission among them; nothing counts twice."""
    data = tmp_path / "data"
    asked = {"session_id": "h", "tool_name": "Bash", "tool_input": {"command": "rm -r build"}}
    with started(home, data) as tower:
        until(lambda: recorded(data) == 3)
        tower.hook({"session_id": "h", "hook_event_name": "UserPromptSubmit", "prompt": "clean"})
        tower.hook({**asked, "hook_event_name": "PermissionRequest"})
        waits = "SELECT count(*) FROM sessions WHERE id = 'h' AND attention = 1"
        until(lambda: count(data, waits))
        before = figures(tower)
        tower.process.kill()
        tower.process.wait(10)
    with started(home, data) as tower:
        assert figures(tower) == before
        [item] = tower.get("/api/attention")["open"]
        assert (item["session"], item["kind"]) == ("h", "permission")
        tower.hook({"session_id": "h", "hook_event_name": "Stop"})
        until(lambda: tower.live()["h"]["status"] == "idle")
        assert tower.get("/api/attention")["open"] == []


def test_a_deleted_session_stays_away_until_it_grows(home: Path, tmp_path: Path) -> None:
    """Its transcript lies there, and is not read again; when it grows, all of it comes back."""
    data = tmp_path / "data"
    settled(home, data)
    with started(home, data) as tower:
        bearer = {"Authorization": f"Bearer {tower.token}"}
        until(lambda: tower.ask("DELETE", "/api/sessions/old", **bearer)[0] in (202, 204))
        until(lambda: tower.get("/api/sessions")["total"] == 2)
        assert tower.end() == 0
    with started(home, data) as tower:
        assert set(tower.live()) == {"live", "older"}
        with transcript(home, "old").open("ab") as file:
            file.write(prompt("once more", now()))
        until(lambda: "old" in tower.live())
        until(lambda: tower.live()["old"]["messages"] == 3)
        assert tower.live()["old"]["tokens"]["output"] == 10


LONG_LINES = 20


@pytest.fixture
def long_home(home: Path) -> Path:
    """So much to read that another process records it."""
    at = now() - FAR_BACK_MS
    for name in ("long", "longer"):
        lines = [prompt("x" * 500_000, at + place, uuid=f"p{place}") for place in range(LONG_LINES)]
        transcript(home, name).write_bytes(b"".join(lines))
    return home


def recorders_of(tower: Tower) -> list[int]:
    """The processes that record for a tower."""
    told = Path(f"/proc/{tower.process.pid}/task/{tower.process.pid}/children").read_text()
    commands = {int(pid): Path(f"/proc/{pid}/cmdline").read_bytes() for pid in told.split()}
    return [pid for pid, command in commands.items() if b"tower.first_recorder" in command]


def test_a_long_first_read_is_recorded_by_another_process(long_home: Path, tmp_path: Path) -> None:
    """Which is gone afterwards; what it has counted is told, and what comes later is recorded."""
    data = tmp_path / "data"
    with started(long_home, data) as tower:
        until(lambda: recorders_of(tower))
        until(lambda: recorded(data) == 5 and not recorders_of(tower), within_s=30)
        _, _, metrics = tower.ask("GET", "/metrics")
        [line] = re.findall(rb'tower_recorder_rows_total{table="sessions"} (\S+)', metrics)
        assert float(line) >= 5
        tower.hook({"session_id": "h", "hook_event_name": "UserPromptSubmit", "prompt": "clean"})
        until(lambda: count(data, "SELECT count(*) FROM sessions WHERE id = 'h'"))
        before = figures(tower)
        assert tower.end() == 0
    with started(long_home, data) as tower:
        assert figures(tower) == before


def test_the_recorder_of_a_long_first_read_may_be_killed(long_home: Path, tmp_path: Path) -> None:
    """What it has not written is recorded all the same, once."""
    data = tmp_path / "data"
    with started(long_home, data) as tower:
        [pid] = until(lambda: recorders_of(tower))
        until(lambda: recorded(data) or not recorders_of(tower))
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        until(lambda: recorded(data) == 5, within_s=30)
        assert figures(tower)["total"] == 5
        entries = "SELECT count(*) FROM session_events WHERE kind = 'prompt'"
        assert count(data, entries) == 2 * LONG_LINES + 3


def test_a_tower_that_is_ended_in_a_long_first_read_goes_on_with_it(
    long_home: Path, tmp_path: Path
) -> None:
    """Nobody is left behind, and nothing is counted twice."""
    data = tmp_path / "data"
    with started(long_home, data) as tower:
        [pid] = until(lambda: recorders_of(tower))
        assert tower.end() == 0
        assert not Path(f"/proc/{pid}").exists()
    with started(long_home, data) as tower:
        until(lambda: recorded(data) == 5, within_s=30)
        entries = "SELECT count(*) FROM session_events WHERE kind = 'prompt'"
        assert count(data, entries) == 2 * LONG_LINES + 3
        assert figures(tower)["total"] == 5


def test_who_is_ended_right_after_a_start_has_written_what_was_said(tmp_path: Path) -> None:
    """The database is opened once the port answers; what came before that is in it all the same."""
    (tmp_path / "home" / "projects").mkdir(parents=True)
    with started(tmp_path / "home", tmp_path / "data") as tower:
        tower.hook({"session_id": "first", "hook_event_name": "UserPromptSubmit", "prompt": "Go"})
        assert tower.end() == 0
    with started(tmp_path / "home", tmp_path / "data") as tower:
        assert set(tower.live()) == {"first"}
