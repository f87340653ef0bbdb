"""What a database lost of its newest commits, read again from the log.

Whoever records was told of it once and acknowledged it, so that its group gives it no more. Writes
nothing. Called by the scribe.
"""

import logging
from collections.abc import AsyncIterator

from bus.base import Bus, Delivery
from bus.position import ordinal_of
from history.ledger import Ledger

log = logging.getLogger(__name__)

READ_DELTAS_MAX = 500


async def missed(bus: Bus, ledger: Ledger, first: Delivery) -> AsyncIterator[list[Delivery]]:
    """What lies between the ledger and ``first``, part by part, as the ledger takes it in.

    As far as the log still has it: the rest is the ledger's to tell as lost.
    """
    end = ordinal_of(first.position)
    while ledger.misses([first.position]):
        found = await bus.behind(ledger.partition, ledger.position.place, READ_DELTAS_MAX)
        part = [each for each in found if ordinal_of(each.position) < end]
        if not part:
            return
        log.warning(
            "partition %d: %d entries are recorded again", ledger.partition, len(part)
        )  # fmt: skip
        yield part
