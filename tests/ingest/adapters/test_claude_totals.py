"""Tokens and cost of whole sessions: real ones against ccusage, small ones for each trap."""

import json
from pathlib import Path
from typing import Any

import pytest

from ingest.adapters.claude_transcript import ClaudeTranscript
from session import codec
from session.delta import Report, Usage
from session.fold import fold, new_session
from session.state import Session, token_series
from tests.session.made import as_report

OWN = Path(__file__).parents[2] / "fixtures" / "transcripts"
EXPECTED: dict[str, dict[str, Any]] = json.loads((OWN / "expected.json").read_bytes())
NAMES = ("input", "output", "cache_write", "cache_read")


def sources(folder: Path, main: Path) -> dict[str, Path]:
    """The files of a session: its own transcript and those of its subagents."""
    found = {"main": main} if main.exists() else {}
    below = folder / "subagents"
    for path in sorted(below.rglob("*.jsonl")):
        found[f"subagents/{path.relative_to(below).with_suffix('').as_posix()}"] = path
    return found


def read(files: dict[str, Path], cut: int = 256 * 1024) -> list[Report]:
    """Every file in slices of whole lines, as the reader takes it."""
    told = []
    for source, path in files.items():
        transcript = ClaudeTranscript("s", source)
        data = path.read_bytes()
        while data:
            end = data.rfind(b"\n", 0, cut) + 1 or data.find(b"\n") + 1 or len(data)
            parts = [*transcript.feed(data[:end]), transcript.take()]
            told += [as_report(part, source) for part in parts]
            data = data[end:]
    return told


def summed(reports: list[Report]) -> Session:
    """The session that the reports make."""
    session = new_session(reports[0])
    for report in reports:
        fold(session, report)
    return session


def rows_of(reports: list[Report]) -> list[Usage]:
    """The recorder's rows: per source a later one of the same call replaces."""
    rows = {(report.source, row.message_id): row for report in reports for row in report.usage}
    return [row for row in rows.values() if not row.forked]


@pytest.mark.parametrize("name", EXPECTED)
def test_each_trap_is_counted_right(name: str) -> None:
    """A few lines of our own for each way in which a transcript misleads."""
    expected = EXPECTED[name]
    session = summed(read(sources(OWN / name, OWN / name / "main.jsonl")))
    assert session.tokens == expected["tokens"]
    assert session.cost_usd == pytest.approx(expected["cost_usd"], abs=1e-9)
    assert session.cost_state == expected["cost_state"]
    for kind in session.tokens or {}:
        assert sum(each[kind] for each in token_series(session)) == expected["tokens"][kind]


def test_what_was_forked_is_inherited() -> None:
    """Shown, priced, and not counted again."""
    session = summed(read(sources(OWN / "forked", OWN / "forked" / "main.jsonl")))
    assert session.inherited is not None
    assert session.inherited["tokens"]["output"] == 70
    assert session.inherited["cost_usd"] == pytest.approx(0.00225)
    assert [e.text for e in session.timeline if e.kind == "prompt"] == ["new"]


def test_a_model_without_a_price_is_shown_so() -> None:
    """Its own cost is unknown, the session's is what is known."""
    files = sources(OWN, OWN / "partly_unknown_model" / "main.jsonl")
    models = summed(read({"main": files["main"]})).models
    assert models["made-up-model"]["cost_usd"] is None
    assert models["claude-opus-4-6"]["cost_usd"] == pytest.approx(0.00075)


def test_a_model_that_lost_its_only_call_is_gone() -> None:
    """A better line of another model takes the call over whole."""
    files = {"main": OWN / "model_swapped_in_a_better_line" / "main.jsonl"}
    assert set(summed(read(files)).models) == {"claude-haiku-4-5"}


def test_neighbours_of_broken_lines_are_counted() -> None:
    """Six lines of the file are no objects; the three whole calls beside them stand."""
    transcript = ClaudeTranscript("s")
    transcript.feed((OWN / "broken_lines" / "main.jsonl").read_bytes())
    assert transcript.broken == 7
    assert [e.text for e in transcript.take().entries if e.kind == "message"] == [
        "done", "\ufffd half",
    ]  # fmt: skip


def expected_sessions(shared: Path) -> dict[str, Any]:
    """What ccusage says of the recorded home."""
    told: dict[str, Any] = json.loads((shared / "expected_totals.json").read_bytes())["sessions"]
    return told


@pytest.mark.fixtures
def test_all_48_recorded_sessions_are_counted_right(shared_fixtures: Path) -> None:
    """Tokens exactly, 1-hour cache writes among them, and cost within 1e-5 USD."""
    expected = expected_sessions(shared_fixtures)
    wrong = {}
    for name, told in expected.items():
        folder = shared_fixtures / "claude_home" / "projects" / name
        reports = read(sources(folder, folder.with_name(folder.name + ".jsonl")))
        session, rows = summed(reports), rows_of(reports)
        tokens = [(session.tokens or {}).get(kind, 0) for kind in NAMES]
        tokens.append(sum(row.cache_write_1h for row in rows))
        cost = session.cost_usd or 0
        if tokens != told["final"] or abs(cost - told["cost_usd"]) > 1e-5:
            wrong[name] = (tokens, told["final"], cost, told["cost_usd"])
    assert wrong == {}
    assert len(expected) == 48


@pytest.mark.fixtures
def test_recorded_costs_are_right_by_model(shared_fixtures: Path) -> None:
    """Each model's part of it."""
    for name, told in expected_sessions(shared_fixtures).items():
        folder = shared_fixtures / "claude_home" / "projects" / name
        reports = read(sources(folder, folder.with_name(folder.name + ".jsonl")))
        session = summed(reports)
        by_model = {
            model: each["cost_usd"] for model, each in session.models.items() if each["calls"]
        }
        assert by_model == pytest.approx(told["cost_by_model"], abs=1e-5)


@pytest.mark.fixtures
def test_a_recorded_file_that_grows_ends_where_the_last_one_does(shared_fixtures: Path) -> None:
    """Eight snapshots of one session, each read on from the one before."""
    snapshots = sorted(
        (shared_fixtures / "growth").rglob("*.jsonl"), key=lambda p: p.stat().st_size
    )
    transcript, told, known = ClaudeTranscript("s"), [], 0
    for path in snapshots:
        data = path.read_bytes()
        end = data.rfind(b"\n") + 1
        told += [as_report(part, "main") for part in transcript.feed(data[known:end])]
        told.append(as_report(transcript.take(), "main"))
        known = max(known, end)
    grown, whole = summed(told), summed(read({"main": snapshots[-1]}))
    for name in ("tokens", "cost_usd", "tools", "messages", "models", "title", "status"):
        assert getattr(grown, name) == getattr(whole, name)


@pytest.mark.fixtures
def test_no_recorded_report_is_larger_than_a_delta_may_be(shared_fixtures: Path) -> None:
    """256 KiB, for every slice of every real file."""
    paths = (shared_fixtures / "claude_home").rglob("*.jsonl")
    sizes = [len(codec.pack(report)) for path in paths for report in read({"main": path})]
    assert max(sizes) <= 256 * 1024
