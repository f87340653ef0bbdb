"""Deltas to msgpack and back: the bytes on the log and in a checkpoint.

Never raises anything but InvalidDelta on foreign bytes. Called by the bus and by tests.
"""

from collections.abc import Sequence

import msgspec

from session.delta import Delta, Event, Report, Time
from session.errors import InvalidDelta

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Delta] = msgspec.msgpack.Decoder(Report | Event | Time)
_json_decoder: msgspec.json.Decoder[Delta] = msgspec.json.Decoder(Report | Event | Time)


def pack(delta: Delta) -> bytes:
    """Encode one delta as a msgpack map; fields at their default are left out.

    Raises InvalidDelta for text that is not Unicode (lone surrogates).
    """
    try:
        return _encoder.encode(delta)
    except (msgspec.MsgspecError, UnicodeEncodeError, OverflowError, RecursionError) as error:
        raise InvalidDelta(f"cannot be packed: {error}") from error


def unpack(data: bytes) -> Delta:
    """Decode one delta; raises InvalidDelta with the place and the reason."""
    try:
        return _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidDelta(f"not a delta: {error}") from error


def numbered(delta: Delta, number: int) -> Delta:
    """The same delta with the number that the log gave it."""
    return msgspec.structs.replace(delta, number=number)


def to_ndjson(deltas: Sequence[Delta]) -> bytes:
    """Encode deltas as newline-delimited JSON, the body of ``POST /v1/deltas``."""
    return msgspec.json.Encoder().encode_lines(deltas)


def from_json_line(line: bytes) -> Delta:
    """Decode one line of ``POST /v1/deltas``; raises InvalidDelta with the place and reason."""
    try:
        return _json_decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidDelta(str(error)) from error
