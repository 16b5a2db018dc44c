"""Searching the unsealed spans, newest first."""

from collections.abc import Iterator, Sequence

import msgspec

from chimney.core.span_filter import SpanFilter
from chimney.store.deadline import Deadline
from chimney.store.hot import Chunk, in_time
from chimney.wire.telemetry import SpanRow


class KeptSpan(SpanRow, frozen=True, kw_only=True):
    """A span with its id in the store, and the time it is found by in Unix milliseconds."""

    id: int
    at_ms: int


_span = msgspec.json.Decoder(KeptSpan).decode


def _needles(wanted: SpanFilter) -> list[bytes]:
    exact = ("service", "name", "status")
    return [
        b'"%s":%s' % (name.encode(), msgspec.json.encode(value)) for name in exact if (value := getattr(wanted, name))
    ]


def hot_spans(
    chunks: Sequence[Chunk], wanted: SpanFilter, deadline: Deadline, *, before: int | None
) -> Iterator[KeptSpan]:
    """Newest first; ends early when the deadline is over."""
    needles = _needles(wanted)
    for chunk in in_time(chunks, wanted.from_ms, wanted.to_ms):
        if before is not None and chunk.first_id >= before:
            continue
        if deadline.over():
            return
        text = chunk.text()
        if any(needle not in text for needle in needles):
            continue
        for line in reversed(text.splitlines()):
            if all(needle in line for needle in needles):
                span = _span(line)
                if (before is None or span.id < before) and wanted.accepts(span, at_ms=span.at_ms):
                    yield span


def hot_trace(chunks: Sequence[Chunk], trace_ids: Sequence[str], deadline: Deadline) -> Iterator[KeptSpan]:
    """Every unsealed span of these traces."""
    needles = {trace_id: b'"trace_id":%s' % msgspec.json.encode(trace_id) for trace_id in trace_ids}
    for chunk in reversed(chunks):
        if deadline.over():
            return
        present = [needle for trace_id, needle in needles.items() if chunk.may_hold(trace_id)]
        for line in chunk.text().splitlines() if present else ():
            if any(needle in line for needle in present):
                yield _span(line)
