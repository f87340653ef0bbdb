"""The tokens of a rollout: steps between totals, forks, and the figures of real files."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.adapters.codex import CodexRollout
from ingest.adapters.codex_threads import REPLAY_MS, id_time
from ingest.adapters.codex_totals import Totals
from tests.ingest.adapters.rollouts import (
    MODEL,
    NOW,
    OWN,
    Read,
    context,
    counted,
    event,
    last_total,
    meta,
    said,
    tokens,
    uuid7,
)

DAY_MS = 86_400_000
PARENT = uuid7(NOW - DAY_MS)
COUNT = st.integers(0, 10**6)
CALL = st.tuples(COUNT, COUNT, COUNT)


def test_a_step_between_two_totals_is_one_call() -> None:
    """Cached input is told apart, and reasoning is part of the output."""
    read = Read(meta(), context(), tokens((100, 40, 7)), tokens((250, 90, 9), (150, 50, 2)))
    assert read.total == (160, 90, 9)
    assert [row.message_id for row in read.usage] == [f"{OWN}:1", f"{OWN}:2"]
    second = read.usage[1]
    assert (second.input, second.cache_read, second.output, second.model) == (100, 50, 2, MODEL)
    assert second.cost_usd is not None
    assert not second.forked


def test_a_total_that_comes_again_is_no_call() -> None:
    """Rate limits are told with the totals that there are, or with none."""
    read = Read(
        meta(), context(), event("token_count", info=None), tokens((100, 0, 7)),
        tokens((100, 0, 7)), tokens((100, 0, 7), (0, 0, 0)),
    )  # fmt: skip
    assert read.total == (100, 0, 7)
    assert len(read.usage) == 1


def test_each_call_is_priced_by_the_model_of_its_turn() -> None:
    """A model without a price is unpriced, never free."""
    read = Read(
        meta(), context(), tokens((100, 0, 7)), context(model="made-up-model"),
        tokens((200, 0, 14), (100, 0, 7)),
    )  # fmt: skip
    assert [row.model for row in read.usage] == [MODEL, "made-up-model"]
    assert [row.cost_usd is None for row in read.usage] == [False, True]
    assert read.values["model"] == "made-up-model"


@pytest.mark.parametrize(
    ("total", "last", "added"),
    [
        ((50, 10, 5), (50, 10, 5), (40, 10, 5)),  # it counts from zero
        ((900, 20, 80), (30, 10, 3), (20, 10, 3)),  # a rollback, then a call
        ((900, 0, 80), (0, 0, 0), (0, 0, 0)),  # a rollback alone
        ((40, 10, 5), (60, 10, 5), (30, 10, 5)),  # a last call that cannot be
    ],
)
def test_a_total_that_goes_down_makes_no_negative_count(
    total: tuple[int, int, int], last: tuple[int, int, int], added: tuple[int, int, int]
) -> None:
    """What was used stays used, and what comes after is added."""
    read = Read(meta(), context(), tokens((1000, 0, 100)), tokens(total, last))
    assert read.total == (1000 + added[0], added[1], 100 + added[2])


@given(calls=st.lists(CALL, max_size=12))
def test_calls_add_up_to_the_last_total(calls: list[tuple[int, int, int]]) -> None:
    """Whatever the steps are, as long as cached is part of input."""
    totals, total, added = Totals(), (0, 0, 0), [0, 0, 0]
    for cached, more, put in calls:
        last = (cached + more, cached, put)
        total = (total[0] + last[0], total[1] + last[1], total[2] + last[2])
        info = {"total_token_usage": counted(*total), "last_token_usage": counted(*last)}
        step = totals.step(info, has_parent=False)
        if step is not None:
            parts = (step["input"], step["cache_read"], step["output"])
            added = [one + other for one, other in zip(added, parts, strict=True)]
    assert added == [total[0] - total[1], total[1], total[2]]


@given(told=st.lists(st.tuples(CALL, CALL), max_size=8), has_parent=st.booleans())
def test_no_step_is_ever_negative(told: list[tuple[Any, Any]], has_parent: bool) -> None:
    """Whatever the totals do."""
    totals = Totals()
    for total, last in told:
        info = {"total_token_usage": counted(*total), "last_token_usage": counted(*last)}
        step = totals.step(info, has_parent=has_parent)
        assert step is None or min(step.values()) >= 0


@pytest.mark.parametrize(
    "info",
    [
        {}, {"total_token_usage": None}, {"total_token_usage": []}, {"total_token_usage": {}},
        {"total_token_usage": {"input_tokens": "9", "output_tokens": 1}},
        {"total_token_usage": {"input_tokens": -9, "output_tokens": 1}},
        {"total_token_usage": {"input_tokens": 1e300, "output_tokens": 1}},
        {"total_token_usage": {"input_tokens": True, "output_tokens": 1}},
    ],
)  # fmt: skip
def test_what_is_no_count_is_not_counted(info: dict[str, Any]) -> None:
    """Nor does it disturb what is counted after it."""
    read = Read(meta(), context(), event("token_count", info=info), tokens((100, 0, 7)))
    assert read.total == (100, 0, 7)
    assert read.transcript.broken == 0


# Forks.


def history(at: int | None = None, *, ids: bool = True) -> list[bytes]:
    """A parent's two calls as a fork repeats them: at their own times, or all at one."""
    began = NOW - DAY_MS + 1000
    named = {"turn_id": uuid7(began)} if ids else {}
    stamp = began if at is None else at
    return [
        meta(PARENT, stamp),
        event("task_started", stamp, **named),
        context(stamp, **named),
        said("user", "the parent's prompt", stamp),
        event("user_message", stamp, message="the parent's prompt"),
        tokens((100, 0, 10), at=stamp),
        said("assistant", "the parent's answer", stamp),
        tokens((300, 100, 30), (200, 100, 20), at=stamp),
        event("task_complete", stamp, **named),
    ]


