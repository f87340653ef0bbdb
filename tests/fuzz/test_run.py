"""The tools of a long run: targets by name, real lines one of each shape, what a corpus reaches."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.fuzz.targets import TARGETS

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def run() -> ModuleType:
    """The program that scripts/fuzz starts, as a module."""
    spec = importlib.util.spec_from_file_location("fuzzing_run", ROOT / "scripts/fuzzing/run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def started(program: str, *words: str) -> subprocess.CompletedProcess[str]:
    """One of the programs, to its end."""
    return subprocess.run(
        [sys.executable, str(ROOT / "scripts/fuzzing" / program), *words], cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip


def test_a_target_that_is_not_there_is_answered_by_those_that_are() -> None:
    """Wrong usage: exit code 2."""
    done = started("run.py", "--target", "nothing")
    assert done.returncode == 2
    assert all(name in done.stderr for name in (*TARGETS, "http"))


def test_real_lines_are_taken_up_once_for_each_shape(run: ModuleType, tmp_path: Path) -> None:
    """What a line says makes no other shape, its names and types do; what is no JSON is left."""
    folder = tmp_path / "claude/projects/p"
    folder.mkdir(parents=True)
    lines = [b'{"a":1,"b":["x"]}', b'{"b":["y","z"],"a":7}', b'{"a":"1","b":["x"]}', b"{oh", b"{}"]
    (folder / "s.jsonl").write_bytes(b"\n".join(lines))
    run.learn(tmp_path, tmp_path / "corpus")
    kept = sorted((tmp_path / "corpus/claude_transcript-bytes").iterdir())
    assert [each.read_bytes() for each in kept] == [lines[0], lines[2], lines[4]]


def test_what_a_corpus_reaches_is_told_by_room(tmp_path: Path) -> None:
    """Of good hooks some of the adapters and of the session, and nothing of a client's frames."""
    corpus = tmp_path / "claude_hook-bytes"
    corpus.mkdir()
    for number, body in enumerate(TARGETS["claude_hook"].corpus):
        (corpus / str(number)).write_bytes(body)
    told = json.loads(started("reached.py", str(tmp_path)).stdout)
    assert told["ingest/adapters"][0] > 100
    assert told["session"][0] > 100
    assert told["hub/inlet.py"][0] == 0
