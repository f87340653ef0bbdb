"""Replay: recorded transcripts as if they happened now, to a tower that may be away."""

import contextlib
import json
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from session.delta import Report
from tests.hub.made import report
from tests.ingest.reading import summed, texts, transcript
from tests.session.made import NOW, assistant, line, prompt, tool_use, usage
from tests.tower.commands import StandIn, babbler, run, stand_in, start
from tower import replay
from tower.replay import (
    GAP_MAX_S,
    Play,
    Player,
    Recording,
    ReplayError,
    Sender,
    find,
    steps,
)

ONE, TWO, THREE = (prompt(text, NOW + at) for at, text in enumerate(("one", "two", "three")))
FAST = ("--speed", "1000")


@pytest.fixture
def tower() -> Iterator[StandIn]:
    """Where the replay posts to."""
    with stand_in() as made:
        yield made


def recording(path: Path) -> Recording:
    """One file as a session."""
    return Recording([("main", path)])


def pauses(path: Path, speed: float = 1.0) -> list[float]:
    """What is waited before each line."""
    return [round(step.after_s, 3) for step in steps(recording(path), speed)]


# What is played.


def test_snapshots_of_one_session_count_once(tmp_path: Path) -> None:
    """Of files that begin alike in one folder only the longest is played."""
    for name, data in (("00", ONE), ("01", ONE + TWO), ("02", ONE + TWO), ("other", TWO)):
        (tmp_path / f"{name}.jsonl").write_bytes(data)
    assert [each.files[0][1].stem for each in find([str(tmp_path)])] in (
        ["01", "other"], ["02", "other"],
    )  # fmt: skip


def test_alike_files_of_two_folders_are_two_sessions(tmp_path: Path) -> None:
    """Two projects may begin alike."""
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / "s.jsonl").write_bytes(ONE)
    assert len(find([str(tmp_path)])) == 2


def test_subagents_are_played_with_their_parent(tmp_path: Path) -> None:
    """Whether a folder or the file is named."""
    path = transcript(tmp_path, "s")
    path.write_bytes(ONE)
    transcript(tmp_path, "s", "subagents", "agent-1").write_bytes(TWO)
    for named in (tmp_path, path):
        (found,) = find([str(named)])
        assert [source for source, _ in found.files] == ["main", "subagents/agent-1"]


def test_a_session_of_subagents_alone_is_played(tmp_path: Path) -> None:
    """The parent's own file may be missing."""
    transcript(tmp_path, "s", "subagents", "agent-1").write_bytes(TWO)
    (found,) = find([str(tmp_path)])
    assert [source for source, _ in found.files] == ["subagents/agent-1"]


def test_a_path_that_is_absent_is_named() -> None:
    """Nothing is guessed."""
    with pytest.raises(ReplayError, match="/no/such/place"):
        find(["/no/such/place"])


# When.


def test_pauses_are_kept_by_speed_and_bounded(tmp_path: Path) -> None:
    """Nobody waits through a night."""
    path = tmp_path / "s.jsonl"
    lines = [prompt("x", at) for at in (NOW, NOW + 1_000, NOW + 500, NOW + 90_000_000)]
    path.write_bytes(b"".join(lines))
    assert pauses(path) == [0, 1.0, 0, GAP_MAX_S]
    assert pauses(path, speed=10) == [0, 0.1, 0, GAP_MAX_S]


def test_a_line_without_a_time_belongs_to_the_one_before(tmp_path: Path) -> None:
    """And lines without a time at the beginning keep nobody waiting."""
    path = tmp_path / "s.jsonl"
    untimed = line("summary", None, summary="x")
    path.write_bytes(untimed + untimed + ONE + untimed + prompt("two", NOW + 1_000))
    assert pauses(path) == [0, 0, 0, 0, 1.0]


def test_sources_are_merged_by_their_times(tmp_path: Path) -> None:
    """A subagent speaks when it spoke."""
    main, sub = tmp_path / "m.jsonl", tmp_path / "s.jsonl"
    main.write_bytes(ONE + THREE)
    sub.write_bytes(TWO)
    told = steps(Recording([("main", main), ("subagents/a", sub)]), 1)
    assert [step.source for step in told] == ["main", "subagents/a", "main"]


def test_broken_lines_are_passed_over(tmp_path: Path) -> None:
    """As the reader does."""
    path = tmp_path / "s.jsonl"
    path.write_bytes(ONE + b"{oh\n\n[]\n" + TWO)
    assert len(pauses(path)) == 2


