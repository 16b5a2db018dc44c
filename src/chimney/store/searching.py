"""Answers over everything that is held, newest first, within a deadline: what is not sealed yet, then the segments."""

from collections.abc import Callable, Iterator, Mapping
from itertools import chain, islice

import msgspec

from chimney.core.facets import facets
from chimney.core.log_filter import LogFilter
from chimney.core.records import rfc3339
from chimney.core.span_filter import SpanFilter
from chimney.core.traces import summarise
from chimney.store.deadline import Deadline
from chimney.store.frames import Signal
from chimney.store.hot import Chunk
from chimney.store.hot_logs import hot_counts, hot_facets, hot_logs
from chimney.store.hot_samples import hot_samples
from chimney.store.hot_spans import KeptSpan, hot_spans, hot_trace
from chimney.store.sealed import Sealed
from chimney.store.sealed_logs import sealed_counts, sealed_facets, sealed_logs
from chimney.store.sealed_samples import sealed_label_values, sealed_samples
from chimney.store.sealed_spans import sealed_services, sealed_span_ids, sealed_trace
from chimney.store.telemetry import Found, FoundSamples, FoundSpans, FoundTraces
from chimney.wire.telemetry import Facets, Histogram, HistogramBucket, LogRow, SpanRow

MOST_SPANS = 10_000  # of one trace
MOST_OF_LIST = 100_000  # of all traces on a page
MOST_SAMPLES = 500_000
MOST_NAMES = 500
LATELY = 50_000  # unsealed spans that names of services are read from
_FIELDS = [field.name for field in msgspec.structs.fields(SpanRow)]
_replace = msgspec.structs.replace


