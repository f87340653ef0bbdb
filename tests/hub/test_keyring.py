"""What a process knows of tokens: revocation is never undone, and nothing that is told is lost."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from history.credentials import Logout
from hub.keyring import Keyring, hash_of, line_of
from tests.history.doors import make_token
from tests.hub.made import NOW


def test_a_token_is_found_by_its_secret_while_it_is_good() -> None:
    """Neither before nor beyond its end, nor by its hash."""
    keys = Keyring()
    token = make_token("t-1", "secret", expires_at=NOW + 10)
    keys.fill([token], ())
    assert keys.by_secret("secret", NOW) == keys.by_id("t-1", NOW) == token
    assert keys.by_secret("secret", NOW + 10) is keys.by_id("t-1", NOW + 10) is None
    assert keys.by_secret(hash_of("secret"), NOW) is None
    assert keys.by_secret("\ud800", NOW) is None


def test_an_older_copy_brings_no_revoked_token_back() -> None:
    """Whatever it says, and in whatever order it is told."""
    keys = Keyring()
    token = make_token("t-1")
    keys.fill([token], ())
    keys.learn(msgspec.structs.replace(token, revoked_at=NOW))
    keys.fill([token], ())
    keys.learn(token)
    assert keys.by_secret("t-1", NOW) is keys.by_id("t-1", NOW) is None


def test_a_token_that_came_while_all_were_read_stays() -> None:
    """It is not among them yet; at the next reading it is, or it is gone."""
    keys = Keyring(is_filled=True)
    since = keys.changes
    keys.learn(make_token("t-1"))
    keys.fill([make_token("t-2")], (), since)
    assert {each.id for each in keys.tokens} == {"t-1", "t-2"}
    keys.fill([make_token("t-2")], ())
    assert {each.id for each in keys.tokens} == {"t-2"}
    assert keys.by_secret("t-1", NOW) is None


def test_it_is_told_whether_anything_has_changed() -> None:
    """Whoever holds thousands of sockets looks at them only then."""
    keys, token = Keyring(), make_token("t-1")
    assert keys.fill([token], ())
    assert not keys.fill([token], ())
    assert keys.fill([msgspec.structs.replace(token, revoked_at=NOW)], ())
    assert not keys.fill([token], ())
    assert keys.fill([], [Logout("c-1", "owner", NOW)])
    assert not keys.fill([], [Logout("c-1", "owner", NOW)])


def test_a_line_ends_every_sign_in_until_then() -> None:
    """And takes the place of those that were ended one by one."""
    keys = Keyring()
    for number in range(3):
        keys.end(Logout(f"c-{number}", "t-1", NOW + number))
    keys.end(Logout("c-9", "owner", NOW))
    keys.end(Logout(line_of("t-1"), "t-1", NOW + 1))
    assert [each.id for each in keys.ended_of("t-1")] == ["c-2"]
    assert keys.has_ended("never told", "t-1", NOW + 1)
    assert not keys.has_ended("never told", "t-1", NOW + 2)
    assert keys.has_ended("c-2", "t-1", NOW + 2)
    assert keys.has_ended("c-9", "owner", NOW)
    assert not keys.has_ended("never told", "owner", NOW)


def test_what_would_be_past_is_forgotten() -> None:
    """A cookie that has ended by itself needs no mark."""
    keys = Keyring()
    keys.end(Logout("c-1", "owner", NOW))
    keys.end(Logout("c-2", "owner", NOW + 1))
    keys.tidy(NOW)
    assert set(keys.ended) == {"c-2"}


@given(st.lists(st.tuples(st.sampled_from(["learn", "fill"]), st.booleans()), max_size=12))
def test_once_revoked_is_revoked(told: list[tuple[str, bool]]) -> None:
    """Of any sequence of copies, old and new."""
    keys, is_over = Keyring(), False
    for how, is_revoked in told:
        token = make_token("t-1", revoked_at=NOW if is_revoked else None)
        is_over = is_over or is_revoked
        keys.learn(token) if how == "learn" else keys.fill([token], ())
        assert (keys.by_id("t-1", NOW) is None) is is_over
