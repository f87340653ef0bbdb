"""The first read in its real child process: frames, marks, and a start from any folder."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from ingest.first_read import DELTA, HEADER, MARK, REDACTED, TOTAL, Order, is_unchanged
from session import codec
from session.delta import Report
from session.mark import Mark
from tests.ingest.reading import ORIGIN, Log, append, claude, found_mark, summed, transcript
from tests.session.made import assistant, prompt, tool_use

ROOT = Path(__file__).resolve().parents[2]
ONE, TWO = prompt("one"), prompt("two")


class Told:
    """What a first read wrote."""

    def __init__(self, output: bytes) -> None:
        self.log = Log()
        self.marks: dict[str, Mark] = {}
        self.totals: list[tuple[int, int]] = []
        self.redacted: Counter[str] = Counter()
        while output:
            kind, size = HEADER.unpack(output[: HEADER.size])
            payload = output[HEADER.size : HEADER.size + size]
            output = output[HEADER.size + size :]
            if kind == DELTA:
                self.log.deltas.append(codec.unpack(payload))
            elif kind == MARK:
                mark = msgspec.msgpack.decode(payload, type=Mark)
                self.marks[Path(mark.path).name] = mark
            elif kind == REDACTED:
                self.redacted += Counter(msgspec.msgpack.decode(payload, type=dict[str, int]))
            else:
                assert kind == TOTAL
                self.totals.append(msgspec.msgpack.decode(payload, type=tuple[int, int]))


def first_read(*homes: Path, marks: list[Mark] | None = None, cwd: Path = ROOT) -> Told:
    """Run the child process to its end."""
    order = Order([claude(home) for home in homes], ORIGIN, marks or [])
    done = subprocess.run(
        [sys.executable, "-m", "ingest.first_read"], input=msgspec.msgpack.encode(order),
        cwd=cwd, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, capture_output=True,
    )  # fmt: skip
    assert done.stderr == b""
    return Told(done.stdout)


def test_everything_on_disk_is_told_once(tmp_path: Path) -> None:
    """Each file's reports, then its mark; first of all how much there is."""
    transcript(tmp_path, "a").write_bytes(ONE + assistant("m1", tool_use("t1")))
    transcript(tmp_path, "b").write_bytes(TWO)
    transcript(tmp_path, "b", "subagents", "agent-x").write_bytes(assistant("m2"))
    told = first_read(tmp_path)
    size = sum(path.stat().st_size for path in tmp_path.rglob("*.jsonl"))
    assert told.totals == [(3, size)]
    assert told.log.prompts("a") == ["one"]
    assert told.log.prompts("b") == ["two"]
    assert {source for _, source in told.log.identities} == {"main", "subagents/agent-x"}
    assert {mark.offset for mark in told.marks.values()} == {
        path.stat().st_size for path in tmp_path.rglob("*.jsonl")
    }


def test_an_empty_order_ends_well(tmp_path: Path) -> None:
    """No home, or homes without transcripts, are nothing to complain of."""
    assert first_read().totals == [(0, 0)]
    assert first_read(tmp_path / "absent").totals == [(0, 0)]


def test_an_unchanged_file_is_not_opened(tmp_path: Path) -> None:
    """Its mark comes back as it was, though its content would now say something else."""
    path = transcript(tmp_path, "a")
    path.write_bytes(ONE)
    mark = first_read(tmp_path).marks["a.jsonl"]
    stat = path.stat()
    path.write_bytes(TWO)  # as long as the first, and made to look as old
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    told = first_read(tmp_path, marks=[mark])
    assert told.log.deltas == []
    assert told.marks["a.jsonl"] == mark


def test_a_grown_file_is_told_from_its_mark_on(tmp_path: Path) -> None:
    """The sums are rebuilt, and only what lies beyond the offset is sent."""
    path = transcript(tmp_path, "a")
    path.write_bytes(ONE + assistant("m1", tool_use("t1")))
    before = first_read(tmp_path)
    append(path, TWO + assistant("m2", tool_use("t2")))
    after = first_read(tmp_path, marks=list(before.marks.values()))
    assert after.log.prompts("a") == ["two"]
    assert summed(before.log.deltas + after.log.deltas).tool_calls == 2


def test_an_unreadable_file_harms_no_neighbour(tmp_path: Path) -> None:
    """A link that leads nowhere, an empty file and bytes that are none of ours."""
    transcript(tmp_path, "gone").symlink_to(tmp_path / "nowhere")
    transcript(tmp_path, "empty").touch()
    transcript(tmp_path, "noise").write_bytes(os.urandom(5_000) + b"\n" + TWO)
    transcript(tmp_path, "a").write_bytes(ONE)
    told = first_read(tmp_path)
    assert told.log.prompts("a") == ["one"]
    assert told.log.prompts("noise") == ["two"]


def test_a_mark_knows_its_file_by_more_than_its_name(tmp_path: Path) -> None:
    """Size and time of change decide whether a file is opened at all."""
    path = transcript(tmp_path, "a")
    path.write_bytes(ONE)
    fresh = found_mark(tmp_path, path)
    kept = first_read(tmp_path).marks["a.jsonl"]
    assert fresh.offset == 0
    assert kept.inode == path.stat().st_ino
    assert (kept.size, kept.mtime_ns) == (len(ONE), path.stat().st_mtime_ns)
    assert kept.head
    assert not is_unchanged_now(tmp_path, path, fresh)
    assert is_unchanged_now(tmp_path, path, kept)


def is_unchanged_now(home: Path, path: Path, mark: Mark) -> bool:
    """Whether the first read would leave the file closed."""
    from ingest.files import look

    found = look(claude(home), path)
    assert found is not None
    return is_unchanged(found, mark)


@pytest.mark.fixtures
def test_the_recorded_home_is_read_whole(shared_fixtures: Path) -> None:
    """Every real file to its last byte, in reports of which the log takes each."""
    home = shared_fixtures / "claude_home"
    told = first_read(home)
    paths = list((home / "projects").rglob("*.jsonl"))
    assert told.totals == [(len(paths), sum(path.stat().st_size for path in paths))]
    reports = [each for each in told.log.deltas if isinstance(each, Report)]
    by_source: dict[tuple[str, str], int] = {}
    for each in reports:
        assert each.from_ == by_source.get((each.session, each.source), 0)
        by_source[each.session, each.source] = each.to
    assert sorted(by_source.values()) == sorted(p.stat().st_size for p in paths if p.stat().st_size)
    assert max(len(codec.pack(each)) for each in reports) <= 256 * 1024
