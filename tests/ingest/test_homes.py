"""Homes of several agents under one reader: the first read, what comes later, and restarts."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ingest.reader import Reader
from session.delta import Report
from tests.ingest.adapters.rollouts import context, event, meta, tokens, uuid7
from tests.ingest.reading import (
    NOW,
    ORIGIN,
    Log,
    append,
    claude,
    codex,
    summed,
    transcript,
    until,
)
from tests.session.made import assistant, prompt, usage

ID = uuid7(NOW, 7)
NAME = f"rollout-2026-09-21T14-13-20-{ID}.jsonl"
FIRST = meta(ID) + context() + event("user_message", message="one") + tokens((100, 40, 7))
MORE = event("user_message", NOW + 9, message="two") + tokens((150, 40, 9), (50, 0, 2))


class Agents:
    """A home of Claude Code and one of Codex, and a reader of both."""

    def __init__(self, folder: Path) -> None:
        self.claude, self.codex = folder / "claude", folder / "codex"
        self.log = Log()
        self.reader = Reader([claude(self.claude), codex(self.codex)], ORIGIN, self.log.send)
        self.rollout = self.codex / "sessions" / "2026" / "09" / "21" / NAME

    def write(self) -> None:
        """One session of each."""
        transcript(self.claude, "a").write_bytes(prompt("hello") + assistant("m1", usage=usage(5)))
        self.rollout.parent.mkdir(parents=True)
        self.rollout.write_bytes(FIRST)


@pytest.fixture
async def agents(tmp_path: Path) -> AsyncIterator[Agents]:
    """Both homes are written; the reader runs."""
    made = Agents(tmp_path)
    made.write()
    task = asyncio.create_task(made.reader.run())
    await until(lambda: made.reader.progress.done or task.done())
    yield made
    assert not task.done(), task
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_both_agents_are_read_at_once(agents: Agents) -> None:
    """Each file by its own agent's rules, and every report says whose it is."""
    await until(lambda: len(agents.log.identities) == 2)
    assert agents.log.identities == {("a", "main"), (ID, "main")}
    told = agents.log.of(ID)
    assert {each.agent for each in told} == {"codex"}
    assert told[0].id == f"codex:{ID}:main:0:{len(FIRST)}"
    assert {each.agent for each in agents.log.of("a")} == {"claude-code"}
    session = summed(told)
    assert (session.agent, session.title, session.model) == ("codex", "one", "gpt-5-codex")
    assert session.tokens == {"input": 60, "output": 7, "cache_read": 40, "cache_write": 0}


async def test_a_rollout_is_followed(agents: Agents) -> None:
    """Line by line, also one that is new, or that was moved to the archive."""
    append(agents.rollout, MORE)
    await until(lambda: agents.log.prompts(ID) == ["one", "two"])
    assert (summed(agents.log.of(ID)).tokens or {})["output"] == 9
    other = agents.codex / "archived_sessions" / f"{uuid7(NOW, 8)}.jsonl"
    other.parent.mkdir()
    other.write_bytes(FIRST)
    await until(lambda: agents.log.prompts(uuid7(NOW, 8)) == ["one"])


async def test_an_archived_rollout_is_the_same_session(agents: Agents) -> None:
    """Another path, but one source: its versions are known, so nothing counts twice."""
    await until(lambda: agents.log.prompts(ID) == ["one"])
    archived = agents.codex / "archived_sessions" / NAME
    archived.parent.mkdir()
    agents.rollout.rename(archived)
    await until(lambda: len(agents.log.of(ID)) == 2)
    first, again = agents.log.of(ID)
    assert first.id == again.id
    assert summed([first, again]).tokens == summed([first]).tokens


async def test_a_rollout_is_restored(agents: Agents) -> None:
    """By its own agent's rules."""
    await until(lambda: agents.log.prompts(ID) == ["one"])
    restored = await agents.reader.restore(ID)
    assert {each.agent for each in restored} == {"codex"}
    assert (summed(restored).tokens or {})["output"] == 7


async def test_a_rollout_is_followed_after_a_restart(tmp_path: Path) -> None:
    """Its mark tells whose it is, and how far it was told."""
    made = Agents(tmp_path)
    made.write()
    await made.reader.first_read()
    marks = [each.mark for each in made.log.deltas if isinstance(each, Report) and each.mark]
    assert {mark.agent for mark in marks} == {"codex", "claude-code"}
    append(made.rollout, MORE)
    log = Log()
    await Reader(made.reader.homes, ORIGIN, log.send, marks).first_read()
    assert log.identities == {(ID, "main")}
    assert log.prompts(ID) == ["two"]
    assert (summed(made.log.of(ID) + log.of(ID)).tokens or {})["output"] == 9
