"""One file as it grows, stops in the middle of a line, shrinks or becomes another one."""

import shutil
from pathlib import Path

import pytest

from ingest.tail import SLICE_BYTES, Tail
from session.mark import Mark
from tests.ingest.reading import NOW, ORIGIN, append, drain, drained, mark_of, summed, texts
from tests.session.made import assistant, prompt, result, tool_use, usage

ONE, TWO, THREE = (prompt(text) for text in ("one", "two", "three"))
CALL = assistant("m1", tool_use("t1"), usage=usage(20))
ANSWER = assistant("m2", usage=usage(30), stop_reason="end_turn")
TURN = [ONE, CALL, result("t1"), ANSWER, TWO]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the transcript will be."""
    return tmp_path / "s.jsonl"


def test_a_file_that_grows_byte_by_byte_says_what_it_says_whole(path: Path) -> None:
    """Wherever the writer was interrupted, no line is lost, doubled or broken."""
    data = b"".join(TURN)
    path.write_bytes(b"")
    tail, told = Tail(mark_of(path)), []
    for at in range(len(data)):
        append(path, data[at : at + 1])
        told += drained(tail)
    grown = summed(told)
    whole = summed(drained(Tail(mark_of(path))))
    assert tail.mark.broken == 0
    assert texts(told) == ["one", "two"]
    for name in ("tokens", "cost_usd", "tools", "messages", "title", "status", "tool_calls"):
        assert getattr(grown, name) == getattr(whole, name)
    assert [part.from_ for part in told[1:]] == [part.to for part in told[:-1]]


def test_a_half_written_last_line_waits_for_its_end(path: Path) -> None:
    """Nothing is told of it before it is whole, and it is never called broken."""
    path.write_bytes(ONE + TWO[:20])
    tail = Tail(mark_of(path))
    assert texts(drain(tail)) == ["one"]
    assert tail.mark.offset == len(ONE)
    append(path, TWO[20:])
    assert texts(drain(tail)) == ["two"]
    assert tail.mark.broken == 0


def test_a_last_line_without_a_newline_is_whole_if_it_is_json(path: Path) -> None:
    """52 of 219 stored transcripts end so; its newline may come later."""
    path.write_bytes(ONE + TWO.rstrip(b"\n"))
    tail = Tail(mark_of(path))
    assert texts(drain(tail)) == ["one", "two"]
    append(path, b"\n" + THREE)
    assert texts(drain(tail)) == ["three"]
    assert tail.mark.broken == 0


def test_a_line_that_ends_within_a_nested_object_is_not_whole(path: Path) -> None:
    """A closing brace alone does not make a line."""
    half = b'{"type":"user","message":{"role":"user"}'
    path.write_bytes(ONE + half)
    tail = Tail(mark_of(path))
    assert texts(drain(tail)) == ["one"]
    assert tail.mark.offset == len(ONE)


def test_lines_may_end_in_carriage_returns(path: Path) -> None:
    """A file that was written on Windows says the same, and offsets count every byte."""
    data = b"".join(line.replace(b"\n", b"\r\n") for line in TURN)
    path.write_bytes(data)
    tail = Tail(mark_of(path))
    told = drained(tail)
    assert texts(told) == ["one", "two"]
    assert told[-1].to == len(data)
    assert tail.mark.broken == 0


def test_a_broken_line_harms_no_neighbour(path: Path) -> None:
    """It is counted and passed over."""
    path.write_bytes(ONE + b'{"type": "user", oh\n' + b"\x00\xff\n" + TWO)
    tail = Tail(mark_of(path))
    assert texts(drain(tail)) == ["one", "two"]
    assert tail.mark.broken == 2


def test_an_absent_file_says_nothing(path: Path) -> None:
    """It may come, and it may have been deleted."""
    tail = Tail(mark_of(path))
    assert tail.poll(NOW) == ([], False)
    path.write_bytes(ONE)
    assert texts(drain(tail)) == ["one"]
    path.unlink()
    assert tail.poll(NOW) == ([], False)


def test_an_unchanged_file_says_nothing_again(path: Path) -> None:
    """No line is told twice within a generation."""
    path.write_bytes(ONE + TWO)
    tail = Tail(mark_of(path))
    assert drain(tail)
    assert drain(tail) == []


def test_a_large_file_comes_in_slices(path: Path) -> None:
    """One poll reads no more than a slice, and says that more is waiting."""
    line = prompt("x" * 1000)
    count = 3 * SLICE_BYTES // len(line)
    path.write_bytes(line * count)
    tail = Tail(mark_of(path))
    _, more = tail.poll(NOW)
    assert more
    assert tail.mark.offset <= SLICE_BYTES
    drain(tail)
    assert tail.mark.offset == len(line) * count


def test_a_line_longer_than_a_slice_is_whole(path: Path) -> None:
    """Pasted images make lines of megabytes."""
    path.write_bytes(prompt("y" * (3 * SLICE_BYTES)) + TWO)
    assert [text[:3] for text in texts(drain(Tail(mark_of(path))))] == ["yyy", "two"]


# Another file under the same name.


def test_a_file_that_shrank_is_a_new_generation(path: Path) -> None:
    """Its values are told anew from the first byte, under a higher version."""
    path.write_bytes(b"".join(TURN))
    tail = Tail(mark_of(path))
    before = drained(tail)
    path.write_bytes(ONE)
    after = drained(tail, NOW + 5)
    assert [part.generation for part in after] == [NOW + 5]
    assert after[0].from_ == 0
    assert summed([*before, *after]).tool_calls == 0


def test_a_file_whose_first_line_changed_is_a_new_generation(path: Path) -> None:
    """Even if it did not shrink and kept its inode."""
    path.write_bytes(ONE)
    tail = Tail(mark_of(path))
    drain(tail)
    path.write_bytes(TWO + THREE)
    assert texts(drain(tail, NOW + 5)) == ["two", "three"]
    assert tail.mark.generation == NOW + 5


def test_a_rewrite_of_the_same_size_is_a_new_generation(path: Path) -> None:
    """Sizes alone would not tell."""
    path.write_bytes(ONE)
    tail = Tail(mark_of(path))
    drain(tail)
    path.write_bytes(TWO)
    assert path.stat().st_size == tail.mark.size
    assert texts(drain(tail, NOW + 5)) == ["two"]


def test_a_file_put_in_its_place_is_a_new_generation(path: Path, tmp_path: Path) -> None:
    """Editors write beside and rename."""
    path.write_bytes(ONE)
    tail = Tail(mark_of(path))
    drain(tail)
    other = tmp_path / "other"
    other.write_bytes(ONE + TWO)
    other.replace(path)
    assert texts(drain(tail, NOW + 5)) == ["one", "two"]
    assert tail.mark.generation == NOW + 5


def test_a_copy_elsewhere_gives_the_same_reports(path: Path, tmp_path: Path) -> None:
    """Two homes with one session are one source: the same ids, the same versions."""
    path.write_bytes(b"".join(TURN))
    copied = tmp_path / "copied.jsonl"
    shutil.copy(path, copied)
    first, second = (drained(Tail(mark_of(each))) for each in (path, copied))
    assert first == second


def test_a_half_line_that_was_taken_back_is_forgotten(path: Path) -> None:
    """A file that shrinks within its unfinished line is read from that line's beginning."""
    path.write_bytes(ONE + CALL[:30])
    tail = Tail(mark_of(path))
    drain(tail)
    path.write_bytes(ONE + THREE)
    assert texts(drain(tail, NOW + 5))[-1:] == ["three"]
    assert tail.mark.broken == 0


