"""Tokens are kept as hashes, revoked once, and let go after a while."""

import pytest

from history import housekeeping
from history.credentials import Logout
from history.database import Database
from history.history import History
from history.queries import tokens
from history.queries.tokens import KEPT_MS
from tests.history.doors import make_token
from tests.hub.made import NOW

SOON, LATE = NOW + 1_000, NOW + KEPT_MS + 2_000


@pytest.fixture
def history(database: Database) -> History:
    """It is always the same moment."""
    return History(database, now_ms=lambda: NOW)


async def test_a_token_is_kept_as_it_is(history: History) -> None:
    """Every field comes back, and the eldest comes first."""
    first = make_token("t-2", workspace="shop", role="agent", expires_at=SOON)
    second = make_token("t-1", created_at=NOW + 1, name="ä'; --")
    assert await history.keep_token(second)
    assert await history.keep_token(first)
    assert await history.credentials() == ([first, second], [])


async def test_a_token_is_revoked_once(history: History) -> None:
    """Of its own workspace; whoever asks again is told when it was, and another one has none."""
    await history.keep_token(make_token("t-1", workspace="shop"))
    assert await history.revoke_token("t-1", "other") is None
    assert await history.revoke_token("t-2", None) is None
    revoked = await history.revoke_token("t-1", "shop")
    assert revoked is not None
    assert revoked.revoked_at == NOW
    later = History(history.database, now_ms=lambda: NOW + 5)
    assert await later.revoke_token("t-1", None) == revoked
    assert await history.credentials() == ([revoked], [])


async def test_tokens_are_at_most_so_many(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that are over do not count."""
    monkeypatch.setattr(tokens, "TOKENS_MAX", 2)
    assert await history.keep_token(make_token("t-1"))
    assert await history.keep_token(make_token("t-2", expires_at=NOW))
    assert await history.keep_token(make_token("t-3"))
    assert not await history.keep_token(make_token("t-4"))
    await history.revoke_token("t-1", None)
    assert await history.keep_token(make_token("t-4"))


async def test_a_sign_in_that_was_ended_is_kept_until_it_is_past(history: History) -> None:
    """Told twice it stands once."""
    ended = Logout("c-1", "owner", SOON)
    await history.keep_logouts([ended, Logout("c-2", "t-1", NOW)])
    await history.keep_logouts([ended])
    await history.keep_logouts([])
    assert await history.credentials() == ([], [ended])


async def test_before_its_tables_are_made_there_are_none(empty_url: str) -> None:
    """A hub that is started before its recorder knows that, and lets the owner in."""
    database = Database(empty_url)
    assert await History(database).credentials() == ([], [])
    await database.close()


async def test_what_is_over_is_let_go_after_a_while(history: History, database: Database) -> None:
    """Good ones stay for ever, and those that ended lately are still listed."""
    good = make_token("t-1", expires_at=LATE + 1)
    for token in (good, make_token("t-2", expires_at=SOON), make_token("t-3", revoked_at=NOW)):
        await history.keep_token(token)
    await history.keep_logouts([Logout("c-1", "owner", SOON)])
    await housekeeping.tidy_door(database, 30, SOON - 1)
    assert [each.id for each in (await history.credentials())[0]] == ["t-1", "t-2", "t-3"]
    await housekeeping.tidy_door(database, 30, LATE)
    assert await history.credentials() == ([good], [])
