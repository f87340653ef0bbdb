"""Tokens and sign-ins that were ended, as they are kept: added, revoked, and never changed else.

Called by the facade. Never sees a token itself, only its hash.
"""

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from history.credentials import Logout, Token
from history.sql import add
from history.tables import logouts, tokens

SINCE = "0003"
"""The step that brought these tables."""

TOKENS_MAX = 1_000
"""Good ones at once, of all workspaces; every process holds them in memory."""

KEPT_MS = 30 * 86_400_000
"""So long one that is over is still listed; whoever does not know a token refuses it."""


async def everything(connection: AsyncConnection, now_ms: int) -> tuple[list[Token], list[Logout]]:
    """All tokens, the eldest first, and all sign-ins that were ended and are not past."""
    rows = await connection.execute(select(tokens).order_by(tokens.c.created_at, tokens.c.id))
    ended = await connection.execute(select(logouts).where(logouts.c.expires_at > now_ms))
    return [Token(**row) for row in rows.mappings()], [Logout(**row) for row in ended.mappings()]


async def keep(connection: AsyncConnection, token: Token) -> bool:
    """Add one; False where there are as many as there may be."""
    at = token.created_at
    is_good = tokens.c.revoked_at.is_(None) & or_(
        tokens.c.expires_at.is_(None), tokens.c.expires_at > at
    )
    count = select(func.count()).select_from(tokens).where(is_good)
    if ((await connection.execute(count)).scalar() or 0) >= TOKENS_MAX:
        return False
    row = {name: getattr(token, name) for name in Token.__struct_fields__}
    await connection.execute(tokens.insert(), [row])
    return True


async def revoke(
    connection: AsyncConnection, token_id: str, workspace: str | None, now_ms: int
) -> Token | None:
    """End a token, of that workspace if one is told; None where there is none.

    One that is revoked already stays as it is.
    """
    wanted = tokens.c.id == token_id
    if workspace is not None:
        wanted &= tokens.c.workspace == workspace
    await connection.execute(
        update(tokens).where(wanted, tokens.c.revoked_at.is_(None)).values(revoked_at=now_ms)
    )
    row = (await connection.execute(select(tokens).where(wanted))).mappings().first()
    return None if row is None else Token(**row)


async def end(connection: AsyncConnection, ended: list[Logout]) -> None:
    """Keep sign-ins that were ended; those that are kept already stay."""
    if ended:
        names = Logout.__struct_fields__
        await add(connection, logouts, [{n: getattr(each, n) for n in names} for each in ended])


async def tidy(connection: AsyncConnection, now_ms: int) -> None:
    """Let go of what is over: tokens after a while, ended sign-ins once their cookie would be."""
    over = now_ms - KEPT_MS
    old = or_(tokens.c.revoked_at < over, tokens.c.expires_at < over)
    await connection.execute(delete(tokens).where(old))
    await connection.execute(delete(logouts).where(logouts.c.expires_at <= now_ms))
