"""``/api/usage`` and ``/api/budgets``: what was spent, and what may be. Out of history alone."""

from starlette.requests import Request
from starlette.responses import Response

from hub.rest.answers import (
    asked,
    body_of,
    history_of,
    json,
    needs_operator,
    note,
    workspace_of,
)


@asked
async def usage(request: Request) -> Response:
    """``GET /api/usage``: tokens and cost by day, model, project, user, agent, tool or session."""
    told = request.query_params
    history = history_of(request)
    by, since, until = told.get("by"), told.get("since"), told.get("until")
    return json(await history.usage(workspace_of(request), by, since, until))


@asked
async def budgets(request: Request) -> Response:
    """``GET /api/budgets``: each limit, and what is spent of it."""
    return json(await history_of(request).budgets(workspace_of(request)))


@asked
async def set_budgets(request: Request) -> Response:
    """``PUT /api/budgets``: set or take away limits; for operators. Answers as GET does."""
    needs_operator(request, "only an operator may set budgets")
    history, workspace = history_of(request), workspace_of(request)
    await history.set_budgets(workspace, await body_of(request))
    note(request, "budgets")
    return json(await history.budgets(workspace))