def test_two_replacements_in_one_millisecond_are_two_generations(path: Path) -> None:
    """Nor may a clock that was set back make a generation that is never above the last."""
    path.write_bytes(ONE)
    tail = Tail(mark_of(path))
    told = drained(tail)
    for now, data in ((NOW, CALL + TWO + THREE), (NOW, TWO), (NOW - 60_000, CALL)):
        path.write_bytes(data)
        told += drained(tail, now)
    generations = [part.generation for part in told]
    assert generations == sorted(set(generations))
    assert summed(told).tool_calls == 1


# Marks.


def test_a_mark_with_an_offset_sends_only_what_lies_beyond(path: Path) -> None:
    """The sums are rebuilt from the first byte, but told lines are not told again."""
    path.write_bytes(b"".join(TURN))
    first = Tail(mark_of(path))
    told = drained(first)
    append(path, assistant("m3", tool_use("t2"), usage=usage(40)) + THREE)
    again = drained(Tail(Mark(**{n: getattr(first.mark, n) for n in Mark.__struct_fields__})))
    assert texts(again) == ["three"]
    assert [part.from_ for part in again][:1] == [told[-1].to]
    assert summed(told + again).tokens == summed(drained(Tail(mark_of(path)))).tokens
    assert summed(told + again).tool_calls == 2


