"""Deltas as bytes: what goes in comes out, and foreign bytes are refused with a reason."""

import json
from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from session import codec
from session.delta import Delta, Entry, Event, Report, Time, Usage
from session.errors import InvalidDelta
from tests.session.test_changes import streams

REPORT = Report(
    id="r", session="s", received_at=1, from_=3, to=9, values={"messages": 2},
    entries=[Entry(id="e", kind="prompt", at=1, offset=9, text="go")],
    usage=[Usage(message_id="m", model="x", output=4)],
)  # fmt: skip
DELTAS = (
    REPORT,
    Event(id="e", session="s", received_at=1, kind="stop", source="hooks", fields={"a": [1]}),
    Time(id="t", session="s", received_at=1, kind="stale", fields={"heard_at": 1}),
)


@pytest.mark.parametrize("delta", DELTAS)
def test_every_kind_of_delta_survives(delta: Delta) -> None:
    """As msgpack and as a line of JSON."""
    assert codec.unpack(codec.pack(delta)) == delta
    body = codec.to_ndjson([delta, delta])
    assert [codec.from_json_line(line) for line in body.splitlines()] == [delta, delta]


@given(streams())
def test_everything_that_adapters_make_survives(stream: list[Delta]) -> None:
    """Both ways, with every value in it."""
    for delta in stream:
        assert codec.unpack(codec.pack(delta)) == delta
        assert codec.from_json_line(codec.to_ndjson([delta])) == delta


def test_fields_have_their_names_on_the_wire() -> None:
    """``from`` is called so; what is at its default is left out."""
    told = msgspec.msgpack.decode(codec.pack(REPORT))
    assert told == {
        "type": "report", "id": "r", "session": "s", "received_at": 1, "from": 3, "to": 9,
        "values": {"messages": 2}, "usage": [{"message_id": "m", "model": "x", "output": 4}],
        "entries": [{"id": "e", "kind": "prompt", "at": 1, "offset": 9, "text": "go"}],
    }  # fmt: skip


def test_a_number_is_given_without_touching_the_delta() -> None:
    """The sender's object stays as it was."""
    assert codec.numbered(REPORT, 7) == msgspec.structs.replace(REPORT, number=7)
    assert REPORT.number == 0


@pytest.mark.parametrize(
    "foreign",
    [b"", b"\xc1", b"\x80", b"[]", b"nonsense", b"\xff" * 100, b"\x91" * 20_000,
     msgspec.msgpack.encode({"type": "report"}),
     msgspec.msgpack.encode({"type": "report", "id": "r", "session": "s", "received_at": "x"}),
     msgspec.msgpack.encode({"type": "other", "id": "r", "session": "s", "received_at": 1}),
     codec.pack(REPORT)[:-3], codec.pack(REPORT) + b"x"],
)  # fmt: skip
def test_foreign_bytes_are_refused(foreign: bytes) -> None:
    """With an error of this package, never another."""
    with pytest.raises(InvalidDelta):
        codec.unpack(foreign)


@pytest.mark.parametrize(
    "foreign",
    [b"", b"{}", b"null", b"[" * 20_000, b'{"type":"event"}', b'{"type":"event","id":1}',
     b'{"type":"event","id":"\\ud800","session":"s","received_at":1,"kind":"x"}',
     b'{"type":"event","id":"\xff","session":"s","received_at":1,"kind":"x"}',
     b'{"type":"event","id":"e","session":"s","received_at":NaN,"kind":"x"}'],
)  # fmt: skip
def test_foreign_lines_are_refused(foreign: bytes) -> None:
    """JSON from anybody, wherever it is wrong."""
    with pytest.raises(InvalidDelta):
        codec.from_json_line(foreign)


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(foreign: bytes) -> None:
    """InvalidDelta or a delta."""
    for read in (codec.unpack, codec.from_json_line):
        with suppress(InvalidDelta):
            assert isinstance(read(foreign), Report | Event | Time)


def test_the_reason_names_the_place() -> None:
    """So that the sender can find it."""
    wrong = json.dumps({"type": "event", "id": "e", "session": "s", "received_at": "noon"})
    with pytest.raises(InvalidDelta, match="received_at"):
        codec.from_json_line(wrong.encode())
