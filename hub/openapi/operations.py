"""Every HTTP operation of the hub, in the order of the page: beside each route stands its entry.

A test holds the table to the routes, each way round, and real answers to its types.
"""

from typing import Any

from hub import actions
from hub.openapi import bodies, queries
from hub.openapi.door import DOOR
from hub.openapi.operation import JSON, Operation, Text
from hub.page_files import PAGE_FILES
from hub.schemas import Summary

PAGE = Text("text/html; charset=utf-8", "A page.")
EXPORT = Text("*/*", "A file: text/csv, application/json or text/html.")
FILE = Text("*/*", "A manifest or an image.")
TAG_HEADER = {"If-None-Match": "The ETag of an earlier answer: an unchanged one is 304."}
SESSION_ID = "/api/sessions/{id}"
_OUTCOMES: dict[int, Any] = {200: Summary, 202: actions.Accepted}


def _read(id_: str, group: str, path: str, summary: str, answer: Any, **more: Any) -> Operation:
    """A GET that tells something once the log is folded."""
    answers = {200: answer, **more.pop("answers", {})}
    return Operation(
        id=id_, group=group, method="GET", path=path, summary=summary, answers=answers, **more
    )


def _act(id_: str, method: str, path: str, summary: str, **more: Any) -> Operation:
    """What a person does to a session."""
    return Operation(
        id=id_, group="Sessions", method=method, path=path, summary=summary,
        **{"answers": _OUTCOMES, "problems": (404, 503), **more},
    )  # fmt: skip


BOARD = (
    _read(
        "getLive", "Board", "/api/live", "The board at once, for polling", bodies.Live,
        headers=TAG_HEADER, answers={304: None}, problems=(503,),
    ),
    _read(
        "getLiveSession", "Board", "/api/live/{id}", "One session with its timeline, for polling",
        bodies.LiveSession, headers=TAG_HEADER, answers={304: None}, problems=(404, 503),
    ),
    _read(
        "getActivity", "Board", "/api/activity", "Tokens by minute, of the last half hour",
        bodies.Activity, headers=TAG_HEADER, answers={304: None}, problems=(503,),
    ),
    _read(
        "listAttention", "Board", "/api/attention", "What waits for a person", bodies.OpenItems,
        problems=(503,),
    ),
    _read(
        "getAttention", "Board", "/api/attention/{id}", "One open item with the full request",
        bodies.WholeItem, problems=(404, 503),
    ),
)  # fmt: skip

SESSIONS = (
    _read(
        "listSessions", "Sessions", "/api/sessions", "Live and past sessions in one list",
        bodies.Sessions, query=queries.Page, problems=(400, 503),
    ),
    _read(
        "getSession", "Sessions", SESSION_ID, "Summary and detail of one session", bodies.Detail,
        problems=(404, 503),
    ),
    _act(
        "patchSession", "PATCH", SESSION_ID, "Set or clear title, phase and budget",
        body=bodies.SomeOf, is_body_needed=True, problems=(400, 404, 413, 415, 503),
    ),
    _act(
        "deleteSession", "DELETE", SESSION_ID, "Delete a session that has ended",
        answers={202: actions.Accepted, 204: None}, problems=(404, 409, 503),
    ),
    _act(
        "endSession", "POST", f"{SESSION_ID}/end", "End a session, until its agent is heard again",
        body=actions.End, problems=(400, 404, 413, 415, 503),
    ),
    _act(
        "archiveSession", "POST", f"{SESSION_ID}/archive", "Hide it from lists, or show it again",
        body=actions.Archive, problems=(400, 404, 413, 415, 503),
    ),
    _read(
        "getTimeline", "Sessions", f"{SESSION_ID}/timeline", "A page of its timeline",
        bodies.TimelinePage, query=queries.TimelinePlace, problems=(400, 404, 503),
    ),
    _read(
        "getEntry", "Sessions", f"{SESSION_ID}/entries/{{entry}}", "One entry with its whole text",
        bodies.WholeEntry, problems=(404, 503),
    ),
    _read(
        "compareSessions", "Sessions", "/api/compare", "Several sessions side by side",
        bodies.Comparison, query=queries.Several, problems=(400, 404, 503),
    ),
)  # fmt: skip

SPENDING = (
    _read(
        "getUsage", "Spending", "/api/usage", "Tokens and cost, or calls of tools",
        bodies.Usage, query=queries.Days, problems=(400, 503),
    ),
    _read(
        "getModels", "Spending", "/api/models", "Models, and how much each takes in at once",
        bodies.Models, query=queries.Names, headers=TAG_HEADER, answers={304: None},
        problems=(400, 503),
    ),
    _read(
        "getBudgets", "Spending", "/api/budgets", "Budgets, and what is spent of them",
        bodies.Budgets, problems=(503,),
    ),
    _read(
        "export", "Spending", "/api/export", "Sessions as CSV, as JSON, or as a report",
        EXPORT, query=queries.Export, problems=(400, 503),
    ),
    Operation(
        id="setBudgets", group="Spending", method="PUT", path="/api/budgets",
        summary="Set or take away budgets; for operators", answers={200: bodies.Budgets},
        body=bodies.BudgetLimits, is_body_needed=True, problems=(400, 413, 503),
    ),
)  # fmt: skip

PEOPLE = (
    _read(
        "listClients", "People", "/api/clients", "Who is connected; for operators", bodies.Clients
    ),
    _read(
        "listSources", "People", "/api/sources", "Machines whose readers send from afar",
        bodies.Sources,
    ),
    _read(
        "getAbout", "Worker", "/api/about", "What this worker holds and counts", bodies.About,
        description="The numbers of /metrics. What counts up does so since `started_at`: make "
        "rates and quantiles of the differences between two answers of the same worker.",
    ),
    _read("getMe", "People", "/api/me", "What the credential allows", bodies.Me),
)  # fmt: skip

SELF = (
    _read("getOpenapi", "The API itself", "/openapi.json", "This document", Text(JSON)),
    _read("getDocs", "The API itself", "/docs", "This document as a page", PAGE),
    _read(
        "getAsyncapi", "The API itself", "/asyncapi.json", "The WebSocket, as AsyncAPI 3",
        Text(JSON),
    ),
    _read(
        "getShell", "The API itself", "/", "The dashboard's page, which holds no data", PAGE,
        is_open=True, problems=(503,),
    ),
    _read(
        "getPageFile", "The API itself", "/{file}", "Its manifest, or one of its icons", FILE,
        path_values=tuple(PAGE_FILES), is_open=True, problems=(404,),
    ),
)  # fmt: skip

OPERATIONS: tuple[Operation, ...] = (*BOARD, *SESSIONS, *SPENDING, *PEOPLE, *DOOR, *SELF)
