"""What the tower at the other end says: whether it takes hooks, and when it last heard one."""

import http.client
import json
import urllib.error
import urllib.request
from typing import Any

from tower.hooks.agents import Agent
from tower.hooks.opener import make_opener
from tower.hooks.target import Target
from tower.secrets import TOKEN_NAME
from tower.settings import Settings

TIMEOUT_S = 2
BYTES_MAX = 8 * 1024 * 1024

NO_ANSWER = "no answer"
ANSWERS = {
    405: "answers",  # hooks are posted, and this was a GET
    401: "wants a token: set TOWER_TOKEN where the agent is started",
    403: "does not know this name: see TOWER_ALLOWED_HOSTS there",
}
STRANGER = "another program answers"


def answer_of(target: Target, agent: Agent, token: str | None) -> str:
    """One of the answers above."""
    try:
        _get(target, agent.route, token if target.needs_token else None)
    except urllib.error.HTTPError as error:
        with error:
            return ANSWERS.get(error.code, STRANGER)
    except http.client.HTTPException:
        return STRANGER
    except (OSError, ValueError):
        return NO_ANSWER
    return STRANGER


def last_heard(target: Target, agent: Agent, token: str | None) -> int | None:
    """When a session on the board was last heard by a hook of this agent, in ms; None where that
    is not told."""
    try:
        told = json.loads(_get(target, "/api/live", token))
        times = [_heard(row) for row in told["sessions"] if row["agent"] == agent.name]
    except (OSError, ValueError, KeyError, TypeError, http.client.HTTPException):
        return None
    return max((at for at in times if at is not None), default=None)


def _heard(row: dict[str, Any]) -> int | None:
    at = row["sources"].get("hooks")
    return at if isinstance(at, int) else None


def _get(target: Target, path: str, token: str | None) -> bytes:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    asked = urllib.request.Request(target.url + path, headers=headers)  # noqa: S310 - http(s) alone
    with make_opener(near=target.near).open(asked, timeout=TIMEOUT_S) as answer:
        told: bytes = answer.read(BYTES_MAX)
        return told


def token_for(settings: Settings, target: Target) -> str | None:
    """The token that is set; of a tower of this machine, the one that it keeps."""
    if settings["token"] or not target.near:
        token: str | None = settings["token"]
        return token
    try:
        return (settings.data_dir / TOKEN_NAME).read_text("ascii").strip() or None
    except (OSError, ValueError):
        return None
