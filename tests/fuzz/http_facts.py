"""What must hold of every answer over HTTP, and the ways of asking for one.

A check of schemathesis and a plain one: a refusal is a problem, nothing fails. Used by test_http.
"""

import json
from http import HTTPStatus

from hypothesis import strategies as st

from tests.fuzz import seeds
from tests.fuzz.grammar import bodies
from tests.fuzz.targets import TARGETS

PROBLEM = "application/problem+json"
HOOKS = ("/v1/hooks/claude-code", "/v1/hooks/codex")
JSON, NDJSON, PROTOBUF = "application/json", "application/x-ndjson", "application/x-protobuf"


def is_good(status: int, media: str, headers: dict[str, str], body: bytes) -> None:
    """An answer of its form; ``headers`` by names in lower case."""
    assert status < 500 or status == HTTPStatus.SERVICE_UNAVAILABLE, (status, body[:300])
    if status < 400:
        return
    assert media == PROBLEM, (status, media, body[:300])
    told = json.loads(body)
    assert told["status"] == status, told
    assert set(told) >= {"type", "title", "status", "detail"}, told
    assert told["detail"], told
    if status in (429, 503):
        assert int(headers["retry-after"]) >= 0, headers


def _cases(*names: str) -> st.SearchStrategy[bytes]:
    return st.one_of(*(TARGETS[name].cases for name in names))


ALIVE = {"kind": "ship", "files_behind": 1, "bytes_behind": 5, "ended": False}
POSTED: dict[str, tuple[tuple[str, ...], st.SearchStrategy[bytes]]] = {
    HOOKS[0]: ((JSON,), _cases("claude_hook")),
    HOOKS[1]: ((JSON,), _cases("codex_hook", "claude_hook")),
    "/v1/deltas": ((NDJSON,), _cases("deltas")),
    "/v1/events": ((JSON,), _cases("native_events")),
    "/v1/alive": ((JSON,), bodies([ALIVE], seeds.names_of(ALIVE))),
    "/v1/logs": ((JSON, PROTOBUF), _cases("otlp_json", "otlp_protobuf")),
    "/v1/metrics": ((JSON, PROTOBUF), _cases("otlp_json", "otlp_protobuf")),
}
"""What is posted to the ingest's routes: media types, and bodies."""

ENCODINGS = (b"identity", b"gzip", b"zstd", b"br")
HEADERS: st.SearchStrategy[dict[str, bytes]] = st.fixed_dictionaries(
    {},
    optional={
        "content-encoding": st.sampled_from(ENCODINGS),
        "x-tower-host": st.sampled_from((b"box", b"", b"x" * 300, b"caf\xe9")),
        "x-tower-user": st.sampled_from((b"ada", b"\xff\xfe")),
        "x-tower-until": st.sampled_from((b"recorded", b"never")),
    },
)
