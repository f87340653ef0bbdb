"""The made-up agents of the benchmarks that start the roles."""

import asyncio
import contextlib

from posting import Agents


async def test_no_connection_is_left_without_a_session_as_sessions_come_and_go() -> None:
    """An idle one is closed by the server after five seconds."""
    agents = Agents(port=1, sessions=60, seed=1)
    before = sorted(each.place for each in agents._hooked)
    replacing = asyncio.create_task(agents._replace(0))
    for _ in range(500):
        await asyncio.sleep(0)
    replacing.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await replacing
    assert agents.born > 200
    assert sorted(each.place for each in agents._hooked) == before
    assert set(before) == set(range(8))
