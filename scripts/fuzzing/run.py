"""Fuzzes the doors one after another, and says what was run, what was reached and what failed.

The corpus stays in a folder that git passes over, and the next run begins with it. ``--like DIR``
takes up real JSON lines as well, one of each shape: they stay on this machine. Started by
``scripts/fuzz``.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
WAYS = ("bytes", "cases")
HTTP = "http"
GRACE_S = 120
LIKE = {"claude_transcript": "projects/**/*.jsonl", "codex_rollout": "sessions/**/*.jsonl"}
LINE_BYTES_MAX = 8_192


class Told(NamedTuple):
    """What a run of one target says of itself."""

    target: str
    way: str
    executions: int
    edges: int
    corpus: int
    failed: bool
    text: str


def parse(targets: list[str]) -> argparse.Namespace:
    """The words of the command line."""
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="for all targets together")
    parser.add_argument("--target", action="append", choices=[*targets, HTTP])
    parser.add_argument("--way", choices=[*WAYS, "both"], default="both")
    parser.add_argument("--corpus", type=Path, default=ROOT / ".fuzz", metavar="DIR")
    parser.add_argument("--like", type=Path, metavar="DIR", help="agents' homes to learn from")
    return parser.parse_args()


def environment() -> dict[str, str]:
    """The checkout's own packages."""
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(ROOT), os.environ.get("PYTHONPATH", ""))),
    }


def run(target: str, way: str, seconds: int, corpus: Path) -> Told:
    """One target, until its time is over or it failed."""
    command = [sys.executable, str(ROOT / "scripts/fuzzing/one.py"), target, way]
    command += ["--seconds", str(seconds), "--corpus", str(corpus)]
    done = subprocess.run(
        command, env=environment(), cwd=ROOT, capture_output=True, text=True, check=False,
        errors="replace", timeout=seconds + GRACE_S,
    )  # fmt: skip
    text = done.stdout + done.stderr
    return Told(
        target, way, _last(r"stat::number_of_executed_units:\s+(\d+)", text)
        or _last(r"^#(\d+)\s", text),
        _last(r"cov: (\d+)", text), _last(r"corp: (\d+)", text), done.returncode != 0, text,
    )  # fmt: skip


def _last(pattern: str, text: str) -> int:
    found = re.findall(pattern, text, re.MULTILINE)
    return int(found[-1]) if found else 0


def run_http(minutes: float, corpus: Path) -> Told:
    """The HTTP interface, by schemathesis and by what is posted, on a tower of its own."""
    count = corpus / "http.count"
    count.unlink(missing_ok=True)
    told = {"FUZZ_HTTP_MINUTES": str(minutes), "FUZZ_HTTP_COUNT": str(count)}
    command = [sys.executable, "-m", "pytest", "-q", "tests/fuzz/test_http.py"]
    done = subprocess.run(
        command, env={**environment(), **told}, cwd=ROOT, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    asked = int(count.read_text()) if count.exists() else 0
    return Told(HTTP, "cases", asked, 0, 0, done.returncode != 0, done.stdout + done.stderr)


# Real lines, one of each shape.


def shape(value: Any) -> Any:
    """A value without what it says."""
    if isinstance(value, dict):
        return tuple(sorted((name, shape(each)) for name, each in value.items()))
    if isinstance(value, list):
        return tuple(dict.fromkeys(map(shape, value)))
    return type(value).__name__


def lines_like(home: Path, pattern: str) -> Iterator[bytes]:
    """Lines of a home's transcripts, one of each shape."""
    known = set()
    for file in sorted(home.glob(pattern)):
        for line in file.read_bytes().splitlines():
            if len(line) > LINE_BYTES_MAX:
                continue
            try:
                told = shape(json.loads(line))
            except ValueError:
                continue
            if told not in known:
                known.add(told)
                yield line


def learn(homes: Path, corpus: Path) -> None:
    """Put what stands in agents' homes below a folder into the corpus."""
    for target, pattern in LIKE.items():
        at = corpus / f"{target}-bytes"
        at.mkdir(parents=True, exist_ok=True)
        for number, line in enumerate(lines_like(homes, f"**/{pattern}")):
            (at / f"like-{number}").write_bytes(line)


def main() -> int:
    """1 where something failed."""
    from tests.fuzz.targets import TARGETS

    told = parse(list(TARGETS))
    chosen = told.target or [*TARGETS, HTTP]
    ways = WAYS if told.way == "both" else (told.way,)
    told.corpus.mkdir(parents=True, exist_ok=True)
    if told.like is not None:
        learn(told.like, told.corpus)
    runs = [(target, way) for target in chosen for way in (ways if target != HTTP else ("cases",))]
    seconds = max(5, int(told.minutes * 60 / len(runs)))
    failed = False
    print(f"{'target':<20}{'way':<8}{'executions':>12}{'edges':>8}{'corpus':>8}")
    for target, way in runs:
        each = (
            run_http(seconds / 60, told.corpus)
            if target == HTTP
            else run(target, way, seconds, told.corpus)
        )
        end = "  FAILED" if each.failed else ""
        print(
            f"{target:<20}{way:<8}{each.executions:>12,}{each.edges:>8,}{each.corpus:>8,}{end}",
            flush=True,
        )
        if each.failed:
            print(each.text[-6_000:])
        failed = failed or each.failed
    _tell_reached(told.corpus)
    return int(failed)


def _tell_reached(corpus: Path) -> None:
    command = [sys.executable, str(ROOT / "scripts/fuzzing/reached.py"), str(corpus)]
    done = subprocess.run(
        command, env=environment(), cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        print(f"what was reached cannot be told: {done.stderr[-2_000:]}")
        return
    for room, (lines, of) in json.loads(done.stdout).items():
        print(f"{room:<28}{lines:>7,} of {of:>6,} lines in functions ({lines / max(of, 1):.0%})")


if __name__ == "__main__":
    raise SystemExit(main())
