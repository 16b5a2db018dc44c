"""Metrics of OTLP as samples in the manner of Prometheus: counters only grow, buckets are cumulative.

Deltas are added up here, so a query meets one kind of counter; a sum that begins anew reads as a reset, as after any
restart. Where a point says that its count began a moment ago, a zero is put there: else nobody would see what a program
counted before its first export, which of a short one is all. Exponential buckets become plain ones of the same bounds.
A summary becomes its quantiles, count and sum.
"""

import math
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import Any

import msgspec

from chimney.core.otlp.limits import SERIES, Seen
from chimney.core.otlp.rejected import Rejected
from chimney.core.otlp.values import LONGEST_NAME, NS, attributes_of, believed, each, service_of, text_of
from chimney.core.redact import safe
from chimney.wire.telemetry import SampleRow

DELTA = 1
NOT_RECORDED = 1  # the flag of a point that only says that there is none
MOST_LABELS = 30
MOST_BUCKETS = 200
BEGAN_LATELY_MS = 300_000  # a count that began longer ago may have been kept before, and is no growth of this moment
_LABELS_OF_RESOURCE = {"service.instance.id": "instance", "service.version": "version"}

Key = tuple[str, tuple[tuple[str, str], ...]]


class _Total(msgspec.Struct):
    value: float = 0.0
    count: int = 0
    buckets: dict[float, int] = {}


class Series:
    """Which series there are, at most `most`, and the running totals of those that are sent as deltas."""

    def __init__(self, most: int = SERIES) -> None:
        self._seen = Seen(most)
        self._totals: dict[Key, _Total] = {}
        self._began: dict[Key, int] = {}

    def __len__(self) -> int:
        return len(self._seen)

    @property
    def refused(self) -> int:
        return self._seen.refused

    def admit(self, key: Key, now_ms: int) -> bool:
        return self._seen.admit(key, now_ms)

    def begins(self, key: Key, at_ms: int) -> bool:
        """Whether the count of this series that began at `at_ms` has not been met before."""
        if self._began.get(key) == at_ms:
            return False
        if len(self._began) >= SERIES:
            del self._began[next(iter(self._began))]
        self._began[key] = at_ms
        return True

    def has_total(self, key: Key) -> bool:
        return key in self._totals

    def total(self, key: Key) -> _Total:
        """The running total; the oldest are forgotten past the cap, which reads as a reset."""
        if key not in self._totals:
            if len(self._totals) >= SERIES:
                del self._totals[next(iter(self._totals))]
            self._totals[key] = _Total()
        return self._totals[key]


class _Reading(msgspec.Struct, frozen=True):
    """What all points of one resource share."""

    rejected: Rejected
    series: Series
    now_ms: int
    source: str
    shared: dict[str, str]


def samples(
    request: Any, rejected: Rejected, series: Series, *, now_ms: int, named: Callable[[str], str]
) -> Iterator[SampleRow]:
    for resource, _, given in each(request.resource_metrics, "scope_metrics", "metrics"):
        if not given:
            continue
        known = attributes_of(resource.attributes)
        service = named(service_of(known))
        shared = {label: text_of(known[name]) for name, label in _LABELS_OF_RESOURCE.items() if name in known}
        reading = _Reading(rejected, series, now_ms, service, {"service": service, **shared})
        for metric in given:
            yield from _of_metric(reading, metric)


def _of_metric(reading: _Reading, metric: Any) -> Iterator[SampleRow]:
    kind = metric.WhichOneof("data")
    name = safe(metric.name, longest=LONGEST_NAME)
    if not name or kind not in _READERS:
        points = getattr(getattr(metric, kind), "data_points", ()) if kind else ()
        reading.rejected.note("a metric needs a name and one kind of data", max(1, len(points)))
        return
    data = getattr(metric, kind)
    for point in data.data_points:
        if not point.flags & NOT_RECORDED:
            yield from _READERS[kind](reading, name, data, point)


def _row(reading: _Reading, name: str, point: Any, **more: Any) -> tuple[Key, SampleRow] | None:
    """The sample and the key of its series; None when there is no room for one more series, or it has no number."""
    if not math.isfinite(more["value"]):
        reading.rejected.note(f"a value of {name} is not a finite number")
        return None
    labels = {**reading.shared, **more.pop("labels", {})}
    for label, value in list(attributes_of(point.attributes).items())[:MOST_LABELS]:
        labels[label] = text_of(value)[:LONGEST_NAME]
    key = (name, tuple(sorted(labels.items())))
    if not reading.series.admit(key, reading.now_ms):
        reading.rejected.note(f"there are {len(reading.series):,} series already")
        return None
    said = point.time_unix_nano
    at_ms = said // NS if believed(said, reading.now_ms) else reading.now_ms
    return key, SampleRow(name=name, labels=labels, at_ms=at_ms, source=reading.source, **more)