# What is said.


def played(path: Path, now: int = NOW) -> tuple[Player, list[Report]]:
    """All of a file's reports at one moment."""
    player = Player(recording(path), Play(paths=[], target=""))
    told = [each for step in player.steps for each in player.speak(step, now)]
    assert all(isinstance(each, Report) for each in told)
    return player, [each for each in told if isinstance(each, Report)]


def test_ids_are_fresh_and_times_are_now(tmp_path: Path) -> None:
    """Session, API calls and times are of this replay; the recording stays as it is."""
    path = tmp_path / "s.jsonl"
    path.write_bytes(
        prompt("old", 1, sessionId="s") + assistant("m1", tool_use("t1"), at=2, usage=usage(7))
    )
    before = path.read_bytes()
    (first, told), (second, again) = played(path), played(path)
    assert first.session != second.session
    assert {each.session for each in told} == {first.session}
    rows = [row for each in told for row in each.usage]
    assert {row.message_id for row in rows}.isdisjoint({"m1"})
    assert {row.message_id for row in rows}.isdisjoint(r.message_id for e in again for r in e.usage)
    assert {entry.at for each in told for entry in each.entries} == {NOW}
    assert all(b"past" not in str(each.values).encode() for each in told)
    assert (summed(told).tokens or {})["output"] == 7
    assert path.read_bytes() == before


def test_each_line_is_a_report_of_its_own(tmp_path: Path) -> None:
    """From its first byte to its last, without a gap."""
    path = tmp_path / "s.jsonl"
    path.write_bytes(ONE + TWO + THREE)
    _, told = played(path)
    assert texts(told) == ["one", "two", "three"]
    assert [each.from_ for each in told[1:]] == [each.to for each in told[:-1]]
    assert [each.mark for each in told] == [None] * 3


@pytest.mark.fixtures
def test_the_growing_session_plays_to_its_own_totals(shared_fixtures: Path, tmp_path: Path) -> None:
    """Eight snapshots are one session, and it counts what the last one counts."""
    (found,) = find([str(shared_fixtures / "growth")])
    assert found.files[0][1].name == "07.jsonl"
    _, told = played(found.files[0][1])
    from ingest.tail import Tail
    from tests.ingest.reading import drained, mark_of

    whole = summed(drained(Tail(mark_of(found.files[0][1]))))
    assert summed(told).tokens == whole.tokens
    counts = [{n: each["calls"] for n, each in s.tools.items()} for s in (summed(told), whole)]
    assert counts[0] == counts[1]


# The command.


def test_everything_is_posted_and_the_end_is_0(tower: StandIn, tmp_path: Path) -> None:
    """Each session under an id of its own, with the token that is set."""
    for name in "abc":
        (tmp_path / f"{name}.jsonl").write_bytes(prompt(name) + TWO)
    done = run(tmp_path, "replay", str(tmp_path), "--to", tower.url, *FAST, TOWER_TOKEN="secret")
    assert done.code == 0
    assert len(tower.sessions) == 3
    assert sorted(texts(tower.reports)) == ["a", "b", "c", "two", "two", "two"]
    assert set(tower.tokens) == {"Bearer secret"}
    now = time.time() * 1000
    assert all(abs(now - (each.at or 0)) < 60_000 for each in tower.reports)


def test_sessions_bounds_how_many(tower: StandIn, tmp_path: Path) -> None:
    """The first ones by name."""
    for name in "abc":
        (tmp_path / f"{name}.jsonl").write_bytes(prompt(name))
    done = run(tmp_path, "replay", str(tmp_path), "--to", tower.url, *FAST, "--sessions", "2")
    assert done.code == 0
    assert sorted(texts(tower.reports)) == ["a", "b"]


