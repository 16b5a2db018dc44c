"""From what was handed in to lines that are stored: what is new of it, with its id, bounded in names.

A draft changes nothing but itself: it counts only when it is durable (`Intake.settle`).
"""

import math
import time
from array import array
from collections.abc import Callable, Sequence

import msgspec

from chimney.core.ranges import Held, Ranges, merge
from chimney.core.records import LEVEL_NAMES, Record, believable, in_time, parse, rfc3339
from chimney.core.redact import safe
from chimney.store.frames import Signal
from chimney.store.hot import Chunk
from chimney.store.journal import KEY_SECONDS, Source
from chimney.store.names import Names
from chimney.store.telemetry import Batch, Incoming, Place, StoredRow
from chimney.wire.telemetry import LogRow, SampleRow, SpanRow

BOOTS_KEPT = 16
LARGEST = 2**63 - 1
LONGEST_LINE = 3 * 1024**2
_encode = msgspec.json.Encoder().encode
_replace = msgspec.structs.replace


class Lines:
    """The lines of one signal, as they grow."""

    def __init__(self, next_id: int) -> None:
        self.first_id = self.next_id = next_id
        self.lines: list[bytes] = []
        self.times: list[int] = []
        self.ids: set[int] = set()
        self.levels: dict[str, int] = {}

    def add(self, line: bytes, ts_ms: int, *ids: str | None, level: str | None = None) -> None:
        self.lines.append(line)
        self.next_id += 1
        self.times.append(ts_ms)
        self.ids.update(hash(one) for one in ids if one is not None)
        if level:
            self.levels[level] = self.levels.get(level, 0) + 1

    def chunk(self) -> Chunk:
        size = sum(map(len, self.lines)) + len(self.lines)
        lines = tuple(self.lines)
        return Chunk(
            self.first_id,
            self.next_id - 1,
            len(lines),
            min(self.times),
            max(self.times),
            size,
            None,
            lines,
            array("q", self.ids),
            self.levels,
        )


class Draft:
    """What would be stored. `sources` and `held` are of the sources that it touches."""

    def __init__(self, next_ids: dict[Signal, int]) -> None:
        self.lines = {signal: Lines(next_id) for signal, next_id in next_ids.items()}
        self.sources: dict[str, Source] = {}
        self.held: Held = {}
        self.keys: list[bytes] = []
        self.stored: list[StoredRow] = []

    def chunks(self) -> list[tuple[Signal, Chunk]]:
        return [(signal, lines.chunk()) for signal, lines in self.lines.items() if lines.lines]


