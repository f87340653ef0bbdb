"""Asking Redis until it answers or the time is up, and the scripts.

What is repeated here must give the same whether or not it was done before. Never waits longer
than its deadline. Called by the Redis engine.
"""

import asyncio
import hashlib
import random
from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import Any, TypeVar

from redis.exceptions import (
    ClusterDownError,
    ConnectionError,  # noqa: A004 - redis-py's own
    MasterDownError,
    NoScriptError,
    ReadOnlyError,
    RedisClusterException,
    RedisError,
    TimeoutError,  # noqa: A004 - redis-py's own
    TryAgainError,
)

from bus import keys
from bus.errors import BusClosed, BusUnavailable
from bus.follow import State, read_state
from bus.limits import BACKOFF_MS_MAX, BACKOFF_MS_MIN, REPLY_MS_MAX
from bus.redis_clients import CLOSED_MEANWHILE, Client, Clients, renew

T = TypeVar("T")

PASSING = (
    ConnectionError,
    TimeoutError,
    ReadOnlyError,
    ClusterDownError,
    MasterDownError,
    TryAgainError,
    RedisClusterException,
    OSError,
    *CLOSED_MEANWHILE,
)
"""Errors that the next try may not meet."""


async def heed(awaited: Awaitable[T]) -> T:
    """Await, and end if this task was cancelled meanwhile.

    redis-py sends inside ``asyncio.wait_for``, which before Python 3.12 may swallow that.
    """
    task = asyncio.current_task()
    before = task.cancelling() if task is not None else 0
    try:
        return await awaited
    finally:
        if task is not None and task.cancelling() > before:
            raise asyncio.CancelledError


class Script:
    """A script of ``bus/lua``, made of these parts."""

    def __init__(self, *parts: str) -> None:
        folder = files("bus") / "lua"
        self.text = "\n".join((folder / f"{part}.lua").read_text("utf-8") for part in parts)
        self.sha1 = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()

    async def run(self, client: Client, names: list[str], args: list[Any]) -> Any:
        """Call it by its hash, or whole where the server does not know it yet."""
        try:
            return await client.execute_command("EVALSHA", self.sha1, len(names), *names, *args)
        except NoScriptError:
            return await client.execute_command("EVAL", self.text, len(names), *names, *args)


# Whatever touches the log must know its epoch first; what is shared besides has none.
APPEND = Script("lineage", "append")
TRIM = Script("lineage", "trim")
CHECKPOINT = Script("lineage", "checkpoint")
LEASE = Script("lease")
RELEASE = Script("release")
SECRET = Script("secret")
NOTE = Script("note")
NOTES = Script("notes")


class Backoff:
    """Pauses that grow, with jitter so that a fleet does not come back in step."""

    def __init__(self) -> None:
        self._ms = BACKOFF_MS_MIN

    def reset(self) -> None:
        """It went well."""
        self._ms = BACKOFF_MS_MIN

    async def pause(self) -> None:
        """Wait before the next try."""
        pause_ms = self._ms * random.uniform(0.5, 1)  # noqa: S311 - jitter
        self._ms = min(self._ms * 2, BACKOFF_MS_MAX)
        await asyncio.sleep(pause_ms / 1_000)


class Calls:
    """What the engine asks of Redis, each within REPLY_MS_MAX."""

    def __init__(self, clients: Clients) -> None:
        self.closed = False
        self.reader = clients.reader
        self.writer = clients.writer
        self._closers = clients.closers

    async def close(self) -> None:
        """Let go of the connections; blocked reads fail."""
        self.closed = True
        for close in self._closers:
            await close()

    def check(self) -> None:
        """Refuse to work after close."""
        if self.closed:
            raise BusClosed("the log was closed")

    async def command(self, *args: Any) -> Any:
        """One command that may be repeated."""
        return await self.persist(lambda: self.writer.execute_command(*args))

    async def script(
        self, script: Script, names: list[str], args: list[Any], deadline: float | None = None
    ) -> Any:
        """One script."""
        return await self.persist(lambda: script.run(self.writer, names, args), deadline)

    async def state(self, partition: int) -> State:
        """The log's own state; begins a new epoch if the server is another one."""
        names = [keys.deltas(partition), keys.meta(partition)]
        return read_state(await self.script(APPEND, names, [0, 0]))

    async def persist(
        self, attempt: Callable[[], Awaitable[T]], deadline: float | None = None
    ) -> T:
        """Try until it answers; ``deadline`` is of the loop's clock."""
        self.check()
        deadline = deadline or asyncio.get_running_loop().time() + REPLY_MS_MAX / 1_000
        backoff = Backoff()
        reason: BaseException | None = None
        overdue = asyncio.timeout_at(deadline)
        try:
            async with overdue:
                while True:
                    try:
                        return await heed(attempt())
                    except PASSING as error:
                        reason = error
                    self.check()
                    await renew(self.writer)
                    await backoff.pause()
        except RedisError as error:
            raise BusUnavailable(f"Redis refuses: {error}") from error
        except OSError as error:  # the builtin TimeoutError is one
            raise BusUnavailable(f"Redis does not answer: {reason or 'timeout'}") from error
