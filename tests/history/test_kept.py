"""What a worker brings back: how far a session is kept, in the count that its log is at."""

from typing import cast

import pytest

from bus.base import Bus
from bus.errors import BusUnavailable
from bus.position import parse
from history.database import Database
from history.errors import DatabaseUnavailable
from history.history import History
from history.kept import Kept
from tests.history.recording import EPOCH, Recording
from tests.hub.made import event


class Log:
    """As much of a log as is asked: it has one partition, and goes on from its own positions."""

    partitions = 1

    async def holds(self, _partition: int, position: str) -> bool:
        """Whether it is of this log."""
        return parse(position).epoch == EPOCH


class Overtaken(History):
    """The first delta of all is recorded just after somebody asked for the log's count."""

    async def numberings(self) -> dict[int, str]:
        """What was true a moment ago."""
        told = await super().numberings()
        if not told:
            await Recording(self.database).log(event("prompt", "a"))
        return told


@pytest.mark.parametrize("with_timeline", [False, True])
async def test_a_session_that_is_recorded_meanwhile_has_its_number(
    database: Database, with_timeline: bool
) -> None:
    """Were it 0, the delta that made the session would be folded a second time."""
    kept = Kept(Overtaken(database), cast("Bus", Log()))
    restored = await kept.restore("default", "a", with_timeline=with_timeline)
    assert restored is not None
    assert restored.number == 1


async def test_a_session_of_another_count_has_no_number(database: Database) -> None:
    """The log began anew, and nothing of it is recorded."""
    await Recording(database).log(event("prompt", "a"))
    log = Log()
    log.holds = _holds_nothing  # type: ignore[method-assign]
    restored = await Kept(History(database), cast("Bus", log)).restore(
        "default", "a", with_timeline=True
    )
    assert restored is not None
    assert restored.number == 0


@pytest.mark.parametrize("asked", ["numbers", "restore", "board"])
async def test_a_log_that_does_not_answer_is_history_that_cannot_be_read(
    database: Database, asked: str
) -> None:
    """What workers wait for or go on without; any other error would end them."""
    await Recording(database).log(event("prompt", "a"))
    log = Log()
    log.holds = _answers_nothing  # type: ignore[method-assign]
    kept = Kept(History(database), cast("Bus", log))
    questions = {
        "numbers": lambda: kept.numbers([("default", "a")]),
        "restore": lambda: kept.restore("default", "a", with_timeline=True),
        "board": kept.board,
    }
    with pytest.raises(DatabaseUnavailable, match="the log does not tell"):
        await questions[asked]()  # type: ignore[operator]


async def _answers_nothing(_partition: int, _position: str) -> bool:
    raise BusUnavailable("no answer")


async def _holds_nothing(_partition: int, _position: str) -> bool:
    return False
