"""What befalls a simulated world: frames that get lost, logs that are cut, workers that die.

Only such frames get lost whose loss the protocol lets a client see.
"""

from random import Random

KINDS = {"store": 5, "trim": 3, "rename": 1, "lose": 3, "restart": 2, "lag": 4, "storm": 2}
LOST_MAX = (3, 12, 80)


class Loss:
    """A link that loses and doubles frames, above TCP.

    Unseen would be the loss of a patch that moves no cursor, and of an attention frame that
    another one follows: the first are kept, of the second all are lost until a heartbeat.
    """

    def __init__(self, random: Random) -> None:
        self.is_on = True
        self._random = random
        self._is_deaf = False

    def begin(self) -> None:
        """Another connection, whose first attention frame is the whole set."""
        self._is_deaf = False

    def times(self, payload: bytes) -> int:
        """How often this frame is seen: once, twice or not at all."""
        kind = payload[9 : payload.index(b'"', 9)]
        if kind == b"heartbeat":
            self._is_deaf = False
            return 1
        if kind == b"attention" and self._is_deaf:
            return 0
        if not self.is_on or kind in (b"welcome", b"bye", b"error") or _moves_nothing(payload):
            return 1
        chance = self._random.random()
        if chance < 0.03:
            self._is_deaf = self._is_deaf or kind == b"attention"
            return 0
        return 2 if chance < 0.06 and b'"parts":1' in payload[:300] else 1


def _moves_nothing(payload: bytes) -> bool:
    """Whether a patch ends where it began."""
    _, _, told = payload[:300].partition(b'"from":"')
    before, _, rest = told.partition(b'","cursor":"')
    return bool(told) and rest.startswith(before + b'"')
