"""Answers over everything that is held, newest first, within a deadline."""

from collections.abc import Iterator, Mapping
from itertools import islice

import msgspec

from chimney.core.log_filter import LogFilter
from chimney.core.records import rfc3339
from chimney.core.span_filter import SpanFilter
from chimney.core.traces import summarise
from chimney.store.deadline import Deadline
from chimney.store.frames import Signal
from chimney.store.hot import Chunk
from chimney.store.hot_logs import hot_counts, hot_logs
from chimney.store.hot_samples import hot_samples
from chimney.store.hot_spans import KeptSpan, hot_spans, hot_trace
from chimney.store.telemetry import Found, FoundSamples, FoundSpans, FoundTraces
from chimney.wire.telemetry import Histogram, HistogramBucket, LogRow, SampleRow, SpanRow

MOST_SPANS = 10_000  # of one trace
MOST_SAMPLES = 500_000
MOST_NAMES = 500
_FIELDS = [field.name for field in msgspec.structs.fields(SpanRow)]


class Held(msgspec.Struct, frozen=True):
    """What is held at one moment. Rows from before `forget_before_ms` are too old to be shown."""

    chunks: Mapping[Signal, tuple[Chunk, ...]]
    forget_before_ms: int


class Search:
    """One search. Blocking."""

    def __init__(self, held: Held, deadline: Deadline) -> None:
        self._held = held
        self._deadline = deadline

    def _chunks(self, signal: Signal) -> tuple[Chunk, ...]:
        return self._held.chunks[signal]

    def _since(self, from_ms: int | None) -> int | None:
        """The beginning of the range, not before what is too old."""
        forget = self._held.forget_before_ms
        return forget if forget and (from_ms is None or from_ms < forget) else from_ms

    def _rows(self, wanted: LogFilter, before: int | None, after: int | None) -> Iterator[LogRow]:
        wanted = msgspec.structs.replace(wanted, from_ms=self._since(wanted.from_ms))
        yield from hot_logs(self._chunks(Signal.LOG), wanted, self._deadline, before=before, after=after)

    def logs(self, wanted: LogFilter, *, limit: int, before: int | None, after: int | None) -> Found:
        rows = list(islice(self._rows(wanted, before, after), limit + 1))
        partial = len(rows) <= limit and self._deadline.passed
        return Found(rows[:limit], more=len(rows) > limit or partial, partial=partial)

    def histogram(self, wanted: LogFilter, *, width_ms: int) -> tuple[Histogram, bool]:
        start, end = wanted.from_ms or 0, wanted.to_ms or 0
        counts: list[dict[str, int]] = [{} for _ in range(-(-(end - start) // width_ms))]
        shown = msgspec.structs.replace(wanted, from_ms=self._since(start))
        for ts_ms, level in hot_counts(self._chunks(Signal.LOG), shown, self._deadline):
            bucket = counts[(ts_ms - start) // width_ms]
            bucket[level] = bucket.get(level, 0) + 1
        buckets = [
            HistogramBucket(at=rfc3339(start + number * width_ms), counts=count) for number, count in enumerate(counts)
        ]
        return Histogram(width_seconds=width_ms / 1000, buckets=buckets), self._deadline.passed

    def _spans(self, wanted: SpanFilter, before: int | None) -> Iterator[KeptSpan]:
        wanted = msgspec.structs.replace(wanted, from_ms=self._since(wanted.from_ms))
        yield from hot_spans(self._chunks(Signal.SPAN), wanted, self._deadline, before=before)

    def _of_traces(self, trace_ids: list[str]) -> dict[str, list[KeptSpan]]:
        found: dict[str, list[KeptSpan]] = {trace_id: [] for trace_id in trace_ids}
        for span in hot_trace(self._chunks(Signal.SPAN), trace_ids, self._deadline):
            found[span.trace_id].append(span)
        return found

    def traces(self, wanted: SpanFilter, *, limit: int, before: int | None) -> FoundTraces:
        """By their newest span that is asked for: a trace whose newest was on a page before is not on this one."""
        newest: dict[str, int] = {}
        last = before
        for span in self._spans(wanted, before):
            if span.trace_id not in newest and len(newest) > limit:
                break
            newest.setdefault(span.trace_id, span.id)
            last = span.id if len(newest) <= limit else last
        more = len(newest) > limit
        spans = self._of_traces(list(newest)[:limit])
        shown = [summarise(of_one) for of_one in spans.values() if of_one and not _shown_before(of_one, wanted, before)]
        partial = self._deadline.passed
        return FoundTraces(shown, last if more or (partial and newest) else None, partial)

    def trace(self, trace_id: str) -> FoundSpans:
        spans = self._of_traces([trace_id])[trace_id][: MOST_SPANS + 1]
        spans.sort(key=lambda span: (span.start_ns, span.id))
        partial = self._deadline.passed or len(spans) > MOST_SPANS
        return FoundSpans([_bare(span) for span in spans[:MOST_SPANS]], partial)

    def services(self) -> dict[str, list[str]]:
        names: dict[str, set[str]] = {}
        for span in islice(self._spans(SpanFilter(), None), 50_000):
            of_service = names.setdefault(span.service, set())
            if len(of_service) < MOST_NAMES:
                of_service.add(span.name)
        return {service: sorted(of_service) for service, of_service in sorted(names.items())}

    def _samples(
        self, name: str, labels: Mapping[str, str], from_ms: int | None, to_ms: int | None
    ) -> Iterator[SampleRow]:
        chunks = self._chunks(Signal.SAMPLE)
        yield from hot_samples(chunks, name, labels, self._deadline, from_ms=self._since(from_ms), to_ms=to_ms)

    def samples(self, name: str, labels: Mapping[str, str], *, from_ms: int, to_ms: int) -> FoundSamples:
        found = list(islice(self._samples(name, labels, from_ms, to_ms), MOST_SAMPLES + 1))
        partial = self._deadline.passed or len(found) > MOST_SAMPLES
        found = found[:MOST_SAMPLES]
        found.sort(key=lambda one: (sorted(one.labels.items()), one.at_ms))
        return FoundSamples(found, partial)

    def label_values(self, name: str, label: str) -> list[str]:
        values: set[str] = set()
        for sample in self._samples(name, {}, None, None):
            if label in sample.labels:
                values.add(sample.labels[label])
            if len(values) >= MOST_NAMES:
                break
        return sorted(values)


def _shown_before(spans: list[KeptSpan], wanted: SpanFilter, before: int | None) -> bool:
    return before is not None and any(span.id >= before and wanted.accepts(span, at_ms=span.at_ms) for span in spans)


def _bare(span: KeptSpan) -> SpanRow:
    return SpanRow(**{name: getattr(span, name) for name in _FIELDS})