def test_json_tells_each_line(tower: StandIn, tmp_path: Path) -> None:
    """When it was played, under which id, and which line it was."""
    (tmp_path / "a.jsonl").write_bytes(ONE + TWO)
    done = run(tmp_path, "replay", str(tmp_path), "--to", tower.url, *FAST, "--json")
    told = [json.loads(each) for each in done.out.splitlines()]
    assert [each["line"] for each in told] == [1, 2]
    assert {each["session"] for each in told} == tower.sessions


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_loop_can_be_ended(tower: StandIn, tmp_path: Path, sign: signal.Signals) -> None:
    """It begins anew under fresh ids, until it is told to stop."""
    (tmp_path / "a.jsonl").write_bytes(ONE + TWO)
    with start(tmp_path, "replay", str(tmp_path), "--to", tower.url, *FAST, "--loop") as process:
        with tower.news:
            assert tower.news.wait_for(lambda: len(tower.sessions) > 2, timeout=20)
        process.send_signal(sign)
        _, err = process.communicate(timeout=10)
    assert "Traceback" not in err
    assert process.returncode in (0, -signal.SIGTERM)
    assert sign == signal.SIGTERM or process.returncode == 0


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_tower_that_is_away_is_tried_again(tower: StandIn, tmp_path: Path, status: int) -> None:
    """It, or the proxy before it, asks to come back; nothing is lost or said twice."""
    tower.answers = [status, status]
    (tmp_path / "a.jsonl").write_bytes(ONE + TWO)
    assert run(tmp_path, "replay", str(tmp_path), "--to", tower.url, *FAST).code == 0
    assert texts(tower.reports) == ["one", "two"]


def test_a_tower_that_is_known_is_waited_for(
    tower: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that answers 503 from the start is given up soon; one that has taken something is not."""
    monkeypatch.setattr(replay, "PAUSE_S", 0.0)
    monkeypatch.setattr(replay, "PATIENCE_S", 0.0)
    delta = report("a", to=1, from_=0)
    with contextlib.closing(Sender(tower.url, None)) as sender:
        tower.answers = [503]
        with pytest.raises(ReplayError, match="no tower answers"):
            sender.send([delta])
        sender.send([delta])
        tower.answers = [503] * 20
        sender.send([delta])
    assert len(tower.reports) == 2


@pytest.mark.parametrize("status", [400, 401, 404])
def test_a_tower_that_refuses_is_quoted(tower: StandIn, tmp_path: Path, status: int) -> None:
    """With its status and its reason, at once."""
    tower.answers = [status]
    (tmp_path / "a.jsonl").write_bytes(ONE)
    done = run(tmp_path, "replay", str(tmp_path), "--to", tower.url)
    assert done.code == 1
    assert str(status) in done.err
    assert "told so" in done.err


def test_without_a_tower_it_says_how_to_start_one(tmp_path: Path) -> None:
    """Exit 1, and a sentence."""
    (tmp_path / "a.jsonl").write_bytes(ONE)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        done = run(tmp_path, "replay", str(tmp_path), "--to", url)
    assert done.code == 1
    assert "tower up" in done.err
    assert url in done.err


def test_another_program_at_that_port_is_no_tower(tmp_path: Path) -> None:
    """Whatever it answers."""
    (tmp_path / "a.jsonl").write_bytes(ONE)
    with babbler(b"SSH-2.0-OpenSSH_9.9\r\n") as port:
        done = run(tmp_path, "replay", str(tmp_path), "--to", f"http://127.0.0.1:{port}")
    assert done.code == 1


@pytest.mark.parametrize(
    "url", ["tower", "127.0.0.1:8787", "ftp://x", "http://", "http://x:port", "http://[::1"]
)
def test_a_wrong_url_is_refused(url: str) -> None:
    """What is expected is said."""
    with pytest.raises(ReplayError, match="expected a URL"):
        Sender(url, None)


def test_an_ipv6_tower_of_the_settings_is_found(tmp_path: Path) -> None:
    """Its address goes into brackets."""
    (tmp_path / "a.jsonl").write_bytes(ONE)
    done = run(tmp_path, "replay", str(tmp_path), TOWER_HOST="::1", TOWER_PORT="9")
    assert done.code == 1
    assert "[::1]:9" in done.err


@pytest.mark.parametrize("arguments", [["--speed", "0"], ["--sessions", "0"], []])
def test_wrong_usage_is_exit_2(tmp_path: Path, arguments: list[str]) -> None:
    """Limits are checked before anything is played."""
    assert run(tmp_path, "replay", *([str(tmp_path)] if arguments else []), *arguments).code == 2


def test_an_empty_folder_is_exit_1(tmp_path: Path) -> None:
    """With what was looked for, and where."""
    done = run(tmp_path, "replay", str(tmp_path))
    assert done.code == 1
    assert ".jsonl" in done.err
    assert str(tmp_path) in done.err