def own_turn(*, ids: bool = True, after_ms: int = 60_000) -> list[bytes]:
    """The fork's own prompt and call, behind its parent's totals."""
    at = NOW + after_ms
    named = {"turn_id": uuid7(at)} if ids else {}
    return [
        event("task_started", at, **named),
        context(at, **named),
        said("user", "my prompt", at),
        event("user_message", at, message="my prompt"),
        tokens((300, 100, 30), (200, 100, 20), at=at),
        tokens((350, 120, 35), (50, 20, 5), at=at + 5_000),
    ]


@pytest.mark.parametrize("stamp", [None, NOW + 40])
@pytest.mark.parametrize("ids", [True, False])
@pytest.mark.parametrize("first", [{"forked_from_id": PARENT}, {}])
def test_a_fork_does_not_count_its_parent_again(
    stamp: int | None, ids: bool, first: dict[str, Any]
) -> None:
    """Whether replayed lines keep their times or not, and whether turns have ids or not."""
    read = Read(meta(**first), *history(stamp, ids=ids), *own_turn(ids=ids))
    assert read.total == (30, 20, 5)
    assert read.values["inherited"]["tokens"]["input"] == 200
    assert read.values["inherited"]["tokens"]["output"] == 30
    assert read.texts("prompt") == ["my prompt"]
    assert read.values["messages"] == 1
    rows = [(row.message_id, row.forked) for row in read.usage]
    assert rows == [(f"{PARENT}:1", True), (f"{PARENT}:2", True), (f"{OWN}:1", False)]
    assert read.values["started_at"] == NOW


def test_a_fork_numbers_replayed_calls_as_its_parent_does() -> None:
    """So that two forks of one parent, or the parent and a fork, are told apart by no one."""
    parent = Read(*history(), session=PARENT)
    assert [row.message_id for row in parent.usage] == [f"{PARENT}:1", f"{PARENT}:2"]
    assert not any(row.forked for row in parent.usage)


def test_a_fork_of_a_fork_leaves_each_call_to_its_thread() -> None:
    """A turn belongs to the youngest thread that was there when it began."""
    at = NOW - DAY_MS // 2
    child = uuid7(at)
    middle = [
        meta(child, NOW), *history(NOW),
        context(NOW, turn_id=uuid7(at + 1000)), tokens((400, 100, 40), (100, 0, 10)),
    ]  # fmt: skip
    last = tokens((450, 100, 45), (50, 0, 5))
    read = Read(meta(forked_from_id=child), *middle, *own_turn()[:4], last)
    rows = [(row.message_id, row.forked) for row in read.usage]
    assert rows == [
        (f"{PARENT}:1", True), (f"{PARENT}:2", True), (f"{child}:1", True), (f"{OWN}:1", False),
    ]  # fmt: skip
    assert read.total == (50, 0, 5)


