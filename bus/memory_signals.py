"""Signals within one process: every listener has a bounded queue of its own.

Never waits for a listener. Called by the memory engine only.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator

from bus.limits import SIGNALS_MAX
from bus.shared import SUBSCRIBED, Signal


class Listener:
    """One listener's topics, what it has not heard yet, and its alarm clock."""

    __slots__ = ("news", "signals", "topics")

    def __init__(self, topics: tuple[str, ...]) -> None:
        self.news = asyncio.Event()
        self.signals: deque[Signal] = deque([SUBSCRIBED])
        self.topics = frozenset(topics)

    def tell(self, signal: Signal) -> None:
        """Put it into the queue; a full one is emptied, and its reader told that it missed some."""
        if len(self.signals) >= SIGNALS_MAX:
            self.signals = deque([SUBSCRIBED])
        self.signals.append(signal)
        self.news.set()


class MemorySignals:
    """All listeners of one log."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()
        self._closed = False

    def close(self) -> None:
        """Every listener's wait ends."""
        self._closed = True
        for listener in self._listeners:
            listener.news.set()

    def publish(self, signal: Signal) -> None:
        """Tell those who listen to its topic."""
        for listener in self._listeners:
            if signal.topic in listener.topics:
                listener.tell(signal)

    async def listen(self, topics: tuple[str, ...]) -> AsyncGenerator[Signal, None]:
        """What is published, from the first thing on; ends at close."""
        listener = Listener(topics)
        self._listeners.add(listener)
        try:
            while not self._closed:
                if listener.signals:
                    yield listener.signals.popleft()
                else:
                    listener.news.clear()
                    await listener.news.wait()
        finally:
            self._listeners.discard(listener)
