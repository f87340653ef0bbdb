"""What other ways of counting say of transcripts, as docs/accuracy.md shows it.

Shares nothing with the program. Run for recorded sessions: ``python -m tests.naive FIXTURES``.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from session.pricing import cost_usd
from tests.ingest.adapters.test_claude_totals import EXPECTED, OWN, read, sources, summed

NAMES = ("input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
KINDS = ("input", "output", "cache_write", "cache_read")

Row = tuple[str, int, int, int]
"""A transcript with its tokens in all: every usage block, the first line of a call, Tower."""


def lines_of(paths: Iterable[Path]) -> Iterator[dict[str, Any]]:
    """Every line that is an object."""
    for path in paths:
        for raw in path.read_bytes().splitlines():
            try:
                line = json.loads(raw)
            except (ValueError, RecursionError):
                continue
            if isinstance(line, dict):
                yield line


def every_block(value: Any) -> Iterator[dict[str, Any]]:
    """Whatever is called usage, at any depth."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in inner:
        yield from every_block(each)
    if isinstance(value, dict) and isinstance(value.get("usage"), dict):
        yield value["usage"]


def whole(usage: dict[str, Any]) -> int:
    """All tokens of a block."""
    counts = (usage.get(name) for name in NAMES)
    return sum(count for count in counts if isinstance(count, int) and count > 0)


def naive(paths: Iterable[Path]) -> int:
    """The sum of every usage block."""
    return sum(whole(usage) for line in lines_of(paths) for usage in every_block(line))


def first_wins(paths: Iterable[Path]) -> int:
    """The first assistant line of each message id counts, the others do not."""
    firsts: dict[str, int] = {}
    for line in lines_of(paths):
        message = line.get("message")
        if line.get("type") == "assistant" and isinstance(message, dict):
            firsts.setdefault(str(message.get("id")), whole(message.get("usage") or {}))
    return sum(firsts.values())


def small_rows() -> list[Row]:
    """One row for each of the project's own transcripts."""
    rows = []
    for name in EXPECTED:
        files = sources(OWN / name, OWN / name / "main.jsonl")
        tokens = summed(read(files)).tokens or {}
        paths = list(files.values())
        rows.append((name, naive(paths), first_wins(paths), sum(tokens.values())))
    return rows


def priced_at_once(name: str) -> float:
    """The cost of all tokens of a transcript as if they were one call, with a 5-minute cache."""
    models = summed(read(sources(OWN / name, OWN / name / "main.jsonl"))).models
    costs = [cost_usd(model, None, {**use["tokens"], "cache_write_1h": 0})
             for model, use in models.items()]  # fmt: skip
    return sum(cost or 0.0 for cost in costs)


def recorded_rows(shared: Path) -> list[tuple[str, *tuple[int, ...]]]:
    """Sums over all recorded sessions: kind, every line, first lines, Tower, ccusage."""
    told = json.loads((shared / "expected_totals.json").read_bytes())["sessions"]
    sums = {kind: [0, 0, 0, 0] for kind in KINDS}
    for name, each in told.items():
        folder = shared / "claude_home" / "projects" / name
        tokens = summed(read(sources(folder, folder.with_name(folder.name + ".jsonl")))).tokens
        for place, kind in enumerate(KINDS):
            ours = (tokens or {}).get(kind, 0)
            said = (each["naive"][place], each["first_wins"][place], ours, each["final"][place])
            sums[kind] = [a + b for a, b in zip(sums[kind], said, strict=True)]
    return [(kind, *sums[kind]) for kind in KINDS]


def table(rows: Iterable[tuple[str, *tuple[int, ...]]]) -> str:
    """Rows as Markdown."""
    return "\n".join(
        f"| `{name}` | {' | '.join(f'{count:,}' for count in counts)} |" for name, *counts in rows
    )


if __name__ == "__main__":
    print(table(recorded_rows(Path(sys.argv[1]))))  # noqa: T201
