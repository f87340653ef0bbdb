"""OTLP bodies, JSON or protobuf, as plain records and points. Pure; knows nothing of any agent.

JSON needs nothing; protobuf needs the extra ``otlp``, imported at its first body. Raises
InvalidPayload, or MissingExtra. Called by the OTLP adapter.
"""

import importlib
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeVar

import msgspec
from msgspec import Struct

from ingest.adapters.jsontext import decode
from ingest.errors import InvalidPayload, MissingExtra
from session.known_types import make_known

Attributes = dict[str, str | bool | int | float]
T = TypeVar("T")
_DELTA, _CUMULATIVE = 1, 2
_TEMPORALITIES = {
    "AGGREGATION_TEMPORALITY_DELTA": _DELTA,
    "AGGREGATION_TEMPORALITY_CUMULATIVE": _CUMULATIVE,
}


class Record(NamedTuple):
    """A log record; ``names`` are what may be its event's name. ``at_ns`` is 0 where not told."""

    names: tuple[Any, ...]
    at_ns: int
    attributes: Attributes


class Point(NamedTuple):
    """A point of a sum; its attributes and those of its resource."""

    metric: str
    start_ns: int
    at_ns: int
    value: Any
    cumulative: bool
    attributes: Attributes


# JSON.


class _Value(Struct, rename="camel"):
    string_value: str | None = None
    bool_value: bool | None = None
    int_value: int | str | None = None
    double_value: float | str | None = None


class _Attribute(Struct):
    key: str = ""
    value: _Value | None = None


class _Resource(Struct):
    attributes: list[_Attribute] | None = None


class _LogRecord(Struct, rename="camel"):
    time_unix_nano: int | str | None = None
    observed_time_unix_nano: int | str | None = None
    event_name: str | None = None
    body: _Value | None = None
    attributes: list[_Attribute] | None = None


class _ScopeLogs(Struct, rename="camel"):
    log_records: list[_LogRecord] | None = None


class _ResourceLogs(Struct, rename="camel"):
    resource: _Resource | None = None
    scope_logs: list[_ScopeLogs] | None = None


class _Logs(Struct, rename="camel"):
    resource_logs: list[_ResourceLogs] | None = None


class _DataPoint(Struct, rename="camel"):
    start_time_unix_nano: int | str | None = None
    time_unix_nano: int | str | None = None
    as_int: int | str | None = None
    as_double: float | str | None = None
    attributes: list[_Attribute] | None = None


class _Sum(Struct, rename="camel"):
    data_points: list[_DataPoint] | None = None
    aggregation_temporality: int | str | None = None


class _Metric(Struct):
    name: str = ""
    sum: _Sum | None = None


class _ScopeMetrics(Struct):
    metrics: list[_Metric] | None = None


class _ResourceMetrics(Struct, rename="camel"):
    resource: _Resource | None = None
    scope_metrics: list[_ScopeMetrics] | None = None


class _Metrics(Struct, rename="camel"):
    resource_metrics: list[_ResourceMetrics] | None = None


make_known(_Logs, _Metrics)


def records_of_json(body: bytes) -> Iterator[Record]:
    """The log records of an ExportLogsServiceRequest in JSON."""
    for group in _converted(body, _Logs).resource_logs or ():
        shared = _attributes(group.resource.attributes) if group.resource else {}
        for scope in group.scope_logs or ():
            for each in scope.log_records or ():
                text = each.body.string_value if each.body else None
                at_ns = _nanos(each.time_unix_nano) or _nanos(each.observed_time_unix_nano)
                own = _attributes(each.attributes)
                names = (each.event_name, own.get("event.name"), text)
                yield Record(names, at_ns, {**shared, **own})


