"""What is counted about requests, and how Prometheus reads it.

Counting happens in the log thread, once a record, with plain dictionaries; the exposition is made by prometheus_client
from a collector that reads them. Routes are templates, so no label takes a value from outside.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from chimney.web.record import RequestRecord

# the boundaries of http.server.request.duration in the OpenTelemetry semantic conventions, with two finer ones below:
# a cached answer takes well under a millisecond
BOUNDS = (0.0005, 0.001, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)


class Histogram:
    """Counts by upper bound, and their sum."""

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        self.counts[bisect_left(BOUNDS, value)] += 1
        self.sum += value

    def cumulative(self) -> list[tuple[str, float]]:
        total = 0
        rows: list[tuple[str, float]] = []
        for bound, count in zip([*map(str, BOUNDS), "+Inf"], list(self.counts), strict=True):
            total += count
            rows.append((bound, total))
        return rows


class RequestMetrics:
    """Counted by route, method, status class and cache result."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, str, str]] = Counter()
        self.errors: Counter[str] = Counter()
        self.durations: dict[str, Histogram] = {}
        self.cache: Counter[tuple[str, str]] = Counter()

    def observe(self, record: RequestRecord) -> None:
        route = record.route
        method = record.method if record.method in _METHODS else "_OTHER"
        self.requests[route, method, f"{record.status // 100}xx"] += 1
        if record.status >= 500:
            self.errors[route] += 1
        histogram = self.durations.get(route)
        if histogram is None:
            histogram = self.durations[route] = Histogram()
        histogram.observe(record.duration)
        if record.cache:
            self.cache[record.cache, record.tier or "none"] += 1

    def collect(self) -> Iterator[Metric]:
        requests = CounterMetricFamily(
            "chimney_requests", "Requests answered.", labels=["route", "method", "status_class"]
        )
        for labels, count in list(self.requests.items()):
            requests.add_metric(labels, count)
        yield requests
        errors = CounterMetricFamily("chimney_errors", "Answers of class 5xx.", labels=["route"])
        for route, count in list(self.errors.items()):
            errors.add_metric([route], count)
        yield errors
        durations = HistogramMetricFamily(
            "chimney_request_duration_seconds", "Time to the last byte of the answer.", labels=["route"]
        )
        for route, histogram in list(self.durations.items()):
            durations.add_metric([route], histogram.cumulative(), histogram.sum)
        yield durations


_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


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
    """The exposition and its content type: OpenMetrics when `accept` asks for it, else text format 0.0.4."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Gauges(sources))
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type
