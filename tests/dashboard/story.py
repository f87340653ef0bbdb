"""A made-up day of a made-up team: sessions as agents really leave them, for looking at screens.

Transcripts have the shapes of real ones, and the hooks come as they do; every word is invented.
The same seed tells the same story, at the times around now.
"""

import random
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.dashboard.towers import Tower, until
from tests.session.made import assistant, prompt, result, tool_use

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
FULL = 168_000
MODELS = ("claude-opus-4-6", "claude-sonnet-4-5", "claude-haiku-4-5")


class Chapter(NamedTuple):
    """One session: what it is about, when it began and how long it worked."""

    id: str
    title: str
    project: str
    branch: str
    model: str
    began_ago_ms: int
    minutes: int
    done: int = 0
    todos: tuple[str, ...] = ()


CHAPTERS = (
    Chapter(
        "ledger-rounding", "Rounding in the ledger's monthly sums", "ledger", "fix/rounding",
        MODELS[0], 52 * MINUTE_MS, 50, 3,
        ("Find where cents are lost", "Write a failing test", "Sum in whole cents",
         "Migrate the stored months", "Tell the accountants"),
    ),
    Chapter(
        "tide-import", "Import tide tables from the harbour office", "tides", "feature/import",
        MODELS[1], 37 * MINUTE_MS, 35, 2,
        ("Read the office's format", "Check against last year", "Show gaps on the chart"),
    ),
    Chapter(
        "kiln-curve", "Firing curve editor: drag a point", "kiln", "main", MODELS[0],
        3 * HOUR_MS, 170, 4,
        ("Hit test for points", "Drag with snapping", "Undo", "By keys", "Keep it"),
    ),
    Chapter(
        "orchard-map", "Map of the orchard loads too slowly", "orchard", "perf/tiles",
        MODELS[1], 26 * MINUTE_MS, 24, 1, ("Measure", "Cut tiles by zoom"),
    ),
    Chapter(
        "ledger-export", "Export for the tax office", "ledger", "feature/export", MODELS[2],
        95 * MINUTE_MS, 60, 2, ("Fields of the form", "Validate", "Sample file"),
    ),
    Chapter("tide-alerts", "Alert when the tide is above the quay", "tides", "feature/alerts",
            MODELS[2], 5 * HOUR_MS, 45),
    Chapter("kiln-sensor", "Thermocouple drops readings at 1,200 degrees", "kiln",
            "fix/sensor", MODELS[0], 20 * MINUTE_MS, 18, 0, ("Reproduce", "Filter", "Test")),
    Chapter("orchard-login", "Sign in with a passkey", "orchard", "feature/passkey", MODELS[1],
            7 * HOUR_MS, 90),
    Chapter("ledger-old", "Move to the new database", "ledger", "main", MODELS[0],
            2 * DAY_MS, 240),
    Chapter("tide-docs", "Explain the harmonic constants", "tides", "docs", MODELS[2],
            4 * DAY_MS, 30),
    Chapter("kiln-release", "Release 4.2", "kiln", "release/4.2", MODELS[1], 6 * DAY_MS, 80),
    Chapter("orchard-spray", "Spray calendar by variety", "orchard", "main", MODELS[1],
            9 * DAY_MS, 120),
)  # fmt: skip

PEOPLE = {
    "ledger": ("ada", "abacus"), "tides": ("kofi", "quay"),
    "kiln": ("mei", "ember"), "orchard": ("ada", "abacus"),
}  # fmt: skip
COMMANDS = ("pytest -q tests/sums", "git diff --stat", "npm run build", "rg -n 'round' src",
            "make check", "git log --oneline -5")  # fmt: skip
FILES = ("src/sums.py", "src/curve.ts", "tests/test_sums.py", "README.md", "src/tiles.rs")


async def told(tower: Tower) -> None:
    """Write and post the whole story; what is under way asks or works on at the end."""
    now = int(time.time() * 1000)
    for number, chapter in enumerate(CHAPTERS):
        chance = random.Random(number)
        path = tower.home / "projects" / "-made-up" / f"{chapter.id}.jsonl"
        path.write_bytes(b"".join(lines(chapter, chance, now - chapter.began_ago_ms)))
    await until(lambda: recorded(tower) == len(CHAPTERS))
    for chapter in CHAPTERS[:8]:
        under_way(tower, chapter)


def recorded(tower: Tower) -> int:
    """How many sessions have been read."""
    total: Any = tower.get("/api/usage?by=day")["total"]
    return int(total["sessions"])


