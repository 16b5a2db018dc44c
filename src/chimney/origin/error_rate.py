"""What became of what visitors asked: the share of 5xx over the last minute, five minutes, hour; how long it took."""

import time
from collections.abc import Iterator, Sequence

from prometheus_client.core import HistogramMetricFamily, Metric

from chimney.core.traffic import Counts, Traffic
from chimney.web.metrics import Histogram
from chimney.web.record import RequestRecord
from chimney.web.routine import visitors
from chimney.wire.health import ErrorsHealth, ErrorWindow

HOUR = 3600  # rows of three numbers, one a second: 300 kB at worst
CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx")


class ErrorRate:
    """Counts finished requests. What machines ask all day would dilute it, and is left out."""

    def __init__(self) -> None:
        self._traffic = Traffic(window_seconds=HOUR)
        self._durations = {name: Histogram() for name in CLASSES}

    def take(self, records: Sequence[RequestRecord]) -> None:
        asked = visitors(records)
        if asked:
            errors = len([record for record in asked if record.status >= 500])
            self._traffic.note(records=len(asked), errors=errors, now=time.time())
            self._time(asked)

    def _time(self, asked: Sequence[RequestRecord]) -> None:
        """How long each took, but those whose client left, and streams, which last as long as somebody reads."""
        took: dict[str, list[float]] = {}
        for record in asked:
            if record.status and not record.streamed:
                took.setdefault(f"{record.status // 100}xx", []).append(record.ended - record.began)
        for name in took.keys() & self._durations.keys():
            self._durations[name].observe_all(took[name])

    def health(self) -> ErrorsHealth:
        now = time.time()
        minute, five, hour = (_window(self._traffic.since(now - seconds)) for seconds in (60, 300, HOUR))
        return ErrorsHealth(last_1m=minute, last_5m=five, last_60m=hour)

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


def _window(counts: Counts) -> ErrorWindow:
    return ErrorWindow(requests=counts.records, errors=counts.errors, error_rate_pct=counts.error_pct)
