"""An endurance run and what goes on beside it."""

import argparse
import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from soak import Soak


class Quiet(Soak):
    """A run whose load is given, and which watches nothing."""

    def __init__(self, load: Any) -> None:
        self.told = argparse.Namespace(rate=1.0)
        self.agents = cast("Any", SimpleNamespace(run=load))

    async def _sample(self) -> None:
        await asyncio.Event().wait()

    _watch = _watch_lag = _sample


async def test_a_load_that_fails_ends_the_run_that_waits_for_it() -> None:
    """What failed is told; nobody waits at a rest for what will never come."""

    async def load(_rate: float, _born_every_s: float) -> None:
        raise ConnectionResetError("made up")

    with pytest.raises(ExceptionGroup) as told:
        async with asyncio.timeout(10), Quiet(load)._beside():
            await asyncio.Event().wait()
    assert [str(each) for each in told.value.exceptions] == ["made up"]


async def test_what_goes_on_beside_a_run_ends_with_it() -> None:
    """Without a word."""
    ended = asyncio.Event()

    async def load(_rate: float, _born_every_s: float) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with Quiet(load)._beside():
        await asyncio.sleep(0)
    assert ended.is_set()
