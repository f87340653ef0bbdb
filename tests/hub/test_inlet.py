"""Small whole texts are taken before the parser, nothing else; however frames are cut."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.server import ServerProtocol

from hub.inlet import INFLATED_BYTES_MAX, Inlet

KINDS = (Opcode.TEXT, Opcode.BINARY, Opcode.PING, Opcode.PONG)


def framed(opcode: Opcode, data: bytes, *, fin: bool = True, rsv1: bool = False) -> bytes:
    """A client's frame."""
    told = Frame(opcode, data, fin=fin).serialize(mask=True)
    return bytes((told[0] | (0x40 if rsv1 else 0),)) + told[1:]


@st.composite
def messages(draw: st.DrawFn) -> tuple[list[bytes], list[bytes]]:
    """Frames of some messages, and the texts among them."""
    frames: list[bytes] = []
    texts: list[bytes] = []
    for _ in range(draw(st.integers(1, 6))):
        opcode = draw(st.sampled_from(KINDS))
        is_control = opcode in (Opcode.PING, Opcode.PONG)
        size = draw(
            st.sampled_from((0, 1, 5, 124, 125) if is_control else (0, 1, 125, 126, 300, 66_000))
        )
        data = b"x" * size
        if not is_control and draw(st.booleans()):
            cut = draw(st.integers(0, size))
            frames.append(framed(opcode, data[:cut], fin=False))
            if draw(st.booleans()):
                frames.append(framed(Opcode.PING, b"between"))
            frames.append(framed(Opcode.CONT, data[cut:]))
        else:
            frames.append(framed(opcode, data))
        if opcode is Opcode.TEXT:
            texts.append(data)
    return frames, texts


class Both:
    """An inlet before a parser, as the protocol class has them."""

    def __init__(self) -> None:
        self.inlet = Inlet()
        self.parser = ServerProtocol(max_size=None)
        self.parser.state = self.parser.state.OPEN
        self.parser.parser = super(ServerProtocol, self.parser).parse()
        next(self.parser.parser)
        self.texts: list[bytes] = []
        self.taken = 0
        self._under_way: list[bytes] | None = None

    def hear(self, data: bytes) -> None:
        """What one segment carries."""
        text = self.inlet.take(data, deflates=False)
        if text is not None:
            self.taken += 1
            self.texts.append(text)
            return
        self.parser.receive_data(data)
        assert self.parser.parser_exc is None
        for frame in self.parser.events_received():
            assert isinstance(frame, Frame)
            self._note(frame)

    def _note(self, frame: Frame) -> None:
        if frame.opcode is Opcode.TEXT:
            self._under_way = []
        elif frame.opcode is Opcode.BINARY:
            self._under_way = None
        elif frame.opcode is not Opcode.CONT:
            return
        if self._under_way is not None:
            self._under_way.append(bytes(frame.data))
            if frame.fin:
                self.texts.append(b"".join(self._under_way))


@given(messages(), st.data())
def test_every_text_comes_once_and_in_order(
    told: tuple[list[bytes], list[bytes]], data: st.DataObject
) -> None:
    """Wherever the segments are cut: inlet and parser together hear what was said."""
    frames, texts = told
    stream = b"".join(frames)
    ends = [sum(map(len, frames[: n + 1])) for n in range(len(frames))]
    cuts = data.draw(st.sets(st.one_of(st.sampled_from(ends), st.integers(1, len(stream)))))
    both = Both()
    for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(stream)], strict=True):
        if start < end:
            both.hear(stream[start:end])
    assert both.texts == texts


def test_one_frame_to_a_segment_never_reaches_the_parser() -> None:
    """That is how acknowledgements come."""
    both = Both()
    for n in range(5):
        both.hear(framed(Opcode.TEXT, b'{"type":"ack","frames":%d}' % n))
    assert (both.taken, len(both.texts)) == (5, 5)


@pytest.mark.parametrize(
    "data",
    [
        framed(Opcode.TEXT, b"x" * 126), framed(Opcode.BINARY, b"x"), framed(Opcode.CLOSE, b""),
        framed(Opcode.TEXT, b"x", fin=False), framed(Opcode.TEXT, b"x", rsv1=True),
        b"\x81\x01x", framed(Opcode.TEXT, b"x") * 2, b"\x81",
    ],
    ids=["long", "binary", "close", "begun", "deflated", "unmasked", "two", "half"],
)  # fmt: skip
def test_anything_else_is_the_parsers(data: bytes) -> None:
    """Large, binary, closing, in fragments, deflated without leave, unmasked, several, half."""
    assert Inlet().take(data, deflates=False) is None


def test_a_deflated_text_is_inflated_within_bounds() -> None:
    """A browser deflates its smallest message; a bomb is the parser's."""
    assert (
        Inlet().take(framed(Opcode.TEXT, deflated(b'{"a":1}'), rsv1=True), deflates=True)
        == b'{"a":1}'
    )
    bomb = deflated(b"x" * INFLATED_BYTES_MAX * 2)
    assert len(bomb) < 126
    assert Inlet().take(framed(Opcode.TEXT, bomb, rsv1=True), deflates=True) is None
    assert Inlet().take(framed(Opcode.TEXT, b"\xff\xff", rsv1=True), deflates=True) is None


def deflated(data: bytes) -> bytes:
    """As permessage-deflate has it."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (squeeze.compress(data) + squeeze.flush(zlib.Z_SYNC_FLUSH))[:-4]
