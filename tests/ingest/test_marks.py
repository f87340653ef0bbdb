"""Marks that travel with reports: where a reader that starts again goes on from."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from ingest import metrics
from ingest import reader as reader_module
from ingest.files import look
from ingest.first_read import is_unchanged
from ingest.reader import Reader
from ingest.tail import SLICE_BYTES, Tail, reports
from session import codec
from session.delta import Report
from session.mark import Mark
from tests.ingest.reading import (
    NOW,
    ORIGIN,
    Log,
    append,
    claude,
    found_mark,
    mark_of,
    summed,
    texts,
    transcript,
)
from tests.session.made import assistant, image, prompt, tool_use, usage

ONE, TWO, THREE = (prompt(text) for text in ("one", "two", "three"))
STUB = json.dumps({"type": "ai-title", "aiTitle": "A good title"}).encode() + b"\n"


def read_all(tail: Tail, now: int = NOW) -> list[Report]:
    """Every report that a tail gives at present, each with its mark."""
    told, more = [], True
    while more:
        parts, more = tail.poll(now)
        told += reports(parts, tail.mark, ORIGIN, now, more=more)
    return told


def long_story(path: Path) -> bytes:
    """A transcript that takes several slices and several reports for each."""
    turns = [
        prompt(f"{at} {'x' * 1900}", NOW + at)
        + assistant(f"m{at}", tool_use(f"t{at}"), usage=usage(at), at=NOW + at)
        for at in range(SLICE_BYTES // 1000)
    ]
    path.write_bytes(b"".join(turns))
    return b"".join(turns)


def counts_as_read(told: Sequence[Report], home: Path, path: Path) -> list[bool]:
    """Of each report whether a reader that knows it alone would leave the file closed."""
    found = look(claude(home), path)
    assert found is not None
    return [each.mark is not None and is_unchanged(found, each.mark) for each in told]


def kept(told: Sequence[Report]) -> list[Mark]:
    """What a history keeps: the last mark of each file, as it comes off the log."""
    marks: dict[str, Mark] = {}
    for each in told:
        again = codec.unpack(codec.pack(each))
        assert isinstance(again, Report)
        assert again.mark is not None
        marks[again.mark.path] = again.mark
    return list(marks.values())


def test_only_the_last_report_of_a_file_makes_it_count_as_read(tmp_path: Path) -> None:
    """A reader that ends in the middle opens the file again."""
    path = transcript(tmp_path)
    long_story(path)
    told = read_all(Tail(found_mark(tmp_path, path)))
    assert len(told) > 4
    assert counts_as_read(told, tmp_path, path) == [False] * (len(told) - 1) + [True]
    assert [each.mark.offset for each in told if each.mark] == [each.to for each in told]


def test_a_half_line_at_the_end_leaves_the_file_read(tmp_path: Path) -> None:
    """Nobody can read it before it is whole, and then the file has another size."""
    path = transcript(tmp_path)
    path.write_bytes(ONE + TWO[:20])
    told = read_all(Tail(found_mark(tmp_path, path)))
    assert counts_as_read(told, tmp_path, path) == [True]
    assert kept(told)[0].offset == len(ONE)


def test_wherever_a_reader_ended_the_next_one_goes_on(tmp_path: Path) -> None:
    """What was kept and what is told after it make the session, each line once."""
    path = transcript(tmp_path)
    long_story(path)
    told = read_all(Tail(found_mark(tmp_path, path)))
    whole = summed(told)
    for count in range(1, len(told) + 1):
        again = read_all(Tail(kept(told[:count])[0]))
        both = summed([*told[:count], *again])
        assert again == [] or again[0].from_ == told[count - 1].to
        assert (both.tokens, both.messages, both.tools) == (
            whole.tokens, whole.messages, whole.tools,
        )  # fmt: skip


def test_a_tail_that_is_let_go_between_two_slices_loses_nothing(tmp_path: Path) -> None:
    """A mark says how far a file was told, not how far it was read."""
    path = tmp_path / "s.jsonl"
    path.write_bytes(prompt("x") + assistant("m1", usage=usage(1)) * (SLICE_BYTES // 100))
    tail = Tail(mark_of(path))
    parts, more = tail.poll(NOW)
    first = reports(parts, tail.mark, ORIGIN, NOW, more=more)
    assert more
    rest = read_all(Tail(tail.mark))
    assert texts([*first, *rest]) == ["x"]


def test_a_fold_knows_nothing_of_marks(tmp_path: Path) -> None:
    """With or without them the session is the same."""
    path = transcript(tmp_path)
    path.write_bytes(ONE + assistant("m1", tool_use("t1"), usage=usage(7)))
    told = read_all(Tail(found_mark(tmp_path, path)))
    bare = [msgspec.structs.replace(each, mark=None) for each in told]
    assert image(summed(told)) == image(summed(bare))


def test_a_file_whose_name_is_no_text_is_none(tmp_path: Path) -> None:
    """Its path could travel nowhere."""
    path = Path(os.fsdecode(os.fsencode(transcript(tmp_path, "a")).replace(b"a.", b"\xff.")))
    path.write_bytes(ONE)
    assert look(claude(tmp_path), path) is None


# The reader.


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A Claude Code home."""
    return tmp_path / "home"


