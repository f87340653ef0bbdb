"""A real ``tower up`` over HTTP: whatever it is asked, it answers as its document and DESIGN say.

Within bounds and the same at every run; ``scripts/fuzz --target http`` asks for as long as one
likes. What is posted to the ingest stands in ``http_facts``, all else is made by schemathesis.
"""

import gzip
import itertools
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import schemathesis
from backports import zstd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import CHECKS
from schemathesis.generation import GenerationMode

from tests.end_to_end.running import Tower, started
from tests.fuzz import http_facts, seeds
from tests.session.made import assistant, prompt, result, tool_use

MINUTES = float(os.environ.get("FUZZ_HTTP_MINUTES", "0"))
COUNT_FILE = os.environ.get("FUZZ_HTTP_COUNT")
EXAMPLES = 3
EXAMPLES_POSTED = 25
EXAMPLES_LONG = 25
NEIGHBOUR = "a-good-neighbour"
# Texts of which a schema cannot say which are good, and credentials that are none: those are asked
# for in a test of their own.
LEFT_OUT = {"positive_data_acceptance", "negative_data_rejection", "ignored_auth"}
OPEN = {"/", "/{file}", "/login", "/logout", "/healthz", "/readyz", "/metrics"}
asked = itertools.count()


def run(prop: Callable[[], None], examples: int, share: float) -> None:
    """The same cases at every run; or others each time, for that share of the time there is."""
    fixed: dict[str, Any] = {
        "database": None, "deadline": None, "suppress_health_check": list(HealthCheck),
    }  # fmt: skip
    if not MINUTES:
        settings(max_examples=examples, derandomize=True, **fixed)(prop)()
        return
    other = settings(max_examples=EXAMPLES_LONG, **fixed)(prop)
    until = time.monotonic() + MINUTES * 60 * share
    while time.monotonic() < until:
        other()


class Asking:
    """Somebody who asks a tower, and looks at each answer."""

    def __init__(self, tower: Tower) -> None:
        self.tower = tower
        self.url = f"http://{tower.address}"
        self.bearer = {"Authorization": f"Bearer {tower.token}"}
        self.client = httpx2.Client(base_url=self.url, timeout=20, trust_env=False)
        schema = schemathesis.openapi.from_url(f"{self.url}/openapi.json", headers=self.bearer)
        self.operations = [each.ok() for each in schema.get_all_operations()]

    def ask(self, method: str, path: str, **told: Any) -> httpx2.Response:
        """One request, whose answer is good in its form."""
        next(asked)
        answer = self.client.request(method, path, **told)
        media = answer.headers.get("content-type", "").partition(";")[0]
        headers = {name.lower(): value for name, value in answer.headers.items()}
        http_facts.is_good(answer.status_code, media, headers, answer.content)
        return answer

    def explore(self, operation: Any, mode: GenerationMode, share: float) -> None:
        """What the document says may be asked, or what it says may not."""
        checks = [each for each in CHECKS.get_all() if each.__name__ not in LEFT_OUT]

        @given(case=operation.as_strategy(mode))
        def holds(case: schemathesis.Case) -> None:
            next(asked)
            answer = case.call(headers=self.bearer)
            case.validate_response(answer, checks=checks, headers=self.bearer)
            media = answer.headers.get("content-type", [""])[0].partition(";")[0]
            headers = {name.lower(): values[0] for name, values in answer.headers.items()}
            http_facts.is_good(answer.status_code, media, headers, answer.content)

        run(holds, EXAMPLES, share)


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    """A tower that has read a transcript and heard a good neighbour."""
    folder = tmp_path_factory.mktemp("tower")
    home = folder / "home"
    (home / "projects/p").mkdir(parents=True)
    lines = (prompt("go"), assistant("m1", tool_use("t1")), result("t1"))
    (home / "projects/p/a.jsonl").write_bytes(b"".join(lines))
    with started(home, folder / "data") as tower:
        tower.hook({**seeds.HOOKS[0], "session_id": NEIGHBOUR, "hook_event_name": "SessionStart"})
        made = Asking(tower)
        yield made
        made.client.close()
    if COUNT_FILE:
        Path(COUNT_FILE).write_text(str(next(asked)))


