"""Something that is made a moment after the start; whoever asks it before then waits for it.

What a database needs takes longer to import than all the rest, and a board need not wait for that.
Made and given by ``tower.records``.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Late(Generic[T]):
    """Stands in for a ``T`` whose public methods are all coroutines; ``wanted`` hears who asks."""

    def __init__(self, wanted: asyncio.Event) -> None:
        self._wanted = wanted
        self._made: asyncio.Future[T] | None = None

    def _future(self) -> "asyncio.Future[T]":
        if self._made is None:
            self._made = asyncio.get_running_loop().create_future()
        return self._made

    def _give(self, made: T) -> None:
        if not self._future().done():
            self._future().set_result(made)

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        if name.startswith("_"):
            raise AttributeError(name)

        async def ask(*arguments: Any, **more: Any) -> Any:
            self._wanted.set()
            made = await asyncio.shield(self._future())
            return await getattr(made, name)(*arguments, **more)

        return ask


def give(late: Late[T], made: T) -> None:
    """Here it is: whoever waited goes on."""
    late._give(made)  # noqa: SLF001 - the other half of this file