def points_of_json(body: bytes) -> Iterator[Point]:
    """The points of all sums of an ExportMetricsServiceRequest in JSON."""
    for group in _converted(body, _Metrics).resource_metrics or ():
        shared = _attributes(group.resource.attributes) if group.resource else {}
        for metric in (each for scope in group.scope_metrics or () for each in scope.metrics or ()):
            if metric.sum is None:
                continue
            told = metric.sum.aggregation_temporality
            is_cumulative = _TEMPORALITIES.get(str(told), told) == _CUMULATIVE
            for each in metric.sum.data_points or ():
                value = each.as_double if each.as_int is None else whole(each.as_int)
                times = (_nanos(each.start_time_unix_nano), _nanos(each.time_unix_nano))
                attributes = {**shared, **_attributes(each.attributes)}
                yield Point(metric.name, *times, value, is_cumulative, attributes)


def _converted(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.convert(decode(body), type=kind)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `$")
        raise InvalidPayload(f"{path.strip('.`') or 'body'}: {reason}") from error
    except (OverflowError, RecursionError) as error:
        raise InvalidPayload(str(error)) from error


def _attributes(told: list[_Attribute] | None) -> Attributes:
    """Those of one plain value; lists and maps mean nothing here."""
    plain: Attributes = {}
    for each in told or ():
        value = _plain(each.value) if each.value else None
        if value is not None:
            plain[each.key] = value
    return plain


def _plain(value: _Value) -> str | bool | int | float | None:
    if value.string_value is not None:
        return value.string_value
    if value.bool_value is not None:
        return value.bool_value
    if value.int_value is not None:
        return whole(value.int_value)
    return value.double_value


def whole(value: Any) -> int | None:
    """A whole number, which JSON tells as text; None for what is none or has over 64 bits."""
    if isinstance(value, str) and len(value) <= 20:
        try:
            value = int(value)
        except ValueError:
            return None
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return value if is_whole and -(2**63) <= value < 2**63 else None


def _nanos(value: int | str | None) -> int:
    return max(0, whole(value) or 0)


# Protobuf.


def records_of_protobuf(body: bytes) -> Iterator[Record]:
    """The log records of an ExportLogsServiceRequest in protobuf."""
    for group in _parsed(body, "logs", "ExportLogsServiceRequest").resource_logs:
        shared = _fields(group.resource.attributes)
        for each in (each for scope in group.scope_logs for each in scope.log_records):
            own = _fields(each.attributes)
            names = (each.event_name, own.get("event.name"), each.body.string_value)
            at_ns = each.time_unix_nano or each.observed_time_unix_nano
            yield Record(names, at_ns, {**shared, **own})


def points_of_protobuf(body: bytes) -> Iterator[Point]:
    """The points of all sums of an ExportMetricsServiceRequest in protobuf."""
    for group in _parsed(body, "metrics", "ExportMetricsServiceRequest").resource_metrics:
        shared = _fields(group.resource.attributes)
        for metric in (each for scope in group.scope_metrics for each in scope.metrics):
            is_cumulative = metric.sum.aggregation_temporality == _CUMULATIVE
            for each in metric.sum.data_points:
                value = each.as_int if each.WhichOneof("value") == "as_int" else each.as_double
                times = (each.start_time_unix_nano, each.time_unix_nano)
                attributes = {**shared, **_fields(each.attributes)}
                yield Point(metric.name, *times, value, is_cumulative, attributes)


_KINDS = frozenset({"string_value", "bool_value", "int_value", "double_value"})


def _fields(told: Any) -> Attributes:
    kinds = ((each, each.value.WhichOneof("value")) for each in told)
    return {each.key: getattr(each.value, kind) for each, kind in kinds if kind in _KINDS}


def _parsed(body: bytes, signal: str, name: str) -> Any:
    """The message in a body. Its module has no types: the extra may not be there."""
    module = f"opentelemetry.proto.collector.{signal}.v1.{signal}_service_pb2"
    try:
        generated = importlib.import_module(module)
        decode_error = importlib.import_module("google.protobuf.message").DecodeError
    except ImportError as error:
        raise MissingExtra("protobuf needs an extra: install agenttower[otlp]") from error
    try:
        return getattr(generated, name).FromString(body)
    except decode_error as error:
        raise InvalidPayload(f"not an {name}: {error}") from error
