"""A token: a secret of 256 bits that is told once, and what is shown of it."""

import base64

import pytest

from history.credentials import Token
from history.errors import BadQuery
from hub.keyring import hash_of
from hub.tokens import DAY_MS, make, parse_span, shown
from tests.hub.made import NOW


def made(**more: str | None) -> tuple[str, Token]:
    """One of the default workspace."""
    told = {"role": "viewer", "workspace": "default", "name": "Ada", "expires": None, **more}
    return make(**told, now_ms=NOW, created_by="owner")  # type: ignore[arg-type]


def test_its_secret_is_long_random_and_not_kept() -> None:
    """256 bits; of it the token has the hash and how it begins."""
    secrets = {made()[0] for _ in range(100)}
    assert len(secrets) == 100
    secret, token = made()
    random = secret.removeprefix("tower_v_")
    assert len(base64.urlsafe_b64decode(random + "=")) == 32
    assert token.hash == hash_of(secret)
    assert secret.startswith(token.prefix)
    assert len(secret) - len(token.prefix) >= 38
    assert secret not in repr(token)


def test_what_is_shown_holds_neither_secret_nor_hash() -> None:
    """For people and for scripts."""
    secret, token = made(expires="2h")
    told = shown(token, NOW)
    assert token.hash not in repr(told)
    assert secret not in repr(told)
    assert (told["state"], told["expires_at"]) == ("good", NOW + 7_200_000)
    assert shown(token, NOW + 7_200_000)["state"] == "expired"


@pytest.mark.parametrize(
    ("told", "ms"), [("30d", 30 * DAY_MS), ("1m", 60_000), ("3650d", 3650 * DAY_MS)]
)
def test_a_span_has_its_unit(told: str, ms: int) -> None:
    """Minutes, hours, days."""
    assert parse_span(told) == ms


@pytest.mark.parametrize(
    "told", ["", "30", "d", "0d", "-1d", "3651d", "1w", "1.5h", " 1d", "1d\n", "٣d"]
)
def test_what_is_no_span_is_refused(told: str) -> None:
    """And it is said what would be one."""
    with pytest.raises(BadQuery, match="30d"):
        parse_span(told)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"role": "owner"}, "role"), ({"role": ""}, "role"), ({"workspace": ""}, "workspace"),
        ({"workspace": "A"}, "workspace"), ({"workspace": "a/b"}, "workspace"),
        ({"workspace": "a" * 64}, "workspace"), ({"workspace": "a\n"}, "workspace"),
        ({"name": "x" * 101}, "name"), ({"name": "a\nb"}, "name"), ({"name": "\x1b[2J"}, "name"),
        ({"expires": "soon"}, "expires"),
    ],
)  # fmt: skip
def test_what_is_no_token_is_refused(wrong: dict[str, str], said: str) -> None:
    """The refusal names the part."""
    with pytest.raises(BadQuery, match=said):
        made(**wrong)
