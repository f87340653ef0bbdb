"""Reading JSON that agents really send: lone surrogates are mended, the rest is refused.

Never returns text that cannot be encoded as UTF-8, never NaN, never recurses without bound.
"""

import json
import math
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from ingest.errors import InvalidPayload

T = TypeVar("T")
TIME_MAX_MS = 4_102_444_800_000  # the year 2100

_decoder = msgspec.json.Decoder()


def decode(data: bytes) -> Any:
    """Decode one JSON document; raises InvalidPayload with the place and the reason."""
    try:
        return _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if not _may_be_text_fault(error, data):
            raise InvalidPayload(str(error)) from error
    except RecursionError as error:
        raise InvalidPayload("JSON nested too deeply") from error
    return _decode_mending(data)


def decode_object(data: bytes) -> dict[str, Any]:
    """Decode one JSON object; raises InvalidPayload if it is anything else."""
    value = decode(data)
    if not isinstance(value, dict):
        raise InvalidPayload(f"expected a JSON object, got {type(value).__name__}")
    return value


def decode_as(decoder: msgspec.json.Decoder[T], data: bytes) -> T:
    """Decode one JSON object of a known shape; raises InvalidPayload."""
    try:
        return decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        mended = msgspec.json.encode(decode_object(data))
    try:
        return decoder.decode(mended)
    except msgspec.MsgspecError as error:
        raise InvalidPayload(str(error)) from error


def _may_be_text_fault(error: Exception, data: bytes) -> bool:
    """Surrogates and bytes that are not UTF-8: only the text is wrong, not the document."""
    told = str(error).lower()
    return "utf-8" in told or b"\\ud" in data or b"\\uD" in data


def _decode_mending(data: bytes) -> Any:
    try:
        text = data.decode("utf-8", "replace")
        value = json.loads(text, parse_constant=_refuse, parse_float=_finite)
        return mend(value)
    except (ValueError, RecursionError) as error:
        raise InvalidPayload(str(error) or "JSON nested too deeply") from error


def _refuse(constant: str) -> Any:
    raise InvalidPayload(f"{constant} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise InvalidPayload(f"{text} is out of range")
    return value


def mend(value: Any) -> Any:
    """Replace lone surrogates in every text of ``value`` by U+FFFD."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [mend(each) for each in value]
    if isinstance(value, dict):
        return {mend(key): mend(each) for key, each in value.items()}
    return value


def time_ms(timestamp: Any) -> int | None:
    """An ISO timestamp (UTC where it names no zone) in ms since the epoch.

    None for what is no time, or none of a computer with a set clock.
    """
    if not isinstance(timestamp, str):
        return None
    try:
        told = datetime.fromisoformat(timestamp)
        at = round((told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
    return at if 0 <= at < TIME_MAX_MS else None
