"""Signals over Redis pub/sub: quick, kept by nobody.

A listener has a connection of its own and comes back by itself; it never passes over a gap
without saying so. Called by the Redis engine.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from typing import Any

from redis.asyncio.client import PubSub
from redis.exceptions import ConnectionError  # noqa: A004 - redis-py's own

from bus import keys
from bus.limits import SIGNAL_SILENCE_MS
from bus.redis_calls import Backoff, Calls, heed
from bus.redis_clients import FAILURES, pubsub_of
from bus.shared import SUBSCRIBED, Signal

logger = logging.getLogger(__name__)


class Listener:
    """One subscription with its connection."""

    def __init__(self, calls: Calls, topics: tuple[str, ...]) -> None:
        self._calls = calls
        self._topics = {keys.signal(topic).encode(): topic for topic in topics}
        self._backoff = Backoff()
        self._pubsub: PubSub | None = None
        self._asked = False  # a ping has no answer yet
        self._deaf = False

    async def turn(self) -> Signal | None:
        """The next thing to tell, or None. Survives whatever Redis does."""
        try:
            return self._told(await self._read())
        except FAILURES as error:
            if not self._deaf:
                logger.warning("no signals are heard: %s", error)
            self._deaf = True
            await self.drop()
            await self._backoff.pause()
            return None

    async def drop(self) -> None:
        """Let go of the connection; the next turn makes another."""
        pubsub, self._pubsub, self._asked = self._pubsub, None, False
        if pubsub is not None:
            await pubsub.aclose()  # type: ignore[no-untyped-call]

    async def _read(self) -> dict[str, Any] | None:
        """One message, or None after a while of silence in which the server proved to live."""
        if self._pubsub is None:
            self._pubsub = await pubsub_of(self._calls.reader)
            await self._pubsub.subscribe(*self._topics)
        message = await self._pubsub.get_message(timeout=SIGNAL_SILENCE_MS / 1_000)
        if message is not None:
            self._asked = False
        elif self._asked:
            raise ConnectionError("no answer to a ping")
        else:
            # A dead server is as silent as one that has nothing to tell.
            await self._pubsub.ping()
            self._asked = True
        return message  # type: ignore[no-any-return]

    def _told(self, message: dict[str, Any] | None) -> Signal | None:
        if message is None:
            return None
        if message["type"] == "message":
            return Signal(self._topics[message["channel"]], message["data"])
        # redis-py may have come back by itself in between, which is a gap all the same.
        if message["type"] != "subscribe" or message["data"] != len(self._topics):
            return None
        self._backoff.reset()
        self._deaf = False
        return SUBSCRIBED


class RedisSignals:
    """All signals of one log."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._turns: set[asyncio.Timeout] = set()

    def close(self) -> None:
        """Every listener's wait ends at once."""
        while self._turns:
            self._turns.pop().reschedule(0)

    async def publish(self, signal: Signal) -> None:
        """Tell all who listen; repeated if the answer is lost, so it may be heard twice."""
        await self._calls.command("PUBLISH", keys.signal(signal.topic), signal.data)

    async def listen(self, topics: tuple[str, ...]) -> AsyncGenerator[Signal, None]:
        """What is published, for ever; ends at close."""
        listener = Listener(self._calls, topics)
        try:
            while not self._calls.closed:
                signal = await self._turn(listener)
                if signal is not None:
                    yield signal
        finally:
            await listener.drop()

    async def _turn(self, listener: Listener) -> Signal | None:
        """One turn, which close may cut short."""
        try:
            async with asyncio.timeout(None) as turn:
                self._turns.add(turn)
                try:
                    return await heed(listener.turn())
                finally:
                    self._turns.discard(turn)
        except TimeoutError:
            return None
