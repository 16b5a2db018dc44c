"""Requests of OTLP as senders make them: in JSON by hand, in protobuf by the official classes."""

import gzip
import json
import time
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

TRACE, SPAN, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", "00f067aa0ba902b8"


def value(given: Any) -> dict[str, Any]:
    if isinstance(given, bool):
        return {"boolValue": given}
    if isinstance(given, int):
        return {"intValue": str(given)}
    if isinstance(given, float):
        return {"doubleValue": given}
    if isinstance(given, list):
        return {"arrayValue": {"values": [value(one) for one in given]}}
    if isinstance(given, dict):
        return {"kvlistValue": {"values": attributes(given)}}
    return {"stringValue": given}


def attributes(given: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": value(one)} for key, one in given.items()]


def resource(service: str = "shop", **more: Any) -> dict[str, Any]:
    return {"attributes": attributes({"service.name": service, **more})}


def log(message: Any = "hello", *, at_ns: int | None = None, fields: dict[str, Any] | None = None, **more: Any) -> Any:
    at = time.time_ns() if at_ns is None else at_ns
    record = {"timeUnixNano": str(at), "severityNumber": 9, "body": value(message)}
    return {**record, "attributes": attributes(fields or {}), **more}


def logs(*records: Any, service: str = "shop", **of_resource: Any) -> dict[str, Any]:
    scoped = {"scope": {"name": "shop.cart"}, "logRecords": list(records)}
    return {"resourceLogs": [{"resource": resource(service, **of_resource), "scopeLogs": [scoped]}]}


def span(name: str = "GET /cart", *, start_ns: int | None = None, ms: float = 12.0, **more: Any) -> dict[str, Any]:
    start = time.time_ns() if start_ns is None else start_ns
    times = {"startTimeUnixNano": str(start), "endTimeUnixNano": str(start + int(ms * 1e6))}
    return {"traceId": TRACE, "spanId": SPAN, "name": name, "kind": 2, **times, **more}


def traces(*spans: Any, service: str = "shop", **of_resource: Any) -> dict[str, Any]:
    scoped = {"scope": {"name": "shop.http"}, "spans": list(spans)}
    return {"resourceSpans": [{"resource": resource(service, **of_resource), "scopeSpans": [scoped]}]}


def metrics(*given: Any, service: str = "shop", **of_resource: Any) -> dict[str, Any]:
    scoped = {"scope": {"name": "shop.http"}, "metrics": list(given)}
    return {"resourceMetrics": [{"resource": resource(service, **of_resource), "scopeMetrics": [scoped]}]}


def point(figure: float, *, at_ns: int | None = None, **labels: Any) -> dict[str, Any]:
    at = time.time_ns() if at_ns is None else at_ns
    return {"timeUnixNano": str(at), "asDouble": figure, "attributes": attributes(labels)}


def as_json(request: Any) -> bytes:
    return json.dumps(request).encode()


def logs_in_protobuf(count: int, *, service: str = "shop", message: str = "hello") -> bytes:
    request = ExportLogsServiceRequest()
    group = request.resource_logs.add()
    named = group.resource.attributes.add()
    named.key, named.value.string_value = "service.name", service
    scoped = group.scope_logs.add()
    scoped.scope.name = "shop.cart"
    for number in range(count):
        record = scoped.log_records.add()
        record.time_unix_nano = time.time_ns()
        record.severity_number = 9
        record.body.string_value = f"{message} {number}"
    return bytes(request.SerializeToString())


def spans_in_protobuf(count: int, *, service: str = "shop", trace: int = 1, first: int = 1) -> bytes:
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    named = group.resource.attributes.add()
    named.key, named.value.string_value = "service.name", service
    scoped = group.scope_spans.add()
    for number in range(first, first + count):
        one = scoped.spans.add()
        one.trace_id, one.span_id = trace.to_bytes(16), number.to_bytes(8)
        one.name, one.kind = "GET /cart", 2
        one.start_time_unix_nano = time.time_ns()
        one.end_time_unix_nano = one.start_time_unix_nano + 5_000_000
    return bytes(request.SerializeToString())


def nested(depth: int) -> bytes:
    """A log record in protobuf whose body is that many arrays inside each other."""
    body = b"\x0a\x01x"
    for _ in range(depth):
        body = _field(5, _field(1, body))
    return _field(1, _field(2, _field(2, _field(5, body))))


def groups(depth: int) -> bytes:
    """Unknown groups, opened and closed: an old way to nest without lengths."""
    return b"\x9b\x06" * depth + b"\x9c\x06" * depth


def _field(number: int, data: bytes) -> bytes:
    length, prefix = len(data), bytearray([number << 3 | 2])
    while length > 0x7F:
        prefix.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes(prefix) + bytes([length]) + data


def bomb(size: int = 1024**3) -> bytes:
    """Zeros, gzipped in pieces: about a thousandth of their size."""
    piece = gzip.compress(bytes(16 * 1024**2), 9)
    return piece * (size // (16 * 1024**2))