def lines(chapter: Chapter, chance: random.Random, began: int) -> Iterator[bytes]:
    """A transcript: a prompt, turns with tools, objectives and what they cost."""
    here = {"cwd": f"/made/up/{chapter.project}", "gitBranch": chapter.branch, "version": "2.1.4"}
    at, end = began, began + chapter.minutes * MINUTE_MS
    yield prompt(chapter.title, at=at, **here)
    if chapter.todos:
        yield from objectives(chapter, at, end)
    turn, context = 0, 18_000
    while at < end - MINUTE_MS:
        at += chance.randint(8, 55) * 1000
        turn += 1
        context = context + chance.randint(400, 2_600) if context < FULL else 24_000  # compacted
        call = f"{chapter.id}-{turn}"
        block, text = tool_of(call, chance)
        spent = {
            "input_tokens": chance.randint(2, 400), "output_tokens": chance.randint(90, 1_900),
            "cache_read_input_tokens": context,
            "cache_creation_input_tokens": chance.randint(200, 2_400),
        }  # fmt: skip
        said = {"type": "text", "text": text}
        yield assistant(f"m-{call}", said, block, at=at, model=chapter.model, usage=spent)
        at += chance.randint(1, 40) * 400
        yield result(call, at=at, error=chance.random() < 0.06)


def objectives(chapter: Chapter, at: int, end: int) -> Iterator[bytes]:
    """Its list, as it grows done one by one."""
    for done in range(chapter.done + 1):
        states = ["completed"] * done + ["in_progress"] + ["pending"] * len(chapter.todos)
        todos = [
            {"content": text, "status": state, "activeForm": text}
            for text, state in zip(chapter.todos, states, strict=False)
        ]
        when = at + 30_000 + done * (end - at) // (len(chapter.todos) + 1)
        call = f"{chapter.id}-todo-{done}"
        yield assistant(f"m-{call}", tool_use(call, "TodoWrite", todos=todos), at=when,
                        model=chapter.model)  # fmt: skip
        yield result(call, at=when + 200)


def tool_of(call: str, chance: random.Random) -> tuple[dict[str, Any], str]:
    """A tool call and what is said with it."""
    file = f"/made/up/{chance.choice(FILES)}"
    kind = chance.choice(("Bash", "Bash", "Read", "Read", "Edit", "Grep", "WebFetch", "Task"))
    given: dict[str, dict[str, Any]] = {
        "Bash": {"command": chance.choice(COMMANDS), "description": "Look again"},
        "Read": {"file_path": file},
        "Edit": {"file_path": file, "old_string": "round(a + b)", "new_string": "cents(a) + b"},
        "Grep": {"pattern": "round\\(", "path": "/made/up/src"},
        "WebFetch": {"url": "https://example.org/rounding", "prompt": "What is the rule?"},
        "Task": {"description": "Look for callers", "prompt": "Who calls it?",
                 "subagent_type": "Explore"},
    }  # fmt: skip
    words = chance.choice(("Let me look.", "That explains it.", "Now the test.", "Once more."))
    return tool_use(call, kind, **given[kind]), words


QUESTION = {
    "questions": [
        {
            "header": "Gaps", "multiSelect": False,
            "question": "What should the chart show where the office has no data?",
            "options": [
                {"label": "A hole", "description": "Nothing is drawn, so it is seen."},
                {"label": "Last year", "description": "Dashed, from the same day."},
            ],
        }
    ]
}  # fmt: skip
EDIT = {
    "file_path": "/made/up/ledger/src/sums.py",
    "old_string": "def month(rows):\n    return round(sum(r.amount for r in rows), 2)\n",
    "new_string": "def month(rows):\n    return sum(r.cents for r in rows) / 100\n",
}
PLAN = {"plan": "1. Log raw readings\n2. Replay them in a test\n3. Median of five, then compare"}
COMMAND = {
    "command": "psql ledger -c \"UPDATE months SET total = cents / 100.0 WHERE year >= 2024\"",
    "description": "Write the corrected sums",
}  # fmt: skip


def under_way(tower: Tower, chapter: Chapter) -> None:
    """Where a session stands: at work, asking, at rest or failed."""
    common = {"session_id": chapter.id, "cwd": f"/made/up/{chapter.project}"}
    user, host = PEOPLE[chapter.project]

    def hook(name: str, **fields: Any) -> None:
        tower.hook_of(user, host, {**common, "hook_event_name": name, **fields})

    hook("UserPromptSubmit", prompt=f"Go on: {chapter.title}")
    asks = {
        "ledger-rounding": ("Edit", EDIT), "tide-import": ("AskUserQuestion", QUESTION),
        "kiln-sensor": ("ExitPlanMode", PLAN), "ledger-export": ("Bash", COMMAND),
    }  # fmt: skip
    if chapter.id in asks:
        tool, given = asks[chapter.id]
        call = f"{chapter.id}-asks"
        hook("PreToolUse", tool_name=tool, tool_use_id=call, tool_input=given)
        hook("PermissionRequest", tool_name=tool, tool_input=given)
    elif chapter.id == "tide-alerts":
        hook("StopFailure", error="overloaded", error_details="The model is overloaded. Try later.")
    elif chapter.id == "orchard-login":
        hook("Stop")
    else:
        given = {"command": "npm run build"}
        hook("PreToolUse", tool_name="Bash", tool_use_id=f"{chapter.id}-now", tool_input=given)
