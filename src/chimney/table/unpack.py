"""The body of an OTLP request as a message: capped before and after it is unzipped, protobuf or JSON.

Runs in a thread. The protobuf classes are imported with the first request that needs them: 12 MB and 0.1 s.
"""

import importlib
import zlib
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

import msgspec

from chimney.core.otlp import logs, metrics, spans
from chimney.wire import otlp

LARGEST = 16 * 1024**2  # bytes, as sent and as unzipped
PROTOBUF, JSON = "application/x-protobuf", "application/json"
_GZIP = 31  # zlib's word for a gzip header, and nothing else


class Signal(StrEnum):
    LOGS = "logs"
    TRACES = "traces"
    METRICS = "metrics"


class RefusedError(Exception):
    """The request is not taken. 4xx: it must not be sent again; 503: it may, after `retry_after` seconds."""

    def __init__(self, status: int, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.retry_after = retry_after


_JSON_OF: Mapping[Signal, Callable[[bytes], Any]] = {
    signal: msgspec.json.Decoder(request, strict=False, dec_hook=otlp.decode_hook).decode
    for signal, request in (
        (Signal.LOGS, otlp.LogsRequest),
        (Signal.TRACES, otlp.TracesRequest),
        (Signal.METRICS, otlp.MetricsRequest),
    )
}
COUNTS: Mapping[Signal, Callable[[Any], int]] = {
    Signal.LOGS: logs.count,
    Signal.TRACES: spans.count,
    Signal.METRICS: metrics.count,
}
_PROTOBUF_OF = {
    Signal.LOGS: ("logs.v1.logs_service_pb2", "ExportLogsServiceRequest"),
    Signal.TRACES: ("trace.v1.trace_service_pb2", "ExportTraceServiceRequest"),
    Signal.METRICS: ("metrics.v1.metrics_service_pb2", "ExportMetricsServiceRequest"),
}


def media_of(content_type: str) -> str:
    """Raises RefusedError 415."""
    said = content_type.partition(";")[0].strip().lower()
    if said in (PROTOBUF, JSON):
        return said
    raise RefusedError(415, f"Content-Type should be {PROTOBUF} or {JSON}, not {said[:60] or 'absent'!r}.")


def is_zipped(encoding: str) -> bool:
    """Raises RefusedError 415 for another Content-Encoding than gzip and identity."""
    said = encoding.strip().lower()
    if said in ("", "identity", "none"):
        return False
    if said == "gzip":
        return True
    raise RefusedError(415, f"Content-Encoding should be gzip or absent, not {said[:60]!r}.")


def too_large() -> RefusedError:
    return RefusedError(413, f"At most {LARGEST:,} bytes are taken, also after unzipping; send smaller batches.")


def unzip(body: bytes) -> bytes:
    """Raises RefusedError: 413 past the cap, whatever the ratio; 400 when it is not gzip, or not all of it is there."""
    found = b""
    try:
        while body:
            member = zlib.decompressobj(_GZIP)
            found += member.decompress(body, LARGEST + 1 - len(found))
            if len(found) > LARGEST:
                raise too_large()
            if not member.eof:
                raise RefusedError(400, "The gzip body ends in the middle.")
            body = member.unused_data
    except zlib.error as error:
        raise RefusedError(400, f"Content-Encoding says gzip, but the body is not: {error}.") from None
    return found


def message_of(signal: Signal, body: bytes, *, media: str) -> Any:
    """Raises RefusedError 400."""
    return _from_json(signal, body) if media == JSON else _from_protobuf(signal, body)


def _from_json(signal: Signal, body: bytes) -> Any:
    try:
        return _JSON_OF[signal](body)
    except RecursionError:
        raise RefusedError(400, "The JSON is nested too deeply.") from None
    except (msgspec.DecodeError, UnicodeDecodeError, OverflowError, NotImplementedError) as error:
        raise RefusedError(400, f"The body is not an OTLP request in JSON: {str(error)[:300]}.") from None


def _from_protobuf(signal: Signal, body: bytes) -> Any:
    from google.protobuf.message import DecodeError  # noqa: PLC0415

    module, name = _PROTOBUF_OF[signal]
    request = getattr(importlib.import_module(f"opentelemetry.proto.collector.{module}"), name)
    try:
        return request.FromString(body)
    except DecodeError as error:
        hint = " It looks zipped once more than Content-Encoding says." if body[:2] == b"\x1f\x8b" else ""
        raise RefusedError(400, f"The body is not an OTLP request in protobuf: {error}.{hint}") from None