def test_a_mark_at_the_end_of_an_unchanged_file_sends_nothing(path: Path) -> None:
    """Reading it again only rebuilds the sums."""
    path.write_bytes(b"".join(TURN))
    first = Tail(mark_of(path))
    drain(first)
    assert drain(Tail(first.mark)) == []


def test_a_mark_of_a_file_that_shrank_meanwhile_starts_anew(path: Path) -> None:
    """What the mark says of another file does not count."""
    path.write_bytes(b"".join(TURN))
    first = Tail(mark_of(path))
    drain(first)
    path.write_bytes(THREE)
    again = Tail(first.mark)
    assert texts(drain(again, NOW + 5)) == ["three"]
    assert again.mark.generation == NOW + 5


def test_a_mark_survives_a_file_that_became_longer_than_a_slice(path: Path) -> None:
    """The kept offset may lie in the middle of a later slice."""
    line = prompt("z" * 900)
    count = 2 * SLICE_BYTES // len(line)
    path.write_bytes(line * count)
    first = Tail(mark_of(path))
    drain(first)
    append(path, THREE)
    again = Tail(first.mark)
    assert texts(drain(again)) == ["three"]
    assert again.mark.offset == path.stat().st_size


# Reports.


def test_a_report_names_its_version_and_its_reader(path: Path) -> None:
    """Sending one again is no second entry, for its id is its version."""
    path.write_bytes(ONE)
    told = drained(Tail(mark_of(path)))[0]
    assert told.id == f"claude-code:s:main:0:{len(ONE)}"
    assert (told.host, told.user, told.workspace) == (ORIGIN.host, ORIGIN.user, "default")
    assert (told.from_, told.to, told.generation) == (0, len(ONE), 0)


def test_a_file_whose_last_line_is_a_day_old_is_past(path: Path) -> None:
    """The reader says so in the same report; a newer line reopens the session."""
    day_ms = 86_400_000
    path.write_bytes(prompt("old", NOW - day_ms - 1_000))
    tail = Tail(mark_of(path))
    told = drained(tail)
    assert told[-1].values["past"] == NOW - day_ms - 1_000
    assert summed(told).status == "ended"
    append(path, prompt("new", NOW))
    assert summed([*told, *drained(tail)]).status == "running"


def test_a_subagent_gets_its_type_from_the_file_beside(tmp_path: Path) -> None:
    """Newer versions of the agent write it there; an unreadable one is no harm."""
    path = tmp_path / "agent-a1.jsonl"
    path.write_bytes(assistant("m1"))
    path.with_suffix(".meta.json").write_text('{"agentType": "Explore"}')
    tree = summed(drained(Tail(mark_of(path, "subagents/agent-a1")))).subagents_tree
    assert [each["type"] for each in tree.values()] == ["Explore"]
    path.with_suffix(".meta.json").write_text("[]")
    assert drained(Tail(mark_of(path, "subagents/agent-a1")))


@pytest.mark.fixtures
def test_snapshots_of_a_growing_file_end_where_the_last_one_does(
    shared_fixtures: Path, path: Path
) -> None:
    """Eight snapshots 00..07, each copied over the file by what it has more."""
    snapshots = sorted((shared_fixtures / "growth").rglob("*.jsonl"))
    path.write_bytes(b"")
    tail, told = Tail(mark_of(path)), []
    for snapshot in snapshots:
        append(path, snapshot.read_bytes()[path.stat().st_size :])
        told += drained(tail)
    grown, whole = summed(told), summed(drained(Tail(mark_of(snapshots[-1]))))
    assert tail.mark.generation == 0
    for name in ("tokens", "cost_usd", "tools", "models", "messages", "title", "status", "minutes"):
        assert getattr(grown, name) == getattr(whole, name)
    assert grown.objectives_list == whole.objectives_list
    assert [e.id for e in grown.timeline.entries] == [e.id for e in whole.timeline.entries]