class Search:
    """One search, blocking, over what was held at one moment. Rows from before `forget_before_ms` are not shown."""

    def __init__(
        self,
        chunks: Mapping[Signal, tuple[Chunk, ...]],
        sealed: Callable[[Signal], Sealed],
        deadline: Deadline,
        *,
        forget_before_ms: int,
    ) -> None:
        self._chunks = chunks
        self._sealed = sealed
        self._deadline = deadline
        self._forget_before_ms = forget_before_ms

    def _since(self, from_ms: int | None) -> int | None:
        """The beginning of the range, not before what is too old."""
        forget = self._forget_before_ms
        return forget if forget and (from_ms is None or from_ms < forget) else from_ms

    def _rows(self, wanted: LogFilter, before: int | None, after: int | None, at_once: int) -> Iterator[LogRow]:
        yield from hot_logs(self._chunks[Signal.LOG], wanted, self._deadline, before=before, after=after)
        sealed = self._sealed(Signal.LOG)
        for row in sealed_logs(sealed, wanted, before=before, after=after, at_once=at_once):
            if wanted.accepts(row):
                yield row

    def logs(self, wanted: LogFilter, *, limit: int, before: int | None, after: int | None) -> Found:
        wanted = _replace(wanted, from_ms=self._since(wanted.from_ms))
        rows = list(islice(self._rows(wanted, before, after, limit + 1), limit + 1))
        partial = len(rows) <= limit and self._deadline.passed
        return Found(rows[:limit], more=len(rows) > limit or partial, partial=partial)

    def histogram(self, wanted: LogFilter, *, width_ms: int) -> tuple[Histogram, bool]:
        start, end = wanted.from_ms or 0, wanted.to_ms or 0
        counts: list[dict[str, int]] = [{} for _ in range(-(-(end - start) // width_ms))]
        shown = _replace(wanted, from_ms=self._since(start))
        hot = hot_counts(self._chunks[Signal.LOG], shown, self._deadline, start_ms=start, width_ms=width_ms)
        sealed = sealed_counts(self._sealed(Signal.LOG), shown, start_ms=start, width_ms=width_ms)
        for bucket, level, count in chain(hot, sealed):
            counts[bucket][level] = counts[bucket].get(level, 0) + count
        buckets = [
            HistogramBucket(at=rfc3339(start + number * width_ms), counts=count) for number, count in enumerate(counts)
        ]
        return Histogram(width_seconds=width_ms / 1000, buckets=buckets), self._deadline.passed

    def facets(self, wanted: LogFilter) -> tuple[Facets, bool]:
        shown = _replace(wanted, from_ms=self._since(wanted.from_ms), level=0, source=None)
        hot = hot_facets(self._chunks[Signal.LOG], shown, self._deadline)
        sealed = sealed_facets(self._sealed(Signal.LOG), shown)
        counted = facets(chain(hot, sealed), level=wanted.level, source=wanted.source)
        return counted, self._deadline.passed

    def _span_ids(self, wanted: SpanFilter, before: int | None) -> Iterator[tuple[int, str]]:
        """Id and trace id of spans, newest first."""
        for span in hot_spans(self._chunks[Signal.SPAN], wanted, self._deadline, before=before):
            yield span.id, span.trace_id
        yield from sealed_span_ids(self._sealed(Signal.SPAN), wanted, before=before, at_once=2_000)

    def _of_traces(self, trace_ids: list[str], most: int) -> dict[str, list[KeptSpan]]:
        found: dict[str, list[KeptSpan]] = {trace_id: [] for trace_id in trace_ids}
        if not trace_ids:
            return found
        hot = hot_trace(self._chunks[Signal.SPAN], trace_ids, self._deadline)
        for span in islice(chain(hot, sealed_trace(self._sealed(Signal.SPAN), trace_ids, most)), most):
            found[span.trace_id].append(span)
        return found

    def traces(self, wanted: SpanFilter, *, limit: int, before: int | None) -> FoundTraces:
        """By their newest span that is asked for: a trace whose newest was on a page before is not on this one."""
        wanted = _replace(wanted, from_ms=self._since(wanted.from_ms))
        listed: dict[str, None] = {}
        last, more = before, False
        for span_id, trace_id in self._span_ids(wanted, before):
            if trace_id not in listed and len(listed) == limit:
                more = True
                break
            listed[trace_id] = None
            last = span_id
        of_each = self._of_traces(list(listed), MOST_OF_LIST).values()
        shown = [summarise(spans) for spans in of_each if spans and not _shown_before(spans, wanted, before)]
        partial = self._deadline.passed
        return FoundTraces(shown, last if more or (partial and listed) else None, partial)

    def trace(self, trace_id: str) -> FoundSpans:
        spans = self._of_traces([trace_id], MOST_SPANS + 1)[trace_id]
        spans.sort(key=lambda span: (span.start_ns, span.id))
        partial = self._deadline.passed or len(spans) > MOST_SPANS
        return FoundSpans([_bare(span) for span in spans[:MOST_SPANS]], partial)

    def services(self) -> dict[str, list[str]]:
        names: dict[str, set[str]] = {}
        lately = islice(hot_spans(self._chunks[Signal.SPAN], SpanFilter(), self._deadline, before=None), LATELY)
        sealed = sealed_services(self._sealed(Signal.SPAN), MOST_NAMES * 100)
        for service, name in chain(((span.service, span.name) for span in lately), sealed):
            of_service = names.setdefault(service, set())
            if len(of_service) < MOST_NAMES:
                of_service.add(name)
        return {service: sorted(of_service) for service, of_service in sorted(names.items())}

    def samples(self, name: str, labels: Mapping[str, str], *, from_ms: int, to_ms: int) -> FoundSamples:
        since = self._since(from_ms)
        hot = hot_samples(self._chunks[Signal.SAMPLE], name, labels, self._deadline, from_ms=since, to_ms=to_ms)
        sealed = sealed_samples(
            self._sealed(Signal.SAMPLE), name, labels, from_ms=since, to_ms=to_ms, most=MOST_SAMPLES + 1
        )
        found = list(islice(chain(hot, sealed), MOST_SAMPLES + 1))
        partial = self._deadline.passed or len(found) > MOST_SAMPLES
        found = found[:MOST_SAMPLES]
        found.sort(key=lambda one: (sorted(one.labels.items()), one.at_ms))
        return FoundSamples(found, partial)

    def label_values(self, name: str, label: str) -> list[str]:
        hot = hot_samples(self._chunks[Signal.SAMPLE], name, {}, self._deadline)
        values = {sample.labels[label] for sample in hot if label in sample.labels}
        values.update(sealed_label_values(self._sealed(Signal.SAMPLE), name, label, MOST_NAMES))
        return sorted(values)[:MOST_NAMES]


def _shown_before(spans: list[KeptSpan], wanted: SpanFilter, before: int | None) -> bool:
    return before is not None and any(span.id >= before and wanted.accepts(span, at_ms=span.at_ms) for span in spans)


def _bare(span: KeptSpan) -> SpanRow:
    return SpanRow(**{name: getattr(span, name) for name in _FIELDS})