def is_whole(asking: Asking) -> None:
    """The tower is up and ready, knows its neighbour, and takes in what that one says."""
    assert asking.tower.process.poll() is None
    assert asking.ask("GET", "/readyz").status_code == 200
    said = {"session_id": NEIGHBOUR, "hook_event_name": "UserPromptSubmit", "prompt": "hello"}
    assert asking.ask("POST", http_facts.HOOKS[0], json=said).status_code == 200
    told = asking.ask("GET", f"/api/sessions/{NEIGHBOUR}", headers=asking.bearer)
    assert told.json()["id"] == NEIGHBOUR
    assert asking.ask("GET", "/api/live", headers=asking.bearer).status_code == 200
    assert "tower_bus_poison_entries_total 0.0" in asking.ask("GET", "/metrics").text


def encoded(body: bytes, how: bytes | None) -> bytes:
    """A body as its encoding says, where that is one."""
    if how == b"gzip":
        return gzip.compress(body, 1)
    return zstd.compress(body) if how == b"zstd" else body


def post(asking: Asking, path: str, case: tuple[str, bytes, dict[str, bytes], bool]) -> None:
    """One body to one of the ingest's routes, as one of its media types, encoded or not."""
    media, body, headers, is_as_said = case
    told = encoded(body, headers.get("content-encoding")) if is_as_said else body
    headers = {**headers, "content-type": media.encode()}
    answer = asking.ask("POST", path, content=told, headers=headers)
    if path in http_facts.HOOKS:
        assert (answer.status_code, answer.content) == (200, b"")
    else:
        assert answer.status_code in (200, 204, 400, 413, 415), answer.text


@pytest.mark.parametrize("path", http_facts.POSTED)
def test_what_is_posted_is_taken_or_refused_by_a_problem(asking: Asking, path: str) -> None:
    """Hooks are always answered 200 with nothing; nobody's log, board or neighbour suffers."""
    medias, cases = http_facts.POSTED[path]

    @given(st.tuples(st.sampled_from(medias), cases, http_facts.HEADERS, st.booleans()))
    def holds(case: tuple[str, bytes, dict[str, bytes], bool]) -> None:
        post(asking, path, case)

    run(holds, EXAMPLES_POSTED, 0.5 / len(http_facts.POSTED))
    is_whole(asking)


def test_every_operation_answers_as_documented(asking: Asking) -> None:
    """Of the ingest and of health as well: status, media type, body; refusals are problems."""
    chosen = [
        (operation, mode)
        for operation in asking.operations
        if operation.path not in http_facts.POSTED
        for mode in GenerationMode
        if mode is GenerationMode.POSITIVE or _can_be_wrong(operation)
    ]
    for operation, mode in chosen:
        asking.explore(operation, mode, 0.5 / len(chosen))
    is_whole(asking)


def _can_be_wrong(operation: Any) -> bool:
    """Whether there is anything that could be asked against the document."""
    raw = operation.definition.raw
    return bool(raw.get("parameters") or "application/json" in _content(raw)) and bool(
        raw.get("parameters") or _content(raw)["application/json"].get("schema")
    )


def _content(raw: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = raw.get("requestBody", {}).get("content", {})
    return content


def test_nothing_is_told_without_a_credential(asking: Asking) -> None:
    """401 or 403, as a problem, for none, for one that is none, and for another's name."""
    wrong = ({}, {"Authorization": "Bearer no"}, {"Authorization": "Basic eDp5"})
    for operation in asking.operations:
        if operation.path in OPEN or operation.path.startswith("/v1/"):
            continue
        path = operation.path.replace("{id}", "a").replace("{entry}", "e")
        for headers in wrong:
            answer = asking.ask(operation.method.upper(), path, headers=headers)
            assert answer.status_code in (401, 429), (path, headers, answer.text)


METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")


def test_a_method_that_is_not_there_is_refused_by_a_problem(asking: Asking) -> None:
    """405 names those that are."""
    paths = {each.path: set[str]() for each in asking.operations}
    for each in asking.operations:
        paths[each.path].add(each.method.upper())
    for path, method in itertools.product(paths, METHODS):
        known = paths[path] | ({"HEAD"} if "GET" in paths[path] else set())
        if method in known or path == "/{file}":
            continue
        told = path.replace("{id}", "a").replace("{entry}", "e")
        answer = asking.client.request(method, told, headers=asking.bearer)
        # An id may have slashes: what is no action of a session is asked of one by that name.
        assert 400 <= answer.status_code < 500, (method, told)
        assert answer.headers["content-type"].startswith(http_facts.PROBLEM), (method, told)
        if answer.status_code == 405:
            assert method not in answer.headers["allow"].split(", ")
        if method != "HEAD":
            assert json.loads(answer.content)["status"] == answer.status_code
