"""JSON as agents really send it: faulty text is mended, anything else is refused."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.adapters.jsontext import decode, decode_object, mend
from ingest.errors import InvalidPayload


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (rb'"\ud83d"', "\ufffd"),
        (rb'"end \ud83d"', "end \ufffd"),
        (rb'"\ud83d start"', "\ufffd start"),
        (rb'"\udE00\ud83d"', "\ufffd\ufffd"),
        (rb'"\ud83d\ud83d\ude00x"', "\ufffd😀x"),
        (rb'{"\ud83dkey": ["\uDC00"]}', {"\ufffdkey": ["\ufffd"]}),
        (rb'"\ud83d\ude00"', "😀"),
        (rb'"\\ud83d"', "\\ud83d"),
        (b'"\xff\xfe"', "\ufffd\ufffd"),
        (b'"\xed\xa0\xbd"', "\ufffd\ufffd\ufffd"),
        (b' {"a": [1, 2.5, null, true]} ', {"a": [1, 2.5, None, True]}),
        (b'"\xef\xbb\xbf\xff"', "\ufeff\ufffd"),
    ],
)
def test_only_the_text_is_mended(data: bytes, value: Any) -> None:
    """Lone surrogates and bytes that are no UTF-8 become U+FFFD, their neighbours stay."""
    assert decode(data) == value
    json.dumps(decode(data), ensure_ascii=False).encode()


@pytest.mark.parametrize(
    "data",
    [b"", b" ", b"{", b'{"a":}', b"[1,]", b"NaN", b"[Infinity]", b"-Infinity", b"1e999", b"{}{}",
     b'{"a":1}x', b"'a'", b'"a', b'"\n"', b"\xff", b"\xef\xbb\xbf{}",
     rb'["\ud800", NaN]', rb'["\ud800", -Infinity]', rb'["\ud800", 1e999]', rb'["\ud800"',
     b'["\xff", Infinity]', b"[" * 20_000 + b"]" * 20_000, b'{"a":' * 20_000,
     b"[" * 20_000 + rb'"\ud800"' + b"]" * 20_000],
    ids=lambda data: repr(data[:24]),
)  # fmt: skip
def test_what_is_not_json_is_refused(data: bytes) -> None:
    """Also beside a lone surrogate, where the lenient way is taken."""
    with pytest.raises(InvalidPayload, match=r"."):
        decode(data)


@pytest.mark.parametrize("data", [b"[]", b"null", b'"text"', b"1", rb'"\ud800"'])
def test_a_payload_is_an_object(data: bytes) -> None:
    """Any other document is refused by name."""
    with pytest.raises(InvalidPayload, match="expected a JSON object"):
        decode_object(data)


def test_ten_megabytes_are_read() -> None:
    """Size alone is no fault here, with or without a fault in the text."""
    text = "x" * 10_000_000
    assert decode_object(json.dumps({"a": text}).encode())["a"] == text
    assert decode_object(json.dumps({"a": text + "\ud800"}).encode())["a"] == text + "\ufffd"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec=None), max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(st.characters(codec=None), max_size=4), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(JSON)
def test_every_document_gives_text_that_can_be_sent_on(value: Any) -> None:
    """Whatever surrogates are in it, keys included."""
    json.dumps(decode(json.dumps(value).encode()), ensure_ascii=False).encode()


@given(st.binary(max_size=60))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    """A value or InvalidPayload, and never a number that is none."""
    try:
        value = decode(data)
    except InvalidPayload:
        return
    assert not isinstance(value, float) or math.isfinite(value)


def test_mending_leaves_sound_values_alone() -> None:
    """Numbers, nulls and sound text come back equal."""
    value = {"a": [1, None, "é😀", {"b": 2.5}]}
    assert mend(value) == value
