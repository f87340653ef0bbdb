"""Health and metrics, the same for every role: ``/healthz``, ``/readyz``, ``/metrics``.

The role is found in the app's state. Tells nothing of any session.
"""

from typing import Any, Protocol

from prometheus_client import CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from hub.problem import problem


class Role(Protocol):
    """What a process is for."""

    async def unready(self) -> str | None:
        """Why it cannot do its work now, or None."""
        ...

    def collect(self) -> None:
        """Bring gauges up to date that are only looked at now."""
        ...


async def healthz(_request: Request) -> Response:
    """``GET /healthz``: the process answers."""
    return Response("ok\n", media_type="text/plain")


async def readyz(request: Request) -> Response:
    """``GET /readyz``: what the role depends on is there."""
    role: Role = request.app.state.role
    reason = await role.unready()
    if reason is None:
        return Response("ready\n", media_type="text/plain")
    return problem(503, reason, headers={"Retry-After": "1"})


async def metrics_page(request: Request) -> Response:
    """``GET /metrics``: Prometheus text, of every registry of this process."""
    request.app.state.role.collect()
    pages = [generate_latest(each) for each in request.app.state.registries]
    return Response(b"".join(pages), media_type="text/plain; version=0.0.4; charset=utf-8")


def described() -> dict[str, Any]:
    """These routes as a part of the OpenAPI document."""
    from hub.openapi.document import problem_of  # imported late: few ask for it

    def item(name: str, summary: str, refusals: tuple[int, ...]) -> dict[str, Any]:
        answer = {"description": "OK", "content": {"text/plain": {}}}
        told = {"operationId": name, "tags": ["Operation"], "summary": summary, "security": []}
        refused = {str(status): problem_of(status) for status in refusals}
        return {"get": {**told, "responses": {"200": answer, **refused}}}

    paths = {
        "/healthz": item("getHealth", "Whether the process answers", ()),
        "/readyz": item("getReady", "Whether what it depends on is there", (503,)),
        "/metrics": item("getMetrics", "Prometheus text", (401, 403)),
    }
    return {"paths": paths, "schemas": {}}


routes: list[BaseRoute] = [
    Route("/healthz", healthz),
    Route("/readyz", readyz),
    Route("/metrics", metrics_page),
]


def make_app(role: Role, registries: list[CollectorRegistry]) -> Starlette:
    """Only these routes, for a port of their own."""
    app = Starlette(routes=routes)
    app.state.role, app.state.registries = role, registries
    return app
