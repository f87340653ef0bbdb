"""API calls told in any order, by forks, again, better, anew, and by sessions that are deleted.

After every step the rows are those of a plain model that holds what each session says now.
"""

import asyncio
import functools
import math
import shutil
import tempfile
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from history.change import Change, Spent, Step
from history.database import Database
from history.ledger import Ledger
from history.store import Store
from session.delta import Usage
from tests.history.calls import Said, check
from tests.history.delivered import Log
from tests.history.exact import with_tables
from tests.history.looking import rows_of
from tests.hub.made import NOW, report, tokens

SESSIONS = ("a", "b", "c")
SOURCES = ("main", "subagents/x")
DAY_MS = 86_400_000


@functools.cache
def empty_tables() -> bytes:
    """A file of SQLite with empty tables, made once."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(with_tables(f"sqlite:///{folder}/made.db"))
        return Path(folder, "made.db").read_bytes()


KEYS = st.tuples(st.sampled_from(SESSIONS), st.sampled_from(SOURCES))
ONCE_IN_FIVE = st.integers(0, 4)
STARTS = st.none() | st.integers(1, 5)
CALLS = st.builds(
    Said, session=st.just(""), call=st.sampled_from(["m0", "m1", "m2", "m3"]),
    model=st.sampled_from(["opus", "sonnet"]),
    at=st.sampled_from([None, NOW, NOW + DAY_MS, NOW + 2 * DAY_MS]),
    counts=st.tuples(st.integers(0, 2), st.integers(0, 2), st.just(3), st.just(4)),
    cost_usd=st.none() | st.sampled_from([0.1, 0.7]), forked=st.booleans(),
)  # fmt: skip


class Calls(RuleBasedStateMachine):
    """Small steps over three sessions that tell of the same few calls."""

    @initialize()
    def begin(self) -> None:
        """An empty history."""
        self.folder = tempfile.mkdtemp(prefix="tower-calls-")
        path = Path(self.folder) / "history.db"
        path.write_bytes(empty_tables())
        self.runner = asyncio.Runner()
        self.store = Store(Database(f"sqlite:///{path}"))
        self.log = Log()
        self.ledger = Ledger(0, self.runner.run(self.store.position(0)))
        self.to = dict.fromkeys([(name, source) for name in SESSIONS for source in SOURCES], 0)
        self.generation = dict(self.to)
        self.said: dict[tuple[str, str], dict[str, Said]] = {each: {} for each in self.to}
        self.spent = Spent()
        self.is_written = True

    def _commit(self, step: Step) -> None:
        spent = self.runner.run(self.store.commit(step))
        self.spent.count([msgspec.structs.astuple(spent)], 1)

    @rule(key=KEYS, calls=st.lists(CALLS, max_size=3), is_anew=ONCE_IN_FIVE, starts=STARTS)
    def tell(
        self, key: tuple[str, str], calls: list[Said], is_anew: int, starts: int | None
    ) -> None:
        """A source tells of calls, some of them better than before; or all of it anew."""
        if is_anew == 0 and self.to[key]:
            self.generation[key] += 1
            self.to[key], self.said[key] = 0, {}
        fresh = []
        for each in calls:
            call = f"{key[1]}-{each.call}"  # a call is of one transcript of its session
            known = self.said[key].get(call)
            better = known.counts[1] + each.counts[1] if known else each.counts[1]
            counts = (each.counts[0], better, *each.counts[2:])
            fresh.append(each._replace(session=key[0], call=call, counts=counts))
            self.said[key][call] = fresh[-1]
        self._take_in(key, fresh, starts)

    def _take_in(self, key: tuple[str, str], fresh: list[Said], starts: int | None) -> None:
        self.to[key] += 1
        values: dict[str, Any] = {} if starts is None else {"started_at": NOW - starts * DAY_MS}
        told = report(
            key[0], source=key[1], to=self.to[key], from_=self.to[key] - 1,
            generation=self.generation[key], calls=tokens(1), **values,
        )  # fmt: skip
        rows = [
            Usage(
                message_id=each.call, model=each.model, at=each.at, cost_usd=each.cost_usd,
                forked=each.forked, input=each.counts[0], output=each.counts[1],
                cache_read=each.counts[2], cache_write=each.counts[3],
            )
            for each in fresh
        ]  # fmt: skip
        (delivery,) = self.log.deliver(msgspec.structs.replace(told, usage=rows))
        self.ledger.take_in(delivery)
        self.is_written = False

    @rule()
    def write(self) -> None:
        """One transaction."""
        step, acks = self.ledger.take()
        if step.before != step.after:
            self._commit(step)
        self.ledger.note_written(step)
        self.ledger.note_acked(len(acks))
        self.is_written = True

    @rule()
    def begin_anew(self) -> None:
        """Another recorder goes on from what is written."""
        if self.is_written:
            self.ledger = Ledger(0, self.runner.run(self.store.position(0)))
            self.ledger.adopt(self.runner.run(self.store.board(200)))

    @rule(name=st.sampled_from(SESSIONS))
    def delete(self, name: str) -> None:
        """A person deletes a session that is written, and nothing of it has come since."""
        book = self.ledger._books.get(("default", name))
        if not self.is_written or book is None or book.pk is None:
            return
        gone = Change(
            key=book.session.key, pk=None, summary={}, state={}, gone_pk=book.pk, is_deleted=True
        )
        step, _ = self.ledger.take()
        self._commit(msgspec.structs.replace(step, changes=[gone]))
        del self.ledger._books["default", name]
        for source in SOURCES:
            self.to[name, source], self.said[name, source] = 0, {}

    @invariant()
    def all_is_as_the_model_says(self) -> None:
        """Owners, copies and sums."""
        if self.is_written:
            said = [each for held in self.said.values() for each in held.values()]
            self.runner.run(check(self.store, said))

    @invariant()
    def what_was_spent_is_what_the_sums_have_grown_by(self) -> None:
        """Over all transactions, whatever was taken back in them."""
        days = self.runner.run(rows_of(self.store, "usage_days"))
        for name, told in msgspec.structs.asdict(self.spent).items():
            assert math.isclose(told, sum(row[name] or 0 for row in days), abs_tol=1e-6)

    def teardown(self) -> None:
        """Nothing is left of it."""
        self.runner.run(self.store.database.close())
        self.runner.close()
        shutil.rmtree(self.folder)


TestCalls = Calls.TestCase
TestCalls.settings = settings(max_examples=25, stateful_step_count=12, deadline=None)
