"""No answer takes longer the more of a secret is right: by construction, which is tested."""

import ast
import hmac
from pathlib import Path

import pytest

from hub import auth, cookies, keyring
from tests.hub.servers import TOKEN, admit, make_door

SECRET_NAMES = {"token", "signature", "secret", "code", "_token", "bound", "hash"}


def compared_names(path: str) -> set[str]:
    """Names that stand on either side of an == or != in a module."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(Path(path).read_text())):
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq | ast.NotEq):
            for side in (node.left, *node.comparators):
                found |= {each.id for each in ast.walk(side) if isinstance(each, ast.Name)}
                found |= {each.attr for each in ast.walk(side) if isinstance(each, ast.Attribute)}
    return found


def test_secrets_are_found_by_hash_or_compared_in_constant_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The owner's token as a digest of one length; others by a lookup of their hash; no ==."""
    lengths: list[tuple[int, int]] = []
    compare = hmac.compare_digest

    def noted(one: bytes, other: bytes) -> bool:
        lengths.append((len(one), len(other)))
        return compare(one, other)

    monkeypatch.setattr(auth.hmac, "compare_digest", noted)
    door = make_door()
    admit(door)
    for told in ("", "x", TOKEN[:-1], TOKEN, "x" * 10_000):
        door.grant_token(told)
    assert lengths == [(32, 32)] * 5
    for module in (auth, cookies):
        assert not compared_names(str(module.__file__)) & (SECRET_NAMES - {"token"})
    assert not compared_names(str(keyring.__file__)) & {"secret", "hash"}
