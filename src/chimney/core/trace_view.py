"""Traces put together: from several places, and as the page shows them. Pure."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from chimney.wire.base import stamp
from chimney.wire.telemetry import LogRow, SpanRow, TraceSummary
from chimney.wire.traces import ListedTrace, Span, SpanEvent, Trace


def together(found: Iterable[tuple[str, Sequence[TraceSummary]]]) -> list[ListedTrace]:
    """One list, newest first; a trace that several places keep is named once, by the one that knows most of it."""
    best: dict[str, tuple[TraceSummary, list[str]]] = {}
    for place, traces in found:
        for one in traces:
            known, places = best.get(one.trace_id, (one, []))
            best[one.trace_id] = (one if one.spans > known.spans else known, [*places, place])
    listed = [ListedTrace(**msgspec.structs.asdict(one), found_in=places) for one, places in best.values()]
    return sorted(listed, key=lambda one: (one.started_at, one.trace_id), reverse=True)


def whole(
    trace_id: str,
    found: Iterable[tuple[str, Sequence[SpanRow]]],
    logs: Sequence[LogRow],
    *,
    urls: dict[str, str],
    partial: list[str],
) -> Trace:
    """Spans by start, each once."""
    rows: dict[str, SpanRow] = {}
    places = []
    for place, spans in found:
        places += [place] if spans else []
        for row in spans:
            rows.setdefault(row.span_id, row)
    ordered = sorted(rows.values(), key=lambda row: (row.start_ns, -row.duration_ns))
    start = ordered[0].start_ns if ordered else 0
    end = max((row.start_ns + row.duration_ns for row in ordered), default=0)
    return Trace(
        trace_id=trace_id,
        started_at=stamp(start / 1e9) if ordered else None,
        duration_ms=(end - start) / 1e6 if ordered else None,
        spans=[shown(row, start) for row in ordered],
        logs=sorted(logs, key=lambda row: (row.ts, row.id)),
        found_in=places,
        urls={place: urls[place] for place in places if place in urls},
        partial=partial,
    )


def shown(row: SpanRow, start_ns: int) -> Span:
    return Span(
        trace_id=row.trace_id,
        span_id=row.span_id,
        parent_span_id=row.parent_span_id,
        service=row.service,
        name=row.name,
        kind=row.kind,
        started_at=stamp(row.start_ns / 1e9),
        offset_ms=(row.start_ns - start_ns) / 1e6,
        duration_ms=row.duration_ns / 1e6,
        status=row.status,
        status_message=row.status_message,
        attributes=row.attributes,
        resource=row.resource,
        events=[_event(event, row.start_ns, start_ns) for event in row.events],
        links=row.links,
        scope=row.scope,
    )


def _event(event: dict[str, Any], span_ns: int, start_ns: int) -> SpanEvent:
    at = event.get("at_ns")
    at_ns = at if isinstance(at, int) and 0 < at < 2**62 else span_ns
    return SpanEvent(
        name=str(event.get("name", "")),
        at=stamp(at_ns / 1e9),
        offset_ms=(at_ns - start_ns) / 1e6,
        attributes=event.get("attributes") or {},
    )