async def read(home: Path, marks: Sequence[Mark] = ()) -> tuple[Reader, list[Report]]:
    """One whole reading of what is there, and what it sent."""
    log = Log()
    reader = Reader([claude(home)], ORIGIN, log.send, marks)
    await reader.first_read()
    await follow(reader)
    return reader, [each for each in log.deltas if isinstance(each, Report)]


async def follow(reader: Reader) -> None:
    """Read what has changed, and no longer."""
    while reader._changed:
        path = next(iter(reader._changed))
        del reader._changed[path]
        while await reader._read_safely(path):
            pass


async def test_a_reader_that_starts_again_sends_only_what_is_new(home: Path) -> None:
    """Marks out of the reports of the run before are all it needs."""
    for name in "ab":
        transcript(home, name).write_bytes(ONE + assistant("m1", tool_use("t1")))
    _, before = await read(home)
    append(transcript(home, "b"), TWO)
    reader, after = await read(home, kept(before))
    assert {each.session for each in before} == {"a", "b"}
    assert [(each.session, texts([each])) for each in after] == [("b", ["two"])]
    assert reader.progress.files == 2


async def test_an_unchanged_file_is_not_opened_after_a_restart(home: Path) -> None:
    """It would say something else, if anybody looked."""
    path = transcript(home, "a")
    path.write_bytes(ONE)
    os.utime(path, ns=(1, 1))  # long ago: files that are live are parsed in advance
    _, before = await read(home)
    path.write_bytes(TWO)
    os.utime(path, ns=(1, 1))
    reader, after = await read(home, kept(before))
    assert after == []
    assert reader.has("a")


async def test_a_stub_is_kept_and_told_whole_when_it_gets_a_time(home: Path) -> None:
    """No report speaks of it, so its mark is asked for; what it said is not lost."""
    path = transcript(home, "a")
    path.write_bytes(STUB)
    reader, before = await read(home)
    stubs = reader.stubs()
    assert before == []
    assert [(each.path, each.size) for each in stubs] == [(str(path), len(STUB))]
    assert not reader.has("a")
    again, nothing = await read(home, stubs)
    assert nothing == []
    assert again.stubs() == stubs
    append(path, ONE)
    known, told = await read(home, stubs)
    assert summed(told).title == "A good title"
    assert known.stubs() == []


async def test_a_forgotten_session_is_told_whole_when_it_grows(home: Path) -> None:
    """And not at all as long as its files stay as they are."""
    path = transcript(home, "a")
    path.write_bytes(ONE)
    transcript(home, "b").write_bytes(ONE)
    log = Log()
    reader = Reader([claude(home)], ORIGIN, log.send)
    await reader.first_read()
    await follow(reader)
    forgotten = reader.forget("a")
    assert [(each.path, each.offset) for each in forgotten] == [(str(path), 0)]
    assert (reader.has("a"), reader.has("b")) == (False, True)
    log.deltas.clear()
    await reader.first_read()
    await follow(reader)
    assert log.deltas == []
    append(path, TWO)
    await reader.first_read()
    await follow(reader)
    assert log.prompts("a") == ["one", "two"]
    assert log.identities == {("a", "main")}
    assert reader.forget("unknown") == []


async def test_what_was_forgotten_stays_so_after_a_restart(home: Path) -> None:
    """The marks that ``forget`` gives are what a history keeps."""
    path = transcript(home, "a")
    path.write_bytes(ONE)
    os.utime(path, ns=(1, 1))
    reader, _ = await read(home)
    marks = reader.forget("a")
    _, nothing = await read(home, marks)
    append(path, TWO)
    _, told = await read(home, marks)
    assert nothing == []
    assert texts(told) == ["one", "two"]


async def test_broken_lines_of_a_file_that_is_read_again_are_counted_once(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A parser that was let go meets the same lines again."""
    monkeypatch.setattr(reader_module, "TAILS_MAX", 1)
    path = transcript(home, "a")
    path.write_bytes(ONE * (2 * SLICE_BYTES // len(ONE)) + b"{oh\n")
    before = metrics.broken_lines._value.get()
    log = Log()
    reader = Reader([claude(home)], ORIGIN, log.send)
    await reader.first_read()
    for text in ("two", "three"):
        reader._tails.clear()
        append(path, prompt(text))
        reader._touch(str(path))
        await follow(reader)
    assert log.prompts("a")[-2:] == ["two", "three"]
    assert metrics.broken_lines._value.get() == before + 1
    assert reader.progress.broken == 1
