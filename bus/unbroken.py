"""Work that is never cut off: whoever is cancelled in it waits for its end.

SQLite's driver would leave a transaction that is cut off open, with its lock, until nobody knows
when; a server that is cut off at its end would keep leases of those who are gone. Called by
``bus.remote_server`` and by whatever writes history.
"""

import asyncio
import functools
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def unbroken(work: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Work that goes on to its end, though whoever waits for it is cancelled meanwhile.

    Who is cancelled hears of it when the work has ended; what the work failed by is lost then.
    """

    @functools.wraps(work)
    async def run(*args: P.args, **more: P.kwargs) -> T:
        working = asyncio.ensure_future(work(*args, **more))
        try:
            return await asyncio.shield(working)
        except asyncio.CancelledError:
            await asyncio.wait([working])
            if not working.cancelled():
                working.exception()  # nobody else will ask for it
            raise

    return run
