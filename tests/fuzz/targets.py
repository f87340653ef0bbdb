"""The table of targets: a door's check, the cases that Hypothesis makes for it, and good input.

``prop`` is a property of Hypothesis: called, it makes its own cases; by its
``hypothesis.fuzz_one_input`` somebody else's bytes choose them. Run by the test beside it, within
bounds, and by ``scripts/fuzz`` for as long as one likes.
"""

import zlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from session import checkpoint, codec
from session.checkpoint import Saved
from session.delta import Delta
from tests.fuzz import checks, grammar, seeds
from tests.fuzz.grammar import written
from tests.session.made import folded

Check = Callable[[bytes], None]
Cases = st.SearchStrategy[bytes]
LINES_MAX = 4


class Target(NamedTuple):
    """``words`` are what a run that changes bytes may put into them."""

    name: str
    check: Check
    cases: Cases
    corpus: list[bytes]
    words: list[str]

    def __repr__(self) -> str:
        return self.name

    @property
    def prop(self) -> Any:
        """The property, fresh."""

        @given(self.cases)
        def holds(case: bytes) -> None:
            self.check(case)

        return holds


def _json(name: str, check: Check, told: Sequence[Any]) -> Target:
    names = seeds.names_of(*told)
    return Target(name, check, grammar.bodies(told, names), [*map(written, told)], names)


def _lines(name: str, check: Check, told: Sequence[Any]) -> Target:
    names = seeds.names_of(*told)
    body = grammar.bodies(told, names)
    cases = st.lists(body, min_size=1, max_size=LINES_MAX).map(b"\n".join)
    return Target(name, check, cases, [*map(written, told)], names)


@st.composite
def _damaged(draw: st.DrawFn, good: Sequence[bytes]) -> bytes:
    """Good bytes with some of them changed, left out or put in."""
    whole = draw(st.sampled_from(good))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(whole)))
        more = draw(st.binary(max_size=6) | st.sampled_from(good))
        whole = whole[:at] + more + whole[at + draw(st.integers(0, 9)) :]
    return whole


def _bytes(name: str, check: Check, good: list[bytes]) -> Target:
    return Target(name, check, _damaged(good) | st.binary(max_size=60), good, [])


def _read(told: Sequence[Any]) -> list[Delta]:
    return [codec.from_json_line(written(each)) for each in told]


def _saved() -> list[bytes]:
    whole = [folded(_read([each])) for each in seeds.DELTAS]
    packed = checkpoint.pack(Saved(each, "e") for each in (whole[0], whole[9], whole[-1]))
    return [checkpoint.pack([Saved(each, "e")]) for each in whole] + [packed]


@st.composite
def _saved_anew(draw: st.DrawFn, good: Sequence[bytes]) -> bytes:
    """A checkpoint whose checksum is right and whose body is not."""
    whole = draw(st.sampled_from(good))
    body = draw(_damaged([zlib.decompress(whole[2:])]))
    return whole[:2] + zlib.compress(body, 1)


def _client_frames() -> Target:
    names = seeds.names_of(*seeds.HELLOS, *seeds.REQUESTS)
    hello = st.sampled_from(seeds.HELLOS).map(written) | grammar.bodies(seeds.HELLOS, names)
    asked = st.lists(grammar.bodies(seeds.REQUESTS, names), max_size=LINES_MAX)
    cases = st.tuples(hello, asked).map(lambda told: b"\n".join((told[0], *told[1])))
    corpus = [
        b"\n".join(map(written, (hello, *seeds.REQUESTS[n:]))) for hello in seeds.HELLOS
        for n in range(len(seeds.REQUESTS))
    ]  # fmt: skip
    return Target("client_frames", checks.client_frames, cases, corpus, names)


def _framed(opcode: Opcode, data: bytes, *, fin: bool = True, rsv1: bool = False) -> bytes:
    told = Frame(opcode, data, fin=fin).serialize(mask=True)
    return bytes((told[0] | (0x40 if rsv1 else 0),)) + told[1:]


def _deflated(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return (stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH))[:-4]


def _socket_frames() -> list[bytes]:
    ack, big = b'{"type":"ack","frames":3}', b"x" * 70_000
    return [
        _framed(Opcode.TEXT, ack), _framed(Opcode.TEXT, b""), _framed(Opcode.TEXT, b"\xff\xfe"),
        _framed(Opcode.TEXT, _deflated(ack), rsv1=True), _framed(Opcode.TEXT, ack, rsv1=True),
        _framed(Opcode.TEXT, _deflated(b""), rsv1=True),
        _framed(Opcode.TEXT, _deflated(big), rsv1=True), _framed(Opcode.TEXT, big[:300]),
        _framed(Opcode.TEXT, ack, fin=False) + _framed(Opcode.CONT, ack),
        _framed(Opcode.TEXT, _deflated(ack)[:4], fin=False, rsv1=True)
        + _framed(Opcode.PING, b"x") + _framed(Opcode.CONT, _deflated(ack)[4:]),
        _framed(Opcode.BINARY, ack), _framed(Opcode.PING, b"p"), _framed(Opcode.PONG, b""),
        _framed(Opcode.CLOSE, b"\x03\xe8"), _framed(Opcode.CONT, b"x"), b"\x81\xff" + b"\xff" * 12,
        b"\x81\x05hello", b"\xb1\x80" + bytes(4), b"\x83\x80" + bytes(4), big,
    ]  # fmt: skip


def _socket() -> Target:
    frames = _socket_frames()
    first = st.integers(0, 255).map(lambda n: bytes((n,)))
    some = st.lists(st.sampled_from(frames) | _damaged(frames[:6]), max_size=6).map(b"".join)
    cases = st.tuples(first, some).map(b"".join)
    corpus = [bytes((n,)) + each for each in frames for n in (0, 1)]
    return Target("socket_bytes", checks.socket_bytes, cases, corpus, [])


def _targets() -> list[Target]:
    packed = [codec.pack(each) for each in _read(seeds.DELTAS)]
    kept = _saved()
    saved = _bytes("saved_sessions", checks.saved_sessions, kept)
    telemetry = [*seeds.LOGS, *seeds.METRICS]
    return [
        _json("claude_hook", checks.claude_hook, seeds.HOOKS),
        _json("codex_hook", checks.codex_hook, seeds.CODEX_HOOKS),
        _lines("claude_transcript", checks.claude_transcript, seeds.TRANSCRIPT),
        _lines("codex_rollout", checks.codex_rollout, seeds.ROLLOUT),
        _json("native_events", checks.native_events, seeds.NATIVE),
        _json("otlp_json", checks.otlp_json, telemetry),
        _bytes("otlp_protobuf", checks.otlp_protobuf,
               [*seeds.PROTOBUF_LOGS, *seeds.PROTOBUF_METRICS]),
        _lines("deltas", checks.deltas, seeds.DELTAS),
        _bytes("packed_delta", checks.packed_delta, packed),
        saved._replace(cases=saved.cases | _saved_anew(kept)),
        _client_frames(),
        _socket(),
    ]  # fmt: skip


TARGETS = {target.name: target for target in _targets()}
