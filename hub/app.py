"""The hub's routes: the shell of the dashboard, login, ``/api`` and ``/ws``.

Endpoints find their hub in the app's state, so the list is the same for every role.
"""

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from starlette.convertors import Convertor, register_url_convertor
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Match, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from hub import actions, door_metrics, metrics
from hub.asyncapi import asyncapi
from hub.exports.route import export
from hub.login import login, logout
from hub.openapi import routes as described
from hub.page_files import PAGE_FILES
from hub.problem import problem
from hub.rest import (
    about,
    compare,
    credentials,
    live,
    models,
    people,
    sessions,
    sources,
    usage,
)

Endpoint = Callable[[Request], Awaitable[Response]]


def ui_folder() -> Path:
    """The built dashboard: in the installed package, else in the checkout."""
    packaged = Path(__file__).parent / "_ui"
    return packaged if packaged.is_dir() else Path(__file__).parents[1] / "dashboard_static/dist"


async def shell(request: Request) -> Response:
    """``GET /``: the dashboard's page, which holds no data."""
    page = ui_folder() / "index.html"
    if not page.is_file():
        return problem(503, "the dashboard is not built; run scripts/up, or `npm run build`")
    return FileResponse(page, headers={"Cache-Control": "no-cache"})


async def page_file(request: Request) -> Response:
    """``GET /icon.svg`` and the like: what belongs to the page and has a name that stays."""
    name = request.path_params["file"]
    path = ui_folder() / name
    if not path.is_file():
        return problem(404, "this dashboard was built without it")
    headers = {"Cache-Control": "no-cache"}
    return FileResponse(path, headers=headers, media_type=PAGE_FILES[name])


def when_ready(endpoint: Endpoint) -> Endpoint:
    """The endpoint, once the log is folded: half a board would be taken for a whole one."""

    async def served(request: Request) -> Response:
        reason = await request.app.state.hub.unready()
        if reason is not None:
            return problem(503, reason, headers={"Retry-After": "1"})
        return await endpoint(request)

    return served


class Socket:
    """``/ws``, handed to the app's hub."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        await scope["app"].state.hub(scope, receive, send)


class Assets(StaticFiles):
    """Built files under hashed names: they never change, so they are kept for a year."""

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope,
        status_code: int = 200,
    ) -> Response:  # fmt: skip
        """The file, cacheable for ever; as it was compressed at the build for who takes that."""
        small = Path(f"{full_path}.gz")
        is_small = "gzip" in Headers(scope=scope).get("accept-encoding", "") and small.is_file()
        if is_small:
            full_path, stat_result = small, small.stat()
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        response.headers["Vary"] = "Accept-Encoding"
        if is_small:
            response.headers["Content-Encoding"] = "gzip"
        return response


async def refused(request: Request, error: Exception) -> Response:
    """What no endpoint answered (404, 405), as a problem like everything else."""
    told = error if isinstance(error, HTTPException) else HTTPException(500)
    headers = told.headers if told.status_code != 405 else {"Allow": _allowed(request)}
    return problem(told.status_code, told.detail, headers=headers)


def _allowed(request: Request) -> str:
    """The methods of every route of this path: each method may have one of its own."""
    routes = [each for each in request.app.routes if isinstance(each, Route)]
    here = [each for each in routes if each.matches(request.scope)[0] is not Match.NONE]
    return ", ".join(sorted({method for each in here for method in each.methods or ()}))


class AnyText(Convertor[str]):
    """An id is any text that an agent chose, slashes and line breaks included."""

    regex = "(?s:.+)"

    def convert(self, value: str) -> str:
        """As it is in the path, which is decoded already."""
        return value

    def to_string(self, value: str) -> str:
        """The same way back."""
        return value


register_url_convertor("text", AnyText())

handlers: dict[Any, Any] = {HTTPException: refused}
registries = [metrics.registry, door_metrics.registry]

routes: list[BaseRoute] = [
    Route("/", shell),
    Route("/{file:page_file}", page_file),
    Mount("/assets", Assets(directory=ui_folder() / "assets", check_dir=False), name="assets"),
    Route("/login", login, methods=["POST"]),
    Route("/logout", logout, methods=["POST"]),
    Route("/api/live", when_ready(live.live)),
    # What stands behind an id is looked for before what is all id.
    Route("/api/live/{id:text}", when_ready(live.live_session)),
    Route("/api/sessions", when_ready(sessions.sessions)),
    Route("/api/sessions/{id:text}/end", when_ready(actions.end), methods=["POST"]),
    Route("/api/sessions/{id:text}/archive", when_ready(actions.archive), methods=["POST"]),
    Route("/api/sessions/{id:text}/timeline", when_ready(sessions.timeline)),
    Route("/api/sessions/{id:text}/entries/{entry:text}", when_ready(sessions.entry)),
    Route("/api/sessions/{id:text}", when_ready(sessions.session)),
    Route("/api/sessions/{id:text}", when_ready(actions.patch), methods=["PATCH"]),
    Route("/api/sessions/{id:text}", when_ready(actions.delete), methods=["DELETE"]),
    Route("/api/attention", when_ready(live.attention)),
    Route("/api/activity", when_ready(live.activity)),
    Route("/api/models", when_ready(models.models)),
    Route("/api/attention/{id:text}", when_ready(live.attention_item)),
    Route("/api/compare", when_ready(compare.compare)),
    Route("/api/usage", usage.usage),
    Route("/api/budgets", usage.budgets),
    Route("/api/budgets", usage.set_budgets, methods=["PUT"]),
    Route("/api/tokens", credentials.tokens),
    Route("/api/tokens", credentials.create, methods=["POST"]),
    Route("/api/tokens/{id:text}", credentials.revoke, methods=["DELETE"]),
    Route("/api/audit", credentials.audit),
    Route("/api/clients", people.clients),
    Route("/api/sources", sources.sources),
    Route("/api/about", about.about),
    Route("/api/me", people.me),
    Route("/api/export", when_ready(export)),
    Route("/openapi.json", described.openapi),
    Route("/docs", described.docs),
    Route("/asyncapi.json", asyncapi),
    WebSocketRoute("/ws", Socket()),
]