def _number(reading: _Reading, name: str, data: Any, point: Any) -> Iterator[SampleRow]:
    kind = point.WhichOneof("value")
    value = float(getattr(point, kind)) if kind else 0.0
    is_sum = hasattr(data, "is_monotonic")
    kind_of = "counter" if is_sum and data.is_monotonic else "gauge"
    made = _row(reading, name, point, kind=kind_of, value=value)
    if made is None:
        return
    key, row = made
    if kind_of == "counter":
        yield from _beginning(reading, key, row, point, data)
    if is_sum and data.aggregation_temporality == DELTA:
        total = reading.series.total(key)
        total.value += value
        row = msgspec.structs.replace(row, value=total.value)
    yield row


def _beginning(reading: _Reading, key: Key, row: SampleRow, point: Any, data: Any) -> Iterator[SampleRow]:
    """The zero that a count began with, once."""
    began = point.start_time_unix_nano // NS
    if not 0 < row.at_ms - began <= BEGAN_LATELY_MS:
        return
    if data.aggregation_temporality == DELTA and reading.series.has_total(key):
        return
    if reading.series.begins(key, began):
        yield msgspec.structs.replace(row, at_ms=began, value=0.0, count=None if row.count is None else 0)


def _histogram(reading: _Reading, name: str, data: Any, point: Any) -> Iterator[SampleRow]:
    bounds, counts = list(point.explicit_bounds), list(point.bucket_counts)
    if counts and len(counts) != len(bounds) + 1:
        reading.rejected.note(f"the buckets of {name} do not match their bounds")
        return
    yield from _with_buckets(reading, name, data, point, dict(zip([*bounds, math.inf], counts, strict=False)))


def _exponential(reading: _Reading, name: str, data: Any, point: Any) -> Iterator[SampleRow]:
    """Bucket `i` ends at base^(i+1), base 2^(2^-scale). Negative ones, rare for durations, count as the least."""
    buckets = {max(point.zero_threshold, 0.0): point.zero_count + sum(point.negative.bucket_counts)}
    try:
        base = 2.0 ** (2.0**-point.scale)
        for index, count in enumerate(point.positive.bucket_counts, start=point.positive.offset + 1):
            buckets[base**index] = count
    except OverflowError:
        reading.rejected.note(f"the buckets of {name} are larger than any number")
        return
    yield from _with_buckets(reading, name, data, point, {**buckets, math.inf: 0})


def _with_buckets(reading: _Reading, name: str, data: Any, point: Any, counts: dict[float, int]) -> Iterator[SampleRow]:
    if len(counts) > MOST_BUCKETS:
        reading.rejected.note(f"{name} has more than {MOST_BUCKETS} buckets")
        return
    made = _row(reading, name, point, kind="histogram", value=point.sum, count=point.count)
    if made is None:
        return
    key, row = made
    yield from _beginning(reading, key, row, point, data)
    total_sum, total_count = point.sum, point.count
    if data.aggregation_temporality == DELTA:
        total = reading.series.total(key)
        total.value += point.sum
        total.count += point.count
        for bound, count in counts.items():
            total.buckets[bound] = total.buckets.get(bound, 0) + count
        total_sum, total_count, counts = total.value, total.count, total.buckets
    ordered = sorted(counts.items())
    running = accumulate(count for _, count in ordered)
    cumulative = [(None if math.isinf(bound) else bound, up) for (bound, _), up in zip(ordered, running, strict=True)]
    yield msgspec.structs.replace(row, value=total_sum, count=total_count, buckets=cumulative)


def _summary(reading: _Reading, name: str, _data: Any, point: Any) -> Iterator[SampleRow]:
    figures: list[tuple[str, str, float, dict[str, str]]] = [
        (f"{name}_count", "counter", float(point.count), {}),
        (f"{name}_sum", "counter", point.sum, {}),
    ]
    figures += [(name, "gauge", one.value, {"quantile": f"{one.quantile:g}"}) for one in point.quantile_values]
    for shown, kind, value, labels in figures[:MOST_BUCKETS]:
        made = _row(reading, shown, point, kind=kind, value=value, labels=labels)
        if made:
            yield made[1]


_READERS = {
    "gauge": _number,
    "sum": _number,
    "histogram": _histogram,
    "exponential_histogram": _exponential,
    "summary": _summary,
}


def count(request: Any) -> int:
    rows = (metric for _, _, given in each(request.resource_metrics, "scope_metrics", "metrics") for metric in given)
    return sum(len(getattr(one, kind).data_points) for one in rows if (kind := one.WhichOneof("data")))
