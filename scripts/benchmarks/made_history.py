"""A history of made-up sessions, written in bulk into the project's own tables.

A few sessions are huge and many are small; words have the frequencies of Zipf's law. Texts are
joined to documents as the recorder joins them. Used by ``scripts/bench history``.
"""

import itertools
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Table

from history import tables
from history.rows import DOCUMENTS_BITS, Row, day_of, event_row, state_row, summary_row
from history.texts import documents_of, searched
from history.tool_rows import BLOCK_BITS
from session.state import Session
from session.timeline import Timeline, TimelineEntry

WORKSPACE = "default"
DAY_MS = 86_400_000
VOCABULARY = 60_000
TOKENS = 2_000_000
ENTRIES_MAX = 50_000
PROJECTS, USERS, TOOLS = 120, 40, 12
MODELS = ("claude-opus-4-6", "claude-sonnet-4-6", "claude-haiku-4-5", "gpt-5.5")
TOKENS_OF_A_CALL = {"input": 90, "output": 300, "cache_read": 40_000, "cache_write": 900}
SUMS = (
    """
    INSERT INTO usage_sessions (
        session_pk, workspace, input, output, cache_read, cache_write, cost_usd, calls, unpriced
    )
    SELECT session_pk, workspace, sum(input), sum(output), sum(cache_read), sum(cache_write),
        sum(cost_usd), sum(calls), sum(unpriced)
    FROM usage_days GROUP BY session_pk
    """,
    f"""
    INSERT INTO tool_blocks (block, workspace, tool, calls, errors, total_ms, sessions)
    SELECT session_pk >> {BLOCK_BITS}, workspace, tool, sum(calls), sum(errors), sum(total_ms),
        count(*)
    FROM session_tools JOIN sessions ON sessions.pk = session_pk GROUP BY 1, 2, 3
    """,  # noqa: S608 - put together of constants
)
RARE = "quagga"  # in one session alone

# Kind, share of all entries, words of its text.
KINDS = (("message", 0.3, 40), ("tool", 0.34, 6), ("tool_end", 0.33, 25), ("prompt", 0.03, 60))


class Size(NamedTuple):
    """How much is made. ``live_share`` of the sessions were recorded while they ran."""

    sessions: int
    entries: int
    live_share: float


