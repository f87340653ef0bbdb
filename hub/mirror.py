"""The keys of this process kept up to date: told at once by a signal, read again all the same.

Where there is a database it is the truth, and a copy of it lies beside the log for processes that
have none. Nothing that was revoked comes back by an older copy: a revoked token stays in the copy
as such, and only what is missing is added. Started beside the role by the commands.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from bus.base import Bus
from bus.errors import BusError
from bus.shared import Signal
from history.credentials import Logout, Token
from history.errors import HistoryError
from hub import door_metrics
from hub.auth import Door, now_ms
from hub.keyring import line_of

if TYPE_CHECKING:
    from history.history import History

log = logging.getLogger(__name__)

TOPIC = "keys"
TOKENS, LOGOUTS = "tokens", "logouts"
WHOLE = ""
"""The entry of the table that says: a process with the database has filled it."""

AGAIN_S = 2.0
"""A signal that is lost costs so long."""

Changed = Callable[[], None]


class Mirror:
    """One process's copy; ``history`` where it has a database.

    ``on_changed`` hears of each change.
    """

    def __init__(self, bus: Bus, door: Door, history: "History | None" = None) -> None:
        self.bus = bus
        self.door = door
        self.keys = door.keys
        self.history = history
        self.on_changed: Changed = _nobody
        self._heard = asyncio.Event()
        self._since = 0

    async def run(self) -> None:
        """Keep up to date until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._hear())
            tasks.create_task(self._look())

    async def _hear(self) -> None:
        async for signal in self.bus.listen(TOPIC):
            self._obey(signal)
            self._heard.set()

    def _obey(self, signal: Signal) -> None:
        """What is told is done before anything is read: it is not in every copy yet."""
        if signal.topic != TOPIC or not signal.data:
            return
        try:
            told = msgspec.msgpack.decode(signal.data, type=Token | Logout)
        except msgspec.MsgspecError:
            log.warning("a change of keys that nobody understands")
            return
        self._take(told)

    def _take(self, told: Token | Logout) -> None:
        if isinstance(told, Token):
            self.keys.learn(told)
        else:
            self.keys.end(told)
        self.on_changed()

    async def _look(self) -> None:
        while True:
            self._heard.clear()
            await self.look()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(AGAIN_S):  # wait_for may swallow a cancellation
                    await self._heard.wait()

    async def look(self) -> None:
        """Read everything once, from the database where there is one, else from the copy."""
        self._since = self.keys.changes
        try:
            tokens, ended, is_whole = await self._copy()
        except BusError as error:
            log.debug("the copy of the keys is not read: %s", error)
            tokens, ended, is_whole = {}, {}, False
        if self.history is not None:
            try:
                await self._settle(tokens, ended)
            except HistoryError as error:
                log.debug("keys are not read from the database: %s", error)
            else:
                return
        if is_whole:
            self._fill(list(tokens.values()), list(ended.values()))

    def _fill(self, tokens: list[Token], ended: list[Logout]) -> None:
        has_changed = self.keys.fill(tokens, ended, self._since)
        self.keys.tidy(now_ms())
        door_metrics.tokens.set(sum(token.is_good(now_ms()) for token in tokens))
        self.door.settle()
        if has_changed:  # for whoever hears of it looks at every socket
            self.on_changed()

    async def _copy(self) -> tuple[dict[str, Token], dict[str, Logout], bool]:
        told = await self.bus.table(TOKENS)
        is_whole = told.pop(WHOLE, None) is not None
        tokens = {name: msgspec.msgpack.decode(each, type=Token) for name, each in told.items()}
        table = await self.bus.table(LOGOUTS)
        ended = {name: msgspec.msgpack.decode(each, type=Logout) for name, each in table.items()}
        return tokens, ended, is_whole

    async def _settle(self, copied: dict[str, Token], ended: dict[str, Logout]) -> None:
        """Know what the database knows, and mend the copy, which was read before it."""
        assert self.history is not None
        tokens, kept = await self.history.credentials()
        self._fill(tokens, [*kept, *ended.values()])
        ids = {each.id for each in kept}
        missing = [each for each in self.keys.ended.values() if each.id not in ids]
        if missing:
            await self.history.keep_logouts(missing)
        try:
            await self._mend(copied, ended, tokens)
        except BusError as error:
            log.debug("the copy of the keys is not mended: %s", error)

    async def _mend(
        self, copied: dict[str, Token], ended: dict[str, Logout], tokens: list[Token]
    ) -> None:
        for token in tokens:
            known = copied.get(token.id)
            if known is None and token.revoked_at is None:
                await self.bus.add(TOKENS, token.id, msgspec.msgpack.encode(token))
            elif known is None or known.revoked_at != token.revoked_at:
                await self.bus.put(TOKENS, token.id, msgspec.msgpack.encode(token))
        for name in copied.keys() - {token.id for token in tokens}:
            await self.bus.forget(TOKENS, name)
        known_ended = self.keys.ended
        for name in known_ended.keys() - ended.keys():
            await self.bus.add(LOGOUTS, name, msgspec.msgpack.encode(known_ended[name]))
        for name in ended.keys() - known_ended.keys():
            await self.bus.forget(LOGOUTS, name)
        await self.bus.add(TOKENS, WHOLE, b"1")

    # What people change.

    async def add(self, token: Token) -> bool:
        """Keep a token and tell everybody; False where there are too many."""
        if not await _history(self).keep_token(token):
            return False
        await self._spread(token)
        return True

    async def revoke(self, token_id: str, workspace: str | None) -> Token | None:
        """End a token everywhere; None where that workspace has none of that id."""
        token = await _history(self).revoke_token(token_id, workspace)
        if token is not None:
            await self._spread(token)
        return token

    async def end(self, logout: Logout) -> None:
        """End a sign-in everywhere; with very many of one token all that were until now."""
        theirs = self.keys.ended_of(logout.token)
        if len(theirs) >= self.door.limits.logouts_max:
            latest = max(each.expires_at for each in [*theirs, logout])
            logout = Logout(line_of(logout.token), logout.token, latest)
        await self._spread(logout)
        if self.history is not None:
            try:
                await self.history.keep_logouts([logout])
            except HistoryError as error:
                log.warning("an ended sign-in is kept late: %s", error)

    async def _spread(self, told: Token | Logout) -> None:
        """Do it here, in the copy, and everywhere; a log that is away costs the others AGAIN_S."""
        self._take(told)
        table = TOKENS if isinstance(told, Token) else LOGOUTS
        data = msgspec.msgpack.encode(told)
        try:
            await self.bus.put(table, told.id, data)
            await self.bus.publish(TOPIC, data)
        except BusError as error:
            log.warning("a change of keys is told late: %s", error)


def _history(mirror: Mirror) -> "History":
    if mirror.history is None:
        raise RuntimeError("tokens are kept in a database, and this process has none")
    return mirror.history


def _nobody() -> None:
    """Nobody needs to hear of it."""