def test_a_fork_without_turn_ids_begins_soon_after_its_first_line() -> None:
    """A person types, and a model thinks, for longer than a history takes to be written."""
    late = own_turn(ids=False, after_ms=REPLAY_MS + 1000)
    read = Read(meta(forked_from_id=PARENT), *history(NOW + 40, ids=False), *late)
    assert read.total == (30, 20, 5)


def test_a_fork_that_keeps_totals_alone_counts_from_its_first_one() -> None:
    """Some versions do not repeat the parent's lines, but go on with its totals."""
    start = [meta(forked_from_id=PARENT), meta(PARENT), *own_turn()]
    assert Read(*start).total == (30, 20, 5)


@pytest.mark.parametrize("first", [{"forked_from_id": PARENT}, {}])
def test_a_subagent_that_counts_for_itself_is_counted_whole(first: dict[str, Any]) -> None:
    """It names its parent and repeats nothing."""
    source = {"subagent": {"thread_spawn": {"parent_thread_id": PARENT, "depth": 1}}}
    at = NOW + 10
    read = Read(
        meta(source=source, **first), context(at, turn_id=uuid7(at)),
        event("user_message", at, message="explore"), tokens((100, 40, 7), at=at + 10),
        tokens((150, 40, 9), (50, 0, 2), at=at + 20),
    )  # fmt: skip
    assert read.total == (110, 40, 9)
    assert read.texts("prompt") == ["explore"]


def test_a_subagent_may_begin_with_its_parents_lines() -> None:
    """At their own times, though nothing calls it a fork."""
    source = {"subagent": {"thread_spawn": {"parent_thread_id": PARENT}}}
    read = Read(meta(source=source), *history()[1:], *own_turn())
    assert read.total == (30, 20, 5)
    assert {row.message_id for row in read.usage if row.forked} == {f"{PARENT}:1", f"{PARENT}:2"}


def test_a_thread_that_was_resumed_is_no_fork() -> None:
    """It introduces itself again, and its turns are its own."""
    at = NOW + DAY_MS
    read = Read(
        meta(), context(), tokens((100, 0, 10)), meta(at=at), context(at, turn_id=uuid7(at)),
        tokens((150, 0, 12), (50, 0, 2), at=at), meta(PARENT, at),
        tokens((160, 0, 13), (10, 0, 1), at=at),
    )  # fmt: skip
    assert read.total == (160, 0, 13)
    assert "inherited" not in read.values


@pytest.mark.parametrize(
    "told", [None, 7, "", "turn-1", "x" * 36, OWN.replace("-7", "-4"), OWN[:-1]]
)
def test_only_a_uuid_of_version_7_tells_a_time(told: object) -> None:
    """Anything else is an id and no more."""
    assert id_time(told) is None
    assert id_time(OWN) == NOW


# Real files.


@pytest.mark.fixtures
def test_every_recorded_rollout_counts_its_own_last_total(shared_fixtures: Path) -> None:
    """None of the eleven is a fork that repeats anything; each is read to its end."""
    paths = sorted((shared_fixtures / "codex").rglob("*.jsonl"))
    assert len(paths) == 11
    for path in paths:
        data = path.read_bytes()
        read = Read(data, session=path.stem)
        assert read.total == last_total(data), path
        assert read.transcript.broken == 0
        assert read.transcript.offset == len(data)
        costs = [row.cost_usd for row in read.usage]
        assert None not in costs
    assert sum(map(sum, (last_total(path.read_bytes()) for path in paths))) > 38_000_000


@pytest.mark.fixtures
def test_a_recorded_fork_would_leave_its_parent_out(shared_fixtures: Path) -> None:
    """The same history under another first line belongs to the thread that made it."""
    path = shared_fixtures / "codex" / "entireio__skills"
    data = (path / "019d78fc-c449-7300-92a1-1e92604a4f6a.jsonl").read_bytes()
    fork = CodexRollout(OWN)
    fork.feed(meta(forked_from_id=path.stem) + data)
    assert fork.rollout.ledger.calls == {}
    inherited = (fork.rollout.ledger.inherited or {})["tokens"]
    whole, cached, put = last_total(data)
    assert (inherited["input"], inherited["cache_read"], inherited["output"]) == (
        whole,
        cached,
        put,
    )
