"""A checkpoint: sessions as a worker holds them, as bytes to start from and to fold on.

Holds all that the fold goes on from; of timeline and errors only what keeps an entry from being
added twice. Never raises anything but InvalidCheckpoint. Called by whoever saves and loads the
log's checkpoints; who loads one takes every ring for incomplete.
"""

import gc
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar

import msgspec

from session.errors import InvalidCheckpoint
from session.state import Item, OpenTool, Session, Source
from session.timeline import Timeline

# Raised when a name changes its meaning. One that is new or gone needs nothing: what is not told
# is at its default, what nobody knows any more is passed over.
VERSION = 2
LEFT_OUT = ("errors",)
REDUCED = ("timeline",)  # to its seq and the newest ids
KEPT = tuple(name for name in Session.__struct_fields__ if name not in LEFT_OUT + REDUCED)

T = TypeVar("T", bound=msgspec.Struct)

_PARTS: dict[str, type[msgspec.Struct]] = {
    "items": Item, "open_tools": OpenTool, "transcripts": Source,
}  # fmt: skip
_values = attrgetter(*KEPT)
_DEFAULTS: dict[str, Any] = dict(zip(KEPT, _values(Session(id="", workspace="")), strict=True))
_COLLECTIONS = {
    name: type(value) for name, value in _DEFAULTS.items() if isinstance(value, dict | list)
}
_VERSION_BYTES = 2
_COMPRESSION = 1  # a third of the size, for a third of the time; higher levels gain little


class Saved(NamedTuple):
    """A session and the epoch of its cursor."""

    session: Session
    epoch: str


class _Told(msgspec.Struct, array_like=True, frozen=True):
    """One session on the wire.

    ``fields`` are of any type, as agents may tell any: one odd value must not cost all the others.
    """

    epoch: str
    fields: dict[str, Any]
    seq: int
    known: bytes


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[_Told])


def pack(saved: Iterable[Saved]) -> bytes:
    """Encode sessions; the same history gives the same bytes.

    Raises InvalidCheckpoint, naming the session, for one that msgpack cannot hold.
    """
    body = _encoder.encode([_packed(each) for each in saved])
    return VERSION.to_bytes(_VERSION_BYTES, "big") + zlib.compress(body, _COMPRESSION)


def unpack(data: bytes) -> list[Saved]:
    """Decode what ``pack`` made; raises InvalidCheckpoint with the reason."""
    version = int.from_bytes(data[:_VERSION_BYTES], "big")
    if len(data) < _VERSION_BYTES or version != VERSION:
        raise InvalidCheckpoint(f"not a checkpoint of version {VERSION}")
    body = _inflated(data[_VERSION_BYTES:])
    try:
        with _uncollected():
            return [_restored(told) for told in _decoder.decode(body)]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, TypeError) as error:
        raise InvalidCheckpoint(f"not a checkpoint: {error}") from error


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the collector: nothing made here is garbage, and its looking doubles the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _packed(saved: Saved) -> msgspec.Raw:
    session, timeline = saved.session, saved.session.timeline
    values = zip(_DEFAULTS.items(), _values(session), strict=True)
    fields = {name: value for (name, default), value in values if value != default}
    told = _Told(saved.epoch, fields, timeline.seq, timeline.known)
    try:
        return msgspec.Raw(_encoder.encode(told))
    except (msgspec.MsgspecError, UnicodeEncodeError, OverflowError, RecursionError) as error:
        raise InvalidCheckpoint(f"{session.key} cannot be packed: {error}") from error


def _inflated(data: bytes) -> bytes:
    """The body; its checksum tells damage of any kind."""
    stream = zlib.decompressobj()
    try:
        body = stream.decompress(data)
    except zlib.error as error:
        raise InvalidCheckpoint(f"not a checkpoint: {error}") from error
    if not stream.eof or stream.unused_data:
        raise InvalidCheckpoint("not a checkpoint: it does not end where it says")
    return body


def _restored(told: _Told) -> Saved:
    fields = told.fields
    for name, kind in _COLLECTIONS.items():
        if name in fields and type(fields[name]) is not kind:
            raise InvalidCheckpoint(f"not a checkpoint: {name} is no {kind.__name__}")
    for name, part in _PARTS.items():
        if name in fields:
            names = part.__struct_fields__
            fields[name] = {key: _made(part, names, each) for key, each in fields[name].items()}
    session = _made(Session, KEPT, fields)
    session.timeline = Timeline.emptied(told.seq, told.known, session.cursor_number)
    return Saved(session, told.epoch)


def _made(kind: type[T], names: Iterable[str], told: dict[str, Any]) -> T:
    """An object of the values that were told and are known."""
    return kind(**{name: told[name] for name in names if name in told})
