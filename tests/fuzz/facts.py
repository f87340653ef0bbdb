"""What must hold of whatever came in, for every room: it can be sent, folded, kept and shown.

Each raises AssertionError, or whatever the product should not have raised. Called by the checks.
"""

import json
from collections.abc import Sequence
from typing import Any, get_type_hints

import msgspec

from history import rows
from hub import schemas
from hub.live.frames import encode
from session import checkpoint, codec, shapes
from session.checkpoint import Saved
from session.delta import Delta
from session.fold import fold, new_session
from session.state import Session, detail, item_view
from session.timeline import TimelineEntry
from tests.hub.made import Desk, event, permission

DELTA_BYTES_MAX = 256 * 1024
NEIGHBOUR = "a-good-neighbour"


class _Tokens(msgspec.Struct, forbid_unknown_fields=True):
    input: int
    output: int
    cache_read: int
    cache_write: int


class _Bucket(_Tokens):
    at: int
    cost_usd: float


class _Objective(schemas.Objective, forbid_unknown_fields=True):
    pass


def _shape() -> type[msgspec.Struct]:
    """A detail with the types that the state declares, and those of its inside."""
    inner: dict[str, Any] = {
        "tokens": _Tokens | None,
        "objectives": schemas.ObjectiveCount | None,
        "subagents": schemas.SubagentCount | None,
        "inherited": schemas.Inherited | None,
        "usage_sources": dict[str, schemas.SourceUsage],
        "objectives_list": dict[str, _Objective],
        "tools": dict[str, schemas.ToolCount],
        "models": dict[str, schemas.ModelUse],
        "subagents_tree": dict[str, schemas.Subagent],
        "errors_list": list[schemas.ErrorEntry],
        "token_series": list[_Bucket],
        "cost_state": schemas.CostState,
    }
    told = get_type_hints(Session)
    fields = [(name, inner.get(name, told.get(name))) for name in schemas.DETAIL_NAMES]
    return msgspec.defstruct("Detail", fields, forbid_unknown_fields=True)


DETAIL = _shape()


def can_be_sent(delta: Delta) -> Delta:
    """It has the shape that the door asks for, is no larger than the log takes, and comes back.

    Gives it as it is read from the log.
    """
    shapes.check(delta)
    packed = codec.pack(delta)
    assert len(packed) <= DELTA_BYTES_MAX, "larger than a delta may be"
    back = codec.unpack(packed)
    assert codec.pack(back) == packed
    written = codec.to_ndjson([back])
    assert written.count(b"\n") == 1
    again = codec.from_json_line(written)
    assert codec.to_ndjson([again]) == written
    return back


def is_well_formed(session: Session) -> None:
    """A client can be shown it, history can write it, a worker can start from it."""
    shown = json.loads(encode(detail(session)).decode())
    msgspec.convert(shown, DETAIL)
    for entry in session.timeline:
        msgspec.convert(json.loads(encode(entry)), TimelineEntry)
        json.dumps(rows.event_row(entry), allow_nan=False)
    for item in session.items.values():
        encode(item_view(item))
    assert session.attention == len(session.items)
    json.dumps(rows.summary_row(session), allow_nan=False)
    packed = checkpoint.pack([Saved(session, "e")])
    [saved] = checkpoint.unpack(packed)
    saved.session.errors = session.errors
    assert checkpoint.pack([saved]) == packed
    assert rows.state_row(session, "e", 0)["state"]


def folds(deltas: Sequence[Delta]) -> None:
    """One after another, each a second time: nothing changes then, and every state is good."""
    if not deltas:
        return
    session = new_session(deltas[0])
    for number, delta in enumerate(map(can_be_sent, deltas), 1):
        numbered = codec.numbered(delta, number)
        fold(session, numbered)
        is_well_formed(session)
        assert not fold(session, numbered), "folded twice"


def _neighbour() -> list[Delta]:
    return [
        event("prompt", NEIGHBOUR, text="hello", hash="1"),
        permission(NEIGHBOUR),
        event("tool_start", NEIGHBOUR, tool="Bash", call="c9", summary="make"),
    ]


def _alone() -> tuple[Any, Any]:
    desk = Desk()
    desk.say(*_neighbour())
    return desk.truth(NEIGHBOUR), desk.items()


ALONE = _alone()


def leave_the_board_whole(deltas: Sequence[Delta]) -> None:
    """Clients hold what the board holds, and whoever sends well beside them is as if alone."""
    desk = Desk()
    first, *more = _neighbour()
    viewers = [
        desk.connect("all"),
        desk.connect("some", way="deflated", view={"q": "a", "sort": "cost", "limit": 3}),
        desk.connect("mine", way="pushed", view={"sort": "updated", "user": "u", "agent": "x"}),
    ]
    desk.say(first)
    for delta in deltas:
        desk.say(delta)
        viewers[0].open(delta.session, NEIGHBOUR)
    desk.say(*more)
    desk.advance(1_500)
    for viewer in viewers:
        viewer.check()
    items = {key: each for key, each in desk.items().items() if each["session"] == NEIGHBOUR}
    assert (desk.truth(NEIGHBOUR), items) == ALONE
