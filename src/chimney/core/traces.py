"""A trace in one line, from its spans."""

from collections import Counter
from collections.abc import Sequence

from chimney.core.records import rfc3339
from chimney.wire.telemetry import SpanRow, TraceSummary


def summarise(spans: Sequence[SpanRow]) -> TraceSummary:
    """Of at least one span, all of one trace."""
    ids = {span.span_id for span in spans}
    first = min(spans, key=lambda span: (span.parent_span_id in ids, bool(span.parent_span_id), span.start_ns))
    start = min(span.start_ns for span in spans)
    end = max(span.start_ns + span.duration_ns for span in spans)
    errors = sum(span.status == "error" for span in spans)
    return TraceSummary(
        trace_id=first.trace_id,
        started_at=rfc3339(start // 1_000_000),
        duration_ms=(end - start) / 1_000_000,
        service=first.service,
        name=first.name,
        status="error" if errors else first.status,
        spans=len(spans),
        errors=errors,
        services=dict(Counter(span.service for span in spans)),
    )
