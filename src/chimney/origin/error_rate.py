"""What became of what visitors asked: the share of 5xx over the last minute, five minutes, hour; how long it took."""

import math
import time
from collections import deque
from collections.abc import Iterator, Sequence

from prometheus_client.core import HistogramMetricFamily, Metric

from chimney.core.series import quantile
from chimney.core.traffic import Counts, Traffic
from chimney.web.app import Phase
from chimney.web.metrics import BOUNDS, Histogram
from chimney.web.record import RequestRecord
from chimney.web.routine import visitors
from chimney.wire.health import ErrorsHealth, ErrorWindow, WaitWindow

HOUR = 3600  # rows of three numbers, one a second: 300 kB at worst
WAIT_SECONDS = 30  # of the waits on /healthz
CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx")


class ErrorRate:
    """Counts finished requests. What machines ask all day would dilute it, and is left out."""

    def __init__(self) -> None:
        self._traffic = Traffic(window_seconds=HOUR)
        self._durations = {name: Histogram() for name in CLASSES}
        self._waits: deque[tuple[int, Histogram]] = deque(maxlen=WAIT_SECONDS)  # by second

    def take(self, records: Sequence[RequestRecord]) -> None:
        asked = [one for one in visitors(records) if not _came_too_early(one)]
        if asked:
            errors = len([record for record in asked if record.status >= 500])
            self._traffic.note(records=len(asked), errors=errors, now=time.time())
            self._time(asked)

    def _time(self, asked: Sequence[RequestRecord]) -> None:
        """How long each took, but those whose client left, and streams, which last as long as somebody reads."""
        took: dict[int, list[float]] = {}
        for record in asked:
            if not record.streamed:
                took.setdefault(record.status, []).append(record.ended - record.began)
        for status, durations in took.items():
            if of_class := self._durations.get(f"{status // 100}xx"):
                seen = Histogram()
                seen.observe_all(durations)
                of_class.add(seen)
                self._second().add(seen)

    def _second(self) -> Histogram:
        now = int(time.time())
        if not self._waits or self._waits[-1][0] != now:
            self._waits.append((now, Histogram()))
        return self._waits[-1][1]

    def _waited(self, now: float) -> WaitWindow:
        recent = [histogram.counts for second, histogram in list(self._waits) if second > now - WAIT_SECONDS]
        total, buckets = 0, {}
        for bound, counts in zip((*BOUNDS, math.inf), zip(*recent, strict=True), strict=False):
            total += sum(counts)
            buckets[bound] = float(total)
        p95 = quantile(0.95, buckets) if buckets else None
        return WaitWindow(
            over_seconds=WAIT_SECONDS, requests=total, p95_ms=None if p95 is None else round(p95 * 1000, 2)
        )

    def health(self) -> ErrorsHealth:
        now = time.time()
        minute, five, hour = (_window(self._traffic.since(now - seconds)) for seconds in (60, 300, HOUR))
        return ErrorsHealth(last_1m=minute, last_5m=five, last_60m=hour, waits=self._waited(now))

    def collect(self) -> Iterator[Metric]:
        """Every class, also one that was never answered: a reader sees it grow from zero."""
        family = HistogramMetricFamily(
            "chimney_visitor_request_duration_seconds",
            "Time to the last byte of answers to visitors, streams left out.",
            labels=["status_class"],
        )
        for name, histogram in self._durations.items():
            family.add_metric([name], histogram.cumulative(), histogram.sum)
        yield family


def _came_too_early(record: RequestRecord) -> bool:
    """While a process starts it says 503 to everybody, and proxies send it nobody."""
    return record.status == 503 and (record.error or "").startswith(f"{Phase.STARTING}:")


def _window(counts: Counts) -> ErrorWindow:
    return ErrorWindow(requests=counts.records, errors=counts.errors, error_rate_pct=counts.error_pct)
