"""Spans of OTLP as our rows. A span without valid ids is rejected: nothing could ever find it."""

from collections.abc import Callable, Iterator
from typing import Any

from chimney.core.otlp.rejected import Rejected
from chimney.core.otlp.values import (
    LONGEST_NAME,
    NS,
    attributes_of,
    believed,
    described,
    each,
    hexed,
    service_of,
)
from chimney.core.records import MOST_FIELDS, rfc3339
from chimney.core.redact import safe
from chimney.wire.telemetry import SpanRow, SpanStatus

KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
STATUSES: tuple[SpanStatus, ...] = ("unset", "ok", "error")
LONGEST_NS = 366 * 86_400 * 10**9


def spans(request: Any, rejected: Rejected, *, now_ms: int, named: Callable[[str], str]) -> Iterator[SpanRow]:
    """Every span that can be kept; `named` may put another name in a service's place."""
    for resource, scope, given in each(request.resource_spans, "scope_spans", "spans"):
        if not given:
            continue
        known = attributes_of(resource.attributes)
        service = service_of(known)
        shown = named(service)
        more = described(known) if shown == service else known
        scope_name = safe(scope.name, longest=LONGEST_NAME)
        for one in given:
            row = _span(one, rejected, now_ms=now_ms, service=shown, resource=more, scope=scope_name)
            if row:
                yield row


def _span(
    one: Any, rejected: Rejected, *, now_ms: int, service: str, resource: dict[str, Any], scope: str
) -> SpanRow | None:
    trace_id, span_id = hexed(one.trace_id, 16), hexed(one.span_id, 8)
    if trace_id is None or span_id is None:
        which = "trace id should be 16 bytes" if trace_id is None else "span id should be 8 bytes"
        rejected.note(f"a span's {which}, not all zero")
        return None
    attributes = attributes_of(one.attributes)
    start, duration = one.start_time_unix_nano, one.end_time_unix_nano - one.start_time_unix_nano
    duration = duration if 0 <= duration <= LONGEST_NS else 0
    if not believed(start, now_ms):
        attributes["time_said"] = rfc3339(start // NS)
        start = now_ms * NS - duration
    return SpanRow(
        trace_id=trace_id,
        span_id=span_id,
        parent_span_id=hexed(one.parent_span_id, 8),
        service=service,
        name=safe(one.name, longest=LONGEST_NAME) or "unnamed",
        kind=KINDS[one.kind] if 0 <= one.kind < len(KINDS) else KINDS[0],
        start_ns=start,
        duration_ns=duration,
        status=STATUSES[one.status.code] if 0 <= one.status.code < len(STATUSES) else STATUSES[0],
        status_message=safe(one.status.message, longest=1000),
        attributes=attributes,
        resource=resource,
        events=[_event(event) for event in one.events[:MOST_FIELDS]],
        links=[_link(link) for link in one.links[:MOST_FIELDS]],
        scope=scope,
    )


def _event(event: Any) -> dict[str, Any]:
    return {
        "name": safe(event.name, longest=LONGEST_NAME),
        "at_ns": event.time_unix_nano,
        "attributes": attributes_of(event.attributes),
    }


def _link(link: Any) -> dict[str, Any]:
    return {
        "trace_id": hexed(link.trace_id, 16),
        "span_id": hexed(link.span_id, 8),
        "attributes": attributes_of(link.attributes),
    }


def count(request: Any) -> int:
    return sum(len(given) for _, _, given in each(request.resource_spans, "scope_spans", "spans"))