class Maker:
    """Makes sessions one after the other, the same for the same seed."""

    def __init__(self, size: Size, seed: int = 1) -> None:
        self.size = size
        self._chance = random.Random(seed)  # noqa: S311 - the same data each time
        self._now = time.time_ns() // 1_000_000
        self._tokens = self._zipf()
        self._ranked = Counter(self._tokens).most_common(1_000)
        self.counts = self._counts()

    def _zipf(self) -> list[str]:
        words = [f"{self._word()}{at % 7 or ''}" for at in range(VOCABULARY)]
        weights = list(itertools.accumulate(1 / (at + 2) for at in range(VOCABULARY)))
        return self._chance.choices(words, cum_weights=weights, k=TOKENS)

    def _word(self) -> str:
        syllables = ("ka", "to", "mi", "re", "lo", "su", "ne", "vi", "pa", "du", "sho", "ber")
        return "".join(self._chance.choices(syllables, k=self._chance.randint(1, 4)))

    def _counts(self) -> list[int]:
        """Entries of each session: by far most are small."""
        weights = [self._chance.paretovariate(0.9) for _ in range(self.size.sessions)]
        unit = self.size.entries / sum(min(each, 3_000) for each in weights)
        return [max(3, min(ENTRIES_MAX, int(min(each, 3_000) * unit))) for each in weights]

    def frequent(self, rank: int) -> str:
        """The word of that rank by frequency."""
        return self._ranked[rank][0]

    def _text(self, words: int) -> str:
        count = self._chance.randint(max(1, words // 3), words * 2)
        at = self._chance.randrange(TOKENS - count)
        return " ".join(self._tokens[at : at + count])

    def entries(self, pk: int, count: int, started_at: int) -> Iterator[TimelineEntry]:
        """One session's timeline."""
        names = [kind for kind, _, _ in KINDS]
        shares = [share for _, share, _ in KINDS]
        lengths = {kind: words for kind, _, words in KINDS}
        for seq, kind in enumerate(self._chance.choices(names, shares, k=count), 1):
            text = self._text(lengths[kind])
            if kind == "tool":
                text = "src/" + text.replace(" ", "/") + ".py"
            if seq == 2 and pk == self.size.sessions // 2:
                text = f"{RARE} {text}"
            is_end = kind == "tool_end"
            yield TimelineEntry(
                seq=seq, at=started_at + seq * 1_000, kind="tool" if is_end else kind,
                id=f"toolu_{pk:05x}{seq:06x}", text=text,
                ref=f"toolu_{pk:05x}{seq - 1:06x}" if is_end else None,
                tool="Bash" if kind.startswith("tool") else None,
                status="ok" if is_end else None, duration_ms=120 if is_end else None,
            )  # fmt: skip

    def session(self, count: int) -> Session:
        """One session's summary."""
        chance = self._chance
        started_at = self._now - int(chance.random() ** 2 * 700 * DAY_MS) - count * 1_000 - DAY_MS
        tokens = {name: count * each for name, each in TOKENS_OF_A_CALL.items()}
        project = f"project-{int(chance.random() ** 2 * PROJECTS)}"
        session = Session(
            id=f"{chance.getrandbits(128):032x}", workspace=WORKSPACE, project=project,
            cwd=f"/code/{project}", branch=f"feature/{self._word()}", host="made",
            user=f"user-{int(chance.random() ** 2 * USERS)}", title=self._text(8),
            model=chance.choice(MODELS), status="ended", past=True, started_at=started_at,
            updated_at=started_at + count * 1_000, ended_at=started_at + count * 1_000,
            tokens=tokens, cost_usd=count * chance.random() / 50, cost_state="priced",
            messages=count // 3, tool_calls=count // 3, sources={"transcript": started_at},
        )  # fmt: skip
        session.timeline = Timeline.emptied(count, b"", 0)
        return session


def fill(path: Path, maker: Maker) -> None:
    """Write everything into a database whose tables are there."""
    with sqlite3.connect(path, isolation_level=None) as connection:
        for pragma in ("synchronous=OFF", "cache_size=-400000", "temp_store=MEMORY"):
            connection.execute(f"PRAGMA {pragma}")
        for first in range(0, maker.size.sessions, 500):
            connection.execute("BEGIN")
            for pk, count in enumerate(maker.counts[first : first + 500], first + 1):
                _write(connection, maker, pk, count)
            connection.execute("COMMIT")
        for statement in SUMS:
            connection.execute(statement)
        connection.execute("INSERT INTO document_words(document_words) VALUES ('optimize')")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _write(connection: sqlite3.Connection, maker: Maker, pk: int, count: int) -> None:
    session = maker.session(count)
    entries = list(maker.entries(pk, count, session.started_at or 0))
    is_live = pk % 100 < maker.size.live_share * 100
    texts = [session.title or "", *(searched(entry, None) for entry in entries)]
    documents = [each for each in texts if each] if is_live else documents_of(filter(None, texts))
    first = pk << DOCUMENTS_BITS
    _add(connection, tables.sessions, [{"pk": pk, **summary_row(session)}])
    state = state_row(session, "made", len(documents))
    _add(connection, tables.session_states, [{"session_pk": pk, **state}])
    _add(connection, tables.session_events, [{"session_pk": pk, **event_row(e)} for e in entries])
    _add(connection, tables.documents, [
        {"number": first + at, "session_pk": pk, "text": text} for at, text in enumerate(documents)
    ])  # fmt: skip
    _add(connection, tables.usage_days, list(_days(session, pk)))
    _add(connection, tables.session_tools, [
        {"session_pk": pk, "tool": f"Tool{at}", "calls": 1 + count // (at + 3), "errors": at,
         "total_ms": count * 7} for at in range(1 + (pk * 7) % TOOLS)
    ])  # fmt: skip


def _days(session: Session, pk: int) -> Iterator[Row]:
    started_at, tokens = session.started_at or 0, session.tokens or {}
    days = 1 + (session.timeline.seq // 2_000)
    for day in range(days):
        for model in MODELS[: 1 + pk % 2]:
            sums = {name: value // days for name, value in tokens.items()}
            yield {
                "session_pk": pk, "day": day_of(started_at + day * DAY_MS), "model": model,
                "workspace": WORKSPACE, **sums, "cost_usd": (session.cost_usd or 0) / days,
                "calls": 1 + sums["input"] // 90, "unpriced": 0,
            }  # fmt: skip


def _add(connection: sqlite3.Connection, table: Table, rows: Sequence[Row]) -> None:
    if rows:
        names = list(rows[0])
        columns = ", ".join(f'"{name}"' for name in names)
        places = ", ".join("?" * len(names))
        statement = f"INSERT INTO {table.name} ({columns}) VALUES ({places})"  # noqa: S608 - our names
        connection.executemany(statement, ([_plain(row[each]) for each in names] for row in rows))


def _plain(value: Any) -> Any:
    """JSON as SQLAlchemy would write it."""
    return msgspec.json.encode(value).decode() if isinstance(value, dict | list) else value
