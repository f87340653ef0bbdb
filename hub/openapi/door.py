"""Operations of the door: signing in and out, tokens, and who did what. A part of the table."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from hub.openapi import bodies
from hub.openapi.operation import Operation
from hub.schemas import Time
from hub.tokens import NAME_CHARS_MAX

Role = Literal["viewer", "operator", "agent"]
Span = Annotated[
    str,
    Meta(
        pattern="^[1-9][0-9]{0,6}[mhd]$", examples=["30d"],
        description="From now on: minutes, hours or days, at most 3650 days; null for ever.",
    ),
]  # fmt: skip
Name = Annotated[str, Meta(max_length=NAME_CHARS_MAX, description="To recognise it by.")]


class NewToken(Struct, forbid_unknown_fields=True):
    """What to make; without ``workspace`` it is of your own."""

    role: Role
    workspace: Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9._-]{0,62}$")] | None = None
    name: Name = ""
    expires: Span | None = None


class Token(Struct):
    """A token as it is shown: ``prefix`` is how it begins."""

    id: str
    prefix: str
    name: str
    role: Role
    workspace: str
    state: Literal["good", "expired", "revoked"]
    created_at: Time
    created_by: Annotated[str, Meta(description="`owner`, or the id of a token.")]
    expires_at: Time | None
    revoked_at: Time | None


class MadeToken(Token):
    """The one answer that has the secret itself."""

    token: str


class TokenList(Struct):
    """All of them, the eldest first."""

    tokens: list[Token]


class Act(Struct):
    """Who did what."""

    id: str
    at: Time
    actor: Annotated[str, Meta(description="`owner`, a token's id, or empty for a stranger.")]
    name: str
    workspace: Annotated[str, Meta(description="Empty where it is of none.")]
    action: str
    session: str | None
    address: str
    detail: str | None


class Acts(Struct):
    """A page of them, the latest first."""

    acts: list[Act]
    next: str | None


class ActsPage(Struct, kw_only=True):
    """How many, and behind which."""

    limit: Annotated[int, Meta(ge=1, le=1_000)] = 100
    cursor: (
        Annotated[str, Meta(pattern="^[1-9][0-9]{0,17}$", description="The ``next`` of another.")]
        | UnsetType
    ) = UNSET


def _of_operators(id_: str, method: str, path: str, summary: str, **more: Any) -> Operation:
    return Operation(
        id=id_, group="The door", method=method, path=path,
        summary=f"{summary}; for operators", **more,
    )  # fmt: skip


DOOR = (
    Operation(
        id="login", group="The door", method="POST", path="/login", is_open=True,
        summary="A token or a one-time code becomes a cookie", body=bodies.Credential,
        description="JSON, or a form with the same fields.", is_body_needed=True,
        answers={204: None}, problems=(400, 401, 413, 429),
    ),
    Operation(
        id="logout", group="The door", method="POST", path="/logout", is_open=True,
        summary="The cookie is nothing any more, nor any copy of it", answers={204: None},
    ),
    _of_operators(
        "listTokens", "GET", "/api/tokens", "Tokens of the workspace; the owner sees all",
        answers={200: TokenList}, problems=(503,),
    ),
    _of_operators(
        "createToken", "POST", "/api/tokens", "Make a token; it is shown this once",
        answers={201: MadeToken}, body=NewToken, is_body_needed=True,
        problems=(400, 409, 413, 503),
    ),
    _of_operators(
        "revokeToken", "DELETE", "/api/tokens/{id}", "End a token at once, open sockets included",
        answers={200: Token}, problems=(404, 503),
    ),
    _of_operators(
        "listActs", "GET", "/api/audit", "Who did what; the owner sees all workspaces",
        answers={200: Acts}, query=ActsPage, problems=(400, 503),
    ),
)  # fmt: skip
