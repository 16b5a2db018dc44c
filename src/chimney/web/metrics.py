"""What is counted about requests, and how Prometheus reads it.

Counting happens on the event loop, after the answer, with plain dictionaries; the exposition is made by
prometheus_client from a collector that reads them. Routes are templates, so no label takes a value from outside.
"""

import asyncio
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar

from chimney.web.record import RequestRecord

# the boundaries of http.server.request.duration in the OpenTelemetry semantic conventions, with two finer ones below:
# a cached answer takes well under a millisecond
BOUNDS = (0.0005, 0.001, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
_NAMES = (*map(str, BOUNDS), "+Inf")
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
OPEN_METRICS = "application/openmetrics-text"
Bucket = tuple[str, float] | tuple[str, float, Exemplar]


class Histogram:
    """Counts by upper bound, and their sum."""

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.sum = 0.0
        self.exemplars: list[Exemplar | None] = [None] * (len(BOUNDS) + 1)

    def observe(self, value: float) -> None:
        self.observe_all([value])

    def observe_all(self, values: Sequence[float]) -> None:
        counts = self.counts
        for value in values:
            counts[bisect_left(BOUNDS, value)] += 1
        self.sum += sum(values)

    def add(self, other: "Histogram") -> None:
        self.counts = [one + more for one, more in zip(self.counts, other.counts, strict=True)]
        self.sum += other.sum

    def exemplify(self, value: float, exemplar: Exemplar) -> None:
        self.exemplars[bisect_left(BOUNDS, value)] = exemplar

    def cumulative(self) -> list[Bucket]:
        total = 0
        rows: list[Bucket] = []
        for bound, count, exemplar in zip(_NAMES, list(self.counts), list(self.exemplars), strict=True):
            total += count
            rows.append((bound, total, exemplar) if exemplar else (bound, total))
        return rows


class Cell:
    """All that one combination of labels counts; found with one look-up a record."""

    __slots__ = ("cached", "count", "durations")

    def __init__(self, durations: Histogram) -> None:
        self.count = 0
        self.durations = durations
        self.cached: Counter[tuple[str, str]] = Counter()


class RequestMetrics:
    """Counted by route, method and status, with the durations by route and the cache results."""

    def __init__(self) -> None:
        self._cells: dict[tuple[str, str, int], Cell] = {}
        self._durations: dict[str, Histogram] = {}
        self._failed: dict[str, Exemplar] = {}

    def take(self, records: Iterable[RequestRecord]) -> None:
        """Counts finished requests: most of them are alike, so they are counted by what they have in common."""
        alike: dict[tuple[str, str, int, str | None, str | None], list[float]] = {}
        for record in records:
            key = (record.route, record.method, record.status, record.cache, record.tier)
            durations = alike.get(key)
            if durations is None:
                durations = alike[key] = []
            durations.append(record.ended - record.began)
        for (route, method, status, cache, tier), durations in alike.items():
            cell = self._cell(route, method if method in METHODS else "_OTHER", status)
            cell.count += len(durations)
            cell.durations.observe_all(durations)
            if cache:
                cell.cached[cache, tier or "none"] += len(durations)

    def observe(self, record: RequestRecord) -> None:
        self.take([record])

    def _cell(self, route: str, method: str, status: int) -> Cell:
        cell = self._cells.get((route, method, status))
        if cell is None:
            cell = Cell(self._durations.setdefault(route, Histogram()))
            self._cells[route, method, status] = cell
        return cell

    def exemplify(self, record: RequestRecord) -> None:
        """Names the trace of an observed request, one that is exported, as the example of its bucket."""
        exemplar = Exemplar({"trace_id": record.trace_id}, record.duration, record.started + record.duration)
        if histogram := self._durations.get(record.route):
            histogram.exemplify(record.duration, exemplar)
        if record.status >= 500:
            self._failed[record.route] = exemplar._replace(value=1.0)

    def cache_results(self) -> Counter[tuple[str, str]]:
        """Requests by cache result and tier."""
        results: Counter[tuple[str, str]] = Counter()
        for cell in list(self._cells.values()):
            for labels, count in list(cell.cached.items()):  # the log thread goes on counting
                results[labels] += count
        return results

    def _by_class(self) -> Counter[tuple[str, str, str]]:
        counts: Counter[tuple[str, str, str]] = Counter()
        for (route, method, status), cell in list(self._cells.items()):
            status_class = f"{status // 100}xx" if status else "none"  # the client left before an answer began
            counts[route, method, status_class] += cell.count
        return counts

    def collect(self) -> Iterator[Metric]:
        requests = CounterMetricFamily(
            "chimney_requests", "Requests answered.", labels=["route", "method", "status_class"]
        )
        errors = CounterMetricFamily("chimney_errors", "Answers of class 5xx.", labels=["route"])
        failed: Counter[str] = Counter()
        for (route, method, status_class), count in self._by_class().items():
            requests.add_metric((route, method, status_class), count)
            failed[route] += count if status_class == "5xx" else 0
        yield requests
        for route, count in failed.items():
            errors.add_metric([route], count, exemplar=self._failed.get(route))
        yield errors
        durations = HistogramMetricFamily(
            "chimney_request_duration_seconds", "Time to the last byte of the answer.", labels=["route"]
        )
        for route, histogram in list(self._durations.items()):
            durations.add_metric([route], histogram.cumulative(), histogram.sum)
        yield durations


class Gauges(Collector):
    """A collector made of functions that are asked at scrape time."""

    def __init__(self, sources: Iterable[Callable[[], Iterable[Metric]]]) -> None:
        self._sources = list(sources)

    def collect(self) -> Iterator[Metric]:
        for source in self._sources:
            yield from source()


def gauge(name: str, help_text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, help_text, value=value)


def counter(name: str, help_text: str, value: float) -> CounterMetricFamily:
    """`name` without `_total`, which the exposition adds."""
    return CounterMetricFamily(name, help_text, value=value)


def expose(sources: Iterable[Callable[[], Iterable[Metric]]], accept: str) -> tuple[bytes, str]:
    """The exposition and its content type: OpenMetrics when `accept` asks for it, else text format 0.0.4.

    That one is without its charset, which the framework adds to whatever is text.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Gauges(sources))
    if prefers_open_metrics(accept):
        encoded: bytes = openmetrics.generate_latest(registry)  # type: ignore[no-untyped-call]
        return encoded, f"{OPEN_METRICS}; version=1.0.0; charset=utf-8"
    return generate_latest(registry), CONTENT_TYPE_PLAIN_0_0_4.partition("; charset")[0]


_scraping = ThreadPoolExecutor(1, thread_name_prefix="scrape")  # one at a time


async def exposed(sources: Iterable[Callable[[], Iterable[Metric]]], accept: str) -> tuple[bytes, str]:
    """The same, made in another thread, where the sources are read too: encoding takes 20 ms and more."""
    return await asyncio.get_running_loop().run_in_executor(_scraping, expose, sources, accept)


def prefers_open_metrics(accept: str) -> bool:
    """Whether an Accept header names OpenMetrics, and plain text not before it. What cannot be read is not there."""
    return 0 < _quality(accept, OPEN_METRICS) >= _quality(accept, "text/plain")


def _quality(accept: str, media_type: str) -> float:
    ranges = [part.strip().partition(";") for part in accept.lower().split(",")]
    found = [_Q.search(parameters) for name, _, parameters in ranges if name.strip() == media_type]
    return max((float(match[1]) if (match := each) else 1.0 for each in found), default=0.0)


_Q = re.compile(r"(?:^|;)\s*q=([01](?:\.[0-9]{1,3})?)\s*(?:;|$)")
