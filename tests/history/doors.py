"""Made-up tokens and acts, for tests of whoever keeps them."""

import hashlib
from typing import Any

from history.credentials import Act, Token
from tests.hub.made import NOW


def make_token(id_: str, secret: str | None = None, **more: Any) -> Token:
    """A viewer's token of the default workspace that never ends; its secret is its id."""
    hashed = hashlib.sha256((secret or id_).encode()).hexdigest()
    told = {"name": id_, "role": "viewer", "workspace": "default", "created_at": NOW, **more}
    return Token(id=id_, hash=hashed, prefix=id_[:6], created_by="owner", **told)


def make_act(action: str = "open", **more: Any) -> Act:
    """Something that the owner did to a session of the default workspace."""
    told = {"at": NOW, "actor": "owner", "name": "owner", "workspace": "default", **more}
    return Act(action=action, **told)
