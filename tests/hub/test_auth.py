"""The door: credentials in every form, and where a request may come from."""

import base64
import time
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from history.credentials import Logout
from hub import auth
from hub.auth import CODES_MAX, OWNER, Grant, is_loopback
from tests.hub.servers import TOKEN, admit, cookie_for, make_door


def cookie_of(door: auth.Door, grant: Grant = OWNER) -> str:
    """The ``Cookie`` header that a browser sends back."""
    return door.cookie(grant, secure=False).partition(";")[0]


def granted(door: auth.Door, **headers: str) -> Grant | None:
    """What a request with these headers may do."""
    return door.grant(headers)


def test_a_bearer_token_is_a_credential() -> None:
    """The scheme in any case, the token exactly."""
    door = make_door()
    assert granted(door, authorization=f"Bearer {TOKEN}") == OWNER
    assert granted(door, authorization=f"bearer  {TOKEN} ") == OWNER


@pytest.mark.parametrize(
    "value",
    ["Bearer", "Bearer ", "Bearer x", f"Bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN, "Bearer \xff"],
)
def test_another_authorization_is_none(value: str) -> None:
    """Neither another scheme nor a part of the token nor what is no text of ours."""
    assert granted(make_door(), authorization=value) is None


def test_a_bad_authorization_is_not_healed_by_a_cookie() -> None:
    """Who shows a wrong token is told so."""
    door = make_door()
    assert granted(door, authorization="Bearer x", cookie=cookie_of(door)) is None


def test_an_empty_token_is_never_one() -> None:
    """Not even where the owner's token is empty by mistake."""
    door = auth.Door(token="", key=b"k", port=1)
    assert door.grant_token("") is None
    assert granted(door, authorization="Bearer ") is None


def test_a_cookie_carries_its_grant_back() -> None:
    """Among other cookies, under the name of the port."""
    door = make_door(9_999)
    found = granted(door, cookie=f"a=b; {cookie_for(door, 'viewer', 'w')}; c=d")
    assert found is not None
    assert (found.role, found.workspace) == ("viewer", "w")
    assert cookie_of(door).startswith("tower_9999=")


def test_a_cookie_is_for_the_browser_alone() -> None:
    """HttpOnly, SameSite=Strict, for the whole site, Secure behind TLS, with an end."""
    door = make_door()
    flags = set(door.cookie(OWNER, secure=True).split("; ")[1:])
    assert flags == {"HttpOnly", "SameSite=Strict", "Path=/", "Secure", "Max-Age=2592000"}
    assert "Secure" not in door.cookie(OWNER, secure=False)


def test_a_cookie_of_another_key_port_or_grant_is_none() -> None:
    """The signature covers the grant and the name, and needs the key."""
    door = make_door()
    name, _, value = cookie_of(door).partition("=")
    body, _, signature = value.partition(".")
    raw = base64.urlsafe_b64decode(body + "==")
    forged = raw.replace(b'"owner"', b'"other"')
    assert forged != raw
    other = auth.Door(token=TOKEN, key=b"other", port=8787)
    elsewhere = make_door(1).cookie(OWNER, secure=False).partition(";")[0].partition("=")[2]
    values = [
        f"{base64.urlsafe_b64encode(forged).decode()}.{signature}", f"{body}.", body, ".", "",
        f"{body}.{signature[:-4]}", f"{signature}.{body}", "é.è", "a.b.c", f"{body}.AAAA",
        elsewhere, cookie_of(other).partition("=")[2],
    ]  # fmt: skip
    for each in values:
        assert granted(door, cookie=f"{name}={each}") is None, each


def test_a_cookie_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """After thirty days it is nothing any more, whatever the browser does."""
    door = make_door()
    cookie = cookie_of(door)
    assert granted(door, cookie=cookie) is not None
    later = SimpleNamespace(time=lambda: time.time() + 30 * 86_400 + 1, monotonic=time.monotonic)
    monkeypatch.setattr(auth, "time", later)
    assert granted(door, cookie=cookie) is None


def test_a_code_works_once() -> None:
    """Replayed, guessed or empty it is none."""
    door = make_door()
    code = door.issue_code()
    assert door.redeem_code("x" + code) is None
    assert door.redeem_code("") is None
    assert door.redeem_code("\ud800") is None
    assert door.redeem_code(code) == OWNER
    assert door.redeem_code(code) is None


def test_a_code_ends_after_a_quarter_of_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second before it is good, a second after it is not."""
    door = make_door()
    codes = [door.issue_code(), door.issue_code()]
    for code, wait_s, good in zip(codes, (899, 901), (True, False), strict=True):
        at = time.monotonic() + wait_s
        monkeypatch.setattr(
            auth, "time", SimpleNamespace(monotonic=lambda at=at: at, time=time.time)
        )
        assert (door.redeem_code(code) is not None) is good


def test_codes_are_bounded_and_the_newest_stay() -> None:
    """Who asks for codes for ever fills no memory."""
    door = make_door()
    codes = [door.issue_code() for _ in range(CODES_MAX + 50)]
    assert len(door._codes) == CODES_MAX
    assert door.redeem_code(codes[0]) is None
    assert door.redeem_code(codes[-1]) == OWNER
    assert len(set(codes)) == len(codes)


def test_neither_token_nor_code_is_kept_in_clear() -> None:
    """A code is stored hashed."""
    door = make_door()
    code = door.issue_code()
    assert code not in repr(vars(door))


def test_without_auth_everybody_is_the_owner() -> None:
    """--no-auth, which only a loopback address may have."""
    door = make_door(needs_credential=False)
    assert granted(door) == granted(door, authorization="x") == OWNER
    assert door.grant_token("") == OWNER


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("localhost", True), ("localhost:8787", True), ("LOCALHOST", True), ("127.0.0.1:1", True),
        ("[::1]:8787", True), ("[::1]", True), ("192.168.1.5:8787", True), ("board.example", True),
        ("Board.Example:8787", True), ("evil.example", False), ("", False),
        ("localhost.evil", False),
        ("127.0.0.1.evil.example", False), ("board.example.evil", False), (":8787", False),
    ],
)  # fmt: skip
def test_hosts(host: str, allowed: bool) -> None:
    """Addresses, localhost and names that were allowed; any other name is DNS rebinding."""
    assert make_door(hosts=["board.example"]).host_is_allowed({"host": host}) is allowed


def test_a_request_without_a_host_is_not_allowed() -> None:
    """HTTP/1.0 has none."""
    assert make_door().host_is_allowed({}) is False


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (None, True), ("http://127.0.0.1:8787", True), ("https://127.0.0.1:8787", True),
        ("http://127.0.0.1:8788", False), ("http://127.0.0.1", False), ("null", False), ("", False),
        ("http://evil.example", False), ("https://board.example", True),
        ("https://BOARD.example/", True), ("http://board.example", False),
        ("ftp://127.0.0.1:8787", False), ("http://127.0.0.1:8787.evil.example", False),
        ("127.0.0.1:8787", False),
    ],
)  # fmt: skip
def test_origins(origin: str | None, allowed: bool) -> None:
    """None, our own, or one that was allowed by its whole name."""
    headers: dict[str, Any] = {"host": "127.0.0.1:8787"}
    if origin is not None:
        headers["origin"] = origin
    assert make_door(origins=["https://board.example/"]).origin_is_allowed(headers) is allowed


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("[::1]", True),
        ("localhost", True), ("0.0.0.0", False), ("192.168.0.1", False), ("example", False),
        ("", False),
    ],
)  # fmt: skip
def test_loopback_is_this_machine_alone(host: str, own: bool) -> None:
    """An address of the network is not, nor is every address."""
    assert is_loopback(host) is own


def test_a_cookie_holds_no_right_of_its_own() -> None:
    """Whose it is and until when: role and workspace are the token's, whenever it is asked."""
    body = msgspec.json.decode(
        base64.urlsafe_b64decode(cookie_of(make_door())[11:].split(".")[0] + "==")
    )
    assert set(body) == {"id", "token", "expires_at", "bound"}


def test_a_token_of_the_keyring_is_a_credential() -> None:
    """With its own role and workspace, until it ends."""
    door = make_door()
    secret = admit(door, "viewer", "shop")
    found = granted(door, authorization=f"Bearer {secret}")
    assert found is not None
    assert (found.role, found.workspace, found.is_owner) == ("viewer", "shop", False)
    for over in ({"expires_at": 1}, {"revoked_at": 1}):
        secret = admit(door, "operator", **over)
        assert granted(door, authorization=f"Bearer {secret}") is None


def test_a_cookie_ends_with_its_token() -> None:
    """Revoked or run out: its cookie is nothing, and neither is the grant of an open socket."""
    door = make_door()
    cookie = cookie_for(door, "operator")
    grant = granted(door, cookie=cookie)
    assert grant is not None
    assert door.holds(grant)
    [token] = door.keys.tokens
    door.keys.learn(msgspec.structs.replace(token, revoked_at=1))
    assert granted(door, cookie=cookie) is None
    assert not door.holds(grant)


def test_a_cookie_is_bound_to_the_token_behind_it() -> None:
    """Another token under the same id, or another token of the owner, and it is nothing."""
    door = make_door()
    cookie, owners = cookie_for(door), cookie_of(door)
    [token] = door.keys.tokens
    door.keys.fill([msgspec.structs.replace(token, hash="0" * 64)], ())
    assert granted(door, cookie=cookie) is None
    other = auth.Door(token="another-token", key=b"k" * 32, port=8787)
    assert granted(door, cookie=owners) is not None
    assert granted(other, cookie=owners) is None


def test_a_sign_in_that_was_ended_is_none() -> None:
    """The others of the same token stay."""
    door = make_door()
    ended, other = cookie_of(door), cookie_of(door)
    grant = granted(door, cookie=ended)
    assert grant is not None
    assert grant.sign_in is not None
    door.keys.end(Logout(grant.sign_in.id, grant.token, grant.sign_in.expires_at))
    assert granted(door, cookie=ended) is None
    assert not door.holds(grant)
    assert granted(door, cookie=other) is not None


def test_before_the_keys_are_known_only_the_owner_is() -> None:
    """A cookie may have been ended, a token may be good: neither is let in yet."""
    door = make_door()
    cookie = cookie_of(door)
    door.await_keys()
    assert not door.is_settled
    assert granted(door, authorization=f"Bearer {TOKEN}") == OWNER
    assert granted(door, cookie=cookie) is None
    door.keys.fill((), ())
    door.settle()
    assert door.is_settled
    assert granted(door, cookie=cookie) is not None
    door.await_key()
    assert granted(door, cookie=cookie) is None