class Intake:
    """What is known of all that was stored before."""

    def __init__(
        self,
        *,
        next_ids: dict[Signal, int],
        keys: dict[bytes, float],
        names: Names,
        source: Callable[[str], Source],
    ) -> None:
        self.next_ids = next_ids
        self.names = names
        self._keys = keys
        self._read_source = source
        self._sources: dict[str, Source] = {}

    def source(self, name: str) -> Source:
        """Of a source that is followed; an unknown one begins at 0."""
        if name not in self._sources:
            self._sources[name] = self._read_source(name)
        return self._sources[name]

    @property
    def sources(self) -> dict[str, Source]:
        """Those that are known by now."""
        return dict(self._sources)

    def forget(self) -> None:
        """After a failure: what was read is read again."""
        self._sources.clear()

    def draft(self, batches: Sequence[Batch]) -> Draft:
        draft = Draft(self.next_ids)
        now_ms = int(time.time() * 1000)
        for batch in batches:
            if batch.key is not None:
                if batch.key in self._keys or batch.key in draft.keys:
                    continue
                draft.keys.append(batch.key)
            self._logs(draft, batch, now_ms)
            for span in batch.spans:
                self._span(draft, span, now_ms)
            for sample in batch.samples:
                self._sample(draft, sample, now_ms)
        return draft

    def settle(self, draft: Draft) -> None:
        """The draft is durable."""
        self._sources.update(draft.sources)
        now = time.time()
        self._keys.update((key, now) for key in draft.keys)
        while self._keys and next(iter(self._keys.values())) < now - KEY_SECONDS:
            del self._keys[next(iter(self._keys))]
        self.next_ids = {signal: lines.next_id for signal, lines in draft.lines.items()}
        self.names.written()

    def _logs(self, draft: Draft, batch: Batch, now_ms: int) -> None:
        if not batch.records and batch.place is None:
            return
        followed = batch.place is not None or any(_numbered(one) for one in batch.records)
        if not followed:
            name = self.names.service(batch.source)
            for one in batch.records:
                self._log(draft, name, one, now_ms)
            return
        known = draft.sources.get(batch.source) or self.source(batch.source)
        place = batch.place or known.place
        held = known.held.copy() if place.epoch == known.place.epoch else Ranges()
        new = Ranges()
        last = place.last_id
        for one in batch.records:
            if isinstance(one, Incoming) and one.origin_id is not None:
                last = max(last, one.origin_id)
                if not held.add(one.origin_id):
                    continue
                new.add(one.origin_id)
            self._log(draft, batch.source, one, now_ms)
        draft.sources[batch.source] = Source(Place(place.epoch, last, place.boots[-BOOTS_KEPT:]), held)
        merge(draft.held, {batch.source: (place.epoch, new.ranges)})

    def _log(self, draft: Draft, source: str, one: Incoming | Record, now_ms: int) -> None:
        record = parse(one.data, now_ms=now_ms) if isinstance(one, Incoming) else in_time(one, now_ms=now_ms)
        kind, origin_id = (one.kind, one.origin_id) if isinstance(one, Incoming) else ("log", None)
        lines = draft.lines[Signal.LOG]
        row = LogRow(
            id=lines.next_id,
            ts=rfc3339(record.ts_ms),
            level=LEVEL_NAMES[record.level],
            source=source,
            message=record.message,
            logger=record.logger,
            kind=kind,
            origin_id=origin_id,
            request_id=record.request_id,
            trace_id=record.trace_id,
            fields=record.fields,
            span_id=record.span_id,
            service=self.names.service(record.service) if record.service else None,
            deployment=record.deployment,
            revision=record.revision,
            severity=record.severity,
        )
        data = _line(row)
        if data is None:
            row = _replace(row, message=safe(row.message), fields={"unreadable": "its fields cannot be written"})
            data = _encode(row)
        lines.add(data, record.ts_ms, record.request_id, record.trace_id, level=row.level)
        draft.stored.append(StoredRow(row, record.level, data, record.ts_ms))

    def _span(self, draft: Draft, span: SpanRow, now_ms: int) -> None:
        """Its own times are kept; `at_ms` is what it is found by."""
        at_ms = span.start_ns // 1_000_000
        service = self.names.service(span.service)
        if service != span.service:
            span = _replace(span, service=service, resource={**span.resource, "service.name": span.service})
        if not (believable(at_ms, now_ms=now_ms) and 0 <= span.duration_ns <= LARGEST):
            at_ms = now_ms
            span = _in_range(span)
            span = _replace(span, attributes={**span.attributes, "chimney.clock": "its time is not believed"})
        data = _line(span)
        if data is None:
            span = _bare(span)
            data = _encode(span)
        lines = draft.lines[Signal.SPAN]
        lines.add(b'{"id":%d,"at_ms":%d,' % (lines.next_id, at_ms) + data[1:], at_ms, span.trace_id)

    def _sample(self, draft: Draft, sample: SampleRow, now_ms: int) -> None:
        """A value that is no number is none: it is how a series says that it has nothing to say."""
        at_ms = sample.at_ms if believable(sample.at_ms, now_ms=now_ms) else now_ms
        name = self.names.metric(sample)
        if at_ms != sample.at_ms or name != sample.name:
            sample = _replace(sample, at_ms=at_ms, name=name)
        data = _line(sample) if math.isfinite(sample.value) and (sample.count or 0) <= LARGEST else None
        if data is not None:
            lines = draft.lines[Signal.SAMPLE]
            lines.add(b'{"id":%d,' % lines.next_id + data[1:], at_ms)


def _line(row: LogRow | SpanRow | SampleRow) -> bytes | None:
    """None when it cannot be written, or is longer than what is sealed: it must not stand in the way of others."""
    try:
        data = _encode(row)
    except (UnicodeEncodeError, TypeError, OverflowError, RecursionError):
        return None
    return data if len(data) <= LONGEST_LINE else None


def _bare(span: SpanRow) -> SpanRow:
    """What is left of a span that cannot be written."""
    return SpanRow(
        trace_id=safe(span.trace_id, longest=32),
        span_id=safe(span.span_id, longest=16),
        service=safe(span.service, longest=200),
        name=safe(span.name, longest=200),
        kind=safe(span.kind, longest=20),
        start_ns=span.start_ns,
        duration_ns=span.duration_ns,
        status=span.status,
        attributes={"chimney.unreadable": "its attributes cannot be written"},
    )


def _in_range(span: SpanRow) -> SpanRow:
    """Times that 64 bits hold."""
    start_ns, duration_ns = (min(max(number, 0), LARGEST) for number in (span.start_ns, span.duration_ns))
    return _replace(span, start_ns=start_ns, duration_ns=duration_ns)


def _numbered(one: Incoming | Record) -> bool:
    return isinstance(one, Incoming) and one.origin_id is not None
