"""Spans of Jaeger and Tempo, and lists of traces made of them.

Both answer OTLP in JSON, in dialects: Tempo writes ids in base64 and enums by name, older versions call the groups
otherwise, leading zeros of ids may be missing. Jaeger's older API has a shape of its own.
"""

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from chimney.core.otlp.rejected import Rejected
from chimney.core.otlp.spans import KINDS, spans
from chimney.core.records import rfc3339
from chimney.core.redact import safe
from chimney.core.traces import summarise
from chimney.wire.otlp import TracesRequest, decode_hook
from chimney.wire.telemetry import SpanRow, SpanStatus, TraceSummary

_NAMES = {"batches": "resourceSpans", "instrumentationLibrarySpans": "scopeSpans"}
_KINDS = {f"SPAN_KIND_{kind.upper()}": number for number, kind in enumerate(KINDS)}
_CODES = {"STATUS_CODE_UNSET": 0, "STATUS_CODE_OK": 1, "STATUS_CODE_ERROR": 2}
_IDS = {"traceId": 16, "spanId": 8, "parentSpanId": 8}
FAR_FUTURE_MS = 4_102_444_800_000  # 2100: the times of what others keep are theirs


def padded(trace_id: str) -> str:
    """32 hex digits: Tempo leaves leading zeros out."""
    return trace_id.lower().rjust(32, "0")


def _id(given: str, length: int) -> str:
    """Hex of an id in hex, with or without its leading zeros, or in base64."""
    try:
        if len(given) <= length * 2 and all(digit in "0123456789abcdefABCDEF" for digit in given):
            return given.rjust(length * 2, "0")
        raw = base64.b64decode(given, validate=True)
        return raw.hex() if len(raw) == length else ""
    except (binascii.Error, ValueError):
        return ""


def usual(given: Any) -> Any:
    """A piece of an answer as the OTLP specification has it."""
    if isinstance(given, list):
        return [usual(one) for one in given]
    if not isinstance(given, dict):
        return given
    found: dict[str, Any] = {}
    for key, value in given.items():
        name = _NAMES.get(str(key), str(key))
        if name in _IDS and isinstance(value, str):
            found[name] = _id(value, _IDS[name]) if value else ""
        elif name == "kind" and isinstance(value, str):
            found[name] = _KINDS.get(value, 0)
        elif name == "code" and isinstance(value, str):
            found[name] = _CODES.get(value, 0)
        else:
            found[name] = usual(value)
    return found


def otlp_spans(answer: Any) -> list[SpanRow]:
    """Of `{resourceSpans: […]}` in any of the dialects. Raises msgspec.ValidationError when it is none of them."""
    request = msgspec.convert(usual(answer), TracesRequest, strict=False, dec_hook=decode_hook)
    return list(spans(request, Rejected(), now_ms=FAR_FUTURE_MS, named=lambda service: service))


def legacy_spans(trace: Mapping[str, Any]) -> list[SpanRow]:
    """One element of `data` of Jaeger's older API."""
    processes = trace.get("processes") or {}
    return [_legacy_span(one, processes.get(one.get("processID")) or {}) for one in trace.get("spans") or ()]


def _tags(given: Any) -> dict[str, Any]:
    return {
        safe(str(one.get("key", "")), longest=200): safe(value) if isinstance(value := one.get("value"), str) else value
        for one in given or ()
    }


def _legacy_span(span: Mapping[str, Any], process: Mapping[str, Any]) -> SpanRow:
    tags = _tags(span.get("tags"))
    parents = (one.get("spanID") for one in span.get("references") or () if one.get("refType") == "CHILD_OF")
    parent = next(parents, None) or span.get("parentSpanID")
    status: SpanStatus = "error" if tags.get("error") in (True, "true") else "unset"
    kind = str(tags.pop("span.kind", "internal"))
    events = [
        {"name": fields.pop("event", "log"), "at_ns": int(one.get("timestamp") or 0) * 1000, "attributes": fields}
        for one in span.get("logs") or ()
        for fields in (_tags(one.get("fields")),)
    ]
    return SpanRow(
        trace_id=padded(str(span.get("traceID", ""))),
        span_id=str(span.get("spanID", "")).rjust(16, "0"),
        parent_span_id=str(parent).rjust(16, "0") if parent else None,
        service=safe(str(process.get("serviceName") or "unknown_service"), longest=200),
        name=safe(str(span.get("operationName") or "unnamed"), longest=200),
        kind=kind if kind in KINDS else KINDS[0],
        start_ns=int(span.get("startTime") or 0) * 1000,
        duration_ns=int(span.get("duration") or 0) * 1000,
        status=status,
        attributes=tags,
        resource=_tags(process.get("tags")),
        events=events,
        scope=str(tags.get("otel.scope.name") or ""),
    )


def summaries(rows: Iterable[SpanRow], accepts: Callable[[SpanRow], bool]) -> list[TraceSummary]:
    """One for each trace among the spans that has a span which is accepted, newest first."""
    by_trace: dict[str, list[SpanRow]] = {}
    for row in rows:
        by_trace.setdefault(row.trace_id, []).append(row)
    found = [summarise(group) for group in by_trace.values() if any(accepts(row) for row in group)]
    return sorted(found, key=lambda one: one.started_at, reverse=True)


def tempo_summary(trace: Mapping[str, Any], *, failed: bool) -> TraceSummary:
    """One element of `traces` of Tempo's search; `failed`: only failed ones were asked for."""
    stats = trace.get("serviceStats") or {}
    service = safe(str(trace.get("rootServiceName") or "unknown_service"), longest=200)
    services = {safe(str(name), longest=200): int(one.get("spanCount") or 0) for name, one in stats.items()}
    errors = sum(int(one.get("errorCount") or 0) for one in stats.values())
    matched = sum(int(one.get("matched") or 0) for one in trace.get("spanSets") or ())
    return TraceSummary(
        trace_id=padded(str(trace.get("traceID", ""))),
        started_at=rfc3339(int(trace.get("startTimeUnixNano") or 0) // 1_000_000),
        duration_ms=float(trace.get("durationMs") or 0),
        service=service,
        name=safe(str(trace.get("rootTraceName") or "unnamed"), longest=200),
        status="error" if errors or failed else "unset",
        spans=sum(services.values()) or matched,
        errors=errors or int(failed),
        services=services or {service: matched},
    )
